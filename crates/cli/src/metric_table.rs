//! Metrics as a table: one line each, with standard errors and baselines in columns of their own.

use indexmap::IndexMap;

use ordinate_model::artifact::Training;
use ordinate_model::wording::rounded;
use ordinate_train::evaluate::title;
use ordinate_train::measured_rows::MeasuredRows;
use ordinate_train::text_table::{Align, TextTable};

use super::train::significant;

/// Metrics of one set of rows.
pub(super) struct MetricColumn<'m> {
    pub(super) title: String,
    pub(super) values: &'m IndexMap<String, f64>,
    /// Their standard errors, which have a column of their own.
    pub(super) standard_errors: Option<&'m IndexMap<String, f64>>,
}

/// The columns of a model file: held-out rows first, with their baseline, then the folds and the fitted rows. `rows`: the numbers
/// of held-out and of fitted rows, if they are known.
pub(super) fn of_training(training: &Training, rows: Option<[u64; 2]>) -> Vec<MetricColumn<'_>> {
    let sets = &training.metrics;
    let column = |key: &str, title: String| {
        Some(MetricColumn {
            title,
            values: sets.get(key)?,
            standard_errors: sets.get(&format!("{key}_standard_errors")),
        })
    };
    let counted = |name: &str, at: usize| match rows.and_then(|rows| rows.get(at).copied()) {
        Some(rows) => format!("{name} ({rows})"),
        None => name.to_owned(),
    };
    let test = MeasuredRows::from_training(training).title();
    let baseline = ["test_baseline", "train_baseline"].into_iter().find_map(|key| column(key, "baseline".to_owned()));
    let fitted = column("train", counted("fitted", 1));
    let test = column("test", counted(test, 0));
    let folds = column("cross_validation", "cross-validation".to_owned());
    // Without held-out rows, the baseline is of the fitted rows.
    if test.is_none() {
        return fitted.into_iter().chain(baseline).chain(folds).collect();
    }
    test.into_iter().chain(baseline).chain(folds).chain(fitted).collect()
}

/// One line per metric. The first column has the order of the metrics.
pub(super) fn table(columns: &[MetricColumn<'_>]) -> TextTable {
    let titles = columns.iter().flat_map(|column| {
        [Some(column.title.as_str()), column.standard_errors.map(|_| "± s.e.")].into_iter().flatten()
    });
    let titles = titles.map(|title| (title, Align::Right));
    let mut table = TextTable::new([("", Align::Left)].into_iter().chain(titles));
    let mut names: Vec<&String> = Vec::new();
    for name in columns.iter().flat_map(|column| column.values.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let cells = columns.iter().flat_map(|MetricColumn { values, standard_errors, .. }| {
            let value = values.get(name).map_or_else(|| "–".to_owned(), |value| significant(*value));
            let error =
                standard_errors.map(|errors| errors.get(name).map_or_else(String::new, |error| rounded(*error, 2)));
            [Some(value), error].into_iter().flatten()
        });
        table.push([title(name).to_owned()].into_iter().chain(cells));
    }
    table
}
