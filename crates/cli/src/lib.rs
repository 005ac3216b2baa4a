//! The command line `ordinate`: one file a subcommand; each says what it does, calls the library, prints.
//!
//! Exit codes: 0 fine, 1 failed, 2 wrong usage. Answers go to standard output, everything else to standard error.

mod coefficients;
mod columns;
mod completions;
mod confusion;
mod curl;
mod delimiter;
mod evaluate;
mod inspect;
mod interval_method;
mod model;
mod output;
mod parquet;
mod predict;
mod progress;
mod records;
mod scoring;
mod serve;
mod skipped;
mod text_table;
mod train;
mod warning_column;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

/// Linear models that answer over HTTPS: train them here, serve them on AWS Lambda.
#[derive(Debug, Parser)]
#[command(name = "ordinate", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(Box<train::Arguments>),
    Evaluate(evaluate::Arguments),
    Predict(predict::Arguments),
    Inspect(inspect::Arguments),
    Serve(serve::Arguments),
    Completions(completions::Arguments),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    // Wrong usage and --help end in here, with their own exit codes.
    let Arguments { command } = Arguments::parse();
    let outcome = match &command {
        Command::Train(arguments) => train::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Predict(arguments) => predict::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Completions(arguments) => completions::run(arguments),
    };
    match outcome {
        Ok(answer) => print(&answer),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends the process as clap does for wrong usage of a subcommand.
fn wrong_usage(subcommand: &str, reason: &str) -> ! {
    let mut command = Arguments::command();
    command.build();
    match command.find_subcommand_mut(subcommand) {
        Some(subcommand) => subcommand.error(ErrorKind::ArgumentConflict, reason).exit(),
        None => command.error(ErrorKind::ArgumentConflict, reason).exit(),
    }
}

/// Prints an answer; a reader that has seen enough (`| head`) is no failure.
fn print(answer: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(answer.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            tell(&format!("error: standard output cannot be written: {error}\n"));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Tells what is no answer. Where standard error is closed, nobody wants to know.
fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
