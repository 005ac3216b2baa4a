//! `ordinate batch`: scores files and objects, each into a file or object of its own.

mod places;
mod summary;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use clap::Args;
use ordinate::source::{ModelUri, ObjectLocation};
use ordinate_batch::columns::{PREDICTION, output_columns};
use ordinate_batch::error::BatchError;
use ordinate_batch::inputs::{self, Files, Input};
use ordinate_batch::rejected;
use ordinate_batch::run::{Outcome as Done, run as run_one};
use ordinate_batch::s3::S3;
use ordinate_batch::score::{Checks, Task};
use ordinate_batch::store::{Folder, Prefix, Store};
use ordinate_model::wording::counted;
use ordinate_table::parallel::available_threads;

use super::extra_columns::ExtraColumns;
use super::progress::Progress;
use super::reading::ReadingArguments;
use super::{model, print, print_error};
use summary::{FileSummary, Outcome, Summary};

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
    /// Replace files in OUT that no batch wrote
    #[arg(long)]
    force: bool,
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

/// Scores the files. The error counts those that failed.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let client = |location: &ObjectLocation| S3::new(location, model::s3(), runtime.handle().clone());
    let from = location(&arguments.input)?;
    let to = location(&arguments.output)?;
    let input_client = from.as_ref().map(client).transpose()?;
    let Files { inputs, unusable, linked_folders } = match (&from, &input_client) {
        (Some(location), Some(s3)) => Files { inputs: inputs::objects(s3, location)?, ..Files::default() },
        _ => inputs::files(Path::new(&arguments.input))?,
    };
    places::check((&arguments.input, &arguments.output), (from.as_ref(), to.as_ref()), &inputs)?;
    let store: Box<dyn Store> = match &to {
        Some(location) => Box::new(Prefix::new(client(location)?, location.clone())),
        None => Box::new(Folder::open(Path::new(&arguments.output))?),
    };
    let loaded = model::load(&arguments.model)?;
    let columns = arguments.extra.columns(&arguments.column);
    columns.predictor(&loaded)?;
    output_columns(&columns, &loaded)?;
    let (options, force) = (arguments.reading.options(), arguments.force);
    let task = Task { model: loaded, columns, options, threads: 1, force };
    let total = inputs.iter().map(|input| input.size).sum();
    let progress = Arc::new(Progress::of_bytes(Some(total), !arguments.quiet));
    let work = Work { task: &task, store: store.as_ref(), s3: input_client.as_ref(), progress };
    let mut files = work.all(&inputs, arguments.jobs.map_or_else(available_threads, usize::from));
    let text = |path: PathBuf| path.display().to_string();
    files.extend(unusable.into_iter().map(|(path, error)| FileSummary::failed(text(path), None, &error)));
    let summary = Summary::new(&task, files, linked_folders.into_iter().map(text).collect());
    let text =
        if arguments.json { serde_json::to_string(&summary)? + "\n" } else { summary.text(&arguments.output)? };
    match summary.failed {
        0 => {
            print_error(&summary.complaints());
            Ok(text)
        }
        failed => {
            print(&text);
            print_error(&summary.complaints());
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
        if !is_local || matches!(outcome, Ok(Done::Unchanged)) {
            self.progress.inc(input.size);
        }
        self.summary(place, &input.name, outcome)
    }

    fn summary(&self, input: String, name: &str, outcome: Result<Done, BatchError>) -> FileSummary {
        let output = self.store.place(name);
        let counts = outcome.and_then(|outcome| {
            Ok(match outcome {
                Done::Written(totals) => (Outcome::Written, Some(totals.predicted()), Some(totals.rejected)),
                Done::Joined => (Outcome::Written, None, None),
                Done::Unchanged => (Outcome::Unchanged, None, Some(rejected::count(self.store, name)?)),
            })
        });
        match counts {
            Ok((outcome, rows, rejected)) => FileSummary {
                input,
                output: Some(output),
                outcome,
                rows,
                rejected,
                error: None,
                has_earlier_output: false,
            },
            Err(error) => FileSummary {
                has_earlier_output: self.store.existing(name).is_ok_and(|existing| existing.is_of_batch()),
                ..FileSummary::failed(input, Some(output), &error)
            },
        }
    }
}
