//! The coverage of intervals and prediction sets: simulations of the whole training with a known truth.
//! `cargo test -p ordinate-train --test train coverage -- --nocapture` prints the coverage.

mod calibration;
mod wald;

use std::fmt::Write as _;
use std::path::Path;

use ordinate_model::answer::IntervalMethod;
use ordinate_model::cell::Cell;
use ordinate_model::frame::RowsBuilder;
use ordinate_model::identity::ModelName;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::scalar::Scalar;
use ordinate_model::{Model, Wanted};
use ordinate_table::{Origin, Selection};
use ordinate_train::plan::{ClassPlan, PenaltyPlan, PenaltyStrength, Plan};
use ordinate_train::preparation::Preparation;
use ordinate_train::solver::robust_errors::StandardErrors;
use ordinate_train::{EstimatorKind, train};

/// Simulated data sets for each kind of interval, each with one new row, so that all are independent. A coverage of
/// 0.95 has a standard deviation of √(0.95 · 0.05 ÷ 2000) = 0.005.
const DATA_SETS: u32 = 2000;
const FEATURES: usize = 2;
const LEVEL: f64 = 0.95;

/// Uniform and normal numbers from `SplitMix64`, the same in every run.
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

/// The held-out rows of a training.
#[derive(Debug, Clone, Copy)]
enum HeldOut {
    Nothing,
    /// Test data, as with `--test`. The ⌈0.95 (m + 1)⌉-th smallest of m exchangeable scores is at least the next score
    /// with a probability between 0.95 and 0.95 + 1 ÷ (m + 1). For m = 39 (38 ÷ 40) and m = 99 (95 ÷ 100) it is exactly
    /// 0.95.
    File(usize),
    /// Half of the data; the model is then fitted to all rows. The number m of held-out rows varies, so the probability
    /// is about 0.95 + ½ ÷ (m + 1), and the fit to twice the rows has smaller errors than the scores. With m near 100,
    /// both effects are well below 0.015.
    Half,
}

/// A row with its true mean. New rows have the weight 1.
struct Row {
    x: [f64; FEATURES],
    mean: f64,
    weight: f64,
    y: String,
}

/// A simulation: the distribution of the rows, and the estimator.
struct Simulated {
    estimator: EstimatorKind,
    alpha: f64,
    transform: TargetTransform,
    weighted: bool,
    rows: usize,
    held_out: HeldOut,
    /// Draws a target from its mean and the standard deviation of the noise.
    target: fn(&mut Random, mean: f64, deviation: f64) -> String,
}

/// The fraction of intervals or sets that contain the truth.
#[derive(Default)]
struct Coverage {
    targets: f64,
    /// 0 if the model has no intervals of the mean.
    means: f64,
    size: f64,
}

impl Simulated {
    fn row(&self, random: &mut Random, truth: [f64; FEATURES], is_new: bool) -> Row {
        // A common term makes the features correlated.
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
                alpha: self.estimator.has_alpha().then_some(PenaltyStrength::Fixed(self.alpha)),
                ..PenaltyPlan::default()
            },
            classes: ClassPlan::default(),
            standard_errors: StandardErrors::Classical,
            calibrate: true,
            test: (!tested.is_empty()).then(|| write("test.csv", tested)),
            test_fraction: if matches!(self.held_out, HeldOut::Half) { 0.5 } else { 0.0 },
            seed,
            report: false,
            created: "2026-11-23T00:00:00Z".to_owned(),
        });
        Model::from_json(trained.unwrap().document.to_json().unwrap().as_bytes()).unwrap()
    }

    /// Adds whether the target and the mean of a new row are in their intervals, or the class in its set, and the size
    /// of those.
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
            coverage.targets += f64::from(u8::from(sets[0].contains(&&Scalar::Text(new.y.clone()))));
            coverage.size += sets[0].len() as f64;
            return;
        }
        let [interval] = answer.intervals.unwrap()[..] else { panic!("one row") };
        let within = |[low, high]: [f64; 2], value: f64| f64::from(u8::from(low <= value && value <= high));
        coverage.targets += within(interval, new.y.parse().unwrap());
        let mean = if self.estimator.family().is_some() { log_linear(new.mean) } else { new.mean };
        coverage.means += answer.mean_intervals.and_then(|ends| ends[0]).map_or(0.0, |ends| within(ends, mean));
        coverage.size += interval[1] - interval[0];
    }

    /// The coverage of intervals, or of prediction sets, of 95 %.
    fn coverage(&self, method: IntervalMethod) -> Coverage {
        let folder = tempfile::tempdir().unwrap();
        let mut coverage = Coverage::default();
        for seed in 0..u64::from(DATA_SETS) {
            let mut random = Random(ordinate_model::random::mix(seed));
            // Ridge is the posterior for coefficients of variance σ²/α. For other estimators any variance is fine.
            let spread = if self.estimator == EstimatorKind::Ridge { 1.0 / self.alpha.sqrt() } else { 1.0 };
            let truth = [(); FEATURES].map(|()| spread * random.normal());
            let tested = if let HeldOut::File(rows) = self.held_out { rows } else { 0 };
            let rows: Vec<Row> = (0..self.rows + tested).map(|_| self.row(&mut random, truth, false)).collect();
            let (rows, tested) = rows.split_at(self.rows);
            let new = self.row(&mut random, truth, true);
            self.add(&mut coverage, &self.model(folder.path(), seed, rows, tested), &new, method);
        }
        let Coverage { targets, means, size } = coverage;
        let [targets, means, size] = [targets, means, size].map(|sum| sum / f64::from(DATA_SETS));
        let (name, weighted) = (self.estimator.name(), if self.weighted { ", weighted" } else { "" });
        let (transform, held_out) = (self.transform, self.held_out);
        println!(
            "{name}{weighted}, {transform:?}, held out {held_out:?}, {method:?}: coverage at 0.95 of targets {targets:.4}, \
             of means {means:.4}, mean size {size:.4}"
        );
        Coverage { targets, means, size }
    }
}

fn normal(random: &mut Random, mean: f64, deviation: f64) -> String {
    (mean + deviation * random.normal()).to_string()
}

/// Noise with much heavier tails than a normal distribution.
fn heavy_tailed(random: &mut Random, mean: f64, deviation: f64) -> String {
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

/// The mean of a target with a log link: about 12, between 2 and 80 in most rows.
fn log_linear(mean: f64) -> f64 {
    (2.5 + 0.3 * (mean - 10.0)).exp()
}

fn poisson(random: &mut Random, mean: f64, _: f64) -> String {
    poisson_draw(random, log_linear(mean))
}

fn gamma(random: &mut Random, mean: f64, _: f64) -> String {
    gamma_draw(random, log_linear(mean))
}

/// A count of the events of a Poisson process until the time of the mean.
fn poisson_draw(random: &mut Random, mean: f64) -> String {
    let mut left = mean;
    let mut count = 0_u32;
    loop {
        left += (1.0 - random.uniform()).ln();
        if left < 0.0 {
            return count.to_string();
        }
        count += 1;
    }
}

/// A sum of four exponential waiting times: a gamma distribution of shape 4.
fn gamma_draw(random: &mut Random, mean: f64) -> String {
    let waits: f64 = (0..4).map(|_| -(1.0 - random.uniform()).ln()).sum();
    (mean * waits / 4.0).to_string()
}

fn is_nominal(coverage: f64) -> bool {
    (0.935..=0.965).contains(&coverage)
}

const LINEAR: Simulated = Simulated {
    estimator: EstimatorKind::Linear,
    alpha: 0.0,
    transform: TargetTransform::Identity,
    weighted: false,
    rows: 60,
    held_out: HeldOut::Nothing,
    target: normal,
};

const LASSO: Simulated = Simulated {
    estimator: EstimatorKind::Lasso,
    alpha: 0.1,
    held_out: HeldOut::File(39),
    target: heavy_tailed,
    ..LINEAR
};

#[test]
fn intervals_of_least_squares_have_their_coverage_for_targets_and_means() {
    let linear = LINEAR.coverage(IntervalMethod::StudentT);
    assert!(is_nominal(linear.targets) && is_nominal(linear.means));
    // With so few rows, normal instead of Student's t intervals would have a coverage of 0.91.
    let weighted = Simulated { weighted: true, rows: 10, ..LINEAR }.coverage(IntervalMethod::StudentT);
    assert!(is_nominal(weighted.targets) && is_nominal(weighted.means));
}

#[test]
fn intervals_of_ridge_have_their_coverage_for_targets_and_means() {
    let ridge =
        Simulated { estimator: EstimatorKind::Ridge, alpha: 30.0, ..LINEAR }.coverage(IntervalMethod::StudentTRidge);
    assert!(is_nominal(ridge.targets) && is_nominal(ridge.means));
}

#[test]
fn intervals_of_the_lasso_have_their_coverage_for_heavy_tailed_noise() {
    assert!(is_nominal(LASSO.coverage(IntervalMethod::Conformal).targets));
    let refitted = Simulated { rows: 200, held_out: HeldOut::Half, ..LASSO };
    assert!(is_nominal(refitted.coverage(IntervalMethod::Conformal).targets));
}

#[test]
fn intervals_of_the_elastic_net_have_their_coverage_for_heavy_tailed_noise() {
    let elastic_net = Simulated { estimator: EstimatorKind::ElasticNet, ..LASSO };
    assert!(is_nominal(elastic_net.coverage(IntervalMethod::Conformal).targets));
}

#[test]
fn intervals_of_a_log_target_have_their_coverage() {
    let logged = Simulated { transform: TargetTransform::Log, target: log_normal, ..LINEAR };
    assert!(is_nominal(logged.coverage(IntervalMethod::StudentT).targets));
    let lasso = Simulated { transform: TargetTransform::Log, alpha: 0.01, target: log_normal, ..LASSO };
    assert!(is_nominal(lasso.coverage(IntervalMethod::Conformal).targets));
}

/// The classes overlap so much that no set would be empty, which would increase the coverage.
#[test]
fn prediction_sets_have_their_coverage_and_are_small() {
    let classifier =
        Simulated { estimator: EstimatorKind::Logistic, held_out: HeldOut::File(99), target: class, ..LINEAR };
    let sets = classifier.coverage(IntervalMethod::Conformal);
    assert!(is_nominal(sets.targets) && (1.2..2.5).contains(&sets.size));
}

#[test]
fn intervals_of_poisson_regression_have_their_coverage_for_targets_and_means() {
    let held_out = HeldOut::File(99);
    let counts = Simulated { estimator: EstimatorKind::Poisson, rows: 100, held_out, target: poisson, ..LINEAR };
    let counts = counts.coverage(IntervalMethod::Conformal);
    assert!(is_nominal(counts.targets) && is_nominal(counts.means));
}

#[test]
fn intervals_of_gamma_regression_have_their_coverage_for_targets_and_means() {
    let held_out = HeldOut::File(99);
    let amounts = Simulated { estimator: EstimatorKind::Gamma, rows: 100, held_out, target: gamma, ..LINEAR };
    let amounts = amounts.coverage(IntervalMethod::Conformal);
    assert!(is_nominal(amounts.targets) && is_nominal(amounts.means));
}
