//! The signature of a model: its features in order, the values that each accepts, and the target.

mod check;
mod feature;
mod stored;

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::reading::Reading;
use crate::scalar::Scalar;

pub use feature::{Accepted, CellError, Feature};

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
#[serde(deny_unknown_fields, expecting = "an object")]
struct Content {
    features: Vec<Feature>,
    target: Target,
    /// Columns of the training data that requests may contain and that are not used.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    ignored: BTreeSet<String>,
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

/// The name in model files.
impl fmt::Display for FeatureType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Double => "double",
            Self::Long => "long",
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Date => "date",
        })
    }
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
#[serde(deny_unknown_fields, expecting = "an object")]
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

impl Signature {
    /// Checks features and target.
    ///
    /// # Errors
    /// A message when there is no feature, a name is empty or not unique, or levels, range, conventions or imputed value
    /// do not fit the feature.
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
        target.reading.check().map_err(|reason| format!("target {:?}: {reason}", target.name))?;
        Ok(Self { features, target, ignored: BTreeSet::new(), positions })
    }

    /// The signature that accepts these further columns and does not use them. Names of features stay features.
    #[must_use]
    pub fn ignoring(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.ignored.extend(names.into_iter().filter(|name| !self.positions.contains_key(name)));
        self
    }

    /// Whether requests may contain a column of this name that is not used. An unnamed column, such as the index that
    /// pandas writes, is one with an empty name and with the name that pandas gives it, `Unnamed: 0`.
    #[must_use]
    pub fn ignores(&self, name: &str) -> bool {
        self.ignored.contains(name)
            || (name.is_empty() && self.ignored.iter().any(|ignored| is_unnamed(ignored)))
            || (is_unnamed(name) && self.ignored.contains(""))
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

    /// The number of values of a row of a frame: one for each feature, then one for each feature with an indicator of
    /// missing values.
    #[must_use]
    pub fn frame_width(&self) -> usize {
        self.features.len() + self.features.iter().filter(|feature| feature.indicator).count()
    }

    /// The position of a feature's indicator of missing values in a row of a frame.
    #[must_use]
    pub fn indicator(&self, position: usize) -> Option<usize> {
        self.features.get(position).filter(|feature| feature.indicator)?;
        Some(self.features.len() + self.features.iter().take(position).filter(|feature| feature.indicator).count())
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
        let signature = Self::new(content.features, content.target)?;
        if let Some(name) = content.ignored.iter().find(|name| signature.position(name).is_some()) {
            return Err(format!("signature.ignored: {name:?} is a feature"));
        }
        Ok(signature.ignoring(content.ignored))
    }
}

impl From<Signature> for Content {
    fn from(signature: Signature) -> Self {
        Self { features: signature.features, target: signature.target, ignored: signature.ignored }
    }
}

/// Whether a name is one that pandas gives to an unnamed column: `Unnamed: 0`.
fn is_unnamed(name: &str) -> bool {
    let digits = name.strip_prefix("Unnamed: ");
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
