//! Confusion matrices.

use serde::Serialize;

use super::train::significant;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::shorten;
use ordinate_train::evaluate::{ClassMetrics, class_metrics};
use ordinate_train::text_table::{Align, TextTable};

/// The most classes of a confusion matrix that is printed. More make lines too wide.
const PRINTED_CLASSES: usize = 10;

/// A confusion matrix.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Confusion<'a> {
    pub(super) classes: &'a [Scalar],
    /// Total weights by actual class, then by predicted class.
    pub(super) rows: &'a [Vec<f64>],
}

impl Confusion<'_> {
    /// Precision, recall and F1 of each class.
    pub(super) fn class_metrics(&self) -> Vec<ClassMetrics> {
        class_metrics(self.rows)
    }

    /// One line per actual class of these rows, one column per predicted class, and precision and recall. Of many classes, those with the
    /// lowest F1, without the matrix.
    pub(super) fn table(&self, rows: &str) -> TextTable {
        let labels: Vec<String> = self.classes.iter().map(|class| shorten(&class.label())).collect();
        let is_matrix = labels.len() <= PRINTED_CLASSES;
        let predicted: Vec<String> = if is_matrix {
            labels.iter().map(|label| format!("as {label}")).collect()
        } else {
            vec!["rows".to_owned(), "correct".to_owned()]
        };
        let titles = predicted.iter().map(String::as_str).chain(ClassMetrics::TITLES.into_iter().take(2));
        let title = format!("{}{rows} by class", if is_matrix { "" } else { "lowest F1: " });
        let columns = titles.map(|title| (title, Align::Right));
        let mut table = TextTable::new([(title.as_str(), Align::Left)].into_iter().chain(columns));
        let metrics = self.class_metrics();
        let order: Vec<usize> = if is_matrix {
            (0..labels.len()).collect()
        } else {
            ClassMetrics::by_f1(&metrics).into_iter().take(PRINTED_CLASSES).collect()
        };
        for class in order {
            let (Some(label), Some(counts), Some(metrics)) =
                (labels.get(class), self.rows.get(class), metrics.get(class))
            else {
                continue;
            };
            let counts = if is_matrix {
                counts.clone()
            } else {
                vec![metrics.support, counts.get(class).copied().unwrap_or(0.0)]
            };
            let counts = counts.into_iter().map(significant);
            table.push([label.clone()].into_iter().chain(counts).chain(metrics.cells().into_iter().take(2)));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_classes_those_with_the_lowest_f1_are_shown() {
        let classes: Vec<Scalar> = (0..12).map(Scalar::Integer).collect();
        // Class k has k errors among 12 rows, all taken for class 0, whose F1 thus is 24 / 90.
        let row = |class: u8| {
            let mut counts = vec![0.0; 12];
            counts[usize::from(class)] += f64::from(12 - class);
            counts[0] += f64::from(class);
            counts
        };
        let rows: Vec<Vec<f64>> = (0..12).map(row).collect();
        let text = Confusion { classes: &classes, rows: &rows }.table("rows").to_string();
        let first: Vec<&str> = text.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(first, ["lowest", "11", "0", "10", "9", "8", "7", "6", "5", "4", "3"], "{text}");
        assert!(text.contains("0.0833"), "{text}");
    }
}
