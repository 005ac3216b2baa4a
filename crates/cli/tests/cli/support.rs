//! `ordinate` as a user runs it.

// Each test uses some of these.
#![allow(dead_code)]

use std::path::Path;
use std::process::{Command, Output};

/// `ordinate` in a folder, without credentials of the environment; arguments are separated by spaces.
pub(crate) fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"] {
        command.env_remove(variable);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run(folder: impl AsRef<Path>, arguments: &str) -> Output {
    command(folder.as_ref(), arguments).output().unwrap()
}

/// Runs `ordinate train` to its end.
pub(crate) fn train(folder: impl AsRef<Path>, arguments: &str) -> Output {
    run(folder, &format!("train {arguments}"))
}

/// The text of a stream.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Standard output of a successful run, with or without notes on standard error.
pub(crate) fn succeeded(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Standard error of a failed run.
pub(crate) fn complained(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(1), "{} {}", text(&output.stdout), text(&output.stderr));
    text(&output.stderr)
}

/// Standard output of a successful run without notes on standard error.
pub(crate) fn said(output: &Output) -> &str {
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    text(&output.stdout)
}
