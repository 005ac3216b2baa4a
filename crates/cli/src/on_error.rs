//! The option for rows that the model cannot answer.

use clap::ValueEnum;

use ordinate_batch::skipped::OnError;

/// The values of `--on-error`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum OnErrorAction {
    /// Stop with an error that names the row and the reason
    Stop,
    /// Leave the row out
    Skip,
    /// Keep the row without a prediction
    Empty,
}

impl From<OnErrorAction> for OnError {
    fn from(action: OnErrorAction) -> Self {
        match action {
            OnErrorAction::Stop => Self::Stop,
            OnErrorAction::Skip => Self::Skip,
            OnErrorAction::Empty => Self::Empty,
        }
    }
}
