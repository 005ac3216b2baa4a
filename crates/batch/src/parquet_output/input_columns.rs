//! Columns of a Parquet file, copied with their types.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{
    BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, KeyValue};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedRowGroupWriter};
use parquet::schema::types::TypePtr;

use super::input_file::InputFile;
use super::{arrow_schema, unwritable};
use crate::columns::OutputColumn;
use crate::failure::Failure;
use ordinate_table::DataError;

/// The key of the metadata of pandas, which need not have all columns.
const PANDAS: &str = "pandas";

/// Rows to copy at a time.
const ROWS: usize = 1 << 12;

/// A file that is copied from its first row.
pub(super) struct ParquetInput {
    path: PathBuf,
    file: File,
    reader: SerializedFileReader<File>,
    /// The row group after the current one.
    next_group: usize,
    /// The columns of the current row group, all of its rows, and those still to be copied.
    columns: Vec<ColumnReader>,
    rows: usize,
    rows_left: usize,
}

impl ParquetInput {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let open = || {
            let file = File::open(path)?;
            Ok((file.try_clone()?, SerializedFileReader::new(file)?))
        };
        let (file, reader) = open().map_err(|error| broken(path, &error))?;
        Ok(Self { path: path.to_owned(), file, reader, next_group: 0, columns: Vec::new(), rows: 0, rows_left: 0 })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The columns of the schema.
    pub(super) fn fields(&self) -> &[TypePtr] {
        self.reader.metadata().file_metadata().schema().get_fields()
    }

    /// The metadata that describe the columns to Arrow and pandas, for an output with these added columns. Those of
    /// other programs, which may list all columns, are left out.
    pub(super) fn metadata(&self, added: &[OutputColumn]) -> Vec<KeyValue> {
        let entries = self.reader.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        let kept = entries.filter_map(|entry| match (entry.key.as_str(), entry.value.as_deref()) {
            (PANDAS, Some(_)) => Some(entry.clone()),
            (arrow_schema::KEY, Some(schema)) => {
                let schema = arrow_schema::with_columns(schema, added)?;
                Some(KeyValue::new(entry.key.clone(), schema))
            }
            _ => None,
        });
        kept.collect()
    }

    /// Rows of the current row group that are still to be copied; 0 at the end of the file.
    pub(super) fn rows_left(&mut self) -> Result<usize, Failure> {
        while self.rows_left == 0 && self.next_group < self.reader.num_row_groups() {
            self.begin_group().map_err(|error| broken(&self.path, &error))?;
        }
        Ok(self.rows_left)
    }

    fn begin_group(&mut self) -> Result<(), ParquetError> {
        let group = self.reader.get_row_group(self.next_group)?;
        self.rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        self.rows_left = self.rows;
        self.columns =
            (0..group.num_columns()).map(|column| group.get_column_reader(column)).collect::<Result<_, _>>()?;
        self.next_group += 1;
        Ok(())
    }

    /// Copies the next rows of the current row group: one for each flag, if the flag is set.
    pub(super) fn copy<W: Write + Send>(
        &mut self,
        keep: &[bool],
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), Failure> {
        if keep.len() == self.rows
            && self.rows_left == self.rows
            && !keep.contains(&false)
            && self.copy_chunks(group)?
        {
            self.rows_left = 0;
            return Ok(());
        }
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
            copied.map_err(|error| match error {
                CopyError::Read(error) => broken(&self.path, &error),
                CopyError::Write(error) => unwritable(error),
            })?;
            writer.close().map_err(unwritable)?;
        }
        self.rows_left = self.rows_left.saturating_sub(keep.len());
        Ok(())
    }
}

impl ParquetInput {
    /// Copies a row group as it is, without decoding it, and returns whether that is possible.
    fn copy_chunks<W: Write + Send>(&self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<bool, Failure> {
        let Some(position) = self.next_group.checked_sub(1) else { return Ok(false) };
        let chunks = self.reader.metadata().row_group(position).columns();
        let bytes = self.file.metadata().map_or(0, |metadata| metadata.len());
        if !chunks.iter().all(|chunk| is_in_one_piece(chunk, bytes)) {
            return Ok(false);
        }
        for chunk in chunks {
            let close = ColumnCloseResult {
                bytes_written: u64::try_from(chunk.compressed_size()).unwrap_or(0),
                rows_written: self.rows as u64,
                metadata: chunk.clone(),
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            let input = InputFile::new(&self.file);
            group.append_column(&input, close).map_err(|error| input.failure(&self.path, error))?;
        }
        Ok(true)
    }
}

/// Whether the pages of a column follow one another in a file of so many bytes, at the place that its metadata names.
/// If not, decoding them finds what is wrong.
fn is_in_one_piece(chunk: &ColumnChunkMetaData, bytes: u64) -> bool {
    let data = chunk.data_page_offset();
    // Some writers have 0 where they mean no dictionary.
    let start = chunk.dictionary_page_offset().unwrap_or(data);
    let size = chunk.compressed_size();
    let end = start.checked_add(size).and_then(|end| u64::try_from(end).ok());
    chunk.file_path().is_none() && (1..=data).contains(&start) && size > 0 && end.is_some_and(|end| end <= bytes)
}

/// An error of the input or of the output.
enum CopyError {
    Read(ParquetError),
    Write(ParquetError),
}

/// The highest levels of a column. A value is present if its definition level is the highest, and a row begins at
/// repetition level 0.
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
    ) -> Result<(), CopyError> {
        let writer = writer.typed::<T>();
        for keep in keep.chunks(ROWS) {
            let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
            let mut read = 0;
            while read < keep.len() {
                let (rows, ..) = reader
                    .read_records(keep.len() - read, Some(&mut definitions), Some(&mut repetitions), &mut values)
                    .map_err(CopyError::Read)?;
                if rows == 0 {
                    let reason = "a column has fewer rows than its row group".to_owned();
                    return Err(CopyError::Read(ParquetError::EOF(reason)));
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
                .map_err(CopyError::Write)?;
        }
        Ok(())
    }

    /// Values and levels of the kept rows.
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
        // Without levels, each row has one value.
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

pub(super) fn broken(path: &Path, error: &ParquetError) -> Failure {
    DataError::BrokenParquet { path: path.to_owned(), reason: error.to_string() }.into()
}
