//! `ordinate`, the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    ordinate_cli::run()
}
