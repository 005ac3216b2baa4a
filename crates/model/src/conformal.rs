//! Split conformal prediction: how wrong a fit was on rows it had not seen says how wrong it will be on the next one.
//!
//! No theory of the noise is needed, and none of the fit: when held-out and new rows are exchangeable, an answer lies within
//! its ends with at least the level's probability (Vovk, Gammerman and Shafer, 2005; Lei et al., 2018). The probability is
//! that over all rows, not that of each one: ends are equally wide where the data are calm and where they are wild.

use serde::{Deserialize, Serialize};

use super::Model;
use super::interval::IntervalError;
use super::scalar::Scalar;
use super::task::Task;

/// The most scores that are kept: of more rows, so many order statistics.
const KEPT: u64 = 1000;

/// How wrong a fit was on each of the held-out rows, from the least to the most.
///
/// A regressor's score is |y − ŷ|, of a logged target that of the logarithms; a classifier's is 1 − p of the true class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conformal {
    /// Rows that were held out.
    pub rows: u64,
    /// All scores of up to 1,000 rows in ascending order; of more, those of rank ⌈i · rows ÷ 1,000⌉ for i = 1 to 1,000.
    pub scores: Vec<f64>,
}

impl Conformal {
    /// Of the scores of held-out rows, in any order.
    #[must_use]
    pub fn new(mut scores: Vec<f64>) -> Self {
        scores.sort_by(f64::total_cmp);
        let rows = scores.len() as u64;
        if rows > KEPT {
            let place = |step: u64| usize::try_from((step * rows).div_ceil(KEPT) - 1).ok();
            scores = (1..=KEPT).filter_map(|step| scores.get(place(step)?).copied()).collect();
        }
        Self { rows, scores }
    }

    /// The score that a new row's does not exceed with at least this probability: the ⌈(rows + 1) · level⌉-th least. Where
    /// scores were left out it is the next greater one that was kept, so that the level is held.
    ///
    /// # Errors
    /// [`IntervalError::Level`] outside (0, 1), [`IntervalError::TooFewHeldOut`].
    pub(super) fn quantile(&self, level: f64) -> Result<f64, IntervalError> {
        if !(level > 0.0 && level < 1.0) {
            return Err(IntervalError::Level { level });
        }
        let rank = rank(self.rows, level);
        // The first kept rank that is not below it.
        let place = (rank - 1) * self.rows.min(KEPT) / self.rows.max(1);
        let score = usize::try_from(place).ok().filter(|_| rank <= self.rows).and_then(|place| self.scores.get(place));
        score.copied().ok_or_else(|| IntervalError::TooFewHeldOut { level, rows: self.rows, needed: needed(level) })
    }

    /// Holds the shape against what [`Conformal::new`] makes.
    pub(super) fn check(&self, task: Task) -> Result<(), String> {
        let kept = self.rows.min(KEPT);
        if self.rows == 0 || self.rows > u64::from(u32::MAX) || self.scores.len() as u64 != kept {
            let (rows, scores) = (self.rows, self.scores.len());
            return Err(format!("inference: {scores} conformal scores of {rows} rows, {kept} are due"));
        }
        let most = if task == Task::Classification { 1.0 } else { f64::MAX };
        if !self.scores.is_sorted() || !self.scores.iter().all(|score| (0.0..=most).contains(score)) {
            return Err(format!("inference: conformal scores do not ascend from 0 to at most {most:e}"));
        }
        Ok(())
    }
}

/// `⌈(rows + 1) · level⌉`, at least 1.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rank(rows: u64, level: f64) -> u64 {
    // A level such as 0.55 is a shade more than itself in binary: 11 of 19 rows and one must not become 12.
    let rank = (rows as f64 + 1.0) * level * (1.0 - 4.0 * f64::EPSILON);
    (rank.ceil() as u64).max(1)
}

/// The fewest rows of which the rank is no more than there are.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn needed(level: f64) -> u64 {
    let about = (level / (1.0 - level)).floor() as u64;
    let enough = |rows: &u64| rank(*rows, level) <= *rows;
    (about.saturating_sub(1)..=about.saturating_add(1)).find(enough).unwrap_or(about)
}

/// For each row a set of classes that holds the true one with at least the level's probability.
#[derive(Debug)]
pub struct PredictionSets<'m> {
    classes: &'m [Scalar],
    reach: f64,
}

impl Model {
    /// Sets of this level, such as 0.95, of a classifier whose file holds how sure it was on held-out rows.
    ///
    /// # Errors
    /// See [`IntervalError`].
    pub fn prediction_sets(&self, level: f64) -> Result<PredictionSets<'_>, IntervalError> {
        let unknown = || IntervalError::NoPredictionSets { model: self.name().to_owned() };
        let classes = self.classes().ok_or_else(unknown)?;
        let inference = self.document.inference.as_ref();
        let conformal = inference.and_then(|inference| inference.conformal.as_ref()).ok_or_else(unknown)?;
        Ok(PredictionSets { classes, reach: conformal.quantile(level)? })
    }
}

impl<'m> PredictionSets<'m> {
    /// The labels, in the order of the classes, whose probability is at least 1 − the score of the level. Never empty: a row
    /// without any such label gets the most probable one, which the model predicts.
    pub(super) fn set(&self, row: &[f64]) -> Vec<&'m Scalar> {
        let most = row.iter().copied().fold(0.0, f64::max);
        let labels = |least: &dyn Fn(f64) -> bool| {
            self.classes.iter().zip(row).filter(|(_, p)| least(**p)).map(|(label, _)| label).collect::<Vec<_>>()
        };
        // As scores are computed: `1 − p` rounds.
        let mut set = labels(&|p| 1.0 - p <= self.reach);
        if set.is_empty() {
            set = labels(&|p| p >= most);
            set.truncate(1);
        }
        set
    }
}

#[cfg(test)]
mod tests;
