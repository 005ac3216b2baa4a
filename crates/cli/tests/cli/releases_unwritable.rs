//! Catalogs that cannot be written: what the message says, and what remains of the work.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

use crate::releases::{json, models};
use crate::support::{complained, run, succeeded, text};

const TRAIN: &str = "train price.csv --target price --name price --test-fraction 0 --out models/";

/// The command, which cannot write a byte to a file.
#[cfg(unix)]
fn run_without_space(folder: &Path, arguments: &str) -> Output {
    let script = r#"trap "" XFSZ; ulimit -f 0; exec "$0" "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_ordinate")]).args(arguments.split_whitespace());
    command.current_dir(folder).output().unwrap()
}

#[cfg(unix)]
#[rstest]
#[case::version("publish price.json models/", "price/2.json")]
#[case::alias("promote price 1 models/", "price/aliases/live.json")]
#[case::training(TRAIN, "price/2.json")]
fn a_file_that_cannot_be_written_is_named_and_not_its_temporary_file(#[case] arguments: &str, #[case] file: &str) {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json models/"));
    let output = run_without_space(folder, arguments);
    let message = complained(&output);
    assert!(message.contains(&format!("/models/{file}: cannot be written: File too large")), "{message}");
    let (_, reason) = message.split_once("cannot be written").unwrap();
    assert!(!reason.contains(".tmp") && !message.contains("cannot be read"), "{message}");
    assert!(!folder.join("models").join(file).exists());
    succeeded(&run(folder, arguments));
}

#[test]
fn training_that_cannot_be_published_is_printed_and_reported() {
    let folder = models();
    let folder = folder.path();
    fs::create_dir_all(folder.join("models/price")).unwrap();
    // The last version that there can be.
    fs::write(folder.join(format!("models/price/{}.json", u32::MAX)), "").unwrap();
    let output = run(folder, &format!("{TRAIN} --report report.html --card card.md"));
    let message = complained(&output);
    assert!(message.contains("there is no version after this one\nhelp: choose another --out\n"), "{message}");
    assert!(message.ends_with("note: saved report.html, card.md\n"), "{message}");
    let said = text(&output.stdout);
    assert!(said.contains("\n  (intercept) ") && said.ends_with("The model is not saved.\n"), "{said}");
    for file in ["report.html", "card.md"] {
        assert!(fs::read_to_string(folder.join(file)).unwrap().contains("price"), "{file}");
    }

    let output = run(folder, &format!("{TRAIN} --json"));
    assert!(complained(&output).contains("there is no version after this one"), "{}", complained(&output));
    let results: serde_json::Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!((&results["name"], &results["out"]), (&"price".into(), &serde_json::Value::Null));

    // The remedy.
    let saved = run(folder, &format!("{} --json", TRAIN.replace("models/", "elsewhere/")));
    assert_eq!(json(&saved)["version"], "1");
}

#[test]
fn a_catalog_that_cannot_be_written_is_reported_before_the_fit() {
    let folder = models();
    let folder = folder.path();
    fs::create_dir(folder.join("models")).unwrap();
    fs::write(folder.join("models/price"), "").unwrap();
    let output = run(folder, &TRAIN.replace("--target price", "--target nothing"));
    let message = complained(&output);
    assert!(message.contains("/models/price/: cannot be written: Not a directory"), "{message}");
    assert!(message.ends_with("\nhelp: choose another --out\n"), "{message}");
    assert_eq!(fs::read_dir(folder.join("models")).unwrap().count(), 1, "nothing is left");
}
