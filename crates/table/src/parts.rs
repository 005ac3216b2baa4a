//! Large CSV files, cut where rows end, so that their parts can be read separately.

use std::io::{Cursor, Read};
use std::path::Path;

use super::DataError;
use super::chunks::{Quotes, line_ends};
use super::csv::{CsvRows, Stream};
use super::data_file::{DataFile, FileRows, Format};
use super::encoding::BYTE_ORDER_MARK;
use super::file_options::FileOptions;
use super::line_filter::Lines;
use super::source::CHUNK;
use memchr::memchr;

/// A place where a row ends and the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The byte of the file at which the next row begins.
    pub offset: u64,
    /// The line of the file in which it begins.
    pub line: u64,
}

/// Finds the places at which a file can be cut, in one pass over its bytes: whether a line end is within quotes depends on
/// all quotes before it.
#[derive(Debug)]
pub struct Cutter {
    scan: Scan,
    /// The next byte, and the line in which it is.
    next: Cut,
    /// The first line after the header.
    first_line: u64,
}

#[derive(Debug)]
enum Scan {
    /// Each byte counts.
    Plain(Quotes),
    /// Some lines are left out or changed before they are read as CSV.
    Filtered {
        lines: Lines,
        /// The beginning of a line.
        pending: Vec<u8>,
    },
}

impl Cutter {
    /// A cutter for the file that begins with these bytes: its first megabyte or more, or all of it. `None` if it cannot be
    /// cut, since it is compressed or its characters can only be decoded from the beginning.
    ///
    /// # Errors
    /// [`DataError`] when the header cannot be read.
    pub fn new(
        beginning: &[u8],
        name: &Path,
        options: &FileOptions,
        known: &[String],
    ) -> Result<Option<Self>, DataError> {
        let stream: Stream = Box::new(Cursor::new(beginning.to_vec()));
        let (file, _) = DataFile::from_stream(stream, name, options, known)?;
        let (Format::Csv(csv), Some(text)) = (&file.format, &file.text_format) else { return Ok(None) };
        if !text.has_independent_lines() {
            return Ok(None);
        }
        let scan = if text.filter.is_idle() {
            Scan::Plain(Quotes::new(csv.delimiter))
        } else {
            Scan::Filtered { lines: Lines::new(text.filter.clone()), pending: Vec::new() }
        };
        Ok(Some(Self { scan, next: Cut { offset: 0, line: 1 }, first_line: csv.first_line }))
    }

    /// Continues with the next bytes of the file, and returns the last place in them at which it can be cut.
    pub fn push(&mut self, bytes: &[u8]) -> Option<Cut> {
        let begin = self.next;
        self.next = Cut { offset: begin.offset + bytes.len() as u64, line: begin.line + line_ends(bytes) };
        let end = match &mut self.scan {
            Scan::Plain(quotes) => {
                let mark =
                    if begin.offset == 0 && bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
                quotes.last_end(bytes.get(mark..).unwrap_or_default()).map(|end| end + mark)
            }
            Scan::Filtered { lines, pending } => {
                let (mut from, mut last) = (0, None);
                while let Some(length) = bytes.get(from..).and_then(|rest| memchr(b'\n', rest)) {
                    let line = bytes.get(from..=from + length).unwrap_or_default();
                    if pending.is_empty() {
                        lines.push(line);
                    } else {
                        pending.extend_from_slice(line);
                        lines.push(pending);
                        pending.clear();
                    }
                    from += length + 1;
                    if lines.begins_row() {
                        last = Some(from);
                    }
                }
                pending.extend_from_slice(bytes.get(from..).unwrap_or_default());
                last
            }
        }?;
        let row = bytes.get(..end).filter(|row| row.ends_with(b"\n"))?;
        let cut = Cut { offset: begin.offset + end as u64, line: begin.line + line_ends(row) };
        (cut.line >= self.first_line).then_some(cut)
    }
}

impl DataFile {
    /// The rows of a part of the file that begins in this line.
    pub(super) fn rows_of_part(
        &self,
        part: impl Read + Send + 'static,
        line: u64,
    ) -> Result<FileRows<Stream>, DataError> {
        let (Format::Csv(csv), Some(text)) = (&self.format, &self.text_format) else {
            return Err(DataError::PipedParquet { path: self.name.clone() });
        };
        let csv = super::csv::Csv { header_end: 0, first_line: line, ..*csv };
        let rows = CsvRows::new(csv, &self.name, &self.names, text.text_of_part(part), CHUNK);
        Ok(FileRows::Csv(Box::new(rows.map_err(|source| DataError::unreadable(&self.name, source))?)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Row, RowNumber, TableReader};

    type Rows = Vec<(RowNumber, Vec<String>)>;

    /// The rows before an error, and the line of the quote that is the error.
    fn rows(mut reader: TableReader) -> (Rows, Option<RowNumber>) {
        let (mut rows, mut row) = (Vec::new(), Row::default());
        loop {
            match reader.next(&mut row) {
                Ok(true) => {
                    let fields = (0..row.width()).map(|field| row.text(field).into_owned()).collect();
                    rows.push((row.number(), fields));
                }
                Ok(false) => return (rows, None),
                Err(DataError::OpenQuote { location } | DataError::MisplacedQuote { location, .. }) => {
                    return (rows, Some(location.row));
                }
                Err(other) => panic!("{other}"),
            }
        }
    }

    /// The places at which pieces of this size end, or the last one before.
    fn cuts(text: &[u8], size: usize) -> Option<Vec<Cut>> {
        let mut cutter = Cutter::new(text, Path::new("data"), &FileOptions::default(), &[]).ok()??;
        Some(text.chunks(size).filter_map(|piece| cutter.push(piece)).collect())
    }

    /// Checks that the parts have the rows of the whole, up to a quote that is not closed.
    fn check(text: &[u8], size: usize) -> usize {
        let name = Path::new("data");
        let stream = |bytes: &[u8]| -> Stream { Box::new(Cursor::new(bytes.to_vec())) };
        let Some(cuts) = cuts(text, size) else { return 0 };
        let whole = TableReader::from_stream(stream(text), name, FileOptions::default(), Vec::new()).unwrap();
        let (whole, wrong) = rows(whole);
        // The first part is read as the whole, if it has the beginning in which the format is detected.
        let first = cuts.first().map_or(u64::MAX, |cut| cut.line);
        let is_in_first = |number: RowNumber| matches!(number, RowNumber::Line(line) if line < first);
        let mut found: Rows = whole.iter().filter(|(number, _)| is_in_first(*number)).cloned().collect();
        let mut found_wrong = wrong.filter(|number| is_in_first(*number));
        for (position, cut) in cuts.iter().enumerate() {
            if found_wrong.is_some() {
                break;
            }
            let at = |cut: &Cut| usize::try_from(cut.offset).unwrap();
            let to = cuts.get(position + 1).map_or(text.len(), at);
            let part = stream(text.get(at(cut)..to).unwrap());
            let options = FileOptions::default();
            let reader = TableReader::from_part(text.to_vec(), part, cut.line, name, options, Vec::new());
            let (of_part, wrong) = rows(reader.unwrap());
            found.extend(of_part);
            found_wrong = wrong;
        }
        assert_eq!((found, found_wrong), (whole, wrong), "{:?}", String::from_utf8_lossy(text));
        cuts.len()
    }

    #[test]
    fn a_file_is_cut_where_rows_end() {
        assert_eq!(cuts(b"a,b\n1,2\n3,4\n", 4).unwrap().len(), 3);
        assert_eq!(
            cuts(b"a,b\n1,\"\n\n\"\n3,4\n", 2).unwrap(),
            [(4, 2), (11, 5), (15, 6)].map(|(offset, line)| Cut { offset, line })
        );
        for text in [
            &b"\xef\xbb\xbf\"a\n\",b\n1,2\n3,4\n"[..],
            b"Report\n\nx,y\n1,2\n# \"\n3,4\n",
            b"# by \"hand\nx,y\n1,2\n3,\"\n\"\n5,6\n",
            b"\"x\" \"y\"\n\"1\" 1  2\n\"a\nb\" 3 4\n\"c\" 5 6\n",
            b"gr\xf6\xdfe;y\n1;2\n3;4\n",
            b"x,y,\r\n1,2,\r\n3,4,\r\n",
        ] {
            for size in 1..text.len() {
                check(text, size);
            }
        }
    }

    #[test]
    fn text_that_must_be_decoded_from_the_beginning_is_not_cut() {
        let utf_16: Vec<u8> = "\u{feff}x\ty\r\nä\t2\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(cuts(&utf_16, 4), None);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut gzip, b"x,y\n1,2\n").unwrap();
        assert_eq!(cuts(&gzip.finish().unwrap(), 4), None);
    }

    proptest! {
        #[test]
        fn the_parts_have_the_rows_of_the_whole(body in "([a1\"]{0,3}[,\n\"]|\r\n){0,30}", size in 1_usize..9) {
            check(format!("x,y\n1,2\n{body}").as_bytes(), size);
        }

        #[test]
        fn comments_and_spaces_do_not_matter(body in "([a1\"]{0,2}[ \n\"]|#\"\n){0,30}", size in 1_usize..9) {
            check(format!("x y\n1  2\n3 4\n{body}").as_bytes(), size);
        }
    }
}
