//! Tests of training through its public functions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::unreadable_literal,
    clippy::excessive_precision
)]

mod categories;
mod coverage;
mod folds;
mod inference;
mod influence;
mod log_link;
mod nist;
mod separation;
mod smartcore;
mod summary;

use ordinate_train::solver::least_squares::LeastSquaresFit;
use ordinate_train::solver::moments::{Accumulator, Moments};
use ordinate_train::solver::refinement::Refinement;

/// The names of the features, then of the target, for rows of this many columns.
fn names(columns: usize) -> Vec<String> {
    (1..columns).map(|feature| format!("x{feature}")).chain(["y".to_owned()]).collect()
}

/// The moments of rows whose last column is the target.
fn moments(rows: &[Vec<f64>], weights: Option<&[f64]>) -> Moments {
    let mut accumulator = Accumulator::new(rows[0].clone());
    each(rows, weights, |features, target, weight| accumulator.push_exact(features, target, &[], weight));
    accumulator.finish()
}

/// Fits and refines as `train` does.
fn refined(rows: &[Vec<f64>], weights: Option<&[f64]>, through_origin: bool) -> LeastSquaresFit {
    let moments = moments(rows, weights);
    let moments = if through_origin { moments.about_zero() } else { moments };
    let mut fit = moments.solve(&names(rows[0].len())).unwrap();
    for _ in 0..2 {
        let mut refinement = Refinement::new(fit);
        each(rows, weights, |features, target, weight| refinement.push_exact(features, target, &[], weight));
        fit = refinement.finish().0;
    }
    fit
}

/// Calls a function with the features, the target and the weight of each row.
fn each(rows: &[Vec<f64>], weights: Option<&[f64]>, mut push: impl FnMut(&[f64], f64, f64)) {
    for (number, row) in rows.iter().enumerate() {
        let (target, features) = row.split_last().unwrap();
        push(features, *target, weights.map_or(1.0, |weights| weights[number]));
    }
}
