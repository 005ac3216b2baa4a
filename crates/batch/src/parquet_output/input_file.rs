//! A file whose columns are copied as they are, with the failures of reads apart from those of writes.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::input_columns::broken;
use super::unwritable;
use crate::failure::Failure;

/// The bytes of a column, which keep the error of a read: the error of a copy may be that of a read or of a write.
pub(super) struct InputChunk<R> {
    read: R,
    error: Arc<Mutex<Option<ParquetError>>>,
}

impl<R: Read> Read for InputChunk<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read.read(buffer).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                note(&self.error, ParquetError::General(error.to_string()));
            }
        })
    }
}

fn note(error: &Mutex<Option<ParquetError>>, found: ParquetError) {
    *error.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
}

/// A file that is copied.
pub(super) struct InputFile<'a, R> {
    file: &'a R,
    error: Arc<Mutex<Option<ParquetError>>>,
}

impl<'a, R: ChunkReader> InputFile<'a, R> {
    pub(super) fn new(file: &'a R) -> Self {
        Self { file, error: Arc::default() }
    }

    /// The failure of a copy, which is that of the input if a read of it failed.
    pub(super) fn failure(&self, path: &Path, copy: ParquetError) -> Failure {
        let of_input = self.error.lock().unwrap_or_else(PoisonError::into_inner).take();
        of_input.map_or_else(|| unwritable(copy), |error| broken(path, &error))
    }
}

impl<R: ChunkReader> Length for InputFile<'_, R> {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl<R: ChunkReader> ChunkReader for InputFile<'_, R> {
    type T = InputChunk<R::T>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let read = self.file.get_read(start);
        let read = read.inspect_err(|error| note(&self.error, ParquetError::General(error.to_string())))?;
        Ok(InputChunk { read, error: Arc::clone(&self.error) })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.file.get_bytes(start, length).inspect_err(|error| {
            note(&self.error, ParquetError::General(error.to_string()));
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use parquet::column::writer::ColumnCloseResult;
    use parquet::data_type::DoubleType;
    use parquet::file::properties::WriterProperties;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// A disk whose reads, or whose place, fail.
    struct Damaged {
        is_opened: bool,
    }

    impl Read for Damaged {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is damaged"))
        }
    }

    impl Length for Damaged {
        fn len(&self) -> u64 {
            1 << 20
        }
    }

    impl ChunkReader for Damaged {
        type T = Self;

        fn get_read(&self, _: u64) -> Result<Self, ParquetError> {
            if self.is_opened { Ok(Self { is_opened: true }) } else { Err(ParquetError::EOF("damaged".to_owned())) }
        }

        fn get_bytes(&self, _: u64, _: usize) -> Result<Bytes, ParquetError> {
            Err(ParquetError::EOF("damaged".to_owned()))
        }
    }

    /// A full disk.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A file with one column.
    fn content() -> Vec<u8> {
        let schema = Arc::new(parse_message_type("message m { required double x; }").unwrap());
        let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::new())).unwrap();
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<f64> = (0..9999).map(f64::from).collect();
        column.typed::<DoubleType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        file.into_inner().unwrap()
    }

    fn failure<R: ChunkReader>(input: &R, into_full: bool) -> Failure {
        let content = Bytes::from(content());
        let reader = SerializedFileReader::new(content).unwrap();
        let chunk = reader.metadata().row_group(0).column(0).clone();
        let schema = reader.metadata().file_metadata().schema_descr().root_schema_ptr();
        let close = ColumnCloseResult {
            bytes_written: u64::try_from(chunk.compressed_size()).unwrap(),
            rows_written: 9999,
            metadata: chunk,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        let input = InputFile::new(input);
        let target: Box<dyn Write + Send> = if into_full { Box::new(Full) } else { Box::new(Vec::new()) };
        let properties = Arc::new(WriterProperties::new());
        let error = match SerializedFileWriter::new(target, schema, properties) {
            Ok(mut file) => file.next_row_group().unwrap().append_column(&input, close).unwrap_err(),
            Err(error) => error,
        };
        input.failure(Path::new("rows.parquet"), error)
    }

    #[test]
    fn a_failed_read_is_no_failed_write() {
        for is_opened in [true, false] {
            let failure = failure(&Damaged { is_opened }, false);
            assert!(matches!(failure, Failure::Scoring(_)), "{failure:?}");
            assert!(
                failure.to_string().contains("rows.parquet") && failure.to_string().contains("damaged"),
                "{failure}"
            );
        }
        assert!(matches!(failure(&Bytes::from(content()), true), Failure::Write(_)));
    }
}
