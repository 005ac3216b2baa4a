//! `ordinate drift`: whether rows still come from the distribution of the training data.

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::batch::location;
use super::line_width::line_width;
use super::model;
use super::output::{OutputFile, same_file};
use super::progress::{Progress, total_bytes};
use super::reading::ReadingArguments;
use ordinate::source::ObjectLocation;
use ordinate_batch::s3::S3;
use ordinate_drift::captured::{Captured, files_with_objects, has_objects};
use ordinate_drift::{DriftReport, Limits, Observed};
use ordinate_model::Model;
use ordinate_model::cell::Cell;
use ordinate_model::wording::listed;
use ordinate_table::{DataError, Row, TableReader, each_once, expanded};

/// Compare rows with the training data of a model
///
/// The distribution of every feature and of the predictions is compared with that of the training data, which the model
/// file contains. A difference is drift if it is unlikely (at most 1 % for the whole report, however many features) and
/// large (PSI). If the column of the target is there, the metrics are compared, too.
///
/// Exit codes: 0 no drift, 1 failed, also without any rows, 2 wrong usage, 3 drift.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate drift price.json new-houses.csv
  ordinate drift price.json captured/ --html drift.html
  ordinate drift s3://models/price@live s3://bucket/captured/2026-11-30/
  ordinate drift price.json 'week-*.parquet' --json > drift.json || test $? -eq 3")]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP, long_help = model::LONG_HELP)]
    model: String,
    /// Rows to compare: captured requests, CSV, Parquet or JSON Lines files, folders, patterns such as 'week-*.csv', or
    /// captured requests below a prefix of S3, such as `s3://bucket/captured/2026-11-30/`
    ///
    /// Captured requests are the lines that the service writes with `CAPTURE_FRACTION`, also as a log subscription and Data
    /// Firehose deliver them. The header of a table must name the features of the model; rows of JSON Lines are objects
    /// with the features by name. Files may be compressed by gzip or Zstandard. Rows that the model rejects are
    /// counted, and their valid values are compared.
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,
    /// Population stability index from which on a difference is drift, above that of noise
    ///
    /// Half a row is added to each bin, so that an empty bin has a finite index.
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
    let files = Files::new(&arguments.data, Path::new(&arguments.model))?;
    model::check_standard_input(&arguments.model, &files.tables)?;
    if let Some(path) = &arguments.html {
        check_page(path, &arguments.model, &files)?;
    }
    let model = model::load(&arguments.model)?;
    let mut observed = Observed::new(&model).ok_or_else(|| {
        format!(
            "{}: the model file does not have the distribution of the training data\nhelp: train the model again with \
             `ordinate train`; imported models do not have it",
            arguments.model
        )
    })?;
    let captured = read_objects(&files, &mut observed)?;
    if !files.tables.is_empty() {
        read_tables(files.tables.clone(), arguments, &model, &mut observed)?;
    }
    observed.predict();
    if observed.rows == 0 {
        return Err(no_rows(&files, &model, &captured).into());
    }
    let limits = Limits { psi: arguments.psi, rows: arguments.min_rows };
    let mut report = DriftReport::new(&observed, files.label(), limits);
    report.notes.extend(captured.notes());
    if let Some(path) = &arguments.html {
        let unwritable = |error| format!("{}: cannot be written: {error}\nhelp: choose another --html", path.display());
        write_page(path, &report).map_err(unwritable)?;
    }
    let text = if arguments.json { serde_json::to_string(&report)? + "\n" } else { report.text(line_width()) };
    Ok((text, report.drift))
}

/// Checks that the page does not replace what is read.
fn check_page(path: &Path, model: &str, files: &Files) -> Result<(), String> {
    let mut read = files.objects.iter().chain(&files.tables).map(PathBuf::as_path).chain([Path::new(model)]);
    match read.find(|file| same_file(path, file)) {
        Some(file) => Err(format!(
            "{}: --html would replace {}, which is read\nhelp: choose another file",
            path.display(),
            file.display()
        )),
        None => Ok(()),
    }
}

fn write_page(path: &Path, report: &DriftReport) -> io::Result<()> {
    let mut file = OutputFile::create(path)?;
    file.write_all(report.html().as_bytes())?;
    file.keep()
}

/// The files by their kind.
#[derive(Default)]
struct Files {
    /// Captured requests and rows of JSON Lines.
    objects: Vec<PathBuf>,
    tables: Vec<PathBuf>,
    /// Prefixes and objects of S3 with captured requests.
    prefixes: Vec<ObjectLocation>,
}

impl Files {
    /// The files of these paths. A folder is read without the model file.
    fn new(paths: &[PathBuf], model: &Path) -> Result<Self, Box<dyn Error>> {
        let mut files = Self::default();
        for path in paths {
            if let Some(location) = path.to_str().map(location).transpose()?.flatten() {
                files.prefixes.push(location);
                continue;
            }
            let unreadable = |error: io::Error| format!("{}: cannot be read: {error}", path.display());
            let mut in_folder = if path.is_dir() { files_with_objects(path).map_err(unreadable)? } else { Vec::new() };
            in_folder.retain(|file| !same_file(file, model));
            match expanded(std::slice::from_ref(path)) {
                Ok(all) => {
                    for file in all.into_iter().filter(|file| !in_folder.contains(file)) {
                        // A missing file is reported when it is opened.
                        let has_objects = file.is_file() && has_objects(&file).map_err(unreadable)?;
                        if has_objects { files.objects.push(file) } else { files.tables.push(file) }
                    }
                }
                Err(DataError::EmptyFolder { .. }) if !in_folder.is_empty() => {}
                Err(error) => return Err(error.into()),
            }
            files.objects.extend(in_folder);
        }
        Ok(Self { objects: each_once(files.objects)?, tables: each_once(files.tables)?, ..files })
    }

    fn label(&self) -> String {
        let names = self.objects.iter().chain(&self.tables).map(|path| path.display().to_string());
        listed(names.chain(self.prefixes.iter().map(ToString::to_string)).collect::<Vec<_>>(), 3)
    }
}

/// Reads the objects of a location in S3, or below it.
fn read_location(
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
        let place = object.location.to_string();
        let Some(stream) = s3.open(&object.location)? else { continue };
        captured.read(&place, stream, observed).map_err(|error| format!("{place}: cannot be read: {error}"))?;
    }
    Ok(())
}

/// Reads captured requests and rows of JSON Lines.
fn read_objects(files: &Files, observed: &mut Observed<'_>) -> Result<Captured, Box<dyn Error>> {
    let mut captured = Captured::default();
    for location in &files.prefixes {
        read_location(location, &mut captured, observed)?;
    }
    for file in &files.objects {
        let name = file.display().to_string();
        let unreadable = |error| format!("{name}: cannot be read: {error}");
        captured.read(&name, File::open(file).map_err(unreadable)?, observed).map_err(unreadable)?;
    }
    Ok(captured)
}

/// The error of data without rows, which a scheduler has to notice.
fn no_rows(files: &Files, model: &Model, captured: &Captured) -> String {
    let label = files.label();
    if files.prefixes.is_empty() && files.objects.is_empty() {
        return format!("{label}: no rows\nhelp: check how the data are written");
    }
    let (name, version) = (model.name(), model.version());
    let mut error = format!("{label}: no captured requests of {name}@{version}, and no rows with its features");
    for note in captured.notes() {
        error.extend(["\n  ", &note]);
    }
    error + "\nhelp: set CAPTURE_FRACTION, and name the model that is served"
}

/// Reads the rows of tables, and known answers if there is a column of the target.
fn read_tables(
    files: Vec<PathBuf>,
    arguments: &Arguments,
    model: &Model,
    observed: &mut Observed<'_>,
) -> Result<(), DataError> {
    let progress = Arc::new(Progress::of_bytes(total_bytes(&files), !arguments.quiet));
    let (features, target) = (model.signature().features(), model.signature().target());
    let names: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
    let known = names.iter().copied().chain([target.name.as_str()]).map(str::to_owned).collect();
    let mut reader = TableReader::open(files, arguments.reading.options(), known, Some(progress.watch()))?;
    let positions = reader.find(&names, &format!("the model {}", model.name()))?;
    let has_answers = reader.has_column(&target.name);
    let answers = if has_answers { reader.find(&[target.name.as_str()], "the target")? } else { Vec::new() };
    let width = reader.header().len();
    let mut row = Row::default();
    loop {
        let file = reader.file_name();
        while reader.next(&mut row)? {
            // A row of another width is rejected.
            let is_whole = row.width() == width;
            let read = positions.iter().filter(|_| is_whole);
            let cells: Vec<Cell<'_>> = read.map(|position| row.cell(*position)).collect();
            let answer = answers.first().filter(|_| is_whole).map(|answer| row.cell(*answer));
            observed.push(&cells, answer, &|| format!("{file}: {}", row.number()));
        }
        if !reader.next_file()? {
            break;
        }
    }
    Ok(())
}
