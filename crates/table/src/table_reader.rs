//! Files that are read once, row by row, in bounded memory.

use std::fmt;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::vec;

use super::csv::Stream;
use super::data_file::{DataFile, FileRows, Format};
use super::file_options::FileOptions;
use super::row::Row;
use super::row_blocks::RowBlocks;
use super::{DataError, Header, Watch};
use ordinate_model::suggestion::most_similar;

/// Files, each with the header of the first, that are read as one table.
pub struct TableReader {
    label: String,
    /// The name of the first file.
    first: PathBuf,
    file: DataFile,
    rows: FileRows<Stream>,
    header: Vec<String>,
    names: Vec<String>,
    /// The files still to be read.
    rest: vec::IntoIter<PathBuf>,
    options: FileOptions,
    known: Vec<String>,
    watch: Option<Watch>,
}

impl fmt::Debug for TableReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TableReader").field("label", &self.label).finish_non_exhaustive()
    }
}

impl TableReader {
    /// Opens files, or standard input for `-`, and reads their headers. How text is read is detected in each file unless an
    /// option says it; the header should have the columns `known`.
    ///
    /// # Errors
    /// [`DataError`] when a file cannot be read or has other columns than the first.
    pub fn open(
        files: Vec<PathBuf>,
        options: FileOptions,
        known: Vec<String>,
        watch: Option<Watch>,
    ) -> Result<Self, DataError> {
        let mut rest = files.into_iter();
        let first = rest.next().unwrap_or_default();
        let (file, rows) = DataFile::open(&first, &options, &known, watch.as_ref())?;
        if file.header.is_empty() {
            return Err(DataError::NoColumns { header: file.header_location() });
        }
        let name = file.name.display();
        let label = if rest.len() == 0 { name.to_string() } else { format!("{name} and {} more", rest.len()) };
        let (header, names) = (file.header.clone(), file.names.clone());
        let first = file.name.clone();
        let reader = Self { label, first, file, rows, header, names, rest, options, known, watch };
        // An error in the header of a later file is reported before the first row is read. Standard input is read once.
        for path in reader.rest.as_slice().iter().filter(|path| !super::paths::is_standard_input(path)) {
            reader.open_next(path, None)?;
        }
        Ok(reader)
    }

    /// Opens one file that has another name in messages.
    ///
    /// # Errors
    /// See [`TableReader::open`].
    pub fn open_as(
        path: &Path,
        name: &Path,
        options: FileOptions,
        known: Vec<String>,
        watch: Option<&Watch>,
    ) -> Result<Self, DataError> {
        let (file, rows) = DataFile::open_as(path, name, &options, &known, watch)?;
        Self::of_one_file(file, rows, options, known)
    }

    /// Opens CSV that is read as a stream, with this name in messages. How text is read is detected in its first megabyte
    /// unless an option says it.
    ///
    /// # Errors
    /// [`DataError`] when the header cannot be read.
    pub fn from_stream(
        stream: Box<dyn Read + Send>,
        name: &Path,
        options: FileOptions,
        known: Vec<String>,
    ) -> Result<Self, DataError> {
        let (file, rows) = DataFile::from_stream(stream, name, &options, &known)?;
        Self::of_one_file(file, rows, options, known)
    }

    /// Opens a part of a CSV file that begins at a [`crate::Cut`]. `beginning` is the first megabyte of the file or more,
    /// with its header, in which the format is detected.
    ///
    /// # Errors
    /// [`DataError`] when the header cannot be read.
    pub fn from_part(
        beginning: Vec<u8>,
        part: Box<dyn Read + Send>,
        line: u64,
        name: &Path,
        options: FileOptions,
        known: Vec<String>,
    ) -> Result<Self, DataError> {
        let (file, _) = DataFile::from_stream(Box::new(Cursor::new(beginning)), name, &options, &known)?;
        let rows = file.rows_of_part(part, line)?;
        Self::of_one_file(file, rows, options, known)
    }

    pub(super) fn of_one_file(
        file: DataFile,
        rows: FileRows<Stream>,
        options: FileOptions,
        known: Vec<String>,
    ) -> Result<Self, DataError> {
        if file.header.is_empty() {
            return Err(DataError::NoColumns { header: file.header_location() });
        }
        let (label, first) = (file.name.display().to_string(), file.name.clone());
        let (header, names) = (file.header.clone(), file.names.clone());
        let rest = Vec::new().into_iter();
        Ok(Self { label, first, file, rows, header, names, rest, options, known, watch: None })
    }

    fn open_next(&self, path: &Path, watch: Option<&Watch>) -> Result<(DataFile, FileRows<Stream>), DataError> {
        let (mut file, rows) = DataFile::open(path, &self.options, &self.known, watch)?;
        file.match_columns(&self.first, &self.names)?;
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
        row.order.clone_from(&self.file.order);
        self.rows.next(row)
    }

    /// The rows that were not read yet, in blocks for several threads; the reader itself if they cannot be split, since they
    /// are those of Parquet or of several files.
    ///
    /// # Errors
    /// The reader.
    pub fn into_blocks(self) -> Result<RowBlocks, Box<Self>> {
        if self.rest.len() > 0 {
            return Err(Box::new(self));
        }
        match self.rows {
            FileRows::Csv(rows) => Ok(RowBlocks::new(*rows, self.file, self.options, self.known)),
            rows @ FileRows::Parquet(_) => Err(Box::new(Self { rows, ..self })),
        }
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
            Format::Parquet { .. } => self.options.delimiter.unwrap_or(b','),
        }
    }

    /// The names of the columns as they are in the first file.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The names of the columns, which are all different: see [`ordinate_model::header::column_names`].
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The header of the current file in messages.
    #[must_use]
    pub fn header_location(&self) -> Header {
        self.file.header_location()
    }

    /// Whether a column of this name exists.
    #[must_use]
    pub fn has_column(&self, name: &str) -> bool {
        self.names.iter().any(|column| column == name)
    }

    /// The positions of these columns, for a model or an option. Spaces around the names in the header are ignored.
    ///
    /// # Errors
    /// [`DataError`] when a column does not exist.
    pub fn find(&self, names: &[&str], needed_by: &str) -> Result<Vec<usize>, DataError> {
        let header = &self.names;
        let missing: Vec<&str> = names.iter().copied().filter(|name| !self.has_column(name)).collect();
        if !missing.is_empty() {
            // The suggestion is a column that is not needed under its own name.
            let free = |column: &&String| !column.is_empty() && !names.contains(&column.as_str());
            let suggest =
                |name: &str| (name.to_owned(), most_similar(name, header.iter().filter(free)).map(str::to_owned));
            return Err(DataError::NoSuchColumn {
                header: self.header_location(),
                needed_by: Some(needed_by.to_owned()),
                missing: missing.into_iter().map(suggest).collect(),
                columns: self.names.clone(),
            });
        }
        let position = |name: &&str| header.iter().position(|column| column == name);
        Ok(names.iter().filter_map(position).collect())
    }

    /// Checks that no other column has the name of one of these, which are needed. Further columns of a name that are
    /// known by the names that they have in [`TableReader::names`] are no others.
    ///
    /// # Errors
    /// [`DataError::RepeatedColumn`].
    pub fn check_once(
        &self,
        needed: &[&str],
        needed_by: &str,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<(), DataError> {
        let renamed = self.header.iter().map(|name| name.trim()).zip(&self.names).filter(|(given, name)| given != name);
        let repeated = renamed.into_iter().find(|(given, name)| needed.contains(given) && !is_known(name));
        repeated.map_or(Ok(()), |(given, _)| {
            Err(DataError::RepeatedColumn {
                header: self.header_location(),
                column: given.to_owned(),
                needed_by: needed_by.to_owned(),
            })
        })
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
    use std::fmt::Write as _;
    use std::fs;

    use proptest::prelude::*;
    use tempfile::tempdir;

    use super::*;
    use crate::{Encoding, HeaderOption, RowNumber};

    fn read(text: impl AsRef<[u8]>) -> Result<Vec<(u64, Vec<String>)>, String> {
        read_with(text, &FileOptions::default())
    }

    fn read_with(text: impl AsRef<[u8]>, options: &FileOptions) -> Result<Vec<(u64, Vec<String>)>, String> {
        let folder = tempdir().unwrap();
        let path = folder.path().join("data");
        fs::write(&path, text).unwrap();
        read_file(path, options)
            .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
    }

    fn read_file(path: PathBuf, options: &FileOptions) -> Result<Vec<(u64, Vec<String>)>, DataError> {
        let mut reader = TableReader::open(vec![path], options.clone(), Vec::new(), None)?;
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
        let utf_8 = FileOptions { encoding: Some(Encoding::UTF_8), ..FileOptions::default() };
        let error = read_with(b"a,b\n1,2\n3,\xff\n", &utf_8).unwrap_err();
        assert!(error.starts_with("data: line 3, column \"b\": the text is not UTF-8"), "{error}");
        let error = read_with(b"a,\xff\n1,2\n", &utf_8).unwrap_err();
        assert!(error.starts_with("data: line 1: the text is not UTF-8"), "{error}");
        let zero = format!("a,b\n{}3,\0\n", "1,2\n".repeat(2000));
        assert!(read(zero).unwrap_err().starts_with("data: line 2002: the line has a zero byte"));
        assert!(read("").unwrap_err().contains("the file is empty"));
        assert!(read("\n\n").unwrap_err().contains("the file is empty"));
        let error = read("a,\"b\n1,2\n").unwrap_err();
        assert!(error.starts_with("data: line 1: a quote opens here and is never closed"), "{error}");
        let error = read("a,b\n1,\"c\n2,d\n").unwrap_err();
        assert_eq!(error, "data: line 2: a quote opens here and is never closed\nhelp: close it or remove it");
        let error = read("# a\na,b,\n1,\"c,\n2,d,\n3,\"e\",\n").unwrap_err();
        assert!(
            error.starts_with("data: line 3: a quote opens here and is closed in line 5, within a field\n"),
            "{error}"
        );
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
    fn a_file_is_read_as_it_was_written() {
        let fields = |text: &[u8], options: &FileOptions| {
            read_with(text, options).unwrap().into_iter().map(|(_, fields)| fields.join("|")).collect::<Vec<_>>()
        };
        let detected = |text: &[u8]| fields(text, &FileOptions::default());
        assert_eq!(detected(b"\"x\" \"y\"\n\"1\" 1 2.5\n\"2\" NA \"a b\"\n"), ["|x|y", "1|1|2.5", "2|NA|a b"]);
        assert_eq!(detected(b"x,y,\n1,2,\n3,4,\n\x1a"), ["x|y", "1|2", "3|4"]);
        assert_eq!(detected(b"# a\nx,y\n1,2\n# b\n3,4\n   \n"), ["x|y", "1|2", "3|4"]);
        assert_eq!(detected(b"prix;y\n1 \x80;2\n"), ["prix|y", "1 €|2"]);
        let utf_16: Vec<u8> = "\u{feff}x\ty\r\nä\t2\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(detected(&utf_16), ["x|y", "ä|2"]);
        let none = FileOptions { header: Some(HeaderOption::Numbered), ..FileOptions::default() };
        assert_eq!(fields(b"1;2\n3;4\n", &none), ["column_1|column_2", "1|2", "3|4"]);
        let header = HeaderOption::parse("a,b").unwrap();
        let skip = FileOptions { header: Some(header), skip_lines: Some(1), ..FileOptions::default() };
        assert_eq!(fields(b"x,y\n1,2\n", &skip), ["a|b", "1|2"]);
        let comment = FileOptions { comment: Some("!".to_owned()), ..FileOptions::default() };
        assert_eq!(fields(b"x,y\n!1,2\n3,4\n", &comment), ["x|y", "3|4"]);
    }

    #[test]
    fn rows_that_span_chunks_are_whole() {
        let mut text = "x,y\n".to_owned();
        (0..100_000).for_each(|row| writeln!(text, "{row},\"a\n{row}\"").unwrap());
        let read = read(text).unwrap();
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
