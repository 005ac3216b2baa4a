//! JSON Lines: each row with its predictions, as an object.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use memchr::memchr_iter;

use ordinate::http::{FileLine, LineError, frame_of_lines};
use ordinate_model::scalar::Scalar;
use ordinate_model::{Answer, Model, Predictor};
use ordinate_table::{DataError, MAX_ROW_BYTES, RowNumber};

use crate::columns::{ColumnOption, Columns, ColumnsError, OutputColumn, output_columns, output_values};
use crate::failure::Failure;
use crate::rejected::{self, Input};
use crate::score::{Checks, Scored, Task, Totals, in_blocks};
use crate::scoring::{BATCH_BYTES, batch_rows};
use crate::skipped::RowError;
use crate::warning_column::rows_with_warnings;

/// The key that a value or a list gets.
const FEATURES: &str = "features";

/// The bytes of a block of lines, or a few more.
const BLOCK_BYTES: u64 = 1 << 20;

/// A line of the input.
struct Line {
    number: u64,
    text: String,
}

/// The lines of a text, without blank ones.
pub(crate) struct Lines<R> {
    inner: R,
    name: String,
    /// The number of the last line.
    number: u64,
    bytes: Vec<u8>,
}

/// Some lines.
struct LineBlock {
    /// The number of the first.
    line: u64,
    bytes: Vec<u8>,
}

/// The lines of a text in blocks, which several threads can read at a time.
pub(crate) struct LineBlocks<'n, R> {
    inner: R,
    /// The number of the next line.
    line: u64,
    name: &'n Path,
}

impl<'n, R: BufRead> LineBlocks<'n, R> {
    /// The lines from this number on.
    pub(crate) fn new(inner: R, line: u64, name: &'n Path) -> Self {
        Self { inner, line, name }
    }

    fn next(&mut self) -> Result<Option<LineBlock>, Failure> {
        let unreadable = |source| DataError::Unreadable { path: self.name.to_owned(), source };
        let mut bytes = Vec::new();
        (&mut self.inner).take(BLOCK_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.last().is_some_and(|last| *last != b'\n') {
            // The reader of the block refuses a line that is too long.
            (&mut self.inner).take(MAX_ROW_BYTES + 1).read_until(b'\n', &mut bytes).map_err(unreadable)?;
        }
        let line = self.line;
        self.line += memchr_iter(b'\n', &bytes).count() as u64;
        Ok((!bytes.is_empty()).then_some(LineBlock { line, bytes }))
    }
}

/// A line, or a line that is not text.
enum Found {
    Line(Line),
    NotUtf8(u64),
}

impl<R: BufRead> Lines<R> {
    /// The lines from this number on.
    pub(crate) fn new(inner: R, first: u64, name: &Path) -> Self {
        Self { inner, name: name.display().to_string(), number: first.saturating_sub(1), bytes: Vec::new() }
    }

    fn next(&mut self) -> Result<Option<Found>, Failure> {
        loop {
            self.bytes.clear();
            let unreadable = |source| DataError::Unreadable { path: self.name.clone().into(), source };
            let count =
                (&mut self.inner).take(MAX_ROW_BYTES + 1).read_until(b'\n', &mut self.bytes).map_err(unreadable)?;
            if count == 0 {
                return Ok(None);
            }
            self.number += 1;
            if count as u64 > MAX_ROW_BYTES {
                let reason = format!("line {} is longer than {MAX_ROW_BYTES} bytes", self.number);
                return Err(unreadable(io::Error::other(reason)).into());
            }
            let Ok(text) = std::str::from_utf8(&self.bytes) else { return Ok(Some(Found::NotUtf8(self.number))) };
            let text = if self.number == 1 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
            let text = text.trim();
            if !text.is_empty() {
                return Ok(Some(Found::Line(Line { number: self.number, text: text.to_owned() })));
            }
        }
    }
}

/// The model, prepared for lines.
struct LineScorer<'m> {
    model: &'m Model,
    predictor: Predictor<'m>,
    columns: &'m Columns,
    added: Vec<OutputColumn>,
    /// Their names.
    names: BTreeSet<String>,
}

impl<'m> LineScorer<'m> {
    fn new(task: &'m Task) -> Result<Self, ColumnsError> {
        let added = output_columns(&task.columns, &task.model)?;
        let names: BTreeSet<String> = added.iter().map(|column| column.name.clone()).collect();
        if names.contains(FEATURES) {
            let reason = format!(
                " {FEATURES}: in JSON Lines, a list of values gets this key\n\
                 help: give the predictions another name with --column"
            );
            return Err(ColumnsError { option: ColumnOption::Prediction, reason });
        }
        Ok(Self {
            model: &task.model,
            predictor: task.columns.predictor(&task.model)?,
            columns: &task.columns,
            added,
            names,
        })
    }

    fn answer(&self, lines: &[&Line]) -> Result<Answer<'_>, RowError> {
        let number = lines.last().map_or(0, |line| line.number);
        let row = RowNumber::Line(number);
        let error = |detail| RowError { row, column: None, detail };
        let lines: Vec<FileLine<'_>> =
            lines.iter().map(|line| FileLine { number: line.number, text: &line.text }).collect();
        let frame = frame_of_lines(&lines, self.model.signature(), &self.names).map_err(|fault| match fault {
            LineError::Syntax(detail) => error(detail),
            LineError::Rows(faults) => RowError::new(row, faults),
        })?;
        self.predictor.answer(&frame).map_err(|fault| error(fault.to_string()))
    }
}

/// Predicts lines on the threads of a task, and writes them in order with the added members.
pub(crate) fn score<R: BufRead + Send>(
    task: &Task,
    mut input: LineBlocks<R>,
    out: &mut impl Write,
    rejected: &mut dyn Write,
    checks: &Checks<'_>,
) -> Result<Totals, Failure> {
    let scorer = LineScorer::new(task)?;
    let rows = batch_rows(&task.model, task.columns.wanted(&task.model));
    if task.threads == 1 {
        let LineBlocks { inner, line, name } = input;
        return score_lines(&scorer, rows, Lines::new(inner, line, name), (out, rejected), checks);
    }
    let name = input.name;
    let score_block = |block: LineBlock| {
        let (mut written, mut rejected) = (Vec::new(), Vec::new());
        let lines = Lines::new(block.bytes.as_slice(), block.line, name);
        let totals = score_lines(&scorer, rows, lines, (&mut written, &mut rejected), &Checks::default())?;
        Ok(Scored { written, rejected, totals })
    };
    in_blocks(task.threads, || input.next(), score_block, (out, rejected), checks)
}

fn score_lines<R: BufRead>(
    scorer: &LineScorer<'_>,
    rows: usize,
    mut input: Lines<R>,
    (out, rejected): (&mut impl Write, &mut dyn Write),
    checks: &Checks<'_>,
) -> Result<Totals, Failure> {
    let mut totals = Totals::default();
    loop {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let mut is_end = false;
        while lines.len() < rows && bytes <= BATCH_BYTES {
            match input.next()? {
                None => {
                    is_end = true;
                    break;
                }
                Some(Found::Line(line)) => {
                    bytes += line.text.len();
                    lines.push(line);
                }
                Some(Found::NotUtf8(number)) => {
                    totals.rows += 1;
                    let row = RowNumber::Line(number);
                    let error = RowError { row, column: None, detail: "the text is not UTF-8".to_owned() };
                    totals.reject(&error);
                    rejected::write(rejected, &error, Input::Line(""))?;
                }
            }
        }
        if !lines.is_empty() {
            totals.rows += lines.len() as u64;
            write_batch(scorer, &lines, out, rejected, &mut totals)?;
            checks.check(&totals)?;
        }
        if is_end {
            return Ok(totals);
        }
    }
}

fn write_batch(
    scorer: &LineScorer<'_>,
    lines: &[Line],
    out: &mut impl Write,
    rejected: &mut dyn Write,
    totals: &mut Totals,
) -> Result<(), Failure> {
    // All lines together, as errors are rare; then one by one, to find those with errors.
    let all: Vec<&Line> = lines.iter().collect();
    let (answer, errors) = if let Ok(answer) = scorer.answer(&all) {
        (Some(answer), vec![None; lines.len()])
    } else {
        let errors: Vec<Option<RowError>> = lines.iter().map(|line| scorer.answer(&[line]).err()).collect();
        let good = lines.iter().zip(&errors).filter(|(_, error)| error.is_none()).map(|(line, _)| line);
        let good: Vec<&Line> = good.collect();
        (if good.is_empty() { None } else { scorer.answer(&good).ok() }, errors)
    };
    totals.warned += answer.iter().map(|answer| rows_with_warnings(&answer.warnings) as u64).sum::<u64>();
    let mut values = answer.iter().flat_map(|answer| output_values(scorer.columns, answer));
    for (line, error) in lines.iter().zip(&errors) {
        if let Some(error) = error {
            totals.reject(error);
            rejected::write(rejected, error, Input::Line(&line.text))?;
        } else {
            write_line(out, &line.text, &scorer.added, values.next().unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Writes an object with the added members. A value or a list becomes the member [`FEATURES`].
fn write_line(out: &mut impl Write, text: &str, added: &[OutputColumn], values: Vec<Scalar>) -> io::Result<()> {
    let mut separator = ",";
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(members) => {
            out.write_all(b"{")?;
            out.write_all(members.trim_end().as_bytes())?;
            if members.trim().is_empty() {
                separator = "";
            }
        }
        None => write!(out, "{{\"{FEATURES}\":{text}")?,
    }
    for (column, value) in added.iter().zip(values) {
        out.write_all(separator.as_bytes())?;
        separator = ",";
        serde_json::to_writer(&mut *out, &column.name)?;
        out.write_all(b":")?;
        write_value(out, &value)?;
    }
    out.write_all(b"}\n")
}

fn write_value(out: &mut impl Write, value: &Scalar) -> io::Result<()> {
    match value {
        Scalar::Text(text) => Ok(serde_json::to_writer(out, text)?),
        Scalar::Number(number) => Ok(serde_json::to_writer(out, number)?),
        // Integers, truth values and null are the same in JSON.
        other => write!(out, "{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ordinate_model::signature::FeatureType;

    #[test]
    fn predictions_are_added_to_objects() {
        let column = |name: &str| OutputColumn { name: name.to_owned(), kind: FeatureType::Double };
        let line = |text: &str| {
            let mut out = Vec::new();
            let values = vec![Scalar::Number(0.1), Scalar::Missing];
            write_line(&mut out, text, &[column("prediction"), column("x\"")], values).unwrap();
            String::from_utf8(out).unwrap()
        };
        let added = "\"prediction\":0.1,\"x\\\"\":null}\n";
        assert_eq!(line("{\"a\": 1 }"), format!("{{\"a\": 1,{added}"));
        assert_eq!(line("{}"), format!("{{{added}"));
        assert_eq!(line("[1, 2]"), format!("{{\"features\":[1, 2],{added}"));
        assert_eq!(line("7"), format!("{{\"features\":7,{added}"));
    }

    #[test]
    fn lines_keep_their_numbers_and_may_not_be_endless() {
        let mut lines = Lines::new(&b"\xef\xbb\xbf1\n\n 2 \r\n\xff\n3"[..], 1, Path::new("data"));
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(match line {
                Found::Line(line) => (line.number, line.text),
                Found::NotUtf8(number) => (number, "?".to_owned()),
            });
        }
        let expected = [(1, "1"), (3, "2"), (4, "?"), (5, "3")];
        assert_eq!(found, expected.map(|(number, text)| (number, text.to_owned())));
        let endless = io::BufReader::new(io::repeat(b'1'));
        assert!(Lines::new(endless, 1, Path::new("data")).next().is_err());
    }
}
