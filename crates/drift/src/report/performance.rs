//! Metrics on rows with known answers, next to those of the model file.

use indexmap::IndexMap;
use ordinate_model::wording::{counted, rounded};
use serde::Serialize;

use super::{FALSE_ALARM_RATE, Limits};
use crate::errors::HeldOut;
use crate::observed::Observed;
use ordinate_train::distribution::normal_two_sided;
use ordinate_train::evaluate::{Metrics, by_name, title};

/// Of fewer rows, any may have most of the squared errors.
const FEW_ROWS: u64 = 10;

/// Metrics on rows with known answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Performance {
    /// Rows with known answers.
    pub rows: u64,
    /// Their metrics.
    pub metrics: IndexMap<String, f64>,
    /// The same of held-out rows or of a cross-validation at training.
    pub training: IndexMap<String, f64>,
    /// The errors that are compared with those at training.
    pub comparisons: Vec<ErrorComparison>,
    /// Whether one of them is larger: drift.
    pub drift: bool,
}

/// An error, compared with that at training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorComparison {
    /// The metric: the mean deviance, the root mean squared error or the log loss; and of a regression the median
    /// absolute error.
    pub metric: String,
    /// The probability that an unchanged error is measured to be that much larger, times the number of comparisons.
    pub p_value: f64,
    /// Whether the error is larger: drift.
    pub drift: bool,
    /// Whether the difference is large enough to be drift.
    #[serde(skip)]
    is_large: bool,
}

impl Performance {
    pub(super) fn judge(&mut self, comparisons: f64) {
        for comparison in &mut self.comparisons {
            comparison.p_value = (comparison.p_value * comparisons).min(1.0);
            comparison.drift = comparison.is_large && comparison.p_value <= FALSE_ALARM_RATE;
            self.drift |= comparison.drift;
        }
    }

    /// The titles of the errors that are drift, such as `the RMSE`.
    pub(super) fn drifted(&self) -> impl Iterator<Item = String> {
        let drifted = self.comparisons.iter().filter(|comparison| comparison.drift);
        drifted.map(|comparison| format!("the {}", title(&comparison.metric)))
    }

    /// Whether a metric is drift.
    pub(crate) fn is_drift(&self, metric: &str) -> bool {
        self.comparisons.iter().any(|comparison| comparison.drift && comparison.metric == metric)
    }
}

/// The metrics, and remarks on those that are not compared. No metrics without enough rows with known answers.
pub(super) fn performance(observed: &Observed<'_>, limits: Limits) -> (Option<Performance>, Vec<String>) {
    let mut notes = Vec::new();
    let rows = counted(observed.labelled, "row has a known answer", "rows have a known answer");
    if observed.labelled < limits.rows.max(1) {
        if observed.labelled > 0 && observed.rows >= limits.rows {
            notes.push(format!("{rows}, fewer than {}: their errors are not compared", limits.rows));
        }
        return (None, notes);
    }
    let now = observed.evaluation.measure(&[], None);
    let held_out = HeldOut::new(&observed.document().training);
    let mut comparisons = Vec::new();
    comparisons.extend(now.as_ref().zip(held_out.as_ref()).and_then(|(now, held_out)| mean_error(now, held_out)));
    comparisons.extend(observed.errors.compared().map(|(p_value, is_large)| ErrorComparison {
        metric: "median_absolute_error".to_owned(),
        p_value,
        drift: false,
        is_large,
    }));
    if comparisons.is_empty() {
        let reason = "the model file does not have errors of held-out rows with which they could be compared";
        notes.push(format!("{rows}, but {reason}"));
    }
    let metrics = if let Some(now) = &now {
        notes.extend(dominating_error(observed, now));
        by_name(&now.values)
    } else {
        let largest = rounded(observed.errors.largest, 3);
        notes
            .push(format!("an error of {largest} is too large to be squared: there is no RMSE, only the median error"));
        let median = observed.evaluation.median_absolute_error();
        median.map(|median| ("median_absolute_error".to_owned(), median)).into_iter().collect()
    };
    let training = held_out.map(|held_out| held_out.metrics.clone()).unwrap_or_default();
    (Some(Performance { rows: observed.labelled, metrics, training, comparisons, drift: false }), notes)
}

/// The mean error of the rows, by a one-sided normal test with the standard errors of both sides.
///
/// Where large errors are rare, few held-out rows may have none of them, and then their standard error is too small. It
/// is therefore at least that of so many of the new rows: without it, more than a tenth of the reports on errors with
/// the t distribution of two degrees of freedom had drift, although the distribution was the same.
fn mean_error(now: &Metrics, held_out: &HeldOut<'_>) -> Option<ErrorComparison> {
    let HeldOut { metrics, standard_errors, rows, .. } = held_out;
    let compared = ["mean_deviance", "rmse", "log_loss"]
        .into_iter()
        .find(|name| now.get(name).is_some() && metrics.contains_key(*name) && standard_errors.contains_key(*name))?;
    let (before, after) = (*metrics.get(compared)?, now.get(compared)?);
    let (error, own) = (*standard_errors.get(compared)?, *now.standard_errors.get(compared)?);
    let is_large = after > held_out.worse(compared, before);
    // The mean of the squares, whose standard error is that of the root by the delta method.
    let mean = |value: f64, error: f64| {
        if compared == "rmse" { (value * value, 2.0 * value * error) } else { (value, error) }
    };
    let ((before, error), (after, own)) = (mean(before, error), mean(after, own));
    let of_held_out = rows.map_or(0.0, |rows| own * (now.rows as f64 / rows).sqrt());
    let z = (after - before) / libm::hypot(error.max(of_held_out), own);
    let p_value = if z > 0.0 { normal_two_sided(z) / 2.0 } else { 1.0 };
    Some(ErrorComparison { metric: compared.to_owned(), p_value, drift: false, is_large })
}

/// A remark if the squared error of one row is more than that of all others together.
fn dominating_error(observed: &Observed<'_>, now: &Metrics) -> Option<String> {
    let largest = observed.errors.largest;
    let ratio = largest / now.get("rmse")?;
    let is_dominating = observed.labelled >= FEW_ROWS && ratio * ratio > 0.5 * observed.labelled as f64;
    is_dominating.then(|| {
        format!(
            "an error of {} is more than half of all squared errors: the RMSE is mostly that of one row",
            rounded(largest, 3)
        )
    })
}
