//! Penalised fits from sparse moments are those from the factor R of all columns.

use super::*;
use crate::solver::moments::{Accumulator, SparseAccumulator, SparseMoments};

/// Rows of two numbers and one or two categories, in the order number, categories, number, target.
#[derive(Debug)]
struct Design {
    rows: Vec<Vec<f64>>,
    weights: Vec<f64>,
    categories: Vec<Vec<usize>>,
    about_zero: bool,
}

impl Design {
    /// The moments of both kinds of the rows of one side.
    fn side(&self, is_on_side: impl Fn(usize) -> bool) -> (Moments, SparseMoments) {
        let near = &self.rows[0];
        let mut dense = Accumulator::new(near.clone());
        let mut sparse = SparseAccumulator::new(near, &self.categories);
        for (number, (row, weight)) in self.rows.iter().zip(&self.weights).enumerate() {
            let (target, features) = row.split_last().unwrap();
            let weight = if is_on_side(number) { *weight } else { 0.0 };
            dense.push_exact(features, *target, &[], weight);
            sparse.push_exact(features, *target, &[], weight);
        }
        let (dense, sparse) = (dense.finish(), sparse.finish());
        if self.about_zero { (dense.about_zero(), sparse.about_zero()) } else { (dense, sparse) }
    }
}

fn design() -> impl Strategy<Value = Design> {
    let row = (prop::array::uniform3(-1.0..1.0_f64), 0..7_usize, 0..5_usize, 1..4_u8);
    let rows = prop::collection::vec(row, 8..60);
    (rows, any::<[bool; 4]>(), -20.0..20.0_f64).prop_map(|(rows, [two, weighted, about_zero, has_reference], far)| {
        // Rows of a level without a column belong to the reference.
        let first = usize::from(has_reference);
        let levels = [7, if two { 5 } else { 0 }].map(|levels: usize| (first..levels).collect::<Vec<_>>());
        let row = |(numbers, one, other, _): &([f64; 3], usize, usize, u8)| {
            let mut row = vec![far + numbers[0]];
            for (levels, own) in levels.iter().zip([one, other]) {
                row.extend(levels.iter().map(|level| f64::from(u8::from(level == own))));
            }
            // The second number is nearly that of the category.
            row.push(0.1 * numbers[1] + *one as f64);
            row.push(numbers[0] + (*one * *one) as f64 - 2.0 * *other as f64 + numbers[2]);
            row
        };
        let weight = |(.., weight): &([f64; 3], usize, usize, u8)| if weighted { f64::from(*weight) } else { 1.0 };
        let [one, other] = [levels[0].len(), levels[1].len()];
        let categories = [(1..=one).collect::<Vec<_>>(), (one + 1..=one + other).collect()];
        Design {
            weights: rows.iter().map(weight).collect(),
            rows: rows.iter().map(row).collect(),
            categories: categories.into_iter().filter(|levels| !levels.is_empty()).collect(),
            about_zero,
        }
    })
}

fn near(found: f64, expected: f64, tolerance: f64) -> Result<(), TestCaseError> {
    prop_assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    Ok(())
}

/// The fit to a target of length 1, with its predictions: the fits of dependent columns differ in coefficients.
fn objective(dense: &Moments, fit: &PenalisedFit, penalty: Penalty) -> f64 {
    let weights = penalty.weights(Moments::weight(dense)).unwrap();
    let size: f64 = fit.coefficients.iter().map(|coefficient| coefficient.abs()).sum();
    let squares: f64 = fit.coefficients.iter().map(|coefficient| coefficient.powi(2)).sum();
    0.5 * PenalisedMoments::squared_error(dense, fit) + weights.l1 * size + 0.5 * weights.l2 * squares
}

proptest! {
    #[test]
    fn fits_of_sparse_moments_are_those_of_all_columns(design in design(), l1_ratio in 0.0..=1.0_f64, is_ridge: bool, fraction in 1e-3..0.9_f64) {
        let (dense, sparse) = design.side(|_| true);
        let names = names(design.rows[0].len());
        prop_assume!(dense.check_target(&names).is_ok());
        let (expected, found) = (dense.largest_correlation(), sparse.largest_correlation());
        near(found, expected, 1e-12 * expected)?;
        prop_assert_eq!(sparse.constant_features(), dense.constant_features());
        for (found, expected) in sparse.exact_means().iter().zip(dense.means()) {
            near(found.to_f64(), expected, 1e-13 * expected.abs().max(1.0))?;
        }
        let spread = dense.unchecked_lengths().pop().unwrap().powi(2);
        let penalty = if is_ridge {
            Ridge { alpha: fraction * PenalisedMoments::weight(&dense) }
        } else {
            ElasticNet { alpha: fraction * alphas(&dense, l1_ratio, 1)[0], l1_ratio }
        };
        let (expected, found) = (fit_of_part(&dense, &names, penalty).unwrap(), sparse.fit_of_part(&names, penalty).unwrap());
        prop_assert!(found.converged && expected.converged, "{:?} {:?}", found, expected);
        near(objective(&dense, &found, penalty), objective(&dense, &expected, penalty), 1e-11 * spread)?;
        // Without a penalty on squares, the coefficients of dependent columns are not unique; predictions are.
        near(found.residual_sum_of_squares, expected.residual_sum_of_squares, 1e-6 * spread)?;
        if is_ridge || l1_ratio < 0.9 {
            let largest = expected.coefficients.iter().fold(1e-3_f64, |largest, value| largest.max(value.abs()));
            for (found, expected) in found.coefficients.iter().zip(&expected.coefficients) {
                near(*found, *expected, 1e-7 * largest)?;
            }
        }
    }

    #[test]
    fn paths_of_merged_sparse_moments_are_those_of_all_columns(design in design(), is_ridge: bool, l1_ratio in 0.05..=1.0_f64) {
        let is_first = |row: usize| row.is_multiple_of(3);
        let ((one, sparse_one), (other, sparse_other)) = (design.side(is_first), design.side(|row| !is_first(row)));
        let (dense, sparse) = (one.merge(&other), sparse_one.merge(&sparse_other));
        let names = names(design.rows[0].len());
        prop_assume!(dense.check_target(&names).is_ok());
        let penalties: Vec<Penalty> = if is_ridge {
            ridge_alphas(&dense, 9).into_iter().map(|alpha| Ridge { alpha }).collect()
        } else {
            alphas(&dense, l1_ratio, 9).into_iter().map(|alpha| ElasticNet { alpha, l1_ratio }).collect()
        };
        let expected = path(&dense, &names, &penalties).unwrap();
        let found = sparse.path_for_scores(&names, &penalties, &|_| {}).unwrap();
        prop_assert_eq!(found.len(), expected.len());
        let spread = dense.unchecked_lengths().pop().unwrap().powi(2);
        for ((found, expected), penalty) in found.iter().zip(&expected).zip(&penalties) {
            prop_assert!(found.converged);
            near(objective(&dense, found, *penalty), objective(&dense, expected, *penalty), 1e-8 * spread)?;
            // The error of the rows of one side, computed from either kind of moments.
            let [sparse, dense] = [sparse_one.squared_error(found.means.as_slice(), found.intercept, &found.original_coefficients()), PenalisedMoments::squared_error(&one, found)];
            near(sparse, dense, 1e-10 * (spread + dense))?;
        }
    }
}
