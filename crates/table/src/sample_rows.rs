//! The rows at the beginning of a text file: which of them is the header, and how many fields the others have.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;
use ordinate_model::header::column_names;

use super::csv::Csv;
use super::delimiter::Splitting;

/// The first rows, including the header.
const FIRST: usize = 100;

/// The share of rows that have as many fields as the header in an ordinary file.
const MOST: f64 = 0.8;

/// A row at the beginning of a file.
#[derive(Debug)]
pub(super) struct SampleRow {
    /// The line in which it begins.
    pub(super) line: u64,
    /// The number of its fields.
    pub(super) width: usize,
    /// Its fields, of the first rows.
    pub(super) fields: Vec<String>,
    first: String,
    is_last_empty: bool,
    pub(super) has_empty: bool,
}

impl SampleRow {
    /// All rows of a text.
    pub(super) fn all(csv: Csv, text: &[u8]) -> Vec<Self> {
        let mut records = csv.records(text, 1);
        let (mut record, mut rows) = (StringRecord::new(), Vec::new());
        while let Ok(Some(line)) = records.next(&mut record) {
            let is_empty = |field: &str| field.trim().is_empty();
            let last = record.iter().next_back();
            // Blanks are not a row, nor is the mark that ends files of old systems.
            if record.len() == 1 && last.is_some_and(|field| is_empty(field) || field == "\u{1a}") {
                continue;
            }
            let fields = if rows.len() < FIRST { record.iter().map(str::to_owned).collect() } else { Vec::new() };
            rows.push(Self {
                line,
                width: record.len(),
                fields,
                first: record.get(0).unwrap_or_default().to_owned(),
                is_last_empty: last.is_some_and(is_empty),
                has_empty: record.iter().any(str::is_empty),
            });
        }
        rows
    }

    /// Whether a field is a number.
    pub(super) fn has_number(&self) -> bool {
        self.fields.iter().any(|field| is_number(field))
    }

    fn has_all(&self, known: &[String]) -> bool {
        let names = column_names(&self.fields);
        !self.fields.is_empty() && known.iter().all(|name| names.contains(name))
    }
}

fn is_number(text: &str) -> bool {
    text.trim().replace(',', ".").parse::<f64>().is_ok()
}

/// The header and the rows below it.
#[derive(Debug, Clone, Copy, Default)]
// Independent facts.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Shape {
    /// The position of the header among the rows, if there is one.
    pub(super) header: Option<usize>,
    /// The number of fields of the header and of most rows, whichever is larger.
    pub(super) width: usize,
    /// The number of fields of most rows.
    pub(super) row_width: usize,
    /// Whether all rows, and perhaps the header, end with a delimiter.
    pub(super) trailing: bool,
    /// Whether only the header ends with a delimiter.
    pub(super) trailing_header: bool,
    /// Whether the rows begin with an index that the header does not name.
    pub(super) lacks_index: bool,
    /// The share of rows that fit the header.
    pub(super) share: f64,
    /// Whether the header has all known columns.
    pub(super) has_known: bool,
    /// Whether the file begins with the header and most rows fit it.
    pub(super) is_plain: bool,
}

impl Shape {
    pub(super) fn new(rows: &[SampleRow], delimiter: u8, splitting: &Splitting<'_>) -> Self {
        let header = splitting.has_header.then(|| header(rows, delimiter, splitting));
        let below = rows.get(header.map_or(0, |header| header + 1)..).unwrap_or_default();
        let names = header.and_then(|header| rows.get(header));
        let row_width = common_width(below).or(names.map(|names| names.width)).unwrap_or(0);
        let all_empty = row_width > 1 && ends_empty(below, row_width);
        let mut shape = Self { header, row_width, width: row_width, share: 1.0, ..Self::default() };
        let mut fits = true;
        if let Some(names) = names {
            let is_last_unnamed = names.is_last_empty && names.width > 1;
            shape.width = names.width.max(row_width);
            shape.trailing = all_empty && (names.width == row_width && is_last_unnamed || names.width + 1 == row_width);
            shape.lacks_index = !shape.trailing
                && names.width > 1
                && names.width + 1 == row_width
                && is_index(below, row_width, delimiter);
            shape.trailing_header = names.width == row_width + 1 && is_last_unnamed;
            shape.has_known = names.has_all(splitting.known);
            fits = names.width == row_width || shape.trailing || shape.lacks_index || shape.trailing_header;
            if !fits {
                shape.row_width = names.width;
            }
        } else {
            shape.trailing = all_empty;
        }
        if !below.is_empty() {
            shape.share = below.iter().filter(|row| row.width == shape.row_width).count() as f64 / below.len() as f64;
        }
        shape.is_plain = fits && shape.share >= MOST && header.is_none_or(|header| header == 0);
        shape
    }
}

/// The position of the header: the first row with the known columns, or else with as many fields as most rows.
fn header(rows: &[SampleRow], delimiter: u8, splitting: &Splitting<'_>) -> usize {
    let width = common_width(rows).unwrap_or(0);
    if !splitting.may_have_preamble {
        return 0;
    }
    if !splitting.known.is_empty() {
        let mut first = rows.iter().take(FIRST);
        let is_wide = |row: &SampleRow| row.width == width || row.width + 1 == width;
        let found = first.clone().position(|row| is_wide(row) && row.has_all(splitting.known));
        if let Some(header) = found.or_else(|| first.position(|row| row.has_all(splitting.known))) {
            return header;
        }
    }
    // A title in a spreadsheet is followed by empty cells.
    let is_title =
        |row: &SampleRow| width > 2 && row.fields.iter().filter(|field| !field.trim().is_empty()).count() < 2;
    let Some(wide) = rows.iter().take(FIRST).position(|row| row.width == width && !is_title(row)) else { return 0 };
    let below = rows.get(wide..).unwrap_or_default();
    let is_narrow = wide.checked_sub(1).and_then(|above| rows.get(above)).is_some_and(|row| row.width + 1 == width);
    let is_header = |below| width > 2 || ends_empty(below, width) || is_index(below, width, delimiter);
    let header = if is_narrow && is_header(below) { wide - 1 } else { wide };
    let fitting = below.iter().filter(|row| row.width == width).count() as f64;
    let is_sure = width > 1 && below.len() > 2 && fitting >= MOST * below.len() as f64;
    if header > 0 && !is_sure { 0 } else { header }
}

/// The number of fields of most rows; of several, the largest.
fn common_width(rows: &[SampleRow]) -> Option<usize> {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for row in rows {
        *counts.entry(row.width).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(width, count)| (*count, *width)).map(|(width, _)| width)
}

/// Whether the last field of all rows of this width is empty.
fn ends_empty(rows: &[SampleRow], width: usize) -> bool {
    let mut of_width = rows.iter().filter(|row| row.width == width).peekable();
    of_width.peek().is_some() && of_width.all(|row| row.is_last_empty)
}

/// Whether the first field of all rows of this width can be their index, as R writes it: names, or numbers from 1. In files
/// separated by spaces or tabs, any different values can.
fn is_index(rows: &[SampleRow], width: usize, delimiter: u8) -> bool {
    let first: Vec<&str> = rows.iter().filter(|row| row.width == width).map(|row| row.first.as_str()).collect();
    let is_spaced = matches!(delimiter, b' ' | b'\t');
    let is_different = first.iter().collect::<HashSet<_>>().len() == first.len();
    let is_enough = first.len() > 1 || is_spaced && !first.is_empty();
    let is_counted = || first.iter().zip(1_u64..).all(|(text, number)| text.parse() == Ok(number));
    is_enough && is_different && (is_spaced || first.iter().all(|text| !is_number(text)) || is_counted())
}
