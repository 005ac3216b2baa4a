//! The single pass over the files: statistics of each column, and every row into the temporary file that later passes read.

use std::io;
use std::io::Read as _;

use sha2::{Digest, Sha256};

use super::DataError;
use super::block::{Block, BlockReader};
use super::chunks::{Chunk, Chunks};
use super::column::Column;
use super::csv::{Csv, CsvRows};
use super::data_file::{DataFile, FileRows, Format};
use super::row::RowNumber;
use super::source::{CHUNK, Hashed, Record, RowId, Scan, Source, unreadable};
use super::spool::{Filling, Spool};
use crate::parallel;
use crate::parallel::in_order;
use ordinate_model::identity::Checksum;

/// How files are read. The result does not depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Threads that parse rows.
    pub threads: usize,
    /// Bytes of a CSV file that are parsed together.
    pub chunk: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { threads: parallel::available_threads(), chunk: CHUNK }
    }
}

/// The result of the rows so far.
struct Survey<'s> {
    source: &'s Source,
    columns: &'s mut [Column],
    filling: Filling,
    rows: u64,
    /// The encoded values of a row.
    row: Vec<f64>,
}

/// Reads all rows into the columns, and encodes them into a temporary file.
///
/// # Errors
/// [`DataError`] at the first error.
pub fn survey(source: &Source, columns: &mut [Column], pace: Pace) -> Result<(Scan, Spool), DataError> {
    let mut digest = Sha256::new();
    let filling = Filling::new(columns.len());
    let mut survey = Survey { source, columns, filling, rows: 0, row: Vec::new() };
    for (number, file) in source.files.iter().enumerate() {
        let mut hashed = file.hashed(&mut digest, source.watch.as_ref())?;
        if let Format::Csv(csv) = file.format {
            survey.csv(csv, file, number, hashed, pace)?;
        } else {
            io::copy(&mut hashed, &mut io::sink()).map_err(|source| unreadable(&file.name, source))?;
            source.each_parquet_row(number, &mut |record| survey.record(record))?;
        }
    }
    source.end_of_pass(survey.rows)?;
    if survey.rows == 0 {
        return Err(DataError::HeaderOnly { path: source.first().to_owned() });
    }
    let scan = Scan { rows: survey.rows, sha256: Checksum::from_digest(digest.finalize().as_ref()) };
    Ok((scan, survey.filling.finish()?))
}

impl Survey<'_> {
    fn csv(
        &mut self,
        csv: Csv,
        file: &DataFile,
        number: usize,
        mut hashed: Hashed<'_>,
        pace: Pace,
    ) -> Result<(), DataError> {
        let unreadable = |source| unreadable(&file.name, source);
        let mut text = file.text(&mut hashed)?;
        io::copy(&mut text.by_ref().take(csv.header_end), &mut io::sink()).map_err(unreadable)?;
        let mut chunks = Chunks::new(text, csv.first_line, csv.delimiter, pace.chunk);
        let declared: Vec<_> = self.columns.iter().map(|column| column.declared.clone()).collect();
        let reader = BlockReader::new(csv, file.names.len(), &self.source.positions_in(file), declared);
        in_order(
            pace.threads,
            || chunks.next().map_err(|error| error.in_file(&file.name)),
            |chunk| (reader.read(&chunk), chunk),
            |(block, chunk)| self.block(block, chunk, csv, file, number),
        )?;
        drop(chunks);
        // The checksum is of the whole file, even if its compressed content ends earlier.
        io::copy(&mut hashed, &mut io::sink()).map_err(unreadable)?;
        Ok(())
    }

    /// Adds rows together if none of them can be wrong; otherwise one by one, to find the first error.
    fn block(
        &mut self,
        block: Option<Block>,
        chunk: Chunk,
        csv: Csv,
        file: &DataFile,
        number: usize,
    ) -> Result<(), DataError> {
        let suits = |block: &Block| self.columns.iter().zip(&block.columns).all(|(column, cells)| column.suits(cells));
        let Some(Block { rows, mut values, columns }) = block.filter(suits) else {
            let rows = FileRows::Csv(Box::new(CsvRows::of_chunk(csv, &file.name, &file.names, chunk)));
            let source = self.source;
            return source.each_row(number, rows, &mut |record| self.record(record));
        };
        let width = self.columns.len();
        for (position, (column, cells)) in self.columns.iter_mut().zip(columns).enumerate() {
            let values = values.iter_mut().skip(position).step_by(width);
            column.take(cells, values, |line| RowId { file: number, row: RowNumber::Line(line) });
        }
        self.rows += rows;
        Ok(self.filling.push(&values)?)
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), DataError> {
        self.row.clear();
        for (position, column) in self.columns.iter_mut().enumerate() {
            self.row.push(column.push(record.typed_cell(position), record.id(), self.source)?);
        }
        self.rows += 1;
        Ok(self.filling.push(&self.row)?)
    }
}
