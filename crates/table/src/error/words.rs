//! What faults are made of: where they are, in which column, and what to do about them.

use std::fmt;
use std::path::{Path, PathBuf};

use ordinate_model::number::has_decimal_comma;
use ordinate_model::wording::shorten;

/// A row of a file: its line in a text, its number in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub path: PathBuf,
    /// The line or row, counted from 1.
    pub line: u64,
    /// Whether it is a row of a file that has no lines.
    pub is_row: bool,
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.is_row { "row" } else { "line" };
        write!(out, "{}: {noun} {}", self.path.display(), self.line)
    }
}

/// Where a file says what its columns are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The file.
    pub path: PathBuf,
    /// Whether it is a line of the file.
    pub is_line: bool,
}

impl Header {
    /// That of a file, which is one of Parquet or of lines.
    #[must_use]
    pub fn of(path: &Path, is_parquet: bool) -> Self {
        Self { path: path.to_owned(), is_line: !is_parquet }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.path.display(), if self.is_line { ": line 1" } else { "" })
    }
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To predict from.
    Feature,
    /// To be predicted.
    Target,
    /// To say how much a row counts.
    Weight,
}

/// A column that a fault is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedColumn {
    /// Its name.
    pub name: Box<str>,
    /// What it is for.
    pub purpose: Purpose,
}

/// `column "bmi"`, `target column "price"`, `weight column "count"`.
impl fmt::Display for NamedColumn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = match self.purpose {
            Purpose::Feature => "",
            Purpose::Target => "target ",
            Purpose::Weight => "weight ",
        };
        write!(out, "{purpose}column {:?}", self.name)
    }
}

impl NamedColumn {
    /// What to do about a value that is no number.
    pub(crate) fn instead_of_a_word(&self) -> String {
        let name = &self.name;
        match self.purpose {
            Purpose::Feature => {
                format!(
                    "Correct it, leave the column out (--exclude {name:?}), or declare it a category (--categorical {name:?})"
                )
            }
            Purpose::Target => format!("Correct it, remove the row, or declare classes (--categorical {name:?})"),
            Purpose::Weight => "Correct it, or remove the row".to_owned(),
        }
    }

    /// What to do about a value that looks like a number and is none.
    pub(crate) fn instead_of(&self, value: &str) -> String {
        let value = value.trim_matches('"');
        if has_decimal_comma(value) && value.contains('.') {
            return "Numbers need a decimal point, not a comma, and nothing between their thousands".to_owned();
        }
        if has_decimal_comma(value) {
            return "Numbers need a decimal point, not a comma: where fields are separated by ; or tabs, \
                    tr , . < FILE > NEW makes them so"
                .to_owned();
        }
        self.instead_of_a_word()
    }

    /// What to do about a value that is not of the declared type.
    pub(crate) fn instead_of_another_type(&self) -> String {
        match self.purpose {
            Purpose::Weight => "Correct it, or remove the row".to_owned(),
            _ => format!("Correct it, or declare another type (--types {}=string)", self.name),
        }
    }
}

pub(crate) fn listed(columns: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<String> = columns.iter().take(SHOWN).map(|name| format!("{:?}", shorten(name))).collect();
    if columns.len() > SHOWN {
        names.push(format!("and {} more", columns.len() - SHOWN));
    }
    names.join(", ")
}

pub(crate) fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| ".".to_owned(), |name| format!(": did you mean {name:?}?"))
}
