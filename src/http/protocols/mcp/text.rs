//! An answer as text for a language model: the first rows with their certainty, their largest contributions and their
//! warnings.

use std::fmt::Write;

use ordinate_model::answer::{Explanation, ExplanationUnit, Warning, WarningReason};
use ordinate_model::wording::{counted, listed};
use ordinate_model::{Answer, Model, PredictedRow};

/// The most rows in the text; the structured content has all.
const MAX_ROWS: usize = 20;

/// The most contributions of a row.
const MAX_CONTRIBUTIONS: usize = 5;

/// The text of an answer whose intervals or prediction sets have this level.
pub(super) fn of_answer(model: &Model, answer: &Answer<'_>, level: Option<f64>) -> String {
    let target = &model.signature().target().name;
    let percent = level.map(|level| format!("{} %", rounded(level * 100.0))).unwrap_or_default();
    let mut text = String::new();
    // Writing to a string does not fail.
    for (row, predicted) in answer.rows().enumerate().take(MAX_ROWS) {
        let _ = write!(text, "row {row}: {target} = {}", prediction(model, predicted));
        if let Some([low, high]) = answer.intervals.as_ref().and_then(|intervals| intervals.get(row)) {
            let _ = write!(text, ", {percent} prediction interval {} to {}", rounded(*low), rounded(*high));
        }
        if let Some(set) = answer.prediction_sets.as_ref().and_then(|sets| sets.get(row)) {
            let _ = write!(text, ", {percent} prediction set {{{}}}", listed(set, usize::MAX));
        }
        text.push('\n');
        let of_row =
            answer.explanation.as_ref().and_then(|explanation| Some((explanation, explanation.rows().nth(row)?)));
        if let Some((explanation, values)) = of_row {
            let class = if let PredictedRow::Class { class, .. } = predicted { class } else { 0 };
            let _ = writeln!(text, "  {}", contributions(model, explanation, values, class));
        }
        for warning in answer.warnings.listed.iter().filter(|warning| warning.row == row) {
            let _ = writeln!(text, "  warning: {}", describe(warning));
        }
    }
    let more = answer.prediction.len().saturating_sub(MAX_ROWS);
    if more > 0 {
        let _ = writeln!(text, "{} more in the structured content", counted(more, "row", "rows"));
        let _ = writeln!(text, "{} in all", counted(answer.warnings.counts.total(), "warning", "warnings"));
    }
    text.truncate(text.trim_end().len());
    text
}

fn prediction(model: &Model, predicted: PredictedRow<'_>) -> String {
    match predicted {
        PredictedRow::Value(value) => rounded(value),
        PredictedRow::Class { class, probabilities } => {
            let label = model.classes().and_then(|classes| classes.get(class)).map(ToString::to_string);
            let probability = probabilities.get(class).copied().unwrap_or_default();
            format!("{}, probability {}", label.unwrap_or_default(), rounded(probability))
        }
    }
}

/// The largest contributions of a row: to the prediction, or for more than two classes to the score of its class.
fn contributions(model: &Model, explanation: &Explanation<'_>, values: &[f64], class: usize) -> String {
    let features = explanation.features();
    let label = |class: usize| {
        let label = model.classes().and_then(|classes| classes.get(class));
        label.map(ToString::to_string).unwrap_or_default()
    };
    let (start, unit) = match explanation.unit() {
        ExplanationUnit::Target => (0, "the prediction".to_owned()),
        ExplanationUnit::LogTarget => (0, "the logarithm of the prediction".to_owned()),
        ExplanationUnit::LogOdds => (0, format!("the log-odds of {}", label(1))),
        ExplanationUnit::Score => (class * features.len(), format!("the score of {}", label(class))),
    };
    let mut largest: Vec<_> = features.iter().zip(values.iter().skip(start)).collect();
    largest.sort_by(|(_, one), (_, other)| other.abs().total_cmp(&one.abs()));
    let named = largest.into_iter().map(|(feature, value)| {
        let sign = if *value < 0.0 { "" } else { "+" };
        format!("{} {sign}{}", feature.name, rounded(*value))
    });
    let shown = named.take(MAX_CONTRIBUTIONS).collect::<Vec<_>>().join(", ");
    format!("largest contributions to {unit}: {shown}")
}

fn describe(warning: &Warning<'_>) -> String {
    let reason = &warning.reason;
    match reason {
        WarningReason::OutsideRange { feature, value, range: [low, high] } => {
            format!("{feature} = {value} is {reason}, {low} to {high}")
        }
        WarningReason::UnknownCategory { feature, value } => format!("{feature} = {value:?} is {reason}"),
        WarningReason::Imputed { feature, .. } => format!("{feature} is {reason}"),
        WarningReason::Leverage { .. } | WarningReason::NoMeanInterval => reason.to_string(),
    }
}

/// Six significant digits; whole numbers are exact.
fn rounded(value: f64) -> String {
    let few: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    let shown = if value.fract() == 0.0 { value } else { few };
    if shown.abs() >= 1e15 || (shown != 0.0 && shown.abs() < 1e-5) { format!("{shown:e}") } else { shown.to_string() }
}
