//! The result of a logistic regression.

use super::super::leverage::LeverageFactor;

/// Fitted scores: `scoreₛ = interceptₛ + Σ coefficientⱼₛ · (xⱼ − meanⱼ) / scaleⱼ`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// The mean of each column.
    pub means: Vec<f64>,
    /// The population standard deviation of each column.
    pub scales: Vec<f64>,
    /// One for each score: the log-odds of the second of two classes, or one for each class, which sum to 0.
    pub intercepts: Vec<f64>,
    /// For each standardised column, one for each score. For more than two classes they sum to 0.
    pub coefficients: Vec<Vec<f64>>,
    /// Passes over the rows, without the pass for means and scales.
    pub iterations: u32,
    /// The largest component of the gradient before the last step, which reduces it to about its square.
    pub gradient: f64,
    /// Whether gradient and step are within the tolerance.
    pub converged: bool,
    /// Whether the classes are separable (nearly) without error: only the penalty keeps the coefficients finite, and they depend
    /// more on `C` than on the data.
    pub separated: bool,
    /// `Σ w · −ln p(class) / Σ w` over the rows of the fit, before the last step.
    pub log_loss: f64,
    /// The factor for leverages, for at most [`MOST_COLUMNS`](super::super::leverage::MOST_COLUMNS) columns.
    pub leverage_factor: Option<LeverageFactor>,
}

impl LogisticFit {
    /// `−ln p(class)` of a row.
    #[must_use]
    pub fn loss(&self, design: &[f64], class: usize) -> f64 {
        let mut scores = self.intercepts.clone();
        let standardised =
            design.iter().zip(&self.means).zip(&self.scales).map(|((x, mean), scale)| (x - mean) / scale);
        for (value, coefficients) in standardised.zip(&self.coefficients) {
            scores.iter_mut().zip(coefficients).for_each(|(score, coefficient)| *score += coefficient * value);
        }
        if scores.len() == 1 {
            scores.insert(0, 0.0);
        }
        let own = scores.get(class).copied().unwrap_or(f64::NAN);
        // ln Σ exp(scoreⱼ − own), without overflow, and without loss of digits when the sum is close to 1.
        let others = scores.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, score)| score - own);
        let largest = others.clone().fold(0.0, f64::max);
        if largest == 0.0 {
            libm::log1p(others.map(libm::exp).sum::<f64>())
        } else {
            largest + libm::log(libm::exp(-largest) + others.map(|other| libm::exp(other - largest)).sum::<f64>())
        }
    }
}
