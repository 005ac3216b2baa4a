//! Which rows are held out.
//!
//! Each row decides for itself, by a hash of the seed and its number: a stream of unknown length is split in one pass,
//! a row keeps its side when rows are appended, and the same seed splits the same file alike everywhere. The share
//! held out is therefore close to the fraction, not exactly it.

use std::collections::BTreeSet;

use thiserror::Error;

use ordinate_model::random::mix;

/// A fraction that cannot be held out.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("the test fraction is {0}, but it must be at least 0 (hold nothing out) and less than 1")]
pub struct InvalidFraction(f64);

/// A reproducible choice of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    fraction: f64,
    seed: u64,
    /// Rows that are never held out.
    kept: BTreeSet<u64>,
}

impl Split {
    /// Holds out about `fraction` of the rows, in [0, 1).
    ///
    /// # Errors
    /// [`InvalidFraction`] for any other fraction.
    pub fn new(fraction: f64, seed: u64) -> Result<Self, InvalidFraction> {
        if (0.0..1.0).contains(&fraction) {
            Ok(Self { fraction, seed, kept: BTreeSet::new() })
        } else {
            Err(InvalidFraction(fraction))
        }
    }

    /// The same choice, but for these rows, which are kept: a fit needs them.
    #[must_use]
    pub fn keeping(self, rows: BTreeSet<u64>) -> Self {
        Self { kept: rows, ..self }
    }

    /// Whether the row of that number, counted from 0, is kept from the fit that is measured.
    #[must_use]
    pub fn holds_out(&self, row: u64) -> bool {
        // The top 53 bits are a double in [0, 1), exactly.
        let uniform = (mix(mix(self.seed) ^ row) >> 11) as f64 / (1_u64 << 53) as f64;
        uniform < self.fraction && !self.kept.contains(&row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_the_asked_share_is_held_out_and_another_seed_chooses_others() {
        let chosen = |seed| {
            let split = Split::new(0.2, seed).unwrap();
            (0..100_000).filter(|row| split.holds_out(*row)).collect::<Vec<u64>>()
        };
        let (first, second) = (chosen(0), chosen(1));
        // Five standard deviations of a binomial: 5·√(100000·0.2·0.8) = 632.
        assert!(first.len().abs_diff(20_000) < 632 && second.len().abs_diff(20_000) < 632);
        let common = first.iter().filter(|row| second.binary_search(row).is_ok()).count();
        assert!(common.abs_diff(4_000) < 400, "{common}");
        assert_eq!(first, chosen(0));
    }

    #[test]
    fn rows_that_a_fit_needs_are_never_held_out() {
        let split = Split::new(0.9, 1).unwrap();
        let held_out: BTreeSet<u64> = (0..100).filter(|row| split.holds_out(*row)).collect();
        assert!(held_out.len() > 70);
        let kept = split.keeping(held_out.clone());
        assert!(held_out.iter().all(|row| !kept.holds_out(*row)));
    }

    #[test]
    fn zero_holds_nothing_out_and_other_fractions_are_refused() {
        assert!((0..1000).all(|row| !Split::new(0.0, 7).unwrap().holds_out(row)));
        for fraction in [1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(Split::new(fraction, 0).is_err(), "{fraction}");
        }
    }
}
