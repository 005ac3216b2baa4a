//! Settings of logistic regression.

use std::num::NonZero;

/// The settings of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticSettings {
    /// The inverse regularization strength, 1 / alpha; infinite without a penalty.
    pub c: f64,
    /// Whether scores have an intercept. Without it, features are not centred, and are divided by their root mean
    /// square.
    pub intercept: bool,
    /// The most passes over the rows; many more for many classes or columns, whose passes take little time.
    pub max_iterations: u32,
    /// The largest component of the gradient of the mean penalised loss at which the fit has converged. Where that
    /// would take long, 10⁻⁴ is enough.
    pub tolerance: f64,
    /// The number of threads, which does not change the result.
    pub threads: usize,
}

/// The most passes without a penalty: for separable classes, whose coefficients grow by a constant at each step, the
/// Hessian then still has three digits.
const MOST_UNPENALISED: u32 = 25;

impl LogisticSettings {
    /// The settings of a fit without a penalty.
    pub(crate) fn unpenalised(self) -> Self {
        Self { c: f64::INFINITY, max_iterations: self.max_iterations.min(MOST_UNPENALISED), ..self }
    }
}

impl Default for LogisticSettings {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { c: 1.0, intercept: true, max_iterations: 100, tolerance: 1e-8, threads }
    }
}
