//! Parquet: numbers, booleans, text and dates. Columns are decoded in batches of rows, from which rows are taken one by one.

mod batch;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;
use serde_json::Value as Json;

use super::partitions::Partition;
use super::{DataError, Watch};
pub(super) use batch::{Batch, BatchRow};
use batch::{BatchColumn, ColumnDecoder};

/// The first (and last) bytes of a Parquet file.
pub(super) const MAGIC: [u8; 4] = *b"PAR1";

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    /// The positions of the columns that pandas stored as the index of the rows.
    pub(super) index: Vec<usize>,
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
    let is_index = |name: &String| listed.contains(name) || is_unnamed_index(name);
    let index = names.iter().enumerate().filter(|(_, name)| is_index(name)).map(|(position, _)| position).collect();
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
const TIMES: &str = "times of day";
const BYTES: &str = "bytes that are not text";
const INTERVALS: &str = "intervals of time";

/// What a column contains, if its type shows that a model cannot use it.
fn unusable(field: &Type) -> Option<&'static str> {
    let info = field.get_basic_info();
    if !field.is_primitive() || info.has_repetition() && info.repetition() == Repetition::REPEATED {
        return Some(GROUPS);
    }
    let is_plain = matches!(info.converted_type(), ConvertedType::NONE | ConvertedType::BSON);
    match (field.get_physical_type(), info.logical_type_ref(), info.converted_type()) {
        (_, Some(LogicalType::Time { .. }), _) | (_, _, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS) => {
            Some(TIMES)
        }
        (_, _, ConvertedType::INTERVAL) => Some(INTERVALS),
        (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16), _) => None,
        (Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY, ..) if is_plain => Some(BYTES),
        _ => None,
    }
}

fn open(path: &Path, name: &Path) -> Result<SerializedFileReader<File>, DataError> {
    let file = File::open(path).map_err(|source| DataError::unreadable(name, source))?;
    SerializedFileReader::new(file).map_err(|error| broken(name, &error))
}

fn broken(name: &Path, error: &ParquetError) -> DataError {
    DataError::BrokenParquet { path: name.to_owned(), reason: error.to_string() }
}

/// Bytes of a batch, and the most of its rows.
const BATCH_BYTES: u64 = 4 << 20;
const BATCH_ROWS: u64 = 4096;

/// Where the values of a column are.
enum Place {
    /// The column is not needed.
    Nowhere,
    /// A column of the file, of simple values.
    Leaf(usize),
    /// A column that only the row reader understands.
    Other,
}

/// The rows of a file, one by one.
pub(super) struct ParquetRows {
    name: PathBuf,
    reader: SerializedFileReader<File>,
    places: Vec<Place>,
    partitions: Vec<Partition>,
    /// The row group after the current one.
    next_group: usize,
    /// The decoder of each column in the current row group.
    decoders: Vec<Option<ColumnDecoder>>,
    /// Rows of the current row group that are not decoded, and rows of a batch.
    rows_left: usize,
    batch_rows: usize,
    others: Option<RowIter<'static>>,
    batch: Arc<Batch>,
    /// Rows of the batch that were handed out.
    at: usize,
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
    /// The rows, with values in all columns or in those at these positions.
    pub(super) fn open(
        path: &Path,
        name: &Path,
        needed: Option<&[usize]>,
        partitions: &[Partition],
        watch: Option<&Watch>,
    ) -> Result<Self, DataError> {
        let reader = open(path, name)?;
        let metadata = reader.metadata().file_metadata();
        let rows = u64::try_from(metadata.num_rows()).unwrap_or(0);
        let progress = watch.map(|watch| Progress {
            watch: watch.clone(),
            bytes: path.metadata().map_or(0, |metadata| metadata.len()),
            rows: rows.max(1),
        });
        let schema = metadata.schema();
        let (mut places, mut others, mut leaf) = (Vec::new(), Vec::new(), 0);
        for (position, field) in schema.get_fields().iter().enumerate() {
            let place = if needed.is_some_and(|needed| !needed.contains(&position)) {
                Place::Nowhere
            } else if unusable(field).is_some() {
                others.push(Arc::clone(field));
                Place::Other
            } else {
                Place::Leaf(leaf)
            };
            places.push(place);
            leaf += leaves(field);
        }
        let others = if others.is_empty() {
            None
        } else {
            let broken = |error: ParquetError| broken(name, &error);
            let projection = Type::group_type_builder(schema.name()).with_fields(others).build().map_err(broken)?;
            let reader = Box::new(open(path, name)?);
            Some(RowIter::from_file_into(reader).project(Some(projection)).map_err(broken)?)
        };
        Ok(Self {
            name: name.to_owned(),
            reader,
            places,
            partitions: partitions.to_vec(),
            next_group: 0,
            decoders: Vec::new(),
            rows_left: 0,
            batch_rows: 1,
            others,
            batch: Arc::default(),
            at: 0,
            read: 0,
            progress,
        })
    }

    /// Reads the next row, and returns its number, from 1.
    pub(super) fn next(&mut self, row: &mut BatchRow) -> Result<Option<u64>, DataError> {
        if self.at >= self.batch.rows {
            // The memory of the last batch is free before the next is decoded.
            *row = BatchRow::default();
            self.batch = Arc::default();
            let batch = self.next_batch().map_err(|error| broken(&self.name, &error))?;
            let Some(batch) = batch else { return Ok(None) };
            self.report(batch.rows);
            self.batch = Arc::new(batch);
            self.at = 0;
        }
        *row = BatchRow { batch: Arc::clone(&self.batch), at: self.at };
        self.at += 1;
        self.read += 1;
        Ok(Some(self.read))
    }

    fn report(&self, count: usize) {
        if let Some(Progress { watch, bytes, rows }) = &self.progress {
            let reached = |read: u64| u128::from(*bytes) * u128::from(read) / u128::from(*rows);
            let bytes = reached(self.read + count as u64) - reached(self.read);
            watch.report(u64::try_from(bytes).unwrap_or(0));
        }
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, ParquetError> {
        while self.rows_left == 0 {
            if self.next_group >= self.reader.num_row_groups() {
                return Ok(None);
            }
            self.begin_group()?;
        }
        let rows = self.rows_left.min(self.batch_rows);
        let mut others = self.others(rows)?.into_iter();
        let mut columns = Vec::with_capacity(self.places.len() + self.partitions.len());
        for (place, decoder) in self.places.iter().zip(&mut self.decoders) {
            columns.push(match (place, decoder) {
                (Place::Other, _) => others.next().unwrap_or_default(),
                (Place::Leaf(_), Some(decoder)) => decoder.read(rows)?,
                _ => BatchColumn::default(),
            });
        }
        columns.extend(self.partitions.iter().map(|partition| BatchColumn::constant(&partition.value)));
        self.rows_left -= rows;
        Ok(Some(Batch { rows, columns }))
    }

    fn begin_group(&mut self) -> Result<(), ParquetError> {
        let group = self.reader.get_row_group(self.next_group)?;
        let metadata = group.metadata();
        let size = |number: i64| u64::try_from(number).unwrap_or(0);
        let rows = size(metadata.num_rows());
        let of_row = size(metadata.total_byte_size()) / rows.max(1);
        let batch_rows = (BATCH_BYTES / of_row.max(1)).clamp(1, BATCH_ROWS);
        let usize_of = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        (self.rows_left, self.batch_rows) = (usize_of(rows), usize_of(batch_rows));
        self.decoders = self
            .places
            .iter()
            .map(|place| match place {
                Place::Leaf(leaf) => {
                    let reader = group.get_column_reader(*leaf)?;
                    Ok(Some(ColumnDecoder::new(reader, &metadata.column(*leaf).column_descr_ptr())))
                }
                _ => Ok(None),
            })
            .collect::<Result<_, ParquetError>>()?;
        self.next_group += 1;
        Ok(())
    }

    /// The values of the next rows in the columns that only the row reader understands.
    fn others(&mut self, rows: usize) -> Result<Vec<BatchColumn>, ParquetError> {
        let Some(others) = &mut self.others else { return Ok(Vec::new()) };
        let mut columns: Vec<Vec<Option<String>>> = Vec::new();
        for row in others.take(rows) {
            for (column, (_, field)) in row?.into_columns().into_iter().enumerate() {
                if columns.len() == column {
                    columns.push(Vec::with_capacity(rows));
                }
                let is_missing = matches!(field, parquet::record::Field::Null);
                if let Some(texts) = columns.get_mut(column) {
                    texts.push((!is_missing).then(|| field.to_string()));
                }
            }
        }
        Ok(columns.into_iter().map(BatchColumn::unusable).collect())
    }
}

/// The number of columns of a file that a field consists of.
fn leaves(field: &Type) -> usize {
    if field.is_primitive() { 1 } else { field.get_fields().iter().map(|field| leaves(field)).sum() }
}
