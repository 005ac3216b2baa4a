//! Correct digits of polynomials and products in the results of `ordinate train`.

#![allow(clippy::unreadable_literal, clippy::excessive_precision, reason = "as they are printed")]

use std::fmt::Write;
use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use crate::support::{run, said};

/// y and x of the Statistical Reference Datasets' Filip, of the National Institute of Standards and Technology: a polynomial of
/// degree ten, whose powers are correlated to the last digits that a double has.
const FILIP: &str = include_str!("../../../../tests/data/filip.csv");

/// Known values of a fit, the constant first.
struct Known {
    coefficients: [f64; 11],
    standard_errors: [f64; 11],
    residual_standard_deviation: f64,
    r2: f64,
    f: f64,
}

/// The values that NIST certifies.
const CERTIFIED: Known = Known {
    coefficients: [
        -1467.48961422980,
        -2772.17959193342,
        -2316.37108160893,
        -1127.97394098372,
        -354.478233703349,
        -75.1242017393757,
        -10.8753180355343,
        -1.06221498588947,
        -0.670191154593408e-1,
        -0.246781078275479e-2,
        -0.402962525080404e-4,
    ],
    standard_errors: [
        298.084530995537,
        559.779865474950,
        466.477572127796,
        227.204274477751,
        71.6478660875927,
        15.2897178747400,
        2.23691159816033,
        0.221624321934227,
        0.142363763154724e-1,
        0.535617408889821e-3,
        0.896632837373868e-5,
    ],
    residual_standard_deviation: 0.334801051324544e-2,
    r2: 0.996727416185620,
    f: 2162.43954511489,
};

/// The exact rational solution where each power is the one before, times x, rounded to a double.
const OF_ROUNDED_POWERS: Known = Known {
    coefficients: [
        -1467.4896313887714,
        -2772.1796242619316,
        -2316.371108609359,
        -1127.9739541497518,
        -354.4782378552308,
        -75.12420262435174,
        -10.875318164699452,
        -1.0622149986404843,
        -0.06701911627445624,
        -0.002467810813235648,
        -4.029625301456807e-5,
    ],
    standard_errors: [
        298.0845304564331,
        559.7798644581967,
        466.4775712737701,
        227.2042740568501,
        71.64786595274843,
        15.289717845386996,
        2.23691159376235,
        0.22162432148628003,
        0.014236376285786287,
        0.000535617407733857,
        8.966328353654346e-6,
    ],
    residual_standard_deviation: 0.0033480105018462085,
    r2: 0.996727416207905,
    f: 2162.4395598884857,
};

/// The output of `train --json` of a fit to all rows, and the predictions for them.
fn fitted(data: &str, arguments: &str) -> (Value, Vec<f64>) {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), data).unwrap();
    let command = format!("train data.csv --out m.json --target y --test-fraction 0 --json {arguments}");
    let report: Value = serde_json::from_str(said(&run(&folder, &command))).unwrap();
    let table = run(&folder, "predict m.json data.csv");
    let predictions = said(&table).lines().skip(1).map(|line| line.rsplit_once(',').unwrap().1.parse().unwrap());
    (report["summary"].clone(), predictions.collect())
}

/// The summary of the fit.
fn summary(data: &str, arguments: &str) -> Value {
    fitted(data, arguments).0
}

/// Decimal digits that agree: the logarithm of the relative error.
fn digits(got: &Value, known: f64) -> f64 {
    -((got.as_f64().unwrap() - known) / known).abs().log10()
}

/// The digits of coefficients and of standard errors, of the worst of them; of the residual standard deviation, R² and F.
fn kept(summary: &Value, known: &Known) -> [f64; 5] {
    let terms: Vec<&Value> = [&summary["intercept"]].into_iter().chain(summary["terms"].as_array().unwrap()).collect();
    assert_eq!(terms.len(), 11);
    let worst = |name: &str, known: &[f64]| {
        terms.iter().zip(known).map(|(term, known)| digits(&term[name], *known)).fold(f64::INFINITY, f64::min)
    };
    [
        worst("estimate", &known.coefficients),
        worst("standard_error", &known.standard_errors),
        digits(&summary["residual_standard_deviation"], known.residual_standard_deviation),
        digits(&summary["r2"], known.r2),
        digits(&summary["f"], known.f),
    ]
}

fn assert_keeps(summary: &Value, known: &Known, least: [f64; 5]) {
    let kept = kept(summary, known);
    println!("{kept:.1?}");
    assert!(kept.iter().zip(least).all(|(kept, least)| *kept >= least), "{kept:.1?}");
}

/// As many digits as the certified values have, but for the last two. Predictions are sums of terms of up to 4·10⁶ in doubles.
#[test]
fn filip_made_by_degree_keeps_its_digits() {
    let (summary, predictions) = fitted(FILIP, "--degree 10");
    assert_keeps(&summary, &CERTIFIED, [13.0; 5]);
    assert_eq!(predictions.len(), 82);
    let observed = FILIP.lines().skip(1).map(|line| line.split_once(',').unwrap().0.parse::<f64>().unwrap());
    let squares = observed.zip(&predictions).map(|(y, predicted)| (y - predicted).powi(2)).sum::<f64>();
    // A prediction is rounded 20 times, to half a unit in the last place of 2²² at most and to either side; the standard
    // deviation changes by at most the root mean square of these errors (triangle inequality).
    let rounding = 2.0_f64.powi(-31) * 20.0_f64.sqrt() * (82.0_f64 / (82.0 - 11.0)).sqrt();
    let error = (squares / (82.0 - 11.0)).sqrt() - CERTIFIED.residual_standard_deviation;
    assert!(error.abs() <= rounding, "{error:e} exceeds {rounding:e}");
}

/// Columns that come rounded to doubles do not determine the coefficients of the polynomial to eight digits, but those of their own.
#[test]
fn filip_as_ten_columns_keeps_what_these_allow() {
    let mut data = format!("y,{}\n", (1..=10).map(|power| format!("x{power}")).collect::<Vec<_>>().join(","));
    for line in FILIP.lines().skip(1) {
        let (y, x) = line.split_once(',').unwrap();
        let x: f64 = x.parse().unwrap();
        let mut power = 1.0;
        data += y;
        for _ in 1..=10 {
            power *= x;
            write!(data, ",{power}").unwrap();
        }
        data.push('\n');
    }
    let summary = summary(&data, "");
    assert_keeps(&summary, &OF_ROUNDED_POWERS, [13.0; 5]);
    assert_keeps(&summary, &CERTIFIED, [7.5, 8.0, 8.0, 10.0, 8.0]);
}

/// Products just above 2⁵³, of which doubles hold the even ones, less 2⁵³.
#[test]
fn products_of_features_far_from_zero_are_not_rounded() {
    let mut data = "a,b,y\n".to_owned();
    for i in 0..40_i64 {
        let (a, b) = (94_906_267 + i, 94_906_249 + i * 7 % 11);
        writeln!(data, "{a},{b},{}", a * b - (1 << 53)).unwrap();
    }
    let (summary, predictions) = fitted(&data, "--interactions");
    let product = &summary["terms"][2];
    assert_eq!(product["name"], "a:b");
    assert!(digits(&product["estimate"], 1.0) >= 13.0, "{product}");
    assert!(summary["residual_standard_deviation"].as_f64().unwrap() < 1e-6, "{summary}");
    assert!(digits(&summary["intercept"]["estimate"], -(2.0_f64.powi(53))) >= 13.0, "{summary}");
    assert_eq!(predictions.len(), 40);
    for (predicted, line) in predictions.iter().zip(data.lines().skip(1)) {
        let observed: f64 = line.rsplit_once(',').unwrap().1.parse().unwrap();
        assert!((predicted - observed).abs() <= 1e-6, "{predicted} is not {observed}");
    }
}

/// A cube of 46,000 has four digits before the point that it shares with its neighbours. With mpmath, in 60 digits, `X` being 1 and
/// the powers, and `e = √w · (ln y − X · solve(XᵀWX, XᵀW · ln y))`: `Σ(eᵢ − eᵢ₋₁)² / Σeᵢ²` is 1.4224049993312507.
#[test]
fn durbin_watson_of_a_weighted_logged_cubic_is_that_of_its_exact_residuals() {
    let mut data = "x,y,w\n".to_owned();
    for i in 0..16_u32 {
        let x = 46000.25 + f64::from(i * 7 % 16) * 0.625;
        writeln!(data, "{x},{},{}", 1.0 + f64::from(i * i * 5 % 13) * 0.5, 1.0 + f64::from(i % 3) * 0.5).unwrap();
    }
    let (summary, _) = fitted(&data, "--weights w --degree 3 --target-transform log");
    assert!(digits(&summary["durbin_watson"], 1.4224049993312507) >= 10.0, "{summary}");
}
