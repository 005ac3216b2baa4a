//! The rows of an evaluated classifier, for curves, calibration and standard errors.

use super::curves::Score;
use super::metrics::KEPT_NUMBERS;

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptRow {
    pub(super) actual: u32,
    pub(super) predicted: u32,
    pub(super) weight: f64,
    /// The probability of the second of two classes before calibration, which orders the rows as the calibrated one
    /// does.
    pub(super) rank: f64,
}

impl KeptRow {
    pub(super) fn is_correct(&self) -> bool {
        self.actual == self.predicted
    }

    pub(super) fn is_of(&self, class: usize) -> bool {
        self.actual as usize == class
    }
}

/// Rows with the probabilities of their classes.
#[derive(Debug, Clone)]
pub(crate) struct KeptRows {
    classes: usize,
    rows: Vec<KeptRow>,
    /// Rows × classes.
    probabilities: Vec<f64>,
}

impl KeptRows {
    pub(super) fn new(classes: usize) -> Self {
        Self { classes, rows: Vec::new(), probabilities: Vec::new() }
    }

    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no room for another row.
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() * if self.classes == 2 { 1 } else { self.classes } >= KEPT_NUMBERS
    }

    pub(super) fn push(&mut self, row: KeptRow, probabilities: &[f64]) {
        self.rows.push(row);
        self.probabilities.extend(probabilities);
    }

    pub(super) fn rows(&self) -> &[KeptRow] {
        &self.rows
    }

    /// The rows with the probabilities of their classes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&KeptRow, &[f64])> + Clone {
        self.rows.iter().zip(self.probabilities.chunks_exact(self.classes.max(1)))
    }

    /// The scores of one class against the rest: the ranks for two classes, and the probabilities of the class for
    /// more.
    pub(super) fn scores(&self, class: usize) -> Vec<Score> {
        let score = |(row, probabilities): (&KeptRow, &[f64])| {
            let value = if self.classes == 2 { row.rank } else { probabilities.get(class).copied().unwrap_or(0.0) };
            Score { value, positive: row.is_of(class), weight: row.weight }
        };
        self.iter().map(score).collect()
    }

    /// The served probabilities: of the second of two classes, or of the predicted class of more.
    pub(super) fn confidences(&self) -> Vec<Score> {
        let confidence = |(row, probabilities): (&KeptRow, &[f64])| {
            let class = if self.classes == 2 { 1 } else { row.predicted as usize };
            let value = probabilities.get(class).copied().unwrap_or(0.0);
            Score { value, positive: row.is_of(class), weight: row.weight }
        };
        self.iter().map(confidence).collect()
    }
}
