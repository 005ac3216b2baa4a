//! The one pass over the files: what every column holds, and every row into the temporary file that further passes read.

use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::block::{Block, BlockReader};
use super::chunks::{Chunk, Chunks};
use super::column::Column;
use super::csv::Csv;
use super::source::{CHUNK, Format, Hashed, Part, Place, Record, Scan, Source, unreadable};
use super::spool::{Filling, Spool};
use super::{DataError, parquet};
use crate::parallel;
use crate::parallel::in_order;
use ordinate_model::identity::Checksum;

/// How the files are read. What comes out of it does not depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Threads that read rows.
    pub threads: usize,
    /// Bytes of a CSV file that are read together.
    pub chunk: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { threads: parallel::available_threads(), chunk: CHUNK }
    }
}

/// What is known after the rows so far.
struct Survey<'s> {
    source: &'s Source,
    columns: &'s mut [Column],
    filling: Filling,
    rows: u64,
    /// What is kept of a row.
    row: Vec<f64>,
}

/// Reads all rows into the columns, and keeps what they hold.
///
/// # Errors
/// [`DataError`] at the first fault.
pub fn survey(source: &Source, columns: &mut [Column], pace: Pace) -> Result<(Scan, Spool), DataError> {
    let mut digest = Sha256::new();
    let filling = Filling::new(columns.len());
    let mut survey = Survey { source, columns, filling, rows: 0, row: Vec::new() };
    for (number, part) in source.parts.iter().enumerate() {
        let failed = |source| unreadable(&part.shown, source);
        let file = File::open(&part.path).map_err(failed)?;
        let mut hashed = Hashed { inner: file, digest: &mut digest, watch: source.watch.as_ref() };
        match part.format {
            Format::Csv(csv) => survey.csv(csv, part, number, hashed, pace)?,
            Format::Parquet => {
                io::copy(&mut hashed, &mut io::sink()).map_err(failed)?;
                parquet::scan(part, number, &source.names, &mut |record| survey.record(record))?;
            }
        }
    }
    if survey.rows == 0 {
        return Err(DataError::HeaderOnly { path: source.first().to_owned() });
    }
    let scan = Scan { rows: survey.rows, sha256: Checksum::from_digest(digest.finalize().as_ref()) };
    Ok((scan, survey.filling.finish()?))
}

impl Survey<'_> {
    fn csv(&mut self, csv: Csv, part: &Part, number: usize, mut file: Hashed<'_>, pace: Pace) -> Result<(), DataError> {
        let failed = |source| unreadable(&part.shown, source);
        io::copy(&mut file.by_ref().take(csv.header_end), &mut io::sink()).map_err(failed)?;
        let mut chunks = Chunks::new(file, csv.header_end, csv.delimiter, pace.chunk);
        let declared: Vec<_> = self.columns.iter().map(|column| column.declared.clone()).collect();
        let reader = BlockReader::new(csv, self.source.header.len(), &self.source.places, declared);
        in_order(
            pace.threads,
            || chunks.next().map_err(|fault| fault.of(part)),
            |chunk| (reader.read(&chunk.bytes, chunk.at), chunk),
            |(block, chunk)| self.block(block, &chunk, csv, part, number),
        )
    }

    /// Takes rows together where nothing can be wrong with them; otherwise one by one, to find what is.
    fn block(
        &mut self,
        block: Option<Block>,
        chunk: &Chunk,
        csv: Csv,
        part: &Part,
        number: usize,
    ) -> Result<(), DataError> {
        let suits = |block: &Block| self.columns.iter().zip(&block.columns).all(|(column, cells)| column.suits(cells));
        let Some(Block { rows, mut values, columns }) = block.filter(suits) else {
            let source = self.source;
            return csv.scan(part, number, (&source.header, &source.places), chunk, &mut |record| self.record(record));
        };
        let width = self.columns.len();
        for (place, (column, cells)) in self.columns.iter_mut().zip(columns).enumerate() {
            let values = values.iter_mut().skip(place).step_by(width);
            column.take(cells, values, |at| Place { part: number, at });
        }
        self.rows += rows;
        Ok(self.filling.push(&values)?)
    }

    fn record(&mut self, record: &dyn Record) -> Result<(), DataError> {
        self.row.clear();
        for (place, column) in self.columns.iter_mut().enumerate() {
            self.row.push(column.push(record.cell(place), record.place(), self.source)?);
        }
        self.rows += 1;
        Ok(self.filling.push(&self.row)?)
    }
}
