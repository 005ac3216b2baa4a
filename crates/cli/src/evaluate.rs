//! `ordinate evaluate`: metrics of a model on rows with known answers.

mod measured;
mod report;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::model;
use super::print_error;
use super::progress::{Progress, total_bytes};
use super::reading::ReadingArguments;
use measured::{Measured, NumberColumn};
use ordinate_batch::scoring::{Scorer, ScoringError};
use ordinate_batch::skipped::{OnError, SkippedRows};
use ordinate_model::Wanted;
use ordinate_model::reading::Reading;
use ordinate_table::{Purpose, TableReader, each_once, expanded};
use ordinate_train::evaluate::by_name;
use report::EvaluationReport;

/// Measure a model on rows with known answers
///
/// The model answers every row exactly as it does over HTTPS. Files are read as a stream. Columns are found by name, in
/// any order; columns that the model does not use are ignored. Rows without a known answer are left out and counted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate evaluate price.json new-houses.csv
  zcat houses.csv.gz | ordinate evaluate price.json - --on-error skip --json")]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP, long_help = model::LONG_HELP)]
    model: String,
    /// Rows to measure on: CSV or Parquet files, folders, patterns such as 'part-*.csv', or - for CSV from standard input
    ///
    /// The header must name the features of the model and the target. Several files with the same columns are read as
    /// one table.
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,
    /// Column with the known answers; by default the target of the model
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Column with the weight of each row, zero or more
    ///
    /// A row of weight 2 counts as two rows in the metrics.
    #[arg(long, value_name = "NAME")]
    weights: Option<String>,
    /// Treatment of rows that cannot be used: stop with an error, or skip them
    #[arg(long, value_name = "ACTION", default_value = "stop", value_parser = on_error())]
    on_error: OnError,
    /// Print the metrics as one JSON object
    #[arg(long)]
    json: bool,
    /// Do not show progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten, next_help_heading = "Reading files")]
    reading: ReadingArguments,
}

fn on_error() -> impl TypedValueParser<Value = OnError> {
    PossibleValuesParser::new(["stop", "skip"]).map(|text| if text == "skip" { OnError::Skip } else { OnError::Stop })
}

/// Returns the metrics as text or JSON.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let files = each_once(expanded(&arguments.data)?)?;
    model::check_standard_input(&arguments.model, &files)?;
    let model = model::load(&arguments.model)?;
    let target = arguments.target.as_deref().unwrap_or(&model.signature().target().name);
    let progress = Arc::new(Progress::of_bytes(total_bytes(&files), !arguments.quiet));
    let features = model.signature().features().iter().map(|feature| feature.name.clone());
    let others = [target].into_iter().chain(arguments.weights.as_deref()).map(str::to_owned);
    let known = features.chain(others).collect();
    let mut reader = TableReader::open(files, arguments.reading.options(), known, Some(progress.watch()))?;
    let wanted = Wanted::default();
    let scorer = Scorer::new(&model, &reader, wanted, model.predictor(&wanted)?)?;
    let find = |name: &str, option, purpose, reading: &Reading| {
        let position = reader.find(&[name], option)?.first().copied().unwrap_or_default();
        let signature = model.signature();
        reader.check_once(&[name], option, |name| signature.position(name).is_some() || signature.ignores(name))?;
        Ok::<_, ScoringError>(NumberColumn::new(name, purpose, position, reading.clone()))
    };
    let plain = Reading::default();
    let weights = arguments.weights.as_deref();
    let weight = weights.map(|name| find(name, "--weights", Purpose::Weight, &plain)).transpose()?;
    // The conventions of the training file; another column with known answers has them, too.
    let known = find(target, "--target", Purpose::Target, &model.signature().target().reading)?;
    let mut measured = Measured::new(&model, known, weight);
    let used = measured.positions();
    let label = reader.label().to_owned();

    let mut skipped = SkippedRows::new(arguments.on_error);
    let rows = scorer.score::<ScoringError>(&mut reader, &used, |batch| measured.push(batch, &mut skipped))?;
    drop((reader, progress));
    let left_out = skipped.total();
    print_error(&skipped.report(&label, rows - measured.without_target)?);
    check_answers(&measured, [rows, left_out], &label, target, weights)?;

    let too_large =
        || format!("{label}: the errors are too large for a double\nhelp: rescale columns with extreme values");
    let baseline = &model.document().training.baseline;
    let metrics = measured.evaluation.measure(baseline, model.threshold()).ok_or_else(too_large)?;
    let report = EvaluationReport {
        model: model.name(),
        version: model.version(),
        data: &label,
        target,
        weights,
        rows: metrics.rows,
        left_out,
        without_target: measured.without_target,
        imputed: measured.imputed_features(),
        metrics: metrics.by_name(),
        standard_errors: by_name(&metrics.standard_errors),
        baseline: by_name(&metrics.baseline),
        class_metrics: measured.confusion().map(|confusion| confusion.class_metrics()),
        confusion: measured.confusion(),
        calibration: measured.calibration(),
    };
    if arguments.json { Ok(serde_json::to_string(&report)? + "\n") } else { Ok(report.text(&model)) }
}

/// Checks that some rows have a known answer and a weight.
fn check_answers(
    measured: &Measured<'_>,
    [rows, left_out]: [u64; 2],
    label: &str,
    target: &str,
    weights: Option<&str>,
) -> Result<(), String> {
    if measured.without_target == rows {
        return Err(format!("{label}: no row has a value of the target {target:?}"));
    }
    match weights {
        Some(weights) if measured.without_weight + measured.without_target + left_out == rows => Err(format!(
            "{label}: no row has a weight above zero in the column {weights:?}\nhelp: correct the column, or leave \
             --weights away"
        )),
        _ => Ok(()),
    }
}
