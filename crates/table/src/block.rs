//! Rows of a CSV file that are parsed together, by a thread that does not know the rows before them.

use std::str;

use csv::StringRecord;
use memchr::{memchr, memchr_iter, memchr2};

use super::chunks::Chunk;
use super::contents::{Contents, Reader, Stored};
use super::csv::Csv;
use ordinate_model::number;

/// Encoded rows.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) rows: u64,
    /// Row by row, as [`Stored`]: positions of words are those among the words of the block.
    pub(super) values: Vec<f64>,
    pub(super) columns: Vec<Contents>,
}

/// The parser of all blocks of a file.
#[derive(Debug)]
pub(super) struct BlockReader {
    pub(super) csv: Csv,
    /// For each field of a row, its column, if it is read.
    columns: Vec<Option<usize>>,
    /// For each column, how it is read.
    readers: Vec<Reader>,
}

impl BlockReader {
    /// A parser of rows with this many fields, of which those at `positions` are read.
    pub(super) fn new(csv: Csv, fields: usize, positions: &[usize], readers: Vec<Reader>) -> Self {
        let columns = (0..fields).map(|field| positions.iter().position(|position| *position == field)).collect();
        Self { csv, columns, readers }
    }

    /// Parses the rows of a chunk. `None` if one of them has another width or is not UTF-8: they must then be read one by one.
    pub(super) fn read(&self, chunk: &Chunk) -> Option<Block> {
        let bytes = chunk.bytes.as_slice();
        let text = str::from_utf8(bytes).ok()?;
        let columns = self.readers.iter().map(|_| Contents::of_block()).collect();
        let mut block = Block { rows: 0, values: Vec::with_capacity(bytes.len() / 8), columns };
        let is_plain = memchr(b'"', bytes).is_none()
            && memchr_iter(b'\r', bytes).all(|place| bytes.get(place + 1) == Some(&b'\n'));
        if is_plain {
            self.read_plain(text, &mut block)?;
        } else {
            self.read_any(chunk, &mut block)?;
        }
        Some(block)
    }

    /// Parses text without quotes, in which every delimiter and line feed counts.
    fn read_plain(&self, text: &str, block: &mut Block) -> Option<()> {
        let bytes = text.as_bytes();
        let (mut line, mut start, mut row) = (0, 0, PartialRow::default());
        while start < bytes.len() {
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
        if !matches!(self.readers.get(column)?, Reader::Infer(markers) if markers.is_empty()) {
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
        let stored = block.columns.get_mut(column)?.push_number(value, text.get(start..start + length)?);
        self.keep(stored, column, row, block)?;
        Some(length)
    }

    #[inline]
    fn keep(&self, stored: Stored, column: usize, row: &PartialRow, block: &mut Block) -> Option<()> {
        if block.values.len() == row.start {
            block.values.resize(row.start + self.readers.len(), f64::NAN);
        }
        *block.values.get_mut(row.start + column)? = stored.to_f64();
        Some(())
    }

    /// Parses any text.
    fn read_any(&self, chunk: &Chunk, block: &mut Block) -> Option<()> {
        let mut records = self.csv.records(&chunk.bytes, chunk.line);
        let (mut record, mut row) = (StringRecord::new(), PartialRow::default());
        while records.next(&mut record).ok()?.is_some() {
            record.iter().try_for_each(|field| self.take(field, &mut row, block))?;
            self.end(&mut row, block)?;
        }
        Some(())
    }

    fn take(&self, text: &str, row: &mut PartialRow, block: &mut Block) -> Option<()> {
        let column = *self.columns.get(row.fields)?;
        row.fields += 1;
        if let Some(column) = column {
            let stored = block.columns.get_mut(column)?.push_field(text, self.readers.get(column)?);
            self.keep(stored, column, row, block)?;
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
    /// Fields so far.
    fields: usize,
    /// The position of its first value in the block.
    start: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use ordinate_model::number::parse_double;

    fn read(text: &str, fields: usize) -> Option<Vec<f64>> {
        let positions: Vec<usize> = (0..fields).collect();
        let csv = Csv { delimiter: b',', header_end: 0, first_line: 1 };
        let reader = BlockReader::new(csv, fields, &positions, vec![Reader::Infer(Vec::new()); fields]);
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
            let values = read(&format!("{text},1\n"), 2).unwrap();
            if let Ok(value) = parse_double(text.trim_ascii()) {
                prop_assert_eq!(values[0].to_bits(), value.to_bits());
            } else {
                prop_assert_eq!(Stored::from_f64(values[0]), Stored::Word(0));
            }
        }
    }
}
