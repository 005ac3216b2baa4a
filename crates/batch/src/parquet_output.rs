//! Parquet output: input columns of Parquet are copied with their types, fields of CSV are text. The added values of
//! one row group are in memory at a time; the columns of a row group of the input of which all rows are kept are copied
//! without decoding them.

mod arrow_schema;
mod input_columns;
mod input_file;
mod values;

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use crate::columns::OutputColumn;
use crate::failure::Failure;
use crate::scoring::ScoringError;
use input_columns::ParquetInput;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::FeatureType;
use ordinate_table::{Row, TableReader};
use values::Values;

/// The most rows of a row group of CSV, and of a part of a larger row group of the input. Other row groups of the input
/// keep their rows, because their columns are copied in pieces.
const GROUP_ROWS: usize = 1 << 16;

/// Bytes after which a row group is full with fewer rows.
const GROUP_BYTES: usize = 16 << 20;

/// Bytes of an added value, and of a field in addition to its text.
const VALUE_BYTES: usize = size_of::<f64>() + size_of::<i16>();
const FIELD_BYTES: usize = 2 * size_of::<ByteArray>() + size_of::<i16>();

/// A Parquet file that is written.
pub struct ParquetOutput<W: Write + Send> {
    file: SerializedFileWriter<W>,
    input: InputColumns,
    added: Vec<Values>,
    /// Bytes of their text.
    added_bytes: usize,
    /// The most rows of a row group whose added values fit in [`GROUP_BYTES`].
    group_rows: usize,
    /// Whether each row since the last row group is kept.
    keep: Vec<bool>,
}

/// The columns of the input.
enum InputColumns {
    Csv { columns: Vec<Values>, bytes: usize },
    Parquet(ParquetInput),
}

impl<W: Write + Send> fmt::Debug for ParquetOutput<W> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ParquetOutput").finish_non_exhaustive()
    }
}

impl<W: Write + Send> ParquetOutput<W> {
    /// Begins a file for the columns of the reader.
    ///
    /// # Errors
    /// [`Failure`] of the target or of the file that is read.
    pub fn new(file: W, reader: &TableReader, added: &[OutputColumn]) -> Result<Self, Failure> {
        let mut metadata = Vec::new();
        let (mut fields, input) = if let Some(path) = reader.parquet_path() {
            let input = ParquetInput::open(path)?;
            // They are copied with their names.
            let names: Vec<&str> = input.fields().iter().map(|field| field.name()).collect();
            reader.check_once(&names, "Parquet", |_| false)?;
            metadata = input.metadata(added);
            (input.fields().to_vec(), InputColumns::Parquet(input))
        } else {
            let names = reader.names();
            let columns = names.iter().map(|_| Values::new(FeatureType::String)).collect();
            let fields = names.iter().map(|name| values::field(name, FeatureType::String));
            (fields.collect::<Result<_, _>>().map_err(unwritable)?, InputColumns::Csv { columns, bytes: 0 })
        };
        for column in added {
            fields.push(values::field(&column.name, column.kind).map_err(unwritable)?);
        }
        let schema: TypePtr =
            Type::group_type_builder("schema").with_fields(fields).build().map_err(unwritable)?.into();
        let mut properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
        if !metadata.is_empty() {
            properties = properties.set_key_value_metadata(Some(metadata));
        }
        if matches!(input, InputColumns::Parquet(_)) {
            // Columns that are copied as they are have no index of their pages, and the writer needs that of all or of
            // none.
            properties = properties.set_statistics_enabled(EnabledStatistics::Chunk).set_offset_index_disabled(true);
        }
        let file = SerializedFileWriter::new(file, schema, Arc::new(properties.build())).map_err(unwritable)?;
        let added: Vec<Values> = added.iter().map(|column| Values::new(column.kind)).collect();
        let group_rows = GROUP_BYTES / (VALUE_BYTES * added.len().max(1));
        Ok(Self { file, input, added, added_bytes: 0, group_rows, keep: Vec::new() })
    }

    /// Adds a row with the values of the added columns; it is written only if it is kept.
    ///
    /// # Errors
    /// [`Failure`] of the target or of the file that is read.
    pub fn push(
        &mut self,
        reader: &TableReader,
        row: &Row,
        values: Option<Vec<Scalar>>,
        keep: bool,
    ) -> Result<(), Failure> {
        let room = match (&mut self.input, reader.parquet_path()) {
            (InputColumns::Parquet(input), Some(path)) => {
                if input.path() != path {
                    let next = ParquetInput::open(path)?;
                    if next.fields() != input.fields() {
                        return Err(other_types(reader));
                    }
                    *input = next;
                }
                let left = input.rows_left()?;
                if left <= self.group_rows { left } else { GROUP_ROWS.min(self.group_rows) }
            }
            (InputColumns::Csv { columns, bytes }, None) => {
                if keep {
                    for (position, column) in columns.iter_mut().enumerate() {
                        let text = row.text(position).into_owned();
                        *bytes += FIELD_BYTES + text.len();
                        column.push(if text.is_empty() { Scalar::Missing } else { Scalar::Text(text) });
                    }
                }
                if *bytes > GROUP_BYTES { 0 } else { GROUP_ROWS.min(self.group_rows) }
            }
            _ => return Err(other_types(reader)),
        };
        self.keep.push(keep);
        if keep {
            let mut values = values.into_iter().flatten();
            for column in &mut self.added {
                let value = values.next().unwrap_or(Scalar::Missing);
                if let Scalar::Text(text) = &value {
                    self.added_bytes += FIELD_BYTES + text.len();
                }
                column.push(value);
            }
        }
        if self.keep.len() >= room || self.added_bytes > GROUP_BYTES { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> Result<(), Failure> {
        let keep = std::mem::take(&mut self.keep);
        self.added_bytes = 0;
        let mut group = self.file.next_row_group().map_err(unwritable)?;
        match &mut self.input {
            InputColumns::Parquet(input) => input.copy(&keep, &mut group)?,
            InputColumns::Csv { columns, bytes } => {
                *bytes = 0;
                for column in columns {
                    column.write(&mut group).map_err(unwritable)?;
                }
            }
        }
        for column in &mut self.added {
            column.write(&mut group).map_err(unwritable)?;
        }
        group.close().map_err(unwritable)?;
        Ok(())
    }

    /// Writes the rest of the file, and returns the target.
    ///
    /// # Errors
    /// [`Failure`] of the target or of the file that is read.
    pub fn finish(mut self) -> Result<W, Failure> {
        if !self.keep.is_empty() {
            self.write_group()?;
        }
        self.file.into_inner().map_err(unwritable)
    }
}

fn other_types(reader: &TableReader) -> Failure {
    ScoringError::OtherTypes { file: reader.file_name() }.into()
}

fn unwritable(error: ParquetError) -> Failure {
    Failure::Write(match error {
        ParquetError::External(beneath) => match beneath.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    })
}
