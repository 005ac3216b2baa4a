//! The intercept in the units of the data: the prediction of a centred fit where every column is zero.

use ordinate_model::artifact::Document;
use ordinate_model::double_double::DoubleDouble;

/// `at_means − Σ coefficient · mean` in double-doubles: far from zero this is a difference of large numbers.
pub(super) fn at_zero(at_means: DoubleDouble, terms: impl Iterator<Item = (DoubleDouble, f64)>) -> f64 {
    terms.fold(at_means, |score, (coefficient, mean)| score - coefficient * DoubleDouble::from(mean)).to_f64()
}

/// The scores of a model where every column of its design, and its offset, is zero: one, or one per class for more than
/// two classes. The transformation of the target is not undone.
///
/// Far from the data, an intercept has fewer digits than a double: each coefficient of the file is rounded to 53 bits,
/// and the sum of the terms may cancel. The digits that this rounding makes uncertain are left out.
#[must_use]
pub fn intercepts(document: &Document) -> Vec<f64> {
    let estimator = &document.estimator;
    let score = |(score, at_means): (usize, &f64)| {
        let terms = document.preprocess.columns.iter().map(|column| {
            let coefficient = estimator.get(&column.name).and_then(|values| values.get(score)).copied();
            (DoubleDouble::from(coefficient.unwrap_or(0.0)) / DoubleDouble::from(column.scale), column.mean)
        });
        let offset = document.preprocess.offset.iter().map(|offset| (DoubleDouble::from(1.0), offset.mean));
        let terms: Vec<(DoubleDouble, f64)> = terms.chain(offset).collect();
        let size = |(coefficient, mean): &(DoubleDouble, f64)| (coefficient.to_f64() * mean).abs();
        let uncertainty = f64::EPSILON / 2.0 * (at_means.abs() + terms.iter().map(size).sum::<f64>());
        certain_digits(at_zero(DoubleDouble::from(*at_means), terms.into_iter()), uncertainty)
    };
    estimator.intercepts().iter().enumerate().map(score).collect()
}

/// The number with as many decimal digits as its uncertainty leaves: a multiple of a power of ten that is at least
/// twice the uncertainty.
fn certain_digits(value: f64, uncertainty: f64) -> f64 {
    let power = libm::log10(2.0 * uncertainty).ceil();
    if !(power.is_finite() && value.is_finite()) {
        return value;
    }
    if power > 0.0 {
        let step = libm::pow(10.0, power);
        return (value / step).round() * step;
    }
    // The power of a double is at least -324.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let decimals = -power as usize;
    format!("{value:.decimals$}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uncertain_digits_are_left_out() {
        assert_eq!(certain_digits(1.000_000_000_04, 3e-11).to_bits(), 1.0_f64.to_bits());
        assert_eq!(certain_digits(-152.133_484_162_895_9, 1e-14).to_bits(), (-152.133_484_162_895_9_f64).to_bits());
        assert_eq!(certain_digits(123_456_789.0, 400.0).to_bits(), 123_457_000.0_f64.to_bits());
        assert_eq!(certain_digits(0.5, 0.0).to_bits(), 0.5_f64.to_bits());
    }
}
