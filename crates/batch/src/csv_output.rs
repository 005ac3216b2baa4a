//! CSV output.

use std::collections::HashSet;
use std::io::{self, Write};

use crate::columns::OutputColumn;
use ordinate_model::scalar::Scalar;
use ordinate_table::{Row, TableReader};

/// A CSV file that is written.
#[derive(Debug)]
pub struct CsvOutput<W: Write> {
    rows: csv::Writer<W>,
    /// Input columns.
    width: usize,
    /// Added columns.
    added: usize,
}

impl<W: Write> CsvOutput<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// Those of the target.
    pub fn new(target: W, reader: &TableReader, added: &[OutputColumn]) -> io::Result<Self> {
        let mut output = Self::continued(target, reader, added);
        let mut written = HashSet::new();
        // The name in the file, unless an earlier column has it.
        let own = reader.header().iter().zip(reader.names());
        let own = own.map(|(given, name)| if written.insert(given) { given } else { name });
        let names = own.chain(added.iter().map(|added| &added.name));
        output.rows.write_record(names).map_err(to_io)?;
        Ok(output)
    }

    /// Continues a file whose header is written.
    pub fn continued(target: W, reader: &TableReader, added: &[OutputColumn]) -> Self {
        let rows = csv::WriterBuilder::new().delimiter(reader.delimiter()).flexible(true).from_writer(target);
        Self { rows, width: reader.header().len(), added: added.len() }
    }

    /// Writes the fields of a row, padded or cut to the width of the header, then the values of the added columns.
    ///
    /// # Errors
    /// Those of the target.
    pub fn push(&mut self, row: &Row, values: Option<Vec<Scalar>>) -> io::Result<()> {
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
    ///
    /// # Errors
    /// Those of the target.
    pub fn flush(&mut self) -> io::Result<()> {
        self.rows.flush()
    }

    /// Writes the rows so far, and returns the target.
    ///
    /// # Errors
    /// Those of the target.
    pub fn finish(self) -> io::Result<W> {
        self.rows.into_inner().map_err(csv::IntoInnerError::into_error)
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
