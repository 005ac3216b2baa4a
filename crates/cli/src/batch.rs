//! `ordinate batch`: scores files and objects, each into a file or object of its own.

use std::collections::HashSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use clap::Args;
use ordinate::source::{ModelUri, ObjectLocation};
use ordinate_batch::columns::{PREDICTION, output_columns};
use ordinate_batch::error::BatchError;
use ordinate_batch::inputs::{self, Input};
use ordinate_batch::run::{Outcome, run as run_one};
use ordinate_batch::s3::S3;
use ordinate_batch::score::{Checks, Task};
use ordinate_batch::store::{Folder, Prefix, Store};
use ordinate_model::wording::counted;
use ordinate_table::parallel::available_threads;
use serde::Serialize;

use super::extra_columns::ExtraColumns;
use super::progress::Progress;
use super::reading::ReadingArguments;
use super::{model, print, print_error};

/// Score many files, each into a file of the same name in another folder or prefix
///
/// Files are scored in parallel, and the rows of a large CSV or JSON Lines file by all processors. CSV, JSON Lines and
/// Parquet are written as they are read, with the columns of the predictions; what is compressed with gzip or Zstandard
/// stays so. Rows that cannot be predicted are left out and listed, each with its reason, in a file of the same name with
/// the end .rejected.jsonl.
///
/// An output is complete or absent. A file that has an output of the same content, model and columns is not scored
/// again, so a run that was interrupted continues when it is repeated.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate batch houses/ predictions/ --model price.json
  ordinate batch s3://data/houses/ s3://data/predictions/ --model models/price@live --interval 0.95
  ordinate batch new-houses.jsonl predictions/ --model price.json --json")]
pub(super) struct Arguments {
    /// Files to score: a file, a folder, or an object or prefix of S3, such as `s3://bucket/prefix/`
    ///
    /// In a folder or below a prefix, files whose names end with .csv, .tsv, .parquet, .jsonl or .ndjson (or one of
    /// these and .gz or .zst) are scored; names that begin with a dot or an underscore are not.
    #[arg(value_name = "IN")]
    input: String,
    /// Where to write: a folder, which is created, or `s3://bucket/prefix/`
    #[arg(value_name = "OUT")]
    output: String,
    #[arg(long, value_name = "MODEL", help = model::HELP, long_help = model::LONG_HELP)]
    model: String,
    /// Name of the prediction column
    #[arg(long, value_name = "NAME", default_value = PREDICTION)]
    column: String,
    #[command(flatten)]
    extra: ExtraColumns,
    /// Number of threads; by default one for each processor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Print a summary as one JSON object
    #[arg(long)]
    json: bool,
    /// Do not show progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten, next_help_heading = "Reading files")]
    reading: ReadingArguments,
}

/// The output of `--json`.
#[derive(Serialize)]
struct Summary {
    model: String,
    version: String,
    /// The files that were scored, that had an output already, and that failed.
    written: usize,
    unchanged: usize,
    failed: usize,
    /// The rows of the files that were scored, and those of them without a prediction.
    rows: u64,
    rejected: u64,
    files: Vec<FileSummary>,
}

#[derive(Serialize)]
struct FileSummary {
    input: String,
    output: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Scores the files. The error counts those that failed.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let client = |location: &ObjectLocation| S3::new(location, model::s3(), runtime.handle().clone());
    let from = location(&arguments.input)?;
    let to = location(&arguments.output)?;
    let input_client = from.as_ref().map(client).transpose()?;
    let inputs = match (&from, &input_client) {
        (Some(location), Some(s3)) => inputs::objects(s3, location)?,
        _ => inputs::files(Path::new(&arguments.input))?,
    };
    check_places(arguments, (from.as_ref(), to.as_ref()), &inputs)?;
    let store: Box<dyn Store> = match &to {
        Some(location) => Box::new(Prefix::new(client(location)?, location.clone())),
        None => Box::new(Folder::open(Path::new(&arguments.output))?),
    };
    let loaded = model::load(&arguments.model)?;
    let columns = arguments.extra.columns(&arguments.column);
    columns.predictor(&loaded)?;
    output_columns(&columns, &loaded)?;
    let task = Task { model: loaded, columns, options: arguments.reading.options(), threads: 1 };
    let total = inputs.iter().map(|input| input.size).sum();
    let progress = Arc::new(Progress::of_bytes(Some(total), !arguments.quiet));
    let work = Work { task: &task, store: store.as_ref(), s3: input_client.as_ref(), progress };
    let files = work.all(&inputs, arguments.jobs.map_or_else(available_threads, usize::from));
    let summary = Summary::new(&task, files);
    let text =
        if arguments.json { serde_json::to_string(&summary)? + "\n" } else { summary.text(&arguments.output)? };
    match summary.failed {
        0 => Ok(text),
        failed => {
            print(&text);
            for file in &summary.files {
                if let Some(error) = &file.error {
                    print_error(&format!("{error}\n"));
                }
            }
            Err(format!("{} of {} not scored", failed, counted(summary.files.len(), "file", "files")).into())
        }
    }
}

/// The place of an argument in S3; `None` for one on this machine.
pub(super) fn location(argument: &str) -> Result<Option<ObjectLocation>, String> {
    if !argument.starts_with("s3:") {
        return Ok(None);
    }
    match argument.parse::<ModelUri>().map_err(|error| error.to_string())? {
        ModelUri::S3(location) | ModelUri::S3Folder(location) => Ok(Some(location)),
        ModelUri::Bundled | ModelUri::File(_) | ModelUri::Folder(_) => Ok(None),
    }
}

/// Checks that outputs are not among the inputs.
fn check_places(
    arguments: &Arguments,
    (from, to): (Option<&ObjectLocation>, Option<&ObjectLocation>),
    inputs: &[Input],
) -> Result<(), String> {
    let is_inside = match (from, to) {
        (Some(from), Some(to)) => {
            if !to.key().is_empty() && !to.key().ends_with('/') {
                return Err(format!("{to}: OUT is a prefix\nhelp: end it with a slash: {to}/"));
            }
            let is_prefix = from.key().is_empty() || from.key().ends_with('/');
            let keys: HashSet<&str> = inputs.iter().filter_map(|input| input.place.key()).collect();
            from.bucket() == to.bucket()
                && (is_prefix && to.key().starts_with(from.key())
                    || inputs.iter().any(|input| keys.contains(format!("{}{}", to.key(), input.name).as_str())))
        }
        (None, Some(to)) if !to.key().is_empty() && !to.key().ends_with('/') => {
            return Err(format!("{to}: OUT is a prefix\nhelp: end it with a slash: {to}/"));
        }
        (None, None) => {
            let [from, to] = [&arguments.input, &arguments.output].map(|path| resolved(Path::new(path)));
            let files: HashSet<PathBuf> = inputs.iter().filter_map(|input| input.place.file()).map(resolved).collect();
            from.is_dir() && to.starts_with(&from)
                || inputs.iter().any(|input| files.contains(&resolved(&to.join(&input.name))))
        }
        _ => false,
    };
    if is_inside {
        return Err(format!(
            "{}: OUT is in the place of IN, so that outputs would be inputs\nhelp: choose another folder",
            arguments.output
        ));
    }
    Ok(())
}

/// A path without links and `..`, also if its last parts do not exist.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for existing in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (existing.canonicalize(), path.strip_prefix(existing)) {
            // A path that ends with a separator would be that of a folder.
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path
}

/// The state that the threads share.
struct Work<'w> {
    task: &'w Task,
    store: &'w dyn Store,
    s3: Option<&'w S3>,
    progress: Arc<Progress>,
}

impl Work<'_> {
    /// Scores all inputs on so many threads.
    fn all(&self, inputs: &[Input], jobs: usize) -> Vec<FileSummary> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..jobs.min(inputs.len()) {
                scope.spawn(|| {
                    while let Some((position, input)) =
                        Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, inputs.get(at)?)))
                    {
                        // Threads without a file of their own work on the files that are left.
                        let at_a_time = jobs.min(inputs.len() - position);
                        let summary = self.one(input, jobs.div_ceil(at_a_time));
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((position, summary));
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(position, _)| *position);
        done.into_iter().map(|(_, summary)| summary).collect()
    }

    fn one(&self, input: &Input, threads: usize) -> FileSummary {
        let task = Task { threads, ..self.task.clone() };
        let place = input.place.to_string();
        let is_local = self.s3.is_none();
        let checks =
            Checks { watch: is_local.then(|| self.progress.watch()), place: place.clone(), is_out_of_time: None };
        let outcome = input
            .place
            .source(self.s3, u64::MAX)
            .and_then(|source| run_one(&task, &source, input.layout, (self.store, &input.name), &checks));
        if !is_local || matches!(outcome, Ok(Outcome::Unchanged)) {
            self.progress.inc(input.size);
        }
        FileSummary::new(place, self.store.place(&input.name), outcome)
    }
}

impl FileSummary {
    fn new(input: String, output: String, outcome: Result<Outcome, BatchError>) -> Self {
        let (outcome, totals, error) = match outcome {
            Ok(Outcome::Written(totals)) => ("written", Some(totals), None),
            Ok(Outcome::Joined) => ("written", None, None),
            Ok(Outcome::Unchanged) => ("unchanged", None, None),
            Err(error) => ("failed", None, Some(error.to_string())),
        };
        let count = |count: fn(&ordinate_batch::score::Totals) -> u64| totals.as_ref().map(count);
        let (rows, rejected) = (count(|totals| totals.rows), count(|totals| totals.rejected));
        Self { input, output, outcome, rows, rejected, error }
    }
}

impl Summary {
    fn new(task: &Task, files: Vec<FileSummary>) -> Self {
        let count = |outcome: &str| files.iter().filter(|file| file.outcome == outcome).count();
        Self {
            model: task.model.name().to_owned(),
            version: task.model.version().to_owned(),
            written: count("written"),
            unchanged: count("unchanged"),
            failed: count("failed"),
            rows: files.iter().filter_map(|file| file.rows).sum(),
            rejected: files.iter().filter_map(|file| file.rejected).sum(),
            files,
        }
    }

    fn text(&self, output: &str) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        let (files, rows) = (counted(self.written, "file", "files"), counted(self.rows, "row", "rows"));
        write!(text, "{files} with {rows} scored by {}@{}", self.model, self.version)?;
        if self.unchanged > 0 {
            write!(text, ", {} unchanged", self.unchanged)?;
        }
        writeln!(text, ": {output}")?;
        for file in &self.files {
            if let Some(rejected @ 1..) = file.rejected {
                let rows = counted(rejected, "row", "rows");
                writeln!(text, "{}: {rows} rejected, see {}.rejected.jsonl", file.input, file.output)?;
            }
        }
        Ok(text)
    }
}
