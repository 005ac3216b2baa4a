//! The model: its file, the signature that requests must fit, and its answers to rows. Knows nothing of HTTP, S3 or
//! training.
//!
//! | module                                         | subject                                                    |
//! | ---------------------------------------------- | ---------------------------------------------------------- |
//! | [`artifact`], [`identity`], `golden`           | the model file, its checksum and its golden rows           |
//! | [`Model`]                                      | a loaded model                                             |
//! | [`signature`], [`cell`], [`number`], [`field`] | features, and the values that each accepts                 |
//! | [`reading`], [`date`]                          | how text is read as numbers, booleans and dates            |
//! | [`frame`]                                      | rows that fit a signature, or the list of their faults     |
//! | [`preprocess`]                                 | from features to the columns of the design matrix          |
//! | [`estimator`]                                  | coefficients, and predictions by smartcore                 |
//! | [`family`]                                     | distributions of a target with a log link                  |
//! | [`distribution`]                               | the distribution of the training data, to detect drift     |
//! | [`inference`]                                  | the statistics that intervals and warnings need            |
//! | [`answer`]                                     | predictions, intervals, explanations and warnings          |
//! | `example_rows`                                 | synthetic rows drawn from the training distribution        |

pub mod answer;
pub mod artifact;
pub mod cell;
mod checksum;
pub mod date;
pub mod distribution;
pub mod double_double;
pub mod estimator;
mod example_rows;
pub mod family;
pub mod field;
pub mod frame;
mod golden;
pub mod header;
pub mod identity;
pub mod inference;
mod model;
pub mod number;
pub mod preprocess;
mod pretty_json;
pub mod quantile;
pub mod random;
pub mod reading;
pub mod scalar;
pub mod signature;
pub mod suggestion;
pub mod task;
#[cfg(test)]
mod test_models;
pub mod wording;

pub use answer::{Answer, AnswerError, PredictError, PredictedRow, Prediction, Predictor, Probabilities, Wanted};
pub use model::Model;
