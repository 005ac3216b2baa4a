//! Whether the answers of trained models hold what they say they hold: by simulation through the whole of training, where
//! the truth is known. `cargo test --features train --lib coverage -- --nocapture` prints the shares.

mod calibration;

use std::fmt::Write as _;
use std::path::Path;

use super::plan::{PenaltyPlan, Plan, Strength};
use super::preparation::Preparation;
use super::{Estimator, train};
use ordinate_model::answer::IntervalMethod;
use ordinate_model::cell::Cell;
use ordinate_model::frame::RowsBuilder;
use ordinate_model::identity::ModelName;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::scalar::Scalar;
use ordinate_model::{Model, Wanted};
use ordinate_table::{Origin, Selection};

/// Simulated data sets for each way to make intervals, each with one new row, so that all are independent: a share of 0.95
/// has a standard deviation of √(0.95 · 0.05 ÷ 2000) = 0.005.
const DATA_SETS: u32 = 2000;
const FEATURES: usize = 2;
const LEVEL: f64 = 0.95;

/// `SplitMix64`, and from it normal numbers: the same ones in every run.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (ordinate_model::random::mix(self.0) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = (-2.0 * (1.0 - self.uniform()).ln(), std::f64::consts::TAU * self.uniform());
        radius.sqrt() * angle.cos()
    }
}

/// Rows that a fit has not seen.
#[derive(Debug, Clone, Copy)]
enum HeldOut {
    Nothing,
    /// As by `--test`. Of m exchangeable scores the ⌈0.95 (m + 1)⌉-th least holds the next with a probability between 0.95
    /// and 0.95 + 1 ÷ (m + 1): with 39 it is 38 ÷ 40, with 99 it is 95 ÷ 100, which is 0.95 itself, so that a
    /// share may be wrong in either direction.
    File(usize),
    /// Half of the data, to all of which the model is fitted in the end. How many rows that is varies, so that the
    /// probability is about 0.95 + ½ ÷ (m + 1), and a fit to twice the rows errs less than its scores: m must be
    /// 100 or so that both stay well below 0.015.
    Half,
}

/// A new answer has the weight 1.
struct Row {
    x: [f64; FEATURES],
    mean: f64,
    weight: f64,
    y: String,
}

/// How rows come about, and what is fitted to them.
struct Simulated {
    estimator: Estimator,
    alpha: f64,
    transform: TargetTransform,
    weighted: bool,
    rows: usize,
    held_out: HeldOut,
    /// From the mean and the standard deviation of the noise.
    target: fn(&mut Random, mean: f64, deviation: f64) -> String,
}

/// How many of the simulated truths the model's answers held.
#[derive(Default)]
struct Coverage {
    answers: f64,
    /// 0 where the model tells no interval of the mean.
    means: f64,
    size: f64,
}

impl Simulated {
    fn row(&self, random: &mut Random, truth: [f64; FEATURES], is_new: bool) -> Row {
        // Half of it common to both: they are correlated.
        let common = random.normal();
        let x = [(); FEATURES].map(|()| (common + random.normal()) / 2.0_f64.sqrt());
        let mean = 10.0 + x.iter().zip(truth).map(|(x, b)| x * b).sum::<f64>();
        let weight = if self.weighted && !is_new { 0.25 + 4.0 * random.uniform() } else { 1.0 };
        let y = (self.target)(random, mean, 1.0 / weight.sqrt());
        Row { x, mean, weight, y }
    }

    fn model(&self, folder: &Path, seed: u64, rows: &[Row], tested: &[Row]) -> Model {
        let write = |name: &str, rows: &[Row]| {
            let mut text = "a,b,weight,y\n".to_owned();
            for Row { x: [a, b], weight, y, .. } in rows {
                writeln!(text, "{a},{b},{weight},{y}").unwrap();
            }
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            Origin { paths: vec![path], ..Origin::default() }
        };
        let trained = train(&Plan {
            origin: write("data.csv", rows),
            selection: Selection {
                target: "y".into(),
                features: vec!["a".into(), "b".into()],
                weights: self.weighted.then(|| "weight".into()),
                ..Selection::default()
            },
            preparation: Preparation { target_transform: self.transform, ..Preparation::default() },
            name: ModelName::try_from("simulated".to_owned()).unwrap(),
            estimator: Some(self.estimator),
            penalty: PenaltyPlan {
                alpha: self.estimator.has_alpha().then_some(Strength::Fixed(self.alpha)),
                ..PenaltyPlan::default()
            },
            calibrate: true,
            test: (!tested.is_empty()).then(|| write("test.csv", tested)),
            test_fraction: if matches!(self.held_out, HeldOut::Half) { 0.5 } else { 0.0 },
            seed,
            observe: false,
            created: "2026-11-23T00:00:00Z".to_owned(),
        });
        Model::from_json(trained.unwrap().document.to_json().unwrap().as_bytes()).unwrap()
    }

    /// Adds whether a new answer, and its mean, lie within their intervals, or the answer in its set; and how wide those are.
    fn add(&self, coverage: &mut Coverage, model: &Model, new: &Row, method: IntervalMethod) {
        let mut frame = RowsBuilder::new(model.signature(), 1);
        frame.start_row().unwrap();
        new.x.iter().for_each(|value| frame.push(Cell::Double(*value)));
        frame.end_positional_row();
        let frame = frame.finish().unwrap();
        let certainty = model.available_intervals().unwrap();
        assert_eq!(certainty.method, method);
        if let HeldOut::File(rows) = self.held_out {
            assert!(method != IntervalMethod::Conformal || certainty.held_out_rows == Some(rows as u64));
        }
        let classifies = model.classes().is_some();
        let wanted = Wanted {
            interval: Some(LEVEL).filter(|_| !classifies),
            mean_interval: Some(LEVEL).filter(|_| model.has_mean_intervals()),
            prediction_sets: Some(LEVEL).filter(|_| classifies),
            ..Wanted::default()
        };
        let answer = model.answer(&frame, &wanted).unwrap();
        if let Some(sets) = &answer.prediction_sets {
            coverage.answers += f64::from(u8::from(sets[0].contains(&&Scalar::Text(new.y.clone()))));
            coverage.size += sets[0].len() as f64;
            return;
        }
        let [interval] = answer.intervals.unwrap()[..] else { panic!("one row") };
        let within = |[low, high]: [f64; 2], value: f64| f64::from(u8::from(low <= value && value <= high));
        coverage.answers += within(interval, new.y.parse().unwrap());
        coverage.means += answer.mean_intervals.map_or(0.0, |ends| within(ends[0], new.mean));
        coverage.size += interval[1] - interval[0];
    }

    /// The shares of new answers and of their means that lie within intervals, or in sets, of 95 %.
    fn coverage(&self, method: IntervalMethod) -> Coverage {
        let folder = tempfile::tempdir().unwrap();
        let mut coverage = Coverage::default();
        for seed in 0..u64::from(DATA_SETS) {
            let mut random = Random(ordinate_model::random::mix(seed));
            // Of ridge the prior of which it is the posterior: coefficients of variance σ²/α. Of others any will do.
            let spread = if self.estimator == Estimator::Ridge { 1.0 / self.alpha.sqrt() } else { 1.0 };
            let truth = [(); FEATURES].map(|()| spread * random.normal());
            let tested = if let HeldOut::File(rows) = self.held_out { rows } else { 0 };
            let rows: Vec<Row> = (0..self.rows + tested).map(|_| self.row(&mut random, truth, false)).collect();
            let (rows, tested) = rows.split_at(self.rows);
            let new = self.row(&mut random, truth, true);
            self.add(&mut coverage, &self.model(folder.path(), seed, rows, tested), &new, method);
        }
        let Coverage { answers, means, size } = coverage;
        let [answers, means, size] = [answers, means, size].map(|sum| sum / f64::from(DATA_SETS));
        let (name, weighted) = (self.estimator.name(), if self.weighted { ", weighted" } else { "" });
        let (transform, held_out) = (self.transform, self.held_out);
        println!(
            "{name}{weighted}, {transform:?}, held out {held_out:?}, {method:?}: 0.95 holds {answers:.4} of answers, \
             {means:.4} of means, mean size {size:.4}"
        );
        Coverage { answers, means, size }
    }
}

fn normal(random: &mut Random, mean: f64, deviation: f64) -> String {
    (mean + deviation * random.normal()).to_string()
}

/// Far more great errors than normal ones, and none of them in the middle.
fn wild(random: &mut Random, mean: f64, deviation: f64) -> String {
    let noise = random.normal();
    (mean + deviation * noise * noise * noise).to_string()
}

fn log_normal(random: &mut Random, mean: f64, deviation: f64) -> String {
    (0.3 * (mean - 10.0 + deviation * random.normal())).exp().to_string()
}

fn class(random: &mut Random, mean: f64, deviation: f64) -> String {
    let score = mean - 10.0 + deviation * random.normal();
    let class = if score < -0.5 { "low" } else { "middle" };
    (if score > 0.5 { "high" } else { class }).to_owned()
}

fn as_said(coverage: f64) -> bool {
    (0.935..=0.965).contains(&coverage)
}

const LINEAR: Simulated = Simulated {
    estimator: Estimator::Linear,
    alpha: 0.0,
    transform: TargetTransform::Identity,
    weighted: false,
    rows: 60,
    held_out: HeldOut::Nothing,
    target: normal,
};

const LASSO: Simulated =
    Simulated { estimator: Estimator::Lasso, alpha: 0.1, held_out: HeldOut::File(39), target: wild, ..LINEAR };

#[test]
fn intervals_of_least_squares_hold_what_they_say_of_answers_and_means() {
    let linear = LINEAR.coverage(IntervalMethod::StudentT);
    assert!(as_said(linear.answers) && as_said(linear.means));
    // So few rows that a normal distribution in the place of Student's would hold 0.91.
    let weighted = Simulated { weighted: true, rows: 10, ..LINEAR }.coverage(IntervalMethod::StudentT);
    assert!(as_said(weighted.answers) && as_said(weighted.means));
}

#[test]
fn intervals_of_a_ridge_hold_what_they_say_of_answers_and_means() {
    let ridge =
        Simulated { estimator: Estimator::Ridge, alpha: 30.0, ..LINEAR }.coverage(IntervalMethod::StudentTRidge);
    assert!(as_said(ridge.answers) && as_said(ridge.means));
}

#[test]
fn intervals_of_a_lasso_hold_what_they_say_whatever_the_noise() {
    assert!(as_said(LASSO.coverage(IntervalMethod::Conformal).answers));
    let refitted = Simulated { rows: 200, held_out: HeldOut::Half, ..LASSO };
    assert!(as_said(refitted.coverage(IntervalMethod::Conformal).answers));
}

#[test]
fn intervals_of_an_elastic_net_hold_what_they_say_whatever_the_noise() {
    let elastic_net = Simulated { estimator: Estimator::ElasticNet, ..LASSO };
    assert!(as_said(elastic_net.coverage(IntervalMethod::Conformal).answers));
}

#[test]
fn intervals_of_a_logged_target_hold_what_they_say() {
    let logged = Simulated { transform: TargetTransform::Log, target: log_normal, ..LINEAR };
    assert!(as_said(logged.coverage(IntervalMethod::StudentT).answers));
    let lasso = Simulated { transform: TargetTransform::Log, alpha: 0.01, target: log_normal, ..LASSO };
    assert!(as_said(lasso.coverage(IntervalMethod::Conformal).answers));
}

/// The classes overlap so much that no set would be empty, which is what makes sets hold more than they say; and the scores of
/// the level are near 0.9, so that a label of p ≥ 0.9 is not one of 1 − p ≤ 0.9.
#[test]
fn sets_of_labels_hold_what_they_say_and_are_no_larger_than_that_needs() {
    let classifier = Simulated { estimator: Estimator::Logistic, held_out: HeldOut::File(99), target: class, ..LINEAR };
    let sets = classifier.coverage(IntervalMethod::Conformal);
    assert!(as_said(sets.answers) && (1.2..2.5).contains(&sets.size));
}
