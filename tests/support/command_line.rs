//! `ordinate` as a user runs it.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// `ordinate` in a folder, without credentials that happen to be around; arguments are separated by spaces.
pub(crate) fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"] {
        command.env_remove(variable);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run(folder: &TempDir, arguments: &str) -> Output {
    command(folder.path(), arguments).output().unwrap()
}

/// What a stream held.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Standard output of a run that went well and had nothing to remark.
pub(crate) fn said(output: &Output) -> &str {
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    text(&output.stdout)
}
