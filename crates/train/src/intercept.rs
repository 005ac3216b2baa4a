//! The intercept in the units of the data: the prediction of a centred fit where every column is zero.

use ordinate_model::artifact::Document;
use ordinate_model::double_double::DoubleDouble;

/// `at_means − Σ coefficient · mean` in double-doubles: far from zero this is a difference of large numbers.
pub(super) fn at_zero(at_means: DoubleDouble, terms: impl Iterator<Item = (DoubleDouble, f64)>) -> f64 {
    terms.fold(at_means, |score, (coefficient, mean)| score - coefficient * DoubleDouble::from(mean)).to_f64()
}

/// The scores of a model where every column of its design is zero, in the transformed unit of the target: one score, or
/// one for each class if there are more than two.
#[must_use]
pub fn intercepts(document: &Document) -> Vec<f64> {
    let estimator = &document.estimator;
    let score = |(score, at_means): (usize, &f64)| {
        let terms = document.preprocess.columns.iter().map(|column| {
            let coefficient = estimator.of(&column.name).and_then(|values| values.get(score)).copied();
            (DoubleDouble::from(coefficient.unwrap_or(0.0)) / DoubleDouble::from(column.scale), column.mean)
        });
        at_zero(DoubleDouble::from(*at_means), terms)
    };
    estimator.intercepts().iter().enumerate().map(score).collect()
}
