//! What errors amount to, by name.

use indexmap::IndexMap;

/// Metrics of a set of rows, in the order they are printed. A number that is not defined is absent, never NaN.
///
/// | name | what |
/// |---|---|
/// | `r2` | coefficient of determination, `1 − Σw(y − ŷ)² / Σw(y − ȳ)²`; negative when the predictions are worse than the mean of these rows |
/// | `rmse`, `mae` | root mean squared and mean absolute error, in the target's unit |
/// | `adjusted_r2` | `1 − (1 − R²)(n − 1)/(n − p − 1)`, of the rows that an unpenalised fit of p columns (without an intercept: p + 1) saw |
/// | `median_absolute_error` | in the target's unit |
/// | `mape` | mean of `\|y − ŷ\| / \|y\|` as a share, where no target is zero |
/// | `accuracy`, `balanced_accuracy` | share of rows that are right; mean of that share over the classes |
/// | `log_loss` | mean of `−ln p(y)`, probabilities below 2⁻⁵² counting as that |
/// | `brier` | mean of `(1 − p(y))²` for two classes, of `Σ(pₖ − [y = k])²` for more |
/// | `roc_auc` | area under the receiver operating characteristic; the mean of one class against the rest for more than two |
/// | `f1` | harmonic mean of precision and recall, of the second of two classes; the mean over the classes for more |
///
/// The definitions, with weights, are those of scikit-learn 1.9.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics {
    /// Rows that were predicted.
    pub rows: u64,
    /// The numbers, all finite.
    pub values: IndexMap<&'static str, f64>,
}

impl Metrics {
    pub(super) fn new(rows: u64, values: impl IntoIterator<Item = (&'static str, Option<f64>)>) -> Self {
        let defined = |(name, value): (&'static str, Option<f64>)| Some((name, value.filter(|v| v.is_finite())?));
        Self { rows, values: values.into_iter().filter_map(defined).collect() }
    }

    /// One metric; none when it is not defined for these rows.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }

    /// As the model file holds them.
    #[must_use]
    pub fn by_name(&self) -> IndexMap<String, f64> {
        self.values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }
}

/// The name of a metric for people.
#[must_use]
pub fn title(name: &str) -> &str {
    match name {
        "r2" => "R²",
        "rmse" => "RMSE",
        "mae" => "MAE",
        "adjusted_r2" => "adjusted R²",
        "median_absolute_error" => "median absolute error",
        "mape" => "MAPE",
        "balanced_accuracy" => "balanced accuracy",
        "log_loss" => "log loss",
        "brier" => "Brier score",
        "roc_auc" => "ROC AUC",
        "f1" => "F1",
        "calibration_slope" => "calibration slope",
        "expected_calibration_error" => "calibration error",
        other => other,
    }
}
