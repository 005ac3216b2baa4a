//! Solvers: least squares, ridge, lasso and elastic net, logistic, Poisson and gamma regression, and cross-validation
//! of the regularization strength.

mod blocks;
mod conjugate_gradients;
mod cross_products;
pub mod cross_validation;
pub mod design_rows;
mod double_double_column;
pub mod error;
pub mod estimate;
pub mod folds;
pub mod glm;
mod laplacian;
pub mod least_squares;
pub(crate) mod length;
pub mod leverage;
pub mod logistic;
pub mod moments;
pub mod path;
pub mod qr;
pub mod refinement;
pub mod robust_errors;
mod simd;
#[cfg(test)]
mod test_rows;
pub mod unit_errors;
