//! From rows to coefficients: least squares, penalised paths, logistic regression, and the choice of a penalty by cross-validation.

mod cross_products;
pub mod cross_validation;
mod double_double;
pub mod folds;
pub mod least_squares;
pub mod leverage;
pub mod logistic;
#[cfg(test)]
pub(crate) mod longley;
pub mod path;
pub mod qr;
pub mod refinement;
pub mod rows;
mod simd;
pub mod unit_errors;
