// Recorded numbers have the digits of their source.
#![allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::float_cmp)]

use super::super::design_rows::DesignRow;
use super::*;
use proptest::prelude::*;
use std::cell::Cell;

const BREAST_CANCER: &str = include_str!("../../../../../model/breast-cancer.csv");
const IRIS: &str = include_str!("../../../../../model/iris.csv");

/// Rows in memory that count the passes.
struct CountedRows {
    columns: Vec<String>,
    rows: Vec<(Vec<f64>, f64, f64)>,
    passes: Cell<u32>,
}

impl CountedRows {
    fn new(rows: Vec<(Vec<f64>, f64, f64)>) -> Self {
        let columns = (1..=rows[0].0.len()).map(|column| format!("x{column}")).collect();
        Self { columns, rows, passes: Cell::new(0) }
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

struct Recorded {
    data: &'static str,
    c: f64,
    weighted: bool,
    intercepts: &'static [f64],
    /// One list for each score.
    coefficients: &'static [&'static [f64]],
    /// The probabilities of a few rows, by number.
    probabilities: &'static [(usize, &'static [f64])],
}

/// scikit-learn 1.9.1, classes in alphabetical order, `w = 1` or `1 + np.arange(n) % 3`:
/// `Z = StandardScaler().fit(X, sample_weight=w).transform(X)`,
/// `m = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(Z, y, sample_weight=w)`,
/// then `m.intercept_` (for three classes minus its mean), `m.coef_`, `m.predict_proba(Z)`.
const RECORDED: &[Recorded] = &[
    Recorded {
        data: BREAST_CANCER,
        c: 1.0,
        weighted: false,
        intercepts: &[-0.21450271739737348],
        coefficients: &[&[
            0.3630925319064733,
            0.38767544240859425,
            0.3510621186677118,
            0.4356098032751115,
            0.16183110280313298,
            -0.5626540337053744,
            0.8599171195795229,
            0.9622802234768016,
            -0.07620903147701868,
            -0.322226236950291,
            1.2909422896656912,
            -0.26892190138603994,
            0.6599745965524898,
            1.0125577321734915,
            0.2772129589128548,
            -0.7363240127821208,
            -0.11053932078344855,
            0.3334076188727378,
            -0.2957930258946485,
            -0.6809196730549372,
            1.0292622616340468,
            1.314607634438031,
            0.8233473825619094,
            1.0107068321012707,
            0.6706819627714259,
            -0.04456425178974286,
            0.8733339165121518,
            0.9120031219156357,
            0.8878373243044497,
            0.4798189080384447,
        ]],
        probabilities: &[
            (0, &[1.2077510103125633e-09, 0.999999998792249]),
            (70, &[2.9839523234542753e-06, 0.9999970160476765]),
            (100, &[0.03760470137504712, 0.9623952986249529]),
            (568, &[0.9999802505654289, 1.974943457105536e-05]),
        ],
    },
    Recorded {
        data: BREAST_CANCER,
        c: 100.0,
        weighted: false,
        intercepts: &[1.956790141084832],
        coefficients: &[&[
            -4.631928927230449,
            -0.03633244986531849,
            -3.5622287306569573,
            0.20578894141281984,
            1.6729238232210362,
            -6.782742423007866,
            5.742431369847491,
            3.6637873638026335,
            -0.7707623511242404,
            0.8643918475980349,
            3.950461881386156,
            -1.4487212076395153,
            -2.815484700160274,
            6.222896492653245,
            1.060492489770067,
            3.2569678537381876,
            -4.322271477558309,
            4.701650707252427,
            -1.2230099953443234,
            -7.472392919012138,
            4.965420674745031,
            3.7590228926028755,
            4.472977688656826,
            7.792960586198629,
            -0.700360606991093,
            -2.7227280831178002,
            2.9268031176210085,
            0.0060260485972941525,
            2.3003329780547364,
            5.071813355427718,
        ]],
        probabilities: &[
            (0, &[0.0, 1.0]),
            (70, &[0.0, 1.0]),
            (100, &[2.1279763854353817e-06, 0.9999978720236146]),
            (568, &[0.9999999999316659, 6.833409634251584e-11]),
        ],
    },
    Recorded {
        data: BREAST_CANCER,
        c: 1.0,
        weighted: true,
        intercepts: &[-0.22624203013231461],
        coefficients: &[&[
            0.4125141635301413,
            0.2686488131110222,
            0.3845722773990301,
            0.4831516793724512,
            0.1436707573986244,
            -0.6385929336558387,
            1.233760802692986,
            1.351604501358827,
            0.06192613542228404,
            -0.4261114828631645,
            1.6519055540413805,
            -0.470569747402056,
            0.7845658159335429,
            1.3100850936861934,
            0.4656086043644969,
            -0.8264465600965214,
            -0.21609221242220747,
            0.24896302281222082,
            -0.45618861463515686,
            -1.1363616736585107,
            1.267745583365232,
            1.7500216549838299,
            0.9110733000804102,
            1.2195605094967,
            0.7763250403458862,
            0.010327158979454642,
            1.210894553249406,
            0.8198395311174641,
            1.0839064958507365,
            0.4243486878736275,
        ]],
        probabilities: &[
            (0, &[1.1822987033838217e-11, 0.999999999988177]),
            (70, &[2.590987256967381e-07, 0.9999997409012743]),
            (100, &[0.016228177770112984, 0.983771822229887]),
            (568, &[0.9999967154316122, 3.2845683878372036e-06]),
        ],
    },
    Recorded {
        data: IRIS,
        c: 1.0,
        weighted: false,
        intercepts: &[-0.20524113301620997, 2.0748397842352224, -1.8695986512190124],
        coefficients: &[
            &[-1.074066154156825, 1.1601151162144576, -1.9306918616825621, -1.811556124247104],
            &[0.5878102398479439, -0.3618406263284967, -0.3634310229373779, -0.8262695764030457],
            &[0.48625591430888143, -0.7982744898859607, 2.29412288461994, 2.6378257006501475],
        ],
        probabilities: &[
            (0, &[0.9846955587159982, 0.015304379267370945, 6.201663072899537e-08]),
            (70, &[0.012012143435352523, 0.440326224219119, 0.5476616323455284]),
            (100, &[1.4921138274526305e-05, 0.006224872824127634, 0.993760206037598]),
            (149, &[0.0030455731590297804, 0.2938950390648952, 0.7030593877760749]),
        ],
    },
    Recorded {
        data: IRIS,
        c: 1.0,
        weighted: true,
        intercepts: &[-0.21105251623700383, 2.6324964762872485, -2.4214439600502446],
        coefficients: &[
            &[-1.2740248052459748, 1.3143036151252276, -2.364949967454273, -2.2585085877318725],
            &[0.8823530410710408, -0.32364485332601123, -0.8248788872740431, -0.8654131871786304],
            &[0.3916717641749312, -0.9906587617992124, 3.1898288547283173, 3.1239217749105017],
        ],
        probabilities: &[
            (0, &[0.991470740309322, 0.008529258787945493, 9.027325489025337e-10]),
            (70, &[0.005372665724761513, 0.4467934769365363, 0.5478338573387022]),
            (100, &[1.1000582740986644e-06, 0.0018731018932455605, 0.9981257980484802]),
            (149, &[0.0010067865658895366, 0.2319266742045005, 0.76706653922961]),
        ],
    },
    Recorded {
        data: IRIS,
        c: 100.0,
        weighted: false,
        intercepts: &[0.6982159457968079, 6.731231120254328, -7.429447066051135],
        coefficients: &[
            &[-2.2675663007854623, 2.6383397829182766, -5.871799299596378, -5.495273436156085],
            &[1.9603851340330034, -0.3015655129620534, -2.995696508390851, -2.2317482548190366],
            &[0.3071811667524705, -2.3367742699563303, 8.867495807987142, 7.727021690975123],
        ],
        probabilities: &[
            (0, &[0.9998661172431512, 0.0001338827568487095, 1.3441795444235743e-23]),
            (70, &[3.317628705338078e-05, 0.5106179774187614, 0.4893488462941854]),
            (100, &[1.3475171232981228e-14, 1.1768701673273046e-07, 0.9999998823129698]),
            (149, &[5.27347249891137e-07, 0.05130635065896635, 0.9486931219937836]),
        ],
    },
];

#[test]
fn agrees_with_scikit_learn() {
    for recorded in RECORDED {
        let table = CountedRows::read(recorded.data, recorded.weighted);
        let classes = recorded.coefficients.len().max(2);
        let settings = LogisticSettings { c: recorded.c, ..LogisticSettings::default() };
        let fit = fit(&table, classes, &settings).unwrap();
        assert!(fit.converged, "{fit:?}");
        let largest =
            recorded.coefficients.iter().copied().flatten().fold(0.0_f64, |most, value| most.max(value.abs()));
        let mut worst = 0.0_f64;
        for (score, coefficients) in recorded.coefficients.iter().enumerate() {
            worst = worst.max((fit.intercepts[score] - recorded.intercepts[score]).abs() / largest);
            for (column, expected) in coefficients.iter().enumerate() {
                worst = worst.max((fit.coefficients[column][score] - expected).abs() / largest);
            }
        }
        let mut off = 0.0_f64;
        for (row, expected) in recorded.probabilities {
            for (got, expected) in probabilities(&fit, &table.rows[*row].0).iter().zip(*expected) {
                off = off.max((got - expected).abs());
            }
        }
        println!(
            "C={} weighted={}: {worst:e} of the largest coefficient, probabilities {off:e}, {} passes, gradient {:e}",
            recorded.c, recorded.weighted, fit.iterations, fit.gradient
        );
        assert!(worst < 1e-8 && off < 1e-8, "C={}: {worst:e} {off:e}", recorded.c);
    }
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

/// With so little regularization, rounding errors determine the coefficients of dependent columns, but the gradient is zero.
#[test]
fn a_fit_whose_gradient_is_a_rounding_error_has_converged() {
    let row = |i: u32| {
        let (a, b) = (f64::from(i * 7919 % 1013) / 500.0 - 1.0, f64::from(i * 104_729 % 997) / 500.0 - 1.0);
        (vec![a, b, a + b], f64::from(u32::from(a + (7.0 * f64::from(i)).sin() > 0.0)), 1.0)
    };
    let table = CountedRows::new((0..200).map(row).collect());
    for c in [1e6, 1e9, 1e12, 1e15] {
        let fit = fit(&table, 2, &LogisticSettings { c, ..LogisticSettings::default() }).unwrap();
        assert!(fit.converged && !fit.separated && fit.gradient <= 1e-8, "{c:e}: {fit:?}");
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
        let standardisation = standardisation(&table, 3).unwrap().finish(&table.columns).unwrap();
        Problem::new(&table, standardisation, &settings, threads).unwrap().fit(1.0).unwrap()
    };
    let one = on(1);
    assert!(one.converged);
    for threads in [2, 3, 16] {
        assert_eq!(on(threads), one);
    }
    assert_eq!(fit(&table, 3, &LogisticSettings::default()).unwrap(), one);
}

/// Coefficients are finite for every C, and reported as separated where only the penalty keeps them finite.
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
            let fit =
                fit(&CountedRows::new(rows.clone()), classes, &LogisticSettings { c, ..LogisticSettings::default() })
                    .unwrap();
            let all = fit.coefficients.iter().flatten().chain(&fit.intercepts);
            assert!(all.clone().all(|value| value.is_finite()), "{c}: {fit:?}");
            assert!(fit.separated == (c >= 1e4), "{c}: {fit:?}");
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
fn both_forms_of_newtons_method_find_the_same_minimum() {
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
        let standardisation = || standardisation(&table, classes).unwrap().with_settings(&settings).finish_part();
        let dense = StandardisedRows::new(&table, &standardisation(), intercept, 1).unwrap();
        let tiles = StandardisedRows::new(&table, &standardisation(), intercept, 1).unwrap();
        let scores = if classes == 2 { 1 } else { classes };
        let start = vec![vec![0.0; columns as usize + 1]; scores];
        let (penalty, weight) = (iterate::penalty(&settings, &standardisation()), standardisation().weight);
        let expected = newton::minimise(&dense, start.clone(), &settings, penalty, weight).unwrap().0;
        assert!(expected.converged);
        let gram = truncated_newton::gram(&tiles, columns as usize + 1).unwrap();
        for gram in [Some(gram.as_slice()), None] {
            let found = truncated_newton::minimise(&tiles, start.clone(), &settings, penalty, weight, gram).unwrap();
            assert!(found.converged, "{rows} {columns} {classes}: {found:?}");
            let values = found.point.parameters.iter().flatten().zip(expected.point.parameters.iter().flatten());
            let worst = values.map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
            let size = expected.point.size();
            assert!(worst < 1e-9 * size, "{rows} {columns} {classes}: {worst:e}, {} passes", found.passes);
            println!("{rows} {columns} {classes} {c} {}: {} passes, {worst:e}", gram.is_some(), found.passes);
        }
    }
}

#[test]
fn many_classes_and_columns_have_the_same_bits_on_any_number_of_threads() {
    let table = clusters(1200, 60, 9);
    let settings = LogisticSettings::default();
    let on = |threads| {
        let standardisation = standardisation(&table, 9).unwrap().finish(&table.columns).unwrap();
        assert!(!is_small(&standardisation, 9));
        Problem::new(&table, standardisation, &settings, threads).unwrap().fit(1.0).unwrap()
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
