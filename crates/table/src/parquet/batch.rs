//! Decoded columns of some rows.

use std::borrow::Cow;
use std::sync::Arc;

use half::f16;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, Decimal, DoubleType, FixedLenByteArrayType, FloatType, Int32Type,
    Int64Type, Int96, Int96Type,
};
use parquet::errors::ParquetError;
use parquet::record::Field;
use parquet::schema::types::ColumnDescPtr;
use serde_json::Number;

use ordinate_model::cell::Cell;
use ordinate_model::date;

/// Some rows.
#[derive(Debug, Default)]
pub(in super::super) struct Batch {
    pub(super) rows: usize,
    pub(super) columns: Vec<BatchColumn>,
}

/// A row of a batch.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct BatchRow {
    pub(super) batch: Arc<Batch>,
    pub(super) at: usize,
}

impl BatchRow {
    /// The number of values.
    pub(in super::super) fn width(&self) -> usize {
        self.batch.columns.len()
    }

    /// The value in a column.
    pub(in super::super) fn cell(&self, column: usize) -> Cell<'_> {
        self.batch.columns.get(column).map_or(Cell::Missing, |column| column.cell(self.at))
    }

    /// The value in a column as text, with all digits of a number; nothing for a missing value or a number that is not
    /// finite.
    pub(in super::super) fn text(&self, column: usize) -> Cow<'_, str> {
        self.batch.columns.get(column).map_or("".into(), |column| column.text(self.at))
    }

    /// An estimate of the memory that the row needs.
    pub(in super::super) fn bytes(&self) -> usize {
        self.batch.columns.iter().map(|column| column.bytes(self.at)).sum()
    }
}

/// The values of a column.
#[derive(Debug, Default)]
pub(super) struct BatchColumn {
    values: Values,
    /// For each row, the position of its value, or [`MISSING`]; `None` if all rows have one.
    positions: Option<Vec<u32>>,
}

const MISSING: u32 = u32::MAX;

/// Values of one type.
#[derive(Debug, Default)]
enum Values {
    /// No row has a value.
    #[default]
    None,
    /// All rows have this value, in the name of a folder.
    Constant(String),
    Booleans(Vec<bool>),
    Integers32(Vec<i32>),
    Integers64(Vec<i64>),
    Unsigned32(Vec<i32>),
    Unsigned64(Vec<i64>),
    Halves(Vec<f16>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    /// Decimal numbers, digit by digit.
    Decimals(Vec<String>),
    Days(Vec<i32>),
    /// Times since 1970-01-01 in these parts of a second.
    Times(Vec<i64>, i64),
    /// Valid UTF-8.
    Texts(Vec<ByteArray>),
    /// Values that a model cannot use: their text.
    Unusable(Vec<String>),
}

const SECONDS_OF_A_DAY: i64 = 86_400;

impl BatchColumn {
    /// A column of one value, which is missing if it is empty.
    pub(super) fn constant(value: &str) -> Self {
        Self { values: Values::Constant(value.to_owned()), positions: None }
    }

    /// A column of texts that are not values of a model.
    pub(super) fn unusable(texts: Vec<Option<String>>) -> Self {
        let present: Vec<i16> = texts.iter().map(|text| i16::from(text.is_some())).collect();
        Self {
            values: Values::Unusable(texts.into_iter().flatten().collect()),
            positions: Some(positions(&present, 1)),
        }
    }

    fn position(&self, row: usize) -> Option<usize> {
        match &self.positions {
            None => Some(row),
            Some(positions) => positions.get(row).filter(|at| **at != MISSING).and_then(|at| usize::try_from(*at).ok()),
        }
    }

    #[inline]
    fn cell(&self, row: usize) -> Cell<'_> {
        self.position(row).and_then(|at| self.values.cell(at)).unwrap_or(Cell::Missing)
    }

    fn text(&self, row: usize) -> Cow<'_, str> {
        let Some(at) = self.position(row) else { return "".into() };
        match &self.values {
            Values::Times(times, parts) => {
                times.get(at).map(|time| time_text(*time, *parts)).unwrap_or_default().into()
            }
            Values::Unusable(texts) => texts.get(at).map_or("".into(), |text| text.as_str().into()),
            values => match values.cell(at).unwrap_or(Cell::Missing) {
                Cell::Boolean(value) => value.to_string().into(),
                Cell::Double(value) => {
                    Number::from_f64(value).map(|digits| digits.to_string()).unwrap_or_default().into()
                }
                Cell::Integer(value) => value.to_string().into(),
                Cell::Date(days) => date::to_iso(days).into(),
                Cell::Number(text) | Cell::Text(text) | Cell::Field(text) => text.into(),
                Cell::Missing | Cell::Array | Cell::Object => "".into(),
            },
        }
    }

    fn bytes(&self, row: usize) -> usize {
        let text = match (&self.values, self.position(row)) {
            (Values::Texts(texts), Some(at)) => texts.get(at).map_or(0, ByteArray::len),
            (Values::Unusable(texts) | Values::Decimals(texts), Some(at)) => texts.get(at).map_or(0, String::len),
            _ => 0,
        };
        size_of::<Cell<'_>>() + text
    }
}

impl Values {
    #[inline]
    fn cell(&self, at: usize) -> Option<Cell<'_>> {
        // The same bits without a sign.
        let unsigned = |value: i32| value.cast_unsigned();
        Some(match self {
            Self::None => return None,
            Self::Constant(value) if value.is_empty() => return None,
            Self::Constant(value) => Cell::Field(value),
            Self::Booleans(values) => Cell::Boolean(*values.get(at)?),
            Self::Integers32(values) => Cell::Integer((*values.get(at)?).into()),
            Self::Integers64(values) => Cell::Integer((*values.get(at)?).into()),
            Self::Unsigned32(values) => Cell::Integer(unsigned(*values.get(at)?).into()),
            Self::Unsigned64(values) => Cell::Integer(values.get(at)?.cast_unsigned().into()),
            Self::Halves(values) => Cell::Double(values.get(at)?.to_f64()),
            Self::Floats(values) => Cell::Double((*values.get(at)?).into()),
            Self::Doubles(values) => Cell::Double(*values.get(at)?),
            Self::Decimals(values) => Cell::Number(values.get(at)?),
            Self::Days(values) => Cell::Date((*values.get(at)?).into()),
            Self::Times(values, parts) => Cell::Date(days(*values.get(at)?, *parts)),
            Self::Texts(values) => Cell::Text(std::str::from_utf8(values.get(at)?.data()).ok()?),
            // Not reached: such columns are not used.
            Self::Unusable(_) => Cell::Object,
        })
    }
}

/// Days since 1970-01-01, with the time of day as a fraction.
fn days(time: i64, parts: i64) -> f64 {
    let of_day = parts * SECONDS_OF_A_DAY;
    // Fewer parts of a day, and fewer days, than a double represents.
    time.div_euclid(of_day) as f64 + time.rem_euclid(of_day) as f64 / of_day as f64
}

/// A time in ISO 8601 with all its digits.
fn time_text(time: i64, parts: i64) -> String {
    let seconds = time.div_euclid(parts);
    let (day, second) = (seconds.div_euclid(SECONDS_OF_A_DAY), seconds.rem_euclid(SECONDS_OF_A_DAY));
    let day = date::to_iso(day as f64);
    let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    let width = usize::try_from(parts.ilog10()).unwrap_or(0);
    let fraction = match time.rem_euclid(parts) {
        0 => String::new(),
        rest => format!(".{rest:0width$}"),
    };
    format!("{day}T{clock}{fraction}Z")
}

/// For each definition level, the position of the value of its row.
fn positions(levels: &[i16], present: i16) -> Vec<u32> {
    let mut next = 0;
    let position = |level: &i16| {
        if *level != present {
            return MISSING;
        }
        next += 1;
        next - 1
    };
    levels.iter().map(position).collect()
}

/// A reader of a column of simple values in one row group.
pub(super) struct ColumnDecoder {
    reader: Typed,
    kind: Kind,
    description: ColumnDescPtr,
}

enum Typed {
    Boolean(ColumnReaderImpl<BoolType>),
    Int32(ColumnReaderImpl<Int32Type>),
    Int64(ColumnReaderImpl<Int64Type>),
    Int96(ColumnReaderImpl<Int96Type>),
    Float(ColumnReaderImpl<FloatType>),
    Double(ColumnReaderImpl<DoubleType>),
    Bytes(ColumnReaderImpl<ByteArrayType>),
    Fixed(ColumnReaderImpl<FixedLenByteArrayType>),
}

/// The meaning of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Unsigned,
    Decimal,
    Day,
    /// A time in these parts of a second.
    Time(i64),
}

impl Kind {
    fn of(column: &ColumnDescPtr) -> Self {
        let parts = |unit: TimeUnit| match unit {
            TimeUnit::MILLIS => 1_000,
            TimeUnit::MICROS => 1_000_000,
            TimeUnit::NANOS => 1_000_000_000,
        };
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Timestamp(kind)), _) => Self::Time(parts(kind.unit)),
            (_, ConvertedType::TIMESTAMP_MILLIS) => Self::Time(1_000),
            (_, ConvertedType::TIMESTAMP_MICROS) => Self::Time(1_000_000),
            (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => Self::Day,
            (Some(LogicalType::Decimal { .. }), _) | (_, ConvertedType::DECIMAL) => Self::Decimal,
            (_, ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64) => {
                Self::Unsigned
            }
            _ => Self::Plain,
        }
    }
}

impl ColumnDecoder {
    pub(super) fn new(reader: ColumnReader, description: &ColumnDescPtr) -> Self {
        let reader = match description.physical_type() {
            Physical::BOOLEAN => Typed::Boolean(get_typed_column_reader(reader)),
            Physical::INT32 => Typed::Int32(get_typed_column_reader(reader)),
            Physical::INT64 => Typed::Int64(get_typed_column_reader(reader)),
            Physical::INT96 => Typed::Int96(get_typed_column_reader(reader)),
            Physical::FLOAT => Typed::Float(get_typed_column_reader(reader)),
            Physical::DOUBLE => Typed::Double(get_typed_column_reader(reader)),
            Physical::BYTE_ARRAY => Typed::Bytes(get_typed_column_reader(reader)),
            Physical::FIXED_LEN_BYTE_ARRAY => Typed::Fixed(get_typed_column_reader(reader)),
        };
        Self { reader, kind: Kind::of(description), description: Arc::clone(description) }
    }

    /// The values of the next rows.
    pub(super) fn read(&mut self, rows: usize) -> Result<BatchColumn, ParquetError> {
        let present = self.description.max_def_level();
        // Digits do not depend on the precision, which `Decimal` wants to be larger than the scale.
        let scale = self.description.type_scale();
        let precision = self.description.type_precision().max(scale + 1);
        let decimal = |decimal: Decimal| Field::Decimal(decimal).to_string();
        let (values, levels) = match (&mut self.reader, self.kind) {
            (Typed::Boolean(reader), _) => read(reader, rows, present, Values::Booleans)?,
            (Typed::Int32(reader), Kind::Day) => read(reader, rows, present, Values::Days)?,
            (Typed::Int32(reader), Kind::Unsigned) => read(reader, rows, present, Values::Unsigned32)?,
            (Typed::Int32(reader), Kind::Decimal) => read(reader, rows, present, |values| {
                let digits = |value| decimal(Decimal::from_i32(value, precision, scale));
                Values::Decimals(values.into_iter().map(digits).collect())
            })?,
            (Typed::Int32(reader), _) => read(reader, rows, present, Values::Integers32)?,
            (Typed::Int64(reader), Kind::Time(parts)) => {
                read(reader, rows, present, |values| Values::Times(values, parts))?
            }
            (Typed::Int64(reader), Kind::Unsigned) => read(reader, rows, present, Values::Unsigned64)?,
            (Typed::Int64(reader), Kind::Decimal) => read(reader, rows, present, |values| {
                let digits = |value| decimal(Decimal::from_i64(value, precision, scale));
                Values::Decimals(values.into_iter().map(digits).collect())
            })?,
            (Typed::Int64(reader), _) => read(reader, rows, present, Values::Integers64)?,
            (Typed::Int96(reader), _) => read(reader, rows, present, |values| {
                Values::Times(values.iter().map(Int96::to_micros).collect(), 1_000_000)
            })?,
            (Typed::Float(reader), _) => read(reader, rows, present, Values::Floats)?,
            (Typed::Double(reader), _) => read(reader, rows, present, Values::Doubles)?,
            (Typed::Bytes(reader), Kind::Decimal) => read(reader, rows, present, |values| {
                let digits = |value| decimal(Decimal::from_bytes(value, precision, scale));
                Values::Decimals(values.into_iter().map(digits).collect())
            })?,
            (Typed::Bytes(reader), _) => read(reader, rows, present, Values::Texts)?,
            (Typed::Fixed(reader), Kind::Decimal) => read(reader, rows, present, |values| {
                let digits = |value: parquet::data_type::FixedLenByteArray| {
                    decimal(Decimal::from_bytes(value.into(), precision, scale))
                };
                Values::Decimals(values.into_iter().map(digits).collect())
            })?,
            // Other bytes of fixed length are not used.
            (Typed::Fixed(reader), _) => read(reader, rows, present, |values| {
                let half = |value: &parquet::data_type::FixedLenByteArray| match value.data() {
                    [low, high] => f16::from_le_bytes([*low, *high]),
                    _ => f16::NAN,
                };
                Values::Halves(values.iter().map(half).collect())
            })?,
        };
        if let Values::Texts(texts) = &values
            && let Some(text) = texts.iter().find(|text| std::str::from_utf8(text.data()).is_err())
        {
            let column = self.description.name();
            return Err(ParquetError::General(format!(
                "column {column:?} has text that is not UTF-8: {:?}",
                text.data()
            )));
        }
        Ok(BatchColumn { values, positions: levels })
    }
}

/// The next values of a column, and the position of the value of each row unless all rows have one.
fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    present: i16,
    values_of: impl FnOnce(Vec<T::T>) -> Values,
) -> Result<(Values, Option<Vec<u32>>), ParquetError> {
    let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::new());
    let mut read = 0;
    while read < rows {
        let wanted = (present > 0).then_some(&mut levels);
        let (count, ..) = reader.read_records(rows - read, wanted, None, &mut values)?;
        if count == 0 {
            return Err(ParquetError::EOF(format!("expected {rows} more values of a column, got {read}")));
        }
        read += count;
    }
    let is_full = present == 0 || values.len() == rows;
    let levels = (!is_full).then(|| positions(&levels, present));
    Ok((values_of(values), levels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_all_their_digits() {
        for (time, parts, text, days_since) in [
            (0, 1_000, "1970-01-01T00:00:00Z", 0.0),
            (-1, 1_000, "1969-12-31T23:59:59.999Z", -1.0 / 86_400_000.0),
            (43_200_000_000_001, 1_000_000_000, "1970-01-01T12:00:00.000000001Z", 0.5),
            (1_706_690_096_000_007, 1_000_000, "2024-01-31T08:34:56.000007Z", 19_753.357_592_592_67),
        ] {
            assert_eq!(time_text(time, parts), text);
            assert!((days(time, parts) - days_since).abs() < 1e-9, "{text}");
        }
    }

    #[test]
    fn rows_without_a_value_are_missing() {
        let values = Values::Doubles(vec![1.5, f64::NAN]);
        let column = BatchColumn { values, positions: Some(positions(&[1, 0, 1], 1)) };
        assert_eq!((column.cell(0), column.cell(1)), (Cell::Double(1.5), Cell::Missing));
        assert_eq!(["1.5", "", ""], [0, 1, 2].map(|row| column.text(row).into_owned()).each_ref().map(String::as_str));
        assert_eq!(BatchColumn::constant("1").cell(7), Cell::Field("1"));
        assert_eq!(BatchColumn::constant("").cell(7), Cell::Missing);
        assert_eq!(BatchColumn::unusable(vec![Some("[a]".into()), None]).text(0), "[a]");
    }
}
