//! Help and completions of all commands.

use rstest::rstest;

use crate::support::{pipe, said};

#[rstest]
#[case("bash")]
#[case("zsh")]
#[case("fish")]
#[case("elvish")]
#[case("powershell")]
fn shells_learn_all_commands(#[case] shell: &str) {
    let output = pipe(&format!("completions {shell}"), "");
    for word in ["train", "predict", "evaluate", "inspect", "on-error"] {
        assert!(said(&output).contains(word), "{word}");
    }
}

/// With `-h`, each option has one line.
#[test]
fn the_first_line_of_an_options_help_is_short() {
    for command in
        ["train", "import", "predict", "evaluate", "drift", "inspect", "export", "serve", "health", "completions"]
    {
        let output = pipe(&format!("{command} -h"), "");
        let longest = said(&output).lines().map(|line| line.trim_start().chars().count()).max();
        assert!(longest < Some(170), "{}", said(&output));
    }
}

#[test]
fn every_command_has_help() {
    let output = pipe("--help", "");
    for command in
        ["train", "import", "predict", "evaluate", "drift", "inspect", "export", "serve", "health", "completions"]
    {
        assert!(said(&output).lines().any(|line| line.trim_start().starts_with(command)), "{command}");
        let help = pipe(&format!("{command} --help"), "");
        assert!(said(&help).contains(&format!("Usage: ordinate {command}")) && said(&help).contains("Example"));
    }
}
