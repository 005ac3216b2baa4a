//! The model card in Markdown, after Mitchell et al., *Model Cards for Model Reporting* (2019).

use std::fmt::Write as _;

use super::coefficients::card_section;
use super::input::{ReportInput, parameter_text};
use super::metrics::{MetricTable, baseline_sentence};
use super::table::DASH;
use crate::evaluate::{ClassMetrics, class_metrics};
use crate::feature_count::feature_count;
use crate::summary::rounded;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::reading::Reading;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy};

/// The whole card.
#[must_use]
pub fn card(input: &ReportInput<'_>) -> String {
    let document = input.document;
    let (signature, training) = (&document.signature, &document.training);
    let target = &signature.target().name;
    let mut text = format!("# {}\n\n", plain(document.name.as_str()));
    let _ = match document.estimator.classes() {
        Some(classes) => writeln!(
            text,
            "Classifies `{}` into {} classes, from {}.\n",
            code(target),
            classes.len(),
            plain(&feature_count(document))
        ),
        None => {
            writeln!(text, "Predicts `{}` from {}.\n", code(target), plain(&feature_count(document)))
        }
    };
    for note in input.all_notes() {
        let _ = writeln!(text, "> {}\n", plain(&note));
    }

    text += "## Model details\n\n| | |\n|---|---|\n";
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "| {name} | {value} |");
    };
    line("Version", &plain(document.version.as_str()));
    if !document.created.is_empty() {
        line("Trained", &plain(&document.created));
    }
    let rows = training.rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
    line("Fit", &format!("{}{rows}", input.estimator()));
    line("Tool", &plain(&training.made_by()));
    for (name, value) in &training.parameters {
        line(&plain(&name.replace('_', " ")), &plain(&parameter_text(value)));
    }
    if let Some(seed) = training.seed {
        line("Seed", &seed.to_string());
    }
    if let Some(sum) = &document.sha256 {
        line("SHA-256", &format!("`{sum}`"));
    }

    text += "\n## Data\n\n";
    if let Some(sum) = training.data_sha256.as_ref().filter(|_| !input.data.is_empty()) {
        let _ = writeln!(text, "`{}`, SHA-256 `{sum}`.\n", code(input.data));
    }
    text += "| feature | type | range or categories | missing |\n|---|---|---|---|\n";
    for (i, feature) in signature.features().iter().enumerate() {
        let imputed = input.report_data.and_then(|data| data.columns.get(i)).map_or(0, |column| column.missing);
        text += &feature_row(feature, imputed);
    }
    text += &conventions(input);
    text + &metrics(input) + &card_section(input) + &limits(input)
}

fn feature_row(feature: &Feature, imputed: u64) -> String {
    let values = match (feature.kind, feature.range_ends()) {
        (FeatureType::String, _) => {
            feature.levels.iter().map(|level| format!("`{}`", code(level))).collect::<Vec<_>>().join(", ")
        }
        (FeatureType::Boolean, _) => "true, false".to_owned(),
        (_, Some([low, high])) => format!("{} – {}", end(&low), end(&high)),
        (_, None) => DASH.to_owned(),
    };
    let kind = match feature.kind {
        FeatureType::Double => "number",
        FeatureType::Long => "whole number",
        FeatureType::Boolean => "true or false",
        FeatureType::String => "category",
        FeatureType::Date => "date",
    };
    let missing = match &feature.missing {
        MissingPolicy::Reject => "rejected".to_owned(),
        MissingPolicy::Impute(value) => format!("`{}` ({imputed} rows)", code(&value.to_string())),
        MissingPolicy::Category(level) => format!("`{}` ({imputed} rows)", code(level)),
    };
    format!("| `{}` | {kind} | {values} | {missing} |\n", code(&feature.name))
}

/// One end of a range: a number, or a date.
fn end(value: &Scalar) -> String {
    match value {
        Scalar::Number(value) => rounded(*value, 5),
        other => other.to_string(),
    }
}

/// How text is read as values, and the columns that are not used.
fn conventions(input: &ReportInput<'_>) -> String {
    let signature = &input.document.signature;
    let of = |name: &str, reading: &Reading| Some(format!("- `{}`: {}\n", code(name), plain(&reading.describe()?)));
    let features = signature.features().iter().filter_map(|feature| of(&feature.name, &feature.reading));
    let target = signature.target();
    let lines: String = features.chain(of(&target.name, &target.reading)).collect();
    let mut text = String::new();
    if !lines.is_empty() {
        let _ = write!(text, "\nText is read by these conventions, also in CSV requests:\n\n{lines}");
    }
    let unused = input.unused_columns();
    if !unused.is_empty() {
        let names: Vec<String> = unused.into_iter().map(|name| format!("`{}`", code(name))).collect();
        let _ = writeln!(text, "\nNot used: {}.", names.join(", "));
    }
    text
}

fn metrics(input: &ReportInput<'_>) -> String {
    let Some(MetricTable { headings, rows }) = MetricTable::new(input) else { return String::new() };
    let has_baseline = headings.iter().any(|heading| heading == "baseline");
    let mut text =
        format!("\n## Metrics\n\n| metric | {} |\n|---|{}\n", headings.join(" | "), "---|".repeat(headings.len()));
    for (name, cells) in rows {
        let cells: Vec<String> = cells.into_iter().map(|cell| cell.unwrap_or_else(|| DASH.to_owned())).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    if has_baseline {
        let _ = writeln!(text, "\nStandard errors are of the measured rows. {}", baseline_sentence(input));
    }
    text + &classes(input)
}

/// Precision and recall of each class.
fn classes(input: &ReportInput<'_>) -> String {
    let Some((classes, data)) = input.document.estimator.classes().zip(input.report_data) else { return String::new() };
    let mut text = format!("\n| class | {} |\n|---|---|---|---|---|\n", ClassMetrics::TITLES.join(" | "));
    for (class, metrics) in classes.iter().zip(class_metrics(data.measured.evaluation.confusion().unwrap_or_default()))
    {
        let _ = writeln!(text, "| `{}` | {} |", code(&class.label()), metrics.cells().join(" | "));
    }
    if let Some((threshold, second)) = input.threshold().zip(classes.get(1)) {
        let second = code(&second.label());
        let _ = writeln!(text, "\n`{second}` is predicted where its probability is at least {threshold}.");
    }
    text
}

fn limits(input: &ReportInput<'_>) -> String {
    let sets = input.metrics();
    let held_out = sets.iter().find(|set| set.is_held_out);
    let rows = input.measured_rows().noun();
    let mut text = "\n## Limits\n\n".to_owned();
    let measure = |name: &str| held_out.and_then(|set| set.get(name));
    if let Some(rmse) = measure("rmse") {
        let _ = writeln!(text, "- The typical error of a prediction is {} (RMSE on {rows}).", rounded(rmse, 3));
    } else if let Some(accuracy) = measure("accuracy") {
        let percent = rounded(accuracy * 100.0, 3);
        let _ = writeln!(text, "- About {percent} % of new rows are classified correctly (accuracy on {rows}).");
    } else {
        text += "- No rows were held out: how well the model predicts new rows is not known.\n";
    }
    if input.document.preprocess.target_transform == TargetTransform::Log {
        text += "- The logarithm of the target was fitted: a prediction is the median for these features, which is below the mean if the errors are right-skewed. Sums and averages of predictions are too low.\n";
    }
    if let Some(family) = input.document.estimator.glm_family() {
        let _ = writeln!(
            text,
            "- The logarithm of the mean is linear in the columns, and the variance is that of the {} distribution times a \
             constant: effects multiply, and predictions far outside the data grow or shrink exponentially.",
            family.name()
        );
    }
    text +=
        "- Predictions outside the ranges above are extrapolations of a linear model, and have not been validated.\n";
    text += "- Coefficients describe associations in these data, not causal effects.\n";
    text
}

/// Escapes text for Markdown, also in a table.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => plain.push(' '),
            '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '\\' | '#' => {
                plain.push('\\');
                plain.push(character);
            }
            other => plain.push(other),
        }
    }
    plain
}

/// Escapes text between backticks in a table.
pub(super) fn code(text: &str) -> String {
    text.replace('`', "'").replace('|', "\\|").replace(['\n', '\r'], " ")
}
