//! Lasso and elastic net of linearly dependent columns, whose coefficients are not unique.

// Recorded numbers have the digits of their source.
#![allow(clippy::unreadable_literal, clippy::excessive_precision)]

use super::super::Penalty::ElasticNet;
use super::super::*;
use super::{balanced, moments, names};
use proptest::prelude::*;

/// Two numbers, then all levels of two categories.
fn one_hot() -> Vec<Vec<f64>> {
    let row = |i: u32| {
        let (first, second) = ((3 * i + i / 5) % 5, (i * 7 + i / 4) % 3);
        let (a, b) = (f64::from((i * 37) % 19), f64::from((i * i * 5) % 29));
        let levels = (0..5).map(|level| first == level).chain((0..3).map(|level| second == level));
        let y = 0.5 * a - 0.2 * b
            + [0.0, 1.0, 2.0, 3.0, -1.0][first as usize]
            + [0.0, 0.5, 1.0][second as usize]
            + f64::from((i * i * i) % 7) * 0.25;
        [a, b].into_iter().chain(levels.map(|is| f64::from(u8::from(is)))).chain([y]).collect()
    };
    (0..60).map(row).collect()
}

/// More features than rows.
fn wide() -> Vec<Vec<f64>> {
    let row = |i: u32| {
        let features = (0..30_u32).map(|j| f64::from((i * i * (2 * j + 3) + 7 * i * j + j * j * j) % 31));
        features.chain([f64::from((i * i * i + 5 * i) % 17) + 0.5 * f64::from(i)]).collect()
    };
    (0..12).map(row).collect()
}

/// The penalised objective, computed from the rows.
fn objective(rows: &[Vec<f64>], fit: &PenalisedFit, alpha: f64, l1_ratio: f64) -> f64 {
    let residual = |row: &Vec<f64>| {
        let z = row.iter().zip(&fit.means).zip(&fit.scales).map(|((x, mean), scale)| (x - mean) / scale);
        row[fit.means.len()] - fit.intercept - z.zip(&fit.coefficients).map(|(z, b)| z * b).sum::<f64>()
    };
    let squares: f64 = rows.iter().map(|row| residual(row).powi(2)).sum();
    let sizes: f64 = fit.coefficients.iter().map(|b| b.abs()).sum();
    let penalty = alpha * l1_ratio * sizes + alpha * (1.0 - l1_ratio) / 2.0 * dot(&fit.coefficients, &fit.coefficients);
    squares / (2.0 * rows.len() as f64) + penalty
}

/// Alpha, the fraction of absolute values, the objective, and the number of coefficients that are not zero.
type Recorded = (f64, f64, f64, usize);

/// scikit-learn 1.9.1:
/// `ElasticNet(alpha, l1_ratio=…, tol=1e-16, max_iter=10**7).fit(StandardScaler().fit_transform(X), y)`; 10⁷ sweeps are
/// not enough for the last two.
#[test]
fn the_objective_is_at_most_that_of_scikit_learn() {
    let recorded: [(_, &[Recorded]); 2] = [
        (
            one_hot(),
            &[
                (1e-2, 1.0, 0.24810583623193394, 8),
                (1e-2, 0.5, 0.24339582416195504, 8),
                (1e-4, 1.0, 0.1756178897670481, 8),
                (1e-4, 0.5, 0.17557164231595648, 8),
                (1e-6, 1.0, 0.1748895894141421, 8),
                (1e-6, 0.5, 0.17488912702711387, 8),
            ],
        ),
        (
            wide(),
            &[
                (1e-2, 1.0, 0.13786037111645003, 11),
                (1e-2, 0.5, 0.1120336357121378, 26),
                (1e-4, 1.0, 0.0013855101425548034, 11),
                (1e-4, 0.5, 0.0011263321126553476, 26),
                (1e-6, 1.0, 1.3899629863582095e-05, 11),
                (1e-6, 0.5, 1.1263976162297754e-05, 26),
            ],
        ),
    ];
    for (rows, recorded) in recorded {
        let moments = moments(&rows, |_| 1.0);
        let names = names(rows[0].len());
        for &(alpha, l1_ratio, theirs, left) in recorded {
            let fit = fit(&moments, &names, ElasticNet { alpha, l1_ratio }).unwrap();
            let ours = objective(&rows, &fit, alpha, l1_ratio);
            println!("{alpha:e} {l1_ratio}: {} sweeps, gap {:e}, {:e} below", fit.iterations, fit.gap, theirs - ours);
            assert!(fit.converged && fit.iterations < 200 && fit.gap <= 1e-12, "{alpha} {l1_ratio}: {fit:?}");
            // The rounding error of the sum of squares, which is at most its value at zero.
            assert!(ours <= theirs + 1e-14, "{alpha} {l1_ratio}: {ours} is above {theirs}");
            assert_eq!(fit.coefficients.len() - fit.zero, left, "{alpha} {l1_ratio}: {fit:?}");
        }
    }
}

#[test]
fn the_lasso_of_more_features_than_rows_agrees_with_scikit_learn() {
    let rows = wide();
    let fit = fit(&moments(&rows, |_| 1.0), &names(31), ElasticNet { alpha: 1e-2, l1_ratio: 1.0 }).unwrap();
    let recorded = [
        (0, 0.37939030477429386),
        (1, 0.2439148866478554),
        (2, 0.09607891576149812),
        (3, -1.388023261655756),
        (4, 1.8573309760364884),
        (5, -0.8498178234862019),
        (15, -4.191769328162886),
        (23, 1.4832427622668651),
        (24, 1.1764610307403633),
        (27, -1.0929273999875735),
        (28, 0.9573184888897042),
    ];
    let mut expected = vec![0.0; 30];
    for (feature, coefficient) in recorded {
        expected[feature] = coefficient;
    }
    for (got, expected) in fit.coefficients.iter().zip(&expected) {
        assert_eq!(*got == 0.0, *expected == 0.0, "zeros are exact");
        assert!((got - expected).abs() < 1e-9, "{got} is not {expected}");
    }
}

/// A column, its copy, and an affine function of it.
#[test]
fn only_the_first_of_equivalent_columns_has_a_coefficient() {
    let mut rows = one_hot();
    for row in &mut rows {
        row.truncate(2);
        let (a, y) = (row[0], 0.5 * row[0] - 0.2 * row[1] + (row[0] * row[1]) % 3.0);
        row.extend([a, 5.0 - 2.0 * a, y]);
    }
    let moments = moments(&rows, |_| 1.0);
    for alpha in [1.0, 1e-3, 1e-6, 1e-9, 1e-12] {
        let fit = fit(&moments, &names(5), ElasticNet { alpha, l1_ratio: 1.0 }).unwrap();
        assert!(fit.converged, "{alpha:e}: {fit:?}");
        assert_eq!((fit.coefficients[2], fit.coefficients[3], fit.zero), (0.0, 0.0, 2), "{alpha:e}: {fit:?}");
    }
}

#[test]
fn coefficients_scale_with_the_target() {
    let rows = one_hot();
    let of = |size: f64| {
        let mut rows = rows.clone();
        for row in &mut rows {
            row[10] *= size;
        }
        [1.0, 0.5].map(|l1_ratio| {
            let (alpha, l1_ratio) = if l1_ratio < 1.0 { (1e-3, 0.0) } else { (1e-3 * size, 1.0) };
            fit(&moments(&rows, |_| 1.0), &names(11), ElasticNet { alpha, l1_ratio }).unwrap()
        })
    };
    // Powers of two change the exponent only.
    let unit = of(1.0);
    for exponent in [-400, 400] {
        let size = 2.0_f64.powi(exponent);
        for (fit, unit) in of(size).iter().zip(&unit) {
            assert!(fit.converged);
            let coefficients: Vec<f64> = fit.coefficients.iter().map(|coefficient| coefficient / size).collect();
            assert_eq!(coefficients, unit.coefficients, "{exponent}");
        }
    }
}

/// Rows of small numbers, columns that are integer combinations of others, and a target.
fn dependent_rows() -> impl Strategy<Value = Vec<Vec<f64>>> {
    let combination = (0..6_usize, 0..6_usize, prop::sample::select(vec![-2.0, -1.0, 1.0, 3.0]), -1..2_i8);
    (1..7_usize, prop::collection::vec(combination, 1..8)).prop_flat_map(|(own, combinations)| {
        let row = (prop::collection::vec(-9..=9_i8, own), -99..=99_i8);
        prop::collection::vec(row, 3..40).prop_map(move |rows| {
            let row = |(own, noise): (Vec<i8>, i8)| {
                let mut row: Vec<f64> = own.into_iter().map(f64::from).collect();
                for (first, second, factor, other) in &combinations {
                    let (first, second) = (row[first % row.len()], row[second % row.len()]);
                    row.push(factor * first + f64::from(*other) * second + 1.0);
                }
                row.push(2.0 * row[0] - row[row.len() - 1] + 0.1 * f64::from(noise));
                row
            };
            rows.into_iter().map(row).collect()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn the_fit_is_a_minimum(rows in dependent_rows(), fraction in (-9.0..-0.1_f64).prop_map(|exponent| 10.0_f64.powf(exponent)), l1_ratio in prop::sample::select(vec![1.0, 0.999_999, 0.5])) {
        let features = rows[0].len() - 1;
        let moments = moments(&rows, |_| 1.0);
        let first = alphas(&moments, l1_ratio, 1);
        prop_assume!((0..features).all(|j| rows.iter().any(|row| row[j] != rows[0][j])) && !first.is_empty());
        let alpha = fraction * first[0];
        let fit = fit(&moments, &names(features + 1), ElasticNet { alpha, l1_ratio }).unwrap();
        let n = rows.len() as f64;
        let (l1, l2) = (n * alpha * l1_ratio, n * alpha * (1.0 - l1_ratio));
        // Correlations have an error of 1e-13 of the largest possible. Scaling the feasible point of the dual by this
        // error relative to the penalty opens the gap by the square of that ratio, and by that ratio of the penalty of
        // the coefficients. The penalty is small if it is a small fraction of the smallest with zero coefficients, or
        // if the features explain little of the target.
        let mean = rows.iter().map(|row| row[features]).sum::<f64>() / n;
        let length = rows.iter().map(|row| (row[features] - mean).powi(2)).sum::<f64>().sqrt();
        let shrunk = 1e-13 * n.sqrt() * length / l1;
        let cost = l1 * fit.coefficients.iter().map(|coefficient| coefficient.abs()).sum::<f64>() / (length * length);
        prop_assert!(fit.converged && fit.gap <= f64::max(1e-12, shrunk * (shrunk + 2.0 * cost)), "{shrunk:e} {cost:e} {fit:?}");
        balanced(&rows, &fit, [l1, l2], 1e-12)?;
    }
}
