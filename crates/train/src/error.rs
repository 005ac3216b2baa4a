//! Errors of training.

use thiserror::Error;

use super::holdout::InvalidFraction;
use super::solver::error::SolveError;
use super::surveyed_table::Problems;
use ordinate_model::AnswerError;
use ordinate_model::artifact::ArtifactError;
use ordinate_table::{DataError, SpoolError, shell_word};

/// Why training ended without a model. `Display` ends with a line `help: …` where there is something to do about it.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The data cannot be read, or do not suit the plan.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Several errors in the data, one a line.
    #[error("{}{}", .0.text(), options_line(.0))]
    Several(Problems),
    /// The temporary file with the rows cannot be written or read.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The test fraction is outside its range.
    #[error(transparent)]
    Holdout(#[from] InvalidFraction),
    /// A solver has no single finite solution.
    #[error("{data}: {source}{}", help_line(source))]
    Solve {
        /// The data.
        data: String,
        /// The error of the solver.
        source: SolveError,
    },
    /// All rows can be fitted, but not the rows that are left when some are held out.
    #[error(
        "{data}: with {held_out} rows held out for testing: {source}\n\
         help: hold out fewer rows with --test-fraction (0 holds out none), or try another --seed"
    )]
    SolveWithoutHeldOut {
        /// The data.
        data: String,
        /// The number of held-out rows.
        held_out: u64,
        /// The error of the solver.
        source: SolveError,
    },
    /// Classes are separable, so that coefficients have no finite estimates without a penalty.
    #[error("{data}: without a penalty (--c inf) the coefficients have no finite estimates: {what}\nhelp: {help}")]
    Separated {
        /// The data.
        data: String,
        /// The columns and classes.
        what: String,
        /// The advice.
        help: String,
    },
    /// The model's prediction for a row of the training data is not finite.
    #[error("the model cannot predict its own training data: {0}\nhelp: rescale columns with extreme values")]
    Predict(#[from] AnswerError),
    /// The model's prediction for a row of the test data is not finite.
    #[error("{data}: a row cannot be predicted: {source}\nhelp: remove rows with extreme values")]
    PredictTestRow {
        /// The test data.
        data: String,
        /// The error of the prediction.
        source: AnswerError,
    },
    /// The fit does not make a valid model file.
    #[error("the fit cannot be stored in a model file: {0}\nhelp: rescale columns with extreme values")]
    Artifact(#[from] ArtifactError),
}

fn options_line(problems: &Problems) -> String {
    if problems.options().is_empty() {
        return "\nhelp: correct the values, or declare other types with --types".to_owned();
    }
    let words: Vec<String> = problems.options().iter().map(|word| shell_word(word)).collect();
    format!("\nhelp: to count these values as missing, add {}", words.join(" "))
}

fn help_line(error: &SolveError) -> String {
    error.help().map_or_else(String::new, |help| format!("\nhelp: {help}"))
}
