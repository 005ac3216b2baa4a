//! Rows and predictions as CSV.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::Added;
use crate::output::WholeFile;
use crate::records::{Records, Row};
use ordinate_model::scalar::Scalar;

/// Where the bytes go.
pub(super) enum Target {
    File(WholeFile),
    Stdout(BufWriter<io::StdoutLock<'static>>),
}

impl Target {
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        WholeFile::create(path).map(Self::File)
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

/// The table that is written.
pub(super) struct CsvTable {
    rows: csv::Writer<Target>,
    /// Columns that came.
    width: usize,
    /// Columns that are added.
    added: usize,
}

impl CsvTable {
    /// Writes the header.
    pub(super) fn new(target: Target, records: &Records, added: &[Added]) -> io::Result<Self> {
        let mut rows = csv::WriterBuilder::new().delimiter(records.delimiter()).flexible(true).from_writer(target);
        let names = records.header().iter().chain(added.iter().map(|added| added.name.as_str()));
        rows.write_record(names).map_err(to_io)?;
        Ok(Self { rows, width: records.header().len(), added: added.len() })
    }

    /// The fields of a row, as many as the header has (one that is too short is filled up, one that is too long is cut),
    /// then what is said to it.
    pub(super) fn push(&mut self, row: &Row, said: Option<Vec<Scalar>>) -> io::Result<()> {
        let mut field = |text: &str| self.rows.write_field(text).map_err(to_io);
        for place in 0..self.width {
            field(row.fields.get(place).unwrap_or_default())?;
        }
        match said {
            Some(said) => said.iter().try_for_each(|value| field(&text(value)))?,
            None => (0..self.added).try_for_each(|_| field(""))?,
        }
        self.rows.write_record(None::<&[u8]>).map_err(to_io)
    }

    /// Lets go what was written so far.
    pub(super) fn flush(&mut self) {
        // There is another error to tell.
        let _ = self.rows.flush();
    }

    /// Ends; a file is there only if it is to be kept.
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

/// A label as it stood in the training data, a number with the digits that an answer over HTTPS has, nothing for no value.
fn text(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(value) => {
            serde_json::Number::from_f64(*value).map(|digits| digits.to_string()).unwrap_or_default()
        }
        Scalar::Missing => String::new(),
        other => other.to_string(),
    }
}
