//! The model card in Markdown, after Mitchell et al., *Model Cards for Model Reporting* (2019).

use std::fmt::Write as _;

use super::{MeasuredOn, ReportInput, counted, family, told};
use crate::evaluate::title;
use crate::summary::{rounded, significant};
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{FeatureType, MissingPolicy};

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
            "Tells {} classes of `{}` apart, from {}.\n",
            classes.len(),
            code(target),
            counted(signature.width(), "feature", "features")
        ),
        None => {
            writeln!(text, "Predicts `{}` from {}.\n", code(target), counted(signature.width(), "feature", "features"))
        }
    };
    for note in input.notes {
        let _ = writeln!(text, "> {}\n", plain(note));
    }

    text += "## Model details\n\n| | |\n|---|---|\n";
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "| {name} | {value} |");
    };
    line("Version", &plain(document.version.as_str()));
    if !document.created.is_empty() {
        line("Trained", &plain(&document.created));
    }
    line("Fit", &format!("{}, {} rows", family(document), training.rows));
    line("Tool", &plain(&format!("{}, smartcore {}", training.tool, training.smartcore)));
    for (name, value) in &training.parameters {
        line(&plain(&name.replace('_', " ")), &plain(&told(value)));
    }
    line("Seed", &training.seed.to_string());
    if let Some(sum) = &document.sha256 {
        line("SHA-256", &format!("`{sum}`"));
    }

    text += "\n## Data\n\n";
    if !input.data.is_empty() {
        let _ = writeln!(text, "`{}`, SHA-256 `{}`.\n", code(input.data), training.data_sha256);
    }
    text += "| feature | type | range or categories | missing |\n|---|---|---|---|\n";
    for (i, feature) in signature.features().iter().enumerate() {
        let values = match (feature.kind, feature.range) {
            (FeatureType::String, _) => {
                feature.levels.iter().map(|level| format!("`{}`", code(level))).collect::<Vec<_>>().join(", ")
            }
            (FeatureType::Boolean, _) => "true, false".to_owned(),
            (_, Some([low, high])) => format!("{} – {}", rounded(low, 5), rounded(high, 5)),
            (_, None) => "–".to_owned(),
        };
        let kind = match feature.kind {
            FeatureType::Double => "number",
            FeatureType::Long => "whole number",
            FeatureType::Boolean => "true or false",
            FeatureType::String => "category",
        };
        let seen = input.observed.and_then(|observed| observed.columns.get(i)).map_or(0, |column| column.missing);
        let missing = match &feature.missing {
            MissingPolicy::Reject => "refused".to_owned(),
            MissingPolicy::Impute(value) => format!("`{}` ({seen} rows)", code(&value.to_string())),
        };
        let _ = writeln!(text, "| `{}` | {kind} | {values} | {missing} |", code(&feature.name));
    }

    let sides = input.metrics();
    if !sides.is_empty() {
        text += "\n## Metrics\n\n| rows |";
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in sides.iter().flat_map(|measured| &measured.values) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        for name in &names {
            let _ = write!(text, " {} |", title(name));
        }
        let _ = writeln!(text, "\n|---|{}", "---|".repeat(names.len()));
        for MeasuredOn { side, rows, values } in &sides {
            let _ = write!(text, "| {}{side} |", rows.map_or_else(String::new, |rows| format!("{rows} ")));
            for name in &names {
                let value = values.iter().find(|(own, _)| own == name).map(|(_, value)| significant(*value));
                let _ = write!(text, " {} |", value.unwrap_or_else(|| "–".to_owned()));
            }
            text.push('\n');
        }
    }
    text + &limits(input)
}

fn limits(input: &ReportInput<'_>) -> String {
    let sides = input.metrics();
    let held_out = sides.iter().find(|measured| measured.side == "held out");
    let mut text = "\n## Limits\n\n".to_owned();
    let measure = |name: &str| held_out.and_then(|measured| measured.get(name));
    if let Some(rmse) = measure("rmse") {
        let _ = writeln!(
            text,
            "- A prediction for a new row is typically off by {} (RMSE of the rows held out).",
            rounded(rmse, 3)
        );
    } else if let Some(accuracy) = measure("accuracy") {
        let _ = writeln!(
            text,
            "- Of new rows, about {} % are told right (accuracy of the rows held out).",
            rounded(accuracy * 100.0, 3)
        );
    } else {
        text += "- No rows were held out: how well it predicts new rows is not known.\n";
    }
    if input.document.preprocess.target_transform == TargetTransform::Log {
        text += "- It was fitted to the logarithm of the target: a prediction is the median at these features, which lies below the mean when the errors are skewed. Sums and averages of predictions come out too low.\n";
    }
    text += "- It is a linear model: outside the ranges above its predictions are extrapolations that nobody has checked.\n";
    text += "- Coefficients describe these data. They are not effects of causes.\n";
    text
}

/// Text that stays text in Markdown and in a table.
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

/// Text between backticks, in a table.
fn code(text: &str) -> String {
    text.replace('`', "'").replace('|', "\\|").replace(['\n', '\r'], " ")
}
