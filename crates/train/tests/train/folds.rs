//! `--cross-validate` measures in each fold the fit to the other rows: training on those rows, with the fold as test
//! data, has the same metrics.

use std::collections::BTreeSet;
use std::path::Path;

use ordinate_model::identity::ModelName;
use ordinate_model::random::mix;
use ordinate_table::{Origin, Selection};
use ordinate_train::holdout::Holdout;
use ordinate_train::plan::{ClassPlan, PenaltyPlan, PenaltyStrength, Plan};
use ordinate_train::preparation::Preparation;
use ordinate_train::solver::robust_errors::StandardErrors;
use ordinate_train::{EstimatorKind, Trained, train};
use rstest::rstest;

use EstimatorKind::{ElasticNet, Gamma, Lasso, Linear, Logistic, Poisson, Ridge};
use PenaltyStrength::{Auto, Fixed};

const FOLDS: u32 = 4;
const SEED: u64 = 5;

/// The row in which the column `rare` has another value, so that it is constant without the fold of that row.
const RARE: u64 = 100;

/// A table of two numbers, categories, a weight and a target, and the fits to it.
struct Case {
    estimator: EstimatorKind,
    strength: Option<PenaltyStrength>,
    /// The number of levels of each category.
    categories: &'static [u64],
    rows: u64,
    balanced: bool,
    through_origin: bool,
}

const SMALL: Case =
    Case { estimator: Linear, strength: None, categories: &[3], rows: 240, balanced: false, through_origin: false };
const LARGE: Case = Case { categories: &[210, 60], rows: 1000, ..SMALL };

impl Case {
    fn level(&self, row: u64, category: usize) -> u64 {
        let levels = self.categories[category];
        // All of them soon, so that most rows are in a fold.
        if row < levels { row } else { mix(row + 1000 * category as u64) % levels }
    }

    /// The fields of a row; the target is the last.
    fn row(&self, row: u64) -> Vec<String> {
        let [number, noise] = [1, 2].map(|column| (mix(3 * row + column) >> 11) as f64 / (1_u64 << 53) as f64);
        let levels: Vec<u64> = (0..self.categories.len()).map(|category| self.level(row, category)).collect();
        let score = 1.5 * number + noise + levels.iter().map(|level| (level % 3) as f64 / 4.0).sum::<f64>();
        let target = match self.estimator {
            Logistic => ["low", "middle", "high"][usize::from(score > 1.2) + usize::from(score > 1.8)].to_owned(),
            Poisson => (2.0 * score).round().to_string(),
            _ => score.to_string(),
        };
        // The likelihood without a penalty has no maximum if one row alone has a column.
        let is_rare = row == RARE && self.strength != Some(Fixed(f64::INFINITY));
        let rare = if is_rare { "3.5" } else { "7.5" }.to_owned();
        let levels = levels.into_iter().map(|level| format!("l{level:03}"));
        [number.to_string(), rare].into_iter().chain(levels).chain([(row % 3 + 1).to_string(), target]).collect()
    }

    fn table(&self) -> Vec<Vec<String>> {
        (0..self.rows).map(|row| self.row(row)).collect()
    }

    fn trained(&self, folder: &Path, rows: &[&Vec<String>], test: Option<&[&Vec<String>]>) -> Trained {
        let categories: Vec<String> = (0..self.categories.len()).map(|at| format!("category{at}")).collect();
        let names = ["a", "rare"].into_iter().map(str::to_owned).chain(categories.clone());
        let header: Vec<String> = names.chain(["w", "y"].map(str::to_owned)).collect();
        let write = |name: &str, rows: &[&Vec<String>]| {
            let lines: Vec<String> = std::iter::once(&&header).chain(rows).map(|row| row.join(",") + "\n").collect();
            let path = folder.join(name);
            std::fs::write(&path, lines.concat()).unwrap();
            Origin { paths: vec![path], ..Origin::default() }
        };
        let strength = self.strength;
        // With a strength to select, folds are also those of its selection.
        let folds = (test.is_none() || strength == Some(Auto)).then_some(FOLDS);
        let (alpha, c) = if self.estimator.classifies() { (None, strength) } else { (strength, None) };
        train(&Plan {
            origin: write("data.csv", rows),
            selection: Selection { target: "y".into(), weights: Some("w".into()), ..Selection::default() },
            preparation: Preparation {
                categorical: categories,
                max_levels: Some(1000),
                through_origin: self.through_origin,
                ..Preparation::default()
            },
            name: ModelName::try_from("folds".to_owned()).unwrap(),
            estimator: Some(self.estimator),
            penalty: PenaltyPlan { alpha, c, folds, ..PenaltyPlan::default() },
            classes: ClassPlan { balanced: self.balanced, threshold: None },
            standard_errors: StandardErrors::Classical,
            calibrate: false,
            test: test.map(|rows| write("test.csv", rows)),
            test_fraction: 0.0,
            seed: SEED,
            report: false,
            created: "2026-11-30T00:00:00Z".to_owned(),
        })
        .unwrap()
    }

    /// The first rows of each level and class, which are in no fold.
    fn required(&self, table: &[Vec<String>]) -> BTreeSet<u64> {
        let mut known = BTreeSet::new();
        let mut is_first = |row: &Vec<String>| {
            let levels = (2..2 + self.categories.len()).map(|at| (at, row[at].clone()));
            let class = self.estimator.classifies().then(|| (row.len(), row[row.len() - 1].clone()));
            levels.chain(class).filter(|value| known.insert(value.clone())).count() > 0
        };
        (0..).zip(table).filter(|(_, row)| is_first(row)).map(|(number, _)| number).collect()
    }
}

#[rstest]
#[case::linear(SMALL, 1e-9)]
#[case::linear_through_the_origin(Case { through_origin: true, ..SMALL }, 1e-9)]
#[case::ridge(Case { estimator: Ridge, strength: Some(Fixed(2.0)), ..SMALL }, 1e-9)]
#[case::ridge_of_a_selected_strength(Case { estimator: Ridge, strength: Some(Auto), ..SMALL }, 1e-9)]
#[case::lasso_of_a_selected_strength(Case { estimator: Lasso, strength: Some(Auto), ..SMALL }, 1e-9)]
#[case::lasso_of_sparse_moments(
    Case { estimator: Lasso, strength: Some(Fixed(0.01)), categories: &[520], rows: 1560, ..SMALL }, 1e-9
)]
#[case::elastic_net(Case { estimator: ElasticNet, strength: Some(Fixed(0.05)), ..SMALL }, 1e-9)]
#[case::logistic(Case { estimator: Logistic, ..SMALL }, 1e-6)]
#[case::logistic_of_a_selected_strength(Case { estimator: Logistic, strength: Some(Auto), ..SMALL }, 1e-6)]
#[case::logistic_without_a_penalty(
    Case { estimator: Logistic, strength: Some(Fixed(f64::INFINITY)), ..SMALL }, 1e-6
)]
#[case::balanced_classes(Case { estimator: Logistic, balanced: true, ..SMALL }, 1e-6)]
// A strong penalty, because these fits end at a gradient of 10⁻⁴.
#[case::logistic_with_many_levels(Case { estimator: Logistic, strength: Some(Fixed(1e-3)), ..LARGE }, 1e-4)]
#[case::poisson(Case { estimator: Poisson, ..SMALL }, 1e-7)]
#[case::poisson_with_a_penalty(Case { estimator: Poisson, strength: Some(Fixed(0.1)), ..SMALL }, 1e-7)]
#[case::poisson_with_many_levels(Case { estimator: Poisson, ..LARGE }, 1e-7)]
#[case::gamma(Case { estimator: Gamma, ..SMALL }, 1e-7)]
fn each_fold_measures_the_fit_to_the_other_rows(#[case] case: Case, #[case] tolerance: f64) {
    let folder = tempfile::tempdir().unwrap();
    let table = case.table();
    let required = case.required(&table);
    let all: Vec<&Vec<String>> = table.iter().collect();
    let folds = case.trained(folder.path(), &all, None).folds.unwrap();
    assert!(folds.means.len() >= 3, "{folds:?}");

    let mut metrics = Vec::new();
    for position in 0..FOLDS {
        let holdout = Holdout::fold(position, FOLDS, SEED).keeping(required.clone());
        let (fold, others): (Vec<_>, Vec<_>) = (0..).zip(&table).partition(|(number, _)| holdout.holds_out(*number));
        let [fold, others] = [fold, others].map(|rows| rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>());
        assert!(fold.len() > 10 && others.len() > 100);
        metrics.push(case.trained(folder.path(), &others, Some(&fold)).test.unwrap().values);
    }
    // A row between two classes may be predicted as either by fits that stop near the optimum.
    let is_compared = |name: &str| tolerance < 1e-5 || name == "log_loss";
    let compared: Vec<_> = folds.means.into_iter().filter(|(name, _)| is_compared(name)).collect();
    assert!(!compared.is_empty());
    for (name, mean) in compared {
        let expected = metrics.iter().map(|values| values[name]).sum::<f64>() / f64::from(FOLDS);
        assert!((mean - expected).abs() <= tolerance * expected.abs(), "{name}: {mean}, not {expected}");
    }
}
