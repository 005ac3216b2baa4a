//! Example rows: synthetic rows drawn from the training distribution, and the average row. Neither is a row of the
//! training data.

use indexmap::IndexMap;

use crate::answer::{Wanted, WarningScope};
use crate::date::DatePart;
use crate::frame::Frame;
use crate::model::Model;
use crate::number::count_to_f64;
use crate::preprocess::{DesignColumn, Factor};
use crate::quantile::normal_quantile;
use crate::random::{STEP, mix};
use crate::scalar::Scalar;
use crate::signature::{Feature, FeatureType, MissingPolicy, OTHER_LEVEL};

/// The number of example rows of a model.
const EXAMPLES: usize = 8;

/// How many times the deviations of a row are halved until it has no warning.
const HALVINGS: i32 = 4;

impl Model {
    /// Synthetic rows by feature name, the same ones in every call.
    ///
    /// Numbers are drawn from the normal distribution with the means and covariances of the training data, `mean +
    /// scale · Rᵀu ÷ √n`, rounded to a fiftieth of their range or finer and clamped to it. Without `R` in the file they
    /// are drawn independently, with a sixth of the range as standard deviation. Categories and booleans are drawn by
    /// their frequencies. A number that occurs only in products or powers has the middle of its range.
    ///
    /// The file of a model without an intercept has no means, covariances or frequencies: numbers are drawn
    /// independently around the middle of their range, with a sixth of it as standard deviation; all categories are
    /// equally likely.
    ///
    /// A date is drawn by its days, whole ones unless its range is shorter than a few days. The levels of missing and of
    /// rare values are not drawn, unless a category has no other.
    #[must_use]
    pub fn examples(&self) -> Vec<IndexMap<&str, Scalar>> {
        let mut random = SplitMix(0);
        (0..EXAMPLES).map(|_| self.draw_row(&mut random)).collect()
    }

    /// The first of the [`examples`](Self::examples): the row in the documentation and in printed commands.
    #[must_use]
    pub fn example(&self) -> IndexMap<&str, Scalar> {
        self.draw_row(&mut SplitMix(0))
    }

    /// The average row: the mean of each number in the training data, the most frequent value of each category and
    /// boolean.
    ///
    /// A feature that occurs only in products or powers is absent, because the file does not have its mean; so is every
    /// feature of a model without an intercept.
    #[must_use]
    pub fn typical(&self) -> IndexMap<&str, Scalar> {
        if self.document.preprocess.through_origin {
            return IndexMap::new();
        }
        let columns = &self.document.preprocess.columns;
        let features = self.signature().features().iter();
        // An offset has the value whose term is the mean.
        let offset = |feature: &Feature| {
            let offset = self.document.preprocess.offset.as_ref().filter(|offset| offset.feature == feature.name)?;
            Some(Scalar::Number(offset.typical()))
        };
        let typical = |feature: &Feature| offset(feature).or_else(|| typical_value(feature, columns));
        features.filter_map(|feature| Some((feature.name.as_str(), typical(feature)?))).collect()
    }

    fn draw_row(&self, random: &mut SplitMix) -> IndexMap<&str, Scalar> {
        let features = self.signature().features();
        let moments = self.moments(random);
        let drawn: Vec<Drawn> = features.iter().map(|feature| draw(feature, moments.as_ref(), random)).collect();
        let mut row = Vec::new();
        for halving in 0..=HALVINGS {
            let fraction = 0.5_f64.powi(halving);
            row = features.iter().zip(&drawn).map(|(feature, drawn)| drawn.at(feature, fraction)).collect();
            let frame = Frame::from_accepted(self.signature(), row.clone());
            let wanted = Wanted { warnings: WarningScope::First, ..Wanted::default() };
            if self.answer(&frame, &wanted).is_ok_and(|answer| answer.warnings.counts.total() == 0) {
                break;
            }
        }
        features
            .iter()
            .zip(row)
            .map(|(feature, value)| (feature.name.as_str(), example_value(feature, value)))
            .collect()
    }

    /// The moments of the training data that the file of a model with an intercept has, and a deviation drawn from
    /// them.
    fn moments(&self, random: &mut SplitMix) -> Option<Moments<'_>> {
        let preprocess = &self.document.preprocess;
        (!preprocess.through_origin)
            .then(|| Moments { columns: &preprocess.columns, deviations: self.deviations(random) })
    }

    /// The deviation of each column of the design from its mean, in its scale; `None` without `R`.
    fn deviations(&self, random: &mut SplitMix) -> Option<Vec<f64>> {
        let inference = self.document.inference.as_ref().filter(|inference| !inference.r.is_empty())?;
        let weight = inference.total_weight(self.document.training.rows.unwrap_or(0));
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

/// A value of a frame before it is rounded.
enum Drawn {
    Number { mean: f64, deviation: f64 },
    Category(f64),
}

/// The columns with their means, and their jointly drawn deviations where the file has `R`.
struct Moments<'m> {
    columns: &'m [DesignColumn],
    deviations: Option<Vec<f64>>,
}

fn draw(feature: &Feature, moments: Option<&Moments>, random: &mut SplitMix) -> Drawn {
    let own = moments.and_then(|moments| own_column(feature, None, moments.columns));
    match feature.kind {
        FeatureType::Double | FeatureType::Long | FeatureType::Date => {
            let [low, high] = feature.range.unwrap_or_default();
            let (middle, independent) = (f64::midpoint(low, high), random.normal() * (high - low) / 6.0);
            let is_date = feature.kind == FeatureType::Date;
            match (moments, own) {
                (None, _) => Drawn::Number { mean: middle, deviation: independent },
                // Without the column of its days, the parts of a date still differ.
                (_, None) => Drawn::Number { mean: middle, deviation: if is_date { independent } else { 0.0 } },
                (Some(moments), Some((position, column))) => {
                    let joint = moments.deviations.as_ref().and_then(|deviations| deviations.get(position));
                    let deviation = joint.map_or(independent, |deviation| deviation * column.scale);
                    // The column counts from the first date.
                    Drawn::Number { mean: column.mean + if is_date { low } else { 0.0 }, deviation }
                }
            }
        }
        FeatureType::Boolean => {
            let frequency = own.map_or(0.5, |(_, column)| column.mean);
            Drawn::Category(f64::from(u8::from(random.uniform() < frequency)))
        }
        FeatureType::String => {
            let levels = feature.levels.len();
            let equal = || vec![1.0 / count_to_f64(levels as u64); levels];
            let frequencies = moments.map_or_else(equal, |moments| frequencies(feature, moments.columns));
            let shown: Vec<bool> = are_shown(feature).collect();
            let of_shown =
                || frequencies.iter().zip(&shown).map(|(frequency, shown)| if *shown { *frequency } else { 0.0 });
            let total = if shown.contains(&false) { of_shown().sum() } else { 1.0 };
            let mut left = random.uniform() * total;
            let is_reached = |frequency: f64| {
                left -= frequency;
                left < 0.0
            };
            let last = || shown.iter().rposition(|shown| *shown).unwrap_or_default();
            let level = of_shown().position(is_reached).unwrap_or_else(last);
            Drawn::Category(count_to_f64(level as u64))
        }
    }
}

impl Drawn {
    /// The value at this fraction of the drawn deviation from the mean.
    fn at(&self, feature: &Feature, fraction: f64) -> f64 {
        let (mean, deviation) = match self {
            Self::Category(value) => return *value,
            Self::Number { mean, deviation } => (mean, deviation * fraction),
        };
        let value = mean + deviation;
        let whole = is_whole(feature);
        if let (FeatureType::Date, Some(range)) = (feature.kind, feature.range) {
            return round_date(value, range);
        }
        let Some([low, high]) = feature.range.filter(|[low, high]| low < high) else {
            let value = feature.range.map_or(value, |[only, _]| only);
            return if whole { value.round() } else { value };
        };
        let power = ((high - low) / 50.0).log10().floor();
        round_to_power(value, if whole { power.max(0.0) } else { power }).clamp(low, high)
    }
}

/// Rounds to a multiple of this power of 10, without the digits of a binary fraction.
fn round_to_power(value: f64, power: f64) -> f64 {
    // The logarithm of a double is between -324 and 308.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let decimals = (-power).max(0.0) as usize;
    let step = 10.0_f64.powf(power);
    if power > 0.0 { (value / step).round() * step } else { format!("{value:.decimals$}").parse().unwrap_or(value) }
}

/// Rounds to whole days, or to hours in a range of a few days, within the range.
fn round_date(value: f64, [low, high]: [f64; 2]) -> f64 {
    const FEW_DAYS: f64 = 4.0;
    let rounded = if high - low > FEW_DAYS {
        value.round()
    } else {
        // As a date with a time is read, so that it is written without fractions of a second.
        value.floor() + ((value - value.floor()) * 24.0).round() * 3600.0 / 86_400.0
    };
    rounded.clamp(low, high)
}

/// Whether all values of a number in the training data are whole.
fn is_whole(feature: &Feature) -> bool {
    feature.kind == FeatureType::Long || feature.whole
}

/// For each level, whether examples show it: not the levels of missing and of rare values, unless there are no others.
fn are_shown(feature: &Feature) -> impl Iterator<Item = bool> {
    let is_special = |level: &String| {
        level == OTHER_LEVEL || matches!(&feature.missing, MissingPolicy::Category(missing) if level == missing)
    };
    let all = feature.levels.iter().all(is_special);
    feature.levels.iter().map(move |level| all || !is_special(level))
}

fn example_value(feature: &Feature, value: f64) -> Scalar {
    /// All integers up to here are exact.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    if is_whole(feature) && value.fract() == 0.0 && value.abs() <= LARGEST {
        // A whole number without a fraction.
        #[allow(clippy::cast_possible_truncation)]
        return Scalar::Integer(value as i64);
    }
    feature.to_scalar(value)
}

fn typical_value(feature: &Feature, columns: &[DesignColumn]) -> Option<Scalar> {
    let mean = own_column(feature, None, columns).map(|(_, column)| column.mean);
    match feature.kind {
        FeatureType::Double | FeatureType::Long if is_whole(feature) => mean.map(|mean| Scalar::Number(mean.round())),
        FeatureType::Double | FeatureType::Long => mean.map(Scalar::Number),
        FeatureType::Boolean => mean.map(|mean| Scalar::Boolean(mean >= 0.5)),
        FeatureType::Date => feature.range.map(|range @ [low, high]| {
            let day = mean.map_or(f64::midpoint(low, high), |days| low + days);
            feature.to_scalar(round_date(day, range))
        }),
        FeatureType::String => {
            let mut most_frequent: Option<(&String, f64)> = None;
            let frequencies = frequencies(feature, columns);
            let levels = feature.levels.iter().zip(frequencies).zip(are_shown(feature));
            for ((level, frequency), _) in levels.filter(|(_, is_shown)| *is_shown) {
                if most_frequent.is_none_or(|(_, most)| frequency > most) {
                    most_frequent = Some((level, frequency));
                }
            }
            most_frequent.map(|(level, _)| Scalar::Text(level.clone()))
        }
    }
}

/// The column that is exactly this feature, or this level of it, or the days of a date; and its position.
fn own_column<'c>(
    feature: &Feature,
    level: Option<&String>,
    columns: &'c [DesignColumn],
) -> Option<(usize, &'c DesignColumn)> {
    let part = if feature.kind == FeatureType::Date { Some(DatePart::Days) } else { None };
    let is_own = |factor: &Factor| {
        let of_feature = factor.feature == feature.name && factor.part == part && !factor.missing && factor.is_plain();
        of_feature && factor.power.unwrap_or(1) == 1 && factor.level.as_ref() == level
    };
    columns.iter().enumerate().find(|(_, column)| matches!(column.product.as_slice(), [factor] if is_own(factor)))
}

/// The relative frequency of each level of a string in the training data: the mean of the level's column. The reference
/// level, which has no column, has the rest.
fn frequencies(feature: &Feature, columns: &[DesignColumn]) -> Vec<f64> {
    let frequency = |level| own_column(feature, Some(level), columns).map(|(_, column)| column.mean);
    let frequencies: Vec<Option<f64>> = feature.levels.iter().map(frequency).collect();
    let rest = 1.0 - frequencies.iter().flatten().sum::<f64>();
    frequencies.into_iter().map(|frequency| frequency.unwrap_or(rest)).collect()
}

/// Steele, Lea and Flood's `SplitMix64` (2014).
struct SplitMix(u64);

impl SplitMix {
    /// A number strictly between 0 and 1.
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
