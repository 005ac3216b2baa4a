//! Predictions for rows of doubles straight from the memory of the caller, without a frame and a design matrix: for a
//! regression with one column for each feature, all of them numbers.
//!
//! The operations and their order are those of the design and of smartcore's product of matrices, so that predictions
//! have the same bits; a property test compares them. A row that needs more than a sum, such as one with a missing value,
//! has no finite score, since NaN and infinities stay in sums and products. It is left to [`Model::answer`].

use std::collections::HashSet;

use super::prediction;
use crate::artifact::Document;
use crate::model::Model;
use crate::preprocess::{Design, DesignColumn, Number, TargetTransform};
use crate::signature::{Feature, FeatureType};

/// Rows of doubles in the order of the features.
#[derive(Debug, Clone, Copy)]
pub enum Doubles<'d> {
    /// Row by row: rows × features.
    Rows(&'d [f64]),
    /// One slice for each feature, all of the same length.
    Columns(&'d [&'d [f64]]),
}

/// The score `Σ (feature − mean) / scale · coefficient + intercept`.
#[derive(Debug)]
pub(crate) struct LinearScore {
    terms: Vec<Term>,
    intercept: f64,
    /// The number of features.
    width: usize,
}

#[derive(Debug, Clone, Copy)]
struct Term {
    feature: Number,
    coefficient: f64,
}

/// The number of rows whose scores are computed together; those of a column are in the fastest cache.
const BLOCK_ROWS: usize = 1024;

impl Model {
    /// The predictions for rows of doubles, with the bits of those by [`answer`](Self::answer). `None` if the model or a
    /// row needs more than sums: then `answer` predicts the rows, or has the reasons why it cannot.
    #[must_use]
    pub fn predict_doubles(&self, rows: Doubles<'_>) -> Option<Vec<f64>> {
        let scores = self.linear_score.as_ref()?.scores(rows)?;
        if scores.is_empty() || !scores.iter().all(|score| score.is_finite()) {
            return None;
        }
        match self.document.scale() {
            TargetTransform::Identity => Some(scores),
            TargetTransform::Log => prediction::values(scores, &self.document).ok(),
        }
    }
}

impl LinearScore {
    /// `None` for a model that is not such a sum, or whose features accept only some numbers.
    pub(crate) fn new(document: &Document, design: &Design) -> Option<Self> {
        let features = document.signature.features();
        if document.estimator.classes().is_some() || !features.iter().all(accepts_all_doubles) {
            return None;
        }
        let numbers = design.numbers()?.into_iter().zip(&document.preprocess.columns);
        let term = |(feature, column): (Number, &DesignColumn)| {
            let coefficient = document.estimator.get(&column.name)?.first()?;
            Some(Term { feature, coefficient: *coefficient })
        };
        let mut terms = numbers.map(term).collect::<Option<Vec<_>>>()?;
        // A feature without a column adds zero, so that a missing value is noticed.
        let used: HashSet<usize> = terms.iter().map(|term| term.feature.position).collect();
        let unused = (0..features.len()).filter(|position| !used.contains(position));
        let zero = |position| Term { feature: Number { position, mean: 0.0, scale: 1.0 }, coefficient: 0.0 };
        terms.extend(unused.map(zero));
        Some(Self { terms, intercept: *document.estimator.intercepts().first()?, width: features.len() })
    }

    /// The scores; `None` if the rows do not have the width or columns differ in length.
    // The operations that change nothing are left out, since a division takes as long as all others together.
    #[allow(clippy::float_cmp)]
    fn scores(&self, rows: Doubles<'_>) -> Option<Vec<f64>> {
        if self.terms.iter().any(|term| term.feature.scale != 1.0) {
            self.sums(rows, |value, Term { feature, coefficient }| (value - feature.mean) / feature.scale * coefficient)
        } else if self.terms.iter().any(|term| term.feature.mean != 0.0) {
            self.sums(rows, |value, Term { feature, coefficient }| (value - feature.mean) * coefficient)
        } else {
            self.sums(rows, |value, term| value * term.coefficient)
        }
    }

    fn sums(&self, rows: Doubles<'_>, summand: impl Fn(f64, &Term) -> f64) -> Option<Vec<f64>> {
        match rows {
            Doubles::Columns(columns) => self.sums_of_columns(columns, summand),
            Doubles::Rows(values) if values.len() % self.width != 0 => None,
            Doubles::Rows(values) if self.is_in_order() => Some(self.sums_in_order(values, summand)),
            Doubles::Rows(values) => {
                let value = |row: &[f64], term: &Term| row.get(term.feature.position).copied().unwrap_or(f64::NAN);
                let sum = |row: &[f64]| self.terms.iter().fold(0.0, |sum, term| sum + summand(value(row, term), term));
                Some(values.chunks_exact(self.width).map(|row| sum(row) + self.intercept).collect())
            }
        }
    }

    fn is_in_order(&self) -> bool {
        self.terms.len() == self.width
            && self.terms.iter().enumerate().all(|(place, term)| term.feature.position == place)
    }

    /// Four rows at a time, whose values fit into the registers for pairs of doubles.
    fn sums_in_order(&self, values: &[f64], summand: impl Fn(f64, &Term) -> f64) -> Vec<f64> {
        let mut scores = Vec::with_capacity(values.len() / self.width);
        let blocks = values.chunks_exact(4 * self.width);
        let last = blocks.remainder();
        for block in blocks {
            let (first_half, second_half) = block.split_at(2 * self.width);
            let ((first, second), (third, fourth)) =
                (first_half.split_at(self.width), second_half.split_at(self.width));
            let mut sums = [0.0; 4];
            for ((((first, second), third), fourth), term) in
                first.iter().zip(second).zip(third).zip(fourth).zip(&self.terms)
            {
                for (sum, value) in sums.iter_mut().zip([first, second, third, fourth]) {
                    *sum += summand(*value, term);
                }
            }
            scores.extend(sums.map(|sum| sum + self.intercept));
        }
        for row in last.chunks_exact(self.width) {
            let sum = row.iter().zip(&self.terms).fold(0.0, |sum, (value, term)| sum + summand(*value, term));
            scores.push(sum + self.intercept);
        }
        scores
    }

    fn sums_of_columns(&self, columns: &[&[f64]], summand: impl Fn(f64, &Term) -> f64) -> Option<Vec<f64>> {
        let rows = columns.first()?.len();
        if columns.len() != self.width || columns.iter().any(|column| column.len() != rows) {
            return None;
        }
        let mut scores = vec![0.0; rows];
        for (block, sums) in scores.chunks_mut(BLOCK_ROWS).enumerate() {
            for term in &self.terms {
                let values = columns.get(term.feature.position)?.get(block * BLOCK_ROWS..)?;
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += summand(*value, term);
                }
            }
            for sum in sums {
                *sum += self.intercept;
            }
        }
        Some(scores)
    }
}

/// Whether every finite double is a value of the feature, and is its value in a frame.
fn accepts_all_doubles(feature: &Feature) -> bool {
    feature.kind == FeatureType::Double && !feature.positive && feature.minimum.is_none() && !feature.indicator
}

#[cfg(test)]
mod tests;
