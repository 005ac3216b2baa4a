//! `ordinate completions`: shell completions.

use std::error::Error;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print shell completions
#[derive(Debug, Args)]
#[command(after_help = "Example:
  ordinate completions bash > ~/.local/share/bash-completion/completions/ordinate")]
pub(super) struct Arguments {
    /// Shell to complete commands in
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "ordinate", &mut script);
    Ok(String::from_utf8(script)?)
}
