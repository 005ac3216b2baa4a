//! The prediction of a model without features: the reference for every metric.

use crate::solver::logistic::position;
use ordinate_model::preprocess::TargetTransform;

/// Computes the mean of a numeric target, or the frequencies of classes, from weighted rows.
///
/// The mean is that of the fit: if the logarithm of the target was fitted, the exponential of the mean logarithm.
#[derive(Debug, Clone)]
pub(crate) struct BaselineBuilder {
    transform: TargetTransform,
    /// The weight of each class; empty for a numeric target.
    classes: Vec<f64>,
    weight: f64,
    mean: f64,
}

impl BaselineBuilder {
    /// `classes`: their number; 0 for a numeric target.
    pub(crate) fn new(classes: usize, transform: TargetTransform) -> Self {
        Self { transform, classes: vec![0.0; classes], weight: 0.0, mean: 0.0 }
    }

    /// Adds the target in its own unit, or the position of the class, and the weight of a row.
    pub(crate) fn push(&mut self, target: f64, weight: f64) {
        self.weight += weight;
        if self.classes.is_empty() {
            let value = match self.transform {
                TargetTransform::Identity => target,
                TargetTransform::Log => libm::log(target),
            };
            if self.weight > 0.0 {
                self.mean += weight / self.weight * (value - self.mean);
            }
            return;
        }
        if let Some(total) = self.classes.get_mut(position(target)) {
            *total += weight;
        }
    }

    /// One number: the prediction; or for classes, one frequency each. Empty without rows, or if the mean is not finite.
    pub(crate) fn finish(&self) -> Vec<f64> {
        if self.weight <= 0.0 {
            return Vec::new();
        }
        if !self.classes.is_empty() {
            return self.classes.iter().map(|class| class / self.weight).collect();
        }
        let prediction = match self.transform {
            TargetTransform::Identity => self.mean,
            TargetTransform::Log => libm::exp(self.mean),
        };
        Some(prediction).filter(|value| value.is_finite()).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_is_the_weighted_mean_the_geometric_mean_or_the_frequencies() {
        let of = |classes, transform, rows: &[(f64, f64)]| {
            let mut builder = BaselineBuilder::new(classes, transform);
            for (target, weight) in rows {
                builder.push(*target, *weight);
            }
            builder.finish()
        };
        let rows = [(1.0, 1.0), (4.0, 3.0)];
        assert!((of(0, TargetTransform::Identity, &rows)[0] - 3.25).abs() < 1e-15);
        assert!((of(0, TargetTransform::Log, &rows)[0] - 64.0_f64.powf(0.25)).abs() < 1e-14);
        assert_eq!(of(3, TargetTransform::Identity, &[(0.0, 1.0), (2.0, 3.0)]), [0.25, 0.0, 0.75]);
        assert_eq!(of(0, TargetTransform::Identity, &[]), [0.0; 0]);
    }
}
