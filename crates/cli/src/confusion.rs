//! Confusion matrices.

use serde::Serialize;

use super::train::significant;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::shorten;
use ordinate_train::text_table::{Align, TextTable};

/// A confusion matrix.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Confusion<'a> {
    pub(super) classes: &'a [Scalar],
    /// Total weights by actual class, then by predicted class.
    pub(super) rows: &'a [Vec<f64>],
}

impl Confusion<'_> {
    /// One line per actual class, one column per predicted class.
    pub(super) fn table(&self, title: &str) -> TextTable {
        let labels: Vec<String> = self.classes.iter().map(|class| shorten(&class.label())).collect();
        let predicted: Vec<String> = labels.iter().map(|label| format!("as {label}")).collect();
        let titles = predicted.iter().map(|title| (title.as_str(), Align::Right));
        let mut table = TextTable::new([(title, Align::Left)].into_iter().chain(titles));
        for (label, counts) in labels.iter().zip(self.rows) {
            table.push([label.clone()].into_iter().chain(counts.iter().map(|count| significant(*count))));
        }
        table
    }
}
