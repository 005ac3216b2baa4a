//! Moments and refinement of rows in memory, for tests. The last column of a row is the target.

use super::least_squares::LeastSquaresFit;
use super::moments::{Accumulator, Moments};
use super::refinement::Refinement;

/// The names of the features, then of the target, for rows of this many columns.
pub(super) fn names(columns: usize) -> Vec<String> {
    (1..columns).map(|feature| format!("x{feature}")).chain(["y".to_owned()]).collect()
}

/// The rows with weights, by row number.
pub(super) fn weighted<'a>(
    rows: &'a [Vec<f64>],
    weight: impl Fn(usize) -> f64 + 'a,
) -> impl Iterator<Item = (&'a [f64], f64)> {
    rows.iter().enumerate().map(move |(number, row)| (row.as_slice(), weight(number)))
}

/// The moments of rows with weights, shifted by the first row.
pub(super) fn moments<R: AsRef<[f64]>>(rows: impl IntoIterator<Item = (R, f64)>) -> Moments {
    let mut rows = rows.into_iter().peekable();
    let mut accumulator = Accumulator::new(rows.peek().unwrap().0.as_ref().to_vec());
    for (row, weight) in rows {
        let (target, features) = row.as_ref().split_last().unwrap();
        accumulator.push_exact(features, *target, &[], weight);
    }
    accumulator.finish()
}

/// One pass of refinement over rows with weights: the corrected fit, and whether another pass could change it.
pub(super) fn refine<R: AsRef<[f64]>>(
    mut refinement: Refinement,
    rows: impl IntoIterator<Item = (R, f64)>,
) -> (LeastSquaresFit, bool) {
    for (row, weight) in rows {
        let (target, features) = row.as_ref().split_last().unwrap();
        refinement.push_exact(features, *target, &[], weight);
    }
    refinement.finish()
}
