//! Between which values an answer will lie, and how surely.

use thiserror::Error;

use super::distribution::student_quantile;
use crate::model::Model;
use crate::model::inference::Inference;
use crate::model::preprocess::TargetTransform;

/// Why there are no intervals.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IntervalError {
    /// The model's file holds nothing to compute them from.
    #[error(
        "the model {model} has no intervals: only ordinary least squares (--estimator linear) with more rows than columns has"
    )]
    NotInferable {
        /// The model's name.
        model: String,
    },
    /// A level that is no probability.
    #[error("an interval's level is between 0 and 1, such as 0.95")]
    Level,
}

/// Prediction intervals of a least-squares fit: new answers, not only their mean, lie within them with the level's
/// probability when errors are normal, independent and of one variance.
///
/// `ŷ ± t · √(s² (1 + 1/n + ‖R⁻ᵀ(x − x̄)‖²))` with the quantile t of Student's distribution at n − p − 1 degrees of
/// freedom; of a logged target the ends are taken back to its unit.
#[derive(Debug)]
pub struct PredictionInterval<'m> {
    model: &'m Model,
    inference: &'m Inference,
    quantile: f64,
    /// 1/n.
    share_of_a_row: f64,
}

impl<'m> PredictionInterval<'m> {
    /// Intervals of this level, such as 0.95.
    ///
    /// # Errors
    /// See [`IntervalError`].
    pub fn new(model: &'m Model, level: f64) -> Result<Self, IntervalError> {
        let not_inferable = || IntervalError::NotInferable { model: model.name().to_owned() };
        let inference = model.document().inference.as_ref().ok_or_else(not_inferable)?;
        let freedom = f64::from(inference.degrees_of_freedom);
        if freedom < 1.0 {
            return Err(not_inferable());
        }
        let quantile = student_quantile(f64::midpoint(1.0, level), freedom).ok_or(IntervalError::Level)?;
        if level <= 0.0 {
            return Err(IntervalError::Level);
        }
        let rows = freedom + model.design().width() as f64 + 1.0;
        Ok(Self { model, inference, quantile, share_of_a_row: 1.0 / rows })
    }

    /// The interval around the prediction for a row of a frame; none when an end exceeds a double.
    #[must_use]
    pub fn around(&self, row: &[f64], prediction: f64) -> Option<[f64; 2]> {
        let variance = self.inference.residual_variance * (1.0 + self.leverage(row)?);
        let reach = self.quantile * variance.sqrt();
        let ends = match self.model.document().preprocess.target_transform {
            TargetTransform::Identity => [prediction - reach, prediction + reach],
            TargetTransform::Log => [prediction * (-reach).exp(), prediction * reach.exp()],
        };
        ends.iter().all(|end| end.is_finite()).then_some(ends)
    }

    /// `1/n + ‖R⁻ᵀ(x − x̄)‖²`, by substitution from the first row of R on.
    fn leverage(&self, row: &[f64]) -> Option<f64> {
        let mut rest: Vec<f64> = self.model.design().row(row).collect();
        let mut sum = self.share_of_a_row;
        for (place, entries) in self.inference.r.iter().enumerate() {
            let (diagonal, right) = entries.split_first()?;
            let (current, below) = rest.get_mut(place..)?.split_first_mut()?;
            let part = *current / diagonal;
            for (value, entry) in below.iter_mut().zip(right) {
                *value -= entry * part;
            }
            sum += part * part;
        }
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::artifact::Document;
    use crate::model::scalar::Scalar;

    fn line(estimator: &str, inference: bool, transform: &str) -> Model {
        let mut document = json!({
            "format": "ordinate.model/1", "name": "line", "version": "1", "created": "2026-11-23T00:00:00Z", "task": "regression",
            "signature": {
                "features": [{"name": "x", "type": "double", "missing": "reject"}],
                "target": {"name": "y", "type": "double"}
            },
            "preprocess": {
                "columns": [{"name": "x", "product": [{"feature": "x"}], "mean": 3.0, "scale": 1.0}],
                "target_transform": transform
            },
            "estimator": {"family": estimator, "intercept": 4.0, "coefficients": {"x": 0.6}},
            "training": {
                "rows": 5, "data_sha256": "0".repeat(64), "parameters": {}, "seed": 0, "metrics": {},
                "tool": "test", "smartcore": "0.7.0"
            },
            "golden": {"X": [], "y": []}
        });
        if inference {
            // x = 1 … 5, y = 2, 4, 5, 4, 5: Σ(x − 3)² = 10, residual sum of squares 2.4 on 3 degrees of freedom.
            document["inference"] =
                json!({"degrees_of_freedom": 3, "residual_variance": 0.8, "r": [[10.0_f64.sqrt()]]});
        }
        let document: Document = serde_json::from_value(document).unwrap();
        let sealed = document.seal(vec![vec![Scalar::Number(1.0)]]).unwrap();
        Model::from_json(sealed.to_json().unwrap().as_bytes()).unwrap()
    }

    /// The textbook's formula for one feature, with t(0.975; 3) = 3.1824463052837097 (mpmath).
    fn reach(x: f64) -> f64 {
        3.182_446_305_283_709_7 * (0.8 * (1.0 + 1.0 / 5.0 + (x - 3.0).powi(2) / 10.0)).sqrt()
    }

    #[test]
    fn a_line_has_the_textbooks_interval() {
        let model = line("linear", true, "identity");
        let interval = PredictionInterval::new(&model, 0.95).unwrap();
        for (x, y) in [(3.0, 4.0), (5.0, 5.2), (-7.0, -2.0)] {
            let [low, high] = interval.around(&[x], y).unwrap();
            assert!((low - (y - reach(x))).abs() < 1e-12 && (high - (y + reach(x))).abs() < 1e-12);
        }
    }

    #[test]
    fn of_a_logged_target_the_ends_are_in_its_own_unit() {
        let model = line("linear", true, "log");
        let [low, high] = PredictionInterval::new(&model, 0.95).unwrap().around(&[3.0], 4.0_f64.exp()).unwrap();
        assert!((low.ln() - (4.0 - reach(3.0))).abs() < 1e-12 && (high.ln() - (4.0 + reach(3.0))).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_interval_says_so() {
        let refused = |model: &Model, level| PredictionInterval::new(model, level).unwrap_err();
        let model = line("linear", true, "identity");
        for level in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
            assert_eq!(refused(&model, level), IntervalError::Level, "{level}");
        }
        let penalised = line("ridge", false, "identity");
        assert_eq!(refused(&penalised, 0.95), IntervalError::NotInferable { model: "line".into() });
        assert_eq!(PredictionInterval::new(&model, 0.95).unwrap().around(&[1e300], 1e300), None);
    }
}
