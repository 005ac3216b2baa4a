//! Captured requests: the lines that the service writes, as they are in its log, in files, and in the envelopes of a
//! log subscription.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use indexmap::IndexMap;
use ordinate_model::PredictedRow;
use ordinate_model::artifact::Document;
use ordinate_model::cell::Cell;
use ordinate_model::scalar::Scalar;
use serde::Deserialize;
use serde_json::{Deserializer, Value};

use crate::observed::Observed;

/// The `message` of a captured line.
pub const MESSAGE: &str = "captured";

/// The rows of one request, or a part of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(expecting = "an object")]
pub struct CapturedRequest {
    /// The name of the model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The number of rows of the request.
    pub rows: u64,
    /// The values of each feature, without those that are redacted.
    pub inputs: IndexMap<String, Vec<Scalar>>,
    /// The predictions.
    pub y: Vec<Scalar>,
    /// Of a classifier, the probability of each class, for each row.
    #[serde(default)]
    pub probabilities: Vec<Vec<f64>>,
}

/// Counts of captured requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captured {
    /// Requests of the model.
    pub requests: u64,
    /// Rows of these requests that are not in their lines, because these were too long.
    pub cut_rows: u64,
    /// Requests of other models or versions, which are skipped.
    pub others: BTreeMap<String, u64>,
    /// Lines of other kinds, which are skipped.
    pub other_lines: u64,
}

impl Captured {
    /// Adds the requests of a file, or of another stream, which may be compressed by gzip.
    ///
    /// # Errors
    /// That of the stream.
    pub fn read(&mut self, stream: impl Read, observed: &mut Observed<'_>) -> io::Result<()> {
        read_requests(stream, &mut |request| {
            match request {
                Some(request) => self.add(&request, observed),
                None => self.other_lines += 1,
            }
            ControlFlow::Continue(())
        })
    }

    /// Adds a request.
    pub fn add(&mut self, request: &CapturedRequest, observed: &mut Observed<'_>) {
        let document = observed.document();
        if request.model != document.name.as_str() || request.version != document.version.as_str() {
            *self.others.entry(format!("{}@{}", request.model, request.version)).or_default() += 1;
            return;
        }
        let rows = request.y.len();
        self.requests += 1;
        self.cut_rows += request.rows.saturating_sub(rows as u64);
        observed.rows += rows as u64;
        for (position, feature) in document.signature.features().iter().enumerate() {
            for value in request.inputs.get(&feature.name).into_iter().flatten() {
                observed.count(position, feature, value.cell());
            }
        }
        add_predictions(request, document, observed);
    }
}

/// Takes each captured request, or `None` for a line of another kind. A break ends the stream.
type Each<'a> = &'a mut dyn FnMut(Option<CapturedRequest>) -> ControlFlow<()>;

/// Hands the captured requests of a file, or of another stream, which may be compressed by gzip, to `each`, and `None`
/// for other lines, until it breaks.
///
/// # Errors
/// That of the stream.
pub fn read_requests(stream: impl Read, each: Each<'_>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    if stream.fill_buf()?.starts_with(b"\x1f\x8b") {
        read_lines(BufReader::new(MultiGzDecoder::new(stream)), each)
    } else {
        read_lines(stream, each)
    }
}

fn read_lines(mut stream: impl BufRead, each: Each<'_>) -> io::Result<()> {
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line)? > 0 {
        if read_line(&line, each).is_break() {
            break;
        }
        line.clear();
    }
    Ok(())
}

/// A line may have several objects, as Data Firehose writes them.
fn read_line(line: &[u8], each: Each<'_>) -> ControlFlow<()> {
    for value in Deserializer::from_slice(line).into_iter::<Value>() {
        let Ok(value) = value else { return each(None) };
        read_value(value, each)?;
    }
    ControlFlow::Continue(())
}

fn read_value(mut value: Value, each: Each<'_>) -> ControlFlow<()> {
    // An envelope of CloudWatch Logs, as a subscription receives it.
    if let Some(Value::Array(events)) = value.get_mut("logEvents").map(Value::take) {
        for event in events {
            if let Some(message) = event.get("message").and_then(Value::as_str) {
                read_line(message.as_bytes(), each)?;
            }
        }
        return ControlFlow::Continue(());
    }
    let is_captured = value.get("message").and_then(Value::as_str) == Some(MESSAGE);
    each(serde_json::from_value(value).ok().filter(|_| is_captured))
}

fn add_predictions(request: &CapturedRequest, document: &Document, observed: &mut Observed<'_>) {
    let Some(classes) = document.estimator.classes() else {
        for value in &request.y {
            if let Cell::Double(value) = value.cell() {
                observed.count_prediction(PredictedRow::Value(value));
            }
        }
        return;
    };
    for (label, probabilities) in request.y.iter().zip(&request.probabilities) {
        let class = classes.iter().position(|class| class.cell() == label.cell());
        if let Some(class) = class.filter(|_| probabilities.len() == classes.len()) {
            observed.count_prediction(PredictedRow::Class { class, probabilities });
        }
    }
}

/// Whether a file has captured lines and not a table: whether it begins with a JSON object.
///
/// # Errors
/// That of the file.
pub fn is_captured(path: &Path) -> io::Result<bool> {
    let mut file = BufReader::new(File::open(path)?);
    let mut start = Vec::new();
    if file.fill_buf()?.starts_with(b"\x1f\x8b") {
        // A damaged file is reported when it is read.
        let _ = MultiGzDecoder::new(file).take(1).read_to_end(&mut start);
    } else {
        file.take(1).read_to_end(&mut start)?;
    }
    Ok(start == b"{")
}

/// The files with captured lines in a folder and the folders in it, in the order of their names.
///
/// # Errors
/// That of a folder or file that cannot be read.
pub fn captured_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.is_file() && is_captured(&path)? {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
