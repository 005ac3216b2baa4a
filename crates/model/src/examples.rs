//! Rows like those of the training data, none of which anybody is: drawn from its means and covariances.

use indexmap::IndexMap;

use super::frame::Frame;
use super::leverage::count;
use super::preprocess::DesignColumn;
use super::quantile::normal_quantile;
use super::random::{STEP, mix};
use super::scalar::Scalar;
use super::signature::{Feature, FeatureType};
use super::typical::{own_column, shares};
use super::warning::WarningScope;
use super::{Model, Wanted};

/// How many there are.
const EXAMPLES: usize = 8;

/// How often a row that would be warned of is taken half of the way to the means, or to the middles of the ranges.
const HALVINGS: i32 = 4;

impl Model {
    /// Rows by name, the same ones always. Numbers are drawn from the normal distribution with the means and covariances of the
    /// training data: `mean + scale · Rᵀu ÷ √n`, rounded to a fiftieth of their range or finer and kept within it. Of a file without
    /// `R` they are drawn each by itself, with a sixth of the range as standard deviation. Categories and booleans are drawn by
    /// their shares. A number that is not a column of its own, but only in products or powers, has the middle of its range.
    ///
    /// The file of a model without an intercept holds neither means nor covariances nor shares: numbers are drawn each by itself about
    /// the middle of their range, with a sixth of it as standard deviation, and one category or boolean is as likely as another.
    #[must_use]
    pub fn examples(&self) -> Vec<IndexMap<&str, Scalar>> {
        let mut random = SplitMix(0);
        (0..EXAMPLES).map(|_| self.example(&mut random)).collect()
    }

    fn example(&self, random: &mut SplitMix) -> IndexMap<&str, Scalar> {
        let features = self.signature().features();
        let known = self.known(random);
        let drawn: Vec<Drawn> = features.iter().map(|feature| draw(feature, known.as_ref(), random)).collect();
        let mut row = Vec::new();
        for halving in 0..=HALVINGS {
            let far = 0.5_f64.powi(halving);
            row = features.iter().zip(&drawn).map(|(feature, drawn)| drawn.at(feature, far)).collect();
            let frame = Frame::from_accepted(self.signature(), row.clone());
            let wanted = Wanted { warnings: WarningScope::First, ..Wanted::default() };
            if self.answer(&frame, &wanted).is_ok_and(|answer| answer.warnings.total == 0) {
                break;
            }
        }
        features.iter().zip(row).map(|(feature, value)| (feature.name.as_str(), written(feature, value))).collect()
    }

    /// What a model with an intercept knows of its training data.
    fn known(&self, random: &mut SplitMix) -> Option<Known<'_>> {
        let preprocess = &self.document.preprocess;
        (!preprocess.through_origin)
            .then(|| Known { columns: &preprocess.columns, deviations: self.deviations(random) })
    }

    /// How far each column of the design is from its mean, in its scale; none of a file without `R`.
    fn deviations(&self, random: &mut SplitMix) -> Option<Vec<f64>> {
        let inference = self.document.inference.as_ref().filter(|inference| !inference.r.is_empty())?;
        let weight = inference.weight.unwrap_or(count(self.document.training.rows));
        let mut deviations = vec![0.0; inference.r.len()];
        for (row, entries) in inference.r.iter().enumerate() {
            let normal = random.normal() / weight.sqrt();
            for (deviation, entry) in deviations.iter_mut().skip(row).zip(entries) {
                *deviation += entry * normal;
            }
        }
        Some(deviations)
    }
}

/// A value of a frame, before it is rounded.
enum Drawn {
    Number { mean: f64, deviation: f64 },
    Chosen(f64),
}

/// Columns with their means, and how far from them a row is, where it is drawn together.
struct Known<'m> {
    columns: &'m [DesignColumn],
    deviations: Option<Vec<f64>>,
}

fn draw(feature: &Feature, known: Option<&Known>, random: &mut SplitMix) -> Drawn {
    let own = known.and_then(|known| own_column(feature, None, known.columns));
    match feature.kind {
        FeatureType::Double | FeatureType::Long => {
            let [low, high] = feature.range.unwrap_or_default();
            let (middle, alone) = (f64::midpoint(low, high), random.normal() * (high - low) / 6.0);
            match (known, own) {
                (None, _) => Drawn::Number { mean: middle, deviation: alone },
                (_, None) => Drawn::Number { mean: middle, deviation: 0.0 },
                (Some(known), Some((position, column))) => {
                    let together = known.deviations.as_ref().and_then(|deviations| deviations.get(position));
                    let deviation = together.map_or(alone, |deviation| deviation * column.scale);
                    Drawn::Number { mean: column.mean, deviation }
                }
            }
        }
        FeatureType::Boolean => {
            let share = own.map_or(0.5, |(_, column)| column.mean);
            Drawn::Chosen(f64::from(u8::from(random.uniform() < share)))
        }
        FeatureType::String => {
            let mut left = random.uniform();
            let levels = feature.levels.len();
            let equal = || vec![1.0 / count(levels as u64); levels];
            let shares = known.map_or_else(equal, |known| shares(feature, known.columns));
            let falls = |share: &f64| {
                left -= share;
                left < 0.0
            };
            let level = shares.iter().position(falls).unwrap_or(levels.saturating_sub(1));
            Drawn::Chosen(count(level as u64))
        }
    }
}

impl Drawn {
    /// The value so far from the mean, in parts of what was drawn.
    fn at(&self, feature: &Feature, far: f64) -> f64 {
        let (mean, deviation) = match self {
            Self::Chosen(value) => return *value,
            Self::Number { mean, deviation } => (mean, deviation * far),
        };
        let value = mean + deviation;
        let whole = feature.kind == FeatureType::Long;
        let Some([low, high]) = feature.range.filter(|[low, high]| low < high) else {
            let value = feature.range.map_or(value, |[only, _]| only);
            return if whole { value.round() } else { value };
        };
        let power = ((high - low) / 50.0).log10().floor();
        rounded(value, if whole { power.max(0.0) } else { power }).clamp(low, high)
    }
}

/// To a multiple of 10 to this power, without the noise of binary fractions.
fn rounded(value: f64, power: f64) -> f64 {
    // The logarithm of a double is between -324 and 308.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let decimals = (-power).max(0.0) as usize;
    let step = 10.0_f64.powf(power);
    if power > 0.0 { (value / step).round() * step } else { format!("{value:.decimals$}").parse().unwrap_or(value) }
}

/// As a caller writes it.
fn written(feature: &Feature, value: f64) -> Scalar {
    match feature.kind {
        // Whole, and of the training data: a double holds it exactly.
        #[allow(clippy::cast_possible_truncation)]
        FeatureType::Long => Scalar::Integer(value as i64),
        _ => feature.to_scalar(value),
    }
}

/// Steele, Lea and Flood's `SplitMix64` (2014).
struct SplitMix(u64);

impl SplitMix {
    /// Between 0 and 1, and neither.
    #[allow(clippy::cast_precision_loss)]
    fn uniform(&mut self) -> f64 {
        let bits = mix(self.0);
        self.0 = self.0.wrapping_add(STEP);
        // 52 bits and a half: 53 would round to 1.
        ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
