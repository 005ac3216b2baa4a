//! From a frame to the design matrix: products of powers and levels of features, centred and scaled. Training and
//! serving share this code.

mod level_runs;
mod numbers;

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Mul;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use self::level_runs::{Run, runs};
use crate::date::DatePart;
use crate::double_double::DoubleDouble;
use crate::frame::Frame;
use crate::signature::{FeatureType, Signature};

mod transformed;

pub(crate) use numbers::Number;
pub use transformed::FactorFunction;
use transformed::Transformed;

/// The columns of the design matrix in the estimator's order, and how the target was transformed.
///
/// Means and scales are never folded into the coefficients: at an offset of 1.7e12 (a time in milliseconds) folding has
/// an error of 1e-6 standard deviations, `(x − mean)·w` one of 4e-16.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Preprocess {
    /// The columns in the estimator's order.
    pub columns: Vec<DesignColumn>,
    /// The transformation of the target before the fit; predictions are transformed back.
    #[serde(skip_serializing_if = "TargetTransform::is_identity", default)]
    pub target_transform: TargetTransform,
    /// Whether the fit has no intercept: all means and intercepts are 0.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub through_origin: bool,
    /// A term of the score that has no coefficient; only for a generalised linear model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub offset: Option<Offset>,
}

/// A term that is added to the score as it is: `feature − mean`, or `ln feature − mean` for an exposure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Offset {
    /// The name of the feature, a number.
    pub feature: String,
    /// Whether it is an exposure, such as a time or an area, to which the mean of the target is proportional: its
    /// logarithm is added.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub log: bool,
    /// The mean of the term over the training rows; 0 without an intercept.
    pub mean: f64,
}

impl Offset {
    /// The term for a value of the feature, not centred.
    #[must_use]
    pub fn term(log: bool, value: f64) -> f64 {
        if log { libm::log(value) } else { value }
    }

    /// The value of the feature whose term is the mean.
    #[must_use]
    pub fn typical(&self) -> f64 {
        if self.log { libm::exp(self.mean) } else { self.mean }
    }
}

/// One column of the design: `(Π factors − mean) / scale`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct DesignColumn {
    /// The coefficient's name: `age`, `colour=red`, `age^2`, `age:colour=red`.
    pub name: String,
    /// The factors of the product, at least one.
    #[serde(deserialize_with = "without_spare_room")]
    pub product: Vec<Factor>,
    /// The mean over the training rows; 0 without an intercept.
    pub mean: f64,
    /// The divisor after centring; 1 for ordinary least squares.
    pub scale: f64,
}

/// A list in no more memory than its items take. Most products have one factor, and room for four, which the first item
/// would reserve, leaves unused memory behind when it is returned.
fn without_spare_room<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Exact<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Exact<T> {
        type Value = Vec<T>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::with_capacity(1);
            while let Some(item) = items.next_element()? {
                list.push(item);
            }
            list.shrink_to_fit();
            Ok(list)
        }
    }

    deserializer.deserialize_seq(Exact(PhantomData))
}

/// One factor of a column: a power of a feature, a part of a date, or 1 where a feature has a level and 0 elsewhere.
///
/// A factor of an imported model may also have a function, a mean and a scale of its own; the power is applied last:
/// `((function(value) − mean) / scale)^power`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Factor {
    /// The name of the feature.
    pub feature: String,
    /// The power of a number or a boolean; 1 if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub power: Option<u32>,
    /// The level of a string.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub level: Option<String>,
    /// The part of a date.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub part: Option<DatePart>,
    /// Whether the factor is 1 where the feature was missing and 0 elsewhere.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub missing: bool,
    /// The function of a number or a boolean that replaces the value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub function: Option<FactorFunction>,
    /// Subtracted before the power; 0 if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mean: Option<f64>,
    /// The divisor before the power; 1 if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scale: Option<f64>,
}

/// The transformation of the target before the fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetTransform {
    /// No transformation.
    #[default]
    Identity,
    /// The natural logarithm. Predictions are transformed back: the median, not the mean, of a log-normal target.
    Log,
}

impl TargetTransform {
    // serde passes a reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_identity(&self) -> bool {
        *self == Self::Identity
    }

    /// The name of the fitted quantity: `price`, `log price`.
    #[must_use]
    pub fn describe(self, target: &str) -> String {
        match self {
            Self::Identity => target.to_owned(),
            Self::Log => format!("log {target}"),
        }
    }

    /// Transforms a fitted value back to the target's unit.
    #[must_use]
    pub fn undo(self, value: f64) -> f64 {
        match self {
            Self::Identity => value,
            Self::Log => libm::exp(value),
        }
    }
}

impl DesignColumn {
    /// Whether it is a product of several numbers, which is usually rounded when stored as a double.
    #[must_use]
    pub fn is_rounded(&self) -> bool {
        let numbers = |factor: &Factor| if factor.level.is_some() { 0 } else { factor.power.unwrap_or(1) };
        self.product.iter().map(numbers).fold(0, u32::saturating_add) > 1
    }
}

impl Factor {
    /// The feature to the power of 1.
    #[must_use]
    pub fn feature(name: impl Into<String>) -> Self {
        Self {
            feature: name.into(),
            power: None,
            level: None,
            part: None,
            missing: false,
            function: None,
            mean: None,
            scale: None,
        }
    }

    /// Whether it has no function, mean or scale of its own.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.function.is_none() && self.mean.is_none() && self.scale.is_none()
    }
}

/// [`Preprocess`] resolved against a signature: features and levels are positions.
#[derive(Debug, Clone)]
pub struct Design {
    columns: Vec<Column>,
    runs: Vec<Run>,
    offset: Option<ResolvedOffset>,
}

/// [`Offset`] with the position of its feature.
#[derive(Debug, Clone, Copy)]
struct ResolvedOffset {
    position: usize,
    log: bool,
    mean: f64,
}

#[derive(Debug, Clone)]
struct Column {
    product: Vec<Resolved>,
    mean: f64,
    scale: f64,
}

#[derive(Debug, Clone, Copy)]
enum Resolved {
    Power(usize, u32),
    Level(usize, f64),
    /// A part of a date, and the first date of the training data.
    Part(usize, DatePart, f64),
    /// The indicator of missing values of a feature, at a position of the frame.
    Missing(usize, usize),
    /// A number, an indicator of a level or of missing values, after a function, centred and scaled, to a power.
    Transformed(Transformed),
}

/// The most values of the design in memory at once: 8 MB.
const BLOCK_VALUES: usize = 1 << 20;

/// The highest power of a feature: higher ones are noise in double precision.
const MAX_POWER: u32 = 32;

impl Design {
    /// Resolves the names of features and levels.
    ///
    /// # Errors
    /// A message when there is no column, a feature or level is unknown, or a mean or scale is unusable.
    pub fn new(preprocess: &Preprocess, signature: &Signature) -> Result<Self, String> {
        if preprocess.columns.is_empty() {
            return Err("preprocess.columns: expected at least one column".into());
        }
        let mut seen = HashSet::with_capacity(preprocess.columns.len());
        if let Some(duplicate) = preprocess.columns.iter().find(|column| !seen.insert(&column.name)) {
            return Err(format!("column {:?}: the name appears twice", duplicate.name));
        }
        let column = |column: &DesignColumn| {
            let named = |reason: String| format!("column {:?}: {reason}", column.name);
            if !column.mean.is_finite() || !column.scale.is_finite() || column.scale <= 0.0 {
                return Err(named("expected a finite mean and a positive, finite scale".into()));
            }
            if column.product.is_empty() {
                return Err(named("expected at least one factor".into()));
            }
            let product = column.product.iter().map(|factor| resolve(factor, signature).map_err(named));
            Ok(Column { product: product.collect::<Result<_, _>>()?, mean: column.mean, scale: column.scale })
        };
        let offset = preprocess.offset.as_ref().map(|offset| resolve_offset(offset, signature)).transpose()?;
        let columns: Vec<Column> = preprocess.columns.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Self { runs: runs(&columns), columns, offset })
    }

    /// The term without a coefficient, centred, from one row of a frame; `None` for a model without an offset.
    pub fn offset(&self, row: &[f64]) -> Option<f64> {
        let ResolvedOffset { position, log, mean } = self.offset?;
        Some(Offset::term(log, row.get(position).copied().unwrap_or(f64::NAN)) - mean)
    }

    /// The exposure of one row of a frame, e to the power of its offset; 1 for a model without an offset.
    #[must_use]
    pub fn exposure(&self, row: &[f64]) -> f64 {
        let Some(ResolvedOffset { position, log, .. }) = self.offset else { return 1.0 };
        let value = row.get(position).copied().unwrap_or(f64::NAN);
        if log { value } else { libm::exp(value) }
    }

    /// The position of the feature of the offset.
    pub(crate) fn offset_source(&self) -> Option<usize> {
        self.offset.map(|offset| offset.position)
    }

    /// The number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Whether the design, before centring and scaling, is the frame itself: the features in order, each once, of this
    /// width.
    pub fn is_identity(&self, width: usize) -> bool {
        let is_feature = |(place, column): (usize, &Column)| match column.product.as_slice() {
            [Resolved::Power(position, 1)] => *position == place,
            _ => false,
        };
        self.width() == width && self.columns.iter().enumerate().all(is_feature)
    }

    /// Appends one row of the design before centring and scaling, from one row of a frame.
    pub fn extend_raw(&self, row: &[f64], to: &mut Vec<f64>) {
        for run in &self.runs {
            match run {
                Run::Columns(first, end) => {
                    to.extend(self.columns_of(*first, *end).map(|column| column.product(row).to_f64()));
                }
                Run::Levels(run) => run.extend_raw(row.get(run.position).copied().unwrap_or(f64::NAN), to),
            }
        }
    }

    /// The columns of levels that [`extend_sparse`](Self::extend_sparse) appends by their ones, ascending.
    #[must_use]
    pub fn level_columns(&self) -> Vec<usize> {
        self.runs.iter().flat_map(Run::level_columns).collect()
    }

    /// As [`extend_raw`](Self::extend_raw), but of the [columns of levels](Self::level_columns) appends only the places
    /// among them of those that are 1.
    pub fn extend_sparse(&self, row: &[f64], numbers: &mut Vec<f64>, ones: &mut Vec<u32>) {
        let mut first = 0;
        for run in &self.runs {
            match run {
                Run::Columns(first, end) => {
                    numbers.extend(self.columns_of(*first, *end).map(|column| column.product(row).to_f64()));
                }
                Run::Levels(run) => {
                    let level = row.get(run.position).copied().unwrap_or(f64::NAN);
                    ones.extend(run.place(level).and_then(|place| u32::try_from(first + place).ok()));
                    first += run.len();
                }
            }
        }
    }

    fn columns_of(&self, first: usize, end: usize) -> impl Iterator<Item = &Column> {
        self.columns.get(first..end).unwrap_or_default().iter()
    }

    /// The rounding errors of [`extend_raw`](Self::extend_raw): exact value − double, for each column of the row.
    pub fn rounding_errors<'d>(&'d self, row: &'d [f64]) -> impl Iterator<Item = f64> + 'd {
        self.columns.iter().map(|column| column.product(row).parts().1)
    }

    /// Appends one row of the design as the estimator sees it, from one row of a frame.
    pub fn extend_row(&self, row: &[f64], to: &mut Vec<f64>) {
        for run in &self.runs {
            match run {
                Run::Columns(first, end) => {
                    to.extend(self.columns_of(*first, *end).map(|column| column.standardised(row)));
                }
                Run::Levels(run) => {
                    let level = row.get(run.position).copied().unwrap_or(f64::NAN);
                    run.extend_row(level, &self.columns, row, to);
                }
            }
        }
    }

    /// For each column, the positions of the features it is made from, each once and in ascending order.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Vec<usize>> {
        self.columns.iter().map(|column| {
            let position = |factor: &Resolved| match *factor {
                Resolved::Power(position, _)
                | Resolved::Level(position, _)
                | Resolved::Part(position, ..)
                | Resolved::Missing(position, _) => position,
                Resolved::Transformed(transformed) => transformed.position(),
            };
            column.product.iter().map(position).collect::<BTreeSet<_>>().into_iter().collect()
        })
    }

    /// The design of a frame, block by block: the number of rows, and rows × columns, row-major. Never the whole design
    /// at once, because it can be far wider than the frame, for example with a feature of a thousand levels.
    pub(crate) fn blocks<'d>(&'d self, frame: &'d Frame<'_>) -> impl Iterator<Item = (usize, Vec<f64>)> + 'd {
        let features = frame.signature().frame_width();
        frame.blocks(BLOCK_VALUES / self.width()).map(move |block| {
            let rows = block.len() / features;
            let mut values = Vec::with_capacity(rows * self.width());
            for row in block.chunks_exact(features) {
                self.extend_row(row, &mut values);
            }
            (rows, values)
        })
    }
}

impl Column {
    /// In double-double arithmetic: subtracting the mean from numbers far from zero cancels their leading digits.
    fn product(&self, row: &[f64]) -> DoubleDouble {
        let value = |position: usize| row.get(position).copied().unwrap_or(f64::NAN);
        let factor = |factor: &Resolved| match *factor {
            // The common case, without a call.
            Resolved::Power(position, 1) => DoubleDouble::from(value(position)),
            Resolved::Missing(_, slot) => DoubleDouble::from(value(slot)),
            Resolved::Part(position, part, first) => DoubleDouble::from(part.of(value(position), first)),
            Resolved::Power(position, power) => DoubleDouble::from(value(position)).power(power),
            // Positions of levels are small whole numbers.
            #[allow(clippy::float_cmp)]
            Resolved::Level(position, level) => DoubleDouble::from(f64::from(u8::from(value(position) == level))),
            Resolved::Transformed(transformed) => transformed.value(row),
        };
        match self.product.as_slice() {
            [only] => factor(only),
            factors => factors.iter().map(factor).fold(DoubleDouble::from(1.0), Mul::mul),
        }
    }

    /// Centred and scaled.
    fn standardised(&self, row: &[f64]) -> f64 {
        let (value, rest) = self.product(row).parts();
        (value - self.mean + rest) / self.scale
    }
}

fn resolve_offset(offset: &Offset, signature: &Signature) -> Result<ResolvedOffset, String> {
    let Offset { feature: name, log, mean } = offset;
    let position = signature.position(name).ok_or_else(|| format!("preprocess.offset: unknown feature {name:?}"))?;
    let feature = signature.features().get(position).ok_or("preprocess.offset: unknown feature")?;
    if !matches!(feature.kind, FeatureType::Double | FeatureType::Long) {
        return Err(format!("preprocess.offset: expected a number, but {name:?} is not one"));
    }
    if *log && !feature.positive {
        return Err(format!("preprocess.offset: expected the feature {name:?} to be positive, because it is logged"));
    }
    if !mean.is_finite() {
        return Err("preprocess.offset: expected a finite mean".into());
    }
    Ok(ResolvedOffset { position, log: *log, mean: *mean })
}

fn resolve(factor: &Factor, signature: &Signature) -> Result<Resolved, String> {
    if !factor.is_plain() {
        return Transformed::new(factor, signature).map(Resolved::Transformed);
    }
    let name = &factor.feature;
    let position = signature.position(name).ok_or_else(|| format!("unknown feature {name:?}"))?;
    let feature = signature.features().get(position).ok_or("unknown feature")?;
    if factor.missing {
        let slot =
            signature.indicator(position).ok_or_else(|| format!("{name:?} has no indicator of missing values"))?;
        return Ok(Resolved::Missing(position, slot));
    }
    if let (FeatureType::Date, None, None, Some(part)) = (feature.kind, factor.power, &factor.level, factor.part) {
        let [first, _] = feature.range.ok_or_else(|| format!("expected a range of {name:?}"))?;
        return Ok(Resolved::Part(position, part, first));
    }
    if feature.kind == FeatureType::Date || factor.part.is_some() {
        return Err(format!("expected a part of {name:?} if it is a date, and of nothing else"));
    }
    match (feature.kind, factor.power, &factor.level) {
        (FeatureType::String, None, Some(level)) => match feature.levels.binary_search(level) {
            // A position among levels that fit into memory is exact.
            #[allow(clippy::cast_precision_loss)]
            Ok(level) => Ok(Resolved::Level(position, level as f64)),
            Err(_) => Err(format!("unknown level {level:?} of {name:?}")),
        },
        (FeatureType::String, _, _) => Err(format!("expected a level of {name:?} and no power")),
        (_, _, Some(_)) => Err(format!("expected no level, because {name:?} is not a string")),
        (_, power, None) => match power.unwrap_or(1) {
            power @ 1..=MAX_POWER => Ok(Resolved::Power(position, power)),
            _ => Err(format!("expected a power of {name:?} from 1 to {MAX_POWER}")),
        },
    }
}

#[cfg(test)]
mod tests;
