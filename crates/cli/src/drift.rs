//! `ordinate drift`: whether rows still come from the distribution of the training data.

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::batch::location;
use super::evaluate::class;
use super::line_width::line_width;
use super::model;
use super::output::OutputFile;
use super::progress::{Progress, total_bytes};
use super::reading::ReadingArguments;
use ordinate::source::ObjectLocation;
use ordinate_batch::s3::S3;
use ordinate_drift::captured::{Captured, captured_files, is_captured};
use ordinate_drift::{DriftReport, Limits, Observed};
use ordinate_model::Model;
use ordinate_model::cell::Cell;
use ordinate_model::signature::{Feature, FeatureType};
use ordinate_model::wording::{counted, listed};
use ordinate_table::{Row, TableReader, each_once, expanded};

/// Compare rows with the training data of a model
///
/// The distribution of every feature and of the predictions is compared with that of the training data, which the model
/// file contains. A difference is drift if it is unlikely (at most 1 % for the whole report, however many features) and
/// large (PSI). If the column of the target is there, the metrics are compared, too.
///
/// Exit codes: 0 no drift, 1 failed, 2 wrong usage, 3 drift.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate drift price.json new-houses.csv
  ordinate drift price.json captured/ --html drift.html
  ordinate drift s3://models/price@live s3://bucket/captured/2026-11-30/
  ordinate drift price.json 'week-*.parquet' --json > drift.json || test $? -eq 3")]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP, long_help = model::LONG_HELP)]
    model: String,
    /// Rows to compare: captured requests (JSON Lines), CSV or Parquet files, folders, patterns such as 'week-*.csv', or
    /// captured requests below a prefix of S3, such as `s3://bucket/captured/2026-11-30/`
    ///
    /// Captured requests are the lines that the service writes with `CAPTURE_FRACTION`, also as a log subscription and Data
    /// Firehose deliver them. The header of a table must name the features of the model. Rows that the model rejects are
    /// counted, and their valid values are compared.
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,
    /// Population stability index from which on a difference is drift, above that of noise
    #[arg(long, value_name = "INDEX", default_value_t = Limits::default().psi, value_parser = index)]
    psi: f64,
    /// Fewest values of a feature that are compared
    #[arg(long, value_name = "N", default_value_t = Limits::default().rows, value_parser = clap::value_parser!(u64).range(1..))]
    min_rows: u64,
    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,
    /// Write the report with charts as an HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Do not show progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten, next_help_heading = "Reading files")]
    reading: ReadingArguments,
}

fn index(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|index: &f64| index.is_finite() && *index >= 0.0);
    value.ok_or_else(|| "expected a number of at least 0".to_owned())
}

/// Returns the report as text or JSON, and whether there is drift.
pub(super) fn run(arguments: &Arguments) -> Result<(String, bool), Box<dyn Error>> {
    let files = Files::new(&arguments.data)?;
    model::check_standard_input(&arguments.model, &files.tables)?;
    let model = model::load(&arguments.model)?;
    let mut observed = Observed::new(&model).ok_or_else(|| {
        format!(
            "{}: the model file does not have the distribution of the training data\nhelp: train the model again with \
             `ordinate train`; imported models do not have it",
            arguments.model
        )
    })?;
    let mut notes = Vec::new();
    if files.has_captured() {
        notes.extend(read_captured(&files, &mut observed)?);
    }
    if !files.tables.is_empty() {
        read_tables(files.tables.clone(), arguments, &model, &mut observed)?;
    }
    let limits = Limits { psi: arguments.psi, rows: arguments.min_rows };
    let mut report = DriftReport::new(&observed, files.label(), limits);
    report.notes = notes;
    if let Some(path) = &arguments.html {
        let unwritable = |error| format!("{}: cannot be written: {error}\nhelp: choose another --html", path.display());
        write_page(path, &report).map_err(unwritable)?;
    }
    let text = if arguments.json { serde_json::to_string(&report)? + "\n" } else { report.text(line_width()) };
    Ok((text, report.drift))
}

fn write_page(path: &Path, report: &DriftReport) -> io::Result<()> {
    let mut file = OutputFile::create(path)?;
    file.write_all(report.html().as_bytes())?;
    file.keep()
}

/// The files by their kind.
#[derive(Default)]
struct Files {
    captured: Vec<PathBuf>,
    tables: Vec<PathBuf>,
    /// Prefixes and objects with captured requests.
    prefixes: Vec<ObjectLocation>,
}

impl Files {
    fn new(paths: &[PathBuf]) -> Result<Self, Box<dyn Error>> {
        let mut files = Self::default();
        for path in paths {
            if let Some(location) = path.to_str().map(location).transpose()?.flatten() {
                files.prefixes.push(location);
                continue;
            }
            let unreadable = |error: io::Error| format!("{}: cannot be read: {error}", path.display());
            if path.is_dir() {
                let captured = captured_files(path).map_err(unreadable)?;
                if !captured.is_empty() {
                    files.captured.extend(captured);
                    continue;
                }
            }
            for file in expanded(std::slice::from_ref(path))? {
                // A missing file is reported when it is opened.
                let is_lines = file.is_file() && is_captured(&file).map_err(unreadable)?;
                if is_lines { files.captured.push(file) } else { files.tables.push(file) }
            }
        }
        Ok(Self { captured: each_once(files.captured)?, tables: each_once(files.tables)?, ..files })
    }

    fn has_captured(&self) -> bool {
        !self.captured.is_empty() || !self.prefixes.is_empty()
    }

    fn label(&self) -> String {
        let names = self.captured.iter().chain(&self.tables).map(|path| path.display().to_string());
        listed(names.chain(self.prefixes.iter().map(ToString::to_string)).collect::<Vec<_>>(), 3)
    }
}

/// Reads the objects of a location, or below it.
fn read_objects(
    location: &ObjectLocation,
    captured: &mut Captured,
    observed: &mut Observed<'_>,
) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let s3 = S3::new(location, model::s3(), runtime.handle().clone())?;
    let listed = s3.list(location)?;
    if listed.is_empty() {
        return Err(
            format!("{location}: no objects\nhelp: name a day with captured requests, such as 2026-11-30/").into()
        );
    }
    for object in listed {
        let place = object.location;
        let Some(stream) = s3.open(&place)? else { continue };
        captured.read(stream, observed).map_err(|error| format!("{place}: cannot be read: {error}"))?;
    }
    Ok(())
}

/// Reads captured requests, and returns remarks on them.
fn read_captured(files: &Files, observed: &mut Observed<'_>) -> Result<Vec<String>, Box<dyn Error>> {
    let mut captured = Captured::default();
    for location in &files.prefixes {
        read_objects(location, &mut captured, observed)?;
    }
    for file in &files.captured {
        let unreadable = |error| format!("{}: cannot be read: {error}", file.display());
        captured.read(File::open(file).map_err(unreadable)?, observed).map_err(unreadable)?;
    }
    let others: u64 = captured.others.values().sum();
    let names = || listed(captured.others.keys().collect::<Vec<_>>(), 5);
    if captured.requests == 0 {
        let document = observed.document();
        let found = if others > 0 { format!(", only of {}", names()) } else { String::new() };
        return Err(format!(
            "{}: no captured requests of {}@{}{found}\nhelp: set CAPTURE_FRACTION, and name the model that is served",
            files.label(),
            document.name,
            document.version
        )
        .into());
    }
    let mut notes = Vec::new();
    if others > 0 {
        notes.push(format!("{} of other models skipped: {}", counted(others, "request", "requests"), names()));
    }
    if captured.cut_rows > 0 {
        notes.push(format!(
            "{} not captured, because their requests are large",
            counted(captured.cut_rows, "row", "rows")
        ));
    }
    Ok(notes)
}

/// Reads the rows of tables, and known answers if there is a column of the target.
fn read_tables(
    files: Vec<PathBuf>,
    arguments: &Arguments,
    model: &Model,
    observed: &mut Observed<'_>,
) -> Result<(), Box<dyn Error>> {
    let progress = Arc::new(Progress::of_bytes(total_bytes(&files), !arguments.quiet));
    let (features, target) = (model.signature().features(), model.signature().target());
    let names: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
    let known = names.iter().copied().chain([target.name.as_str()]).map(str::to_owned).collect();
    let mut reader = TableReader::open(files, arguments.reading.options(), known, Some(progress.watch()))?;
    let positions = reader.find(&names, &format!("the model {}", model.name()))?;
    let has_answers = reader.has_column(&target.name);
    let answers = if has_answers { reader.find(&[target.name.as_str()], "the target")? } else { Vec::new() };
    let number = Feature { reading: target.reading.clone(), ..Feature::new(&*target.name, FeatureType::Double) };
    let family = model.document().estimator.glm_family();
    let answer = |row: &Row| {
        let cell = row.cell(*answers.first()?);
        match model.classes() {
            // A position among at most a hundred classes.
            #[allow(clippy::cast_precision_loss)]
            Some(classes) => class(cell, classes, &target.reading).ok().map(|class| class as f64),
            None => number.accept(cell).ok().filter(|value| family.is_none_or(|family| family.has(*value))),
        }
    };
    let width = reader.header().len();
    let mut row = Row::default();
    loop {
        while reader.next(&mut row)? {
            // A row of another width is rejected.
            let read = positions.iter().filter(|_| row.width() == width);
            let cells: Vec<Cell<'_>> = read.map(|position| row.cell(*position)).collect();
            observed.push(&cells, answer(&row));
        }
        if !reader.next_file()? {
            break;
        }
    }
    observed.predict();
    Ok(())
}
