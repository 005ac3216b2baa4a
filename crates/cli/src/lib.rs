//! The command line `ordinate`, one file per subcommand.
//!
//! Exit codes: 0 success, 1 failure, 2 wrong usage, and of `drift` 3 for drift. Results go to standard output, everything
//! else to standard error.

mod batch;
mod catalog;
mod coefficients;
mod completions;
mod confusion;
mod copy;
mod curl;
mod diff;
mod drift;
mod evaluate;
mod export;
mod extra_columns;
mod health;
mod history;
mod import;
mod inspect;
mod intervals;
mod line_width;
mod metric_table;
mod model;
mod models;
mod on_error;
mod output;
mod predict;
mod progress;
mod promote;
mod publish;
mod reading;
mod rollback;
mod serve;
mod train;
mod unalias;

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

pub use model::LoadModelError;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use ordinate_model::Model;

/// Train linear models, and serve them over HTTPS on AWS Lambda or on this machine
#[derive(Debug, Parser)]
#[command(
    name = "ordinate",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  ordinate train houses.csv --target price --out price.json
  ordinate predict price.json new-houses.csv
  ordinate serve price.json"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(Box<train::Arguments>),
    Import(import::Arguments),
    Evaluate(evaluate::Arguments),
    Predict(predict::Arguments),
    Drift(drift::Arguments),
    Batch(batch::Arguments),
    Inspect(inspect::Arguments),
    Export(export::Arguments),
    Serve(serve::Arguments),
    Publish(publish::Arguments),
    Promote(promote::Arguments),
    Rollback(rollback::Arguments),
    Unalias(unalias::Arguments),
    History(history::Arguments),
    Models(models::Arguments),
    Diff(diff::Arguments),
    Copy(copy::Arguments),
    Health(health::Arguments),
    Completions(completions::Arguments),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    run_from(env::args_os())
}

/// Loads and verifies a model from a place that commands accept: a path, an address, or the name of a bundled model.
///
/// # Errors
/// [`LoadModelError`], with the message of the commands.
pub fn load_model(place: &str) -> Result<Arc<Model>, LoadModelError> {
    model::load(place)
}

/// Runs the command of these arguments; the first is the name of the program.
#[must_use]
pub fn run_from(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    // Ends the process for wrong usage and for --help, with their exit codes.
    let Arguments { command } = Arguments::parse_from(arguments);
    let outcome = match &command {
        Command::Train(arguments) => train::run(arguments).map(|()| String::new()),
        Command::Import(arguments) => import::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Predict(arguments) => predict::run(arguments),
        Command::Drift(arguments) => match drift::run(arguments) {
            Ok((answer, true)) => return drifted(&answer),
            outcome => outcome.map(|(answer, _)| answer),
        },
        Command::Batch(arguments) => batch::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Publish(arguments) => publish::run(arguments).map(|()| String::new()),
        Command::Promote(arguments) => promote::run(arguments).map(|()| String::new()),
        Command::Rollback(arguments) => rollback::run(arguments).map(|()| String::new()),
        Command::Unalias(arguments) => unalias::run(arguments).map(|()| String::new()),
        Command::History(arguments) => history::run(arguments),
        Command::Models(arguments) => models::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Copy(arguments) => copy::run(arguments).map(|()| String::new()),
        Command::Health(arguments) => health::run(arguments),
        Command::Completions(arguments) => completions::run(arguments),
    };
    match outcome {
        Ok(answer) => print(&answer),
        Err(error) => failed(&*error),
    }
}

/// Prints why a command failed.
fn failed(error: &dyn Error) -> ExitCode {
    print_error(&format!("error: {error}\n"));
    ExitCode::FAILURE
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

/// The exit code of drift.
const DRIFT: u8 = 3;

/// Prints a report with drift, whose exit code differs from that of a failure.
fn drifted(answer: &str) -> ExitCode {
    match print(answer) {
        ExitCode::SUCCESS => ExitCode::from(DRIFT),
        failure => failure,
    }
}

/// Prints to standard output.
fn print(answer: &str) -> ExitCode {
    match write_output(answer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            print_error(&format!("error: {reason}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Prints a change of a catalog that was made. The command has not failed if standard output cannot be written: repeating
/// it would make another release.
fn print_change(text: &str) {
    if let Err(reason) = write_output(text) {
        print_error(&format!("warning: {reason}; the command has succeeded:\n{text}"));
    }
}

/// Writes to standard output. A closed pipe (`| head`) is not a failure.
///
/// # Errors
/// A message for the user.
fn write_output(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Prints to standard error, and ignores a closed one.
fn print_error(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
