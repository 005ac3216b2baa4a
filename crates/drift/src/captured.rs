//! Captured requests: the lines that the service writes, as they are in its log, in files, and in the envelopes of a
//! log subscription; and rows of JSON Lines next to them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use ordinate_model::PredictedRow;
use ordinate_model::artifact::Document;
use ordinate_model::cell::Cell;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::{counted, listed};
use ordinate_table::{Compression, is_hidden};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::json_row;
use crate::observed::Observed;
use crate::records::{Record, Records};
use crate::skipped::Skipped;

/// The `message` of a captured line.
pub const MESSAGE: &str = "captured";

/// The bytes of a file in which its first object is looked for.
const START: u64 = 4096;

/// The most names of models in a remark.
const NAMED_MODELS: usize = 5;

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
    /// Those of them in the line.
    #[serde(default)]
    pub captured_rows: Option<u64>,
    /// The values of each feature, without those that are redacted.
    pub inputs: IndexMap<String, Vec<Scalar>>,
    /// The predictions.
    pub y: Vec<Scalar>,
    /// Of a classifier, the probability of each class, for each row.
    #[serde(default)]
    pub probabilities: Vec<Vec<f64>>,
}

impl CapturedRequest {
    /// Checks that the line is complete, and that it is one of this model.
    fn check(&self, document: &Document) -> Result<(), String> {
        let rows = self.y.len();
        let expected = self.captured_rows.unwrap_or(rows as u64);
        if rows as u64 != expected || expected > self.rows {
            return Err(format!("y: expected {expected} of {} predictions, got {rows}", self.rows));
        }
        for (name, values) in &self.inputs {
            if document.signature.position(name).is_none() {
                return Err(format!("inputs: the model does not have the feature {name:?}"));
            }
            if values.len() != rows {
                return Err(format!("inputs: expected {}, got {}", of_feature(rows, name), values.len()));
            }
        }
        let Some(classes) = document.estimator.classes() else {
            let is_number = |value: &Scalar| matches!(value.cell(), Cell::Double(_));
            let text = self.y.iter().find(|value| !is_number(value));
            return text.map_or(Ok(()), |text| Err(format!("y: expected a number, got {}", text.cell())));
        };
        if let Some(label) = self.y.iter().find(|label| position(classes, label).is_none()) {
            return Err(format!("y: the model does not have the class {}", label.cell()));
        }
        if self.probabilities.len() != rows || self.probabilities.iter().any(|row| row.len() != classes.len()) {
            return Err(format!("probabilities: expected {rows} lists of {} numbers", classes.len()));
        }
        Ok(())
    }
}

fn of_feature(rows: usize, name: &str) -> String {
    format!("{} of {name:?}", counted(rows as u64, "value", "values"))
}

/// The position of a label among the classes.
fn position(classes: &[Scalar], label: &Scalar) -> Option<usize> {
    classes.iter().position(|class| class.cell() == label.cell())
}

/// Counts of captured requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captured {
    /// Requests of the model.
    pub requests: u64,
    /// Rows of JSON Lines that are not captured requests.
    pub table_rows: u64,
    /// Rows of these requests that are not in their lines, because these would be too long.
    pub cut_rows: u64,
    /// Requests of other models or versions.
    pub others: Skipped,
    /// Their models, such as `iris@1`.
    pub other_models: BTreeSet<String>,
    /// Lines of captured requests, or of rows, that cannot be read or do not fit the model.
    pub damaged: Skipped,
    /// Lines of other kinds.
    pub other_lines: Skipped,
}

impl Captured {
    /// Adds the requests and rows of a file, or of another stream, which may be compressed. `name`: its name in
    /// remarks.
    ///
    /// # Errors
    /// That of the stream.
    pub fn read(&mut self, name: &str, stream: impl Read + Send, observed: &mut Observed<'_>) -> io::Result<()> {
        read_lines(stream, &mut |line, found| {
            let place = || format!("{name}: line {line}");
            match found {
                Found::Request(request) => self.add(&request, observed, &place),
                Found::Object(object) if json_row::is_row(&object, observed.document()) => {
                    self.table_rows += 1;
                    json_row::push(&object, observed, &place);
                }
                Found::Object(_) | Found::Text => self.other_lines.add(place),
                Found::Damaged(reason) => self.damaged.add(|| format!("{}: {reason}", place())),
            }
            ControlFlow::Continue(())
        })
    }

    /// Adds a request. `place`: where it is, in remarks.
    pub fn add(&mut self, request: &CapturedRequest, observed: &mut Observed<'_>, place: &dyn Fn() -> String) {
        let document = observed.document();
        if request.model != document.name.as_str() || request.version != document.version.as_str() {
            self.others.add(place);
            self.other_models.insert(format!("{}@{}", request.model, request.version));
            return;
        }
        if let Err(reason) = request.check(document) {
            self.damaged.add(|| format!("{}: {reason}", place()));
            return;
        }
        let rows = request.y.len();
        self.requests += 1;
        self.cut_rows += request.rows.saturating_sub(rows as u64);
        observed.rows += rows as u64;
        for (position, feature) in document.signature.features().iter().enumerate() {
            for value in request.inputs.get(&feature.name).into_iter().flatten() {
                // A value that the model rejects, such as a missing one, is not in a request that was answered.
                let _ = observed.count(position, feature, value.cell());
            }
        }
        add_predictions(request, document, observed);
    }

    /// Remarks on what is not compared.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let names = listed(&self.other_models, NAMED_MODELS);
        let others = self.others.note("request of another model skipped", "requests of other models skipped");
        let cut = counted(self.cut_rows, "row", "rows");
        [
            others.map(|note| format!("{note} ({names})")),
            (self.cut_rows > 0).then(|| format!("{cut} not captured, because their requests are large")),
            self.damaged.note("damaged line skipped", "damaged lines skipped"),
            self.other_lines.note("line of another kind skipped", "lines of other kinds skipped"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The content of a line.
#[derive(Debug)]
pub enum Found {
    /// A captured request.
    Request(Box<CapturedRequest>),
    /// Another object: a row of a table, or another line of a log.
    Object(Map<String, Value>),
    /// Text that is not an object.
    Text,
    /// An object that cannot be read, or a captured request of another form, with the reason.
    Damaged(String),
}

/// Takes the number of each line and what it has. A break ends the stream.
type Each<'a> = &'a mut dyn FnMut(u64, Found) -> ControlFlow<()>;

/// Hands what the lines of a file, or of another stream, have to `each`, until it breaks. The stream may be compressed.
/// Memory is that of one object, of at most 64 MiB; after a break, no more than a buffer is read ahead.
///
/// # Errors
/// That of the stream.
pub fn read_lines(stream: impl Read + Send, each: Each<'_>) -> io::Result<()> {
    let mut records = Records::new(BufReader::new(text_of(stream)?));
    while let Some(Record { line, text }) = records.next()? {
        let ended = match text {
            Some(text) => read_record(line, text, each),
            None => each(line, Found::Damaged("the line is longer than 64 MiB".to_owned())),
        };
        if ended.is_break() {
            break;
        }
    }
    Ok(())
}

/// The text of a stream that may be compressed, without a byte order mark.
fn text_of<'r>(mut stream: impl Read + Send + 'r) -> io::Result<Box<dyn Read + Send + 'r>> {
    let start = |stream: &mut dyn Read| {
        let mut start = Vec::new();
        stream.take(4).read_to_end(&mut start).map(|_| start)
    };
    let first = start(&mut stream)?;
    let compression = Compression::of(&first);
    let stream = Cursor::new(first).chain(stream);
    let mut text = match compression {
        Some(compression) => compression.decompressed(stream)?,
        None => Box::new(stream),
    };
    let first = start(&mut text)?;
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&first).to_vec();
    Ok(Box::new(Cursor::new(first).chain(text)))
}

fn read_record(line: u64, text: &[u8], each: Each<'_>) -> ControlFlow<()> {
    if !text.starts_with(b"{") {
        return each(line, Found::Text);
    }
    let object = match json_row::parse(text) {
        Ok(object) => object,
        Err(reason) => return each(line, Found::Damaged(reason)),
    };
    // An envelope of CloudWatch Logs, as a subscription receives it.
    if let Some(Value::Array(events)) = object.get("logEvents") {
        for event in events {
            if let Some(message) = event.get("message").and_then(Value::as_str) {
                read_record(line, message.trim().as_bytes(), each)?;
            }
        }
        return ControlFlow::Continue(());
    }
    if object.get("message").and_then(Value::as_str) != Some(MESSAGE) {
        return each(line, Found::Object(object));
    }
    let request = CapturedRequest::deserialize(Value::Object(object));
    each(line, request.map_or_else(|error| Found::Damaged(error.to_string()), |request| Found::Request(request.into())))
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
        if let Some(class) = position(classes, label) {
            observed.count_prediction(PredictedRow::Class { class, probabilities });
        }
    }
}

/// Whether a file has captured lines or rows of JSON Lines, and not a table: whether it begins with a JSON object.
///
/// # Errors
/// That of the file.
pub fn has_objects(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    // A damaged file is reported when it is read.
    let _ = text_of(File::open(path)?)?.take(START).read_to_end(&mut start);
    Ok(start.trim_ascii_start().starts_with(b"{"))
}

/// The files with captured lines or rows of JSON Lines in a folder and the folders in it, in the order of their names.
///
/// # Errors
/// That of a folder or file that cannot be read.
pub fn files_with_objects(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if is_hidden(entry.file_name().as_encoded_bytes()) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.is_file() && has_objects(&path)? {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
