//! `ordinate import`: the model file of a fitted scikit-learn pipeline in a pickle, joblib or skops file.

mod sample;

use std::collections::HashSet;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::catalog::is_catalog;
use super::output::{OutputFile, is_standard_output, same_file};
use super::print_error;
use super::reading::ReadingArguments;
use ordinate_import::file::{self, Fitted, MAX_BYTES};
use ordinate_import::{Column, Facts, ImportError, sklearn};
use ordinate_model::artifact::Document;
use ordinate_model::identity::ModelName;
use ordinate_model::wording::counted;
use ordinate_table::infer;
use ordinate_train::SMARTCORE_VERSION;
use sample::Sample;

/// The most names in the advice to name the features.
const LISTED: usize = 20;

/// Import a fitted scikit-learn pipeline from a pickle, joblib or skops file, without running anything in it
///
/// The file is read as data: no Python is needed, no class is loaded and no function is called. A step that a model file
/// cannot express, and a class or function that is not part of a scikit-learn model, is an error that names it. The
/// format is detected from the content: pickle (protocols 0 to 5), joblib (plain, zlib or gzip), skops.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate import churn.pkl --out churn.json
  ordinate import churn.joblib --data customers.csv --target churned --out churn.json
  ordinate import line.pkl --features x --out line.json")]
pub(super) struct Arguments {
    /// File that pickle.dump, joblib.dump or skops.io.dump wrote, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// File to save the model to; - for standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Name of the model in requests; by default the file name without its extension
    #[arg(long, value_parser = |name: &str| ModelName::try_from(name.to_owned()))]
    name: Option<ModelName>,
    /// Names of the features in the order of the fit, for a file without names
    ///
    /// A pipeline that was fitted to a data frame has names since scikit-learn 1.0. A name with a comma is quoted as in
    /// CSV: '"a,b"'.
    #[arg(long, value_name = "A,B")]
    features: Option<String>,
    /// Sample of the training data, CSV or Parquet: types and ranges of the features, and golden rows
    ///
    /// A few of its rows are stored in the model file with the predictions, which every load verifies. Without a sample,
    /// such rows are made up around the means in the pipeline's scalers.
    #[arg(long, value_name = "DATA")]
    data: Option<PathBuf>,
    /// Name of the target in answers
    #[arg(long, value_name = "NAME", default_value = "y")]
    target: String,
    #[command(flatten, next_help_heading = "Reading the sample")]
    reading: ReadingArguments,
}

/// Writes the model file, and returns a summary.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let Arguments { file: path, out, .. } = arguments;
    let place = if is_standard_input(path) { "standard input".to_owned() } else { path.display().to_string() };
    if out.to_str().is_some_and(is_catalog) {
        let name = out.display();
        return Err(format!(
            "{name}: --out is a catalog\nhelp: import to a file, and publish it: ordinate publish model.json {name}"
        )
        .into());
    }
    if same_file(out, path) || arguments.data.as_ref().is_some_and(|data| same_file(out, data)) {
        return Err(format!("{}: --out is an input file\nhelp: choose another file", out.display()).into());
    }
    let content = read(path).map_err(|error| format!("{place}: cannot be read: {error}"))?;
    let fitted = file::read(&content).map_err(|error| format!("{place}: {error}"))?;
    drop(content);
    let names = names(arguments, &fitted).map_err(|error| format!("{place}: {error}"))?;
    let sample =
        arguments.data.as_ref().map(|data| Sample::read(data, arguments.reading.options(), &names)).transpose()?;
    let document = document(arguments, &fitted, &names, sample.as_ref(), &place)?;
    let text = document.to_json()?;
    let summary = summary(&document, &fitted);
    if is_standard_output(out) {
        print_error(&summary);
        return Ok(text);
    }
    write(out, &text).map_err(|error| format!("{}: cannot be written: {error}", out.display()))?;
    Ok(format!("{summary}saved {}\n", out.display()))
}

fn document(
    arguments: &Arguments,
    fitted: &Fitted,
    names: &[String],
    sample: Option<&Sample>,
    place: &str,
) -> Result<Document, Box<dyn Error>> {
    let stem = arguments.file.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let facts = Facts {
        name: arguments.name.clone().unwrap_or_else(|| ModelName::from_text_lossy(&stem)),
        target: arguments.target.clone(),
        created: Timestamp::from_second(Timestamp::now().as_second())?.to_string(),
        tool: concat!("ordinate ", env!("CARGO_PKG_VERSION")).to_owned(),
        library: library(fitted),
        columns: match sample {
            Some(sample) => sample.columns.clone(),
            None => names.iter().map(|name| Column::new(name)).collect(),
        },
    };
    let failed = |error: ImportError| match (&error, &arguments.data) {
        // The type of a column of the sample.
        (ImportError::Feature { .. }, Some(data)) => format!("{}: {error}", data.display()),
        _ => format!("{place}: {error}"),
    };
    let mut draft = sklearn::draft(&fitted.estimator, &facts).map_err(failed)?;
    let training = &mut draft.document.training;
    training.smartcore = Some(SMARTCORE_VERSION.to_owned());
    let rows = sample.map(|sample| sample.golden_rows(&draft.document.signature));
    training.notes.push(match sample {
        Some(sample) => format!(
            "the predictions for the golden rows, from {}, are Ordinate's own: scikit-learn has not computed them",
            sample.label
        ),
        None => "the golden rows are made up from the pipeline's scalers, and their predictions are Ordinate's own: \
                 scikit-learn has not computed them"
            .to_owned(),
    });
    let sealed = match rows {
        Some(rows) => draft.seal_with_rows(&rows),
        None => draft.seal_without_data(),
    };
    let unusable = |error: ImportError| match &arguments.data {
        Some(data) => format!("{}: {error}\nhelp: leave such rows out of the sample", data.display()),
        None => format!("{place}: {error}\nhelp: name a sample of the training data with --data"),
    };
    Ok(sealed.map_err(unusable)?)
}

/// The names of the features, in the order of the fit.
fn names(arguments: &Arguments, fitted: &Fitted) -> Result<Vec<String>, String> {
    let given: Option<Vec<String>> = arguments
        .features
        .as_ref()
        .map(|names| infer::names(names).iter().map(|name| name.trim().to_owned()).collect());
    let mut different = HashSet::new();
    if let Some(twice) = given.iter().flatten().find(|name| !different.insert(name.as_str())) {
        return Err(format!("--features has the name {twice:?} twice\nhelp: give each feature a name of its own"));
    }
    match (&fitted.names, given, fitted.width) {
        (Some(_), Some(_), _) => Err("the file has the names of the features\nhelp: leave out --features".to_owned()),
        (Some(names), None, _) => Ok(names.clone()),
        (None, Some(names), Some(width)) if names.len() != width => {
            let (features, got) = (counted(width, "feature", "features"), names.len());
            Err(format!(
                "the model has {features}, got {got}\nhelp: name all of them with --features, in the order of the fit"
            ))
        }
        (None, Some(names), _) => Ok(names),
        (None, None, Some(width)) => {
            let features = counted(width, "feature", "features");
            let mut example: Vec<String> = (0..width.min(LISTED)).map(|position| format!("x{position}")).collect();
            example.extend((width > LISTED).then(|| "...".to_owned()));
            let example = example.join(",");
            Err(format!(
                "the file has no names for its {features}\nhelp: name them in the order of the fit: --features {example}"
            ))
        }
        (None, None, None) => {
            Err("the file has no names of the features\nhelp: name the columns of the training data in \
                                   their order: --features x0,x1"
                .to_owned())
        }
    }
}

fn summary(document: &Document, fitted: &Fitted) -> String {
    let features = counted(document.signature.features().len(), "feature", "features");
    let mut text = format!(
        "{}@{}: {}, {features}, from a {} of {}\n",
        document.name,
        document.version,
        document.estimator.family(),
        fitted.class,
        library(fitted)
    );
    for note in &document.training.notes {
        text.push_str("note: ");
        text.push_str(note);
        text.push('\n');
    }
    text
}

fn library(fitted: &Fitted) -> String {
    match &fitted.version {
        Some(version) => format!("scikit-learn {version}"),
        None => "scikit-learn".to_owned(),
    }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// The bytes of the file, and one more than is allowed of a longer one.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    if is_standard_input(path) {
        io::stdin().lock().take(limit).read_to_end(&mut content)?;
    } else {
        File::open(path)?.take(limit).read_to_end(&mut content)?;
    }
    Ok(content)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OutputFile::create(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.keep()
}
