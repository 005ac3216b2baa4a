//! Statistical Reference Datasets of the National Institute of Standards and Technology, linear regression: data and
//! certified values as printed (an exact rational solution gives the same). The certified values of Filip are tested in
//! `crates/cli/tests/cli/digits.rs`, because they need the powers that a table makes.

mod data;
mod longley;

use crate::{moments, names, refined};
use data::{NORRIS, PONTIUS, filip};
pub(crate) use longley::LONGLEY;
use ordinate_train::solver::least_squares::LeastSquaresFit;
use ordinate_train::solver::path::{Penalty, alphas, path};
use ordinate_train::summary::{Summary, Term};

/// The certified values of a data set, with the constant first. F of an exact fit is infinite.
struct Certified {
    name: &'static str,
    coefficients: Vec<f64>,
    standard_errors: Vec<f64>,
    residual_standard_deviation: f64,
    r2: f64,
    f: Option<f64>,
}

/// The decimal digits that must agree.
struct Digits {
    coefficients: f64,
    standard_errors: f64,
    residual_standard_deviation: f64,
    r2: f64,
    f: f64,
}

/// The digits of the certified values, except for the last, which is rounded.
const ALL: Digits =
    Digits { coefficients: 13.5, standard_errors: 13.5, residual_standard_deviation: 13.5, r2: 14.0, f: 13.5 };

/// The decimal digits that agree: the logarithm of the relative error, or of the error if the certified value is 0.
fn digits(got: f64, certified: f64) -> f64 {
    let size = if certified.abs() > 0.0 { certified.abs() } else { 1.0 };
    (-((got - certified).abs() / size).log10()).min(15.0)
}

fn assert_digits(certified: &Certified, least: &Digits, rows: &[Vec<f64>]) {
    assert_fit_digits(certified, least, &refined(rows, None, false));
}

fn assert_fit_digits(certified: &Certified, least: &Digits, fit: &LeastSquaresFit) {
    let names: Vec<String> = (0..fit.means.len()).map(|column| format!("x{column}")).collect();
    let summary = Summary::from_least_squares(fit, &names, "y", 0.95, None, None);
    let statistics = summary.least_squares().unwrap();
    let terms: Vec<&Term> = summary.all_terms().collect();
    assert_eq!(terms.len(), certified.coefficients.len());
    let worst = |number: fn(&Term) -> f64, certified: &[f64]| {
        terms.iter().zip(certified).map(|(term, certified)| digits(number(term), *certified)).fold(15.0, f64::min)
    };
    let sd = statistics.residual_standard_deviation.unwrap();
    let agreeing = [
        ("coefficients", worst(|term| term.estimate, &certified.coefficients), least.coefficients),
        ("standard errors", worst(|t| t.standard_error.unwrap(), &certified.standard_errors), least.standard_errors),
        ("residual sd", digits(sd, certified.residual_standard_deviation), least.residual_standard_deviation),
        ("R²", digits(statistics.r2.unwrap(), certified.r2), least.r2),
        ("F", certified.f.map_or(15.0, |f| digits(statistics.f.unwrap(), f)), least.f),
    ];
    assert_eq!(statistics.f.is_some(), certified.f.is_some());
    println!("{}: {:.1?}", certified.name, agreeing.map(|(what, digits, _)| (what, digits)));
    for (what, digits, least) in agreeing {
        assert!(digits >= least, "{}: {digits:.1} digits of the {what} agree", certified.name);
    }
}

/// y = 1 + x + … + x⁵ plus `scale` times a noise, for x = 0 … 20.
fn wampler(scale: f64) -> Vec<Vec<f64>> {
    let noise = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048];
    let row = |x: u32| {
        let powers = (1..=5).map(|power| f64::from(x).powi(power));
        let y = 1.0 + powers.clone().sum::<f64>() + scale * f64::from(noise[x.min(20 - x) as usize]);
        powers.chain([y]).collect()
    };
    (0..=20).map(row).collect()
}

#[test]
fn wampler_1_is_exact() {
    let certified = Certified {
        name: "Wampler1",
        coefficients: vec![1.0; 6],
        standard_errors: vec![0.0; 6],
        residual_standard_deviation: 0.0,
        r2: 1.0,
        f: None,
    };
    assert_digits(&certified, &ALL, &wampler(0.0));
}

#[test]
fn wampler_2_is_exact() {
    let certified = Certified {
        name: "Wampler2",
        coefficients: vec![1.0, 0.1, 0.01, 0.001, 0.0001, 0.00001],
        standard_errors: vec![0.0; 6],
        residual_standard_deviation: 0.0,
        r2: 1.0,
        f: None,
    };
    let row = |x: u32| {
        let powers = (0..=5).map(|power| f64::from(x).powi(power));
        // In integers first, so that the data are NIST's decimals.
        let factors = [100_000.0, 10_000.0, 1_000.0, 100.0, 10.0, 1.0];
        let y = powers.clone().zip(factors).map(|(power, factor)| power * factor).sum::<f64>() / 100_000.0;
        powers.skip(1).chain([y]).collect()
    };
    // The decimals of NIST are rounded to doubles.
    assert_digits(&certified, &Digits { coefficients: 13.0, ..ALL }, &(0..=20).map(row).collect::<Vec<_>>());
}

#[test]
fn wampler_3_to_5_have_the_certified_digits() {
    let standard_errors =
        [2152.32624678170, 2363.55173469681, 779.343524331583, 101.475507550350, 5.64566512170752, 0.112324854679312];
    for (name, scale, r2, f) in [
        ("Wampler3", 1.0, 0.999995559025820, 675524.458240122),
        ("Wampler4", 100.0, 0.957478440825662, 67.5524458240122),
        ("Wampler5", 10_000.0, 0.224668921574940e-2, 0.675524458240122e-2),
    ] {
        let certified = Certified {
            name,
            coefficients: vec![1.0; 6],
            standard_errors: standard_errors.map(|error| error * scale).to_vec(),
            residual_standard_deviation: 2360.14502379268 * scale,
            r2,
            f: Some(f),
        };
        assert_digits(&certified, &ALL, &wampler(scale));
    }
}

#[test]
fn longley_has_the_certified_digits() {
    let certified = Certified {
        name: "Longley",
        coefficients: vec![
            -3482258.63459582,
            15.0618722713733,
            -0.358191792925910e-1,
            -2.02022980381683,
            -1.03322686717359,
            -0.511041056535807e-1,
            1829.15146461355,
        ],
        standard_errors: vec![
            890420.383607373,
            84.9149257747669,
            0.334910077722432e-1,
            0.488399681651699,
            0.214274163161675,
            0.226073200069370,
            455.478499142212,
        ],
        residual_standard_deviation: 304.854073561965,
        r2: 0.995479004577296,
        f: Some(330.285339234588),
    };
    assert_digits(&certified, &ALL, &LONGLEY.map(Vec::from));
}

#[test]
fn norris_and_pontius_have_the_certified_digits() {
    let norris = Certified {
        name: "Norris",
        coefficients: vec![-0.262323073774029, 1.00211681802045],
        standard_errors: vec![0.232818234301152, 0.429796848199937e-3],
        residual_standard_deviation: 0.884796396144373,
        r2: 0.999993745883712,
        f: Some(5436385.54079785),
    };
    assert_digits(&norris, &ALL, &NORRIS.map(|(y, x)| vec![x, y]));
    let pontius = Certified {
        name: "Pontius",
        coefficients: vec![0.673565789473684e-3, 0.732059160401003e-6, -0.316081871345029e-14],
        standard_errors: vec![0.107938612033077e-3, 0.157817399981659e-9, 0.486652849992036e-16],
        residual_standard_deviation: 0.205177424076185e-3,
        r2: 0.999999900178537,
        f: Some(185330865.995752),
    };
    assert_digits(&pontius, &ALL, &PONTIUS.map(|(y, x)| vec![x, x * x, y]));
}

/// These models have no constant: R² and F are about zero.
#[test]
fn lines_through_the_origin_have_the_certified_digits() {
    let certified = |name, coefficient, standard_error, residual_standard_deviation, r2, f| Certified {
        name,
        coefficients: vec![coefficient],
        standard_errors: vec![standard_error],
        residual_standard_deviation,
        r2,
        f: Some(f),
    };
    let through_origin =
        |rows: &[[f64; 2]]| refined(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>(), None, true);
    let first =
        certified("NoInt1", 2.07438016528926, 0.165289256198347e-1, 3.56753034006338, 0.999365492298663, 15750.25);
    let rows: Vec<[f64; 2]> = (0..11).map(|i| [f64::from(60 + i), f64::from(130 + i)]).collect();
    assert_fit_digits(&first, &ALL, &through_origin(&rows));
    let second = certified(
        "NoInt2",
        0.727272727272727,
        0.420827318078432e-1,
        0.369274472937998,
        0.993348115299335,
        298.666666666667,
    );
    assert_fit_digits(&second, &ALL, &through_origin(&[[4.0, 3.0], [5.0, 4.0], [6.0, 4.0]]));
}

/// Ten powers of x, correlated to seven digits; coordinate descent alone would need millions of sweeps.
#[test]
fn nearly_dependent_features_need_few_sweeps() {
    let row = |(y, x): (f64, f64)| (1..=10).map(|power| x.powi(power)).chain([y]).collect::<Vec<f64>>();
    let rows: Vec<Vec<f64>> = filip().into_iter().map(row).collect();
    let moments = moments(&rows, None);
    for l1_ratio in [1.0, 0.5] {
        let mut penalties: Vec<Penalty> =
            alphas(&moments, l1_ratio, 50).into_iter().map(|alpha| Penalty::ElasticNet { alpha, l1_ratio }).collect();
        penalties.extend([1e-6, 1e-9].map(|alpha| Penalty::ElasticNet { alpha, l1_ratio }));
        for (fit, penalty) in path(&moments, &names(11), &penalties).unwrap().iter().zip(&penalties) {
            println!("{penalty:?}: {} sweeps, gap {:e}, {} zero", fit.iterations, fit.gap, fit.zero);
            assert!(fit.converged && fit.iterations < 100, "{penalty:?}: {fit:?}");
        }
    }
}
