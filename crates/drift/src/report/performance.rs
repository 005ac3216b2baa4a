//! Metrics on rows with known answers, next to those of the model file.

use indexmap::IndexMap;
use ordinate_model::artifact::Training;
use serde::Serialize;

use super::{FALSE_ALARM_RATE, Limits};
use crate::observed::Observed;
use ordinate_train::distribution::normal_two_sided;
use ordinate_train::evaluate::by_name;

/// The smallest relative increase of the error that is drift.
const WORSE: f64 = 0.1;

/// Metrics on rows with known answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Performance {
    /// Rows with known answers.
    pub rows: u64,
    /// Their metrics.
    pub metrics: IndexMap<String, f64>,
    /// The same of held-out rows or of a cross-validation at training.
    pub training: IndexMap<String, f64>,
    /// The error that is compared: the mean deviance, the root mean squared error or the log loss.
    pub compared: String,
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
        self.p_value = (self.p_value * comparisons).min(1.0);
        self.drift = self.is_large && self.p_value <= FALSE_ALARM_RATE;
    }
}

/// `None` without enough rows with known answers, or if the model was not measured on held-out rows.
pub(super) fn performance(observed: &Observed<'_>, limits: Limits) -> Option<Performance> {
    if observed.labelled < limits.rows.max(1) {
        return None;
    }
    let training = &observed.document().training;
    let now = observed.evaluation.measure(&[], None)?;
    let (held_out, errors) = held_out(training)?;
    let compared = ["mean_deviance", "rmse", "log_loss"]
        .into_iter()
        .find(|name| now.get(name).is_some() && held_out.contains_key(*name) && errors.contains_key(*name))?;
    let (before, after) = (*held_out.get(compared)?, now.get(compared)?);
    let own = now.standard_errors.get(compared).copied()?;
    let deviation = libm::hypot(*errors.get(compared)?, own);
    let z = (after - before) / deviation;
    let p_value = if z > 0.0 { normal_two_sided(z) / 2.0 } else { 1.0 };
    Some(Performance {
        rows: now.rows,
        metrics: by_name(&now.values),
        training: held_out.clone(),
        compared: compared.to_owned(),
        p_value,
        drift: false,
        is_large: after > before * (1.0 + WORSE),
    })
}

type Metrics = IndexMap<String, f64>;

/// The metrics of rows that the fit did not use, and their standard errors.
fn held_out(training: &Training) -> Option<(&Metrics, &Metrics)> {
    ["test", "cross_validation"]
        .into_iter()
        .find_map(|set| Some((training.metrics.get(set)?, training.metrics.get(&format!("{set}_standard_errors"))?)))
}
