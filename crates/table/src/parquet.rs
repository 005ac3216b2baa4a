//! Parquet: numbers, booleans and text, row by row; the pages of a row group are decoded as its rows are read.

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;
use serde_json::{Number, Value as Json};

use super::{DataError, Watch};
use ordinate_model::cell::Cell;

/// The first (and last) bytes of a Parquet file.
pub(super) const MAGIC: [u8; 4] = *b"PAR1";

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    /// Names of the columns that pandas stored as the index of the rows.
    pub(super) index: Vec<String>,
    /// What each column contains, if a model cannot use it.
    pub(super) unusable: Vec<Option<&'static str>>,
}

/// Reads the schema of a file.
pub(super) fn columns(path: &Path, name: &Path) -> Result<Columns, DataError> {
    let reader = open(path, name)?;
    let metadata = reader.metadata().file_metadata();
    let fields = metadata.schema().get_fields();
    let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    let pandas = metadata.key_value_metadata().into_iter().flatten().find(|entry| entry.key == "pandas");
    let listed = index_columns(pandas.and_then(|entry| entry.value.as_deref()).unwrap_or_default());
    let is_index = |name: &&String| listed.contains(name) || is_unnamed_index(name);
    let index = names.iter().filter(is_index).cloned().collect();
    Ok(Columns { names, index, unusable: fields.iter().map(|field| unusable(field)).collect() })
}

/// The columns that the metadata of pandas lists as the index. An index of counted rows is an object there, not a name.
fn index_columns(metadata: &str) -> Vec<String> {
    let metadata: Json = serde_json::from_str(metadata).unwrap_or_default();
    let columns = metadata.get("index_columns").and_then(Json::as_array);
    columns.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}

/// Whether pandas gives this name to a level of an index without a name, such as `__index_level_0__`.
fn is_unnamed_index(name: &str) -> bool {
    let level = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    level.is_some_and(|level| level.parse::<u32>().is_ok())
}

const GROUPS: &str = "lists or groups";
const TIMES: &str = "dates or times";
const BYTES: &str = "bytes that are not text";

/// What a column contains, if its type shows that a model cannot use it.
fn unusable(field: &Type) -> Option<&'static str> {
    if !field.is_primitive() {
        return Some(GROUPS);
    }
    let info = field.get_basic_info();
    let is_plain = matches!(info.converted_type(), ConvertedType::NONE | ConvertedType::BSON);
    match (field.get_physical_type(), info.logical_type_ref()) {
        // The row reader returns times in nanoseconds as integers.
        (_, Some(LogicalType::Date | LogicalType::Time { .. } | LogicalType::Timestamp { .. }))
        | (Physical::INT96, _) => Some(TIMES),
        (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16)) => None,
        (Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY, _) if is_plain => Some(BYTES),
        _ => None,
    }
}

fn open(path: &Path, name: &Path) -> Result<SerializedFileReader<File>, DataError> {
    let file = File::open(path).map_err(|source| DataError::Unreadable { path: name.to_owned(), source })?;
    SerializedFileReader::new(file).map_err(|error| broken(name, &error))
}

fn broken(name: &Path, error: &ParquetError) -> DataError {
    DataError::BrokenParquet { path: name.to_owned(), reason: error.to_string() }
}

/// The rows of a file, one by one.
pub(super) struct ParquetRows {
    name: PathBuf,
    rows: RowIter<'static>,
    read: u64,
    progress: Option<Progress>,
}

/// Reports bytes in proportion to the rows read, as pages are decoded ahead of rows.
struct Progress {
    watch: Watch,
    bytes: u64,
    rows: u64,
}

impl ParquetRows {
    /// The rows of all columns, or of these, which are then in the order of the file.
    pub(super) fn open(
        path: &Path,
        name: &Path,
        columns: Option<&[String]>,
        watch: Option<&Watch>,
    ) -> Result<Self, DataError> {
        let reader = open(path, name)?;
        let broken = |error: ParquetError| broken(name, &error);
        let metadata = reader.metadata().file_metadata();
        let schema = metadata.schema();
        let rows = u64::try_from(metadata.num_rows()).unwrap_or(0);
        let progress = watch.map(|watch| Progress {
            watch: watch.clone(),
            bytes: path.metadata().map_or(0, |metadata| metadata.len()),
            rows: rows.max(1),
        });
        let projection = columns.map(|columns| {
            let fields = schema.get_fields().iter().filter(|field| columns.iter().any(|name| name == field.name()));
            Type::group_type_builder(schema.name()).with_fields(fields.map(Arc::clone).collect()).build()
        });
        let projection = projection.transpose().map_err(broken)?;
        let rows = RowIter::from_file_into(Box::new(reader)).project(projection).map_err(broken)?;
        Ok(Self { name: name.to_owned(), rows, read: 0, progress })
    }

    /// Reads the next row, and returns its number, from 1.
    pub(super) fn next(&mut self, values: &mut Vec<Value>) -> Result<Option<u64>, DataError> {
        values.clear();
        let row = self.rows.next().transpose().map_err(|error| broken(&self.name, &error))?;
        let Some(row) = row else { return Ok(None) };
        values.extend(row.into_columns().into_iter().map(|(_, field)| Value::from(field)));
        self.read += 1;
        if let Some(Progress { watch, bytes, rows }) = &self.progress {
            let reached = |read: u64| u128::from(*bytes) * u128::from(read) / u128::from(*rows);
            watch.report(u64::try_from(reached(self.read) - reached(self.read - 1)).unwrap_or(0));
        }
        Ok(Some(self.read))
    }
}

/// A value, in its own type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Missing,
    Boolean(bool),
    Double(f64),
    Integer(i128),
    /// A decimal number, digit by digit.
    Decimal(String),
    Text(String),
    /// A value that a model cannot use: its text.
    Unusable(String),
}

impl Value {
    pub(super) fn cell(&self) -> Cell<'_> {
        match self {
            Self::Missing => Cell::Missing,
            Self::Boolean(value) => Cell::Boolean(*value),
            Self::Double(value) => Cell::Double(*value),
            Self::Integer(value) => Cell::Integer(*value),
            Self::Decimal(digits) => Cell::Number(digits),
            Self::Text(text) => Cell::Text(text),
            // Not reached: such columns are refused by their type.
            Self::Unusable(_) => Cell::Object,
        }
    }

    /// All digits of a number; nothing for a missing value or a number that is not finite.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Missing => "".into(),
            Self::Boolean(value) => value.to_string().into(),
            Self::Double(value) => Number::from_f64(*value).map(|digits| digits.to_string()).unwrap_or_default().into(),
            Self::Integer(value) => value.to_string().into(),
            Self::Decimal(text) | Self::Text(text) | Self::Unusable(text) => text.into(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Decimal(text) | Self::Text(text) | Self::Unusable(text) => size_of::<Self>() + text.len(),
            _ => size_of::<Self>(),
        }
    }
}

impl From<Field> for Value {
    fn from(field: Field) -> Self {
        match field {
            Field::Null => Self::Missing,
            Field::Bool(value) => Self::Boolean(value),
            Field::Byte(value) => Self::Integer(value.into()),
            Field::Short(value) => Self::Integer(value.into()),
            Field::Int(value) => Self::Integer(value.into()),
            Field::Long(value) => Self::Integer(value.into()),
            Field::UByte(value) => Self::Integer(value.into()),
            Field::UShort(value) => Self::Integer(value.into()),
            Field::UInt(value) => Self::Integer(value.into()),
            Field::ULong(value) => Self::Integer(value.into()),
            Field::Float16(value) => Self::Double(value.into()),
            Field::Float(value) => Self::Double(value.into()),
            Field::Double(value) => Self::Double(value),
            Field::Decimal(_) => Self::Decimal(field.to_string()),
            Field::Str(text) => Self::Text(text),
            Field::Bytes(_)
            | Field::Date(_)
            | Field::TimeMillis(_)
            | Field::TimeMicros(_)
            | Field::TimestampMillis(_)
            | Field::TimestampMicros(_)
            | Field::Group(_)
            | Field::ListInternal(_)
            | Field::MapInternal(_) => Self::Unusable(field.to_string()),
        }
    }
}
