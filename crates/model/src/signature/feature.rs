//! One input column, and how its values are read.

use serde::{Deserialize, Serialize};

use super::stored::Stored;
use super::{FeatureType, MissingPolicy, OTHER_LEVEL, UNKNOWN_LEVEL, UnknownPolicy};
use crate::cell::Cell;
use crate::date;
use crate::number::{self, NumberError};
use crate::reading::Reading;
use crate::scalar::Scalar;
use crate::suggestion::most_similar;
use crate::wording::shorten;

/// One input column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Feature {
    /// The name that callers use; it is case-sensitive.
    pub name: String,
    /// The type of its values.
    pub kind: FeatureType,
    /// The treatment of missing values.
    pub missing: MissingPolicy,
    /// How text is read as a value: the conventions of the training file.
    pub reading: Reading,
    /// The smallest and largest value of a number in the training data; of a date in days since 1970-01-01.
    pub range: Option<[f64; 2]>,
    /// Whether all values of a double in the training data are whole numbers. Requests may have others, but example
    /// rows have not.
    pub whole: bool,
    /// Whether only numbers above zero are accepted, because the model takes their logarithm.
    pub positive: bool,
    /// The smallest number that is accepted, because the model takes a function that is not defined below it.
    pub minimum: Option<f64>,
    /// Whether the design has a column that is 1 where the value was missing.
    pub indicator: bool,
    /// The categories of a string in the training data, in ascending byte order; a frame has their positions.
    pub levels: Vec<String>,
    /// The treatment of other categories.
    pub unknown: UnknownPolicy,
}

/// The value in a frame of a cell that a feature accepts: a number, 1 or 0, days, or the position of a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Accepted {
    /// The value of the cell.
    Given(f64),
    /// The cell is missing, and this value replaces it.
    Imputed(f64),
    /// The cell is a category that is not in the training data.
    UnknownCategory(f64),
}

impl Accepted {
    /// The value in a frame.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::Given(value) | Self::Imputed(value) | Self::UnknownCategory(value) => value,
        }
    }
}

/// Why a cell does not fit its feature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// A value of another type.
    #[error("expected {expected}, got {got}")]
    Type {
        /// A description of the accepted values.
        expected: String,
        /// A description of the value.
        got: String,
    },
    /// A number that a double cannot represent.
    #[error("got {text}, {why}")]
    Lossy {
        /// The first digits of the number as it was written.
        text: String,
        /// Why it cannot.
        why: NumberError,
    },
    /// A category that is not in the training data.
    #[error("expected {expected}, got {got}, which is not in the training data")]
    UnknownCategory {
        /// A description of the categories in the training data.
        expected: String,
        /// A description of the value.
        got: String,
    },
    /// No value where one is required.
    #[error("is missing, and the model does not impute it")]
    Missing,
}

impl Feature {
    /// A feature of this name and type that rejects missing values and unknown categories.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: FeatureType) -> Self {
        Self {
            name: name.into(),
            kind,
            missing: MissingPolicy::Reject,
            reading: Reading::default(),
            range: None,
            whole: false,
            positive: false,
            minimum: None,
            indicator: false,
            levels: Vec::new(),
            unknown: UnknownPolicy::Reject,
        }
    }

    /// Converts a cell to the value in a frame: a number, 1 or 0, days, or the position of a level.
    ///
    /// # Errors
    /// See [`CellError`].
    pub fn accept(&self, cell: Cell<'_>) -> Result<f64, CellError> {
        self.resolve(cell).map(Accepted::value)
    }

    /// The same as [`accept`](Self::accept), with the origin of the value.
    ///
    /// # Errors
    /// See [`CellError`].
    pub fn resolve(&self, cell: Cell<'_>) -> Result<Accepted, CellError> {
        match self.resolve_of_type(cell)? {
            Accepted::Given(value) if self.is_outside_domain(value) => Err(match cell {
                Cell::Field(_) => self.wrong_type(cell),
                // Not `the number 0`, as if its type were wrong.
                _ => CellError::Type { expected: self.expected(cell), got: value.to_string() },
            }),
            accepted => Ok(accepted),
        }
    }

    /// Whether the model takes a function of the feature that is not defined for the value.
    fn is_outside_domain(&self, value: f64) -> bool {
        (self.positive && value <= 0.0) || self.minimum.is_some_and(|minimum| value < minimum)
    }

    fn resolve_of_type(&self, cell: Cell<'_>) -> Result<Accepted, CellError> {
        let given = |value| Ok(Accepted::Given(value));
        match (self.kind, cell) {
            (_, Cell::Missing) => self.impute(),
            // One rule for text in all protocols; spaces are part of a category.
            (FeatureType::String, Cell::Text(text) | Cell::Field(text)) => self.level(text, cell),
            (_, Cell::Field(text)) if self.reading.is_missing(text) => self.impute(),
            (FeatureType::Boolean, Cell::Boolean(value)) => given(f64::from(u8::from(value))),
            (FeatureType::Boolean, Cell::Field(text)) => self.boolean(self.reading.boolean(text), cell),
            (FeatureType::Boolean, Cell::Text(text)) => self.boolean(self.reading.word(text), cell),
            (FeatureType::Double | FeatureType::Long, Cell::Double(value)) if !value.is_finite() => self.impute(),
            (FeatureType::Double, Cell::Double(value)) => given(value),
            (FeatureType::Long, Cell::Double(value)) if value.fract() == 0.0 => given(value),
            (FeatureType::Double | FeatureType::Long, Cell::Integer(value)) => {
                let lossy = |why| CellError::Lossy { text: value.to_string(), why };
                number::integer(value).map(Accepted::Given).map_err(lossy)
            }
            (FeatureType::Double | FeatureType::Long, Cell::Number(text)) => self.number(text, cell),
            (FeatureType::Double | FeatureType::Long, Cell::Field(text)) => self.number(text.trim_ascii(), cell),
            (FeatureType::Date, Cell::Date(days)) if date::is_date(days) => given(days),
            (FeatureType::Date, Cell::Text(text)) => self.date(date::parse_iso(text), cell),
            (FeatureType::Date, Cell::Field(text)) => self.date(self.reading.date(text), cell),
            (_, cell) => Err(self.wrong_type(cell)),
        }
    }

    /// Converts a value of a frame to plain data: the inverse of [`accept`](Self::accept).
    #[must_use]
    pub fn to_scalar(&self, value: f64) -> Scalar {
        match self.kind {
            FeatureType::Double | FeatureType::Long => Scalar::Number(value),
            FeatureType::Boolean => Scalar::Boolean(value != 0.0),
            FeatureType::Date => Scalar::Text(date::to_iso(value)),
            FeatureType::String => self.level_at(value).map_or(Scalar::Missing, |level| Scalar::Text(level.to_owned())),
        }
    }

    /// The level at a position, the value of a category in a frame; `None` for an unknown category.
    // Positions are small whole numbers; [`UNKNOWN_LEVEL`] is negative.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn level_at(&self, value: f64) -> Option<&str> {
        if value < 0.0 { None } else { self.levels.get(value as usize).map(String::as_str) }
    }

    fn boolean(&self, value: Option<bool>, cell: Cell<'_>) -> Result<Accepted, CellError> {
        let value = value.ok_or_else(|| self.wrong_type(cell))?;
        Ok(Accepted::Given(f64::from(u8::from(value))))
    }

    fn date(&self, days: Option<f64>, cell: Cell<'_>) -> Result<Accepted, CellError> {
        days.map(Accepted::Given).ok_or_else(|| self.wrong_type(cell))
    }

    fn number(&self, text: &str, cell: Cell<'_>) -> Result<Accepted, CellError> {
        let is_long = self.kind == FeatureType::Long;
        // JSON numbers have one notation.
        let value = if matches!(cell, Cell::Field(_)) {
            self.reading.number(text, |plain| parse(plain, is_long))
        } else {
            parse(text, is_long)
        };
        match value {
            Ok(value) if is_long && value.fract() != 0.0 => Err(self.wrong_type(cell)),
            Ok(value) => Ok(Accepted::Given(value)),
            Err(NumberError::NotFinite) => self.impute(),
            Err(NumberError::Malformed) if self.has_foreign_comma(text) => {
                Err(CellError::Type { expected: "a number with a decimal point".into(), got: cell.to_string() })
            }
            Err(NumberError::Malformed) => Err(self.wrong_type(cell)),
            Err(why) => Err(CellError::Lossy { text: shorten(text), why }),
        }
    }

    /// Whether a text has a decimal comma where a decimal point is expected.
    fn has_foreign_comma(&self, text: &str) -> bool {
        self.kind == FeatureType::Double && self.reading.decimal.is_none() && number::has_decimal_comma(text)
    }

    /// Whether a cell is a missing value of this feature. Text that is a level is not, even if it is empty or a
    /// missing-value marker.
    #[must_use]
    pub fn is_missing(&self, cell: Cell<'_>) -> bool {
        match (self.kind, cell) {
            (_, Cell::Missing) => true,
            (FeatureType::String, Cell::Text(text) | Cell::Field(text)) => {
                self.reading.is_missing(text) && self.find(text).is_none()
            }
            (FeatureType::Double | FeatureType::Long, Cell::Double(value)) => !value.is_finite(),
            (FeatureType::Double | FeatureType::Long, Cell::Field(text)) => {
                self.reading.is_missing(text) || number::parse_double(text.trim_ascii()) == Err(NumberError::NotFinite)
            }
            (FeatureType::Boolean | FeatureType::Date, Cell::Field(text)) => self.reading.is_missing(text),
            _ => false,
        }
    }

    /// Describes the error of a cell. For an unknown category it suggests a similar level, and points out spaces around
    /// it, which are hard to see.
    #[must_use]
    pub fn explain(&self, error: &CellError, cell: Cell<'_>) -> String {
        let (CellError::UnknownCategory { .. }, Cell::Text(text) | Cell::Field(text)) = (error, cell) else {
            return error.to_string();
        };
        match most_similar(text, &self.levels) {
            Some(level) if level.trim() == text.trim() => {
                format!("{error}; did you mean {:?}, with other spaces?", shorten(level))
            }
            Some(level) => format!("{error}; did you mean {:?}?", shorten(level)),
            None => error.to_string(),
        }
    }

    /// The position of a level.
    // A position among levels that fit into memory is exact.
    #[allow(clippy::cast_precision_loss)]
    fn find(&self, text: &str) -> Option<f64> {
        let position = self.levels.binary_search_by(|level| level.as_str().cmp(text));
        position.ok().map(|position| position as f64)
    }

    fn level(&self, text: &str, cell: Cell<'_>) -> Result<Accepted, CellError> {
        match self.find(text) {
            Some(position) => Ok(Accepted::Given(position)),
            None if self.reading.is_missing(text) => self.impute(),
            None => self.unknown(cell).map(Accepted::UnknownCategory),
        }
    }

    fn unknown(&self, cell: Cell<'_>) -> Result<f64, CellError> {
        match self.unknown {
            UnknownPolicy::Ignore => Ok(UNKNOWN_LEVEL),
            UnknownPolicy::Other => Ok(self.find(OTHER_LEVEL).unwrap_or(UNKNOWN_LEVEL)),
            UnknownPolicy::Reject => {
                Err(CellError::UnknownCategory { expected: self.expected(cell), got: cell.to_string() })
            }
        }
    }

    fn impute(&self) -> Result<Accepted, CellError> {
        let value = match &self.missing {
            MissingPolicy::Reject | MissingPolicy::Impute(Scalar::Missing) => Err(CellError::Missing),
            MissingPolicy::Category(level) => self.find(level).ok_or(CellError::Missing),
            // An imputed value is never missing itself, even if it is a missing-value marker.
            MissingPolicy::Impute(Scalar::Number(value)) if !value.is_finite() => Err(CellError::Missing),
            MissingPolicy::Impute(Scalar::Text(text)) if self.kind == FeatureType::String => {
                self.find(text).map_or_else(|| self.unknown(Cell::Text(text)), Ok)
            }
            MissingPolicy::Impute(value) => self.accept(value.cell()),
        };
        value.map(Accepted::Imputed)
    }

    /// The value that replaces a missing one, as in the model file; `None` if missing values are rejected.
    #[must_use]
    pub fn imputed(&self) -> Option<Scalar> {
        match &self.missing {
            MissingPolicy::Reject => None,
            MissingPolicy::Impute(value) => Some(value.clone()),
            MissingPolicy::Category(level) => Some(Scalar::Text(level.clone())),
        }
    }

    fn wrong_type(&self, cell: Cell<'_>) -> CellError {
        let got = if let Cell::Field(text) = cell { Cell::Field(text.trim_ascii()) } else { cell };
        CellError::Type { expected: self.expected(cell), got: got.to_string() }
    }

    /// A description of the accepted values, in the notation of the cell.
    fn expected(&self, cell: Cell<'_>) -> String {
        const NAMED: usize = 8;
        let is_field = matches!(cell, Cell::Field(_));
        let number = |noun: &str| match self.reading.example_number(self.kind).filter(|_| is_field) {
            Some(example) => format!("{noun} such as {example:?}"),
            None => noun.to_owned(),
        };
        let at_least = self.minimum.map(|minimum| format!(" of at least {minimum}")).unwrap_or_default();
        match self.kind {
            FeatureType::Double if self.positive => number("a positive number"),
            FeatureType::Long if self.positive => number("a positive whole number"),
            FeatureType::Double => number(&format!("a number{at_least}")),
            FeatureType::Long => number(&format!("a whole number{at_least}")),
            FeatureType::Boolean => match &self.reading.boolean {
                Some([no, yes]) if is_field => format!("{yes:?} or {no:?}"),
                Some([no, yes]) => format!("true, false, {yes:?} or {no:?}"),
                None => "true or false".into(),
            },
            FeatureType::Date => {
                let format = self.reading.dates.first().filter(|_| is_field);
                format!(
                    "a date such as {:?}",
                    format.map_or_else(|| "2024-01-31".into(), |format| date::example(format))
                )
            }
            FeatureType::String => {
                let named: Vec<_> =
                    self.levels.iter().take(NAMED).map(|level| format!("{:?}", shorten(level))).collect();
                let more = if self.levels.len() > NAMED { ", …" } else { "" };
                format!("one of {}{more}", named.join(", "))
            }
        }
    }
}

/// Reads a number with a decimal point; digits after the point of a whole number other than 0 are an error.
fn parse(text: &str, is_long: bool) -> Result<f64, NumberError> {
    if !is_long {
        return number::parse_double(text);
    }
    // A `long` is an integer by its type.
    let value = number::parse_integer(text)?;
    if number::has_fraction(text) { Err(NumberError::Malformed) } else { Ok(value) }
}
