//! The input of reports.

use indexmap::IndexMap;
use serde_json::Value;

use super::report_data::ReportData;
use crate::evaluate::by_name;
use crate::measured_rows::MeasuredRows;
use crate::solver::cross_validation::{Candidate, CrossValidationResult, SelectionRule};
use crate::summary::{Summary, rounded, significant};
use ordinate_model::artifact::Document;

/// A model and what is known about its training. Sections of a report without input are left out.
#[derive(Debug, Clone, Copy)]
pub struct ReportInput<'a> {
    /// The model file.
    pub document: &'a Document,
    /// The name of the training data, such as the name of the file; may be empty.
    pub data: &'a str,
    /// The summary of a least-squares fit.
    pub summary: Option<&'a Summary>,
    /// Statistics of the rows.
    pub report_data: Option<&'a ReportData>,
    /// The cross-validation that selected the regularization strength.
    pub path: Option<&'a RegularizationPath>,
    /// Notes on the data and the fit, one sentence each.
    pub notes: &'a [String],
}

impl<'a> ReportInput<'a> {
    /// The input for a model file alone.
    #[must_use]
    pub fn new(document: &'a Document) -> Self {
        Self { document, data: "", summary: None, report_data: None, path: None, notes: &[] }
    }

    /// The notes of the model file, and further ones, as sentences.
    pub(super) fn all_notes(&self) -> impl Iterator<Item = String> {
        let stored = &self.document.training.notes;
        stored.iter().chain(self.notes.iter().filter(|note| !stored.contains(note))).map(|note| sentence(note))
    }

    /// The metrics on each set of rows: those of the report data, or else those of the model file.
    pub(super) fn metrics(&self) -> Vec<RowSetMetrics> {
        let held_out = self.measured_rows().title();
        let collected = self.report_data.map_or([None, None], |data| {
            [("fitted", &data.measured.fitted), (held_out, &data.measured.held_out)].map(|(name, metrics)| {
                let metrics = metrics.as_ref()?;
                Some(RowSetMetrics {
                    name: name.to_owned(),
                    is_held_out: name == held_out,
                    rows: Some(metrics.rows),
                    values: metrics.by_name(),
                    standard_errors: by_name(&metrics.standard_errors),
                    baseline: by_name(&metrics.baseline),
                })
            })
        });
        let stored = &self.document.training.metrics;
        let set = |key: &str, name: &str| {
            let part = |part: &str| stored.get(&format!("{key}_{part}")).cloned().unwrap_or_default();
            Some(RowSetMetrics {
                name: name.to_owned(),
                is_held_out: key == "test",
                rows: None,
                values: stored.get(key)?.clone(),
                standard_errors: part("standard_errors"),
                baseline: part("baseline"),
            })
        };
        let of_folds = set("cross_validation", "cross-validation");
        let mut sets: Vec<RowSetMetrics> = collected.into_iter().flatten().collect();
        if sets.is_empty() {
            sets = [set("train", "fitted"), set("test", held_out)].into_iter().flatten().collect();
        }
        sets.extend(of_folds);
        sets
    }

    /// The columns of the data that the model ignores, without the target.
    pub(super) fn unused_columns(&self) -> Vec<&str> {
        let signature = &self.document.signature;
        let names = signature.ignored().iter().filter(|name| **name != signature.target().name);
        names.map(|name| label(name)).collect()
    }

    /// Whether the model was evaluated on test data instead of held-out rows.
    pub(super) fn measured_rows(&self) -> MeasuredRows {
        MeasuredRows::from_training(&self.document.training)
    }

    pub(super) fn has_test_data(&self) -> bool {
        self.measured_rows() == MeasuredRows::TestData
    }

    /// The probability from which the second of two classes is predicted, if the model has a threshold.
    pub(super) fn threshold(&self) -> Option<f64> {
        self.document.inference.as_ref().and_then(|inference| inference.threshold)
    }

    /// The name of the estimator in a sentence.
    pub(super) fn estimator(&self) -> &'static str {
        match self.document.estimator.family() {
            "linear" => "ordinary least squares",
            "ridge" => "ridge regression",
            "lasso" => "the lasso",
            "elastic-net" => "the elastic net",
            "logistic" => "logistic regression",
            "poisson" => "Poisson regression",
            "gamma" => "gamma regression",
            other => other,
        }
    }
}

/// A note with a capital letter at its beginning and a full stop at its end.
fn sentence(note: &str) -> String {
    let mut characters = note.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    let stop = if note.ends_with(['.', '!', '?']) { "" } else { "." };
    first.chain(characters).collect::<String>() + stop
}

/// The name of a column, which may be empty.
pub(super) fn label(name: &str) -> &str {
    if name.is_empty() { "(unnamed)" } else { name }
}

/// Metrics on a set of rows.
#[derive(Debug, Clone)]
pub(super) struct RowSetMetrics {
    /// The name of the set, such as `held out`.
    pub(super) name: String,
    /// Whether the evaluated fit did not use these rows.
    pub(super) is_held_out: bool,
    pub(super) rows: Option<u64>,
    pub(super) values: IndexMap<String, f64>,
    pub(super) standard_errors: IndexMap<String, f64>,
    /// The metrics of a prediction without features.
    pub(super) baseline: IndexMap<String, f64>,
}

impl RowSetMetrics {
    pub(super) fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }

    /// A metric with its standard error.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        Some(match self.standard_errors.get(name) {
            Some(error) => format!("{} ± {}", significant(value), rounded(*error, 2)),
            None => significant(value),
        })
    }
}

/// The names of the metrics of all sets, each once: those of the measured rows first.
pub(super) fn metric_names(sets: &[RowSetMetrics]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    let measured = sets.iter().filter(|set| set.is_held_out);
    for name in measured.chain(sets.iter()).flat_map(|set| set.values.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// A training parameter as text: strings without quotes, lists without brackets.
pub(super) fn parameter_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(values) => values.iter().map(parameter_text).collect::<Vec<_>>().join(", "),
        Value::Object(values) => {
            let pairs = values.iter().map(|(name, value)| format!("{name}={}", parameter_text(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// The scores of a cross-validation along a regularization path.
#[derive(Debug, Clone, PartialEq)]
pub struct RegularizationPath {
    /// The name of the regularization strength: `alpha` or `1 / C`.
    pub parameter: String,
    /// The name of the score, such as `mean squared error`; smaller is better.
    pub score: String,
    /// The number of folds.
    pub folds: u32,
    /// The candidates.
    pub points: Vec<PathPoint>,
    /// The selected value.
    pub selected: f64,
    /// The rule of the selection, such as `smallest error`.
    pub rule: String,
}

impl RegularizationPath {
    /// The path of a cross-validation.
    #[must_use]
    pub fn new(result: &CrossValidationResult, folds: u32, classes: bool) -> Self {
        let (parameter, score) = if classes { ("1 / C", "log loss") } else { ("alpha", "mean squared error") };
        let rule = match result.rule {
            SelectionRule::Best => "smallest error",
            SelectionRule::OneStandardError => {
                "strongest regularization within one standard error of the smallest error"
            }
        };
        let point = |candidate: &Candidate| PathPoint {
            value: candidate.alpha,
            mean: candidate.score,
            standard_error: candidate.standard_error,
            nonzero: Some(candidate.nonzero),
        };
        Self {
            parameter: parameter.to_owned(),
            score: score.to_owned(),
            folds,
            points: result.path.iter().map(point).collect(),
            selected: result.alpha,
            rule: rule.to_owned(),
        }
    }
}

/// One candidate of a cross-validation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathPoint {
    /// The regularization strength, positive.
    pub value: f64,
    /// The mean score over the folds.
    pub mean: f64,
    /// The standard error of the score.
    pub standard_error: f64,
    /// The number of coefficients that are not zero, if known.
    pub nonzero: Option<usize>,
}
