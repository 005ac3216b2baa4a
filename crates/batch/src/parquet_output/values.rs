//! Values of a column that wait for their row group.

use std::io::Write;

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedColumnWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use ordinate_model::scalar::Scalar;
use ordinate_model::signature::FeatureType;

/// An optional column of the schema.
pub(super) fn field(name: &str, kind: FeatureType) -> Result<TypePtr, ParquetError> {
    let physical = match kind {
        FeatureType::Double => Physical::DOUBLE,
        FeatureType::Long => Physical::INT64,
        FeatureType::Boolean => Physical::BOOLEAN,
        FeatureType::String | FeatureType::Date => Physical::BYTE_ARRAY,
    };
    let mut column = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
    if matches!(kind, FeatureType::String | FeatureType::Date) {
        column = column.with_logical_type(Some(LogicalType::String)).with_converted_type(ConvertedType::UTF8);
    }
    column.build().map(TypePtr::from)
}

/// The values of one column.
pub(super) enum Values {
    Double(Buffer<DoubleType>),
    Long(Buffer<Int64Type>),
    Boolean(Buffer<BoolType>),
    Text(Buffer<ByteArrayType>),
}

impl Values {
    pub(super) fn new(kind: FeatureType) -> Self {
        match kind {
            FeatureType::Double => Self::Double(Buffer::new()),
            FeatureType::Long => Self::Long(Buffer::new()),
            FeatureType::Boolean => Self::Boolean(Buffer::new()),
            FeatureType::String | FeatureType::Date => Self::Text(Buffer::new()),
        }
    }

    /// Adds the value of the next row; a value of another type is missing.
    pub(super) fn push(&mut self, value: Scalar) {
        match (self, value) {
            (Self::Double(buffer), Scalar::Number(value)) => buffer.push(Some(value)),
            (Self::Long(buffer), Scalar::Integer(value)) => buffer.push(Some(value)),
            (Self::Boolean(buffer), Scalar::Boolean(value)) => buffer.push(Some(value)),
            (Self::Text(buffer), Scalar::Text(text)) => buffer.push(Some(ByteArray::from(text.into_bytes()))),
            (Self::Text(buffer), Scalar::Missing) => buffer.push(None),
            // Classes of several types are text.
            (Self::Text(buffer), other) => buffer.push(Some(ByteArray::from(other.to_string().into_bytes()))),
            (Self::Double(buffer), _) => buffer.push(None),
            (Self::Long(buffer), _) => buffer.push(None),
            (Self::Boolean(buffer), _) => buffer.push(None),
        }
    }

    /// Writes the values as the next column of a row group, and removes them.
    pub(super) fn write<W: Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        let Some(mut column) = group.next_column()? else { return Ok(()) };
        match self {
            Self::Double(buffer) => buffer.write(&mut column),
            Self::Long(buffer) => buffer.write(&mut column),
            Self::Boolean(buffer) => buffer.write(&mut column),
            Self::Text(buffer) => buffer.write(&mut column),
        }?;
        column.close()
    }
}

/// The values, and for each row whether it has one.
pub(super) struct Buffer<T: DataType> {
    values: Vec<T::T>,
    present: Vec<i16>,
}

impl<T: DataType> Buffer<T> {
    fn new() -> Self {
        Self { values: Vec::new(), present: Vec::new() }
    }

    fn push(&mut self, value: Option<T::T>) {
        self.present.push(i16::from(value.is_some()));
        self.values.extend(value);
    }

    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        column.typed::<T>().write_batch(&self.values, Some(&self.present), None)?;
        self.values.clear();
        self.present.clear();
        Ok(())
    }
}
