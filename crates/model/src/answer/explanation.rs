//! What each feature adds to an answer.
//!
//! A linear model is its own explanation: each column of the design adds `coefficient · (column − mean) / scale` to the score
//! at the means. That is also the column's Shapley value, the background being the means (SHAP's `LinearExplainer`,
//! interventional). Columns are gathered to the feature a person knows: levels and powers of one feature add up to it. A
//! product of several features is divided among them in equal parts. It is treated as one unit, which is there only when
//! all of its features are; of such a game equal parts are the Shapley value, as no feature of it can do more than another.

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use super::prediction::{PredictError, check_finite};
use crate::model::Model;
use crate::preprocess::TargetTransform;
use crate::scalar::Scalar;
use crate::signature::Feature;

/// The most numbers of one explanation, rows × outputs × features: 32 MiB, and more than an answer holds.
pub const MAX_VALUES: usize = 1 << 22;

/// What contributions are measured in: of classes, calibrated scores, so that they add up to what probabilities are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// The target's own unit: they add up to the prediction.
    Target,
    /// The natural logarithm of the target: e to the power of their sum is the prediction, of each one its factor.
    LogTarget,
    /// The log-odds of the second of two classes.
    LogOdds,
    /// One score a class: the softmax of the scores are the probabilities.
    Score,
}

/// What each feature adds to the score of each row: `base` and a row's contributions add up to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation<'m> {
    unit: Unit,
    features: &'m [Feature],
    classes: &'m [Scalar],
    base: &'m [f64],
    values: Vec<f64>,
}

/// An explanation on its way, row by row.
#[derive(Debug)]
pub(super) struct ExplanationBuilder<'m> {
    model: &'m Model,
    /// The coefficients of each column of the design, one a score, and the positions of the features it is made from.
    columns: Vec<(&'m [f64], Vec<usize>)>,
    values: Vec<f64>,
}

impl<'m> ExplanationBuilder<'m> {
    /// Begins with no row, of so many to come.
    pub(super) fn new(model: &'m Model, rows: usize) -> Result<Self, PredictError> {
        let total = rows.saturating_mul(model.signature().width() * model.base().len());
        if total > MAX_VALUES {
            return Err(PredictError::TooMuchToExplain { values: total, limit: MAX_VALUES });
        }
        let names = model.document.preprocess.columns.iter().map(|column| column.name.as_str());
        let columns = names.zip(model.design.sources());
        let columns = columns.map(|(name, sources)| Some((model.document.estimator.get(name)?, sources)));
        let columns = columns.collect::<Option<Vec<_>>>().ok_or(PredictError::Estimator)?;
        Ok(Self { model, columns, values: Vec::with_capacity(total) })
    }

    /// Takes the next row of the design, centred and scaled.
    pub(super) fn push(&mut self, row: &[f64]) {
        let (width, start) = (self.model.signature().width(), self.values.len());
        self.values.resize(start + width * self.model.base().len(), 0.0);
        let of_row = self.values.get_mut(start..).unwrap_or_default();
        for (z, (coefficients, sources)) in row.iter().zip(&self.columns) {
            // A design has no more columns than memory; their features can be counted.
            #[allow(clippy::cast_precision_loss)]
            let z = z / sources.len() as f64 / self.model.temperature;
            for (values, coefficient) in of_row.chunks_exact_mut(width).zip(*coefficients) {
                for source in sources {
                    if let Some(value) = values.get_mut(*source) {
                        *value += coefficient * z;
                    }
                }
            }
        }
    }

    /// The explanation of all rows.
    pub(super) fn finish(self) -> Result<Explanation<'m>, PredictError> {
        let (model, base) = (self.model, self.model.base());
        let features = model.signature().features();
        check_finite(&self.values, features.len() * base.len())?;
        let unit = match (model.classes(), model.document.preprocess.target_transform) {
            (None, TargetTransform::Identity) => Unit::Target,
            (None, TargetTransform::Log) => Unit::LogTarget,
            (Some(_), _) if base.len() == 1 => Unit::LogOdds,
            (Some(_), _) => Unit::Score,
        };
        Ok(Explanation { unit, features, classes: model.classes().unwrap_or_default(), base, values: self.values })
    }
}

impl<'m> Explanation<'m> {
    /// What base and contributions are measured in.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The features, in the order of the contributions.
    #[must_use]
    pub fn features(&self) -> &'m [Feature] {
        self.features
    }

    /// The score at the means of all columns: one, or one a class for more than two.
    #[must_use]
    pub fn base(&self) -> &'m [f64] {
        self.base
    }

    /// All contributions: rows × outputs (as many as `base` has) × features.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The same, taken out.
    #[must_use]
    pub fn into_values(self) -> Vec<f64> {
        self.values
    }

    /// The contributions to each row: outputs × features.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact((self.base.len() * self.features.len()).max(1))
    }

    /// One number, or of more than two classes an object with one for each.
    fn by_class<'a>(&'a self, numbers: impl Iterator<Item = &'a f64> + Clone + 'a) -> impl Serialize + 'a {
        ByClass { classes: if self.unit == Unit::Score { Some(self.classes) } else { None }, numbers }
    }
}

/// As callers get it: `unit`, `base`, and for each row the contributions by feature. Of two classes `class` is the one whose
/// log-odds they are; of more, base and contributions are objects by class.
impl Serialize for Explanation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let class = self.classes.get(1).filter(|_| self.unit == Unit::LogOdds);
        let mut parts = serializer.serialize_struct("Explanation", 3 + usize::from(class.is_some()))?;
        parts.serialize_field("unit", &self.unit)?;
        if let Some(class) = class {
            parts.serialize_field("class", class)?;
        }
        parts.serialize_field("base", &self.by_class(self.base.iter()))?;
        parts.serialize_field("contributions", &Rows(self))?;
        parts.end()
    }
}

struct Rows<'a>(&'a Explanation<'a>);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.rows().map(|values| Row { explanation: self.0, values }))
    }
}

struct Row<'a> {
    explanation: &'a Explanation<'a>,
    values: &'a [f64],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let features = self.explanation.features;
        serializer.collect_map(features.iter().enumerate().map(|(position, feature)| {
            let numbers = self.values.iter().skip(position).step_by(features.len());
            (&feature.name, self.explanation.by_class(numbers))
        }))
    }
}

struct ByClass<'a, I> {
    classes: Option<&'a [Scalar]>,
    numbers: I,
}

impl<'a, I: Iterator<Item = &'a f64> + Clone> Serialize for ByClass<'a, I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut numbers = self.numbers.clone();
        let Some(classes) = self.classes else { return numbers.next().serialize(serializer) };
        let mut map = serializer.serialize_map(Some(classes.len()))?;
        for (class, number) in classes.iter().zip(numbers) {
            map.serialize_entry(&class.to_string(), number)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests;
