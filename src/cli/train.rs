//! `ordinate train`: a CSV file becomes a model file.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::output::write_whole;
use crate::model::artifact::Document;
use crate::model::estimator::{Coefficients, Plane};
use crate::model::identity::{Checksum, ModelName};
use crate::train::evaluate::{Metrics, title};
use crate::train::split::Split;
use crate::train::table::Selection;
use crate::train::{Estimator, Plan, Trained, train};

/// Fit a model to a CSV file, measure it on rows it has not seen, and save it
///
/// The metrics are those of a fit without the held-out rows; the model that is saved is then fitted to all rows.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The training data: CSV with a header, numbers in every column that is used
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// The column to predict
    #[arg(long, value_name = "NAME")]
    target: String,
    /// Where to save the model; without it, results are only printed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The name callers will use; by default the name of the file, without its ending
    #[arg(long, value_parser = |name: &str| ModelName::try_from(name.to_owned()))]
    name: Option<ModelName>,
    /// The columns to predict from, in the order of the model's signature; by default all but the target
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    features: Vec<String>,
    /// Columns to leave out
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    exclude: Vec<String>,
    /// What to fit
    #[arg(long, value_enum, default_value_t = Estimator::Linear)]
    estimator: Estimator,
    /// About what share of the rows to measure on, from 0 (none) to less than 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = fraction, allow_negative_numbers = true)]
    test_fraction: f64,
    /// Which rows those are: each row is drawn by a hash of this and its number
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..(1 << 53)))]
    seed: u64,
    /// Print one JSON object for machines
    #[arg(long)]
    json: bool,
}

fn fraction(text: &str) -> Result<f64, String> {
    let value = text.parse().map_err(|_| "not a number".to_owned())?;
    Split::new(value, 0).map(|_| value).map_err(|error| error.to_string())
}

/// Trains, saves when asked to, and says what came of it.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let out = arguments.out.as_deref();
    if out.is_some_and(|out| same_file(out, &arguments.data)) {
        return Err(
            format!("{}: --out is the training data itself. Choose another file", arguments.data.display()).into()
        );
    }
    let trained = train(&Plan {
        data: arguments.data.clone(),
        selection: Selection {
            target: arguments.target.clone(),
            features: arguments.features.clone(),
            exclude: arguments.exclude.clone(),
        },
        name: arguments.name.clone().map_or_else(|| name_of(out.unwrap_or(&arguments.data)), Ok)?,
        estimator: arguments.estimator,
        test_fraction: arguments.test_fraction,
        seed: arguments.seed,
        created: Timestamp::from_second(Timestamp::now().as_second())?.to_string(),
    })?;
    if let Some(out) = out {
        write_whole(out, trained.document.to_json()?.as_bytes())
            .map_err(|error| format!("{}: cannot be written: {error}. Choose another --out", out.display()))?;
    }
    if arguments.json { Ok(serde_json::to_string(&Summary::new(&trained, out))? + "\n") } else { report(&trained, out) }
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

fn name_of(path: &Path) -> Result<ModelName, String> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    ModelName::try_from(stem).map_err(|error| format!("{error}. Give one with --name"))
}

/// What `--json` prints.
#[derive(Serialize)]
struct Summary<'a> {
    name: &'a str,
    version: &'a str,
    estimator: &'a Coefficients,
    target: &'a str,
    rows: u64,
    held_out: u64,
    metrics: &'a IndexMap<String, IndexMap<String, f64>>,
    sha256: Option<&'a str>,
    out: Option<&'a Path>,
}

impl<'a> Summary<'a> {
    fn new(trained: &'a Trained, out: Option<&'a Path>) -> Self {
        let document = &trained.document;
        Self {
            name: document.name.as_str(),
            version: document.version.as_str(),
            estimator: &document.estimator,
            target: &document.signature.target().name,
            rows: document.training.rows,
            held_out: trained.held_out,
            metrics: &document.training.metrics,
            sha256: document.sha256.as_ref().map(Checksum::as_str),
            out,
        }
    }
}

/// What a person reads.
fn report(trained: &Trained, out: Option<&Path>) -> Result<String, Box<dyn Error>> {
    let Trained { document, held_out, train: fitted, test: unseen } = trained;
    let rows = document.training.rows;
    let mut text = String::new();
    let features = document.signature.width();
    let noun = if features == 1 { "feature" } else { "features" };
    let target = &document.signature.target().name;
    writeln!(text, "{}@{}: {target} from {features} {noun}, {rows} rows\n", document.name, document.version)?;
    coefficients(&mut text, document)?;
    if *held_out > 0 {
        let kept = rows - held_out;
        metrics(&mut text, &[("fitted", kept, fitted.as_ref()), ("held out", *held_out, unseen.as_ref())])?;
        writeln!(text, "Measured with a fit to the other {kept} rows; the model itself is fitted to all {rows}.\n")?;
    } else {
        metrics(&mut text, &[("fitted", rows, fitted.as_ref())])?;
        writeln!(text, "No rows were held out: this is how well the model fits, not how well it predicts.\n")?;
    }
    match out {
        Some(out) => {
            writeln!(text, "Saved to {}. Serve it:", out.display())?;
            writeln!(text, "  MODEL_URI={} make run", uri(out)?)?;
        }
        None => writeln!(text, "Nothing was saved: add --out FILE to keep the model.")?,
    }
    Ok(text)
}

/// What stands beside the intercept, among the features' names.
const INTERCEPT: &str = "(intercept)";

fn coefficients(text: &mut String, document: &Document) -> Result<(), Box<dyn Error>> {
    let Coefficients::Linear(Plane { intercept, coefficients }) = &document.estimator else { return Ok(()) };
    let numbers: Vec<String> = coefficients.values().map(|value| significant(*value)).collect();
    let number_width = numbers.iter().map(String::len).max().unwrap_or(0).max("coefficient".len());
    let name_width = coefficients.keys().map(|name| name.chars().count()).max().unwrap_or(0).max(INTERCEPT.len());
    writeln!(text, "  {:name_width$}  {:>number_width$}  {:>12}", "feature", "coefficient", "centred at")?;
    for ((name, number), column) in coefficients.keys().zip(&numbers).zip(&document.preprocess.columns) {
        writeln!(text, "  {name:name_width$}  {number:>number_width$}  {:>12}", significant(column.mean))?;
    }
    writeln!(text, "  {:name_width$}  {:>number_width$}\n", INTERCEPT, significant(*intercept))?;
    Ok(())
}

fn metrics(text: &mut String, sides: &[(&str, u64, Option<&Metrics>)]) -> Result<(), Box<dyn Error>> {
    let names = sides.iter().find_map(|(_, _, metrics)| *metrics).map(|metrics| metrics.values.keys());
    let names: Vec<&str> = names.into_iter().flatten().copied().collect();
    let width = |name: &str| title(name).chars().count().max(12);
    write!(text, "  {:10}  {:>6}", "", "rows")?;
    for name in &names {
        write!(text, "  {:>1$}", title(name), width(name))?;
    }
    text.push('\n');
    for (side, rows, metrics) in sides {
        write!(text, "  {side:10}  {rows:>6}")?;
        for name in &names {
            let cell = metrics.and_then(|metrics| metrics.get(name)).map_or_else(|| "–".to_owned(), significant);
            write!(text, "  {cell:>0$}", width(name))?;
        }
        text.push('\n');
    }
    text.push('\n');
    Ok(())
}

/// Six significant digits, for reading; the file has them all.
pub(super) fn significant(value: f64) -> String {
    let scientific = format!("{value:.5e}");
    let exponent = scientific.rsplit('e').next().and_then(|exponent| exponent.parse::<i32>().ok()).unwrap_or(0);
    if !(-5..9).contains(&exponent) {
        return scientific;
    }
    let decimals = if value.fract() == 0.0 { 0 } else { 5 - exponent };
    format!("{value:.*}", usize::try_from(decimals).unwrap_or(0))
}

/// The address of a file, ready to be pasted into a shell.
fn uri(path: &Path) -> Result<String, Box<dyn Error>> {
    let absolute = fs::canonicalize(path)?;
    let url = Url::from_file_path(&absolute).map_err(|()| format!("{} has no address", absolute.display()))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:._-%~+@,".contains(&byte);
    let text = url.to_string();
    Ok(if text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', "%27")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_significant_digits_whatever_their_size() {
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

    #[test]
    fn an_address_can_be_pasted_into_a_shell() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it's a model (1).json");
        fs::write(&path, "").unwrap();
        let uri = uri(&path).unwrap();
        assert!(uri.starts_with("'file:///") && uri.ends_with("/it%27s%20a%20model%20(1).json'"), "{uri}");
    }
}
