//! Parquet: numbers, booleans and text, row by row; the rows of a row group are decoded as they are read.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::LogicalType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use serde_json::Value;

use super::DataError;
use super::source::{Each, Part, Place, Record, unreadable};
use ordinate_model::cell::Cell;

/// What a Parquet file begins (and ends) with.
pub(super) const MAGIC: [u8; 4] = *b"PAR1";

/// The names of its columns, and of those the ones that pandas says are no columns but the index of the rows.
pub(super) fn names(path: &Path, shown: &Path) -> Result<(Vec<String>, Vec<String>), DataError> {
    let reader = open(path, shown)?;
    let metadata = reader.metadata().file_metadata();
    let names: Vec<String> = metadata.schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
    let pandas = metadata.key_value_metadata().into_iter().flatten().find(|entry| entry.key == "pandas");
    let listed = index_columns(pandas.and_then(|entry| entry.value.as_deref()).unwrap_or_default());
    let is_index = |name: &&String| listed.contains(name) || is_unnamed_index(name);
    let index = names.iter().filter(is_index).cloned().collect();
    Ok((names, index))
}

/// The columns that the metadata of pandas lists as the index; an index of counted rows is no column, and no text there.
fn index_columns(metadata: &str) -> Vec<String> {
    let metadata: Value = serde_json::from_str(metadata).unwrap_or_default();
    let columns = metadata.get("index_columns").and_then(Value::as_array);
    columns.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What pandas calls a level of an index that has no name, such as `__index_level_0__`.
fn is_unnamed_index(name: &str) -> bool {
    let level = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    level.is_some_and(|level| level.parse::<u32>().is_ok())
}

/// Hands every row to `each`.
pub(super) fn scan<E: From<DataError>>(
    part: &Part,
    number: usize,
    names: &[String],
    each: Each<'_, E>,
) -> Result<(), E> {
    let reader = open(&part.path, &part.shown)?;
    let broken = |error: parquet::errors::ParquetError| broken(&part.shown, &error);
    let schema = reader.metadata().file_metadata().schema();
    let mut fields: Vec<Arc<Type>> = Vec::with_capacity(names.len());
    for field in schema.get_fields().iter().filter(|field| names.iter().any(|name| name == field.name())) {
        if let Some(kind) = unusable(field) {
            let column = field.name().to_owned();
            return Err(DataError::ColumnKind { path: part.shown.clone(), column, kind }.into());
        }
        fields.push(Arc::clone(field));
    }
    // Rows come in the order of the file's columns; this is where each name is among them.
    let order: Vec<Option<usize>> =
        names.iter().map(|name| fields.iter().position(|field| field.name() == name)).collect();
    let projection = Type::group_type_builder(schema.name()).with_fields(fields).build().map_err(broken)?;
    let mut at = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(broken)?;
        for row in group.get_row_iter(Some(projection.clone())).map_err(broken)? {
            let values = read(&row.map_err(broken)?, &part.shown)?;
            each(&ParquetRecord { values, order: &order, place: Place { part: number, at } })?;
            at += 1;
        }
    }
    Ok(())
}

/// What a column holds that can be neither number nor category, if its type says so.
fn unusable(field: &Type) -> Option<&'static str> {
    if !field.is_primitive() {
        return Some(GROUPS);
    }
    // Rows have those in nanoseconds as plain integers.
    let is_time = |kind: &LogicalType| {
        matches!(kind, LogicalType::Date | LogicalType::Time { .. } | LogicalType::Timestamp { .. })
    };
    field.get_basic_info().logical_type_ref().is_some_and(is_time).then_some(TIMES)
}

const GROUPS: &str = "lists or groups";
const TIMES: &str = "dates or times";

fn open(path: &Path, shown: &Path) -> Result<SerializedFileReader<File>, DataError> {
    let file = File::open(path).map_err(|source| unreadable(shown, source))?;
    SerializedFileReader::new(file).map_err(|error| broken(shown, &error))
}

fn broken(shown: &Path, error: &parquet::errors::ParquetError) -> DataError {
    DataError::BrokenParquet { path: shown.to_owned(), reason: error.to_string() }
}

/// A value that a cell can be made of.
enum Datum {
    Missing,
    Boolean(bool),
    Double(f64),
    /// An integer that a double may not hold.
    Integer(i128),
    /// A decimal number, digit by digit.
    Digits(String),
    Text(String),
}

struct ParquetRecord<'r> {
    values: Vec<Datum>,
    order: &'r [Option<usize>],
    place: Place,
}

impl Record for ParquetRecord<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        let value = self.order.get(column).copied().flatten().and_then(|at| self.values.get(at));
        match value {
            None | Some(Datum::Missing) => Cell::Missing,
            Some(Datum::Boolean(value)) => Cell::Boolean(*value),
            Some(Datum::Double(value)) => Cell::Double(*value),
            Some(Datum::Integer(value)) => Cell::Integer(*value),
            Some(Datum::Digits(text)) => Cell::Number(text),
            Some(Datum::Text(text)) => Cell::Text(text),
        }
    }

    fn place(&self) -> Place {
        self.place
    }
}

fn read(row: &Row, shown: &Path) -> Result<Vec<Datum>, DataError> {
    row.get_column_iter()
        .map(|(name, field)| {
            let refused = |kind| DataError::ColumnKind { path: shown.to_owned(), column: name.clone(), kind };
            Ok(match field {
                Field::Null => Datum::Missing,
                Field::Bool(value) => Datum::Boolean(*value),
                Field::Byte(value) => Datum::Double(f64::from(*value)),
                Field::Short(value) => Datum::Double(f64::from(*value)),
                Field::Int(value) => Datum::Double(f64::from(*value)),
                Field::UByte(value) => Datum::Double(f64::from(*value)),
                Field::UShort(value) => Datum::Double(f64::from(*value)),
                Field::UInt(value) => Datum::Double(f64::from(*value)),
                Field::Long(value) => whole(i128::from(*value)),
                Field::ULong(value) => whole(i128::from(*value)),
                Field::Float16(value) => Datum::Double(f64::from(*value)),
                Field::Float(value) => Datum::Double(f64::from(*value)),
                Field::Double(value) => Datum::Double(*value),
                Field::Decimal(_) => Datum::Digits(field.to_string()),
                Field::Str(text) => Datum::Text(text.clone()),
                Field::Bytes(_) => return Err(refused("bytes that are not text")),
                Field::Date(_)
                | Field::TimeMillis(_)
                | Field::TimeMicros(_)
                | Field::TimestampMillis(_)
                | Field::TimestampMicros(_) => return Err(refused(TIMES)),
                Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => {
                    return Err(refused(GROUPS));
                }
            })
        })
        .collect()
}

/// An integer, as a double where that is exact.
fn whole(value: i128) -> Datum {
    const EXACT: i128 = 1 << 53;
    // Exact within these bounds.
    #[allow(clippy::cast_precision_loss)]
    if (-EXACT..=EXACT).contains(&value) { Datum::Double(value as f64) } else { Datum::Integer(value) }
}
