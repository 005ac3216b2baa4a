//! Files that are read once, row by row, in bounded memory.

use std::fmt;
use std::path::{Path, PathBuf};
use std::vec;

use super::csv::Stream;
use super::data_file::{DataFile, FileRows, Format};
use super::row::Row;
use super::selection::nearest;
use super::source::same_header;
use super::{DataError, Header, Watch};

/// Files, each with the header of the first, that are read as one table.
pub struct TableReader {
    label: String,
    /// The name of the first file.
    first: PathBuf,
    file: DataFile,
    rows: FileRows<Stream>,
    header: Vec<String>,
    trimmed_header: Vec<String>,
    /// The files still to be read.
    rest: vec::IntoIter<PathBuf>,
    delimiter: Option<u8>,
    known: Vec<String>,
    watch: Option<Watch>,
}

impl fmt::Debug for TableReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TableReader").field("label", &self.label).finish_non_exhaustive()
    }
}

impl TableReader {
    /// Opens files, or standard input for `-`, and reads their headers. Without a delimiter, it is detected in each file
    /// from the header and from the columns `known`, which the header should have.
    ///
    /// # Errors
    /// [`DataError`] when a file cannot be read or has another header than the first.
    pub fn open(
        files: Vec<PathBuf>,
        delimiter: Option<u8>,
        known: Vec<String>,
        watch: Option<Watch>,
    ) -> Result<Self, DataError> {
        let mut rest = files.into_iter();
        let first = rest.next().unwrap_or_default();
        let (file, rows) = DataFile::open(&first, delimiter, &known, watch.as_ref())?;
        if file.header.is_empty() {
            return Err(DataError::NoColumns { header: file.header_location() });
        }
        let name = file.name.display();
        let label = if rest.len() == 0 { name.to_string() } else { format!("{name} and {} more", rest.len()) };
        let (header, trimmed_header) = (file.header.clone(), file.trimmed_header());
        let first = file.name.clone();
        let reader = Self { label, first, file, rows, header, trimmed_header, rest, delimiter, known, watch };
        // An error in the header of a later file is reported before the first row is read. Standard input is read once.
        for path in reader.rest.as_slice().iter().filter(|path| !super::paths::is_standard_input(path)) {
            reader.open_next(path, None)?;
        }
        Ok(reader)
    }

    fn open_next(&self, path: &Path, watch: Option<&Watch>) -> Result<(DataFile, FileRows<Stream>), DataError> {
        let (file, rows) = DataFile::open(path, self.delimiter, &self.known, watch)?;
        same_header(file.header_location(), &file.trimmed_header(), &self.first, &self.trimmed_header)?;
        Ok((file, rows))
    }

    /// Continues with the next file; `false` after the last.
    ///
    /// # Errors
    /// See [`TableReader::open`].
    pub fn next_file(&mut self) -> Result<bool, DataError> {
        let Some(path) = self.rest.next() else { return Ok(false) };
        (self.file, self.rows) = self.open_next(&path, self.watch.as_ref())?;
        Ok(true)
    }

    /// Reads the next row of the current file; `false` after the last. Rows of CSV may be wider or narrower than the header.
    ///
    /// # Errors
    /// [`DataError`], after which no more rows can be read.
    pub fn next(&mut self, row: &mut Row) -> Result<bool, DataError> {
        self.rows.next(row)
    }

    /// The name of all files together in messages.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The current file as messages name it.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.file.name.display().to_string()
    }

    /// The current file, if it is a Parquet file.
    #[must_use]
    pub fn parquet_path(&self) -> Option<&Path> {
        matches!(self.file.format, Format::Parquet { .. }).then_some(&self.file.path)
    }

    /// The delimiter of the current file; for Parquet, of CSV that is written from it.
    #[must_use]
    pub fn delimiter(&self) -> u8 {
        match &self.file.format {
            Format::Csv(csv) => csv.delimiter,
            Format::Parquet { .. } => self.delimiter.unwrap_or(b','),
        }
    }

    /// The names of the columns as they are in the first file.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The header of the current file in messages.
    #[must_use]
    pub fn header_location(&self) -> Header {
        self.file.header_location()
    }

    /// Whether a column of this name exists.
    #[must_use]
    pub fn has_column(&self, name: &str) -> bool {
        self.trimmed_header.iter().any(|column| column == name)
    }

    /// The positions of these columns, for a model or an option. Spaces around the names in the header are ignored.
    ///
    /// # Errors
    /// [`DataError`] when a column does not exist or is not unique.
    pub fn find(&self, names: &[&str], needed_by: &str) -> Result<Vec<usize>, DataError> {
        let header = &self.trimmed_header;
        let missing: Vec<&str> = names.iter().copied().filter(|name| !self.has_column(name)).collect();
        if !missing.is_empty() {
            // The suggestion is a column that is not needed under its own name.
            let free = |column: &&String| !column.is_empty() && !names.contains(&column.as_str());
            let suggest = |name: &str| (name.to_owned(), nearest(header.iter().filter(free), name));
            return Err(DataError::NoSuchColumn {
                header: self.header_location(),
                needed_by: Some(needed_by.to_owned()),
                missing: missing.into_iter().map(suggest).collect(),
                columns: self.header.clone(),
            });
        }
        let position = |name: &&str| {
            let mut positions = header.iter().enumerate().filter(|(_, column)| column == name).map(|(at, _)| at);
            match (positions.next(), positions.next()) {
                (Some(position), None) => Ok(position),
                _ => Err(DataError::DuplicateColumn { header: self.header_location(), name: (*name).to_owned() }),
            }
        };
        names.iter().map(position).collect()
    }

    /// Checks that a model can use the values of a column of the current file.
    ///
    /// # Errors
    /// [`DataError::ColumnKind`].
    pub fn check_column(&self, position: usize) -> Result<(), DataError> {
        self.file.check_column(position, false)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use tempfile::tempdir;

    use super::*;
    use crate::RowNumber;

    fn read(text: impl AsRef<[u8]>) -> Result<Vec<(u64, Vec<String>)>, String> {
        let folder = tempdir().unwrap();
        let path = folder.path().join("data");
        fs::write(&path, text).unwrap();
        read_file(path).map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
    }

    fn read_file(path: PathBuf) -> Result<Vec<(u64, Vec<String>)>, DataError> {
        let mut reader = TableReader::open(vec![path], None, Vec::new(), None)?;
        let mut rows = vec![(1, reader.header().to_vec())];
        let mut row = Row::default();
        while reader.next(&mut row)? {
            let RowNumber::Line(line) = row.number() else { panic!("{row:?}") };
            rows.push((line, (0..row.width()).map(|field| row.text(field).into_owned()).collect()));
        }
        Ok(rows)
    }

    fn lines(text: &str) -> Vec<u64> {
        read(text).unwrap().into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn each_row_has_the_line_in_which_it_begins() {
        assert_eq!(lines("a,b\n1,2\n3,4\n"), [1, 2, 3]);
        assert_eq!(lines("a,b\r\n1,2\r\n3,4\r\n"), [1, 2, 3]);
        assert_eq!(lines("a,b\n1,2\n3,4"), [1, 2, 3]);
        // Blank lines are not rows, and a quoted field may contain line ends.
        assert_eq!(lines("a,b\n\n\n1,2\n\r\n3,4"), [1, 4, 6]);
        assert_eq!(lines("a,b\n1,\"x\ny\n\"\n3,4\n\"\n\",6\n7,8"), [1, 2, 5, 6, 8]);
        assert_eq!(lines("a,b\r\n1,\"x\r\ny\"\r\n3,4\r\n"), [1, 2, 4]);
        assert_eq!(lines("\n\n\"a\nb\",c\n1,2\n"), [1, 5]);
    }

    #[test]
    fn fields_are_unchanged_and_a_byte_order_mark_is_removed() {
        let fields = |text: &str| read(text).unwrap().into_iter().map(|(_, fields)| fields).collect::<Vec<_>>();
        assert_eq!(fields("\u{feff}a, b\n \"1 ,2\n\"1,\"\"\",\n"), [["a", " b"], [" \"1 ", "2"], ["1,\"", ""]]);
        assert_eq!(fields("\u{feff}\"a\n\",b\n1,2\n"), [["a\n", "b"], ["1", "2"]]);
        assert_eq!(fields("a\n\u{feff}1\n"), [["a"], ["\u{feff}1"]]);
    }

    #[test]
    fn errors_name_line_and_column() {
        let error = read(b"a,b\n1,2\n3,\xff\n").unwrap_err();
        assert!(error.starts_with("data: line 3, column \"b\": the text is not UTF-8"), "{error}");
        let error = read(b"a,\xff\n1,2\n").unwrap_err();
        assert!(error.starts_with("data: line 1: the text is not UTF-8"), "{error}");
        assert!(read("").unwrap_err().contains("the file is empty"));
        assert!(read("\n\n").unwrap_err().contains("the file is empty"));
        let error = read("a,\"b\n1,2\n").unwrap_err();
        assert!(error.starts_with("data: line 1: a quote opens here in the header"), "{error}");
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_memory() {
        let text = "a,b\n1,2\n3,\"4\n".to_owned() + &"5,6\n".repeat(5_000_000);
        assert!(read(text).unwrap_err().starts_with("data: line 3: the row that begins here is longer"));
    }

    #[test]
    fn the_delimiter_is_detected_from_the_header() {
        assert_eq!(read("\r\n\na;b\n1;2,3\n").unwrap()[1], (4, vec!["1".to_owned(), "2,3".to_owned()]));
    }

    #[test]
    fn rows_that_span_chunks_are_whole() {
        let rows: String = (0..100_000).map(|row| format!("{row},\"a\n{row}\"\n")).collect();
        let read = read(format!("x,y\n{rows}")).unwrap();
        assert_eq!(read.len(), 100_001);
        for (row, (line, fields)) in read.iter().skip(1).enumerate() {
            assert_eq!((*line, &fields[0], &fields[1]), (2 * row as u64 + 2, &row.to_string(), &format!("a\n{row}")));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = read(bytes);
        }

        #[test]
        fn lines_are_those_of_an_editor(fields in prop::collection::vec("[a-z]?(\n[a-z]){0,2}", 1..8), crlf: bool) {
            let end = if crlf { "\r\n" } else { "\n" };
            let (mut text, mut line, mut expected) = ("h,i".to_owned(), 2, vec![1]);
            for field in &fields {
                text.extend([end, "x,\"", field, "\""]);
                expected.push(line);
                line += 1 + field.matches('\n').count() as u64;
            }
            prop_assert_eq!(lines(&text), expected);
        }
    }
}
