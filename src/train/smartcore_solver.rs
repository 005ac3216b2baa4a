//! `--solver smartcore`: fits by smartcore itself, where its answers are right. For comparison and for tests; the solvers of
//! this crate are more exact, read data as a stream, and take weights.
//!
//! smartcore is given standardised columns (and for ridge a centred target): on raw columns its ridge has no intercept, its
//! least squares lose digits to offsets, and its logistic regression stops early without a word. Its lasso never returns
//! exact zeros and its elastic net centres a padded target: those two are not offered.

use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::linear_regression::{LinearRegression, LinearRegressionParameters, LinearRegressionSolverName};
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};
use thiserror::Error;

use super::TrainError;
use super::rows::Rows;

/// What to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Family {
    /// Ordinary least squares.
    Linear,
    /// `Σ (y − ŷ)² + alpha · ‖b‖²`.
    Ridge {
        /// The penalty.
        alpha: f64,
    },
    /// `c · Σ loss + ½ ‖b‖²`; targets are the positions of this many classes.
    Logistic {
        /// The inverse of the penalty.
        c: f64,
        /// The classes.
        classes: usize,
    },
}

/// A fit to standardised columns: `score = intercept + Σ coefficientⱼ · (xⱼ − meanⱼ) / scaleⱼ`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The mean of each column.
    pub means: Vec<f64>,
    /// The population standard deviation of each column.
    pub scales: Vec<f64>,
    /// One a score: one score, or one a class where there are more than two.
    pub intercepts: Vec<f64>,
    /// For each column, one a score.
    pub coefficients: Vec<Vec<f64>>,
}

/// Why smartcore cannot fit.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SmartcoreError {
    /// The data could not be read.
    #[error(transparent)]
    Rows(#[from] Box<TrainError>),
    /// Its answers are wrong.
    #[error("smartcore is not asked for {0}: its answers are not right. Leave out --solver smartcore")]
    NotOffered(&'static str),
    /// It stopped before it was there.
    #[error(
        "smartcore stopped early: a coefficient is {difference:.1e} standard deviations from where the objective is least. \
         Leave out --solver smartcore"
    )]
    StoppedEarly {
        /// The largest difference from our own fit.
        difference: f64,
    },
    /// It does not fit what it is asked for.
    #[error("smartcore always fits an intercept. Leave out --no-intercept, or --solver smartcore")]
    Intercept,
    /// It has no weights.
    #[error("smartcore knows no weights. Leave out --weights, or --solver smartcore")]
    Weights,
    /// A column or the target never changes.
    #[error("the column {name:?} has the same value in every row. Leave it out with --exclude {name:?}")]
    Constant {
        /// Its name.
        name: String,
    },
    /// Too little data for a square system.
    #[error("smartcore needs more rows than columns, and at least two classes: {reason}. Leave out --solver smartcore")]
    Refused {
        /// What it said.
        reason: String,
    },
}

/// Fits to all rows at once, in memory.
///
/// # Errors
/// [`SmartcoreError`].
pub fn fit(rows: &dyn Rows, family: Family) -> Result<Fit, SmartcoreError> {
    let Data { means, scales, values, targets } = read(rows)?;
    let width = means.len();
    let refused = |error: &dyn std::fmt::Display| SmartcoreError::Refused { reason: error.to_string() };
    // smartcore panics where there are not more rows than columns.
    if targets.len() <= width {
        return Err(refused(&format!("{} rows, {width} columns", targets.len())));
    }
    let matrix = DenseMatrix::new(targets.len(), width, values, false).map_err(|error| refused(&error))?;
    let single = |coefficients: &DenseMatrix<f64>| column_by_column(coefficients, width, 1);
    let (intercepts, coefficients) = match family {
        Family::Linear => {
            let settings = LinearRegressionParameters::default().with_solver(LinearRegressionSolverName::QR);
            let fitted = LinearRegression::fit(&matrix, &targets, settings).map_err(|error| refused(&error))?;
            (vec![*fitted.intercept()], single(fitted.coefficients()))
        }
        Family::Ridge { alpha } => {
            let mean = targets.iter().sum::<f64>() / count(targets.len());
            let centred: Vec<f64> = targets.iter().map(|target| target - mean).collect();
            let settings = RidgeRegressionParameters::default().with_alpha(alpha).with_normalize(false);
            let fitted = RidgeRegression::fit(&matrix, &centred, settings).map_err(|error| refused(&error))?;
            (vec![mean], single(fitted.coefficients()))
        }
        Family::Logistic { c, classes } => {
            // Positions of classes: small whole numbers.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let labels: Vec<u32> = targets.iter().map(|target| *target as u32).collect();
            let settings = LogisticRegressionParameters::default().with_alpha(1.0 / c);
            let fitted = LogisticRegression::fit(&matrix, &labels, settings).map_err(|error| refused(&error))?;
            let scores = if classes == 2 { 1 } else { classes };
            let intercepts = column_by_column(fitted.intercept(), 1, scores).concat();
            (intercepts, column_by_column(fitted.coefficients(), width, scores))
        }
    };
    Ok(Fit { means, scales, intercepts, coefficients })
}

/// For each of `columns`, its values in all `scores`, from a matrix of either orientation.
fn column_by_column(matrix: &DenseMatrix<f64>, columns: usize, scores: usize) -> Vec<Vec<f64>> {
    use smartcore::linalg::basic::arrays::Array;
    let transposed = matrix.shape() == (columns, scores) && (columns, scores) != (scores, columns);
    let at = |score, column| if transposed { *matrix.get((column, score)) } else { *matrix.get((score, column)) };
    (0..columns).map(|column| (0..scores).map(|score| at(score, column)).collect()).collect()
}

struct Data {
    means: Vec<f64>,
    scales: Vec<f64>,
    /// Standardised, row-major.
    values: Vec<f64>,
    targets: Vec<f64>,
}

fn read(rows: &dyn Rows) -> Result<Data, SmartcoreError> {
    let width = rows.columns().len();
    let (mut values, mut targets, mut weighted) = (Vec::new(), Vec::new(), false);
    rows.scan(&mut |row| {
        values.extend_from_slice(row.design);
        targets.push(row.target);
        weighted |= (row.weight - 1.0).abs() > 0.0;
        Ok(())
    })
    .map_err(Box::new)?;
    if weighted {
        return Err(SmartcoreError::Weights);
    }
    let rows_read = count(targets.len());
    let (mut means, mut scales) = (Vec::with_capacity(width), Vec::with_capacity(width));
    for (position, name) in rows.columns().iter().enumerate() {
        let column = || values.iter().skip(position).step_by(width);
        let mean = column().sum::<f64>() / rows_read;
        let scale = (column().map(|value| (value - mean).powi(2)).sum::<f64>() / rows_read).sqrt();
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(SmartcoreError::Constant { name: name.clone() });
        }
        means.push(mean);
        scales.push(scale);
    }
    for row in values.chunks_exact_mut(width) {
        for ((value, mean), scale) in row.iter_mut().zip(&means).zip(&scales) {
            *value = (*value - mean) / scale;
        }
    }
    Ok(Data { means, scales, values, targets })
}

/// Rows in memory are fewer than 2⁵³.
fn count(rows: usize) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use super::super::least_squares::Accumulator;
    use super::super::path::{self, Penalty};
    use super::super::rows::Row;
    use super::*;

    /// The bundled data.
    struct Diabetes {
        names: Vec<String>,
        rows: Vec<Vec<f64>>,
        weight: f64,
    }

    impl Diabetes {
        fn new() -> Self {
            let mut lines = include_str!("../../model/diabetes.csv").lines();
            let names = lines.next().unwrap().split(',').map(str::to_owned).collect();
            let rows = lines.map(|line| line.split(',').map(|field| field.parse().unwrap()).collect()).collect();
            Self { names, rows, weight: 1.0 }
        }

        fn moments(&self) -> super::super::least_squares::Moments {
            let mut accumulator = Accumulator::new(self.rows[0].clone());
            self.rows.iter().for_each(|row| accumulator.push(row));
            accumulator.finish()
        }
    }

    impl Rows for Diabetes {
        fn columns(&self) -> &[String] {
            &self.names[..10]
        }

        fn scan(&self, each: &mut dyn FnMut(Row<'_>) -> Result<(), TrainError>) -> Result<(), TrainError> {
            for (row, number) in self.rows.iter().zip(0..) {
                each(Row { number, design: &row[..10], target: row[10], weight: self.weight })?;
            }
            Ok(())
        }
    }

    fn close(got: &[f64], expected: &[f64], tolerance: f64) {
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() <= tolerance * expected.abs().max(1.0), "{got} is not {expected}");
        }
    }

    #[test]
    fn least_squares_are_ours_on_standardised_columns() {
        let data = Diabetes::new();
        let fitted = fit(&data, Family::Linear).unwrap();
        let ours = data.moments().solve(&data.names).unwrap();
        let per_unit: Vec<f64> = fitted.coefficients.concat().iter().zip(&fitted.scales).map(|(b, s)| b / s).collect();
        close(&per_unit, &ours.coefficients, 1e-10);
        close(&fitted.intercepts, &[ours.intercept], 1e-10);
    }

    #[test]
    fn ridge_is_ours() {
        let data = Diabetes::new();
        for alpha in [0.1, 10.0, 1000.0] {
            let fitted = fit(&data, Family::Ridge { alpha }).unwrap();
            let ours = path::fit(&data.moments(), &data.names, Penalty::Ridge { alpha }).unwrap();
            close(&fitted.coefficients.concat(), &ours.coefficients, 1e-9);
            close(&fitted.intercepts, &[ours.intercept], 1e-12);
        }
    }

    #[test]
    fn what_smartcore_cannot_do_is_refused() {
        let weighted = Diabetes { weight: 2.0, ..Diabetes::new() };
        assert!(matches!(fit(&weighted, Family::Linear), Err(SmartcoreError::Weights)));
        let mut few = Diabetes::new();
        few.rows.truncate(10);
        assert!(matches!(fit(&few, Family::Linear), Err(SmartcoreError::Refused { .. })));
        let mut constant = Diabetes::new();
        constant.rows.iter_mut().for_each(|row| row[3] = 7.0);
        assert!(matches!(fit(&constant, Family::Linear), Err(SmartcoreError::Constant { name }) if name == "bp"));
    }
}
