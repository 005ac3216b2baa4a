//! Split conformal prediction: the errors of a fit on held-out rows bound its error on the next row.
//!
//! It needs no assumption about the noise or the fit: when held-out and new rows are exchangeable, a new value is
//! inside its interval with at least the level's probability (Vovk, Gammerman and Shafer, 2005; Lei et al., 2018). That
//! probability is an average over rows, not a guarantee for each row: intervals are equally wide where the noise is
//! small and where it is large. For a generalised linear model, errors are divided by the standard deviation that its
//! family has at the prediction, so that intervals widen with it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::task::Task;

/// The most scores that are stored; for more rows, so many order statistics.
const MAX_SCORES: u64 = 1000;

/// The conformity scores of held-out rows, in ascending order: |y − ŷ| for a regressor (of the logarithms where the
/// logged target was fitted; divided by √V(ŷ) for a generalised linear model), 1 − the probability of the true class for a classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Conformal {
    /// The number of held-out rows.
    pub rows: u64,
    /// All scores of up to 1,000 rows in ascending order; for more rows, the scores of rank ⌈i · rows ÷ 1,000⌉ for i =
    /// 1 to 1,000.
    pub scores: Vec<f64>,
}

/// A level that held-out rows have no interval for.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum LevelError {
    /// The level is not a probability between 0 and 1.
    #[error("expected an interval level between 0 and 1, such as 0.95, got {level}{}", meant(*level))]
    OutOfRange {
        /// The requested level.
        level: f64,
    },
    /// The level is so high that none of the held-out rows has a large enough rank.
    #[error(
        "the level {level} needs at least {needed} held-out rows, the model has {rows}\n\
         help: request at most the level {}",
        highest(*rows)
    )]
    TooFewHeldOut {
        /// The requested level.
        level: f64,
        /// The number of held-out rows.
        rows: u64,
        /// The smallest sufficient number.
        needed: u64,
    },
}

/// The fraction that a percentage from 50 to 100 stands for: 95 is 0.95.
fn meant(level: f64) -> String {
    let fraction = (50.0..100.0).contains(&level).then(|| format!("{level}e-2").parse::<f64>().ok()).flatten();
    fraction.map(|fraction| format!("; did you mean {fraction}?")).unwrap_or_default()
}

/// The highest level of so many held-out rows, `rows ÷ (rows + 1)`, rounded down to two significant digits of its
/// difference from 1.
#[allow(clippy::cast_precision_loss)]
fn highest(rows: u64) -> f64 {
    let (rows, unit) = (u128::from(rows), 10_u128.pow(rows.saturating_add(1).ilog10() + 2));
    (rows * unit / (rows + 1)) as f64 / unit as f64
}

impl Conformal {
    /// Stores the scores of held-out rows, given in any order.
    #[must_use]
    pub fn new(mut scores: Vec<f64>) -> Self {
        scores.sort_by(f64::total_cmp);
        let rows = scores.len() as u64;
        if rows > MAX_SCORES {
            let place = |step: u64| usize::try_from((step * rows).div_ceil(MAX_SCORES) - 1).ok();
            scores = (1..=MAX_SCORES).filter_map(|step| scores.get(place(step)?).copied()).collect();
        }
        Self { rows, scores }
    }

    /// The score that a new row's score does not exceed with at least this probability: the ⌈(rows + 1) · level⌉-th
    /// smallest. Where that score was not stored it is the next larger one that was, so that the coverage is at least
    /// the level.
    ///
    /// # Errors
    /// [`LevelError::OutOfRange`] outside (0, 1), [`LevelError::TooFewHeldOut`].
    pub(crate) fn quantile(&self, level: f64) -> Result<f64, LevelError> {
        if !(level > 0.0 && level < 1.0) {
            return Err(LevelError::OutOfRange { level });
        }
        let rank = rank(self.rows, level);
        // The first stored rank that is not below it.
        let place = (rank - 1) * self.rows.min(MAX_SCORES) / self.rows.max(1);
        let score = usize::try_from(place).ok().filter(|_| rank <= self.rows).and_then(|place| self.scores.get(place));
        score.copied().ok_or_else(|| LevelError::TooFewHeldOut { level, rows: self.rows, needed: needed(level) })
    }

    /// Checks that [`Conformal::new`] could have made it.
    pub(super) fn check(&self, task: Task) -> Result<(), String> {
        let stored = self.rows.min(MAX_SCORES);
        if self.rows == 0 || self.rows > u64::from(u32::MAX) || self.scores.len() as u64 != stored {
            let (rows, scores) = (self.rows, self.scores.len());
            return Err(format!("inference.conformal: expected {stored} scores for {rows} rows, got {scores}"));
        }
        let largest = if task == Task::Classification { 1.0 } else { f64::MAX };
        if !self.scores.is_sorted() || !self.scores.iter().all(|score| (0.0..=largest).contains(score)) {
            return Err(format!("inference.conformal: expected ascending scores from 0 to at most {largest:e}"));
        }
        Ok(())
    }
}

/// `⌈(rows + 1) · level⌉`, at least 1.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rank(rows: u64, level: f64) -> u64 {
    // A level such as 0.55 is slightly more than 0.55 in binary: with 19 rows, rank 11 must not become 12.
    let rank = (rows as f64 + 1.0) * level * (1.0 - 4.0 * f64::EPSILON);
    (rank.ceil() as u64).max(1)
}

/// The smallest number of rows whose rank for this level does not exceed it.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn needed(level: f64) -> u64 {
    let about = (level / (1.0 - level)).floor() as u64;
    let enough = |rows: &u64| rank(*rows, level) <= *rows;
    (about.saturating_sub(1)..=about.saturating_add(1)).find(enough).unwrap_or(about)
}

#[cfg(test)]
mod tests;
