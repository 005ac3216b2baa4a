//! Statistical Reference Datasets of the National Institute of Standards and Technology, linear regression: data and
//! certified values as printed (an exact rational solution gives the same). Filip is in `tests/digits.rs`: its digits rest on how a
//! table makes powers.

#![allow(clippy::unreadable_literal, clippy::excessive_precision)]

use super::LeastSquares;
use super::tests::refined;
use crate::solver::longley::LONGLEY;
use crate::summary::{Summary, Term};

mod data;
pub(crate) use data::filip;
use data::{NORRIS, PONTIUS};

/// What NIST certifies of a set, the constant first. F of an exact fit is infinite.
struct Certified {
    name: &'static str,
    coefficients: Vec<f64>,
    standard_errors: Vec<f64>,
    residual_standard_deviation: f64,
    r2: f64,
    f: Option<f64>,
}

/// Decimal digits that have to agree.
struct Digits {
    coefficients: f64,
    standard_errors: f64,
    residual_standard_deviation: f64,
    r2: f64,
    f: f64,
}

/// As many as the certified values have, but for the last, which is rounded.
const ALL: Digits =
    Digits { coefficients: 13.5, standard_errors: 13.5, residual_standard_deviation: 13.5, r2: 14.0, f: 13.5 };

/// Decimal digits that agree: the logarithm of the relative error, or of the error where the certified value is 0.
fn digits(got: f64, certified: f64) -> f64 {
    let size = if certified.abs() > 0.0 { certified.abs() } else { 1.0 };
    (-((got - certified).abs() / size).log10()).min(15.0)
}

fn holds(certified: &Certified, least: &Digits, rows: &[Vec<f64>]) {
    agrees(certified, least, &refined(rows, false));
}

fn agrees(certified: &Certified, least: &Digits, fit: &LeastSquares) {
    let names: Vec<String> = (0..fit.means.len()).map(|column| format!("x{column}")).collect();
    let summary = Summary::new(fit, &names, "y", 0.95, None);
    let terms: Vec<&Term> = summary.intercept.iter().chain(&summary.terms).collect();
    assert_eq!(terms.len(), certified.coefficients.len());
    let worst = |number: fn(&Term) -> f64, certified: &[f64]| {
        terms.iter().zip(certified).map(|(term, certified)| digits(number(term), *certified)).fold(15.0, f64::min)
    };
    let sd = summary.residual_standard_deviation.unwrap();
    let kept = [
        ("coefficients", worst(|term| term.estimate, &certified.coefficients), least.coefficients),
        ("standard errors", worst(|t| t.standard_error.unwrap(), &certified.standard_errors), least.standard_errors),
        ("residual sd", digits(sd, certified.residual_standard_deviation), least.residual_standard_deviation),
        ("R²", digits(summary.r2.unwrap(), certified.r2), least.r2),
        ("F", certified.f.map_or(15.0, |f| digits(summary.f.unwrap(), f)), least.f),
    ];
    assert_eq!(summary.f.is_some(), certified.f.is_some());
    println!("{}: {:.1?}", certified.name, kept.map(|(what, digits, _)| (what, digits)));
    for (what, digits, least) in kept {
        assert!(digits >= least, "{}: {what} keep {digits:.1} digits", certified.name);
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
    holds(&certified, &ALL, &wampler(0.0));
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
    // What the rounding of NIST's decimals to doubles leaves.
    holds(&certified, &Digits { coefficients: 13.0, ..ALL }, &(0..=20).map(row).collect::<Vec<_>>());
}

#[test]
fn wampler_3_to_5_keep_their_digits_under_ever_more_noise() {
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
        holds(&certified, &ALL, &wampler(scale));
    }
}

#[test]
fn longley_keeps_its_digits() {
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
    holds(&certified, &ALL, &LONGLEY.map(Vec::from));
}

#[test]
fn norris_and_pontius_keep_their_digits() {
    let norris = Certified {
        name: "Norris",
        coefficients: vec![-0.262323073774029, 1.00211681802045],
        standard_errors: vec![0.232818234301152, 0.429796848199937e-3],
        residual_standard_deviation: 0.884796396144373,
        r2: 0.999993745883712,
        f: Some(5436385.54079785),
    };
    holds(&norris, &ALL, &NORRIS.map(|(y, x)| vec![x, y]));
    let pontius = Certified {
        name: "Pontius",
        coefficients: vec![0.673565789473684e-3, 0.732059160401003e-6, -0.316081871345029e-14],
        standard_errors: vec![0.107938612033077e-3, 0.157817399981659e-9, 0.486652849992036e-16],
        residual_standard_deviation: 0.205177424076185e-3,
        r2: 0.999999900178537,
        f: Some(185330865.995752),
    };
    holds(&pontius, &ALL, &PONTIUS.map(|(y, x)| vec![x, x * x, y]));
}

/// The constant of these models is no parameter: R² and F are about zero.
#[test]
fn lines_through_the_origin_keep_their_digits() {
    let certified = |name, coefficient, standard_error, residual_standard_deviation, r2, f| Certified {
        name,
        coefficients: vec![coefficient],
        standard_errors: vec![standard_error],
        residual_standard_deviation,
        r2,
        f: Some(f),
    };
    let through_origin = |rows: &[[f64; 2]]| refined(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>(), true);
    let first =
        certified("NoInt1", 2.07438016528926, 0.165289256198347e-1, 3.56753034006338, 0.999365492298663, 15750.25);
    let rows: Vec<[f64; 2]> = (0..11).map(|i| [f64::from(60 + i), f64::from(130 + i)]).collect();
    agrees(&first, &ALL, &through_origin(&rows));
    let second = certified(
        "NoInt2",
        0.727272727272727,
        0.420827318078432e-1,
        0.369274472937998,
        0.993348115299335,
        298.666666666667,
    );
    agrees(&second, &ALL, &through_origin(&[[4.0, 3.0], [5.0, 4.0], [6.0, 4.0]]));
}
