//! The columns that are added to each row.

use std::collections::HashMap;

use thiserror::Error;

use crate::scoring::ScoringError;
use crate::warning_column::by_row;
use ordinate_model::answer::{Explanation, WarningScope};
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::FeatureType;
use ordinate_model::{Answer, Model, Predictor, Probabilities, Wanted};
use ordinate_table::TableReader;

/// The name of the prediction column, unless another one is chosen.
pub const PREDICTION: &str = "prediction";

/// The columns that are added to each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// The name of the prediction column, with which the names of intervals and sets begin.
    pub prediction: String,
    /// The level of the prediction interval; for classes, of the prediction set.
    pub interval: Option<f64>,
    /// The level of the confidence interval of the mean.
    pub mean_interval: Option<f64>,
    /// Whether the probability of each class is added.
    pub probabilities: bool,
    /// Whether the contribution of each feature is added.
    pub explain: bool,
    /// Whether the warnings about each row are added.
    pub warnings: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            prediction: PREDICTION.to_owned(),
            interval: None,
            mean_interval: None,
            probabilities: false,
            explain: false,
            warnings: false,
        }
    }
}

/// Columns that a model cannot fill.
#[derive(Debug, Error)]
#[error("{}{reason}", .option.name())]
pub struct ColumnsError {
    /// The option that cannot be met.
    pub option: ColumnOption,
    /// The rest of a sentence that begins with the option.
    pub reason: String,
}

/// An option of [`Columns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnOption {
    /// [`Columns::prediction`].
    Prediction,
    /// [`Columns::interval`].
    Interval,
    /// [`Columns::mean_interval`].
    MeanInterval,
    /// [`Columns::probabilities`].
    Probabilities,
    /// [`Columns::explain`].
    Explain,
    /// [`Columns::warnings`].
    Warnings,
}

impl ColumnOption {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prediction => "--column",
            Self::Interval => "--interval",
            Self::MeanInterval => "--mean-interval",
            Self::Probabilities => "--probabilities",
            Self::Explain => "--explain",
            Self::Warnings => "--warnings",
        }
    }
}

impl Columns {
    /// The parts of an answer that the columns need.
    #[must_use]
    pub fn wanted(&self, model: &Model) -> Wanted {
        let classifies = model.classes().is_some();
        Wanted {
            interval: self.interval.filter(|_| !classifies),
            mean_interval: self.mean_interval,
            prediction_sets: self.interval.filter(|_| classifies),
            explanation: self.explain,
            warnings: if self.warnings { WarningScope::All } else { WarningScope::None },
        }
    }

    /// The model, prepared for the columns.
    ///
    /// # Errors
    /// [`ColumnsError`] if the model has no such interval.
    pub fn predictor<'m>(&self, model: &'m Model) -> Result<Predictor<'m>, ColumnsError> {
        if self.mean_interval.is_some() && model.classes().is_some() {
            let reason = format!(" needs a regression model, and {} predicts classes", model.name());
            return Err(ColumnsError { option: ColumnOption::MeanInterval, reason });
        }
        let wanted = self.wanted(model);
        model.predictor(&wanted).map_err(|error| {
            // The error belongs to the interval of the mean if the predictions are possible without it.
            let without_mean = model.predictor(&Wanted { mean_interval: None, ..wanted });
            without_mean.err().map_or_else(
                || ColumnsError { option: ColumnOption::MeanInterval, reason: format!(": {error}") },
                |error| ColumnsError { option: ColumnOption::Interval, reason: format!(": {error}") },
            )
        })
    }
}

/// A column that is added.
#[derive(Debug)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: FeatureType,
}

/// The prediction, then the extra columns, in the order of [`output_values`], each with a name of its own.
///
/// # Errors
/// [`ColumnsError`] for probabilities of a regression model, and for names that are empty, equal, or those of features.
pub fn output_columns(columns: &Columns, model: &Model) -> Result<Vec<OutputColumn>, ColumnsError> {
    let (column, extra) = (&columns.prediction, columns);
    let classes = model.classes();
    let mut columns = vec![(column.clone(), kind(model), ColumnOption::Prediction)];
    let mut add = |option, names: &mut dyn Iterator<Item = String>, kind| {
        columns.extend(names.map(|name| (name, kind, option)));
    };
    if extra.interval.is_some() {
        let (ends, kind): (&[&str], _) =
            if classes.is_some() { (&["set"], FeatureType::String) } else { (&["low", "high"], FeatureType::Double) };
        add(ColumnOption::Interval, &mut ends.iter().map(|end| format!("{column}_{end}")), kind);
    }
    let number = FeatureType::Double;
    if extra.mean_interval.is_some() {
        let mut names = ["low", "high"].iter().map(|end| format!("{column}_mean_{end}"));
        add(ColumnOption::MeanInterval, &mut names, number);
    }
    if extra.probabilities {
        let classes = classes.ok_or_else(|| {
            let reason = format!(" needs a classification model, and {} predicts numbers", model.name());
            ColumnsError { option: ColumnOption::Probabilities, reason }
        })?;
        let mut names = classes.iter().map(|class| format!("probability_{class}"));
        add(ColumnOption::Probabilities, &mut names, number);
    }
    if extra.explain {
        // Two classes have one score.
        let scores = classes.filter(|classes| classes.len() > 2);
        let scores =
            scores.map_or(vec![String::new()], |classes| classes.iter().map(|one| format!("_{one}")).collect());
        for score in scores {
            let features = model.signature().features().iter();
            let contributions = features.map(|feature| format!("contribution{score}_{}", feature.name));
            let mut names = std::iter::once(format!("base{score}")).chain(contributions);
            add(ColumnOption::Explain, &mut names, number);
        }
    }
    if extra.warnings {
        add(ColumnOption::Warnings, &mut std::iter::once("warnings".to_owned()), FeatureType::String);
    }
    check_unique(&columns, column, model)?;
    Ok(columns.into_iter().map(|(name, kind, _)| OutputColumn { name, kind }).collect())
}

/// Checks that added columns have names, which are not those of each other or of features. Readers remove the blanks
/// around names.
fn check_unique(
    columns: &[(String, FeatureType, ColumnOption)],
    prediction: &str,
    model: &Model,
) -> Result<(), ColumnsError> {
    if prediction.trim().is_empty() {
        let reason = format!(": expected a name, got {prediction:?}");
        return Err(ColumnsError { option: ColumnOption::Prediction, reason });
    }
    let mut options: HashMap<&str, ColumnOption> = HashMap::new();
    for (name, _, option) in columns {
        let is_of_prediction =
            |option| matches!(option, ColumnOption::Prediction | ColumnOption::Interval | ColumnOption::MeanInterval);
        let earlier = options.insert(name.trim(), *option);
        let with = match earlier {
            None if model.signature().position(name.trim()).is_none() => continue,
            None => "a feature of the model has this name".to_owned(),
            Some(earlier) if is_of_prediction(earlier) => format!("{} adds a column of this name", option.name()),
            Some(_) => "two of its columns have this name".to_owned(),
        };
        let is_free = earlier.is_some_and(is_of_prediction) || is_of_prediction(*option);
        let (option, advice) = if is_free {
            (ColumnOption::Prediction, "choose another name with --column".to_owned())
        } else {
            (*option, format!("leave {} out", option.name()))
        };
        let reason = format!(": column {name:?}: {with}\nhelp: {advice}");
        return Err(ColumnsError { option, reason });
    }
    Ok(())
}

/// Checks that no added column has the name of a column of the input.
///
/// # Errors
/// [`ScoringError::ColumnExists`].
pub fn check_names(columns: &Columns, reader: &TableReader, added: &[OutputColumn]) -> Result<(), ScoringError> {
    let twice = added.iter().find(|added| reader.has_column(added.name.trim()));
    twice.map_or(Ok(()), |twice| {
        Err(ScoringError::ColumnExists {
            header: reader.header_location(),
            name: twice.name.clone(),
            is_of_prediction: twice.name.starts_with(&columns.prediction),
        })
    })
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
pub fn output_values<'a>(extra: &'a Columns, answer: &'a Answer<'_>) -> impl Iterator<Item = Vec<Scalar>> + 'a {
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
