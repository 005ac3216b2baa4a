//! A table with the rows of another one and the added columns.

use std::io::{self, Write};

use crate::columns::{Columns, OutputColumn, output_values};
use crate::csv_output::CsvOutput;
use crate::failure::Failure;
use crate::parquet_output::ParquetOutput;
use crate::scoring::Batch;
use crate::skipped::RowError;
use ordinate_table::{Row, TableReader};

/// The format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// CSV with the delimiter of the input.
    Csv,
    /// Parquet.
    Parquet,
}

/// The table that is written.
#[derive(Debug)]
pub enum TableOutput<W: Write + Send> {
    /// As CSV.
    Csv(Box<CsvOutput<W>>),
    /// As Parquet.
    Parquet(Box<ParquetOutput<W>>),
}

impl<W: Write + Send> TableOutput<W> {
    /// Begins a table for the columns of a reader and the added columns.
    ///
    /// # Errors
    /// [`Failure`] of the target or of the file that is read.
    pub fn new(target: W, format: TableFormat, reader: &TableReader, added: &[OutputColumn]) -> Result<Self, Failure> {
        Ok(match format {
            TableFormat::Csv => Self::Csv(Box::new(CsvOutput::new(target, reader, added)?)),
            TableFormat::Parquet => Self::Parquet(Box::new(ParquetOutput::new(target, reader, added)?)),
        })
    }

    /// Continues a table of CSV, whose header is written.
    pub fn continued(target: W, reader: &TableReader, added: &[OutputColumn]) -> Self {
        Self::Csv(Box::new(CsvOutput::continued(target, reader, added)))
    }

    /// Writes the rows of a batch with their predictions. `rejected` gets the rows that cannot be predicted, each with
    /// the name of its file, and returns whether they are kept without a prediction.
    ///
    /// # Errors
    /// [`Failure`] of the target, of the file that is read, or of `rejected`.
    pub fn write(
        &mut self,
        columns: &Columns,
        batch: &Batch<'_>,
        mut rejected: impl FnMut(&str, &Row, &RowError) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let Batch { reader, rows, errors, answer, .. } = batch;
        let mut answered = answer.iter().flat_map(|answer| output_values(columns, answer));
        for (row, error) in rows.iter().zip(errors) {
            let (values, keep) = match error {
                Some(error) => (None, rejected(&reader.file_name(), row, error)?),
                None => (answered.next(), true),
            };
            match self {
                Self::Csv(_) if !keep => {}
                Self::Csv(output) => output.push(row, values)?,
                Self::Parquet(output) => output.push(reader, row, values, keep)?,
            }
        }
        Ok(())
    }

    /// Writes the rows of CSV so far.
    ///
    /// # Errors
    /// Those of the target.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Csv(output) => output.flush(),
            Self::Parquet(_) => Ok(()),
        }
    }

    /// Writes the rest of the table, and returns the target.
    ///
    /// # Errors
    /// [`Failure`] of the target or of the file that is read.
    pub fn finish(self) -> Result<W, Failure> {
        match self {
            Self::Csv(output) => Ok(output.finish()?),
            Self::Parquet(output) => output.finish(),
        }
    }
}
