//! The deviance of predictions of a generalised linear model, and of a constant rate.

use super::regression::RegressionRow;
use ordinate_model::family::Family;

/// A deviance below this fraction of the sum of its terms is a rounding error.
const NO_DEVIANCE: f64 = 1e-14;

/// Sums over rows for the mean deviance and the fraction of the deviance that predictions explain.
#[derive(Debug, Clone)]
pub(super) struct DevianceSums {
    pub(super) family: Family,
    /// The deviance of the predictions.
    deviance: f64,
    /// The first rate above zero. Deviances are compared with it, to preserve the digits of rates far from 1.
    reference: Option<f64>,
    /// The deviance of the rates above zero from the reference.
    of_reference: f64,
    /// The weight of the rates, and of those above zero.
    weight: f64,
    positive_weight: f64,
    /// The weighted sum of the rates.
    rates: f64,
}

impl DevianceSums {
    pub(super) fn new(family: Family) -> Self {
        let (deviance, of_reference, weight, positive_weight, rates) = (0.0, 0.0, 0.0, 0.0, 0.0);
        Self { family, deviance, reference: None, of_reference, weight, positive_weight, rates }
    }

    pub(super) fn push(&mut self, row: &RegressionRow) {
        self.deviance += row.weight * self.family.deviance(row.actual, row.predicted);
        let (rate, weight) = self.family.rate(row.actual, row.weight, row.exposure);
        self.weight += weight;
        if rate > 0.0 {
            let reference = *self.reference.get_or_insert(rate);
            self.positive_weight += weight;
            self.of_reference += weight * self.family.deviance(rate, reference);
            self.rates += weight * rate;
        }
    }

    /// The mean deviance of rows of this total weight.
    pub(super) fn mean(&self, weight: f64) -> f64 {
        self.deviance / weight
    }

    /// The deviance of the predictions, the deviance of the constant rate that fits these rows best, and that rate.
    /// None if no target is above zero, or all rates are equal.
    pub(super) fn compared(&self) -> Option<Compared> {
        let reference = self.reference?;
        let rate = self.rates / self.weight;
        let log = libm::log(rate / reference);
        let of_rate = match self.family {
            // A rate of zero has the deviance `2 · reference`.
            Family::Poisson => {
                self.of_reference + 2.0 * (self.weight - self.positive_weight) * reference
                    - 2.0 * (self.rates * log - (self.rates - self.weight * reference))
            }
            Family::Gamma => self.of_reference + 2.0 * (self.weight - self.rates / reference + self.weight * log),
        };
        let size = match self.family {
            Family::Poisson => self.rates,
            Family::Gamma => self.weight,
        };
        (of_rate.is_finite() && of_rate > NO_DEVIANCE * size).then_some(Compared {
            of_predictions: self.deviance,
            of_rate,
            rate,
        })
    }

    /// `1 − deviance ÷ deviance of the constant rate`.
    pub(super) fn explained(&self) -> Option<f64> {
        self.compared().map(|compared| 1.0 - compared.of_predictions / compared.of_rate)
    }
}

/// Deviances of the same rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub(super) of_predictions: f64,
    pub(super) of_rate: f64,
    pub(super) rate: f64,
}
