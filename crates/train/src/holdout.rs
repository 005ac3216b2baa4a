//! Selects the rows to hold out for testing.
//!
//! A hash of the seed and its number decides for each row: a stream of unknown length is split in one pass, rows that
//! are appended do not change the side of other rows, and the same seed splits the same file in the same way
//! everywhere. The number of held-out rows is therefore close to the fraction, but not exactly it.

use std::collections::BTreeSet;

use thiserror::Error;

use ordinate_model::random::mix;

/// The fewest rows that are left for a fit: cross-validation needs a fold of one row and two others.
const FEWEST_ROWS: usize = 3;

/// A test fraction outside [0, 1).
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("the test fraction must be at least 0 (holds out no rows) and less than 1, got {0}")]
pub struct InvalidFraction(f64);

/// A reproducible selection of held-out rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Holdout {
    /// The rows whose hash, as a fraction, is at least the first and below the second.
    part: [f64; 2],
    seed: u64,
    /// Rows that are never held out.
    kept: BTreeSet<u64>,
}

impl Holdout {
    /// Holds out about `fraction` of the rows, in [0, 1).
    ///
    /// # Errors
    /// [`InvalidFraction`] for any other fraction.
    pub fn new(fraction: f64, seed: u64) -> Result<Self, InvalidFraction> {
        if (0.0..1.0).contains(&fraction) {
            Ok(Self { part: [0.0, fraction], seed, kept: BTreeSet::new() })
        } else {
            Err(InvalidFraction(fraction))
        }
    }

    /// Holds out the fold at this position of so many folds. Their rows are others than those that [`new`](Self::new)
    /// selects.
    #[must_use]
    pub fn fold(position: u32, folds: u32, seed: u64) -> Self {
        let folds = f64::from(folds.max(1));
        let part = [f64::from(position) / folds, (f64::from(position) + 1.0) / folds];
        Self { part, seed: mix(!seed), kept: BTreeSet::new() }
    }

    /// Never holds out these rows, because every fit needs them.
    #[must_use]
    pub fn keeping(self, rows: BTreeSet<u64>) -> Self {
        Self { kept: rows, ..self }
    }

    /// Also keeps the first held-out rows if fewer than three of all `rows` would be left.
    #[must_use]
    pub fn keeping_some(mut self, rows: u64) -> Self {
        let kept = (0..rows).filter(|row| !self.holds_out(*row)).take(FEWEST_ROWS).count();
        if kept < FEWEST_ROWS {
            let first: Vec<u64> = (0..rows).filter(|row| self.holds_out(*row)).take(FEWEST_ROWS - kept).collect();
            self.kept.extend(first);
        }
        self
    }

    /// Whether the row with this number, counted from 0, is held out.
    #[must_use]
    pub fn holds_out(&self, row: u64) -> bool {
        // The top 53 bits are a double in [0, 1), exactly.
        let uniform = (mix(mix(self.seed) ^ row) >> 11) as f64 / (1_u64 << 53) as f64;
        let [from, to] = self.part;
        uniform >= from && uniform < to && !self.kept.contains(&row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_the_requested_fraction_is_held_out_and_another_seed_selects_other_rows() {
        let selected = |seed| {
            let holdout = Holdout::new(0.2, seed).unwrap();
            (0..100_000).filter(|row| holdout.holds_out(*row)).collect::<Vec<u64>>()
        };
        let (first, second) = (selected(0), selected(1));
        // Five standard deviations of a binomial: 5·√(100000·0.2·0.8) = 632.
        assert!(first.len().abs_diff(20_000) < 632 && second.len().abs_diff(20_000) < 632);
        let common = first.iter().filter(|row| second.binary_search(row).is_ok()).count();
        assert!(common.abs_diff(4_000) < 400, "{common}");
        assert_eq!(first, selected(0));
    }

    #[test]
    fn every_row_is_in_one_fold() {
        let folds: Vec<Holdout> = (0..7).map(|position| Holdout::fold(position, 7, 3)).collect();
        let mut sizes = [0_u32; 7];
        for row in 0..10_000 {
            let own: Vec<usize> = (0..7).filter(|fold| folds[*fold].holds_out(row)).collect();
            assert_eq!(own.len(), 1);
            sizes[own[0]] += 1;
        }
        // Five standard deviations: 5·√(10000·6/49) = 175.
        assert!(sizes.iter().all(|size| size.abs_diff(1429) < 175), "{sizes:?}");
    }

    #[test]
    fn rows_that_every_fit_needs_are_never_held_out() {
        let holdout = Holdout::new(0.9, 1).unwrap();
        let held_out: BTreeSet<u64> = (0..100).filter(|row| holdout.holds_out(*row)).collect();
        assert!(held_out.len() > 70);
        let kept = holdout.keeping(held_out.clone());
        assert!(held_out.iter().all(|row| !kept.holds_out(*row)));
    }

    #[test]
    fn three_rows_are_left_for_the_fit() {
        for rows in 0..6 {
            for seed in 0..20 {
                let holdout = Holdout::new(0.9, seed).unwrap().keeping_some(rows);
                let kept = (0..rows).filter(|row| !holdout.holds_out(*row)).count() as u64;
                assert!(kept >= rows.min(3), "{rows} {seed} {kept}");
            }
        }
    }

    #[test]
    fn zero_holds_out_no_rows_and_fractions_outside_the_range_are_errors() {
        assert!((0..1000).all(|row| !Holdout::new(0.0, 7).unwrap().holds_out(row)));
        for fraction in [1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(Holdout::new(fraction, 0).is_err(), "{fraction}");
        }
    }
}
