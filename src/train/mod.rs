//! How models are made: rows from a file, a fit, its measurement, a model file.

mod double_double;
pub mod evaluate;
pub mod least_squares;
pub mod refinement;
pub mod split;
pub mod table;
