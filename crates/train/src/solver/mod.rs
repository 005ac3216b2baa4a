//! From rows to coefficients: least squares, penalised paths, logistic regression, and the choice of a penalty by cross-validation.

pub mod choose;
pub mod folds;
mod kernel;
pub mod least_squares;
pub mod leverage;
pub mod logistic;
#[cfg(test)]
pub(crate) mod longley;
pub mod path;
pub mod refinement;
pub mod rows;
mod scatter;
pub mod triangle;
mod twofold;
pub mod unit_errors;
