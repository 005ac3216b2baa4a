//! What a colleague reads about a model: a page (`--report FILE.html`) and a model card (`--card FILE.md`).
//!
//! Both are plain functions of a [`ReportInput`]. What concerns single rows comes from an [`Observer`], to which the
//! labelled rows are shown once:
//!
//! ```no_run
//! # use ordinate_model::Model;
//! # use ordinate_train::report::{Observer, ReportInput, html};
//! # fn report(model: &Model, rows: Vec<(Vec<f64>, bool)>) -> Result<String, Box<dyn std::error::Error>> {
//! let mut observer = Observer::new(model);
//! for (row, held_out) in &rows {
//!     observer.push(row, *held_out)?;
//! }
//! let observed = observer.finish()?;
//! Ok(html(&ReportInput { observed: Some(&observed), ..ReportInput::new(model.document()) }))
//! # }
//! ```

mod card;
mod chart;
mod coefficients;
mod diagnostics;
mod effects;
mod page;
mod report_data;
mod table;

pub use card::card;
pub use page::html;
pub use report_data::{Column, Observed, Observer, Point, SAMPLE_ROWS};

use serde_json::Value;

use super::evaluate::Metrics;
use super::plan::TEST_ROWS;
use super::solver::cross_validation::{Candidate, Choice, Rule};
use super::summary::Summary;
use ordinate_model::artifact::Document;
use ordinate_model::wording::counted;

/// What is known of a model; sections without their input are left out.
#[derive(Debug, Clone, Copy)]
pub struct ReportInput<'a> {
    /// The model file.
    pub document: &'a Document,
    /// What the data are called, such as the file's name; empty when they have no name.
    pub data: &'a str,
    /// The summary of a least-squares fit.
    pub summary: Option<&'a Summary>,
    /// What was seen of the rows.
    pub observed: Option<&'a Observed>,
    /// The cross-validation that chose the penalty.
    pub path: Option<&'a ValidationPath>,
    /// What readers must know besides: warnings of the fit, one sentence each.
    pub notes: &'a [String],
}

impl<'a> ReportInput<'a> {
    /// Nothing but the file.
    #[must_use]
    pub fn new(document: &'a Document) -> Self {
        Self { document, data: "", summary: None, observed: None, path: None, notes: &[] }
    }

    /// Metrics by the rows they were measured on: those of the observed rows, or else those in the file.
    fn metrics(&self) -> Vec<MeasuredOn> {
        let observed = self.observed.map_or([None, None], |observed| {
            [("fitted", &observed.fitted_metrics), ("held out", &observed.held_out_metrics)]
                .map(|(side, metrics)| metrics.as_ref().map(|metrics| (side, metrics)))
        });
        let observed: Vec<_> = observed
            .into_iter()
            .flatten()
            .map(|(side, Metrics { rows, values })| MeasuredOn {
                side: side.to_owned(),
                rows: Some(*rows),
                values: values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            })
            .collect();
        if !observed.is_empty() {
            return observed;
        }
        let metrics = self.document.training.metrics.iter();
        metrics
            .map(|(key, values)| MeasuredOn {
                side: match key.as_str() {
                    "train" => "fitted".to_owned(),
                    "test" => "held out".to_owned(),
                    other => other.to_owned(),
                },
                rows: None,
                values: values.iter().map(|(name, value)| (name.clone(), *value)).collect(),
            })
            .collect()
    }
}

/// Metrics, and what they were measured on.
#[derive(Debug, Clone)]
struct MeasuredOn {
    side: String,
    rows: Option<u64>,
    values: Vec<(String, f64)>,
}

impl MeasuredOn {
    fn get(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
    }
}

/// A cross-validation over a path of penalties.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidationPath {
    /// What varied: `alpha`, or `C`.
    pub parameter: String,
    /// What was scored, such as `mean squared error`; smaller is better.
    pub score: String,
    /// Folds.
    pub folds: u32,
    /// One candidate each.
    pub points: Vec<PathPoint>,
    /// The value that was chosen.
    pub chosen: f64,
    /// The rule it was chosen by, such as `one standard error`.
    pub rule: String,
}

impl ValidationPath {
    /// What a choice was made from.
    #[must_use]
    pub fn new(choice: &Choice, folds: u32, classes: bool) -> Self {
        let (parameter, score) = if classes { ("1 / C", "log loss") } else { ("alpha", "mean squared error") };
        let rule = match choice.rule {
            Rule::Best => "smallest error",
            Rule::OneStandardError => "highest price within one standard error of the smallest",
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
            points: choice.path.iter().map(point).collect(),
            chosen: choice.alpha,
            rule: rule.to_owned(),
        }
    }
}

/// One candidate of a cross-validation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathPoint {
    /// The value of the parameter, positive.
    pub value: f64,
    /// The mean score over the folds.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Coefficients that are not zero, where the penalty makes zeros.
    pub nonzero: Option<usize>,
}

/// Text for HTML, in elements and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Whether the model was measured on other files than those it was fitted to.
fn tested_apart(input: &ReportInput<'_>) -> bool {
    input.document.training.parameters.contains_key(TEST_ROWS)
}

/// A parameter in words: text without its quotes, a list without its brackets.
fn told(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(values) => values.iter().map(told).collect::<Vec<_>>().join(", "),
        Value::Object(values) => {
            values.iter().map(|(name, value)| format!("{name}={}", told(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// What a family is called in a sentence.
fn family(document: &Document) -> &'static str {
    match document.estimator.family() {
        "linear" => "ordinary least squares",
        "ridge" => "ridge regression",
        "lasso" => "the lasso",
        "elastic-net" => "the elastic net",
        "logistic" => "logistic regression",
        other => other,
    }
}
