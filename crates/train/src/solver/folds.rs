//! Which fold of a cross-validation a row is in.
//!
//! The rows of a class are dealt out in rounds, one to every fold in an order drawn from the seed: a stream of
//! unknown length is dealt in one pass, every pass deals alike, and in every fold a class has its share, to within
//! one row. Where there are no classes, all rows are one class.

use thiserror::Error;

use ordinate_model::random::mix;

/// Cross-validation needs folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("cross-validation in {0} folds is none: it takes at least 2. Try --cross-validate 5")]
pub struct InvalidFolds(pub u32);

/// Deals rows to folds; one pass has one.
#[derive(Debug, Clone)]
pub struct Folds {
    count: usize,
    seed: u64,
    /// For each class, the rows that were dealt and the order of this round.
    classes: Vec<(u64, Vec<usize>)>,
}

impl Folds {
    /// Deals to `count` folds the rows of `classes` classes (1 where there are none).
    ///
    /// # Errors
    /// [`InvalidFolds`] for fewer than two.
    pub fn new(count: u32, classes: usize, seed: u64) -> Result<Self, InvalidFolds> {
        let folds = usize::try_from(count).unwrap_or(usize::MAX);
        if folds < 2 {
            return Err(InvalidFolds(count));
        }
        Ok(Self { count: folds, seed, classes: vec![(0, Vec::new()); classes] })
    }

    /// The fold, from 0, of the next row, which is of that class.
    pub fn deal(&mut self, class: usize) -> usize {
        let Some((dealt, order)) = self.classes.get_mut(class) else { return 0 };
        if order.is_empty() {
            let mut state = mix(mix(mix(self.seed) ^ class as u64) ^ *dealt);
            *order = (0..self.count).collect();
            // Fisher and Yates; the bias of the remainder is 2⁻⁶⁴ times the number of folds.
            for last in (1..self.count).rev() {
                state = mix(state);
                order.swap(last, usize::try_from(state % (last as u64 + 1)).unwrap_or(last));
            }
        }
        *dealt += 1;
        order.pop().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_spread_evenly_and_another_seed_deals_otherwise() {
        let deal = |seed| {
            let mut folds = Folds::new(5, 3, seed).unwrap();
            (0..1000_usize).map(|row| (row * row % 7 % 3, folds.deal(row * row % 7 % 3))).collect::<Vec<_>>()
        };
        for class in 0..3 {
            let sizes: Vec<usize> =
                (0..5).map(|fold| deal(0).iter().filter(|row| **row == (class, fold)).count()).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
        assert_eq!(deal(0), deal(0));
        let same = deal(0).iter().zip(deal(1)).filter(|(left, right)| **left == *right).count();
        // A fifth, give or take five standard deviations.
        assert!(same.abs_diff(200) < 64, "{same}");
    }

    #[test]
    fn one_fold_is_none() {
        assert_eq!(Folds::new(1, 1, 0).unwrap_err(), InvalidFolds(1));
    }
}
