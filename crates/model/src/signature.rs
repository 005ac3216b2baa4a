//! The signature of a model: its features in order, the values that each accepts, and the target.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::date;
use crate::number::{self, NumberError};
use crate::reading::Reading;
use crate::scalar::Scalar;
use crate::suggestion::most_similar;
use crate::wording::shorten;

/// The value in a frame for an unknown category that the feature accepts; not the position of any level.
pub const UNKNOWN_LEVEL: f64 = -1.0;

/// The level of missing values, where they are a level of their own.
pub const MISSING_LEVEL: &str = "(missing)";

/// The level of rare and of unknown categories, where they are grouped.
pub const OTHER_LEVEL: &str = "(other)";

/// Features in positional order, and the target. There is at least one feature, and names are unique.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Content", into = "Content")]
pub struct Signature {
    features: Vec<Feature>,
    target: Target,
    ignored: BTreeSet<String>,
    positions: HashMap<String, usize>,
}

/// The signature in the model file and in `GET /models/{name}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    features: Vec<Feature>,
    target: Target,
    /// Columns of the training data that requests may contain and that are not used.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    ignored: BTreeSet<String>,
}

/// One input column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The name that callers use; it is case-sensitive.
    pub name: String,
    /// The type of its values.
    #[serde(rename = "type")]
    pub kind: FeatureType,
    /// The treatment of missing values.
    pub missing: MissingPolicy,
    /// How text is read as a value: the conventions of the training file.
    #[serde(skip_serializing_if = "Reading::is_default", default)]
    pub reading: Reading,
    /// The smallest and largest value of a number in the training data; of a date in days since 1970-01-01.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub range: Option<[f64; 2]>,
    /// The categories of a string in the training data, in ascending byte order; a frame has their positions.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub levels: Vec<String>,
    /// The treatment of other categories.
    #[serde(skip_serializing_if = "UnknownPolicy::is_reject", default)]
    pub unknown: UnknownPolicy,
}

/// The treatment of categories that are not in the training data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownPolicy {
    /// The request is rejected.
    #[default]
    Reject,
    /// All columns of the feature's levels are zero.
    Ignore,
    /// They are the level [`OTHER_LEVEL`], which groups the rare levels of the training data.
    Other,
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
    /// A whole number that a double represents exactly; `4.0` is one, `4.5` is not.
    Long,
    /// `true` or `false`, 1 and 0 in a frame.
    Boolean,
    /// A category, one of the feature's levels.
    String,
    /// A date, perhaps with a time of day; days since 1970-01-01 (UTC) in a frame.
    Date,
}

/// The treatment of missing values: `null`, NaN, ±Infinity, and text that is a missing-value marker and not a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingPolicy {
    /// The request is rejected.
    Reject,
    /// It is replaced by this value, which training computed.
    Impute(Scalar),
    /// It is this level of its own, for a category.
    Category(String),
}

/// The column that the model predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The name of the column in the training data.
    pub name: String,
    /// The type of its values.
    #[serde(rename = "type")]
    pub kind: FeatureType,
    /// How text is read as a value, in data that are evaluated.
    #[serde(skip_serializing_if = "Reading::is_default", default)]
    pub reading: Reading,
}

impl Target {
    /// A target of this name and type.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: FeatureType) -> Self {
        Self { name: name.into(), kind, reading: Reading::default() }
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

impl Signature {
    /// Checks features and target.
    ///
    /// # Errors
    /// A message when there is no feature, a name is empty or not unique, or levels, range or imputed value do not fit
    /// the feature.
    pub fn new(features: Vec<Feature>, target: Target) -> Result<Self, String> {
        if features.is_empty() {
            return Err("signature.features: expected at least one feature".into());
        }
        let mut positions = HashMap::with_capacity(features.len());
        for (position, feature) in features.iter().enumerate() {
            feature.check()?;
            if positions.insert(feature.name.clone(), position).is_some() {
                return Err(format!("feature {:?}: the name appears twice", feature.name));
            }
        }
        Ok(Self { features, target, ignored: BTreeSet::new(), positions })
    }

    /// The signature that accepts these further columns and does not use them. Names of features stay features.
    #[must_use]
    pub fn ignoring(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.ignored.extend(names.into_iter().filter(|name| !self.positions.contains_key(name)));
        self
    }

    /// Columns that requests may contain and that are not used.
    #[must_use]
    pub fn ignored(&self) -> &BTreeSet<String> {
        &self.ignored
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

    /// The position of the feature of exactly this name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }
}

impl TryFrom<Content> for Signature {
    type Error = String;

    fn try_from(content: Content) -> Result<Self, String> {
        Ok(Self::new(content.features, content.target)?.ignoring(content.ignored))
    }
}

impl From<Signature> for Content {
    fn from(signature: Signature) -> Self {
        Self { features: signature.features, target: signature.target, ignored: signature.ignored }
    }
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
            levels: Vec::new(),
            unknown: UnknownPolicy::Reject,
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() {
            return Err("signature.features: a name is empty".into());
        }
        if self.kind == FeatureType::String && !self.levels.is_sorted_by(|one, next| one < next) {
            return Err(format!("feature {:?}: expected unique levels in ascending order", self.name));
        }
        if (self.kind == FeatureType::String) == self.levels.is_empty() {
            return Err(format!("feature {:?}: expected levels for a string, and for no other type", self.name));
        }
        if let MissingPolicy::Impute(value) = &self.missing
            && (*value == Scalar::Missing || self.accept(value.cell()).is_err())
        {
            return Err(format!(
                "feature {:?}: expected an imputed value that the feature accepts, got {value}",
                self.name
            ));
        }
        match self.range {
            Some([low, high]) if low > high => {
                Err(format!("feature {:?}: expected an ascending range, got {low} to {high}", self.name))
            }
            _ => Ok(()),
        }
    }

    /// Converts a cell to the value in a frame: a number, 1 or 0, or the position of a level.
    ///
    /// # Errors
    /// See [`CellError`].
    pub fn accept(&self, cell: Cell<'_>) -> Result<f64, CellError> {
        match (self.kind, cell) {
            (_, Cell::Missing) => self.impute(),
            // One rule for text in all protocols; spaces are part of a category.
            (FeatureType::String, Cell::Text(text) | Cell::Field(text)) => self.level(text, cell),
            (_, Cell::Field(text)) if self.reading.is_missing(text) => self.impute(),
            (FeatureType::Boolean, Cell::Boolean(value)) => Ok(f64::from(u8::from(value))),
            (FeatureType::Boolean, Cell::Field(text)) => match self.reading.boolean(text) {
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
            (FeatureType::Date, Cell::Date(days)) => Ok(days),
            (FeatureType::Date, Cell::Text(text)) => date::parse_iso(text).ok_or_else(|| self.wrong_type(cell)),
            (FeatureType::Date, Cell::Field(text)) => self.reading.date(text).ok_or_else(|| self.wrong_type(cell)),
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
            FeatureType::String => {
                // Positions are small whole numbers; [`UNKNOWN_LEVEL`] is negative.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let level = if value < 0.0 { None } else { self.levels.get(value as usize) };
                level.cloned().map_or(Scalar::Missing, Scalar::Text)
            }
        }
    }

    fn number(&self, text: &str, cell: Cell<'_>) -> Result<f64, CellError> {
        // A `long` is an integer by its type.
        let is_long = self.kind == FeatureType::Long;
        let parse = if is_long { number::parse_integer } else { number::parse_double };
        // JSON numbers have one notation.
        let value = if matches!(cell, Cell::Field(_)) { self.reading.number(text, parse) } else { parse(text) };
        match value {
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

    fn level(&self, text: &str, cell: Cell<'_>) -> Result<f64, CellError> {
        match self.find(text) {
            Some(position) => Ok(position),
            None if self.reading.is_missing(text) => self.impute(),
            None => self.unknown(cell),
        }
    }

    fn unknown(&self, cell: Cell<'_>) -> Result<f64, CellError> {
        match self.unknown {
            UnknownPolicy::Ignore => Ok(UNKNOWN_LEVEL),
            UnknownPolicy::Other => Ok(self.find(OTHER_LEVEL).unwrap_or(UNKNOWN_LEVEL)),
            UnknownPolicy::Reject => {
                Err(CellError::UnknownCategory { expected: self.expected(), got: cell.to_string() })
            }
        }
    }

    fn impute(&self) -> Result<f64, CellError> {
        match &self.missing {
            MissingPolicy::Reject | MissingPolicy::Impute(Scalar::Missing) => Err(CellError::Missing),
            MissingPolicy::Category(level) => self.find(level).ok_or(CellError::Missing),
            // An imputed value is never missing itself, even if it is a missing-value marker.
            MissingPolicy::Impute(Scalar::Text(text)) if self.kind == FeatureType::String => {
                self.find(text).map_or_else(|| self.unknown(Cell::Text(text)), Ok)
            }
            MissingPolicy::Impute(value) => self.accept(value.cell()),
        }
    }

    fn wrong_type(&self, cell: Cell<'_>) -> CellError {
        CellError::Type { expected: self.expected(), got: cell.to_string() }
    }

    /// A description of the accepted values.
    fn expected(&self) -> String {
        const NAMED: usize = 8;
        match self.kind {
            FeatureType::Double => "a number".into(),
            FeatureType::Long => "a whole number".into(),
            FeatureType::Boolean => "true or false".into(),
            FeatureType::Date => "a date such as \"2024-01-31\"".into(),
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
