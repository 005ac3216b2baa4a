//! Rows of a frame, copied to be written after the frame is gone.

use super::Frame;
use crate::scalar::Scalar;
use crate::signature::Signature;

/// A text for an unknown category whose own is not in the frame.
const UNKNOWN: &str = "(unknown)";

/// A few rows of a frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FrameSample {
    /// The features of each row.
    values: Vec<f64>,
    /// Indexes of `values` that were missing.
    missing: Vec<usize>,
    /// Indexes of `values` that are unknown categories, with the beginning of their text.
    unknown: Vec<(usize, String)>,
    rows: usize,
}

impl Frame<'_> {
    /// Copies the rows at these positions, which ascend.
    #[must_use]
    pub fn sample(&self, rows: &[usize]) -> FrameSample {
        let width = self.signature.width();
        let mut sample = FrameSample { rows: rows.len(), ..FrameSample::default() };
        let of_frame = |row: usize| {
            let start = row * self.signature.frame_width();
            self.values.get(start..start + width).unwrap_or_default()
        };
        for row in rows {
            sample.values.extend(of_frame(*row));
        }
        let imputed = self.imputed();
        for (at, row) in rows.iter().enumerate().filter(|_| !imputed.is_empty()) {
            let is_missing = |position: &usize| imputed.contains(row * width + position);
            sample.missing.extend((0..width).filter(is_missing).map(|position| at * width + position));
        }
        for category in &self.unknown_categories().listed {
            if let Ok(at) = rows.binary_search(&category.row) {
                sample.unknown.push((at * width + category.position, category.text.clone()));
            }
        }
        sample
    }
}

impl FrameSample {
    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The values of a feature as they were given, in every `step`-th row.
    pub fn scalars<'a>(
        &'a self,
        signature: &'a Signature,
        position: usize,
        step: usize,
    ) -> impl Iterator<Item = Scalar> + 'a {
        let width = signature.width();
        let scalar = move |row: usize| {
            let at = row * width + position;
            let (feature, value) = (signature.features().get(position)?, *self.values.get(at)?);
            if self.missing.binary_search(&at).is_ok() {
                return Some(Scalar::Missing);
            }
            if let Ok(found) = self.unknown.binary_search_by_key(&at, |(at, _)| *at) {
                return self.unknown.get(found).map(|(_, text)| Scalar::Text(text.clone()));
            }
            Some(match feature.to_scalar(value) {
                Scalar::Missing => Scalar::Text(UNKNOWN.to_owned()),
                scalar => scalar,
            })
        };
        (0..self.rows).step_by(step.max(1)).filter_map(scalar)
    }
}
