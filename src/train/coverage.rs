//! Whether the answers of trained models hold what they say they hold: by simulation through the whole of training, where
//! the truth is known. `cargo test --features train --lib coverage -- --nocapture` prints the shares.

mod calibration;

use std::fmt::Write as _;
use std::path::Path;

use super::data::{Origin, Preparation, Selection};
use super::plan::{PenaltyPlan, Plan, Solver, Strength};
use super::{Estimator, train};
use crate::model::Model;
use crate::model::frame::{Cell, RowsBuilder};
use crate::model::identity::ModelName;
use crate::model::interval::Method;
use crate::model::preprocess::TargetTransform;
use crate::model::scalar::Scalar;

const DATA_SETS: u64 = 150;
const ROWS: usize = 200;
const NEW_ROWS: usize = 20;
const FEATURES: usize = 4;

/// `SplitMix64`, and from it normal numbers: the same ones in every run.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (crate::model::random::mix(self.0) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = (-2.0 * (1.0 - self.uniform()).ln(), std::f64::consts::TAU * self.uniform());
        radius.sqrt() * angle.cos()
    }
}

type Row = ([f64; FEATURES], String);

/// How rows come about, and what is fitted to them.
struct Simulated {
    estimator: Estimator,
    alpha: f64,
    transform: TargetTransform,
    /// Rows for `--test`, or the share that is held out of the data.
    tested: bool,
    target: fn(&mut Random, mean: f64) -> String,
}

impl Simulated {
    fn model(&self, folder: &Path, seed: u64, rows: &[Row]) -> Model {
        let write = |name: &str, rows: &[Row]| {
            let mut text = "a,b,c,d,y\n".to_owned();
            for ([a, b, c, d], y) in rows {
                writeln!(text, "{a},{b},{c},{d},{y}").unwrap();
            }
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            Origin { paths: vec![path], ..Origin::default() }
        };
        let (test, data) = rows.split_at(if self.tested { ROWS / 2 } else { 0 });
        let trained = train(&Plan {
            origin: write("data.csv", data),
            selection: Selection { target: "y".into(), ..Selection::default() },
            preparation: Preparation { target_transform: self.transform, ..Preparation::default() },
            name: ModelName::try_from("simulated".to_owned()).unwrap(),
            estimator: Some(self.estimator),
            solver: Solver::default(),
            penalty: PenaltyPlan {
                alpha: self.estimator.has_alpha().then_some(Strength::Fixed(self.alpha)),
                ..PenaltyPlan::default()
            },
            calibrate: true,
            test: self.tested.then(|| write("test.csv", test)),
            test_fraction: 0.5,
            seed,
            observe: false,
            created: "2026-11-23T00:00:00Z".to_owned(),
        });
        Model::from_json(trained.unwrap().document.to_json().unwrap().as_bytes()).unwrap()
    }

    /// The share of new answers that lie within intervals, or in sets, of 95 %; and how wide those are on average.
    fn coverage(&self, method: Method) -> f64 {
        let folder = tempfile::tempdir().unwrap();
        let (mut held, mut size) = (0_usize, 0.0);
        for seed in 0..DATA_SETS {
            let mut random = Random(crate::model::random::mix(seed));
            // The prior of which a ridge of this price is the posterior.
            let spread = if self.estimator == Estimator::Ridge { 1.0 / self.alpha.sqrt() } else { 1.0 };
            let truth = [(); FEATURES].map(|()| spread * random.normal());
            let rows: Vec<Row> = (0..ROWS + NEW_ROWS)
                .map(|_| {
                    let x = [(); FEATURES].map(|()| random.normal());
                    let mean = x.iter().zip(truth).map(|(x, b)| x * b).sum();
                    (x, (self.target)(&mut random, mean))
                })
                .collect();
            let (seen, new) = rows.split_at(ROWS);
            let model = self.model(folder.path(), seed, seen);
            let mut frame = RowsBuilder::new(model.signature(), NEW_ROWS);
            for (x, _) in new {
                frame.start_row().unwrap();
                for value in x {
                    frame.push(Cell::Double(*value));
                }
                frame.end_positional_row();
            }
            let frame = frame.finish().unwrap();
            if let Some(probabilities) = model.probabilities(&frame).unwrap() {
                for (set, (_, y)) in model.label_sets(0.95).unwrap().of(&probabilities).iter().zip(new) {
                    held += usize::from(set.contains(&&Scalar::Text(y.clone())));
                    size += set.len() as f64;
                }
                continue;
            }
            let intervals = model.intervals(0.95).unwrap();
            assert_eq!(intervals.method(), method);
            let ends = intervals.of(&frame, &model.predict(&frame).unwrap()).unwrap();
            for (ends, (_, y)) in ends.iter().zip(new) {
                let [low, high] = ends.prediction;
                held += usize::from((low..=high).contains(&y.parse().unwrap()));
                size += high - low;
            }
        }
        let answers = (DATA_SETS * NEW_ROWS as u64) as f64;
        let coverage = held as f64 / answers;
        let (how, transform) = (if self.tested { "--test" } else { "refitted" }, self.transform);
        let name = self.estimator.name();
        println!("{name}, {how}, {transform:?}, {method:?}: 0.95 holds {coverage:.4}, mean size {:.4}", size / answers);
        coverage
    }
}

fn normal(random: &mut Random, mean: f64) -> String {
    (10.0 + mean + random.normal()).to_string()
}

/// Far more great errors than normal ones, and none of them in the middle.
fn wild(random: &mut Random, mean: f64) -> String {
    let noise = random.normal();
    (10.0 + mean + noise * noise * noise).to_string()
}

fn log_normal(random: &mut Random, mean: f64) -> String {
    (0.3 * (mean + random.normal())).exp().to_string()
}

fn class(random: &mut Random, mean: f64) -> String {
    let score = mean + random.normal();
    let class = if score < -0.5 { "low" } else { "middle" };
    (if score > 0.5 { "high" } else { class }).to_owned()
}

fn as_said(coverage: f64) -> bool {
    (0.935..=0.965).contains(&coverage)
}

const LASSO: Simulated = Simulated {
    estimator: Estimator::Lasso,
    alpha: 0.1,
    transform: TargetTransform::Identity,
    tested: true,
    target: wild,
};

#[test]
fn intervals_of_a_lasso_hold_what_they_say_whatever_the_noise() {
    assert!(as_said(LASSO.coverage(Method::Conformal)));
    assert!(as_said(Simulated { tested: false, ..LASSO }.coverage(Method::Conformal)));
}

#[test]
fn intervals_of_a_logged_target_hold_what_they_say() {
    let logged = Simulated { transform: TargetTransform::Log, alpha: 0.01, target: log_normal, ..LASSO };
    assert!(as_said(logged.coverage(Method::Conformal)));
    assert!(as_said(Simulated { estimator: Estimator::Linear, ..logged }.coverage(Method::StudentT)));
}

#[test]
fn intervals_of_a_ridge_hold_what_they_say() {
    let ridge = Simulated { estimator: Estimator::Ridge, alpha: 30.0, tested: false, target: normal, ..LASSO };
    assert!(as_said(ridge.coverage(Method::StudentTRidge)));
}

/// Sets are never empty, so they may hold more than they say.
#[test]
fn sets_of_labels_hold_at_least_what_they_say() {
    let classifier = Simulated { estimator: Estimator::Logistic, target: class, ..LASSO };
    assert!(classifier.coverage(Method::Conformal) >= 0.935);
    assert!(Simulated { tested: false, ..classifier }.coverage(Method::Conformal) >= 0.935);
}
