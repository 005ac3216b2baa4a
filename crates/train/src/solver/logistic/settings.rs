//! Settings of logistic regression.

/// The settings of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticSettings {
    /// The inverse regularization strength, 1 / alpha.
    pub c: f64,
    /// Whether scores have an intercept. Without it, features are not centred, and are divided by their root mean square.
    pub intercept: bool,
    /// The most passes over the rows.
    pub max_iterations: u32,
    /// The largest component of the gradient of the mean penalised loss at which the fit has converged.
    pub tolerance: f64,
}

impl Default for LogisticSettings {
    fn default() -> Self {
        Self { c: 1.0, intercept: true, max_iterations: 100, tolerance: 1e-8 }
    }
}
