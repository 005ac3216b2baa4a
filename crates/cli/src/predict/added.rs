//! The columns that are added: what they are called, and what stands in them.

use clap::Args;

use crate::warning_column::by_row;
use ordinate_model::answer::Explanation;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::FeatureType;
use ordinate_model::{Answer, Model, Probabilities};

/// What is to be said beside the predictions.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// Write the ends of an interval too, as `prediction_low` and `prediction_high`, that holds the answer with this
    /// probability, such as 0.95; of classes the labels among which the answer is, as `prediction_set`, with | between them
    /// (a | or \ within a label has a \ before it)
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true)]
    pub(super) interval: Option<f64>,
    /// Write the ends of an interval too, as `prediction_mean_low` and `prediction_mean_high`, that holds the mean of the answers to
    /// all such rows with this probability
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true)]
    pub(super) mean_interval: Option<f64>,
    /// Write the probability of each class too, as `probability_CLASS`
    #[arg(long)]
    pub(super) probabilities: bool,
    /// Write what each feature adds too, as `contribution_FEATURE`, to what the model says to the average row, `base`: they add up to
    /// the prediction (of a logged target to its logarithm, of two classes to the log-odds of the second). Of more classes
    /// each has its own, `base_CLASS` and `contribution_CLASS_FEATURE`
    #[arg(long)]
    pub(super) explain: bool,
    /// Write what is unusual about a row too, in words, as `warnings`: values outside the training range, unknown categories,
    /// unusual combinations
    #[arg(long)]
    pub(super) warnings: bool,
}

/// A column that is added, and what it holds.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) name: String,
    pub(super) kind: FeatureType,
}

/// The columns: the prediction, then what was asked for beside it, in the order of [`said`].
pub(super) fn columns(column: &str, asked: &Asked, model: &Model) -> Result<Vec<Added>, String> {
    let number = |name| Added { name, kind: FeatureType::Double };
    let text = |name| Added { name, kind: FeatureType::String };
    let classes = model.classes();
    let mut columns = vec![Added { name: column.to_owned(), kind: kind(model) }];
    if asked.interval.is_some() {
        match classes {
            Some(_) => columns.push(text(format!("{column}_set"))),
            None => columns.extend(["low", "high"].map(|end| number(format!("{column}_{end}")))),
        }
    }
    if asked.mean_interval.is_some() {
        columns.extend(["low", "high"].map(|end| number(format!("{column}_mean_{end}"))));
    }
    if asked.probabilities {
        let classes = classes.ok_or_else(|| {
            format!("--probabilities: the model {} predicts numbers, not classes. Leave it out", model.name())
        })?;
        columns.extend(classes.iter().map(|class| number(format!("probability_{class}"))));
    }
    if asked.explain {
        // Two classes have one score between them.
        let scores = classes.filter(|classes| classes.len() > 2);
        let scores =
            scores.map_or(vec![String::new()], |classes| classes.iter().map(|one| format!("_{one}")).collect());
        for score in scores {
            columns.push(number(format!("base{score}")));
            let features = model.signature().features().iter();
            columns.extend(features.map(|feature| number(format!("contribution{score}_{}", feature.name))));
        }
    }
    if asked.warnings {
        columns.push(text("warnings".to_owned()));
    }
    Ok(columns)
}

/// What all predictions of a model are.
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

/// For each row that was answered, the values of the columns.
pub(super) fn said<'a>(asked: &'a Asked, answer: &'a Answer<'_>) -> impl Iterator<Item = Vec<Scalar>> + 'a {
    let mut predictions = answer.prediction.scalars();
    let mut intervals = answer.intervals.iter().flatten();
    let mut mean_intervals = answer.mean_intervals.iter().flatten();
    let mut prediction_sets = answer.prediction_sets.iter().flatten();
    let mut probabilities = answer.probabilities.iter().flat_map(Probabilities::rows);
    let mut contributions = answer.explanation.iter().flat_map(Explanation::rows);
    let mut warnings = asked.warnings.then(|| by_row(&answer.warnings, answer.prediction.len())).into_iter().flatten();
    std::iter::from_fn(move || {
        let mut row = vec![predictions.next()?];
        row.extend(intervals.next().into_iter().flat_map(numbers));
        row.extend(prediction_sets.next().map(|labels| Scalar::Text(joined(labels))));
        row.extend(mean_intervals.next().into_iter().flat_map(numbers));
        row.extend(probabilities.next().into_iter().filter(|_| asked.probabilities).flat_map(numbers));
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

/// Labels with a bar between them; of one that is within a label, or a backslash, a backslash tells.
fn joined(labels: &[&Scalar]) -> String {
    let escaped = |label: &&Scalar| label.to_string().replace('\\', r"\\").replace('|', r"\|");
    labels.iter().map(escaped).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_can_be_told_apart_whatever_is_in_them() {
        let labels = ["a", "b|c", r"d\"].map(|label| Scalar::Text(label.to_owned()));
        assert_eq!(joined(&labels.iter().collect::<Vec<_>>()), r"a|b\|c|d\\");
        assert_eq!(joined(&[&Scalar::Integer(1), &Scalar::Boolean(true)]), "1|true");
    }
}
