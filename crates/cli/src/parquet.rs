//! A Parquet file as records: each value as a CSV file would have it, an empty field for none.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use csv::StringRecord;
use parquet::basic::{ConvertedType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

use super::progress::Progress;

/// What a Parquet file begins with.
pub(super) const MAGIC: [u8; 4] = *b"PAR1";

/// Whether a file says that it is one.
pub(super) fn is_parquet(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    let file = File::open(path)?;
    // To read from a pipe would take the bytes from whoever reads it next.
    if file.metadata()?.is_file() {
        file.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    }
    Ok(start == MAGIC)
}

/// A file whose schema has been read; the rows of a row group are decoded as they are read.
pub(super) struct Table {
    header: StringRecord,
    /// Whether each column is of integers.
    integers: Vec<bool>,
    rows: RowIter<'static>,
    read: u64,
    total: u64,
    bytes: u64,
    progress: Arc<Progress>,
}

impl Table {
    /// Reads the schema, which a file ends with.
    ///
    /// # Errors
    /// [`ParquetError`] when the file is damaged or cut short.
    pub(super) fn open(path: &Path, progress: Arc<Progress>) -> Result<Self, ParquetError> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let reader = SerializedFileReader::new(file)?;
        let metadata = reader.metadata().file_metadata();
        let header = metadata.schema().get_fields().iter().map(|field| field.name()).collect();
        let integers = metadata.schema().get_fields().iter().map(|field| is_integer(field)).collect();
        let total = u64::try_from(metadata.num_rows()).unwrap_or(0);
        Ok(Self { header, integers, rows: reader.into_iter(), read: 0, total, bytes, progress })
    }

    /// The names of the columns.
    pub(super) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// Whether a column holds integers.
    pub(super) fn is_integer(&self, column: usize) -> bool {
        self.integers.get(column).copied().unwrap_or(false)
    }

    /// Reads the next row into `fields`; its number from 1, or none when there are no more.
    ///
    /// # Errors
    /// [`ParquetError`] when the file is damaged or cut short.
    pub(super) fn next(&mut self, fields: &mut StringRecord) -> Result<Option<u64>, ParquetError> {
        fields.clear();
        let Some(row) = self.rows.next().transpose()? else { return Ok(None) };
        for (_, field) in row.get_column_iter() {
            match field {
                Field::Null => fields.push_field(""),
                Field::Str(text) => fields.push_field(text),
                Field::Double(value) => fields.push_field(&number(*value)),
                Field::Float(value) => fields.push_field(&number(f64::from(*value))),
                other => fields.push_field(&other.to_string()),
            }
        }
        // Pages are decoded ahead of rows: the share of rows is the fairer measure.
        let reached = |rows: u64| self.bytes / self.total.max(1) * rows;
        self.progress.inc(reached(self.read + 1) - reached(self.read));
        self.read += 1;
        Ok(Some(self.read))
    }
}

/// Whether a column's type is one of integers, whatever their width; decimals, dates and times are stored as integers too.
fn is_integer(field: &Type) -> bool {
    let is_stored_so = field.is_primitive() && matches!(field.get_physical_type(), Physical::INT32 | Physical::INT64);
    let info = field.get_basic_info();
    let is_plain = match info.converted_type() {
        ConvertedType::NONE => info.logical_type_ref().is_none(),
        ConvertedType::INT_8
        | ConvertedType::INT_16
        | ConvertedType::INT_32
        | ConvertedType::INT_64
        | ConvertedType::UINT_8
        | ConvertedType::UINT_16
        | ConvertedType::UINT_32
        | ConvertedType::UINT_64 => true,
        _ => false,
    };
    is_stored_so && is_plain
}

/// All digits that bring it back; what is not finite is no value.
fn number(value: f64) -> String {
    serde_json::Number::from_f64(value).map(|number| number.to_string()).unwrap_or_default()
}
