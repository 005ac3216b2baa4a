//! The calibration of probabilities on new rows, for fits with few rows for their columns.

use std::fmt::Write as _;
use std::path::Path;

use super::Random;
use ordinate_model::cell::Cell;
use ordinate_model::frame::RowsBuilder;
use ordinate_model::identity::ModelName;
use ordinate_model::{Model, Wanted};
use ordinate_table::{Origin, Selection};
use ordinate_train::evaluate::Classification;
use ordinate_train::plan::{ClassPlan, PenaltyPlan, Plan};
use ordinate_train::preparation::Preparation;
use ordinate_train::solver::robust_errors::StandardErrors;
use ordinate_train::{EstimatorKind, train};

const NEW_ROWS: usize = 2000;

type Row = (Vec<f64>, usize);

fn rows(random: &mut Random, truth: &[f64], count: usize) -> Vec<Row> {
    let row = |_| {
        let x: Vec<f64> = truth.iter().map(|_| random.normal()).collect();
        let score: f64 = x.iter().zip(truth).map(|(x, b)| x * b).sum();
        (x, usize::from(random.uniform() < 1.0 / (1.0 + (-score).exp())))
    };
    (0..count).map(row).collect()
}

/// A model without calibration, the temperature that its held-out rows give, whether it is worth it, and the reported
/// log loss and calibration slope.
struct Simulated {
    model: Model,
    temperature: f64,
    is_worth_it: bool,
    reported: [Option<f64>; 2],
}

fn simulated(folder: &Path, seed: u64, rows: &[Row]) -> Option<Simulated> {
    let features = rows[0].0.len();
    let names: Vec<String> = (0..features).map(|feature| format!("x{feature}")).collect();
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
        estimator: Some(EstimatorKind::Logistic),
        penalty: PenaltyPlan::default(),
        classes: ClassPlan::default(),
        standard_errors: StandardErrors::Classical,
        calibrate: true,
        test: None,
        test_fraction: 0.2,
        seed,
        report: true,
        created: "2026-11-23T00:00:00Z".to_owned(),
    })
    .unwrap();
    let measured = trained.report.unwrap().measured;
    let calibration = measured.calibration?;
    let metrics = measured.held_out.unwrap();
    let mut document = trained.document;
    document.inference.as_mut().unwrap().temperature = None;
    let golden = document.golden.x.clone();
    let plain = document.seal(golden).unwrap();
    Some(Simulated {
        model: Model::from_json(plain.to_json().unwrap().as_bytes()).unwrap(),
        temperature: calibration.temperature,
        is_worth_it: calibration.is_worth_it(),
        reported: ["log_loss", "calibration_slope"].map(|name| metrics.get(name)),
    })
}

/// The mean log loss and the calibration slope on new rows, with scores divided by a temperature.
fn measured(model: &Model, new: &[Row], temperature: f64) -> [f64; 2] {
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
    let mut rows = Classification::new(2);
    for (row, (_, actual)) in probabilities.rows().zip(new) {
        let odds = (row[1] / row[0]).powf(1.0 / temperature);
        rows.push(*actual, usize::from(odds > 1.0), &[1.0 / (1.0 + odds), odds / (1.0 + odds)], 1.0);
    }
    let metrics = rows.measure(None).unwrap();
    ["log_loss", "calibration_slope"].map(|name| metrics.get(name).unwrap())
}

/// The means over data sets.
#[derive(Debug, Default)]
struct Line {
    sets: u32,
    calibrated: u32,
    /// On new rows: without calibration, always calibrated, calibrated where it is worth it.
    losses: [f64; 3],
    /// The logarithms of the slopes, which are factors.
    slopes: [f64; 3],
    /// The reported log loss.
    reported: f64,
    /// The standard error of the difference of the log losses of the last and the first.
    squares: f64,
}

fn simulate(count: usize, features: usize, sets: u64) -> Line {
    let folder = tempfile::tempdir().unwrap();
    let mut line = Line::default();
    for seed in 0..sets {
        let mut random = Random(ordinate_model::random::mix(seed));
        let truth: Vec<f64> = (0..features).map(|_| random.normal() * 2.25 / (features as f64).sqrt()).collect();
        let training = rows(&mut random, &truth, count);
        let new = rows(&mut random, &truth, NEW_ROWS);
        let Some(Simulated { model, temperature, is_worth_it, reported }) = simulated(folder.path(), seed, &training)
        else {
            continue;
        };
        line.sets += 1;
        line.calibrated += u32::from(is_worth_it);
        let served = if is_worth_it { temperature } else { 1.0 };
        let results = [1.0, temperature, served].map(|temperature| measured(&model, &new, temperature));
        for (position, [loss, slope]) in results.into_iter().enumerate() {
            line.losses[position] += loss;
            line.slopes[position] += slope.ln();
        }
        line.squares += (results[2][0] - results[0][0]).powi(2);
        line.reported += reported[0].unwrap();
    }
    let sets = f64::from(line.sets);
    line.losses = line.losses.map(|sum| sum / sets);
    line.slopes = line.slopes.map(|sum| (sum / sets).exp());
    line.reported /= sets;
    line.squares = (line.squares / sets - (line.losses[2] - line.losses[0]).powi(2)).sqrt() / sets.sqrt();
    line
}

#[test]
fn calibration_improves_probabilities_on_new_rows_where_fits_are_overconfident() {
    let line = simulate(100, 20, 30);
    println!("{line:?}");
    // Both slopes are of the same data sets: the mean of 300 rises from 0.57 to 0.63.
    assert!(line.slopes[0] < 0.7 && line.slopes[2].ln().abs() < line.slopes[0].ln().abs() - 0.03);
    assert!(line.losses[2] < line.losses[0]);
}

/// With 20 held-out rows of fits that need no calibration, chance decides; the prior limits what that costs.
#[test]
fn calibration_by_few_rows_costs_little() {
    let line = simulate(100, 5, 30);
    println!("{line:?}");
    assert!(line.losses[2] - line.losses[0] < 0.005);
}

/// The table of docs/decisions.md: minutes in a debug build.
#[test]
#[ignore = "prints a table of the documentation"]
fn table_of_calibration() {
    for (rows, columns) in [(100, 20), (150, 20), (300, 20), (100, 10), (150, 10), (300, 10), (100, 5)] {
        let Line { sets, calibrated, losses, slopes, reported, squares } = simulate(rows, columns, 300);
        let [loss, always, served] = losses;
        let [slope, _, slope_served] = slopes;
        println!(
            "| {rows} | {columns} | {loss:.3} | {always:.3} | {served:.3} ± {squares:.4} | {reported:.3} | {slope:.2} | \
             {slope_served:.2} | {:.0} % |",
            100.0 * f64::from(calibrated) / f64::from(sets)
        );
    }
}
