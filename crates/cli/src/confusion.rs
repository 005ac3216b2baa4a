//! Which classes were taken for which.

use serde::Serialize;

use super::text_table::{Grid, Side};
use super::train::significant;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::shorten;

/// How many rows of each class were taken for which.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Confusion<'a> {
    pub(super) classes: &'a [Scalar],
    /// By actual class, then by predicted class.
    pub(super) rows: &'a [Vec<f64>],
}

impl Confusion<'_> {
    /// A line a class, below this title, and a column for each class that it was taken for.
    pub(super) fn grid(&self, title: &str) -> Grid {
        let labels: Vec<String> = self.classes.iter().map(|class| shorten(&class.to_string())).collect();
        let predicted: Vec<String> = labels.iter().map(|label| format!("as {label}")).collect();
        let titles = predicted.iter().map(|title| (title.as_str(), Side::Right));
        let mut grid = Grid::new([(title, Side::Left)].into_iter().chain(titles));
        for (label, counts) in labels.iter().zip(self.rows) {
            grid.push([label.clone()].into_iter().chain(counts.iter().map(|count| significant(*count))));
        }
        grid
    }
}
