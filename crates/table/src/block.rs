//! Rows of a CSV file that are parsed together, by a thread that does not know the rows before them.

use std::str;

use csv::StringRecord;
use indexmap::IndexMap;
use memchr::{memchr, memchr_iter, memchr2};

use super::MAX_LEVELS;
use super::chunks::{Chunk, line_ends};
use super::column::{Seen, see, shown};
use super::csv::Csv;
use ordinate_model::cell::Cell;
use ordinate_model::field;
use ordinate_model::number;
use ordinate_model::signature::{Feature, FeatureType};

/// Encoded rows.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) rows: u64,
    /// Row by row: numbers, positions of words among the words of the block, NaN for missing values.
    pub(super) values: Vec<f64>,
    pub(super) columns: Vec<Cells>,
}

/// Statistics of the cells of one column.
#[derive(Debug)]
pub(super) struct Cells {
    pub(super) missing: u64,
    pub(super) numbers: u64,
    /// Smallest and largest number.
    pub(super) range: [f64; 2],
    /// A number, for messages.
    pub(super) first_number: Option<String>,
    /// The number of rows of each word, in the order of their first row.
    pub(super) words: IndexMap<String, u64>,
    /// The first boolean and its line.
    pub(super) first_boolean: Option<(u64, String)>,
    /// The first other word and its line.
    pub(super) first_text: Option<(u64, String)>,
}

/// The parser of all blocks of a file.
#[derive(Debug)]
pub(super) struct BlockReader {
    pub(super) csv: Csv,
    /// For each field of a row, its column, if it is read.
    columns: Vec<Option<usize>>,
    /// For each column, its type, unless it is inferred.
    declared: Vec<Option<Feature>>,
}

impl BlockReader {
    /// A parser of rows with this many fields, of which those at `positions` are read.
    pub(super) fn new(csv: Csv, fields: usize, positions: &[usize], declared: Vec<Option<Feature>>) -> Self {
        let columns = (0..fields).map(|field| positions.iter().position(|position| *position == field)).collect();
        Self { csv, columns, declared }
    }

    /// Parses the rows of a chunk. `None` if one of them may be wrong: they must then be read one by one.
    pub(super) fn read(&self, chunk: &Chunk) -> Option<Block> {
        let bytes = chunk.bytes.as_slice();
        let text = str::from_utf8(bytes).ok()?;
        let columns = self.declared.iter().map(|_| Cells::new()).collect();
        let mut block = Block { rows: 0, values: Vec::with_capacity(bytes.len() / 8), columns };
        let is_plain = memchr(b'"', bytes).is_none()
            && memchr_iter(b'\r', bytes).all(|place| bytes.get(place + 1) == Some(&b'\n'));
        if is_plain {
            self.read_plain(text, &mut block)?;
            let line = |offset: u64| {
                let before = usize::try_from(offset).ok().and_then(|offset| bytes.get(..offset));
                chunk.line + line_ends(before.unwrap_or_default())
            };
            for cells in &mut block.columns {
                let firsts = cells.first_boolean.iter_mut().chain(&mut cells.first_text);
                firsts.for_each(|(first, _)| *first = line(*first));
            }
        } else {
            self.read_any(chunk, &mut block)?;
        }
        Some(block)
    }

    /// Parses text without quotes, in which every delimiter and line feed counts. Rows are noted by their first byte.
    fn read_plain(&self, text: &str, block: &mut Block) -> Option<()> {
        let bytes = text.as_bytes();
        let (mut line, mut start, mut row) = (0, 0, PartialRow::default());
        while start < bytes.len() {
            row.at = line as u64;
            let rest = bytes.get(start..).unwrap_or_default();
            let length = if let Some(length) = self.take_number(text, start, &mut row, block) {
                length
            } else {
                let length = memchr2(self.csv.delimiter, b'\n', rest).unwrap_or(rest.len());
                let field = text.get(start..start + length)?;
                let is_last = rest.get(length).is_none_or(|byte| *byte == b'\n');
                let field = if is_last { field.strip_suffix('\r').unwrap_or(field) } else { field };
                // Blank lines are not rows.
                if is_last && start == line && field.is_empty() {
                    start += length + 1;
                    line = start;
                    continue;
                }
                self.take(field, &mut row, block)?;
                length
            };
            start += length + 1;
            if rest.get(length).is_none_or(|byte| *byte == b'\n') {
                self.end(&mut row, block)?;
                line = start;
            } else if start == bytes.len() {
                // A delimiter at the end: one more field, which is empty.
                self.take("", &mut row, block)?;
                self.end(&mut row, block)?;
            }
        }
        Some(())
    }

    /// Parses the field that begins here if it is an ordinary number, as nearly all fields are, without looking for its end
    /// first. Returns its length.
    #[inline]
    fn take_number(&self, text: &str, start: usize, row: &mut PartialRow, block: &mut Block) -> Option<usize> {
        let column = (*self.columns.get(row.fields)?)?;
        if self.declared.get(column)?.is_some() {
            return None;
        }
        let rest = text.as_bytes().get(start..)?;
        let (value, length) = fast_float2::parse_partial::<f64, _>(rest).ok()?;
        let ends = rest.get(length).is_none_or(|byte| *byte == self.csv.delimiter || *byte == b'\n');
        // A longer zero may be an underflow.
        let is_plain = number::is_exact(value) || (value == 0.0 && length == 1);
        if !(ends && is_plain) {
            return None;
        }
        row.fields += 1;
        let value = block.columns.get_mut(column)?.number(value, text.get(start..start + length)?);
        self.keep(value, column, row, block)?;
        Some(length)
    }

    #[inline]
    fn keep(&self, value: f64, column: usize, row: &PartialRow, block: &mut Block) -> Option<()> {
        if block.values.len() == row.start {
            block.values.resize(row.start + self.declared.len(), f64::NAN);
        }
        *block.values.get_mut(row.start + column)? = value;
        Some(())
    }

    /// Parses any text. Rows are noted by their line.
    fn read_any(&self, chunk: &Chunk, block: &mut Block) -> Option<()> {
        let mut records = self.csv.records(&chunk.bytes, chunk.line);
        let (mut record, mut row) = (StringRecord::new(), PartialRow::default());
        while let Some(line) = records.next(&mut record).ok()? {
            row.at = line;
            record.iter().try_for_each(|field| self.take(field, &mut row, block))?;
            self.end(&mut row, block)?;
        }
        Some(())
    }

    fn take(&self, text: &str, row: &mut PartialRow, block: &mut Block) -> Option<()> {
        let column = *self.columns.get(row.fields)?;
        row.fields += 1;
        if let Some(column) = column {
            let declared = self.declared.get(column)?.as_ref();
            let value = block.columns.get_mut(column)?.take(text, declared, row.at)?;
            self.keep(value, column, row, block)?;
        }
        Some(())
    }

    fn end(&self, row: &mut PartialRow, block: &mut Block) -> Option<()> {
        let is_whole = row.fields == self.columns.len();
        block.rows += 1;
        row.fields = 0;
        row.start = block.values.len();
        is_whole.then_some(())
    }
}

/// The row that is being parsed.
#[derive(Debug, Default)]
struct PartialRow {
    /// Its line, or its first byte.
    at: u64,
    /// Fields so far.
    fields: usize,
    /// The position of its first value in the block.
    start: usize,
}

impl Cells {
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

    /// The encoded value of a field; `None` if it may be an error.
    fn take(&mut self, text: &str, declared: Option<&Feature>, at: u64) -> Option<f64> {
        match declared {
            None => match see(Cell::Field(text)) {
                Seen::Number(value) => Some(self.number(value, text)),
                Seen::Missing => Some(self.missing()),
                Seen::Boolean => {
                    self.first_boolean.get_or_insert_with(|| (at, shown(Cell::Field(text))));
                    self.word(text)
                }
                Seen::Text => {
                    self.first_text.get_or_insert_with(|| (at, shown(Cell::Field(text))));
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
            self.first_number = Some(shown(Cell::Field(text)));
        }
        self.numbers += 1;
        let [low, high] = &mut self.range;
        *low = low.min(value);
        *high = high.max(value);
        value
    }

    fn word(&mut self, text: &str) -> Option<f64> {
        let at = if let Some((at, _, count)) = self.words.get_full_mut(text) {
            *count += 1;
            at
        } else {
            self.words.insert_full(text.to_owned(), 1).0
        };
        (at < MAX_LEVELS).then_some(at as f64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use ordinate_model::number::parse_double;

    fn read(text: &str, fields: usize) -> Option<Vec<f64>> {
        let positions: Vec<usize> = (0..fields).collect();
        let csv = Csv { delimiter: b',', header_end: 0, first_line: 1 };
        let reader = BlockReader::new(csv, fields, &positions, vec![None; fields]);
        reader.read(&Chunk { line: 1, bytes: text.into() }).map(|block| block.values)
    }

    #[test]
    fn a_last_field_may_be_empty_and_a_last_line_may_lack_its_end() {
        let same = |text, expected: &[f64]| {
            let values = read(text, 2).unwrap();
            assert_eq!(format!("{values:?}"), format!("{expected:?}"), "{text:?}");
        };
        same("1,2\n3,4", &[1.0, 2.0, 3.0, 4.0]);
        same("1,\r\n3,", &[1.0, f64::NAN, 3.0, f64::NAN]);
        same("\n1,0\n\r\n-0,0e0\n", &[1.0, 0.0, -0.0, 0.0]);
    }

    #[test]
    fn rows_of_another_width_are_not_parsed_together() {
        for text in ["1\n", "1,2,3\n", "1,2\n3\n", "1,2,\n"] {
            assert_eq!(read(text, 2), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_parsed_as_in_a_single_cell(text in prop_oneof![
            any::<f64>().prop_map(|value| value.to_string()),
            any::<f64>().prop_map(|value| format!("{value:e}")),
            any::<i64>().prop_map(|value| value.to_string()),
            "[-+]?[0-9]{0,25}[.]?[0-9]{0,25}([eE][-+]?[0-9]{1,3})?",
            "[-+0-9.eEinfNa ]{1,8}",
        ]) {
            prop_assume!(!text.trim().is_empty());
            let Some(values) = read(&format!("{text},1\n"), 2) else {
                prop_assert!(!matches!(see(Cell::Field(&text)), Seen::Number(_)));
                return Ok(());
            };
            if let Ok(value) = parse_double(text.trim_ascii()) {
                prop_assert_eq!(values[0].to_bits(), value.to_bits());
            }
            // Other text does not become a number: words are numbered from 0, missing values are NaN.
            prop_assert!(matches!(see(Cell::Field(&text)), Seen::Number(_)) || values[0] == 0.0 || values[0].is_nan());
        }
    }
}
