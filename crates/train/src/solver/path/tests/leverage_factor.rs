//! The factor that leverages are computed from.

use super::super::Penalty::{ElasticNet, Ridge};
use super::super::*;
use super::{diabetes, moments, names};
use crate::solver::leverage::MOST_COLUMNS;
use crate::solver::qr::UpperTriangle;
use ordinate_model::inference::DIAGONAL_INCREMENT;

/// `ZᵀWZ`, by definition.
fn cross_products(fit: &PenalisedFit, rows: &[Vec<f64>], weight: impl Fn(usize) -> f64) -> Vec<Vec<f64>> {
    let features = fit.means.len();
    let mut products = vec![vec![0.0; features]; features];
    for (number, row) in rows.iter().enumerate() {
        let z: Vec<f64> = (0..features).map(|j| (row[j] - fit.means[j]) / fit.scales[j]).collect();
        for i in 0..features {
            for j in 0..features {
                products[i][j] += weight(number) * z[i] * z[j];
            }
        }
    }
    products
}

fn assert_factor(triangle: &UpperTriangle, mut products: Vec<Vec<f64>>, more: f64) {
    for (i, row) in products.iter_mut().enumerate() {
        row[i] += more;
        for (j, expected) in row.iter().enumerate() {
            let entry: f64 = triangle.column(i).iter().zip(triangle.column(j)).map(|(one, other)| one * other).sum();
            assert!((entry - expected).abs() < 1e-9 * more.max(442.0), "{i}, {j}: {entry} is not {expected}");
        }
    }
}

#[test]
fn the_leverage_factor_of_ridge_includes_weights_and_alpha() {
    let rows = diabetes();
    let weight = |row: usize| 1.0 + (row % 3) as f64;
    for alpha in [0.01, 442.0] {
        let fit = fit(&moments(&rows, weight), &names(11), Ridge { alpha }).unwrap();
        assert_factor(&fit.leverage_factor.as_ref().unwrap().triangle, cross_products(&fit, &rows, weight), alpha);
    }
}

#[test]
fn the_degrees_of_freedom_of_ridge_are_those_of_its_hat_matrix() {
    let rows = diabetes();
    let alpha = 30.0;
    let of = |rows: &[Vec<f64>]| fit(&moments(rows, |_| 1.0), &names(11), Ridge { alpha }).unwrap();
    let predicted = |fit: &PenalisedFit, row: &[f64]| {
        let terms = fit.coefficients.iter().enumerate().map(|(j, b)| b * (row[j] - fit.means[j]) / fit.scales[j]);
        fit.intercept + terms.sum::<f64>()
    };
    let whole = of(&rows);
    // Fits are linear in the target: the trace is the sum of the changes of each prediction with its own target.
    let moved: f64 = (0..rows.len())
        .map(|number| {
            let mut rows = rows.clone();
            rows[number][10] += 1000.0;
            (predicted(&of(&rows), &rows[number]) - predicted(&whole, &rows[number])) / 1000.0
        })
        .sum();
    let freedom = whole.leverage_factor.unwrap().degrees_of_freedom.unwrap();
    assert!((freedom - (442.0 - moved)).abs() < 1e-8, "{freedom} is not {}", 442.0 - moved);
}

#[test]
fn the_leverage_factor_of_the_lasso_exists_for_dependent_columns() {
    let rows = diabetes();
    let penalty = ElasticNet { alpha: 1.0, l1_ratio: 1.0 };
    let lasso = fit(&moments(&rows, |_| 1.0), &names(11), penalty).unwrap();
    assert_factor(
        &lasso.leverage_factor.as_ref().unwrap().triangle,
        cross_products(&lasso, &rows, |_| 1.0),
        442.0 * DIAGONAL_INCREMENT,
    );

    let twice: Vec<Vec<f64>> = rows.iter().map(|row| vec![row[0], row[0], row[10]]).collect();
    let factor = fit(&moments(&twice, |_| 1.0), &names(3), penalty).unwrap().leverage_factor.unwrap();
    // A row with equal columns has the leverage of one column; a row with different columns has a high leverage.
    let leverage = |z: [f64; 2]| factor.triangle.solve_transposed(&z).iter().map(|part| part * part).sum::<f64>();
    assert!((leverage([1.0, 1.0]) * 442.0 - 1.0).abs() < 1e-6);
    assert!(leverage([1.0, -1.0]) > 1000.0);
}

#[test]
fn paths_and_very_wide_designs_have_no_leverage_factor() {
    let rows = diabetes();
    let penalty = ElasticNet { alpha: 1.0, l1_ratio: 1.0 };
    assert!(path(&moments(&rows, |_| 1.0), &names(11), &[penalty]).unwrap()[0].leverage_factor.is_none());
    let wide = |features: usize| {
        let value = |row: usize, column: usize| ((row * 7919 + column * column * 104_729) % 1009) as f64;
        let rows: Vec<Vec<f64>> =
            (0..20).map(|row| (0..=features).map(|column| value(row, column)).collect()).collect();
        fit(&moments(&rows, |_| 1.0), &names(features + 1), Ridge { alpha: 1.0 }).unwrap().leverage_factor.is_some()
    };
    assert_eq!([MOST_COLUMNS, MOST_COLUMNS + 1].map(wide), [true, false]);
}
