//! Assigns rows to the folds of a cross-validation, stratified by class.
//!
//! Each round assigns one row of a class to every fold, in an order drawn from the seed. One pass is enough for a
//! stream of unknown length, every pass gives the same folds, and the numbers of rows of a class in two folds differ by
//! one at most. In a regression, all rows are one class.

use super::error::SolveError;
use ordinate_model::random::mix;

/// Assigns the rows of one pass to folds.
#[derive(Debug, Clone)]
pub struct Folds {
    count: usize,
    seed: u64,
    /// For each class, the number of assigned rows and the remaining folds of this round.
    classes: Vec<(u64, Vec<usize>)>,
}

impl Folds {
    /// `count` folds for rows of `classes` classes (1 for a regression).
    ///
    /// # Errors
    /// [`SolveError::TooFewFolds`] for fewer than two.
    pub fn new(count: u32, classes: usize, seed: u64) -> Result<Self, SolveError> {
        let folds = usize::try_from(count).unwrap_or(usize::MAX);
        if folds < 2 {
            return Err(SolveError::TooFewFolds(count));
        }
        Ok(Self { count: folds, seed, classes: vec![(0, Vec::new()); classes] })
    }

    /// The fold, from 0, of the next row, which has this class.
    pub fn assign(&mut self, class: usize) -> usize {
        let Some((assigned, order)) = self.classes.get_mut(class) else { return 0 };
        if order.is_empty() {
            let mut state = mix(mix(mix(self.seed) ^ class as u64) ^ *assigned);
            *order = (0..self.count).collect();
            // Fisher–Yates shuffle; the bias of the remainder is 2⁻⁶⁴ times the number of folds.
            for last in (1..self.count).rev() {
                state = mix(state);
                order.swap(last, usize::try_from(state % (last as u64 + 1)).unwrap_or(last));
            }
        }
        *assigned += 1;
        order.pop().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_stratified_and_another_seed_gives_other_folds() {
        let assign = |seed| {
            let mut folds = Folds::new(5, 3, seed).unwrap();
            (0..1000_usize).map(|row| (row * row % 7 % 3, folds.assign(row * row % 7 % 3))).collect::<Vec<_>>()
        };
        for class in 0..3 {
            let sizes: Vec<usize> =
                (0..5).map(|fold| assign(0).iter().filter(|row| **row == (class, fold)).count()).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
        assert_eq!(assign(0), assign(0));
        let same = assign(0).iter().zip(assign(1)).filter(|(left, right)| **left == *right).count();
        // A fifth, within five standard deviations.
        assert!(same.abs_diff(200) < 64, "{same}");
    }

    #[test]
    fn one_fold_is_an_error() {
        assert_eq!(Folds::new(1, 1, 0).unwrap_err(), SolveError::TooFewFolds(1));
    }
}
