#![allow(clippy::float_cmp)]

use super::super::design_rows::DesignRow;
use super::*;
use proptest::prelude::*;
use std::cell::Cell;

mod indicators;
mod scikit_learn;

const BREAST_CANCER: &str = include_str!("../../../../../model/breast-cancer.csv");
const IRIS: &str = include_str!("../../../../../model/iris.csv");

/// Rows in memory that count the passes.
struct CountedRows {
    columns: Vec<String>,
    rows: Vec<(Vec<f64>, f64, f64)>,
    sparse: Vec<usize>,
    passes: Cell<u32>,
}

impl CountedRows {
    fn new(rows: Vec<(Vec<f64>, f64, f64)>) -> Self {
        let columns = (1..=rows[0].0.len()).map(|column| format!("x{column}")).collect();
        Self { columns, rows, sparse: Vec::new(), passes: Cell::new(0) }
    }

    /// The classes in the order of their names.
    fn read(text: &str, weighted: bool) -> Self {
        let lines: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
        let mut classes: Vec<&str> = lines.iter().map(|line| *line.last().unwrap()).collect();
        classes.sort_unstable();
        classes.dedup();
        let row = |(number, line): (usize, &Vec<&str>)| {
            let (class, features) = line.split_last().unwrap();
            let class = classes.iter().position(|name| name == class).unwrap();
            let weight = if weighted { 1 + number % 3 } else { 1 };
            (features.iter().map(|value| value.parse().unwrap()).collect(), class as f64, weight as f64)
        };
        Self::new(lines.iter().enumerate().map(row).collect())
    }
}

impl DesignRows for CountedRows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn sparse_columns(&self) -> Vec<usize> {
        self.sparse.clone()
    }

    fn scan<E>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E> {
        self.passes.set(self.passes.get() + 1);
        for (number, (design, target, weight)) in self.rows.iter().enumerate() {
            each(DesignRow { number: number as u64, design, target: *target, weight: *weight })?;
        }
        Ok(())
    }
}

fn probabilities(fit: &LogisticFit, design: &[f64]) -> Vec<f64> {
    let mut scores = fit.intercepts.clone();
    for (((x, mean), scale), coefficients) in design.iter().zip(&fit.means).zip(&fit.scales).zip(&fit.coefficients) {
        for (score, coefficient) in scores.iter_mut().zip(coefficients) {
            *score += coefficient * (x - mean) / scale;
        }
    }
    if let [score] = scores[..] {
        return vec![1.0 / (1.0 + score.exp()), 1.0 / (1.0 + (-score).exp())];
    }
    // `exp` of the scores of separable classes overflows.
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = scores.iter().map(|score| (score - largest).exp()).sum();
    scores.iter().map(|score| (score - largest).exp() / total).collect()
}

/// Solvers that stop early on columns of very different size have errors of a third in these probabilities.
#[test]
fn units_of_measurement_do_not_change_probabilities() {
    let table = CountedRows::read(BREAST_CANCER, false);
    let mut other = CountedRows::read(BREAST_CANCER, false);
    for (design, ..) in &mut other.rows {
        for (column, value) in design.iter_mut().enumerate() {
            *value = *value * 10_f64.powi(i32::try_from(column).unwrap() - 15)
                + if column % 2 == 0 { 1e3 } else { 0.0 } * 10_f64.powi(i32::try_from(column).unwrap() - 15);
        }
    }
    let settings = LogisticSettings::default();
    let (fit, scaled) = (fit(&table, 2, &settings).unwrap(), super::fit(&other, 2, &settings).unwrap());
    for (row, other) in table.rows.iter().zip(&other.rows) {
        assert!((probabilities(&fit, &row.0)[1] - probabilities(&scaled, &other.0)[1]).abs() < 1e-9);
    }
}

#[test]
fn a_fit_has_one_pass_for_the_scales_and_one_for_all_iterations() {
    let table = CountedRows::read(IRIS, false);
    let fit = fit(&table, 3, &LogisticSettings::default()).unwrap();
    assert_eq!(table.passes.get(), 2);
    assert!(fit.iterations < 15);
    for values in fit.coefficients.iter().chain([&fit.intercepts]) {
        assert!(values.iter().sum::<f64>().abs() < 1e-14);
    }
}

/// With so little regularization, rounding errors determine the coefficients of dependent columns, but the gradient is
/// zero.
#[test]
fn a_fit_whose_gradient_is_a_rounding_error_has_converged() {
    let row = |i: u32| {
        let (a, b) = (f64::from(i * 7919 % 1013) / 500.0 - 1.0, f64::from(i * 104_729 % 997) / 500.0 - 1.0);
        (vec![a, b, a + b], f64::from(u32::from(a + (7.0 * f64::from(i)).sin() > 0.0)), 1.0)
    };
    let table = CountedRows::new((0..200).map(row).collect());
    for c in [1e6, 1e9, 1e12, 1e15] {
        let settings = LogisticSettings { c, ..LogisticSettings::default() };
        let fit = fit(&table, 2, &settings).unwrap();
        assert_eq!(penalised_separation(&table, 2, &settings, &fit).unwrap(), None);
        assert!(fit.converged && fit.gradient <= 1e-8, "{c:e}: {fit:?}");
        assert!(fit.iterations < 30, "{c:e}: {fit:?}");
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let rows: Vec<_> = (0..3000_u32)
        .map(|i| {
            let x = f64::from(i * 7919 % 1013) / 100.0;
            let z = f64::from(i * 104_729 % 997) / 50.0;
            (vec![x, z], f64::from(u32::from(x + (z * 3.0).sin() > 6.0) + u32::from(z > 14.0)), 1.0 + f64::from(i % 2))
        })
        .collect();
    let table = CountedRows::new(rows);
    let settings = LogisticSettings::default();
    let on = |threads| {
        let standardisation = StandardisationPass::over(&table, 3).unwrap().finish(&table.columns).unwrap();
        let settings = LogisticSettings { threads, ..settings };
        Problem::new(&table, standardisation, &settings, Purpose::Model).unwrap().fit(1.0).unwrap()
    };
    let one = on(1);
    assert!(one.converged);
    for threads in [2, 3, 16] {
        assert_eq!(on(threads), one);
    }
    assert_eq!(fit(&table, 3, &LogisticSettings::default()).unwrap(), one);
}

/// Coefficients are finite for every C, and the proof that only the penalty keeps them finite names the column.
#[test]
fn separable_classes_are_reported() {
    let rows: Vec<_> =
        (0..40_u32).map(|i| (vec![f64::from(i), f64::from(i * i % 7)], f64::from(i / 20), 1.0)).collect();
    for c in [1.0, 1e4, 1e8, 1e12, 1e15, 1e300] {
        for classes in [2, 3] {
            let mut rows = rows.clone();
            if classes == 3 {
                rows.iter_mut().filter(|row| row.0[0] > 30.0).for_each(|row| row.1 = 2.0);
            }
            let settings = LogisticSettings { c, ..LogisticSettings::default() };
            let table = CountedRows::new(rows.clone());
            let fit = fit(&table, classes, &settings).unwrap();
            let all = fit.coefficients.iter().flatten().chain(&fit.intercepts);
            assert!(all.clone().all(|value| value.is_finite()), "{c}: {fit:?}");
            let proof = penalised_separation(&table, classes, &settings, &fit).unwrap();
            let Some(SeparationProof::Columns(columns)) = proof else { panic!("{c}: {proof:?}") };
            assert_eq!(columns.iter().map(|separation| separation.column).collect::<Vec<_>>(), [0]);
            println!(
                "{c:e} {classes}: {} {} {:e} {:?}",
                fit.converged, fit.iterations, fit.gradient, fit.coefficients[0]
            );
            assert!(fit.converged || c > 1e8, "{c}: {fit:?}");
            let right = rows.iter().filter(|row| probabilities(&fit, &row.0)[position(row.1)] > 0.5).count();
            assert!(c < 1e4 || right == 40, "{c}: {right}");
        }
    }
}

#[test]
fn too_few_iterations_are_reported() {
    let fit =
        fit(&CountedRows::read(IRIS, false), 3, &LogisticSettings { max_iterations: 3, ..LogisticSettings::default() });
    let fit = fit.unwrap();
    assert!(!fit.converged && fit.iterations == 3 && fit.gradient > 1e-8, "{fit:?}");
}

#[test]
fn errors_name_the_class_or_the_column() {
    let table =
        || CountedRows::new(vec![(vec![1.0, 5.0], 0.0, 1.0), (vec![2.0, 5.5], 1.0, 1.0), (vec![3.0, 7.0], 1.0, 1.0)]);
    let fit = |table: &CountedRows, classes| fit(table, classes, &LogisticSettings::default()).unwrap_err();
    assert_eq!(fit(&table(), 3), SolveError::MissingClass { class: 2, classes: 3 });
    assert_eq!(fit(&table(), 1), SolveError::TooFewClasses(1));
    let mut constant = table();
    constant.rows.iter_mut().for_each(|row| row.0[1] = 0.1);
    assert_eq!(fit(&constant, 2), SolveError::ConstantFeature { name: "x2".into() });
    for bad in [f64::NAN, f64::INFINITY] {
        let mut huge = table();
        huge.rows[1].0[0] = bad;
        assert_eq!(fit(&huge, 2), SolveError::NotFinite { name: "x1".into() });
    }
    for target in [0.5, -1.0, 2.0, f64::NAN] {
        let mut wrong = table();
        wrong.rows[2].1 = target;
        assert!(matches!(fit(&wrong, 2), SolveError::NotAClass { row: 2, classes: 2, .. }));
    }
}

/// Squares neither overflow nor underflow, also those of differences from a first value that is far from the others.
#[test]
fn columns_of_any_size_have_the_same_coefficients() {
    let table = |unit: f64, first: f64| {
        let row = |i: u32| (vec![if i == 0 { first } else { f64::from(i) } * unit], f64::from(i * i % 7 % 2), 1.0);
        CountedRows::new((0..20).map(row).collect())
    };
    for first in [0.5, 2.0_f64.powi(-600), 2.0_f64.powi(300)] {
        let of = |unit| fit(&table(unit, first), 2, &LogisticSettings::default()).unwrap().coefficients;
        let expected = of(1.0);
        for exponent in [-400, 400, 700] {
            assert_eq!(of(2.0_f64.powi(exponent)), expected, "{first} {exponent}");
        }
    }
}

/// Rows of several classes, with at least one row of each class.
fn rows() -> impl Strategy<Value = (usize, Vec<(Vec<f64>, f64, f64)>)> {
    (1..4_usize, 2..5_usize).prop_flat_map(|(columns, classes)| {
        let row = (prop::collection::vec(-5.0..5.0_f64, columns), 0..classes, 0.1..3.0_f64);
        prop::collection::vec(row, 8..400).prop_map(move |rows| {
            let row = |(number, (design, class, weight)): (usize, (Vec<f64>, usize, f64))| {
                let class = if number < classes { number } else { class };
                (design.into_iter().map(|value| value + class as f64).collect(), class as f64, weight)
            };
            (classes, rows.into_iter().enumerate().map(row).collect())
        })
    })
}

proptest! {
    /// The gradient of the objective, computed from the rows, is zero.
    #[test]
    fn the_fit_is_the_minimum((classes, rows) in rows(), exponent in -3.0..6.0_f64) {
        let c = 10_f64.powf(exponent);
        let table = CountedRows::new(rows);
        let fit = fit(&table, classes, &LogisticSettings { c, ..LogisticSettings::default() }).unwrap();
        prop_assert!(fit.converged, "{fit:?}");
        let scores = fit.intercepts.len();
        let columns = fit.means.len();
        let weight: f64 = table.rows.iter().map(|row| row.2).sum();
        let (mut loss, mut slopes) = (0.0, vec![vec![0.0; columns + 1]; scores]);
        for (design, target, weight) in &table.rows {
            let likely = probabilities(&fit, design);
            let class = position(*target);
            // A probability below 1e-300 has no digits to compare, but its loss does.
            if likely[class] > 1e-300 {
                let difference = fit.loss(design, class) + likely[class].ln();
                prop_assert!(difference.abs() < 1e-9 * (1.0 + fit.loss(design, class)));
            }
            loss += weight * fit.loss(design, class);
            for (score, slopes) in slopes.iter_mut().enumerate() {
                let of = if scores == 1 { 1 } else { score };
                let pull = weight * (likely[of] - f64::from(u8::from(of == class)));
                for column in 0..columns {
                    slopes[column] += pull * (design[column] - fit.means[column]) / fit.scales[column];
                }
                slopes[columns] += pull;
            }
        }
        for (score, slopes) in slopes.iter().enumerate() {
            for (slope, coefficients) in slopes.iter().zip(&fit.coefficients) {
                prop_assert!((slope + coefficients[score] / c).abs() < 1e-9 * weight, "{slope} {coefficients:?}");
            }
            prop_assert!(slopes[columns].abs() < 1e-9 * weight);
        }
        // The log loss is that before the last step.
        prop_assert!((fit.log_loss - loss / weight).abs() < 1e-6 * (1.0 + loss / weight));
    }
}

#[test]
fn the_leverage_factor_is_that_of_the_standardised_design() {
    for (text, weighted) in [(IRIS, false), (IRIS, true), (BREAST_CANCER, true)] {
        let table = CountedRows::read(text, weighted);
        let classes = if text == IRIS { 3 } else { 2 };
        let fit = fit(&table, classes, &LogisticSettings::default()).unwrap();
        let triangle = fit.leverage_factor.unwrap().triangle;
        let weight: f64 = table.rows.iter().map(|(_, _, weight)| weight).sum();
        let z = |row: &[f64], j: usize| (row[j] - fit.means[j]) / fit.scales[j];
        for i in 0..fit.means.len() {
            for j in 0..fit.means.len() {
                let expected: f64 = table.rows.iter().map(|(row, _, weight)| weight * z(row, i) * z(row, j)).sum();
                let [one, other] = [i, j].map(|column| triangle.column(column));
                let entry: f64 = one.iter().zip(&other).map(|(one, other)| one * other).sum();
                assert!((entry - expected).abs() < 2e-8 * weight, "{i}, {j}: {entry} is not {expected}");
            }
        }
    }
}

/// Clusters in several columns, with rows of different weights.
fn clusters(rows: u32, columns: u32, classes: u32) -> CountedRows {
    let noise = |row: u32, column: u32| (f64::from(row * 31 + column * 7919) * 12.9898).sin() * 43_758.545_3 % 1.0;
    let row = |row: u32| {
        let class = row * 7 % 11 % classes;
        let value = |column| noise(row, column) + 0.7 * noise(class + 100_000, column) * f64::from(column % 3);
        ((0..columns).map(value).collect(), f64::from(class), f64::from(row % 4))
    };
    CountedRows::new((0..rows).map(row).collect())
}

#[test]
fn the_solvers_find_the_same_minimum() {
    for (rows, columns, classes, c, intercept) in [
        (600, 5, 2, 1.0, true),
        (600, 5, 3, 100.0, true),
        (700, 12, 4, 1.0, false),
        (150, 40, 5, 10.0, true),
        (300, 3, 2, 1e4, false),
    ] {
        let table = clusters(rows, columns, classes);
        let settings = LogisticSettings { c, intercept, ..LogisticSettings::default() };
        let classes = classes as usize;
        let standardisation =
            || StandardisationPass::over(&table, classes).unwrap().with_settings(&settings).finish_part();
        let dense = StandardisedRows::new(&table, &standardisation(), intercept, 1).unwrap();
        let tiles = StandardisedRows::new(&table, &standardisation(), intercept, 1).unwrap();
        let scores = if classes == 2 { 1 } else { classes };
        let start = vec![vec![0.0; columns as usize + 1]; scores];
        let (penalty, weight) = (iterate::penalty(&settings, &standardisation()), standardisation().weight);
        let expected = newton::minimise(&dense, start.clone(), &settings, penalty, weight).unwrap().0;
        assert!(expected.converged);
        let pass = passes::Pass { rows: &tiles, scores, parameters: columns as usize + 1 };
        let gram = passes::gram(&tiles, pass.parameters).unwrap();
        let curvature = if scores == 1 { 0.25 } else { 1.0 / scores as f64 };
        let preconditioner = Preconditioner::new(&gram, pass.parameters, curvature / weight, penalty);
        for preconditioner in [preconditioner.as_ref(), None] {
            let descent = Descent { penalty, weight, curvature, preconditioner, enough: 1e-4, most_passes: 500 };
            let near = descent.minimise(&pass, start.clone()).unwrap();
            assert!(near.converged && near.point.gradient <= 1e-4, "{rows} {columns} {classes}: {near:?}");
            println!("{rows} {columns} {classes} {c} {}: {} passes", preconditioner.is_some(), near.passes);
            let found =
                truncated_newton::minimise(&pass, near.point.parameters, &settings, &descent, u32::MAX).unwrap();
            assert!(found.converged, "{rows} {columns} {classes}: {found:?}");
            let values = found.point.parameters.iter().flatten().zip(expected.point.parameters.iter().flatten());
            let worst = values.map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
            let size = expected.point.size();
            assert!(worst < 1e-9 * size, "{rows} {columns} {classes}: {worst:e}, {} passes", found.passes);
            println!("    and {} passes, {worst:e}", found.passes);
        }
    }
}

#[test]
fn many_classes_and_columns_have_the_same_bits_on_any_number_of_threads() {
    let table = clusters(1200, 60, 9);
    let settings = LogisticSettings::default();
    let on = |threads| {
        let standardisation = StandardisationPass::over(&table, 9).unwrap().finish(&table.columns).unwrap();
        assert!(!is_small(&standardisation, 9));
        let settings = LogisticSettings { threads, ..settings };
        Problem::new(&table, standardisation, &settings, Purpose::Model).unwrap().fit(1.0).unwrap()
    };
    let one = on(1);
    assert!(one.converged && one.gradient <= 1e-8 && one.leverage_factor.is_some(), "{}", one.gradient);
    for threads in [2, 3] {
        assert_eq!(on(threads), one);
    }
}

/// A class without rows has the probability of one row among those of the fit.
#[test]
fn a_class_that_the_part_does_not_contain_has_a_small_probability() {
    let iris = CountedRows::read(IRIS, false);
    let settings = LogisticSettings::default();
    for (classes, columns) in [(vec![0.0, 2.0], 3), (vec![1.0], 3), (vec![1.0], 2), (vec![0.0, 1.0, 2.0], 4)] {
        let rows = iris.rows.iter().filter(|row| classes.contains(&row.1)).cloned().collect();
        let part = fit_of_part(&CountedRows::new(rows), columns, &settings, None).unwrap();
        let absent: f64 = (0..columns)
            .filter(|class| !classes.contains(&(*class as f64)))
            .map(|class| {
                let probability = probabilities(&part, &part.means)[class];
                assert!((part.loss(&part.means, class) + probability.ln()).abs() < 1e-12);
                probability
            })
            .sum();
        let (rows, count) = (50.0 * classes.len() as f64, (columns - classes.len()) as f64);
        assert!((absent - count / (rows + count)).abs() < 1e-12, "{classes:?} {columns}: {absent}");
    }
    let only = [iris.rows.iter().filter(|row| row.1 < 2.0).cloned().collect::<Vec<_>>()];
    let two = fit(&CountedRows::new(only[0].clone()), 2, &settings).unwrap();
    let of_three = fit_of_part(&CountedRows::new(only[0].clone()), 3, &settings, None).unwrap();
    for row in &iris.rows {
        let [of_two, of_three] = [probabilities(&two, &row.0), probabilities(&of_three, &row.0)];
        assert!((of_two[1] / of_two[0] / (of_three[1] / of_three[0]) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn rows_of_weight_zero_count_for_nothing() {
    let mut iris = CountedRows::read(IRIS, true);
    let expected = fit(&iris, 3, &LogisticSettings::default()).unwrap();
    iris.rows.insert(0, (vec![1e9; 4], 2.0, 0.0));
    iris.rows.insert(70, (vec![-1e9; 4], 0.0, 0.0));
    assert_eq!(fit(&iris, 3, &LogisticSettings::default()).unwrap(), expected);
    // A class whose rows all have no weight is one without rows.
    iris.rows.iter_mut().filter(|row| row.1 > 1.0).for_each(|row| row.2 = 0.0);
    let without = fit(&iris, 3, &LogisticSettings::default()).unwrap();
    assert!(without.converged && probabilities(&without, &without.means)[2] < 0.01);
}
