//! How far a row stands from the middle of the training data, as the fit measures distance.

use super::Model;
use super::artifact::Document;

/// What training adds to each diagonal entry of `ZᵀWZ`, as a share of it, where no penalty of squares does: columns that depend on
/// each other, such as all levels of a category, have an R then, and the leverages of other designs change by no more than this.
pub const SLACK: f64 = 1e-8;

/// The most columns of which training keeps R where their rank has to be found out: it costs as many multiplications as a sixth of
/// their cube.
pub const MOST_COLUMNS: usize = 500;

/// The leverage of new rows, `h = 1/n + ‖R⁻ᵀz‖²` with `z` a row of the centred and scaled design (without the first term where the
/// fit has no intercept): what it adds to the variance of a prediction, in units of the noise's. Of a row far from all others, or of an unusual combination of usual
/// values, it is large.
#[derive(Debug)]
pub(super) struct Leverage<'m> {
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
    pub(super) fn new(model: &'m Model) -> Option<Self> {
        let inference = model.document.inference.as_ref().filter(|inference| !inference.r.is_empty())?;
        let training_rows = count(model.document.training.rows);
        let weight = inference.weight.unwrap_or(training_rows);
        let least = intercepts(&model.document) / weight;
        Some(Self { r: &inference.r, weight, least, total: model.parameters })
    }

    /// The mean leverage of the training rows: [`parameters`] ÷ rows.
    pub(super) fn mean(&self) -> f64 {
        self.total / self.weight
    }

    /// That of a row of the design, centred and scaled.
    pub(super) fn of(&self, row: &[f64]) -> f64 {
        self.least + distance(self.r, &mut row.to_vec())
    }
}

/// `‖R⁻ᵀz‖²`, by substitution from the first row of `R` on, which uses `z` up.
fn distance(r: &[Vec<f64>], mut z: &mut [f64]) -> f64 {
    let mut sum = 0.0;
    for entries in r {
        let (Some((diagonal, right)), Some((current, below))) = (entries.split_first(), z.split_first_mut()) else {
            break;
        };
        let part = *current / diagonal;
        for (value, entry) in below.iter_mut().zip(right) {
            *value -= entry * part;
        }
        sum += part * part;
        z = below;
    }
    sum
}

/// The sum of the training rows' leverages: the parameters that do not depend on each other, of ridge the effective ones.
pub(super) fn parameters(document: &Document) -> f64 {
    let training_rows = count(document.training.rows);
    let Some(inference) = &document.inference else { return 0.0 };
    match inference.degrees_of_freedom {
        Some(freedom) => training_rows - f64::from(freedom),
        // A ridge whose parameters leave none has about as many as rows.
        None => (rank(&inference.r) + intercepts(document)).min(training_rows),
    }
}

fn intercepts(document: &Document) -> f64 {
    if document.preprocess.through_origin { 0.0 } else { 1.0 }
}

/// The rank of the design by the `R` of `A + S`, `A = ZᵀWZ` being what it is of, `S` the diagonal that was added: the trace of
/// `(A + S)⁻¹A`, which is the number of columns less `Σ sⱼ (RᵀR)⁻¹ⱼⱼ`. A direction that is in no row adds 1 to that sum, one that is in
/// them hardly anything. Of more columns than training keeps R of their number.
fn rank(r: &[Vec<f64>]) -> f64 {
    let columns = count(r.len() as u64);
    if r.len() > MOST_COLUMNS {
        return columns;
    }
    let mut squares = vec![0.0; r.len()];
    for (row, entries) in r.iter().enumerate() {
        squares.iter_mut().skip(row).zip(entries).for_each(|(sum, entry)| *sum += entry * entry);
    }
    let lost = |(column, squares): (usize, f64)| {
        let mut unit = vec![0.0; r.len() - column];
        unit.iter_mut().take(1).for_each(|first| *first = 1.0);
        SLACK * squares * distance(r.get(column..).unwrap_or_default(), &mut unit)
    };
    let lost: f64 = squares.into_iter().enumerate().map(lost).sum();
    (columns - lost).round().max(0.0)
}

/// No file has 2⁵³ rows.
#[allow(clippy::cast_precision_loss)]
pub(super) fn count(rows: u64) -> f64 {
    rows as f64
}
