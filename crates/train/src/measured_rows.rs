//! The terms for the rows that a model was measured on, other than those of the fit.

use crate::plan::TEST_ROWS;
use ordinate_model::artifact::Training;

/// The rows of the metrics `test` of a model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasuredRows {
    /// Rows of the training data.
    HeldOut,
    /// Rows of other files.
    TestData,
}

impl MeasuredRows {
    /// Those of a model file.
    #[must_use]
    pub fn from_training(training: &Training) -> Self {
        if training.parameters.contains_key(TEST_ROWS) { Self::TestData } else { Self::HeldOut }
    }

    /// The title of a column with their metrics.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::HeldOut => "held out",
            Self::TestData => "test data",
        }
    }

    /// The rows, after their number or a preposition.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::HeldOut => "held-out rows",
            Self::TestData => "rows of test data",
        }
    }
}
