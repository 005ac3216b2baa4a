//! Rows whose mean the training data do not bound away from 0.

use crate::model::Model;

/// A row along the direction by less than this fraction of its terms differs from 0 by rounding errors only.
const ALONG: f64 = 1e-4;

/// The direction in which the coefficients of a Poisson fit grow for ever.
#[derive(Debug)]
pub(super) struct Separation<'m> {
    direction: &'m [f64],
}

impl<'m> Separation<'m> {
    /// `None` for a fit whose coefficients are all determined.
    pub(super) fn new(model: &'m Model) -> Option<Self> {
        let direction = &model.document.inference.as_ref()?.separation;
        (!direction.is_empty()).then_some(Self { direction })
    }

    /// Whether the direction changes the mean of a row of the design, centred and scaled.
    pub(super) fn includes(&self, row: &[f64]) -> bool {
        let columns = row.iter().copied().chain([1.0]).zip(self.direction);
        let (sum, size) = columns.fold((0.0, 0.0), |(sum, size), (value, change)| {
            let term = value * change;
            (sum + term, size + f64::abs(term))
        });
        f64::abs(sum) > ALONG * size
    }
}
