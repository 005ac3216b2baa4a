//! `ordinate inspect`: what a model file holds, and whether it holds together.

use std::error::Error;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::coefficients::Fitted;
use super::interval_method::Certainty;
use super::model;
use super::text_table::{Grid, Side};
use super::train::significant;
use ordinate_model::Model;
use ordinate_model::artifact::Training;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, Signature, UnknownPolicy};
use ordinate_model::task::Task;
use ordinate_train::evaluate::title;

/// Show what a model asks for, how it answers and how it was made, and prove its file
///
/// The file is verified as before serving: its format, its checksum, and that this program gives the predictions that
/// were stored when it was trained.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP)]
    model: String,
    /// Print one JSON object for machines
    #[arg(long)]
    json: bool,
}

/// Loads, which proves, and shows.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let model = model::load(&arguments.model)?;
    let fitted = Fitted::of(model.document());
    if arguments.json {
        Ok(serde_json::to_string(&Shown::of(&model, &fitted))? + "\n")
    } else {
        Ok(report(&model, &fitted))
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    version: &'a str,
    task: Task,
    family: &'a str,
    created: &'a str,
    sha256: &'a str,
    golden_rows: usize,
    signature: &'a Signature,
    target_transform: TargetTransform,
    #[serde(flatten)]
    fitted: &'a Fitted<'a>,
    intervals: Option<Certainty>,
    training: &'a Training,
}

impl<'a> Shown<'a> {
    fn of(model: &'a Model, fitted: &'a Fitted<'a>) -> Self {
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
            fitted,
            intervals: Certainty::of(document),
            training: &document.training,
        }
    }
}

/// What a person reads.
fn report(model: &Model, fitted: &Fitted<'_>) -> String {
    let document = model.document();
    let target = document.signature.target();
    let task = match document.task {
        Task::Regression => "regression",
        Task::Classification => "classification",
    };
    let mut facts = Grid::new([("", Side::Left), ("", Side::Left)]);
    let mut fact = |name: &str, value: String| facts.push([name.to_owned(), value]);
    fact("predicts", format!("{} ({})", target.name, kind(target.kind)));
    if let Some(classes) = model.classes() {
        let classes: Vec<String> = classes.iter().map(Scalar::to_string).collect();
        fact("classes", classes.join(", "));
    }
    if document.preprocess.target_transform == TargetTransform::Log {
        fact("fitted to", "the logarithm of the target; predictions are medians, not means".to_owned());
    }
    fact("intervals", Certainty::told(document));
    if !document.created.is_empty() {
        fact("created", document.created.clone());
    }
    fact("sha256", model.checksum().to_owned());
    let golden = document.golden.x.len();
    fact("verified", format!("the checksum is that of the content; {golden} golden rows come out as stored"));

    [
        format!("{}@{}: {task}, {}\n\n", model.name(), model.version(), document.estimator.family()),
        facts.to_string(),
        format!("\nFeatures\n{}", features(&document.signature)),
        format!("\nCoefficients, for one unit of the column\n{}", fitted.grid()),
        format!("\nTraining\n{}", training(&document.training)),
        metrics(&document.training),
    ]
    .concat()
}

fn kind(kind: FeatureType) -> &'static str {
    match kind {
        FeatureType::Double => "double",
        FeatureType::Long => "long",
        FeatureType::Boolean => "boolean",
        FeatureType::String => "string",
    }
}

fn features(signature: &Signature) -> Grid {
    let mut grid =
        Grid::new([("name", Side::Left), ("type", Side::Left), ("trained on", Side::Left), ("missing", Side::Left)]);
    for feature in signature.features() {
        let missing = match &feature.missing {
            MissingPolicy::Reject => "reject".to_owned(),
            MissingPolicy::Impute(value) => format!("impute {value}"),
        };
        grid.push([feature.name.clone(), kind(feature.kind).to_owned(), values(feature), missing]);
    }
    grid
}

/// The range of a number, the levels of a string.
fn values(feature: &Feature) -> String {
    const NAMED: usize = 8;
    if let Some([low, high]) = feature.range {
        return format!("{} to {}", brief(low), brief(high));
    }
    let mut text = feature.levels.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if feature.levels.len() > NAMED {
        text.extend([" and ", &(feature.levels.len() - NAMED).to_string(), " more"]);
    }
    if feature.unknown == UnknownPolicy::Ignore {
        text.push_str("; others are none of them");
    }
    text
}

/// As it stood in the data, unless that is longer than what can be read at a glance.
fn brief(value: f64) -> String {
    let digits = value.to_string();
    if digits.len() <= 9 { digits } else { significant(value) }
}

fn training(training: &Training) -> Grid {
    let mut grid = Grid::new([("", Side::Left), ("", Side::Left)]);
    grid.push(["rows".to_owned(), training.rows.to_string()]);
    grid.push(["seed".to_owned(), training.seed.to_string()]);
    for (name, value) in &training.parameters {
        grid.push([name.replace('_', " "), plain(value)]);
    }
    grid.push(["data sha256".to_owned(), training.data_sha256.to_string()]);
    grid.push(["made by".to_owned(), format!("{}, smartcore {}", training.tool, training.smartcore)]);
    grid
}

/// Text without its quotes, a list without its brackets.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// One line a metric, one column for each set of rows it was measured on.
fn metrics(training: &Training) -> String {
    let sides = &training.metrics;
    let mut names: Vec<&str> = Vec::new();
    for name in sides.values().flat_map(|metrics| metrics.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return String::new();
    }
    let titles = sides.keys().map(|side| match side.as_str() {
        "train" => "fitted",
        "test" => "held out",
        other => other,
    });
    let mut grid = Grid::new([("", Side::Left)].into_iter().chain(titles.map(|title| (title, Side::Right))));
    for name in names {
        let cell = |value: Option<&f64>| value.map_or_else(|| "–".to_owned(), |value| significant(*value));
        grid.push([title(name).to_owned()].into_iter().chain(sides.values().map(|metrics| cell(metrics.get(name)))));
    }
    format!("\nMetrics\n{grid}")
}
