//! Parquet: numbers, booleans and text, row by row; the rows of a row group are decoded as they are read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;

use super::DataError;
use super::source::{Each, Part, Place, Record, unreadable};
use crate::model::frame::Cell;
use crate::train::TrainError;

/// What a Parquet file begins (and ends) with.
const MAGIC: [u8; 4] = *b"PAR1";

/// Whether a file says that it is one.
pub(super) fn is_parquet(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start == MAGIC)
}

/// The names of its columns.
pub(super) fn names(path: &Path, shown: &Path) -> Result<Vec<String>, DataError> {
    let reader = open(path, shown)?;
    let schema = reader.metadata().file_metadata().schema();
    Ok(schema.get_fields().iter().map(|field| field.name().to_owned()).collect())
}

/// Hands every row to `each`.
pub(super) fn scan(part: &Part, number: usize, names: &[String], each: Each<'_>) -> Result<(), TrainError> {
    let reader = open(&part.path, &part.shown)?;
    let broken = |error: parquet::errors::ParquetError| broken(&part.shown, &error);
    let schema = reader.metadata().file_metadata().schema();
    let mut fields: Vec<Arc<Type>> = Vec::with_capacity(names.len());
    for field in schema.get_fields().iter().filter(|field| names.iter().any(|name| name == field.name())) {
        if !field.is_primitive() {
            let column = field.name().to_owned();
            return Err(DataError::ColumnKind { path: part.shown.clone(), column, kind: "lists or groups" }.into());
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

fn open(path: &Path, shown: &Path) -> Result<SerializedFileReader<File>, DataError> {
    let file = File::open(path).map_err(|source| unreadable(shown, source))?;
    SerializedFileReader::new(file).map_err(|error| broken(shown, &error))
}

fn broken(shown: &Path, error: &parquet::errors::ParquetError) -> DataError {
    DataError::BrokenParquet { path: shown.to_owned(), reason: error.to_string() }
}

/// A value that a cell can be made of.
enum Value {
    Missing,
    Boolean(bool),
    Double(f64),
    /// A number that a double may not hold, digit by digit.
    Digits(String),
    Text(String),
}

struct ParquetRecord<'r> {
    values: Vec<Value>,
    order: &'r [Option<usize>],
    place: Place,
}

impl Record for ParquetRecord<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        let value = self.order.get(column).copied().flatten().and_then(|at| self.values.get(at));
        match value {
            None | Some(Value::Missing) => Cell::Missing,
            Some(Value::Boolean(value)) => Cell::Boolean(*value),
            Some(Value::Double(value)) => Cell::Double(*value),
            Some(Value::Digits(text)) => Cell::Number(text),
            Some(Value::Text(text)) => Cell::Text(text),
        }
    }

    fn place(&self) -> Place {
        self.place
    }
}

fn read(row: &Row, shown: &Path) -> Result<Vec<Value>, DataError> {
    row.get_column_iter()
        .map(|(name, field)| {
            let refused = |kind| DataError::ColumnKind { path: shown.to_owned(), column: name.clone(), kind };
            Ok(match field {
                Field::Null => Value::Missing,
                Field::Bool(value) => Value::Boolean(*value),
                Field::Byte(value) => Value::Double(f64::from(*value)),
                Field::Short(value) => Value::Double(f64::from(*value)),
                Field::Int(value) => Value::Double(f64::from(*value)),
                Field::UByte(value) => Value::Double(f64::from(*value)),
                Field::UShort(value) => Value::Double(f64::from(*value)),
                Field::UInt(value) => Value::Double(f64::from(*value)),
                Field::Long(value) => whole(i128::from(*value)),
                Field::ULong(value) => whole(i128::from(*value)),
                Field::Float16(value) => Value::Double(f64::from(*value)),
                Field::Float(value) => Value::Double(f64::from(*value)),
                Field::Double(value) => Value::Double(*value),
                Field::Decimal(_) => Value::Digits(field.to_string()),
                Field::Str(text) if text.is_empty() => Value::Missing,
                Field::Str(text) => Value::Text(text.clone()),
                Field::Bytes(_) => return Err(refused("bytes that are not text")),
                Field::Date(_)
                | Field::TimeMillis(_)
                | Field::TimeMicros(_)
                | Field::TimestampMillis(_)
                | Field::TimestampMicros(_) => return Err(refused("dates or times")),
                Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => {
                    return Err(refused("lists or groups"));
                }
            })
        })
        .collect()
}

/// An integer, as a double where that is exact.
fn whole(value: i128) -> Value {
    const EXACT: i128 = 1 << 53;
    // Exact within these bounds.
    #[allow(clippy::cast_precision_loss)]
    if (-EXACT..=EXACT).contains(&value) { Value::Double(value as f64) } else { Value::Digits(value.to_string()) }
}
