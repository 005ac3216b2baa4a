//! The rows of a CSV file in blocks, which several threads can read at a time.

use std::io;
use std::path::PathBuf;
use std::vec;

use super::DataError;
use super::chunks::{Chunk, Chunks};
use super::csv::{Csv, CsvRows, Stream};
use super::data_file::{DataFile, FileRows};
use super::file_options::FileOptions;
use super::table_reader::TableReader;

/// The least bytes of a block, except for the last.
const BLOCK: usize = 1 << 20;

/// Some whole rows.
#[derive(Debug)]
pub struct RowBlock(Chunk);

/// The blocks of a file, one after the other.
#[allow(missing_debug_implementations, reason = "streams have no text")]
pub struct RowBlocks {
    name: PathBuf,
    /// Chunks that were read with the header.
    first: vec::IntoIter<Chunk>,
    chunks: Chunks<Stream>,
    /// An error after rows.
    error: Option<DataError>,
    /// The table of the rows.
    table: BlockTable,
}

/// The table that blocks belong to.
#[derive(Debug, Clone)]
pub struct BlockTable {
    csv: Csv,
    file: DataFile,
    options: FileOptions,
    known: Vec<String>,
}

impl RowBlocks {
    /// The rows of a file from the next on.
    pub(super) fn new(rows: CsvRows<Stream>, file: DataFile, options: FileOptions, known: Vec<String>) -> Self {
        let (csv, first, chunks) = rows.into_chunks();
        let name = file.name.clone();
        let table = BlockTable { csv, file, options, known };
        Self { name, first: first.into_iter(), chunks, error: None, table }
    }

    /// The table of the rows.
    #[must_use]
    pub fn table(&self) -> BlockTable {
        self.table.clone()
    }

    /// The next block; `None` after the last.
    ///
    /// # Errors
    /// [`DataError`], after the rows before it.
    pub fn next_block(&mut self) -> Result<Option<RowBlock>, DataError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let mut block: Option<Chunk> = None;
        while block.as_ref().is_none_or(|block| block.bytes.len() < BLOCK) {
            let chunk = match self.first.next() {
                None => self.chunks.next().map_err(|error| error.in_file(&self.name)),
                chunk => Ok(chunk),
            };
            match (chunk, &mut block) {
                (Ok(None), _) => break,
                (Ok(chunk), None) => block = chunk,
                (Ok(Some(chunk)), Some(block)) => block.bytes.extend_from_slice(&chunk.bytes),
                (Err(error), None) => return Err(error),
                (Err(error), Some(_)) => {
                    self.error = Some(error);
                    break;
                }
            }
        }
        Ok(block.map(RowBlock))
    }
}

impl BlockTable {
    /// A reader of the rows of a block.
    ///
    /// # Errors
    /// [`DataError`] for a table without columns.
    pub fn reader(&self, block: RowBlock) -> Result<TableReader, DataError> {
        let Self { csv, file, options, known } = self;
        let rest: Stream = Box::new(io::empty());
        let rows = CsvRows::with_chunk(*csv, &file.name, &file.names, block.0, rest);
        TableReader::of_one_file(file.clone(), FileRows::Csv(Box::new(rows)), options.clone(), known.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::io::{Cursor, Write as _};
    use std::path::Path;

    use super::*;
    use crate::{Row, RowNumber};

    type Rows = Vec<(RowNumber, Vec<String>)>;

    fn rows(reader: &mut TableReader) -> Result<Rows, DataError> {
        let (mut rows, mut row) = (Vec::new(), Row::default());
        while reader.next(&mut row)? {
            let fields = (0..row.width()).map(|field| row.text(field).into_owned()).collect();
            rows.push((row.number(), fields));
        }
        Ok(rows)
    }

    fn reader(text: &[u8]) -> TableReader {
        let stream = Box::new(Cursor::new(text.to_vec()));
        TableReader::from_stream(stream, Path::new("data"), FileOptions::default(), Vec::new()).unwrap()
    }

    fn text(count: usize, end: &str) -> String {
        let mut text = format!("{end}x,note{end}");
        for x in 0..count {
            match x % 5 {
                0 => write!(text, "{x},\"a{end}\"\"b\"{end}{end}"),
                1 => write!(text, "{x}{end}"),
                _ => write!(text, "{x},{}{end}", "é".repeat(x % 80)),
            }
            .unwrap();
        }
        text
    }

    #[test]
    fn blocks_have_the_rows_of_the_file_with_their_lines() {
        for end in ["\n", "\r\n"] {
            let text = text(60_000, end);
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(text.as_bytes()).unwrap();
            for file in [text.clone().into_bytes(), format!("\u{feff}{text}").into_bytes(), gzip.finish().unwrap()] {
                let whole = rows(&mut reader(&file)).unwrap();
                let mut blocks = reader(&file).into_blocks().unwrap();
                let (table, mut parts, mut count) = (blocks.table(), Vec::new(), 0);
                while let Some(block) = blocks.next_block().unwrap() {
                    parts.extend(rows(&mut table.reader(block).unwrap()).unwrap());
                    count += 1;
                }
                assert!(parts == whole && count > 2, "{count}");
            }
        }
    }

    #[test]
    fn an_error_follows_the_rows_before_it() {
        let text = format!("x\n{}\0\n", "1\n".repeat(1 << 18));
        let mut blocks = reader(text.as_bytes()).into_blocks().unwrap();
        let table = blocks.table();
        let mut found = 0;
        let error = loop {
            match blocks.next_block() {
                Ok(Some(block)) => found += rows(&mut table.reader(block).unwrap()).unwrap().len(),
                Ok(None) => panic!("no error"),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("line 262146"), "{error}");
        assert!(found > 100_000, "{found}");
        let long = format!("x\n{}\"{}", "1\n".repeat(1 << 20), "2\n".repeat(10 << 20));
        let mut blocks = reader(long.as_bytes()).into_blocks().unwrap();
        let mut count = 0;
        while let Ok(Some(_)) = blocks.next_block() {
            count += 1;
        }
        assert!(count >= 2);
    }
}
