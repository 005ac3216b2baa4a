//! Columns of a Parquet file, copied value by value: whatever their type, it stays.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{
    BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96Type,
};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedRowGroupWriter};
use parquet::schema::types::TypePtr;

use super::super::Failure;
use super::unwritable;
use crate::output::WholeFile;
use crate::records::RecordsError;
use crate::scoring::ScoringError;

/// Rows that are copied at a time.
const ROWS: usize = 1 << 12;

/// A file that is copied from its first row on.
pub(super) struct Original {
    path: PathBuf,
    name: String,
    reader: SerializedFileReader<File>,
    /// The row group after the one that is being copied.
    next_group: usize,
    /// The columns of that one, and its rows that have not been copied yet.
    columns: Vec<ColumnReader>,
    rows_left: usize,
}

impl Original {
    pub(super) fn open(path: &Path, name: &str) -> Result<Self, Failure> {
        let open = || SerializedFileReader::new(File::open(path)?);
        let reader = open().map_err(|error| broken(name, &error))?;
        let (path, name) = (path.to_owned(), name.to_owned());
        Ok(Self { path, name, reader, next_group: 0, columns: Vec::new(), rows_left: 0 })
    }

    /// Whether it is the file of this path.
    pub(super) fn is(&self, path: &Path) -> bool {
        self.path == path
    }

    /// Its columns in the schema.
    pub(super) fn fields(&self) -> &[TypePtr] {
        self.reader.metadata().file_metadata().schema().get_fields()
    }

    /// Rows of the current row group that have not been copied yet; none at the end of the file.
    pub(super) fn rows_left(&mut self) -> Result<usize, Failure> {
        while self.rows_left == 0 && self.next_group < self.reader.num_row_groups() {
            self.begin_group().map_err(|error| broken(&self.name, &error))?;
        }
        Ok(self.rows_left)
    }

    fn begin_group(&mut self) -> Result<(), ParquetError> {
        let group = self.reader.get_row_group(self.next_group)?;
        self.rows_left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        self.columns =
            (0..group.num_columns()).map(|column| group.get_column_reader(column)).collect::<Result<_, _>>()?;
        self.next_group += 1;
        Ok(())
    }

    /// Copies the next rows of the current row group, as many as there are flags, those whose flag is set.
    pub(super) fn copy(
        &mut self,
        keep: &[bool],
        group: &mut SerializedRowGroupWriter<'_, WholeFile>,
    ) -> Result<(), Failure> {
        let schema = self.reader.metadata().file_metadata().schema_descr_ptr();
        for (reader, column) in self.columns.iter_mut().zip(schema.columns()) {
            let Some(mut writer) = group.next_column().map_err(unwritable)? else { break };
            let levels = Levels { definition: column.max_def_level(), repetition: column.max_rep_level() };
            let copied = match reader {
                ColumnReader::BoolColumnReader(reader) => levels.copy::<BoolType>(reader, &mut writer, keep),
                ColumnReader::Int32ColumnReader(reader) => levels.copy::<Int32Type>(reader, &mut writer, keep),
                ColumnReader::Int64ColumnReader(reader) => levels.copy::<Int64Type>(reader, &mut writer, keep),
                ColumnReader::Int96ColumnReader(reader) => levels.copy::<Int96Type>(reader, &mut writer, keep),
                ColumnReader::FloatColumnReader(reader) => levels.copy::<FloatType>(reader, &mut writer, keep),
                ColumnReader::DoubleColumnReader(reader) => levels.copy::<DoubleType>(reader, &mut writer, keep),
                ColumnReader::ByteArrayColumnReader(reader) => levels.copy::<ByteArrayType>(reader, &mut writer, keep),
                ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                    levels.copy::<FixedLenByteArrayType>(reader, &mut writer, keep)
                }
            };
            copied.map_err(|fault| match fault {
                Fault::Read(error) => broken(&self.name, &error),
                Fault::Write(error) => unwritable(error),
            })?;
            writer.close().map_err(unwritable)?;
        }
        self.rows_left = self.rows_left.saturating_sub(keep.len());
        Ok(())
    }
}

/// On which side it went wrong.
enum Fault {
    Read(ParquetError),
    Write(ParquetError),
}

/// The highest levels of a column: a value is there where its definition level is the highest, and a row begins where the
/// repetition level is 0.
#[derive(Debug, Clone, Copy)]
struct Levels {
    definition: i16,
    repetition: i16,
}

impl Levels {
    fn copy<T: DataType>(
        self,
        reader: &mut ColumnReaderImpl<T>,
        writer: &mut SerializedColumnWriter<'_>,
        keep: &[bool],
    ) -> Result<(), Fault> {
        let writer = writer.typed::<T>();
        for keep in keep.chunks(ROWS) {
            let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
            let mut read = 0;
            while read < keep.len() {
                let (rows, ..) = reader
                    .read_records(keep.len() - read, Some(&mut definitions), Some(&mut repetitions), &mut values)
                    .map_err(Fault::Read)?;
                if rows == 0 {
                    let reason = "a column has fewer rows than its row group".to_owned();
                    return Err(Fault::Read(ParquetError::EOF(reason)));
                }
                read += rows;
            }
            if keep.contains(&false) {
                (values, definitions, repetitions) = self.kept(keep, values, &definitions, &repetitions);
            }
            let levels = |highest: i16, levels| if highest > 0 { Some(levels) } else { None };
            writer
                .write_batch(
                    &values,
                    levels(self.definition, definitions.as_slice()),
                    levels(self.repetition, repetitions.as_slice()),
                )
                .map_err(Fault::Write)?;
        }
        Ok(())
    }

    /// Values and levels of the rows that are kept.
    fn kept<V>(
        self,
        keep: &[bool],
        values: Vec<V>,
        definitions: &[i16],
        repetitions: &[i16],
    ) -> (Vec<V>, Vec<i16>, Vec<i16>) {
        let (mut kept, mut kept_definitions, mut kept_repetitions) = (Vec::new(), Vec::new(), Vec::new());
        let mut values = values.into_iter();
        let mut flags = keep.iter().copied();
        let mut keep = false;
        // Without levels each row is one value.
        let slots = if self.definition > 0 { definitions.len() } else { values.len() };
        for slot in 0..slots {
            let (definition, repetition) = (definitions.get(slot).copied(), repetitions.get(slot).copied());
            if self.repetition == 0 || repetition == Some(0) {
                keep = flags.next().unwrap_or(false);
            }
            let value = if self.definition == 0 || definition == Some(self.definition) { values.next() } else { None };
            if keep {
                kept.extend(value);
                kept_definitions.extend(definition);
                kept_repetitions.extend(repetition);
            }
        }
        (kept, kept_definitions, kept_repetitions)
    }
}

fn broken(name: &str, error: &ParquetError) -> Failure {
    let (name, reason) = (name.to_owned(), error.to_string());
    ScoringError::from(RecordsError::BrokenParquet { name, reason }).into()
}
