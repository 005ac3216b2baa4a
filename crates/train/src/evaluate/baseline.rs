//! The prediction of a model without features: the reference for every metric.

use super::Label;
use ordinate_model::artifact::Document;
use ordinate_model::family::Family;
use ordinate_model::preprocess::TargetTransform;

/// Computes the mean of a numeric target, or the frequencies of classes, from weighted rows.
///
/// The mean is that of the fit: if the logarithm of the target was fitted, the exponential of the mean logarithm, and
/// with exposures the rate.
#[derive(Debug, Clone)]
pub(crate) struct BaselineBuilder {
    transform: TargetTransform,
    family: Option<Family>,
    /// The weight of each class; empty for a numeric target.
    classes: Vec<f64>,
    weight: f64,
    mean: f64,
}

impl BaselineBuilder {
    /// A builder for rows of this model.
    pub(crate) fn from_document(document: &Document) -> Self {
        let classes = document.estimator.classes().map_or(0, <[_]>::len);
        Self::new(classes, document.preprocess.target_transform, document.estimator.glm_family())
    }

    /// `classes`: their number; 0 for a numeric target.
    fn new(classes: usize, transform: TargetTransform, family: Option<Family>) -> Self {
        Self { transform, family, classes: vec![0.0; classes], weight: 0.0, mean: 0.0 }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, label: &Label) {
        let Label { target, weight, exposure, .. } = *label;
        if !self.classes.is_empty() {
            self.weight += weight;
            self.classes.get_mut(label.class()).into_iter().for_each(|total| *total += weight);
            return;
        }
        let (target, weight) = self.family.map_or((target, weight), |family| family.rate(target, weight, exposure));
        self.weight += weight;
        let value = match self.transform {
            TargetTransform::Identity => target,
            TargetTransform::Log => libm::log(target),
        };
        if self.weight > 0.0 {
            self.mean += weight / self.weight * (value - self.mean);
        }
    }

    /// One number: the prediction; or for classes, one frequency each. Empty without rows, or if the mean is not
    /// finite.
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
            finished(
                BaselineBuilder::new(classes, transform, None),
                rows.iter().map(|(target, weight)| (*target, *weight, 1.0)),
            )
        };
        let rows = [(1.0, 1.0), (4.0, 3.0)];
        assert!((of(0, TargetTransform::Identity, &rows)[0] - 3.25).abs() < 1e-15);
        assert!((of(0, TargetTransform::Log, &rows)[0] - 64.0_f64.powf(0.25)).abs() < 1e-14);
        assert_eq!(of(3, TargetTransform::Identity, &[(0.0, 1.0), (2.0, 3.0)]), [0.25, 0.0, 0.75]);
        assert_eq!(of(0, TargetTransform::Identity, &[]), [0.0; 0]);
    }

    fn finished(mut builder: BaselineBuilder, rows: impl Iterator<Item = (f64, f64, f64)>) -> Vec<f64> {
        for (target, weight, exposure) in rows {
            builder.push(&Label { weight, exposure, ..Label::new(target, false) });
        }
        builder.finish()
    }

    #[test]
    fn with_exposures_the_baseline_is_the_rate_that_fits_best() {
        // By hand: 1·2 + 3·6 targets in 1·4 + 3·2 units of exposure, and the mean of the ratios 1/2 and 3.
        let rows = [(2.0, 1.0, 4.0), (6.0, 3.0, 2.0)];
        for (family, expected) in [(Family::Poisson, 2.0), (Family::Gamma, (0.5 + 3.0 * 3.0) / 4.0)] {
            let builder = BaselineBuilder::new(0, TargetTransform::Identity, Some(family));
            let rate = finished(builder, rows.into_iter())[0];
            assert!((rate - expected).abs() < 1e-15, "{rate} {expected}");
        }
    }
}
