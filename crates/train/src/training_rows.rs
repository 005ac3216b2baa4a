//! The rows of a table, as solvers read them.

use crate::holdout::Holdout;
use crate::solver::design_rows::{DesignRow, DesignRows, SparseRow};
use crate::solver::glm::{GlmRow, GlmRows};
use crate::solver::moments::LevelColumns;
use crate::training_table::{EncodedRow, TrainingTable};
use ordinate_table::spool::SpoolError;

/// The rows of a table for a solver, without held-out rows.
#[derive(Debug, Clone, Copy)]
pub struct TrainingRows<'t> {
    /// The table.
    pub table: &'t TrainingTable,
    /// The rows to leave out; none for all rows.
    pub holdout: Option<&'t Holdout>,
}

impl TrainingRows<'_> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Saturates.
    fn report_fit(&self, fraction: f64) {
        if let Some(watch) = self.table.source.watch() {
            watch.stage("fitting", 1000);
            watch.report((1000.0 * fraction) as u64);
        }
    }
}

impl DesignRows for TrainingRows<'_> {
    fn columns(&self) -> &[String] {
        self.table.names()
    }

    fn levels(&self) -> LevelColumns {
        self.table.levels()
    }

    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E> {
        self.table.scan(&mut |row| {
            let EncodedRow { number, design, target, weight, .. } = row;
            if self.holdout.is_some_and(|holdout| holdout.holds_out(number)) {
                return Ok(());
            }
            each(DesignRow { number, design, target, weight })
        })
    }

    fn sparse_columns(&self) -> Vec<usize> {
        self.table.sparse_columns()
    }

    fn scan_sparse<E: From<SpoolError> + Send>(
        &self,
        each: &mut dyn FnMut(SparseRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.table.scan_sparse(&mut |row| {
            let EncodedRow { number, design: numbers, ones, target, weight, .. } = row;
            if self.holdout.is_some_and(|holdout| holdout.holds_out(number)) {
                return Ok(());
            }
            each(SparseRow { number, numbers, ones, target, weight })
        })
    }

    fn report(&self, fraction: f64) {
        self.report_fit(fraction);
    }
}

impl GlmRows for TrainingRows<'_> {
    fn levels(&self) -> LevelColumns {
        self.table.levels()
    }

    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(GlmRow<'_>) -> Result<(), E>) -> Result<(), E> {
        self.table.scan(&mut |row| {
            let EncodedRow { number, design, target, offset, weight, .. } = row;
            if self.holdout.is_some_and(|holdout| holdout.holds_out(number)) {
                return Ok(());
            }
            each(GlmRow { design, target, offset, weight })
        })
    }

    fn report(&self, fraction: f64) {
        self.report_fit(fraction);
    }
}
