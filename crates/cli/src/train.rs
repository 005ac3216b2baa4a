//! `ordinate train`: fits a model to data.

mod arguments;
mod output_files;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;

use super::catalog::is_catalog;
use super::coefficients::CoefficientTable;
use super::confusion::Confusion;
use super::curl::{curl, program};
use super::line_width::line_width;
use super::output::{is_standard_output, same_file};
use super::progress::Progress;
use super::{intervals, metric_table};
use super::{print_error, write_output, wrong_usage};
pub(super) use arguments::Arguments;
use ordinate_model::Model;
use ordinate_model::artifact::Document;
use ordinate_model::estimator::Coefficients;
use ordinate_model::identity::{Checksum, ModelName};
use ordinate_model::wording::counted;
use ordinate_server::settings::PORT;
use ordinate_table::{Decision, Origin, Watch, expanded, shell_word};
use ordinate_train::evaluate::ClassMetrics;
use ordinate_train::feature_count::feature_count;
use ordinate_train::measured_rows::MeasuredRows;
use ordinate_train::plan::PenaltyPlan;
use ordinate_train::report::{ReportInput, card, html, no_standard_errors};
use ordinate_train::{Plan, TrainError, Trained, summary, train};
use output_files::{OptionFile, clash, publish, writable_catalog};

/// The options that name output files, with their paths.
type OutputPaths<'a> = [(&'static str, Option<&'a Path>); 3];

/// Trains, writes the output files, and prints the results as text or JSON.
pub(super) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let penalty = arguments.check_log_link().and_then(|()| arguments.penalty());
    let penalty = penalty.unwrap_or_else(|reason| wrong_usage("train", &reason));
    let out = arguments.out.as_deref();
    let paths = [("--out", out), ("--report", arguments.report.as_deref()), ("--card", arguments.card.as_deref())];
    let is_printed = check_outputs(paths, arguments.json).unwrap_or_else(|reason| wrong_usage("train", &reason));
    check_data_files(arguments, paths)?;
    let catalog = out.and_then(Path::to_str).filter(|out| is_catalog(out));
    let catalog = catalog.map(|place| writable_catalog(place, &model_name(arguments))).transpose()?;
    let is_file = |path: &&Path| catalog.is_none() || Some(*path) != out;
    let create = |(option, path): (&'static str, Option<&Path>)| {
        path.filter(is_file).map(|path| OptionFile::create(option, path)).transpose()
    };
    let [model_file, report_file, card_file] = paths.map(create);
    let (model_file, report_file, card_file) = (model_file?, report_file?, card_file?);
    let mut trained = fit(arguments, penalty)?;
    let published = catalog.map(|catalog| publish(&catalog, &trained.document));
    if let Some(Ok(published)) = &published {
        // The results and the report have the version that the model has now.
        trained.document = trained.document.with_version(published.model.document().version.clone())?;
    }
    // Reports name files without their folders.
    let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let data: Vec<String> = arguments.data.iter().filter_map(name).collect();
    let input = ReportInput {
        document: &trained.document,
        data: &data.join(", "),
        summary: trained.summary.as_ref(),
        report_data: trained.report.as_ref(),
        path: trained.path.as_ref(),
        notes: &trained.notes,
    };
    let published = published.map(|published| published.map(|published| PathBuf::from(published.location)));
    let document = model_file.as_ref().map(|_| trained.document.to_json()).transpose()?;
    let written = [
        published.or(model_file.zip(document).map(|(file, document)| file.write(&document))),
        report_file.map(|file| file.write(&html(&input))),
        card_file.map(|file| file.write(&card(&input))),
    ];
    let saved = written.first().and_then(Option::as_ref);
    let results = if arguments.json {
        let out = out.filter(|_| matches!(saved, Some(Ok(_)))).and(saved).and_then(|saved| saved.as_deref().ok());
        serde_json::to_string(&TrainingResults::new(&trained, out))? + "\n"
    } else {
        report(&trained, saved)?
    };
    if is_printed {
        print_error(&results);
    }
    Ok(answer(&written, if is_printed { "" } else { &results })?)
}

/// Checks that every output has a place of its own, and returns whether one of them is standard output.
fn check_outputs(paths: OutputPaths<'_>, json: bool) -> Result<bool, String> {
    let named: Vec<(&str, &Path)> = paths.iter().filter_map(|(option, path)| Some((*option, (*path)?))).collect();
    if let Some(reason) = clash(&named) {
        return Err(reason);
    }
    match named.iter().find(|(_, path)| is_standard_output(path)) {
        Some((option, _)) if json => {
            Err(format!("{option} and --json would both be written to standard output; name a file with {option}"))
        }
        printed => Ok(printed.is_some()),
    }
}

/// Checks that no output is a data file, and no test file is one of the training data.
fn check_data_files(arguments: &Arguments, paths: OutputPaths<'_>) -> Result<(), Box<dyn Error>> {
    let [data, test] = [expanded(&arguments.data)?, expanded(&arguments.measuring.test)?];
    for (option, path) in paths {
        let is_read = |data: &&PathBuf| path.is_some_and(|path| same_file(path, data));
        if let Some(data) = data.iter().chain(&test).find(is_read) {
            let data = data.display();
            return Err(format!("{data}: {option} is a data file\nhelp: choose another file").into());
        }
    }
    match test.iter().find(|test| data.iter().any(|data| data == *test || same_file(data, test))) {
        Some(twice) => Err(format!("{}: --test names a file of the training data", twice.display()).into()),
        None => Ok(()),
    }
}

/// Trains with progress, and refuses decisions that no option makes if they are to be errors.
fn fit(arguments: &Arguments, penalty: PenaltyPlan) -> Result<Trained, Box<dyn Error>> {
    let progress = Arc::new(Progress::of_stages(!arguments.json));
    let watch = Some(progress.watch());
    let trained = train(&plan(arguments, penalty, watch)?);
    drop(progress);
    let trained = match trained {
        Err(TrainError::Several(problems)) if !problems.options().is_empty() => {
            let resolved = command(problems.options());
            return Err(format!("{}\nhelp: to count these values as missing, use: {resolved}", problems.text()).into());
        }
        trained => trained?,
    };
    // Without an option, and without a loss, a decision is only a note.
    let is_open = |decision: &&Decision| decision.loses_rows || !decision.options.is_empty();
    let open: Vec<&Decision> = trained.decisions.iter().filter(is_open).collect();
    if arguments.strict && !open.is_empty() {
        return Err(undecided(&open).into());
    }
    Ok(trained)
}

/// Prints the results. If they or a file cannot be written, the error names the files that were.
fn answer(written: &[Option<Result<PathBuf, String>>], results: &str) -> Result<(), String> {
    let printed = write_output(results);
    let files = written.iter().flatten().filter_map(|file| file.as_ref().err());
    let failed: Vec<&str> = files.chain(printed.as_ref().err()).map(String::as_str).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let kept: Vec<String> = written.iter().flatten().flatten().map(|path| path.display().to_string()).collect();
    let kept = if kept.is_empty() { String::new() } else { format!("\nnote: saved {}", kept.join(", ")) };
    Err(format!("{}{kept}", failed.join("\nerror: ")))
}

/// The plan of these arguments.
fn plan(arguments: &Arguments, penalty: PenaltyPlan, watch: Option<Watch>) -> Result<Plan, Box<dyn Error>> {
    Ok(Plan {
        origin: Origin { watch: watch.clone(), ..arguments.origin() },
        selection: arguments.selection(),
        preparation: arguments.preparation(),
        name: model_name(arguments),
        estimator: arguments.estimator,
        penalty,
        classes: arguments.classes(),
        standard_errors: arguments.standard_errors,
        calibrate: !arguments.measuring.no_calibration,
        test: arguments.test().map(|origin| Origin { watch, ..origin }),
        test_fraction: arguments.measuring.test_fraction,
        seed: arguments.measuring.seed,
        report: arguments.report.is_some() || arguments.card.is_some(),
        created: Timestamp::from_second(Timestamp::now().as_second())?.to_string(),
    })
}

/// The error of `--strict`: what would be decided, and the command that decides it in the same way.
fn undecided(decisions: &[&Decision]) -> String {
    let mut text = format!("--strict: {} no option makes", counted(decisions.len(), "decision that", "decisions that"));
    for decision in decisions {
        let _ = write!(text, "\n- {}", decision.text);
    }
    let options: Vec<String> = decisions.iter().flat_map(|decision| decision.options.iter().cloned()).collect();
    if options.is_empty() {
        text.push_str("\nhelp: correct the data, or train without --strict");
    } else {
        let _ = write!(text, "\nhelp: to decide the same, use: {}", command(&options));
    }
    text
}

/// The command that was given, with further options, each followed by its value.
fn command(options: &[String]) -> String {
    // A value that begins like an option follows its option after `=`.
    let option = |pair: &[String]| match pair {
        [option, value] if value.starts_with('-') => vec![format!("{option}={value}")],
        pair => pair.to_vec(),
    };
    let words = std::env::args().skip(1).chain(options.chunks(2).flat_map(option));
    let words: Vec<String> = words.map(|word| shell_word(&word)).collect();
    format!("ordinate {}", words.join(" "))
}

/// The name of the model: that of `--name`, or of the file that is written, or of the data.
fn model_name(arguments: &Arguments) -> ModelName {
    let is_file = |out: &&Path| !is_standard_output(out) && !out.to_str().is_some_and(is_catalog);
    let file = arguments.out.as_deref().filter(is_file).or(arguments.data.first().map(AsRef::as_ref));
    let stem = || file.and_then(Path::file_stem).map(|stem| stem.to_string_lossy()).unwrap_or_default();
    arguments.name.clone().unwrap_or_else(|| ModelName::from_text_lossy(&stem()))
}

/// The output of `--json`.
#[derive(Serialize)]
struct TrainingResults<'a> {
    name: &'a str,
    version: &'a str,
    /// As in the model file.
    estimator: &'a Coefficients,
    /// In the units of the columns.
    coefficients: CoefficientTable<'a>,
    target: &'a str,
    rows: u64,
    held_out: u64,
    tested: u64,
    metrics: &'a IndexMap<String, IndexMap<String, f64>>,
    /// Of the held-out or test rows.
    confusion: Option<Confusion<'a>>,
    /// Of the same rows, in the order of the classes.
    class_metrics: Option<Vec<ClassMetrics>>,
    /// The probability from which the second of two classes is predicted, if there is a threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    #[serde(rename = "summary")]
    least_squares: Option<&'a summary::Summary>,
    notes: &'a [String],
    sha256: Option<&'a str>,
    out: Option<&'a Path>,
}

impl<'a> TrainingResults<'a> {
    fn new(trained: &'a Trained, out: Option<&'a Path>) -> Self {
        let document = &trained.document;
        Self {
            name: document.name.as_str(),
            version: document.version.as_str(),
            estimator: &document.estimator,
            coefficients: CoefficientTable::new(document),
            target: &document.signature.target().name,
            rows: document.training.rows.unwrap_or_default(),
            held_out: trained.held_out,
            tested: trained.test_rows,
            metrics: &document.training.metrics,
            confusion: confusion(trained),
            class_metrics: confusion(trained).map(|confusion| confusion.class_metrics()),
            threshold: document.inference.as_ref().and_then(|inference| inference.threshold),
            least_squares: trained.summary.as_ref(),
            notes: &trained.notes,
            sha256: document.sha256.as_ref().map(Checksum::as_str),
            out,
        }
    }
}

fn report(trained: &Trained, saved: Option<&Result<PathBuf, String>>) -> Result<String, Box<dyn Error>> {
    let Trained { document, held_out, test_rows: tested, notes, .. } = trained;
    let rows = document.training.rows.unwrap_or_default();
    let (mut text, width) = (String::new(), line_width());
    let features = feature_count(document);
    let target = &document.signature.target().name;
    writeln!(text, "{}@{}: {target} from {features}, {rows} rows\n", document.name, document.version)?;
    if let Some(summary) = &trained.summary {
        writeln!(text, "Coefficients of {}, for one unit of the column\n{}", summary.target, summary.text(width))?;
    } else {
        let table = CoefficientTable::new(document).table().within(width);
        writeln!(text, "Coefficients, for one unit of the column\n{table}")?;
        if let Some(reason) = no_standard_errors(document) {
            writeln!(text, "{reason}\n")?;
        }
    }
    let measured = MeasuredRows::from_training(&document.training).noun();
    if *held_out > 0 {
        let kept = rows - held_out;
        metrics(&mut text, document, Some([*held_out, kept]))?;
        confusion_matrix(&mut text, trained, measured)?;
        writeln!(text, "The metrics are of a fit to {kept} rows; the model is fitted to all {rows} rows.\n")?;
    } else if *tested > 0 {
        metrics(&mut text, document, Some([*tested, rows]))?;
        confusion_matrix(&mut text, trained, measured)?;
        writeln!(text, "The model is fitted to the {rows} training rows, and measured on {tested} {measured}.\n")?;
    } else {
        metrics(&mut text, document, Some([0, rows]))?;
        writeln!(text, "No rows were held out: the metrics are of the training rows, not of new rows.\n")?;
    }
    writeln!(text, "Intervals: {}.\n", intervals::describe(document))?;
    for note in notes {
        writeln!(text, "Note: {note}.")?;
    }
    if !notes.is_empty() {
        text.push('\n');
    }
    match saved {
        Some(Ok(out)) if is_standard_output(out) => writeln!(text, "Written to standard output.")?,
        Some(Ok(out)) => {
            writeln!(text, "Saved to {}.", out.display())?;
            if let Some(commands) = serving(out) {
                text.push_str(&commands);
            }
        }
        Some(Err(_)) => writeln!(text, "The model is not saved.")?,
        None => writeln!(text, "The model is not saved; add --out FILE to save it.")?,
    }
    Ok(text)
}

/// The confusion matrix of the held-out or test rows.
fn confusion(trained: &Trained) -> Option<Confusion<'_>> {
    let classes = trained.document.estimator.classes()?;
    Some(Confusion { classes, rows: trained.confusion.as_deref()? })
}

fn confusion_matrix(text: &mut String, trained: &Trained, rows: &str) -> Result<(), std::fmt::Error> {
    match confusion(trained) {
        Some(confusion) => writeln!(text, "{}", confusion.table(rows).within(line_width())),
        None => Ok(()),
    }
}

fn metrics(text: &mut String, document: &Document, rows: Option<[u64; 2]>) -> Result<(), std::fmt::Error> {
    let table = metric_table::table(&metric_table::of_training(&document.training, rows));
    writeln!(text, "{}", table.within(line_width()))
}

/// Six significant digits.
pub(super) fn significant(value: f64) -> String {
    let scientific = format!("{value:.5e}");
    let exponent = scientific.rsplit('e').next().and_then(|exponent| exponent.parse::<i32>().ok()).unwrap_or(0);
    if !(-5..9).contains(&exponent) {
        return scientific;
    }
    let decimals = if value.fract() == 0.0 { 0 } else { 5 - exponent };
    format!("{value:.*}", usize::try_from(decimals).unwrap_or(0))
}

/// Commands that serve a saved model and request a prediction, in any folder. `None` for a pipe or a path that is not UTF-8.
fn serving(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok().filter(|path| path.is_file())?;
    let model = Model::from_json(fs::read(&path).ok()?).ok()?;
    let (program, path) = (program(), shell_word(path.to_str()?));
    Some(format!(
        "Serve it, and request a prediction in another terminal:\n  {program} serve {path}\n  {}\n",
        curl(&format!("localhost:{PORT}"), &model)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_significant_digits() {
        let cases = [
            (0.0, "0"),
            (2.0, "2"),
            (-0.036_361_224, "-0.0363612"),
            (152.133_484, "152.133"),
            (1_234_567.0, "1234567"),
            (1.7e12, "1.70000e12"),
            (-3e-9, "-3.00000e-9"),
            (0.000_012_345_678, "0.0000123457"),
        ];
        for (value, text) in cases {
            assert_eq!(significant(value), text);
        }
    }
}
