//! CSV: a header line, rows that end with LF or CRLF, fields in quotes or not.

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use csv::{Position, ReaderBuilder, StringRecord};

use super::chunks::{Chunk, Chunks, line_ends};
use super::layout::Layout;
use super::row::RowNumber;
use super::{DataError, Location};

/// Bytes of a stream that are read at a time.
const STREAM_CHUNK: usize = 1 << 17;

/// How a file is written, and where its rows begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Csv {
    pub(super) delimiter: u8,
    /// The byte at which the header ends, and the line after it.
    pub(super) header_end: u64,
    pub(super) first_line: u64,
}

impl Csv {
    /// The records in some whole lines, which begin at this line of the file.
    pub(super) fn records<B: AsRef<[u8]>>(self, bytes: B, line: u64) -> Records<B> {
        // Records of any width are accepted, so that errors are worded in one place.
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(self.delimiter).buffer_capacity(1 << 16);
        // The reader removes a byte-order mark at its first byte, which is a character anywhere else in a file.
        let reader = builder.from_reader((&b"\n"[..]).chain(Cursor::new(bytes)));
        Records { reader, line, counted: 0 }
    }
}

/// Records, one after the other.
pub(super) struct Records<B> {
    reader: csv::Reader<io::Chain<&'static [u8], Cursor<B>>>,
    /// The line in which the byte at `counted` is.
    line: u64,
    counted: usize,
}

impl<B: AsRef<[u8]>> Records<B> {
    /// Reads the next record, and returns the line in which it begins.
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<Option<u64>, csv::Error> {
        if !self.reader.read_record(record)? {
            return Ok(None);
        }
        Ok(Some(self.line_at(record.position().map_or(0, Position::byte))))
    }

    /// The line of the record that the reader began to look for at this byte. Blank lines and the second half of a CRLF
    /// may come before the record.
    fn line_at(&mut self, byte: u64) -> u64 {
        let bytes = self.reader.get_ref().get_ref().1.get_ref().as_ref();
        // The line feed before the bytes is not part of the file.
        let from = usize::try_from(byte.saturating_sub(1)).unwrap_or(0);
        let blank = bytes.iter().skip(from).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.line += line_ends(bytes.get(self.counted..from + blank).unwrap_or_default());
        self.counted = from + blank;
        self.line
    }

    /// The number of bytes read so far.
    fn offset(&self) -> u64 {
        self.reader.position().byte().saturating_sub(1)
    }
}

/// The rows of a file below its header, one by one.
pub(super) struct CsvRows<R> {
    csv: Csv,
    name: PathBuf,
    header: Vec<String>,
    records: Option<Records<Vec<u8>>>,
    /// A chunk that was read ahead.
    next: Option<Chunk>,
    chunks: Chunks<R>,
}

impl<R: Read> CsvRows<R> {
    /// The rows of a file that is read from its first byte.
    pub(super) fn new(csv: Csv, name: &Path, header: &[String], mut file: R, size: usize) -> io::Result<Self> {
        io::copy(&mut file.by_ref().take(csv.header_end), &mut io::sink())?;
        let chunks = Chunks::new(file, csv.first_line, csv.delimiter, size);
        Ok(Self { csv, name: name.to_owned(), header: header.to_vec(), records: None, next: None, chunks })
    }

    /// Reads the next row, and returns its line.
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<Option<u64>, DataError> {
        loop {
            if let Some(records) = &mut self.records {
                match records.next(record) {
                    Ok(None) => {}
                    // Spaces alone are a blank line.
                    Ok(Some(_))
                        if record.len() == 1 && self.header.len() > 1 && record.as_slice().trim().is_empty() =>
                    {
                        continue;
                    }
                    Ok(line) => return Ok(line),
                    Err(error) => return Err(csv_error(error, records, &self.name, &self.header)),
                }
            }
            let chunk = match self.next.take() {
                None => self.chunks.next().map_err(|error| error.in_file(&self.name))?,
                next => next,
            };
            let Some(Chunk { line, bytes }) = chunk else { return Ok(None) };
            self.records = Some(self.csv.records(bytes, line));
        }
    }
}

impl CsvRows<io::Empty> {
    /// The rows of one chunk of a file.
    pub(super) fn of_chunk(csv: Csv, name: &Path, header: &[String], chunk: Chunk) -> Self {
        Self::with_chunk(csv, name, header, chunk, io::empty())
    }
}

impl<R: Read> CsvRows<R> {
    /// The rows of a chunk of a file, and of what follows it.
    pub(super) fn with_chunk(csv: Csv, name: &Path, header: &[String], chunk: Chunk, rest: R) -> Self {
        let chunks = Chunks::new(rest, chunk.line, csv.delimiter, 1);
        Self { csv, name: name.to_owned(), header: header.to_vec(), records: None, next: Some(chunk), chunks }
    }

    /// The rows that were not read yet: chunks that are in memory, and the others.
    pub(super) fn into_chunks(self) -> (Csv, Vec<Chunk>, Chunks<R>) {
        let begun = self.records.map(Records::into_rest);
        (self.csv, begun.into_iter().chain(self.next).collect(), self.chunks)
    }
}

/// A file of which only bytes in their order are known.
pub(super) type Stream = Box<dyn Read + Send>;

/// The beginning of a stream of CSV.
pub(super) struct Opened {
    pub(super) csv: Csv,
    /// The line of the header, if the file has one.
    pub(super) header_line: Option<u64>,
    pub(super) rows: CsvRows<Stream>,
}

/// Reads the header of a text.
pub(super) fn open(text: Stream, name: &Path, layout: &Layout) -> Result<Opened, DataError> {
    let delimiter = layout.filter.delimiter;
    let mut csv = Csv { delimiter, header_end: 0, first_line: 1 };
    let mut chunks = Chunks::new(text, 1, delimiter, STREAM_CHUNK).streaming();
    let mut header = StringRecord::new();
    loop {
        let Some(Chunk { line, bytes }) = chunks.next().map_err(|error| error.in_file(name))? else {
            return Err(DataError::Empty { path: name.to_owned() });
        };
        let length = bytes.len() as u64;
        let mut records = csv.records(bytes, line);
        let Some(line) = records.next(&mut header).map_err(|error| csv_error(error, &mut records, name, &[]))? else {
            // Blank lines.
            csv.header_end += length;
            continue;
        };
        csv.header_end += records.offset();
        csv.first_line = records.line_after();
        let header = header.iter().map(str::to_owned).collect();
        let rows = CsvRows { csv, name: name.to_owned(), header, records: Some(records), next: None, chunks };
        return Ok(Opened { csv, header_line: Some(line), rows });
    }
}

/// The same for a text without a header.
pub(super) fn open_without_header(text: Stream, name: &Path, layout: &Layout) -> Opened {
    let delimiter = layout.filter.delimiter;
    let csv = Csv { delimiter, header_end: 0, first_line: 1 };
    let chunks = Chunks::new(text, 1, delimiter, STREAM_CHUNK).streaming();
    let rows = CsvRows { csv, name: name.to_owned(), header: Vec::new(), records: None, next: None, chunks };
    Opened { csv, header_line: None, rows }
}

impl<R> CsvRows<R> {
    /// The names of the columns as they are in the file.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Gives the columns other names, for messages.
    pub(super) fn set_header(&mut self, header: &[String]) {
        self.header = header.to_vec();
    }
}

impl Records<Vec<u8>> {
    /// The bytes that were not read yet.
    fn into_rest(self) -> Chunk {
        let (line, offset) = (self.line_after(), usize::try_from(self.offset()).unwrap_or(usize::MAX));
        let mut bytes = self.reader.into_inner().into_inner().1.into_inner();
        Chunk { line, bytes: bytes.split_off(offset.min(bytes.len())) }
    }
}

impl<B: AsRef<[u8]>> Records<B> {
    /// The line of the next byte.
    fn line_after(&self) -> u64 {
        let bytes = self.reader.get_ref().get_ref().1.get_ref().as_ref();
        let offset = usize::try_from(self.offset()).unwrap_or(usize::MAX).min(bytes.len());
        self.line + line_ends(bytes.get(self.counted..offset).unwrap_or_default())
    }
}

fn csv_error<B: AsRef<[u8]>>(error: csv::Error, records: &mut Records<B>, name: &Path, header: &[String]) -> DataError {
    let path = name.to_owned();
    match error.into_kind() {
        csv::ErrorKind::Utf8 { pos, err } => {
            let row = RowNumber::Line(records.line_at(pos.as_ref().map_or(0, Position::byte)));
            let column = header.get(err.field()).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            DataError::NotUtf8 { location: Location { path, row }, column }
        }
        csv::ErrorKind::Io(source) => DataError::unreadable(name, source),
        other => DataError::Unreadable { path, source: io::Error::other(format!("{other:?}")) },
    }
}
