//! `ordinate inspect`: verification and contents of a model file.

use std::error::Error;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::coefficients::CoefficientTable;
use super::line_width::line_width;
use super::train::significant;
use super::{intervals, metric_table, model};
use ordinate_model::Model;
use ordinate_model::answer::AvailableIntervals;
use ordinate_model::artifact::Training;
use ordinate_model::preprocess::{Offset, TargetTransform};
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, Signature, UnknownPolicy};
use ordinate_model::task::Task;
use ordinate_model::wording::{counted, listed};
use ordinate_train::text_table::{Align, TextTable};

/// The most levels, or ignored columns, in a line.
const LISTED: usize = 8;

/// Verify a model file and show its contents
///
/// Shows features, coefficients, intervals, training parameters and metrics. The file is verified as before serving:
/// format, checksum, and golden rows (predictions stored at training must be reproduced).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate inspect price.json
  ordinate inspect diabetes --json
  ordinate train houses.csv --target price --out - | ordinate inspect -")]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP, long_help = model::LONG_HELP)]
    model: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Returns the contents as text or JSON; loading verifies the file.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let model = model::load(&arguments.model)?;
    let coefficients = CoefficientTable::new(model.document());
    if arguments.json {
        Ok(serde_json::to_string(&Contents::new(&model, &coefficients))? + "\n")
    } else {
        Ok(report(&model, &coefficients))
    }
}

/// The output of `--json`.
#[derive(Serialize)]
struct Contents<'a> {
    name: &'a str,
    version: &'a str,
    task: Task,
    family: &'a str,
    created: &'a str,
    sha256: &'a str,
    golden_rows: usize,
    signature: &'a Signature,
    target_transform: TargetTransform,
    /// As in the model file.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<&'a Offset>,
    /// The probability from which the second of two classes is predicted, if there is a threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    #[serde(flatten)]
    coefficients: &'a CoefficientTable<'a>,
    /// As in `GET /models/{name}`.
    intervals: Option<AvailableIntervals>,
    training: &'a Training,
}

impl<'a> Contents<'a> {
    fn new(model: &'a Model, coefficients: &'a CoefficientTable<'a>) -> Self {
        let document = model.document();
        Self {
            name: model.name(),
            version: model.version(),
            task: document.task,
            family: document.estimator.family(),
            created: &document.created,
            sha256: model.checksum(),
            golden_rows: document.golden.x.len(),
            signature: &document.signature,
            target_transform: document.preprocess.target_transform,
            offset: document.preprocess.offset.as_ref(),
            threshold: model.threshold(),
            coefficients,
            intervals: model.available_intervals(),
            training: &document.training,
        }
    }
}

fn report(model: &Model, coefficients: &CoefficientTable<'_>) -> String {
    let document = model.document();
    let target = document.signature.target();
    let task = match document.task {
        Task::Regression => "regression",
        Task::Classification => "classification",
    };
    let mut facts = TextTable::new([("", Align::Left), ("", Align::Left)]);
    let mut fact = |name: &str, value: String| facts.push([name.to_owned(), value]);
    fact("predicts", format!("{} ({})", target.name, target.kind));
    if let Some(classes) = model.classes() {
        let classes: Vec<String> = classes.iter().map(Scalar::to_string).collect();
        fact("classes", classes.join(", "));
    }
    if let Some((threshold, second)) = model.threshold().zip(model.classes().and_then(|classes| classes.get(1))) {
        fact("threshold", format!("{second} is predicted where its probability is at least {threshold}"));
    }
    if document.preprocess.target_transform == TargetTransform::Log {
        fact("fitted to", "the logarithm of the target; predictions are medians, not means".to_owned());
    }
    if let Some(family) = document.estimator.glm_family() {
        fact("fitted to", format!("the logarithm of the mean ({} distribution); predictions are means", family.name()));
    }
    if let Some(offset) = &document.preprocess.offset {
        let (name, kind) = (label(&offset.feature), if offset.log { "exposure" } else { "offset" });
        fact(kind, name.to_owned());
    }
    let ignored = document.signature.ignored().iter().filter(|name| **name != target.name);
    let ignored: Vec<&str> = ignored.map(|name| label(name)).collect();
    if !ignored.is_empty() {
        fact("ignores", listed(&ignored, LISTED));
    }
    if let Some(conventions) = target.reading.describe() {
        fact("target as text", conventions);
    }
    fact("intervals", intervals::describe(document));
    if !document.created.is_empty() {
        fact("created", document.created.clone());
    }
    fact("sha256", model.checksum().to_owned());
    let golden = counted(document.golden.x.len() as u64, "golden row", "golden rows");
    fact("verified", format!("checksum, and predictions of {golden}"));

    [
        format!("{}@{}: {task}, {}\n\n", model.name(), model.version(), document.estimator.family()),
        facts.to_string(),
        format!("\nFeatures\n{}", features(&document.signature)),
        format!("\nCoefficients, for one unit of the column\n{}", coefficients.table().within(line_width())),
        format!("\nTraining\n{}", training(&document.training)),
        metrics(&document.training),
        notes(&document.training),
    ]
    .concat()
}

/// The columns of the table; the last only if a feature has conventions.
fn features(signature: &Signature) -> TextTable {
    let has_conventions = signature.features().iter().any(|feature| !feature.reading.is_default());
    let titles = ["name", "type", "trained on", "missing"].into_iter().chain(has_conventions.then_some("as text"));
    let mut table = TextTable::new(titles.map(|title| (title, Align::Left)));
    for feature in signature.features() {
        let missing = match &feature.missing {
            MissingPolicy::Reject => "reject".to_owned(),
            MissingPolicy::Impute(value) => format!("impute {value}"),
            MissingPolicy::Category(level) => format!("category {level}"),
        };
        let cells = [feature.name.clone(), feature.kind.to_string(), values(feature), missing];
        let conventions = has_conventions.then(|| feature.reading.describe().unwrap_or_default());
        table.push(cells.into_iter().chain(conventions));
    }
    table
}

/// The range of a number or a date, the levels of a string.
fn values(feature: &Feature) -> String {
    if let (Some([low, high]), FeatureType::Double | FeatureType::Long) = (feature.range, feature.kind) {
        return format!("{} to {}", brief(low), brief(high));
    }
    if let Some([first, last]) = feature.range_ends() {
        return format!("{first} to {last}");
    }
    let levels: Vec<&str> = feature.levels.iter().map(String::as_str).collect();
    let unknown = match feature.unknown {
        UnknownPolicy::Reject => "",
        UnknownPolicy::Ignore => "; other values are ignored",
        UnknownPolicy::Other => "; other values are (other)",
    };
    listed(&levels, LISTED) + unknown
}

/// The name of a column, which may be empty.
fn label(name: &str) -> &str {
    if name.is_empty() { "(unnamed)" } else { name }
}

fn notes(training: &Training) -> String {
    let mut text = String::new();
    for (place, note) in training.notes.iter().enumerate() {
        text.extend([if place == 0 { "\nNotes\n  " } else { "  " }, note, "\n"]);
    }
    text
}

/// All digits if they are few, otherwise six significant ones.
fn brief(value: f64) -> String {
    let digits = value.to_string();
    if digits.len() <= 9 { digits } else { significant(value) }
}

fn training(training: &Training) -> TextTable {
    let mut table = TextTable::new([("", Align::Left), ("", Align::Left)]);
    let mut known = |name: &str, value: Option<String>| value.map(|value| table.push([name.to_owned(), value]));
    known("rows", training.rows.map(|rows| rows.to_string()));
    known("seed", training.seed.map(|seed| seed.to_string()));
    for (name, value) in &training.parameters {
        table.push([name.replace('_', " "), plain(value)]);
    }
    if let Some(sum) = &training.data_sha256 {
        table.push(["data sha256".to_owned(), sum.to_string()]);
    }
    table.push(["made by".to_owned(), training.made_by()]);
    table
}

/// Text without quotes, a list without brackets.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn metrics(training: &Training) -> String {
    let columns = metric_table::of_training(training, None);
    if columns.is_empty() {
        String::new()
    } else {
        format!("\nMetrics\n{}", metric_table::table(&columns).within(line_width()))
    }
}
