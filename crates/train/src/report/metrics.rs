//! The metrics of all sets of rows as one table, for the page and the card.

use super::input::{ReportInput, metric_names};
use crate::evaluate::title;
use crate::summary::significant;

/// One line for each metric.
pub(super) struct MetricTable {
    /// The headings of the columns after the name.
    pub(super) headings: Vec<String>,
    /// The name of each metric and its cells; none where it is undefined.
    pub(super) rows: Vec<(String, Vec<Option<String>>)>,
}

impl MetricTable {
    /// The rows that the fit did not use come first, then their baseline; standard errors are in the same cells. None
    /// without metrics.
    pub(super) fn new(input: &ReportInput<'_>) -> Option<Self> {
        let mut sets = input.metrics();
        sets.sort_by_key(|set| !set.is_held_out);
        let first = sets.first()?;
        let mut headings: Vec<String> = sets
            .iter()
            .map(|set| match set.rows {
                Some(rows) => format!("{} ({rows})", set.name),
                None => set.name.clone(),
            })
            .collect();
        let has_baseline = !first.baseline.is_empty();
        if has_baseline {
            headings.insert(1, "baseline".to_owned());
        }
        let row = |name: &str| {
            let mut cells: Vec<Option<String>> = sets.iter().map(|set| set.text(name)).collect();
            if has_baseline {
                cells.insert(1, first.baseline.get(name).copied().map(significant));
            }
            (title(name).to_owned(), cells)
        };
        Some(Self { headings, rows: metric_names(&sets).into_iter().map(row).collect() })
    }
}

/// The baseline: one prediction for every row, or one rate.
pub(super) fn baseline_sentence(input: &ReportInput<'_>) -> &'static str {
    use ordinate_model::preprocess::TargetTransform;
    let preprocess = &input.document.preprocess;
    if let Some(offset) = &preprocess.offset {
        return if offset.log {
            "The baseline predicts the rate of the target in the fitted rows, times the exposure of each row."
        } else {
            "The baseline predicts the rate of the target in the fitted rows, times the exponential of the offset of each \
             row."
        };
    }
    match (input.document.estimator.classes(), preprocess.target_transform) {
        (Some(_), _) => "The baseline predicts the frequencies of the classes in the fitted rows for every row.",
        (None, TargetTransform::Identity) => {
            "The baseline predicts the mean of the target in the fitted rows for every row."
        }
        (None, TargetTransform::Log) => {
            "The baseline predicts the geometric mean of the target in the fitted rows for every row."
        }
    }
}
