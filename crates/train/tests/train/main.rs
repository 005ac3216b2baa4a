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

mod coverage;
mod nist;
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
fn moments(rows: &[Vec<f64>]) -> Moments {
    let mut accumulator = Accumulator::new(rows[0].clone());
    for row in rows {
        accumulator.push(row);
    }
    accumulator.finish()
}

/// Fits and refines as `train` does.
fn refined(rows: &[Vec<f64>], weights: Option<&[f64]>, through_origin: bool) -> LeastSquaresFit {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let mut accumulator = Accumulator::new(rows[0].clone());
    for (number, row) in rows.iter().enumerate() {
        accumulator.push_weighted(row, weight(number));
    }
    let moments = accumulator.finish();
    let moments = if through_origin { moments.about_zero() } else { moments };
    let mut fit = moments.solve(&names(rows[0].len())).unwrap();
    for _ in 0..2 {
        let mut refinement = Refinement::new(fit);
        for (number, row) in rows.iter().enumerate() {
            refinement.push_weighted(row, weight(number));
        }
        fit = refinement.finish().0;
    }
    fit
}
