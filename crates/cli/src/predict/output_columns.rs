//! The columns that are added to each row.

use clap::Args;

use crate::warning_column::by_row;
use ordinate_model::answer::Explanation;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::FeatureType;
use ordinate_model::{Answer, Model, Probabilities};

/// Output columns in addition to the prediction.
#[derive(Debug, Args)]
pub(super) struct ExtraColumns {
    /// Add a prediction interval of this level, such as 0.95; for classes, a prediction set
    ///
    /// The columns are `prediction_low` and `prediction_high`. A prediction set is one column, `prediction_set`, with its
    /// classes separated by |; a | or \\ in a class is preceded by \\.
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true)]
    pub(super) interval: Option<f64>,
    /// Add a confidence interval of the mean of this level, such as 0.95
    ///
    /// The columns are `prediction_mean_low` and `prediction_mean_high`, empty where the training data do not
    /// determine the mean of a row.
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true)]
    pub(super) mean_interval: Option<f64>,
    /// Add the probability of each class, in columns `probability_CLASS`
    #[arg(long)]
    pub(super) probabilities: bool,
    /// Add the contribution of each feature, in columns `contribution_FEATURE`, and `base`
    ///
    /// `base` is the prediction for the average training row. Contributions and base add up to the prediction (with a
    /// logged target to its logarithm, with two classes to the log-odds of the second class). With more classes the
    /// columns are `base_CLASS` and `contribution_CLASS_FEATURE`.
    #[arg(long)]
    pub(super) explain: bool,
    /// Add the warnings about each row, in column `warnings`
    ///
    /// Warnings are: values outside the training range, unknown categories, high leverage, no interval of the mean.
    #[arg(long)]
    pub(super) warnings: bool,
}

/// A column that is added.
#[derive(Debug)]
pub(super) struct OutputColumn {
    pub(super) name: String,
    pub(super) kind: FeatureType,
}

/// The prediction, then the extra columns, in the order of [`output_values`].
pub(super) fn output_columns(column: &str, extra: &ExtraColumns, model: &Model) -> Result<Vec<OutputColumn>, String> {
    let number = |name| OutputColumn { name, kind: FeatureType::Double };
    let text = |name| OutputColumn { name, kind: FeatureType::String };
    let classes = model.classes();
    let mut columns = vec![OutputColumn { name: column.to_owned(), kind: kind(model) }];
    if extra.interval.is_some() {
        match classes {
            Some(_) => columns.push(text(format!("{column}_set"))),
            None => columns.extend(["low", "high"].map(|end| number(format!("{column}_{end}")))),
        }
    }
    if extra.mean_interval.is_some() {
        columns.extend(["low", "high"].map(|end| number(format!("{column}_mean_{end}"))));
    }
    if extra.probabilities {
        let classes = classes.ok_or_else(|| {
            format!("--probabilities needs a classification model, and {} predicts numbers", model.name())
        })?;
        columns.extend(classes.iter().map(|class| number(format!("probability_{class}"))));
    }
    if extra.explain {
        // Two classes have one score.
        let scores = classes.filter(|classes| classes.len() > 2);
        let scores =
            scores.map_or(vec![String::new()], |classes| classes.iter().map(|one| format!("_{one}")).collect());
        for score in scores {
            columns.push(number(format!("base{score}")));
            let features = model.signature().features().iter();
            columns.extend(features.map(|feature| number(format!("contribution{score}_{}", feature.name))));
        }
    }
    if extra.warnings {
        columns.push(text("warnings".to_owned()));
    }
    Ok(columns)
}

/// The type of all predictions of a model.
fn kind(model: &Model) -> FeatureType {
    let classes = model.classes().unwrap_or_default();
    if classes.iter().all(|class| matches!(class, Scalar::Number(_))) {
        FeatureType::Double
    } else if classes.iter().all(|class| matches!(class, Scalar::Integer(_))) {
        FeatureType::Long
    } else if classes.iter().all(|class| matches!(class, Scalar::Boolean(_))) {
        FeatureType::Boolean
    } else {
        FeatureType::String
    }
}

/// For each row of an answer, the values of the columns.
pub(super) fn output_values<'a>(
    extra: &'a ExtraColumns,
    answer: &'a Answer<'_>,
) -> impl Iterator<Item = Vec<Scalar>> + 'a {
    let mut predictions = answer.prediction.scalars();
    let mut intervals = answer.intervals.iter().flatten();
    let mut mean_intervals = answer.mean_intervals.iter().flatten();
    let mut prediction_sets = answer.prediction_sets.iter().flatten();
    let mut probabilities = answer.probabilities.iter().flat_map(Probabilities::rows);
    let mut contributions = answer.explanation.iter().flat_map(Explanation::rows);
    let mut warnings = extra.warnings.then(|| by_row(&answer.warnings, answer.prediction.len())).into_iter().flatten();
    std::iter::from_fn(move || {
        let mut row = vec![predictions.next()?];
        row.extend(intervals.next().into_iter().flat_map(numbers));
        row.extend(prediction_sets.next().map(|labels| Scalar::Text(joined(labels))));
        let mean_ends = |ends: &Option<[f64; 2]>| match ends {
            Some(ends) => ends.map(Scalar::Number),
            None => [const { Scalar::Missing }; 2],
        };
        row.extend(mean_intervals.next().into_iter().flat_map(mean_ends));
        row.extend(probabilities.next().into_iter().filter(|_| extra.probabilities).flat_map(numbers));
        if let (Some(explanation), Some(contributions)) = (&answer.explanation, contributions.next()) {
            let of_scores = contributions.chunks(explanation.features().len().max(1));
            for (base, contributions) in explanation.base().iter().zip(of_scores) {
                row.push(Scalar::Number(*base));
                row.extend(numbers(contributions));
            }
        }
        row.extend(warnings.next().map(|text| if text.is_empty() { Scalar::Missing } else { Scalar::Text(text) }));
        Some(row)
    })
}

fn numbers(numbers: &(impl AsRef<[f64]> + ?Sized)) -> impl Iterator<Item = Scalar> {
    numbers.as_ref().iter().copied().map(Scalar::Number)
}

/// Classes separated by bars; a bar or backslash in a class is escaped by a backslash.
fn joined(labels: &[&Scalar]) -> String {
    let escaped = |label: &&Scalar| label.label().replace('\\', r"\\").replace('|', r"\|");
    labels.iter().map(escaped).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_classes_can_be_separated() {
        let labels = ["a", "b|c", r"d\"].map(|label| Scalar::Text(label.to_owned()));
        assert_eq!(joined(&labels.iter().collect::<Vec<_>>()), r"a|b\|c|d\\");
        assert_eq!(joined(&[&Scalar::Integer(1), &Scalar::Boolean(true)]), "1|true");
    }
}
