#![allow(clippy::float_cmp)]

use super::super::test_rows::{self, names, weighted};
use super::Penalty::{ElasticNet, Ridge};
use super::*;
use proptest::prelude::*;

mod dependent;
mod levels;
mod leverage_factor;
mod other_libraries;
mod sparse;

fn moments(rows: &[Vec<f64>], weight: impl Fn(usize) -> f64) -> Moments {
    test_rows::moments(weighted(rows, weight))
}

fn diabetes() -> Vec<Vec<f64>> {
    let text = include_str!("../../../../../model/diabetes.csv");
    text.lines().skip(1).map(|line| line.split(',').map(|value| value.parse().unwrap()).collect()).collect()
}

/// A mean near 10¹² has 13 binary digits after the point: the intercept must include its rounding error.
#[test]
fn residuals_of_columns_far_from_zero_sum_to_zero() {
    let rows: Vec<Vec<f64>> = (0..30)
        .map(|i| {
            let x = f64::from(i * 7 % 30) / 10.0;
            vec![1e12 + x, 3.0 * x + f64::from(i * i % 11)]
        })
        .collect();
    for penalty in
        [Ridge { alpha: 1.0 }, ElasticNet { alpha: 0.1, l1_ratio: 1.0 }, ElasticNet { alpha: 0.1, l1_ratio: 0.5 }]
    {
        let weight = |row: usize| 1.0 + (row % 4) as f64 / 3.0;
        let fit = fit(&moments(&rows, weight), &names(2), penalty).unwrap();
        let residual =
            |row: &Vec<f64>| row[1] - fit.intercept - fit.coefficients[0] * (row[0] - fit.means[0]) / fit.scales[0];
        let sum: f64 = rows.iter().enumerate().map(|(number, row)| weight(number) * residual(row)).sum();
        // Thirty sums of numbers below 20, each rounded a few times.
        assert!((sum / 45.0).abs() <= 20.0 * 8.0 * f64::EPSILON, "{penalty:?}: {sum}");
    }
}

#[test]
fn the_path_starts_at_the_smallest_alpha_with_zero_coefficients() {
    let moments = moments(&diabetes(), |_| 1.0);
    for l1_ratio in [1.0, 0.5, 0.05] {
        let alphas = alphas(&moments, l1_ratio, 100);
        assert_eq!(alphas.len(), 100);
        assert!((alphas[99] / alphas[0] - 1e-3).abs() < 1e-15);
        let zero = |alpha| fit(&moments, &names(11), ElasticNet { alpha, l1_ratio }).unwrap().zero;
        assert_eq!((zero(alphas[0] * 1.000_001), zero(alphas[0] * 0.999_999)), (10, 9));
    }
}

#[test]
fn duplicate_columns_and_more_features_than_rows_are_fitted() {
    let rows: Vec<Vec<f64>> = (0..12_u32)
        .map(|i| {
            let mut row: Vec<f64> = (0..20_u32).map(|j| f64::from((i * i * (j + 3) + 7 * i * j) % 23)).collect();
            row.push(row[3]);
            row.push(2.0 * row[0] - row[5] + f64::from(i % 3));
            row
        })
        .collect();
    let moments = moments(&rows, |_| 1.0);
    let names = names(22);
    let ridge = fit(&moments, &names, Ridge { alpha: 1.0 }).unwrap();
    assert!((ridge.coefficients[3] - ridge.coefficients[20]).abs() < 1e-12, "equal columns have equal coefficients");
    for l1_ratio in [1.0, 0.5] {
        for alpha in [0.01, 0.1, 1.0] {
            let fit = fit(&moments, &names, ElasticNet { alpha, l1_ratio }).unwrap();
            assert!(fit.converged && fit.gap <= 1e-12, "{l1_ratio} {alpha}: {fit:?}");
        }
    }
    let error = fit(&moments, &names, ElasticNet { alpha: 0.0, l1_ratio: 1.0 }).unwrap_err();
    assert!(matches!(error, SolveError::Dependent { .. }), "{error}");
}

/// The optimum is `soft(Zᵀy) / (n + l2)`, because `ZᵀZ` is negligible compared with a penalty on squares of 10¹³ for
/// each row.
#[test]
fn a_large_penalty_on_squares_preserves_all_digits() {
    let mut rows = diabetes();
    for row in &mut rows {
        row[10] *= 1e15;
    }
    let moments = moments(&rows, |_| 1.0);
    let fit = fit(&moments, &names(11), ElasticNet { alpha: 1e15, l1_ratio: 0.01 }).unwrap();
    assert!(fit.converged && fit.iterations < 100, "{} sweeps, gap {:e}", fit.iterations, fit.gap);
    let target_mean = rows.iter().map(|row| row[10]).sum::<f64>() / 442.0;
    for (column, coefficient) in fit.coefficients.iter().enumerate() {
        let z = |row: &Vec<f64>| (row[column] - fit.means[column]) / fit.scales[column];
        let pull = rows.iter().map(|row| z(row) * (row[10] - target_mean)).sum::<f64>() / 442.0;
        let expected = (pull.abs() - 1e13).max(0.0).copysign(pull) / (1.0 + 0.99e15);
        assert!((coefficient - expected).abs() <= 1e-12 * expected.abs(), "{coefficient} is not {expected}");
    }
}

#[test]
fn without_a_penalty_the_fit_is_least_squares() {
    let moments = moments(&diabetes(), |_| 1.0);
    let expected = moments.solve(&names(11)).unwrap();
    for penalty in [Ridge { alpha: 0.0 }, ElasticNet { alpha: 0.0, l1_ratio: 1.0 }] {
        let got = fit(&moments, &names(11), penalty).unwrap();
        for (got, expected) in got.original_coefficients().iter().zip(&expected.coefficients) {
            assert!((got - expected).abs() < 1e-12 * expected.abs().max(1.0));
        }
        assert!((got.residual_sum_of_squares / expected.residual_sum_of_squares - 1.0).abs() < 1e-13);
    }
}

#[test]
fn errors_name_constant_columns_and_invalid_settings() {
    let rows = vec![vec![1.0, 0.1, 3.0], vec![2.0, 0.1, 5.0], vec![4.0, 0.1, 1.0]];
    let error = fit(&moments(&rows, |_| 1.0), &names(3), Ridge { alpha: 1.0 }).unwrap_err();
    assert_eq!(error, SolveError::ConstantFeature { name: "x2".into() });
    let moments = moments(&diabetes(), |_| 1.0);
    for (penalty, name) in [
        (Ridge { alpha: -1.0 }, "alpha"),
        (Ridge { alpha: f64::NAN }, "alpha"),
        (ElasticNet { alpha: f64::INFINITY, l1_ratio: 1.0 }, "alpha"),
        (ElasticNet { alpha: 1.0, l1_ratio: 1.5 }, "l1_ratio"),
    ] {
        let error = fit(&moments, &names(11), penalty).unwrap_err();
        assert!(error.to_string().contains(&format!("{name} must be")), "{error}");
    }
}

/// Rows of correlated features, and a target that depends on two of them.
fn rows() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (2..9_usize, 0.0..0.999_f64).prop_flat_map(|(features, common)| {
        prop::collection::vec((prop::collection::vec(-1.0..1.0_f64, features), -1.0..1.0_f64, -1.0..1.0_f64), 3..60)
            .prop_map(move |rows| {
                let row = |(own, shared, noise): (Vec<f64>, f64, f64)| {
                    let mut row: Vec<f64> =
                        own.iter().map(|own| 10.0 + common * shared + (1.0 - common) * own).collect();
                    row.push(3.0 * row[0] - row[1] + 0.5 * noise);
                    row
                };
                rows.into_iter().map(row).collect()
            })
    })
}

/// Checks the conditions of Karush, Kuhn and Tucker: the gradient of the squares, computed from the rows, balances that
/// of the penalty `l1 ‖b‖₁ + ½ l2 ‖b‖²`, with a tolerance relative to the largest possible gradient. Returns the sums
/// of squares of the residuals and of the target.
fn balanced(
    rows: &[Vec<f64>],
    fit: &PenalisedFit,
    [l1, l2]: [f64; 2],
    rounding: f64,
) -> Result<[f64; 2], TestCaseError> {
    let features = fit.coefficients.len();
    let standardised = |row: &Vec<f64>| -> Vec<f64> {
        row.iter().zip(&fit.means).zip(&fit.scales).map(|((x, mean), scale)| (x - mean) / scale).collect()
    };
    let design: Vec<Vec<f64>> = rows.iter().map(standardised).collect();
    let residual = |(row, z): (&Vec<f64>, &Vec<f64>)| row[features] - fit.intercept - dot(z, &fit.coefficients);
    let residuals: Vec<f64> = rows.iter().zip(&design).map(residual).collect();
    let spread: f64 = rows.iter().map(|row| (row[features] - fit.intercept).powi(2)).sum();
    let slack = rounding * (rows.len() as f64 * spread).sqrt();
    for (j, coefficient) in fit.coefficients.iter().enumerate() {
        let pull = design.iter().zip(&residuals).map(|(z, rest)| z[j] * rest).sum::<f64>() - l2 * coefficient;
        if *coefficient == 0.0 {
            prop_assert!(pull.abs() <= l1 + slack, "feature {j} pulls {pull} against {l1}");
        } else {
            prop_assert!((pull - l1.copysign(*coefficient)).abs() <= slack, "feature {j} pulls {pull} against {l1}");
        }
    }
    Ok([dot(&residuals, &residuals), spread])
}

proptest! {
    #[test]
    fn the_fit_is_the_minimum(rows in rows(), fraction in 0.001..0.9_f64, l1_ratio in 0.05..=1.0_f64, ridge in any::<bool>()) {
        let features = rows[0].len() - 1;
        let moments = moments(&rows, |_| 1.0);
        let alpha = fraction * alphas(&moments, l1_ratio, 1)[0];
        let penalty = if ridge { Ridge { alpha } } else { ElasticNet { alpha, l1_ratio } };
        let n = rows.len() as f64;
        let (l1, l2) = if ridge { (0.0, alpha) } else { (n * alpha * l1_ratio, n * alpha * (1.0 - l1_ratio)) };
        let fit = fit(&moments, &names(features + 1), penalty).unwrap();
        prop_assert!(fit.converged && fit.gap <= 1e-12, "{fit:?}");
        let [squares, spread] = balanced(&rows, &fit, [l1, l2], 1e-11)?;
        prop_assert!((squares - fit.residual_sum_of_squares).abs() <= 1e-11 * spread);
    }

    #[test]
    fn a_path_equals_its_single_fits(rows in rows(), l1_ratio in 0.1..=1.0_f64) {
        let moments = moments(&rows, |_| 1.0);
        let names = names(rows[0].len());
        let penalties: Vec<Penalty> =
            alphas(&moments, l1_ratio, 12).into_iter().map(|alpha| ElasticNet { alpha, l1_ratio }).collect();
        for (along, penalty) in path(&moments, &names, &penalties).unwrap().iter().zip(&penalties) {
            let single = fit(&moments, &names, *penalty).unwrap();
            prop_assert!(along.converged && single.converged);
            let largest = single.coefficients.iter().fold(1e-3_f64, |largest, value| largest.max(value.abs()));
            for (along, single) in along.coefficients.iter().zip(&single.coefficients) {
                prop_assert!((along - single).abs() <= 1e-8 * largest, "{along} is not {single}");
            }
        }
    }
}
