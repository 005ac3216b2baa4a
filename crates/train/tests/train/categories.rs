//! Penalised regression with a category of many levels.

use super::inference::{Options, e, table, trained, u};
use ordinate_model::estimator::Coefficients;
use ordinate_train::Trained;
use ordinate_train::plan::{EstimatorKind, PenaltyStrength};

const ROWS: u32 = 1560;

/// A number of each row, 520 levels of three rows each, and a number of each level.
fn data() -> String {
    table("a,level,b,y", ROWS, |i| {
        let level = i * 7 % 520;
        format!("{},l{level},{},{}", u(i), level % 13, 2.0 * u(i) + f64::from(level % 5) + e(i))
    })
}

fn fitted(estimator: EstimatorKind, alpha: PenaltyStrength, held_out: f64) -> Trained {
    let (estimator, alpha) = (Some(estimator), Some(alpha));
    let options = Options { estimator, alpha, held_out, max_levels: Some(1000), ..Options::default() };
    trained(&data(), &options).unwrap()
}

#[test]
fn cross_validation_selects_a_strength_with_which_levels_predict_new_rows() {
    for estimator in [EstimatorKind::Ridge, EstimatorKind::Lasso, EstimatorKind::ElasticNet] {
        let trained = fitted(estimator, PenaltyStrength::Auto, 0.2);
        assert!(trained.document.preprocess.columns.len() == 522 && trained.held_out > 100);
        let selected = trained.cross_validation.unwrap();
        assert!(selected.path.iter().all(|candidate| candidate.converged));
        // Without the category, the number of each row explains a tenth.
        assert!(trained.test.unwrap().values["r2"] > 0.5);
    }
}

/// Below a penalty of 10⁻⁷ for each row, the factor R of all columns replaces their products.
#[test]
fn a_ridge_from_products_is_that_from_the_factor_of_the_columns() {
    let coefficients = |alpha: f64| {
        let alpha = PenaltyStrength::Fixed(alpha * f64::from(ROWS));
        match fitted(EstimatorKind::Ridge, alpha, 0.0).document.estimator {
            Coefficients::Ridge(linear) => linear.coefficients.into_values().collect::<Vec<f64>>(),
            other => panic!("{other:?}"),
        }
    };
    let (products, factor) = (coefficients(1.0001e-7), coefficients(0.9999e-7));
    let largest = factor.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    assert!(largest > 0.1 && products.len() == 522);
    for (one, other) in products.iter().zip(&factor) {
        assert!((one - other).abs() < 1e-7 * largest, "{one} {other}");
    }
}
