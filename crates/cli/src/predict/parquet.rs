//! Rows and predictions as Parquet: columns that came from Parquet are copied value by value, in their own types; fields of
//! CSV are text. One row group is held at a time.

mod copy;
mod values;

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::{Added, Failure};
use crate::output::WholeFile;
use crate::records::{Records, Row};
use crate::scoring::ScoringError;
use copy::Original;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::FeatureType;
use values::Values;

/// Rows of a row group at most.
const GROUP_ROWS: usize = 1 << 16;

/// Bytes after which a row group is full with fewer rows.
const GROUP_BYTES: usize = 16 << 20;

/// Bytes of a value that is added, and of a field beside its text.
const VALUE_BYTES: usize = size_of::<f64>() + size_of::<i16>();
const FIELD_BYTES: usize = 2 * size_of::<ByteArray>() + size_of::<i16>();

/// The table that is written.
pub(super) struct ParquetTable {
    file: SerializedFileWriter<WholeFile>,
    came: Came,
    added: Vec<Values>,
    /// Bytes of their texts.
    added_bytes: usize,
    /// Rows of a row group at most.
    group_rows: usize,
    /// Of the rows that came since the last row group was written: whether each is kept.
    keep: Vec<bool>,
}

/// The columns that came.
enum Came {
    Csv { columns: Vec<Values>, bytes: usize },
    Parquet(Original),
}

impl ParquetTable {
    /// Begins with the columns that came and those that are added.
    pub(super) fn new(file: WholeFile, records: &Records, added: &[Added]) -> Result<Self, Failure> {
        let (mut fields, came) = if let Some(path) = records.parquet_path() {
            let original = Original::open(path, records.name())?;
            (original.fields().to_vec(), Came::Parquet(original))
        } else {
            let names: Vec<&str> = records.header().iter().collect();
            let mut seen = HashSet::new();
            if let Some(twice) = names.iter().find(|name| !seen.insert(**name)) {
                let column = (*twice).to_owned();
                return Err(ScoringError::DuplicateColumn { name: records.header_name(), column }.into());
            }
            let columns = names.iter().map(|_| Values::of(FeatureType::String)).collect();
            let fields = names.iter().map(|name| values::field(name, FeatureType::String));
            (fields.collect::<Result<_, _>>().map_err(unwritable)?, Came::Csv { columns, bytes: 0 })
        };
        for column in added {
            fields.push(values::field(&column.name, column.kind).map_err(unwritable)?);
        }
        let schema: TypePtr =
            Type::group_type_builder("schema").with_fields(fields).build().map_err(unwritable)?.into();
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let file = SerializedFileWriter::new(file, schema, Arc::new(properties)).map_err(unwritable)?;
        let added: Vec<Values> = added.iter().map(|column| Values::of(column.kind)).collect();
        let group_rows = GROUP_ROWS.min(GROUP_BYTES / (VALUE_BYTES * added.len().max(1)));
        Ok(Self { file, came, added, added_bytes: 0, group_rows, keep: Vec::new() })
    }

    /// Takes a row that came, and what is said to it; it is written only if it is kept.
    pub(super) fn push(
        &mut self,
        records: &Records,
        row: &Row,
        said: Option<Vec<Scalar>>,
        keep: bool,
    ) -> Result<(), Failure> {
        let room = match (&mut self.came, records.parquet_path()) {
            (Came::Parquet(original), Some(path)) => {
                if !original.is(path) {
                    let next = Original::open(path, records.name())?;
                    if next.fields() != original.fields() {
                        return Err(other_types(records));
                    }
                    *original = next;
                }
                self.group_rows.min(original.rows_left()?)
            }
            (Came::Csv { columns, bytes }, None) => {
                if keep {
                    for (place, column) in columns.iter_mut().enumerate() {
                        let text = row.fields.get(place).filter(|text| !text.is_empty());
                        *bytes += FIELD_BYTES + text.map_or(0, str::len);
                        column.push(text.map_or(Scalar::Missing, |text| Scalar::Text(text.to_owned())));
                    }
                }
                if *bytes > GROUP_BYTES { 0 } else { self.group_rows }
            }
            _ => return Err(other_types(records)),
        };
        self.keep.push(keep);
        if keep {
            let mut said = said.into_iter().flatten();
            for column in &mut self.added {
                let value = said.next().unwrap_or(Scalar::Missing);
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
        match &mut self.came {
            Came::Parquet(original) => original.copy(&keep, &mut group)?,
            Came::Csv { columns, bytes } => {
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

    /// Ends: the file is whole and in its place.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        if !self.keep.is_empty() {
            self.write_group()?;
        }
        Ok(self.file.into_inner().map_err(unwritable)?.keep()?)
    }
}

/// Files of one header whose columns cannot stand in one Parquet file.
fn other_types(records: &Records) -> Failure {
    ScoringError::OtherTypes { name: records.name().to_owned() }.into()
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
