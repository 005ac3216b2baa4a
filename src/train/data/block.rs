//! Some rows of a CSV file, read together by a thread that knows nothing of the rows before them.

use std::str;

use indexmap::IndexMap;
use memchr::{memchr, memchr_iter, memchr2_iter};

use super::MAX_LEVELS;
use super::column::{Seen, see};
use super::csv::Csv;
use crate::model::field;
use crate::model::frame::Cell;
use crate::model::signature::{Feature, FeatureType};

/// What is kept of some rows.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) rows: u64,
    /// Row by row: numbers, places of words among those of the block, NaN where there is no value.
    pub(super) values: Vec<f64>,
    pub(super) columns: Vec<Gathered>,
}

/// What some cells of one column are.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) missing: u64,
    pub(super) numbers: u64,
    /// Smallest and largest number.
    pub(super) range: [f64; 2],
    /// A number, for messages.
    pub(super) first_number: Option<String>,
    /// How often each word is there, in the order in which they came.
    pub(super) words: IndexMap<String, u64>,
    /// The first boolean, and where its row begins in the file.
    pub(super) first_boolean: Option<(u64, String)>,
    /// The first word that is none, and where its row begins in the file.
    pub(super) first_text: Option<(u64, String)>,
}

/// How rows are read: the same for all blocks.
#[derive(Debug)]
pub(super) struct BlockReader {
    pub(super) csv: Csv,
    /// For each field of a row, the column that it belongs to, if it is read.
    columns: Vec<Option<usize>>,
    /// For each column, its type, where it is not to be inferred.
    declared: Vec<Option<Feature>>,
}

impl BlockReader {
    /// A reader of rows of this many fields, of which these are read, and their declared types.
    pub(super) fn new(csv: Csv, fields: usize, places: &[usize], declared: Vec<Option<Feature>>) -> Self {
        let columns = (0..fields).map(|field| places.iter().position(|place| *place == field)).collect();
        Self { csv, columns, declared }
    }

    /// Reads whole rows, the first of which begins at this byte of the file. None when something in them is, or could
    /// be, a fault: then they must be read one by one.
    pub(super) fn read(&self, bytes: &[u8], at: u64) -> Option<Block> {
        let text = str::from_utf8(bytes).ok()?;
        let columns = self.declared.iter().map(|_| Gathered::new()).collect();
        let mut block = Block { rows: 0, values: Vec::with_capacity(bytes.len() / 8), columns };
        let is_plain = memchr(b'"', bytes).is_none()
            && memchr_iter(b'\r', bytes).all(|place| bytes.get(place + 1) == Some(&b'\n'));
        if is_plain {
            self.read_plain(text, at, &mut block)?;
        } else {
            self.read_any(bytes, at, &mut block)?;
        }
        Some(block)
    }

    /// Without quotes every delimiter and every line feed is one.
    fn read_plain(&self, text: &str, at: u64, block: &mut Block) -> Option<()> {
        let (mut line, mut start, mut row) = (0, 0, Row::default());
        let ends = memchr2_iter(self.csv.delimiter, b'\n', text.as_bytes());
        let last = (!text.is_empty() && !text.ends_with('\n')).then_some(text.len());
        for end in ends.chain(last) {
            let is_last = text.as_bytes().get(end).is_none_or(|byte| *byte == b'\n');
            let mut field = text.get(start..end)?;
            if is_last {
                field = field.strip_suffix('\r').unwrap_or(field);
            }
            // A line with nothing in it is no row.
            if !(is_last && start == line && field.is_empty()) {
                row.at = at + line as u64;
                self.take(field, &mut row, block)?;
                if is_last {
                    self.end(&mut row, block)?;
                }
            }
            start = end + 1;
            line = if is_last { start } else { line };
        }
        Some(())
    }

    fn read_any(&self, bytes: &[u8], at: u64, block: &mut Block) -> Option<()> {
        let (mut records, mut row) = (self.csv.records(bytes, at), Row::default());
        while let Some((record, at)) = records.next().ok()? {
            row.at = at;
            record.iter().try_for_each(|field| self.take(field, &mut row, block))?;
            self.end(&mut row, block)?;
        }
        Some(())
    }

    fn take(&self, text: &str, row: &mut Row, block: &mut Block) -> Option<()> {
        let column = *self.columns.get(row.fields)?;
        row.fields += 1;
        if let Some(column) = column {
            let declared = self.declared.get(column)?.as_ref();
            let value = block.columns.get_mut(column)?.take(text, declared, row.at)?;
            let start = row.start;
            if block.values.len() == start {
                block.values.resize(start + self.declared.len(), f64::NAN);
            }
            *block.values.get_mut(start + column)? = value;
        }
        Some(())
    }

    fn end(&self, row: &mut Row, block: &mut Block) -> Option<()> {
        let is_whole = row.fields == self.columns.len();
        block.rows += 1;
        row.fields = 0;
        row.start = block.values.len();
        is_whole.then_some(())
    }
}

/// The row that is being read.
#[derive(Debug, Default)]
struct Row {
    /// Where it begins in the file.
    at: u64,
    /// Fields so far.
    fields: usize,
    /// Where its values begin in the block.
    start: usize,
}

impl Gathered {
    fn new() -> Self {
        Self {
            missing: 0,
            numbers: 0,
            range: [f64::INFINITY, f64::NEG_INFINITY],
            first_number: None,
            words: IndexMap::new(),
            first_boolean: None,
            first_text: None,
        }
    }

    /// What is kept of a field; none when it may be a fault.
    fn take(&mut self, text: &str, declared: Option<&Feature>, at: u64) -> Option<f64> {
        match declared {
            None => match see(Cell::Field(text)) {
                Seen::Number(value) => Some(self.number(value, text)),
                Seen::Missing => Some(self.missing()),
                Seen::Boolean => {
                    self.first_boolean.get_or_insert_with(|| (at, Cell::Field(text.trim_ascii()).to_string()));
                    self.word(text)
                }
                Seen::Text => {
                    self.first_text.get_or_insert_with(|| (at, Cell::Field(text.trim_ascii()).to_string()));
                    self.word(text)
                }
                Seen::Unusable(_) => None,
            },
            Some(_) if field::is_missing(text) => Some(self.missing()),
            Some(feature) if feature.kind == FeatureType::String => self.word(text),
            Some(feature) => feature.accept(Cell::Field(text)).ok().map(|value| self.number(value, text)),
        }
    }

    fn missing(&mut self) -> f64 {
        self.missing += 1;
        f64::NAN
    }

    fn number(&mut self, value: f64, text: &str) -> f64 {
        if self.numbers == 0 {
            self.first_number = Some(Cell::Field(text.trim_ascii()).to_string());
        }
        self.numbers += 1;
        let [low, high] = &mut self.range;
        *low = low.min(value);
        *high = high.max(value);
        value
    }

    fn word(&mut self, text: &str) -> Option<f64> {
        let text = text.trim_ascii();
        let at = if let Some((at, _, count)) = self.words.get_full_mut(text) {
            *count += 1;
            at
        } else {
            self.words.insert_full(text.to_owned(), 1).0
        };
        (at < MAX_LEVELS).then_some(at as f64)
    }
}
