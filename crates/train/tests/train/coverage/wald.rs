//! The coverage of the confidence intervals of coefficients of fits without a penalty.

use std::fmt::Write as _;

use super::{Random, gamma_draw, poisson_draw};
use ordinate_model::identity::ModelName;
use ordinate_table::{Origin, Selection};
use ordinate_train::plan::{ClassPlan, PenaltyPlan, PenaltyStrength, Plan};
use ordinate_train::preparation::Preparation;
use ordinate_train::solver::robust_errors::StandardErrors;
use ordinate_train::{EstimatorKind, train};

/// Data sets. A coverage of 0.95 has a standard deviation of √(0.95 · 0.05 ÷ 2000) = 0.005.
const DATA_SETS: u64 = 2000;
const ROWS: usize = 300;

/// The true intercept and coefficients of each class against the first.
const TWO: [[f64; 3]; 1] = [[0.3, 0.8, -0.5]];
const THREE: [[f64; 3]; 2] = [[0.3, 0.8, -0.5], [-0.2, 0.4, 0.6]];

/// A simulation: the true coefficients, and a draw of the target from the linear predictor of each class against the
/// first.
struct Simulated {
    estimator: EstimatorKind,
    truth: &'static [[f64; 3]],
    target: fn(&mut Random, &[f64]) -> String,
}

/// A class by its odds against the first.
fn class(random: &mut Random, predictors: &[f64]) -> String {
    let odds: Vec<f64> = [0.0].iter().chain(predictors).map(|predictor| predictor.exp()).collect();
    let mut left = random.uniform() * odds.iter().sum::<f64>();
    let class = odds.iter().position(|odds| {
        left -= odds;
        left < 0.0
    });
    format!("c{}", class.unwrap_or(predictors.len()))
}

fn normal(random: &mut Random, predictors: &[f64]) -> String {
    (predictors[0] + random.normal()).to_string()
}

fn count(random: &mut Random, predictors: &[f64]) -> String {
    poisson_draw(random, predictors[0].exp())
}

fn amount(random: &mut Random, predictors: &[f64]) -> String {
    gamma_draw(random, predictors[0].exp())
}

/// The fraction of intervals that contain the true coefficient, for each coefficient.
fn coverage(Simulated { estimator, truth, target }: &Simulated) -> Vec<f64> {
    let penalty = match estimator {
        EstimatorKind::Logistic => {
            PenaltyPlan { c: Some(PenaltyStrength::Fixed(f64::INFINITY)), ..PenaltyPlan::default() }
        }
        EstimatorKind::Linear => PenaltyPlan::default(),
        _ => PenaltyPlan { alpha: Some(PenaltyStrength::Fixed(0.0)), ..PenaltyPlan::default() },
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.csv");
    let mut inside = vec![0.0; truth.len() * 3];
    for seed in 0..DATA_SETS {
        let mut random = Random(ordinate_model::random::mix(seed + 77));
        let mut text = "a,b,y\n".to_owned();
        for _ in 0..ROWS {
            let x = [random.normal(), random.normal()];
            let predictors: Vec<f64> = truth.iter().map(|[intercept, a, b]| intercept + a * x[0] + b * x[1]).collect();
            writeln!(text, "{},{},{}", x[0], x[1], target(&mut random, &predictors)).unwrap();
        }
        std::fs::write(&path, text).unwrap();
        let trained = train(&Plan {
            origin: Origin { paths: vec![path.clone()], ..Origin::default() },
            selection: Selection { target: "y".into(), ..Selection::default() },
            preparation: Preparation::default(),
            name: ModelName::try_from("simulated".to_owned()).unwrap(),
            estimator: Some(*estimator),
            penalty: penalty.clone(),
            standard_errors: StandardErrors::Classical,
            classes: ClassPlan::default(),
            calibrate: false,
            test: None,
            test_fraction: 0.0,
            seed: 0,
            report: false,
            created: "2026-11-28T00:00:00Z".to_owned(),
        });
        let summary = trained.unwrap().summary.unwrap();
        for ((count, term), truth) in inside.iter_mut().zip(summary.all_terms()).zip(truth.iter().flatten()) {
            let [low, high] = term.interval.unwrap();
            *count += f64::from(u8::from(low <= *truth && *truth <= high));
        }
    }
    inside.into_iter().map(|count| count / DATA_SETS as f64).collect()
}

#[test]
fn intervals_of_coefficients_contain_the_truth() {
    let simulated = [
        Simulated { estimator: EstimatorKind::Logistic, truth: &TWO, target: class },
        Simulated { estimator: EstimatorKind::Logistic, truth: &THREE, target: class },
        Simulated { estimator: EstimatorKind::Linear, truth: &TWO, target: normal },
        Simulated { estimator: EstimatorKind::Poisson, truth: &TWO, target: count },
        Simulated { estimator: EstimatorKind::Gamma, truth: &TWO, target: amount },
    ];
    for simulated in simulated {
        let coverage = coverage(&simulated);
        println!("coverage of {}, {} × 3: {coverage:?}", simulated.estimator.name(), simulated.truth.len());
        assert!(coverage.iter().all(|fraction| (0.935..=0.965).contains(fraction)), "{coverage:?}");
    }
}
