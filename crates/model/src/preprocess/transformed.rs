//! Factors with a function, a mean and a scale of their own, which imported models have: a product of scaled numbers
//! cannot be written as a scaled product.

use serde::{Deserialize, Serialize};

use super::{Factor, MAX_POWER};
use crate::double_double::DoubleDouble;
use crate::signature::{Feature, FeatureType, Signature};

/// A function of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactorFunction {
    /// The natural logarithm of a feature that is `positive`.
    Log,
    /// The natural logarithm of 1 + the value, of a feature with a `minimum` above −1.
    Log1p,
    /// The square root of a feature with a `minimum` of at least 0.
    Sqrt,
}

impl FactorFunction {
    /// The name in model files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Log1p => "log1p",
            Self::Sqrt => "sqrt",
        }
    }

    /// Whether the function has a finite value.
    #[must_use]
    pub fn is_defined(self, value: f64) -> bool {
        match self {
            Self::Log => value > 0.0,
            Self::Log1p => value > -1.0,
            Self::Sqrt => value >= 0.0,
        }
    }

    /// The value of the function; not a finite number outside its domain.
    #[must_use]
    pub fn apply(self, value: f64) -> f64 {
        match self {
            Self::Log => libm::log(value),
            Self::Log1p => libm::log1p(value),
            Self::Sqrt => value.sqrt(),
        }
    }
}

/// A [`Factor`] with a function, mean or scale, resolved against a signature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transformed {
    /// The position of the feature.
    position: usize,
    source: Source,
    function: Option<FactorFunction>,
    mean: f64,
    scale: f64,
    power: u32,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Number,
    /// 1 where the feature has this level.
    Level(f64),
    /// The indicator of missing values, at this position of the frame.
    Missing(usize),
}

impl Transformed {
    pub(super) fn new(factor: &Factor, signature: &Signature) -> Result<Self, String> {
        let name = &factor.feature;
        let position = signature.position(name).ok_or_else(|| format!("unknown feature {name:?}"))?;
        let feature = signature.features().get(position).ok_or("unknown feature")?;
        let source = source(factor, feature, signature.indicator(position))?;
        if factor.function.is_some() && !matches!(source, Source::Number) {
            return Err(format!("expected a function of a number only, but {name:?} is not one"));
        }
        if factor.function.is_some_and(|function| !function.is_defined(feature.minimum.unwrap_or(f64::NEG_INFINITY)))
            && !feature.positive
        {
            return Err(format!(
                "expected a minimum of the feature {name:?}, because the model takes a function of it"
            ));
        }
        let (mean, scale) = (factor.mean.unwrap_or(0.0), factor.scale.unwrap_or(1.0));
        if !mean.is_finite() || !scale.is_finite() || scale <= 0.0 {
            return Err(format!("expected a finite mean and a positive, finite scale of {name:?}"));
        }
        match factor.power.unwrap_or(1) {
            power @ 1..=MAX_POWER => Ok(Self { position, source, function: factor.function, mean, scale, power }),
            _ => Err(format!("expected a power of {name:?} from 1 to {MAX_POWER}")),
        }
    }

    /// The position of the feature.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The value for one row of a frame.
    pub(super) fn value(&self, row: &[f64]) -> DoubleDouble {
        let cell = |position: usize| row.get(position).copied().unwrap_or(f64::NAN);
        let value = match self.source {
            Source::Number => cell(self.position),
            // Positions of levels are small whole numbers.
            #[allow(clippy::float_cmp)]
            Source::Level(level) => f64::from(u8::from(cell(self.position) == level)),
            Source::Missing(slot) => cell(slot),
        };
        let value = self.function.map_or(value, |function| function.apply(value));
        // Most factors have no mean and no scale of their own; the difference of two doubles is exact here.
        let centred = DoubleDouble::from(value) - DoubleDouble::from(self.mean);
        #[allow(clippy::float_cmp)]
        let scaled = if self.scale == 1.0 { centred } else { centred / DoubleDouble::from(self.scale) };
        scaled.power(self.power)
    }
}

fn source(factor: &Factor, feature: &Feature, indicator: Option<usize>) -> Result<Source, String> {
    let name = &factor.feature;
    match (feature.kind, &factor.level, factor.part) {
        (_, None, None) if factor.missing => {
            indicator.map(Source::Missing).ok_or_else(|| format!("{name:?} has no indicator of missing values"))
        }
        // A position among levels that fit into memory is exact.
        #[allow(clippy::cast_precision_loss)]
        (FeatureType::String, Some(level), None) => match feature.levels.binary_search(level) {
            Ok(level) => Ok(Source::Level(level as f64)),
            Err(_) => Err(format!("unknown level {level:?} of {name:?}")),
        },
        (FeatureType::Double | FeatureType::Long | FeatureType::Boolean, None, None) => Ok(Source::Number),
        _ => Err(format!("expected a number, a level or an indicator of missing values of {name:?}")),
    }
}
