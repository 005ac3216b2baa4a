//! Encoded rows, in memory or, if there are many, in a temporary file. Later passes read them at a fraction of the cost of
//! parsing text.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use tempfile::SpooledTempFile;
use thiserror::Error;

/// The temporary file with encoded rows cannot be written or read.
#[derive(Debug, Error)]
#[error(
    "the temporary file with encoded rows cannot be written or read: {0}\n\
     help: free disk space for temporary files, or set TMPDIR to another folder"
)]
pub struct SpoolError(#[from] io::Error);

impl PartialEq for SpoolError {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind() == other.0.kind()
    }
}

/// Bytes that are kept in memory before a file is used.
const IN_MEMORY: usize = 1 << 24;

/// A spool that is being written; all rows have one width.
#[derive(Debug)]
pub struct Filling {
    file: SpooledTempFile,
    width: usize,
    /// Bytes still to be written.
    waiting: Vec<u8>,
}

/// Encoded rows. Their file has no name, so that it disappears with the process.
#[derive(Debug)]
pub struct Spool {
    file: Mutex<SpooledTempFile>,
    width: usize,
}

impl Filling {
    /// Bytes to write at a time.
    const BUFFER: usize = 1 << 18;

    /// A spool without rows.
    pub fn new(width: usize) -> Self {
        Self { file: SpooledTempFile::new(IN_MEMORY), width, waiting: Vec::new() }
    }

    /// Appends whole rows.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn push(&mut self, values: &[f64]) -> Result<(), SpoolError> {
        self.waiting.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        if self.waiting.len() >= Self::BUFFER { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), SpoolError> {
        self.file.write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    /// Ends writing.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn finish(mut self) -> Result<Spool, SpoolError> {
        self.write()?;
        Ok(Spool { file: Mutex::new(self.file), width: self.width })
    }
}

impl Spool {
    /// Values a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The bytes of some rows, fewer at the end, for [`values`] to decode.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn bytes(&self, first: u64, rows: usize) -> Result<Vec<u8>, SpoolError> {
        let row = self.width * size_of::<f64>();
        let mut bytes = Vec::with_capacity(row * rows);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(first * row as u64))?;
        (&mut *file).take((row * rows) as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Hands every row to `each`.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn scan(&self, mut each: impl FnMut(&[f64])) -> Result<(), SpoolError> {
        let rows = (Filling::BUFFER / size_of::<f64>() / self.width).max(1);
        for first in (0..).step_by(rows) {
            let values: Vec<f64> = values(&self.bytes(first, rows)?).collect();
            if values.is_empty() {
                break;
            }
            values.chunks_exact(self.width).for_each(&mut each);
        }
        Ok(())
    }
}

/// The values in these bytes.
pub fn values(bytes: &[u8]) -> impl Iterator<Item = f64> {
    bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back_exactly_and_repeatedly() {
        let rows = [[1.5, -0.0, f64::MIN_POSITIVE], [f64::MAX, 5e-324, f64::NAN]];
        let mut filling = Filling::new(3);
        for row in rows {
            filling.push(&row).unwrap();
        }
        let spool = filling.finish().unwrap();
        for _ in 0..2 {
            let mut seen = Vec::new();
            spool.scan(|row| seen.push(row.iter().map(|value| value.to_bits()).collect::<Vec<_>>())).unwrap();
            assert_eq!(seen, rows.map(|row| row.map(f64::to_bits).to_vec()));
        }
    }

    #[test]
    fn rows_beyond_the_memory_limit_are_kept_on_disk() {
        let mut filling = Filling::new(1);
        let count = IN_MEMORY / size_of::<f64>() + 1;
        (0..count).for_each(|value| filling.push(&[value as f64]).unwrap());
        let spool = filling.finish().unwrap();
        assert!(spool.file.lock().unwrap().is_rolled());
        let mut next = 0.0;
        spool.scan(|row| next += f64::from(u8::from(row == [next]))).unwrap();
        assert!((next - count as f64).abs() < 0.5);
        assert_eq!(values(&spool.bytes(count as u64 - 1, 5).unwrap()).collect::<Vec<_>>(), [(count - 1) as f64]);
    }
}
