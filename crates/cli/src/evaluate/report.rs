//! The metrics as text or JSON.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use crate::confusion::Confusion;
use crate::line_width::line_width;
use crate::metric_table::{self, MetricColumn};
use ordinate_model::Model;
use ordinate_model::artifact::Training;
use ordinate_model::wording::counted;
use ordinate_train::evaluate::{Bin, ClassMetrics};
use ordinate_train::measured_rows::MeasuredRows;

/// The output of `--json`.
#[derive(Serialize)]
pub(super) struct EvaluationReport<'a> {
    pub(super) model: &'a str,
    pub(super) version: &'a str,
    pub(super) data: &'a str,
    pub(super) target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weights: Option<&'a str>,
    pub(super) rows: u64,
    /// Rows that cannot be used.
    pub(super) left_out: u64,
    /// Rows without a known answer.
    pub(super) without_target: u64,
    /// The features that were missing in some rows and imputed, with the number of these rows.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub(super) imputed: IndexMap<&'a str, u64>,
    pub(super) metrics: IndexMap<String, f64>,
    pub(super) standard_errors: IndexMap<String, f64>,
    /// The metrics of a prediction without features: the mean of the target in training, or the frequencies of the
    /// classes.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub(super) baseline: IndexMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confusion: Option<Confusion<'a>>,
    /// Of each class, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) class_metrics: Option<Vec<ClassMetrics>>,
    /// Bins of rows by the probability of the second of two classes, or of the predicted one of more: its mean, and the
    /// fraction of rows of that class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calibration: Option<Vec<Bin>>,
}

impl EvaluationReport<'_> {
    pub(super) fn text(&self, model: &Model) -> String {
        let Self { model: name, version, data, target, rows, .. } = self;
        let mut text = format!("{name}@{version} on {data}: {target}, {rows} rows\n\n");
        let column = |title: &str, values, standard_errors| {
            let title = title.to_owned();
            MetricColumn { title, values, standard_errors }
        };
        let here = column("these rows", &self.metrics, Some(&self.standard_errors).filter(|errors| !errors.is_empty()));
        let baseline = (!self.baseline.is_empty()).then(|| column("baseline", &self.baseline, None));
        let training = &model.document().training.metrics;
        let errors = training.get("test_standard_errors");
        let measured = MeasuredRows::from_training(&model.document().training).title();
        let title = format!("{measured} at training");
        let before = training.get("test").map(|metrics| column(&title, metrics, errors));
        let columns: Vec<MetricColumn<'_>> = [here].into_iter().chain(baseline).chain(before).collect();
        text.push_str(&metric_table::table(&columns).within(line_width()));
        if let Some(note) = self.note_on_weights(&model.document().training) {
            let _ = writeln!(text, "\n{note}");
        }
        if self.without_target > 0 {
            let rows = counted(self.without_target, "row", "rows");
            let _ = writeln!(text, "\n{rows} without a value of the target left out.");
        }
        if !self.imputed.is_empty() {
            let features = self.imputed.iter().map(|(name, count)| format!("{name} ({count})"));
            let total = counted(self.imputed.values().sum::<u64>(), "missing value was", "missing values were");
            let _ = writeln!(text, "\n{total} imputed: {}.", features.collect::<Vec<_>>().join(", "));
        }
        if let Some(confusion) = &self.confusion {
            text.extend(["\n", &confusion.table("rows").within(line_width())]);
        }
        text
    }

    /// Where only the metrics of one side are weighted.
    fn note_on_weights(&self, training: &Training) -> Option<String> {
        let at_training = training.parameters.get("weights").and_then(Value::as_str);
        match (self.weights, at_training) {
            (None, Some(name)) => Some(format!(
                "The metrics at training are weighted by {}; those of these rows are not (--weights weights them).",
                name.escape_debug()
            )),
            (Some(name), None) => Some(format!(
                "The metrics of these rows are weighted by {}; those at training are not weighted.",
                name.escape_debug()
            )),
            _ => None,
        }
    }
}
