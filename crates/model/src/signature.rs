//! What a model asks for: its features in order, their types, and what happens where a value is missing.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::field;
use crate::number::{self, NumberError};
use crate::scalar::Scalar;
use crate::wording::shorten;

/// What a frame holds for a category that the model has not seen, where that is allowed: the position of no level.
pub const UNKNOWN_LEVEL: f64 = -1.0;

/// Features in their positional order, and the target. Valid by construction: at least one feature, names unique.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Columns", into = "Columns")]
pub struct Signature {
    features: Vec<Feature>,
    target: Target,
    positions: HashMap<String, usize>,
}

/// The signature as the file and `GET /models/{name}` show it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    features: Vec<Feature>,
    target: Target,
}

/// One input column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The exact name callers use.
    pub name: String,
    /// What values it takes.
    #[serde(rename = "type")]
    pub kind: FeatureType,
    /// What a missing value means.
    pub missing: MissingPolicy,
    /// Smallest and largest value in the training data, of a number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub range: Option<[f64; 2]>,
    /// The known categories of a string, in ascending order of their bytes; a frame holds their positions.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub levels: Vec<String>,
    /// What a category means that is not among them.
    #[serde(skip_serializing_if = "UnknownPolicy::is_reject", default)]
    pub unknown: UnknownPolicy,
}

/// What happens to a category that was not in the training data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownPolicy {
    /// The request is refused.
    #[default]
    Reject,
    /// It is none of the known ones: all columns made from it are zero.
    Ignore,
}

impl UnknownPolicy {
    // serde passes a reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_reject(&self) -> bool {
        *self == Self::Reject
    }
}

/// The type of a feature, named as in `MLflow`'s signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureType {
    /// Any finite double.
    Double,
    /// A whole number that a double holds exactly; `4.0` is one, `4.5` is not.
    Long,
    /// `true` or `false`, predicted with as 1 and 0.
    Boolean,
    /// A category, one of the feature's levels.
    String,
}

/// What happens to a missing value: `null`, NaN, ±Infinity, a text that is blank or a word for no value and no level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingPolicy {
    /// The request is refused.
    Reject,
    /// This value of the feature's type, fixed at training, stands in.
    Impute(Scalar),
}

/// The column the model predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name in the training data.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: FeatureType,
}

/// Why a cell does not fit its feature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// A value of another type.
    #[error("expected {expected}, got {got}")]
    Type {
        /// What the feature takes, in words.
        expected: String,
        /// What came, in words.
        got: String,
    },
    /// A number of the right kind that would change on the way.
    #[error("got {text}, {why}")]
    Lossy {
        /// The number as it was written, cut to a readable length.
        text: String,
        /// What would be lost.
        why: NumberError,
    },
    /// A category that was not in the training data.
    #[error("expected {expected}, got {got}, which the training data did not have")]
    UnknownCategory {
        /// The categories it had.
        expected: String,
        /// What came, in words.
        got: String,
    },
    /// No value where one is needed.
    #[error("is missing, and the model does not impute it")]
    Missing,
}

impl Signature {
    /// Puts features and target together.
    ///
    /// # Errors
    /// A sentence when there is no feature, a name is empty or twice there, or an imputed value or range does not fit its feature.
    pub fn new(features: Vec<Feature>, target: Target) -> Result<Self, String> {
        if features.is_empty() {
            return Err("a signature needs at least one feature".into());
        }
        let mut positions = HashMap::with_capacity(features.len());
        for (position, feature) in features.iter().enumerate() {
            feature.check()?;
            if positions.insert(feature.name.clone(), position).is_some() {
                return Err(format!("the feature {:?} is there twice", feature.name));
            }
        }
        Ok(Self { features, target, positions })
    }

    /// The features in positional order.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The number of features.
    #[must_use]
    pub fn width(&self) -> usize {
        self.features.len()
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Where a feature of exactly this name stands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }
}

impl TryFrom<Columns> for Signature {
    type Error = String;

    fn try_from(columns: Columns) -> Result<Self, String> {
        Self::new(columns.features, columns.target)
    }
}

impl From<Signature> for Columns {
    fn from(signature: Signature) -> Self {
        Self { features: signature.features, target: signature.target }
    }
}

impl Feature {
    /// A feature of this name and type that refuses what is missing or unknown.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: FeatureType) -> Self {
        Self {
            name: name.into(),
            kind,
            missing: MissingPolicy::Reject,
            range: None,
            levels: Vec::new(),
            unknown: UnknownPolicy::Reject,
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() {
            return Err("a feature has no name".into());
        }
        if self.kind == FeatureType::String && !self.levels.is_sorted_by(|one, next| one < next) {
            return Err(format!("the levels of {:?} are not in ascending order", self.name));
        }
        if (self.kind == FeatureType::String) == self.levels.is_empty() {
            return Err(format!("{:?}: a string has levels, and nothing else has", self.name));
        }
        if let MissingPolicy::Impute(value) = &self.missing
            && (*value == Scalar::Missing || self.accept(value.cell()).is_err())
        {
            return Err(format!("{:?} cannot be imputed with {value}", self.name));
        }
        match self.range {
            Some([low, high]) if low > high => Err(format!("the range of {:?} is upside down", self.name)),
            _ => Ok(()),
        }
    }

    /// Holds a cell against this feature; the value is what the frame holds: a number, 1 or 0, or a level's position.
    ///
    /// # Errors
    /// See [`CellError`].
    pub fn accept(&self, cell: Cell<'_>) -> Result<f64, CellError> {
        match (self.kind, cell) {
            (_, Cell::Missing) => self.impute(),
            // One rule for text, whatever protocol it came by, and whatever spaces it has.
            (FeatureType::String, Cell::Text(text) | Cell::Field(text)) => self.level(text, cell),
            (_, Cell::Field(text)) if field::is_missing(text) => self.impute(),
            (FeatureType::Boolean, Cell::Boolean(value)) => Ok(f64::from(u8::from(value))),
            (FeatureType::Boolean, Cell::Field(text)) => match field::boolean(text) {
                Some(value) => Ok(f64::from(u8::from(value))),
                None => Err(self.wrong_type(Cell::Field(text.trim_ascii()))),
            },
            (FeatureType::Double | FeatureType::Long, Cell::Double(value)) if !value.is_finite() => self.impute(),
            (FeatureType::Double, Cell::Double(value)) => Ok(value),
            (FeatureType::Long, Cell::Double(value)) if value.fract() == 0.0 => Ok(value),
            (FeatureType::Double | FeatureType::Long, Cell::Integer(value)) => {
                number::integer(value).map_err(|why| CellError::Lossy { text: value.to_string(), why })
            }
            (FeatureType::Double | FeatureType::Long, Cell::Number(text)) => self.number(text, cell),
            (FeatureType::Double | FeatureType::Long, Cell::Field(text)) => self.number(text.trim_ascii(), cell),
            (_, cell) => Err(self.wrong_type(cell)),
        }
    }

    /// The value of a frame as a caller would write it: the inverse of [`accept`](Self::accept).
    #[must_use]
    pub fn to_scalar(&self, value: f64) -> Scalar {
        match self.kind {
            FeatureType::Double | FeatureType::Long => Scalar::Number(value),
            FeatureType::Boolean => Scalar::Boolean(value != 0.0),
            FeatureType::String => {
                // Positions are small and whole; that of no level is negative and finds none.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let level = if value < 0.0 { None } else { self.levels.get(value as usize) };
                level.cloned().map_or(Scalar::Missing, Scalar::Text)
            }
        }
    }

    fn number(&self, text: &str, cell: Cell<'_>) -> Result<f64, CellError> {
        // A `long` is an integer by its type.
        let is_long = self.kind == FeatureType::Long;
        match if is_long { number::parse_integer(text) } else { number::parse_double(text) } {
            Ok(value) if is_long && (value.fract() != 0.0 || number::has_fraction(text)) => Err(self.wrong_type(cell)),
            Ok(value) => Ok(value),
            Err(NumberError::NotFinite) => self.impute(),
            Err(NumberError::Malformed) if self.kind == FeatureType::Double && number::has_decimal_comma(text) => {
                Err(CellError::Type { expected: "a number with a decimal point".into(), got: cell.to_string() })
            }
            Err(NumberError::Malformed) => Err(self.wrong_type(cell)),
            Err(why) => Err(CellError::Lossy { text: shorten(text), why }),
        }
    }

    /// Whether a cell holds no value of this feature. A category may be a word for that, or even be empty: where it came
    /// from, it was a category.
    #[must_use]
    pub fn is_missing(&self, cell: Cell<'_>) -> bool {
        match (self.kind, cell) {
            (_, Cell::Missing) => true,
            (FeatureType::String, Cell::Text(text) | Cell::Field(text)) => {
                field::is_missing(text) && self.find(text).is_none()
            }
            (FeatureType::Double | FeatureType::Long, Cell::Double(value)) => !value.is_finite(),
            (FeatureType::Double | FeatureType::Long, Cell::Field(text)) => {
                field::is_missing(text) || number::parse_double(text.trim_ascii()) == Err(NumberError::NotFinite)
            }
            (FeatureType::Boolean, Cell::Field(text)) => field::is_missing(text),
            _ => false,
        }
    }

    /// What is wrong with a cell, in words. Where a category differs from a level in nothing but the spaces around it, which
    /// are hard to see, the level is named.
    #[must_use]
    pub fn explain(&self, error: &CellError, cell: Cell<'_>) -> String {
        let (CellError::UnknownCategory { .. }, Cell::Text(text) | Cell::Field(text)) = (error, cell) else {
            return error.to_string();
        };
        match self.levels.iter().find(|level| level.trim() == text.trim()) {
            Some(level) => format!("{error}; did you mean {:?}, with other spaces?", shorten(level)),
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

    fn level(&self, text: &str, cell: Cell<'_>) -> Result<f64, CellError> {
        match self.find(text) {
            Some(position) => Ok(position),
            None if field::is_missing(text) => self.impute(),
            None => self.unknown(cell),
        }
    }

    fn unknown(&self, cell: Cell<'_>) -> Result<f64, CellError> {
        match self.unknown {
            UnknownPolicy::Ignore => Ok(UNKNOWN_LEVEL),
            UnknownPolicy::Reject => {
                Err(CellError::UnknownCategory { expected: self.expected(), got: cell.to_string() })
            }
        }
    }

    fn impute(&self) -> Result<f64, CellError> {
        match &self.missing {
            MissingPolicy::Reject | MissingPolicy::Impute(Scalar::Missing) => Err(CellError::Missing),
            // What stands in is a value, whatever it looks like.
            MissingPolicy::Impute(Scalar::Text(text)) if self.kind == FeatureType::String => {
                self.find(text).map_or_else(|| self.unknown(Cell::Text(text)), Ok)
            }
            MissingPolicy::Impute(value) => self.accept(value.cell()),
        }
    }

    fn wrong_type(&self, cell: Cell<'_>) -> CellError {
        CellError::Type { expected: self.expected(), got: cell.to_string() }
    }

    /// What it takes, in words.
    fn expected(&self) -> String {
        const NAMED: usize = 8;
        match self.kind {
            FeatureType::Double => "a number".into(),
            FeatureType::Long => "a whole number".into(),
            FeatureType::Boolean => "true or false".into(),
            FeatureType::String => {
                let named: Vec<_> =
                    self.levels.iter().take(NAMED).map(|level| format!("{:?}", shorten(level))).collect();
                let more = if self.levels.len() > NAMED { ", …" } else { "" };
                format!("one of {}{more}", named.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
