//! A pass over the files: the contents of each column, and every row into the temporary file that later passes read.

use std::io;
use std::io::Read as _;

use sha2::{Digest, Sha256};

use super::DataError;
use super::block::{Block, BlockReader};
use super::chunks::{Chunk, Chunks};
use super::contents::{Contents, Reader};
use super::csv::{Csv, CsvRows};
use super::data_file::{DataFile, FileRows, Format};
use super::progress::Hashed;
use super::source::{CHUNK, Record, Scan, Source};
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
    readers: &'s [Reader],
    columns: Vec<Contents>,
    filling: Filling,
    rows: u64,
    /// The encoded values of a row.
    row: Vec<f64>,
}

/// Reads all rows: the contents of each column, and the values as [`Stored`](super::contents::Stored), row by row.
///
/// # Errors
/// [`DataError`] when the files cannot be read or have no rows.
pub fn survey(source: &Source, readers: &[Reader], pace: Pace) -> Result<(Scan, Spool, Vec<Contents>), DataError> {
    source.begin_pass();
    let mut digest = Sha256::new();
    let filling = Filling::new(readers.len());
    let columns = readers.iter().map(|_| Contents::new(readers.len())).collect();
    let mut survey = Survey { source, readers, columns, filling, rows: 0, row: Vec::new() };
    for (number, file) in source.files.iter().enumerate() {
        let mut hashed = file.hashed(&mut digest, source.watch.as_ref())?;
        if let Format::Csv(csv) = file.format {
            survey.csv(csv, file, number, hashed, pace)?;
        } else {
            io::copy(&mut hashed, &mut io::sink()).map_err(|source| DataError::unreadable(&file.name, source))?;
            source.each_parquet_row(number, &mut |record| survey.record(record))?;
        }
    }
    source.end_of_pass(survey.rows)?;
    if survey.rows == 0 {
        return Err(DataError::HeaderOnly { path: source.first().to_owned() });
    }
    let scan = Scan { rows: survey.rows, sha256: Checksum::from_digest(digest.finalize().as_ref()) };
    Ok((scan, survey.filling.finish()?, survey.columns))
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
        let unreadable = |source| DataError::unreadable(&file.name, source);
        let mut text = file.text(&mut hashed)?;
        io::copy(&mut text.by_ref().take(csv.header_end), &mut io::sink()).map_err(unreadable)?;
        let mut chunks = Chunks::new(text, csv.first_line, csv.delimiter, pace.chunk);
        let reader = BlockReader::new(csv, file.names.len(), &self.source.positions_in(file), self.readers.to_vec());
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

    /// Adds rows that were parsed together; otherwise one by one, to find the row that cannot be read.
    fn block(
        &mut self,
        block: Option<Block>,
        chunk: Chunk,
        csv: Csv,
        file: &DataFile,
        number: usize,
    ) -> Result<(), DataError> {
        let Some(Block { rows, mut values, columns }) = block else {
            let rows = FileRows::Csv(Box::new(CsvRows::of_chunk(csv, &file.name, &file.names, chunk)));
            let source = self.source;
            return source.each_row(number, rows, &mut |record| self.record(record));
        };
        let width = self.columns.len();
        for (position, (column, contents)) in self.columns.iter_mut().zip(columns).enumerate() {
            column.merge(contents, values.iter_mut().skip(position).step_by(width));
        }
        self.rows += rows;
        Ok(self.filling.push(&values)?)
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), DataError> {
        self.row.clear();
        for (position, (column, reader)) in self.columns.iter_mut().zip(self.readers).enumerate() {
            self.row.push(column.push(record.typed_cell(position), reader).to_f64());
        }
        self.rows += 1;
        Ok(self.filling.push(&self.row)?)
    }
}
