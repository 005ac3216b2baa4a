//! Whether probabilities come true as often as they say on rows that nobody has seen, where a fit has few rows for its columns.

use std::fmt::Write as _;
use std::path::Path;

use super::Random;
use crate::evaluate::{Errors, Likelihoods};
use crate::plan::{PenaltyPlan, Plan};
use crate::preparation::Preparation;
use crate::{Estimator, train};
use ordinate_model::cell::Cell;
use ordinate_model::frame::RowsBuilder;
use ordinate_model::identity::ModelName;
use ordinate_model::{Model, Wanted};
use ordinate_table::{Origin, Selection};

const DATA_SETS: u64 = 30;
const ROWS: usize = 100;
const NEW_ROWS: usize = 1000;
const FEATURES: usize = 20;

type Row = (Vec<f64>, usize);

fn rows(random: &mut Random, truth: &[f64], count: usize) -> Vec<Row> {
    let row = |_| {
        let x: Vec<f64> = truth.iter().map(|_| random.normal()).collect();
        let score: f64 = x.iter().zip(truth).map(|(x, b)| x * b).sum();
        (x, usize::from(random.uniform() < 1.0 / (1.0 + (-score).exp())))
    };
    (0..count).map(row).collect()
}

/// What `ordinate train` makes of the rows by default, and with `--no-calibration`.
fn model(folder: &Path, seed: u64, rows: &[Row], calibrate: bool) -> Model {
    let names: Vec<String> = (0..FEATURES).map(|feature| format!("x{feature}")).collect();
    let mut text = names.join(",") + ",y\n";
    for (x, class) in rows {
        for x in x {
            write!(text, "{x},").unwrap();
        }
        text.push_str(if *class == 1 { "yes\n" } else { "no\n" });
    }
    let path = folder.join("data.csv");
    std::fs::write(&path, text).unwrap();
    let trained = train(&Plan {
        origin: Origin { paths: vec![path], ..Origin::default() },
        selection: Selection { target: "y".into(), ..Selection::default() },
        preparation: Preparation::default(),
        name: ModelName::try_from("simulated".to_owned()).unwrap(),
        estimator: Some(Estimator::Logistic),
        penalty: PenaltyPlan::default(),
        calibrate,
        test: None,
        test_fraction: 0.2,
        seed,
        observe: false,
        created: "2026-11-23T00:00:00Z".to_owned(),
    });
    Model::from_json(trained.unwrap().document.to_json().unwrap().as_bytes()).unwrap()
}

/// The calibration slope on new rows, and the mean log loss.
fn measured(model: &Model, new: &[Row]) -> (f64, f64) {
    let mut frame = RowsBuilder::new(model.signature(), new.len());
    for (x, _) in new {
        frame.start_row().unwrap();
        for value in x {
            frame.push(Cell::Double(*value));
        }
        frame.end_positional_row();
    }
    let frame = frame.finish().unwrap();
    let probabilities = model.answer(&frame, &Wanted::default()).unwrap().probabilities.unwrap();
    let rows: Vec<Likelihoods> = probabilities
        .rows()
        .zip(new)
        .map(|(row, (_, actual))| Likelihoods { actual: *actual, weight: 1.0, probabilities: row.into() })
        .collect();
    let loss = rows.iter().map(|row| -row.probabilities[row.actual].ln()).sum::<f64>() / rows.len() as f64;
    (Errors::Classes(rows).calibration().unwrap().before.slope.unwrap(), loss)
}

#[test]
fn probabilities_of_new_rows_come_true_more_nearly_than_without_calibration() {
    let folder = tempfile::tempdir().unwrap();
    let (mut slopes, mut losses) = ([0.0; 2], [0.0; 2]);
    let mut nearer = 0;
    for seed in 0..DATA_SETS {
        let mut random = Random(ordinate_model::random::mix(seed));
        let truth: Vec<f64> = (0..FEATURES).map(|_| random.normal() * 2.25 / (FEATURES as f64).sqrt()).collect();
        let seen = rows(&mut random, &truth, ROWS);
        let new = rows(&mut random, &truth, NEW_ROWS);
        let of = [false, true].map(|calibrate| measured(&model(folder.path(), seed, &seen, calibrate), &new));
        for (position, (slope, loss)) in of.into_iter().enumerate() {
            // Slopes are factors: what is averaged is their logarithm.
            slopes[position] += slope.ln() / DATA_SETS as f64;
            losses[position] += loss / DATA_SETS as f64;
        }
        nearer += u64::from(of[1].0.ln().abs() < of[0].0.ln().abs());
    }
    let slopes = slopes.map(f64::exp);
    println!(
        "slope {slopes:?}, log loss {losses:?} (without, with calibration), nearer to 1 in {nearer} of {DATA_SETS}"
    );
    // The logarithm of a calibrated slope has a standard deviation of 0.36 over data sets: 0.07 of the mean of 30.
    assert!(slopes[0] < 0.7 && (0.65..1.15).contains(&slopes[1]));
    assert!(slopes[1].ln().abs() < slopes[0].ln().abs() - 0.15);
    // By chance it would be 15 ± 3.
    assert!(nearer > 20 && losses[1] < losses[0]);
}
