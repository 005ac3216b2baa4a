//! Weights that give every class the same total weight in a fit.

use crate::solver::design_rows::{DesignRow, DesignRows, SparseRow};
use crate::solver::logistic::position;
use crate::training_rows::TrainingRows;
use ordinate_table::SpoolError;

/// Rows whose weights are multiplied by a factor for their class.
///
/// Balanced weights are `n/(k·nₖ)` for `k` classes, where `n` is the weight of all rows and `nₖ` that of the class, as
/// in scikit-learn's `class_weight="balanced"`: the sum of all weights stays the same.
#[derive(Debug)]
pub(super) struct ClassWeighted<'t> {
    rows: TrainingRows<'t>,
    /// One factor for each class; empty if the rows keep their weights.
    factors: Vec<f64>,
}

impl<'t> ClassWeighted<'t> {
    /// The rows, balanced or with their own weights.
    ///
    /// # Errors
    /// [`SpoolError`] when the rows cannot be read.
    pub(super) fn new(rows: TrainingRows<'t>, classes: usize, balanced: bool) -> Result<Self, SpoolError> {
        let mut factors = Vec::new();
        if balanced {
            let mut totals = vec![0.0; classes];
            rows.scan_sparse::<SpoolError>(&mut |row| {
                totals.get_mut(position(row.target)).into_iter().for_each(|total| *total += row.weight);
                Ok(())
            })?;
            let all: f64 = totals.iter().sum();
            // A class without rows is an error of the solver.
            let factor = |total: &f64| if *total > 0.0 { all / (classes as f64 * total) } else { 1.0 };
            factors = totals.iter().map(factor).collect();
        }
        Ok(Self { rows, factors })
    }

    fn weight(&self, target: f64, weight: f64) -> f64 {
        self.factors.get(position(target)).map_or(weight, |factor| weight * factor)
    }
}

impl DesignRows for ClassWeighted<'_> {
    fn columns(&self) -> &[String] {
        self.rows.columns()
    }

    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E> {
        self.rows.scan(&mut |row| each(DesignRow { weight: self.weight(row.target, row.weight), ..row }))
    }

    fn sparse_columns(&self) -> Vec<usize> {
        self.rows.sparse_columns()
    }

    fn scan_sparse<E: From<SpoolError> + Send>(
        &self,
        each: &mut dyn FnMut(SparseRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rows.scan_sparse(&mut |row| each(SparseRow { weight: self.weight(row.target, row.weight), ..row }))
    }

    fn report(&self, fraction: f64) {
        self.rows.report(fraction);
    }
}

/// The effect of balanced weights on the probabilities. `is_decided`: whether a threshold is set, or cannot be.
pub(super) fn note(is_decided: bool) -> String {
    let instead = if is_decided {
        ""
    } else {
        "; to find more rows of a rare class with probabilities of its real frequency, use --threshold instead"
    };
    format!(
        "--class-weight balanced: the classes have equal weights in the fit, so that probabilities, which are served, are of \
         data with as many rows of each class, and not of the frequencies in these data. One temperature does not undo that, and \
         log loss, Brier score and calibration on the data can be worse than the baseline{instead}"
    )
}
