//! Compares fits with those of smartcore, where smartcore is correct.
//!
//! smartcore gets standardised columns, and for ridge a centred target: on raw columns its ridge has no intercept, its
//! least squares lose digits to offsets, and its logistic regression stops early without an error. Its lasso never
//! returns exact zeros, and its elastic net centres a padded target: those two are not compared.

use ordinate_train::solver::design_rows::{DesignRow, DesignRows};
use ordinate_train::solver::logistic;
use ordinate_train::solver::logistic::LogisticSettings;
use ordinate_train::solver::moments::Moments;
use ordinate_train::solver::path;
use ordinate_train::solver::path::Penalty;
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::linear_regression::{LinearRegression, LinearRegressionParameters, LinearRegressionSolverName};
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};

/// An estimator of smartcore.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Family {
    /// Ordinary least squares.
    Linear,
    /// `Σ (y − ŷ)² + alpha · ‖b‖²`.
    Ridge {
        /// The regularization strength.
        alpha: f64,
    },
    /// `c · Σ loss + ½ ‖b‖²`; targets are the positions of classes.
    Logistic {
        /// The inverse regularization strength.
        c: f64,
        /// The number of classes.
        classes: usize,
    },
}

/// A fit to standardised columns: `score = intercept + Σ coefficientⱼ · (xⱼ − meanⱼ) / scaleⱼ`.
#[derive(Debug, Clone, PartialEq)]
struct Fit {
    /// The population standard deviation of each column.
    scales: Vec<f64>,
    /// One for each score: one score, or one for each class if there are more than two.
    intercepts: Vec<f64>,
    /// For each column, one for each score.
    coefficients: Vec<Vec<f64>>,
}

/// Fits to all rows at once, in memory.
fn fit(data: &Data, family: Family) -> Fit {
    let Standardised { means, scales, values } = data.standardised();
    let (width, targets) = (means.len(), &data.targets);
    let matrix = DenseMatrix::new(targets.len(), width, values, false).unwrap();
    let single = |coefficients: &DenseMatrix<f64>| column_by_column(coefficients, width, 1);
    let (intercepts, coefficients) = match family {
        Family::Linear => {
            let settings = LinearRegressionParameters::default().with_solver(LinearRegressionSolverName::QR);
            let fitted = LinearRegression::fit(&matrix, targets, settings).unwrap();
            (vec![*fitted.intercept()], single(fitted.coefficients()))
        }
        Family::Ridge { alpha } => {
            let mean = targets.iter().sum::<f64>() / targets.len() as f64;
            let centred: Vec<f64> = targets.iter().map(|target| target - mean).collect();
            let settings = RidgeRegressionParameters::default().with_alpha(alpha).with_normalize(false);
            let fitted = RidgeRegression::fit(&matrix, &centred, settings).unwrap();
            (vec![mean], single(fitted.coefficients()))
        }
        Family::Logistic { c, classes } => {
            // Positions of classes: small whole numbers.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let labels: Vec<u32> = targets.iter().map(|target| *target as u32).collect();
            let settings = LogisticRegressionParameters::default().with_alpha(1.0 / c);
            let fitted = LogisticRegression::fit(&matrix, &labels, settings).unwrap();
            let scores = if classes == 2 { 1 } else { classes };
            let intercepts = column_by_column(fitted.intercept(), 1, scores).concat();
            (intercepts, column_by_column(fitted.coefficients(), width, scores))
        }
    };
    Fit { scales, intercepts, coefficients }
}

/// For each of `columns`, its values in all `scores`, from a matrix of either orientation.
fn column_by_column(matrix: &DenseMatrix<f64>, columns: usize, scores: usize) -> Vec<Vec<f64>> {
    let transposed = matrix.shape() == (columns, scores) && (columns, scores) != (scores, columns);
    let at = |score, column| if transposed { *matrix.get((column, score)) } else { *matrix.get((score, column)) };
    (0..columns).map(|column| (0..scores).map(|score| at(score, column)).collect()).collect()
}

/// A bundled data set, whose last column is the target.
struct Data {
    names: Vec<String>,
    designs: Vec<Vec<f64>>,
    targets: Vec<f64>,
}

struct Standardised {
    means: Vec<f64>,
    scales: Vec<f64>,
    /// Row-major.
    values: Vec<f64>,
}

impl Data {
    fn new(text: &str, target: impl Fn(&str) -> f64) -> Self {
        let mut lines = text.lines();
        let names = lines.next().unwrap().split(',').map(str::to_owned).collect();
        let (mut designs, mut targets) = (Vec::new(), Vec::new());
        for line in lines {
            let (design, last) = line.rsplit_once(',').unwrap();
            designs.push(design.split(',').map(|field| field.parse().unwrap()).collect());
            targets.push(target(last));
        }
        Self { names, designs, targets }
    }

    fn diabetes() -> Self {
        Self::new(include_str!("../../../../model/diabetes.csv"), |target| target.parse().unwrap())
    }

    fn iris() -> Self {
        let species = ["setosa", "versicolor", "virginica"];
        let class = |target: &str| species.iter().position(|name| *name == target).unwrap() as f64;
        Self::new(include_str!("../../../../model/iris.csv"), class)
    }

    fn moments(&self) -> Moments {
        let rows = self.designs.iter().zip(&self.targets).map(|(row, target)| [&row[..], &[*target]].concat());
        crate::moments(&rows.collect::<Vec<_>>(), None)
    }

    /// Standardised by the population standard deviation.
    fn standardised(&self) -> Standardised {
        let (width, rows) = (self.designs[0].len(), self.designs.len() as f64);
        let (mut means, mut scales) = (Vec::new(), Vec::new());
        for place in 0..width {
            let column = || self.designs.iter().map(|row| row[place]);
            let mean = column().sum::<f64>() / rows;
            means.push(mean);
            scales.push((column().map(|value| (value - mean).powi(2)).sum::<f64>() / rows).sqrt());
        }
        let values = self.designs.iter().flat_map(|row| row.iter().zip(&means).zip(&scales));
        let values = values.map(|((value, mean), scale)| (value - mean) / scale).collect();
        Standardised { means, scales, values }
    }
}

impl DesignRows for Data {
    fn columns(&self) -> &[String] {
        &self.names[..self.names.len() - 1]
    }

    fn scan<E>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E> {
        for ((design, target), number) in self.designs.iter().zip(&self.targets).zip(0..) {
            each(DesignRow { number, design, target: *target, weight: 1.0 })?;
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
fn least_squares_agree_with_smartcore_on_standardised_columns() {
    let data = Data::diabetes();
    let theirs = fit(&data, Family::Linear);
    let ours = data.moments().solve(&data.names).unwrap();
    let per_unit: Vec<f64> = theirs.coefficients.concat().iter().zip(&theirs.scales).map(|(b, s)| b / s).collect();
    close(&per_unit, &ours.coefficients, 1e-10);
    close(&theirs.intercepts, &[ours.intercept], 1e-10);
}

#[test]
fn ridge_agrees_with_smartcore() {
    let data = Data::diabetes();
    for alpha in [0.1, 10.0, 1000.0] {
        let theirs = fit(&data, Family::Ridge { alpha });
        let ours = path::fit(&data.moments(), &data.names, Penalty::Ridge { alpha }).unwrap();
        close(&theirs.coefficients.concat(), &ours.coefficients, 1e-9);
        close(&theirs.intercepts, &[ours.intercept], 1e-12);
    }
}

/// smartcore stops at a gradient of about 1e-4: its coefficients agree to three digits.
#[test]
fn logistic_regression_agrees_with_smartcore() {
    let data = Data::iris();
    let theirs = fit(&data, Family::Logistic { c: 1.0, classes: 3 });
    let ours = logistic::fit(&data, 3, &LogisticSettings::default()).unwrap();
    // Adding a constant to all scores does not change the probabilities: ours sum to zero.
    let centred = |scores: &Vec<f64>| {
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        scores.iter().map(|score| score - mean).collect::<Vec<_>>()
    };
    close(&theirs.coefficients.iter().map(centred).collect::<Vec<_>>().concat(), &ours.coefficients.concat(), 1e-3);
    close(&centred(&theirs.intercepts), &ours.intercepts, 1e-3);
}
