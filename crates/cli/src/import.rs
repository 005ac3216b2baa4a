//! `ordinate import`: the model file of a fitted scikit-learn pipeline in a pickle, joblib or skops file.

mod names;
mod sample;

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
use ordinate_import::{Column, Draft, Facts, ImportError, USUAL_TARGET, sklearn};
use ordinate_model::artifact::{ArtifactError, Document};
use ordinate_model::identity::ModelName;
use ordinate_model::signature::FeatureType;
use ordinate_model::wording::counted;
use ordinate_table::shell_word;
use ordinate_train::SMARTCORE_VERSION;
use sample::Sample;

/// The most names of objects that are not used in a message.
const LISTED: usize = 5;

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
    /// Name of the target in answers; by default y, or target where y is a feature
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    #[command(flatten, next_help_heading = "Reading the sample")]
    reading: ReadingArguments,
}

/// Writes the model file, and returns a summary.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let Arguments { file: path, out, .. } = arguments;
    check(arguments)?;
    let place = if is_standard_input(path) { "standard input".to_owned() } else { path.display().to_string() };
    let content = read(path).map_err(|error| format!("{place}: cannot be read: {error}"))?;
    let fitted = file::read(&content).map_err(|error| format!("{place}: {error}"))?;
    drop(content);
    let of_file = |error: String| format!("{place}: {error}");
    let mut facts = facts(arguments, &fitted)?;
    let names = names::names(arguments.features.as_deref(), &fitted, &facts).map_err(of_file)?;
    facts.target = names::target(arguments.target.as_deref(), &names).map_err(of_file)?;
    facts.columns = names.iter().map(|name| Column::new(name)).collect();
    let drafted = || sklearn::draft(&fitted.estimator, &facts).map_err(|error| of_file(error.to_string()));
    let (document, sample) = match &arguments.data {
        None => (without_data(drafted()?).map_err(of_file)?, None),
        Some(data) => {
            let sample = Sample::read(data, arguments.reading.options(), &names, &drafted()?.document.signature)?;
            facts.columns.clone_from(&sample.columns);
            // The types of the columns of the sample.
            let drafted =
                sklearn::draft(&fitted.estimator, &facts).map_err(|error| format!("{}: {error}", data.display()))?;
            (with_sample(drafted, &sample).map_err(|error| format!("{}: {error}", data.display()))?, Some(sample))
        }
    };
    let text = document.to_json()?;
    let summary = summary(&document, &fitted, sample.as_ref(), arguments.target.as_deref());
    if is_standard_output(out) {
        print_error(&summary);
        return Ok(text);
    }
    write(out, &text)?;
    Ok(format!("{summary}saved {}\n", out.display()))
}

/// Checks what needs no file to be read.
fn check(arguments: &Arguments) -> Result<(), String> {
    let Arguments { file: path, out, data, target, .. } = arguments;
    target.as_deref().map_or(Ok(()), names::check_target)?;
    let name = out.display().to_string();
    if is_catalog(&name) {
        let catalog = shell_word(&format!("{}/", name.trim_end_matches('/')));
        return Err(format!(
            "{name}: --out is not a file\nhelp: import to a file, and publish it: ordinate publish model.json {catalog}"
        ));
    }
    if same_file(out, path) || data.as_ref().is_some_and(|data| same_file(out, data)) {
        return Err(format!("{name}: --out is an input file\nhelp: choose another file"));
    }
    match data {
        Some(data) if is_standard_input(path) && is_standard_input(data) => {
            Err("FILE and --data are both standard input\nhelp: name a file for one of them".to_owned())
        }
        None => match arguments.reading.first_given() {
            Some(option) => {
                Err(format!("{option} is for --data\nhelp: name a sample with --data, or leave out {option}"))
            }
            None => Ok(()),
        },
        Some(_) => Ok(()),
    }
}

/// The facts about the model that do not depend on its features.
fn facts(arguments: &Arguments, fitted: &Fitted) -> Result<Facts, jiff::Error> {
    let stem = arguments.file.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    Ok(Facts {
        name: arguments.name.clone().unwrap_or_else(|| ModelName::from_text_lossy(&stem)),
        target: arguments.target.clone().unwrap_or_else(|| USUAL_TARGET.to_owned()),
        created: Timestamp::from_second(Timestamp::now().as_second())?.to_string(),
        tool: concat!("ordinate ", env!("CARGO_PKG_VERSION")).to_owned(),
        library: library(fitted),
        columns: Vec::new(),
    })
}

/// Completes a draft with rows that are made up.
fn without_data(mut draft: Draft) -> Result<Document, String> {
    let training = &mut draft.document.training;
    training.smartcore = Some(SMARTCORE_VERSION.to_owned());
    training.notes.push(
        "the golden rows are made up from the pipeline's scalers, and their predictions are Ordinate's own: \
         scikit-learn has not computed them"
            .to_owned(),
    );
    draft.seal_without_data().map_err(|error| of_rows(&error, "name a sample of the training data with --data"))
}

/// Completes a draft with rows of a sample.
fn with_sample(mut draft: Draft, sample: &Sample) -> Result<Document, String> {
    let training = &mut draft.document.training;
    training.smartcore = Some(SMARTCORE_VERSION.to_owned());
    training.notes.push(format!(
        "the predictions for the golden rows, from {}, are Ordinate's own: scikit-learn has not computed them",
        sample.label
    ));
    let rows = sample.golden_rows(&draft.document.signature);
    draft.seal_with_rows(&rows).map_err(|error| of_rows(&error, "leave such rows out of the sample"))
}

/// The message of a model that cannot be completed, with the advice if its rows are the cause.
fn of_rows(error: &ImportError, help: &str) -> String {
    match error {
        ImportError::Model(ArtifactError::GoldenRefused(_)) => format!("{error}\nhelp: {help}"),
        error => error.to_string(),
    }
}

fn summary(document: &Document, fitted: &Fitted, sample: Option<&Sample>, target: Option<&str>) -> String {
    let features = document.signature.features();
    let mut text = format!(
        "{}@{}: {}, {}, from a {} of {}\n",
        document.name,
        document.version,
        document.estimator.family(),
        counted(features.len(), "feature", "features"),
        fitted.class,
        library(fitted)
    );
    let mut notes = document.training.notes.clone();
    notes.extend(sample.and_then(Sample::rejected_note));
    notes.extend(names::trimmed_note(fitted));
    notes.extend(names::target_note(target, &document.signature.target().name));
    notes.extend(unused_note(fitted));
    if sample.is_none() && features.iter().any(|feature| feature.kind == FeatureType::Double) {
        notes.push(
            "features without categories are numbers; where some are true and false, name a sample with --data"
                .to_owned(),
        );
    }
    for note in &notes {
        text.push_str("note: ");
        text.push_str(note);
        text.push('\n');
    }
    text
}

/// A line about objects that a prediction does not need.
fn unused_note(fitted: &Fitted) -> Option<String> {
    let count = fitted.unused.len();
    let listed: Vec<&str> = fitted.unused.iter().take(LISTED).map(String::as_str).collect();
    let listed = listed.join(", ");
    let more = if count > LISTED { format!(" and {} more", count - LISTED) } else { String::new() };
    (count > 0).then(|| format!("predictions do not need {listed}{more} in the file: not read, and nothing was run"))
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

fn write(path: &Path, text: &str) -> Result<(), String> {
    let written = || -> io::Result<()> {
        let mut file = OutputFile::create(path)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.keep()
    };
    written().map_err(|error| {
        let folder = path.parent().filter(|folder| error.kind() == io::ErrorKind::NotFound && !folder.exists());
        let help = folder.map(|folder| format!("\nhelp: mkdir -p {}", shell_word(&folder.to_string_lossy())));
        format!("{}: cannot be written: {error}{}", path.display(), help.unwrap_or_default())
    })
}
