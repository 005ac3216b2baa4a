//! Metrics by name.

use indexmap::IndexMap;

/// Numbers of single rows that are kept for the median error and for curves: 32 MB for each set of rows.
pub const KEPT_NUMBERS: usize = 4_000_000;

/// Metrics on a set of rows, in the order of output. Undefined metrics are absent.
///
/// | name | definition |
/// |---|---|
/// | `d2` | fraction of the deviance explained, `1 − deviance / deviance of the mean of these rows`; Poisson and gamma regression |
/// | `mean_deviance` | mean deviance of the family of the model |
/// | `r2` | coefficient of determination, `1 − Σw(y − ŷ)² / Σw(y − ȳ)²`; negative if the mean of these rows predicts better |
/// | `rmse`, `mae` | root mean squared and mean absolute error, in the target's unit |
/// | `adjusted_r2` | `1 − (1 − R²)(n − 1)/(n − p − 1)`, for an unpenalised fit of p columns (p + 1 without an intercept) to these rows |
/// | `median_absolute_error` | in the target's unit |
/// | `mape_percent` | mean of `100·\|y − ŷ\| / \|y\|`, if no target is zero |
/// | `accuracy`, `balanced_accuracy` | fraction of correct predictions; mean of that fraction over the classes |
/// | `log_loss` | mean of `−ln p(y)`, with probabilities of at least 2⁻⁵² |
/// | `brier` | mean of `(1 − p(y))²` for two classes, of `Σ(pₖ − [y = k])²` for more |
/// | `roc_auc` | area under the receiver operating characteristic; for more than two classes, the mean over each class against the rest |
/// | `precision`, `recall` | of the second of two classes: the fraction of its predictions that are correct, the fraction of its rows that are found |
/// | `f1` | harmonic mean of precision and recall, of the second of two classes; for more, the mean over the classes |
/// | `calibration_slope` | the maximum likelihood factor on the scores: 1 is calibrated, below 1 is overconfident; absent outside 0.1 to 10 |
/// | `expected_calibration_error` | mean distance between predicted probability and observed frequency, over at most ten bins of equal size: of the second of two classes, or of the predicted class |
///
/// The weighted definitions are those of scikit-learn 1.9, whose MAPE is a fraction. The last two are of rows that the
/// fit did not use.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics {
    /// The number of rows.
    pub rows: u64,
    /// The metrics, all finite.
    pub values: IndexMap<&'static str, f64>,
    /// The standard errors of the metrics, for rows that the fit did not use: by the delta method, as if the rows were
    /// a random sample. Absent where the rows do not vary.
    pub standard_errors: IndexMap<&'static str, f64>,
    /// The same metrics of a prediction without features.
    pub baseline: IndexMap<&'static str, f64>,
}

/// A set of named numbers, without those that are undefined.
pub(super) fn defined(
    values: impl IntoIterator<Item = (&'static str, Option<f64>)>,
) -> impl Iterator<Item = (&'static str, f64)> {
    values.into_iter().filter_map(|(name, value)| Some((name, value.filter(|v| v.is_finite())?)))
}

impl Metrics {
    pub(super) fn new(rows: u64, values: impl IntoIterator<Item = (&'static str, Option<f64>)>) -> Self {
        Self { rows, values: defined(values).collect(), ..Self::default() }
    }

    /// One metric; none if it is undefined for these rows.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }

    /// The metrics for a model file.
    #[must_use]
    pub fn by_name(&self) -> IndexMap<String, f64> {
        by_name(&self.values)
    }
}

/// Numbers with owned names, for files.
#[must_use]
pub fn by_name(values: &IndexMap<&'static str, f64>) -> IndexMap<String, f64> {
    values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

/// The title of a metric in output.
#[must_use]
pub fn title(name: &str) -> &str {
    match name {
        "d2" => "D²",
        "mean_deviance" => "mean deviance",
        "r2" => "R²",
        "rmse" => "RMSE",
        "mae" => "MAE",
        "adjusted_r2" => "adjusted R²",
        "median_absolute_error" => "median absolute error",
        "mape_percent" => "MAPE, %",
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
