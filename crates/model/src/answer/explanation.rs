//! The contribution of each feature to each prediction.
//!
//! In a linear model each column of the design contributes `coefficient · (column − mean) / scale` to the score, in
//! addition to the score at the means. That is the column's Shapley value with the means as background (SHAP's
//! `LinearExplainer`, interventional). The contributions of all levels and powers of a feature are added up. The
//! contribution of a product of several features is divided among them in equal parts: these are the Shapley values of
//! a game in which the product counts only when all of its features are present. An offset contributes itself.

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use super::prediction::{PredictError, check_finite};
use crate::model::Model;
use crate::preprocess::TargetTransform;
use crate::scalar::Scalar;
use crate::signature::Feature;

/// The most numbers of one explanation, rows × outputs × features: 32 MiB, more than an answer may have.
pub const MAX_VALUES: usize = 1 << 22;

/// The unit of contributions. For classes they add up to the calibrated scores, from which probabilities are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// The target's unit: contributions add up to the prediction.
    Target,
    /// The natural logarithm of the target, or of its mean for a generalised linear model: e to the power of a
    /// contribution is a factor of the prediction.
    LogTarget,
    /// The log-odds of the second of two classes.
    LogOdds,
    /// One score a class: the softmax of the scores is the vector of probabilities.
    Score,
}

/// The contributions of features to the scores of rows: `base` and the contributions of a row add up to its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation<'m> {
    unit: Unit,
    features: &'m [Feature],
    classes: &'m [Scalar],
    base: &'m [f64],
    values: Vec<f64>,
}

/// Builds an explanation row by row.
#[derive(Debug)]
pub(super) struct ExplanationBuilder<'m> {
    model: &'m Model,
    /// The coefficients of each column of the design, one a score, and the positions of its features.
    columns: Vec<(&'m [f64], Vec<usize>)>,
    values: Vec<f64>,
}

impl<'m> ExplanationBuilder<'m> {
    /// Begins the explanation of so many rows.
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

    /// Adds the next row of the design, centred and scaled, and its offset.
    pub(super) fn push(&mut self, row: &[f64], offset: Option<f64>) {
        let (width, start) = (self.model.signature().width(), self.values.len());
        self.values.resize(start + width * self.model.base().len(), 0.0);
        let of_row = self.values.get_mut(start..).unwrap_or_default();
        for (z, (coefficients, sources)) in row.iter().zip(&self.columns) {
            // A column has far fewer than 2⁵³ factors.
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
        if let Some((offset, source)) = offset.zip(self.model.design.offset_source())
            && let Some(value) = of_row.get_mut(source)
        {
            *value += offset;
        }
    }

    /// The explanation of all rows.
    pub(super) fn finish(self) -> Result<Explanation<'m>, PredictError> {
        let (model, base) = (self.model, self.model.base());
        let features = model.signature().features();
        check_finite(&self.values, features.len() * base.len())?;
        let unit = match (model.classes(), model.document.scale()) {
            (None, TargetTransform::Identity) => Unit::Target,
            (None, TargetTransform::Log) => Unit::LogTarget,
            (Some(_), _) if base.len() == 1 => Unit::LogOdds,
            (Some(_), _) => Unit::Score,
        };
        Ok(Explanation { unit, features, classes: model.classes().unwrap_or_default(), base, values: self.values })
    }
}

impl<'m> Explanation<'m> {
    /// The unit of `base` and contributions.
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

    /// The same as [`values`](Self::values), without a copy.
    #[must_use]
    pub fn into_values(self) -> Vec<f64> {
        self.values
    }

    /// The contributions in each row: outputs × features.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact((self.base.len() * self.features.len()).max(1))
    }

    /// One number, or for more than two classes an object with one number a class.
    fn by_class<'a>(&'a self, numbers: impl Iterator<Item = &'a f64> + Clone + 'a) -> impl Serialize + 'a {
        ByClass { classes: if self.unit == Unit::Score { Some(self.classes) } else { None }, numbers }
    }
}

/// `unit`, `base`, and for each row the `contributions` by feature. For two classes, `class` is the class of the
/// log-odds; for more, base and contributions are objects by class.
impl Serialize for Explanation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let class = self.classes.get(1).filter(|_| self.unit == Unit::LogOdds);
        let mut parts = serializer.serialize_struct("Explanation", 3 + usize::from(class.is_some()))?;
        parts.serialize_field("unit", &self.unit)?;
        if let Some(class) = class {
            parts.serialize_field("class", class)?;
        }
        parts.serialize_field("base", &self.by_class(self.base.iter()))?;
        parts.serialize_field("contributions", &Contributions(self))?;
        parts.end()
    }
}

struct Contributions<'a>(&'a Explanation<'a>);

impl Serialize for Contributions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.rows().map(|values| ContributionsOfRow { explanation: self.0, values }))
    }
}

struct ContributionsOfRow<'a> {
    explanation: &'a Explanation<'a>,
    values: &'a [f64],
}

impl Serialize for ContributionsOfRow<'_> {
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
            map.serialize_entry(&class.label(), number)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests;
