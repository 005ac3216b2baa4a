//! Prediction sets: for each row the classes that contain the true one with at least the requested probability.

use crate::answer::IntervalError;
use crate::model::Model;
use crate::scalar::Scalar;

/// Makes the prediction sets of one level.
#[derive(Debug)]
pub(super) struct PredictionSets<'m> {
    classes: &'m [Scalar],
    /// The largest conformity score, 1 − the probability of a class, that a class in a set may have.
    max_score: f64,
}

impl<'m> PredictionSets<'m> {
    /// Prediction sets of this level, such as 0.95, for a classifier whose file has conformity scores of held-out rows.
    ///
    /// # Errors
    /// See [`IntervalError`].
    pub(super) fn new(model: &'m Model, level: f64) -> Result<Self, IntervalError> {
        let unavailable = || IntervalError::NoPredictionSets { model: model.name().to_owned() };
        let classes = model.classes().ok_or_else(unavailable)?;
        let inference = model.document.inference.as_ref();
        let conformal = inference.and_then(|inference| inference.conformal.as_ref()).ok_or_else(unavailable)?;
        Ok(Self { classes, max_score: conformal.quantile(level)? })
    }

    /// The classes of a row whose score is at most the largest one, in the order of the classes. Never empty: without
    /// any such class it is the most probable one, which the model predicts.
    pub(super) fn set(&self, probabilities: &[f64]) -> Vec<&'m Scalar> {
        let most = probabilities.iter().copied().fold(0.0, f64::max);
        let select = |is_in: &dyn Fn(f64) -> bool| {
            let classes = self.classes.iter().zip(probabilities).filter(|(_, p)| is_in(**p));
            classes.map(|(class, _)| class).collect::<Vec<_>>()
        };
        // The same rounding of `1 − p` as in the stored scores.
        let mut set = select(&|p| 1.0 - p <= self.max_score);
        if set.is_empty() {
            set = select(&|p| p >= most);
            set.truncate(1);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_set_is_never_empty() {
        let classes = ["a", "b", "c"].map(|class| Scalar::Text(class.into()));
        let sets = |max_score: f64| {
            let sets = PredictionSets { classes: &classes, max_score };
            let rows = [[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.4, 0.2, 0.4]];
            rows.map(|row| sets.set(&row))
                .iter()
                .map(|set| set.iter().map(ToString::to_string).collect())
                .collect::<Vec<String>>()
        };
        assert_eq!(sets(0.7), ["a", "abc", "ac"]);
        assert_eq!(sets(0.8), ["ab", "abc", "abc"]);
        assert_eq!(sets(0.3), ["a", "b", "a"]);
        assert_eq!(sets(1.0), ["abc"; 3]);
    }
}
