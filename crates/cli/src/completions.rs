//! `ordinate completions`: what a shell needs to complete our commands.

use std::error::Error;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print completions for a shell
///
/// For bash, for example: ordinate completions bash > ~/.local/share/bash-completion/completions/ordinate
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// The script.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "ordinate", &mut script);
    Ok(String::from_utf8(script)?)
}
