//! How far a row stands from the middle of the training data, as the fit measures distance.

use super::Model;
use super::frame::Frame;
use super::preprocess::Design;

/// The leverage of new rows, `h = 1/n + ‖R⁻ᵀz‖²` with `z` a row of the centred and scaled design (without the first term where the
/// fit has no intercept): what it adds to the variance of a prediction, in units of the noise's. Of a row far from all others, or of an unusual combination of usual
/// values, it is large.
#[derive(Debug)]
pub(super) struct Leverage<'m> {
    design: &'m Design,
    r: &'m [Vec<f64>],
    /// The weight of all training rows, which is their number when they had none.
    weight: f64,
    /// The part of the intercept, `1/n`.
    least: f64,
    /// The sum of the training rows' leverages.
    total: f64,
}

impl<'m> Leverage<'m> {
    /// Of a model whose file holds `R`; none otherwise.
    pub(super) fn of(model: &'m Model) -> Option<Self> {
        let inference = model.document.inference.as_ref().filter(|inference| !inference.r.is_empty())?;
        let training_rows = count(model.document.training.rows);
        let intercept = if model.document.preprocess.through_origin { 0.0 } else { 1.0 };
        let parameters = match inference.degrees_of_freedom {
            Some(freedom) => training_rows - f64::from(freedom),
            None => count(model.design.width() as u64) + intercept,
        };
        let weight = inference.weight.unwrap_or(training_rows);
        Some(Self { design: &model.design, r: &inference.r, weight, least: intercept / weight, total: parameters })
    }

    /// The mean leverage of the training rows: parameters (of ridge, effective ones) ÷ rows.
    pub(super) fn mean(&self) -> f64 {
        self.total / self.weight
    }

    /// One for each row of the frame, in order.
    pub(super) fn each(&self, frame: &Frame<'_>) -> impl Iterator<Item = f64> {
        let mut rest = Vec::with_capacity(self.design.width());
        frame.iter().map(move |row| {
            rest.clear();
            rest.extend(self.design.row(row));
            self.solve(&mut rest)
        })
    }

    /// Of one row of the design, by substitution from the first row of `R` on.
    fn solve(&self, mut rest: &mut [f64]) -> f64 {
        let mut sum = self.least;
        for entries in self.r {
            let (Some((diagonal, right)), Some((current, below))) = (entries.split_first(), rest.split_first_mut())
            else {
                break;
            };
            let part = *current / diagonal;
            for (value, entry) in below.iter_mut().zip(right) {
                *value -= entry * part;
            }
            sum += part * part;
            rest = below;
        }
        sum
    }
}

/// No file has 2⁵³ rows.
#[allow(clippy::cast_precision_loss)]
pub(super) fn count(rows: u64) -> f64 {
    rows as f64
}
