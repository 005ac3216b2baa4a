//! CSV output.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::OutputColumn;
use crate::output::OutputFile;
use ordinate_model::scalar::Scalar;
use ordinate_table::{Row, TableReader};

/// A file or standard output.
pub(super) enum Target {
    File(OutputFile),
    Stdout(BufWriter<io::StdoutLock<'static>>),
}

impl Target {
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        OutputFile::create(path).map(Self::File)
    }

    pub(super) fn stdout() -> Self {
        Self::Stdout(BufWriter::with_capacity(1 << 16, io::stdout().lock()))
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

/// A CSV file that is written.
pub(super) struct CsvOutput {
    rows: csv::Writer<Target>,
    /// Input columns.
    width: usize,
    /// Added columns.
    added: usize,
}

impl CsvOutput {
    /// Writes the header.
    pub(super) fn new(target: Target, reader: &TableReader, added: &[OutputColumn]) -> io::Result<Self> {
        let mut rows = csv::WriterBuilder::new().delimiter(reader.delimiter()).flexible(true).from_writer(target);
        let names = reader.header().iter().map(String::as_str).chain(added.iter().map(|added| added.name.as_str()));
        rows.write_record(names).map_err(to_io)?;
        Ok(Self { rows, width: reader.header().len(), added: added.len() })
    }

    /// Writes the fields of a row, padded or cut to the width of the header, then the values of the added columns.
    pub(super) fn push(&mut self, row: &Row, values: Option<Vec<Scalar>>) -> io::Result<()> {
        let mut field = |text: &str| self.rows.write_field(text).map_err(to_io);
        for position in 0..self.width {
            field(&row.text(position))?;
        }
        match values {
            Some(values) => values.iter().try_for_each(|value| field(&text(value)))?,
            None => (0..self.added).try_for_each(|_| field(""))?,
        }
        self.rows.write_record(None::<&[u8]>).map_err(to_io)
    }

    /// Writes the rows so far.
    pub(super) fn flush(&mut self) {
        // Another error is reported.
        let _ = self.rows.flush();
    }

    /// Ends, and keeps or discards a file.
    pub(super) fn finish(self, keep: bool) -> io::Result<()> {
        match self.rows.into_inner().map_err(csv::IntoInnerError::into_error)? {
            Target::File(file) if keep => file.keep(),
            Target::File(_) => Ok(()),
            Target::Stdout(mut stdout) => stdout.flush(),
        }
    }
}

fn to_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A class as in the training data, a number with the digits of an answer over HTTPS, nothing for a missing value.
fn text(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(value) => {
            serde_json::Number::from_f64(*value).map(|digits| digits.to_string()).unwrap_or_default()
        }
        Scalar::Missing => String::new(),
        other => other.to_string(),
    }
}
