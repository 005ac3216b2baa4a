//! Parts of error messages: files, rows and columns.

use std::fmt;
use std::path::{Path, PathBuf};

use super::super::row::RowNumber;
use super::shell_word;
use ordinate_model::wording::{listed, shorten};

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub path: PathBuf,
    /// The row.
    pub row: RowNumber,
}

/// `data.csv: line 3`, `data.parquet: row 2`.
impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path.display(), self.row)
    }
}

/// The header of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The file.
    pub path: PathBuf,
    /// Its line, if it is a line of the file, as in CSV.
    pub line: Option<u64>,
}

impl Header {
    /// The header of a Parquet file or of CSV, where it is a line.
    #[must_use]
    pub fn new(path: &Path, line: Option<u64>) -> Self {
        Self { path: path.to_owned(), line }
    }
}

/// `data.csv: line 1`, `data.parquet`.
impl fmt::Display for Header {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.path.display())?;
        self.line.map_or(Ok(()), |line| write!(out, ": line {line}"))
    }
}

/// The use of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To predict from.
    Feature,
    /// To be predicted.
    Target,
    /// The weight of each row.
    Weight,
    /// A term of the score without a coefficient.
    Offset,
    /// A factor of the mean without a coefficient.
    Exposure,
}

/// A column in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedColumn {
    /// The column's name.
    pub name: Box<str>,
    /// The column's use.
    pub purpose: Purpose,
}

/// `column "bmi"`, `target column "price"`, `weight column "count"`.
impl fmt::Display for NamedColumn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = match self.purpose {
            Purpose::Feature => "",
            Purpose::Target => "target ",
            Purpose::Weight => "weight ",
            Purpose::Offset => "offset ",
            Purpose::Exposure => "exposure ",
        };
        write!(out, "{purpose}column {:?}", self.name)
    }
}

impl Purpose {
    /// Whether the column must be of numbers: it weighs rows or enters the score as it is.
    #[must_use]
    pub fn needs_numbers(self) -> bool {
        matches!(self, Self::Weight | Self::Offset | Self::Exposure)
    }
}

impl NamedColumn {
    /// What to do about a value that is not of the declared type.
    pub(crate) fn advice_on_type(&self) -> String {
        if self.purpose.needs_numbers() {
            return "correct it, or remove the row".to_owned();
        }
        let option = shell_word(&format!("{}=string", self.name));
        format!("correct it, or declare another type, for example --types {option}")
    }
}

/// `"a", "b" and 3 more`.
pub(crate) fn quoted(columns: &[String]) -> String {
    const SHOWN: usize = 20;
    listed(columns.iter().map(|name| format!("{:?}", shorten(name))), SHOWN)
}

/// `"bmi"`, or `"bmi" (did you mean "BMI"?), "age"`.
pub(crate) fn listed_with_suggestions(missing: &[(String, Option<String>)]) -> String {
    let name = |(name, nearest): &(String, Option<String>)| format!("{name:?}{}", suggestion(nearest.as_deref()));
    missing.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// ` (did you mean "bmi"?)`, or nothing.
pub(crate) fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

/// `, column "bmi"`, or nothing.
pub(crate) fn in_column(name: Option<&str>) -> String {
    name.map(|name| format!(", column {name:?}")).unwrap_or_default()
}
