//! Rows that have been read and encoded once, kept as doubles in a temporary file: further passes read those, at a fraction of
//! what the text costs.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// Bytes that are read or written at a time.
const BUFFER: usize = 1 << 18;

/// A file that is being filled. It has no name, so that it is gone with the process.
#[derive(Debug)]
pub(super) struct Filling(BufWriter<File>);

/// A file of rows, all of one width.
#[derive(Debug)]
pub(super) struct Spool(File);

impl Filling {
    /// An empty file; none where there is no room for one. Then the data are read again.
    pub(super) fn new() -> Option<Self> {
        tempfile::tempfile().ok().map(|file| Self(BufWriter::with_capacity(BUFFER, file)))
    }

    /// Appends one row; none when there is no more room.
    pub(super) fn push(mut self, row: impl IntoIterator<Item = f64>) -> Option<Self> {
        row.into_iter().try_for_each(|value| self.0.write_all(&value.to_le_bytes())).ok().map(|()| self)
    }

    /// The file with all rows in it.
    pub(super) fn finish(self) -> Option<Spool> {
        self.0.into_inner().ok().map(Spool)
    }
}

impl Spool {
    /// Hands every row of this many values to `each`.
    ///
    /// # Errors
    /// Those of reading the file, and whatever `each` fails with.
    pub(super) fn scan<E: From<io::Error>>(
        &self,
        width: usize,
        mut each: impl FnMut(&[f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut file = &self.0;
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(BUFFER, file);
        let mut bytes = vec![0; width * size_of::<f64>()];
        let mut row = vec![0.0; width];
        loop {
            match reader.read_exact(&mut bytes) {
                Ok(()) => {}
                // Rows are written whole, so that the end is the end of one.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            let (values, _) = bytes.as_chunks();
            for (value, bytes) in row.iter_mut().zip(values) {
                *value = f64::from_le_bytes(*bytes);
            }
            each(&row)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_bit_by_bit_as_often_as_they_are_asked_for() {
        let rows = [[1.5, -0.0, f64::MIN_POSITIVE], [f64::MAX, 5e-324, 0.1]];
        let filled = rows.iter().try_fold(Filling::new().unwrap(), |filling, row| filling.push(*row));
        let spool = filled.unwrap().finish().unwrap();
        for _ in 0..2 {
            let mut seen = Vec::new();
            spool
                .scan::<io::Error>(3, |row| {
                    seen.push(row.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
                    Ok(())
                })
                .unwrap();
            assert_eq!(seen, rows.map(|row| row.map(f64::to_bits).to_vec()));
        }
    }

    #[test]
    fn an_error_of_the_reader_ends_the_pass() {
        let spool = Filling::new().unwrap().push([1.0]).unwrap().push([2.0]).unwrap().finish().unwrap();
        let mut seen = 0;
        let outcome = spool.scan::<io::Error>(1, |_| {
            seen += 1;
            Err(io::Error::other("enough"))
        });
        assert!(outcome.is_err() && seen == 1);
    }
}
