//! Detects features that are constant or linear combinations of others.

use super::Moments;
use crate::solver::error::SolveError;
use crate::solver::length::length;
use crate::solver::qr::{UpperTriangle, dot};

/// A column is a combination of others when a smaller fraction of its length is orthogonal to them: well above the
/// rounding errors of an exact combination, far below any measurement. Or when the orthogonal part is no longer than
/// the rounding errors of the values, its own and the others', which are larger for numbers far from zero.
const RANK_TOLERANCE: f64 = 1e-11;

/// A column with a larger orthogonal fraction is not a combination, however far its values are from zero.
const SUSPECT: f64 = 1e-3;

/// The smallest coefficient, for columns of unit length, of a column that belongs to the combination.
const INVOLVED: f64 = 1e-6;

/// The features without which the others make the same predictions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedundantColumns {
    /// Those with the same value in every row.
    pub constant: Vec<usize>,
    /// Those that are linear combinations of the features before them.
    pub dependent: Vec<usize>,
}

impl RedundantColumns {
    /// All of them, ascending.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        let mut columns = [self.constant.as_slice(), &self.dependent].concat();
        columns.sort_unstable();
        columns
    }

    /// Whether every feature is necessary.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.constant.is_empty() && self.dependent.is_empty()
    }
}

/// A feature that is a combination of features before it.
struct Combination {
    column: usize,
    /// The features of the combination.
    others: Vec<usize>,
}

impl Moments {
    /// Checks that no feature is a combination of others.
    ///
    /// # Errors
    /// [`SolveError::Dependent`], with the columns of the combination.
    pub(crate) fn check_independence(&self, lengths: &[f64], names: &[String]) -> Result<(), SolveError> {
        let name = |column: usize| names.get(column).cloned().unwrap_or_default();
        match self.combinations(lengths).first() {
            Some(Combination { column, others }) => Err(SolveError::Dependent {
                names: others.iter().chain([column]).map(|column| name(*column)).collect(),
            }),
            None => Ok(()),
        }
    }

    /// The constant features.
    pub(crate) fn constant_features(&self) -> Vec<usize> {
        (0..self.shift.len().saturating_sub(1)).filter(|column| self.is_constant(*column)).collect()
    }

    /// The features that least squares does not need: the columns that come first are kept, as in R's `lm`.
    pub(crate) fn redundant_features(&self) -> RedundantColumns {
        let constant = self.constant_features();
        let combinations = self.combinations(&self.unchecked_lengths()).into_iter();
        let dependent = combinations.map(|combination| combination.column);
        RedundantColumns { dependent: dependent.filter(|column| !constant.contains(column)).collect(), constant }
    }

    /// The moments without some features.
    pub(crate) fn without(&self, dropped: &[usize]) -> Self {
        let (columns, rows) = (self.shift.len(), self.triangle.rows().len());
        let kept: Vec<usize> = (0..columns).filter(|column| !dropped.contains(column)).collect();
        let mut entries: Vec<Vec<f64>> = kept
            .iter()
            .map(|column| {
                let mut entries = self.triangle.column(*column);
                entries.resize(rows, 0.0);
                entries
            })
            .collect();
        let mut triangle = UpperTriangle::zeros(kept.len());
        triangle.absorb(&mut entries);
        let of = |values: &[f64]| kept.iter().filter_map(|column| values.get(*column)).copied().collect();
        Self {
            shift: of(&self.shift),
            mean: of(&self.mean),
            triangle,
            first: kept.iter().filter_map(|column| self.first.get(*column)).copied().collect(),
            varies: kept.iter().filter_map(|column| self.varies.get(*column)).copied().collect(),
            groups: None,
            ..*self
        }
    }

    /// The features that are combinations of the features before them, in their order. Columns are compared at unit
    /// length, so the units of measurement do not matter.
    fn combinations(&self, lengths: &[f64]) -> Vec<Combination> {
        let features = lengths.len().saturating_sub(1);
        // The diagonal of R has the lengths of the orthogonal parts until a column is dropped.
        let diagonals = self.triangle.rows().iter().map(|row| row.first().copied().unwrap_or_default());
        if diagonals.zip(lengths).take(features).filter(|(own, length)| *own > SUSPECT * **length).count() == features {
            return Vec::new();
        }
        let means = self.means();
        // The squared length of a relative error of 1 in every value.
        let spread = |mean: &f64, length: &f64| self.weight * mean * mean + length * length;
        let spreads: Vec<f64> = means.iter().zip(lengths).map(|(mean, length)| spread(mean, length)).collect();
        let of = |values: &[f64], column: usize| values.get(column).copied().unwrap_or(0.0);
        let mut kept = IndependentColumns::default();
        let mut found = Vec::new();
        for column in 0..features {
            let mut entries = self.triangle.column(column);
            kept.reflect(&mut entries);
            let orthogonal = entries.split_off(kept.0.len().min(entries.len()));
            let own = length(&orthogonal);
            let length = of(lengths, column);
            if own <= SUSPECT * length {
                let parts = kept.factors(entries.clone());
                let squares = kept.0.iter().zip(&parts).map(|(kept, part)| part * part * of(&spreads, kept.column));
                let rounding = f64::EPSILON * (squares.sum::<f64>() + of(&spreads, column)).sqrt();
                if own <= f64::max(RANK_TOLERANCE * length, rounding) {
                    let involved = kept.0.iter().zip(&parts);
                    let involved =
                        involved.filter(|(kept, part)| (*part * of(lengths, kept.column)).abs() > INVOLVED * length);
                    found.push(Combination { column, others: involved.map(|(kept, _)| kept.column).collect() });
                    continue;
                }
            }
            kept.push(column, entries, orthogonal);
        }
        found
    }
}

/// A column that is not a combination of those before it.
struct IndependentColumn {
    column: usize,
    /// Its column of the factor R of the independent columns, down to the diagonal.
    entries: Vec<f64>,
    /// The vector of the Householder reflection that eliminates its other entries, and two divided by its squared
    /// length. Empty until a column was dropped, because the columns are those of a triangle.
    reflection: (Vec<f64>, f64),
}

/// The independent columns of a triangle, eliminated from left to right without exchanges.
#[derive(Default)]
struct IndependentColumns(Vec<IndependentColumn>);

impl IndependentColumns {
    /// Applies the reflections of the columns to a later column.
    fn reflect(&self, entries: &mut [f64]) {
        for (place, kept) in self.0.iter().enumerate() {
            let (vector, scale) = &kept.reflection;
            if !vector.is_empty()
                && let Some(part) = entries.get_mut(place..place + vector.len())
            {
                let factor = scale * dot(vector, part);
                part.iter_mut().zip(vector).for_each(|(entry, value)| *entry -= factor * value);
            }
        }
    }

    /// The factors of the columns whose sum has these entries.
    fn factors(&self, mut rest: Vec<f64>) -> Vec<f64> {
        for (place, kept) in self.0.iter().enumerate().rev() {
            let Some((diagonal, above)) = kept.entries.split_last() else { continue };
            let Some((last, before)) = rest.get_mut(..=place).and_then(<[f64]>::split_last_mut) else { continue };
            *last /= diagonal;
            before.iter_mut().zip(above).for_each(|(value, entry)| *value -= *last * entry);
        }
        rest
    }

    /// Adds a column: its components along the columns before it, and its orthogonal part.
    fn push(&mut self, column: usize, mut entries: Vec<f64>, mut orthogonal: Vec<f64>) {
        let length = length(&orthogonal);
        let mut diagonal = length;
        let mut scale = 0.0;
        if orthogonal.len() > 1 && length > 0.0 {
            // At unit length, squares neither overflow nor underflow.
            for value in &mut orthogonal {
                *value /= length;
            }
            if let Some(first) = orthogonal.first_mut() {
                let sign = 1.0_f64.copysign(*first);
                diagonal = -sign * length;
                *first += sign;
            }
            scale = 2.0 / dot(&orthogonal, &orthogonal);
        } else {
            orthogonal.clear();
        }
        entries.push(diagonal);
        self.0.push(IndependentColumn { column, entries, reflection: (orthogonal, scale) });
    }
}

#[cfg(test)]
mod tests {
    use super::super::Accumulator;
    use super::*;

    fn moments_of(rows: &[Vec<f64>]) -> Moments {
        let mut accumulator = Accumulator::new(rows[0].clone());
        for row in rows {
            let (target, features) = row.split_last().unwrap();
            accumulator.push_exact(features, *target, &[], 1.0);
        }
        accumulator.finish()
    }

    fn noise(seed: u32, row: u32) -> f64 {
        (f64::from(row) * 12.9898 + f64::from(seed) * 78.233).sin() * 43_758.545_3 % 1.0
    }

    #[test]
    fn all_redundant_columns_are_found_at_once_and_the_first_of_a_combination_are_kept() {
        let row = |i: u32| {
            let [a, b, c] = [0, 1, 2].map(|seed| noise(seed, i));
            vec![a, 1e6 + b, 7.5, a - 3.0, c, b + 2.0 * c, 1e3 * a - b, noise(3, i), a + b + c, noise(4, i)]
        };
        let rows: Vec<Vec<f64>> = (0..40).map(row).collect();
        let moments = moments_of(&rows);
        let redundant = moments.redundant_features();
        assert_eq!(redundant, RedundantColumns { constant: vec![2], dependent: vec![3, 5, 6, 8] });
        assert_eq!(redundant.columns(), [2, 3, 5, 6, 8]);

        let kept = moments.without(&redundant.columns());
        assert!(kept.redundant_features().is_empty());
        let names: Vec<String> = ["a", "b", "c", "d", "y"].map(str::to_owned).to_vec();
        let reduced: Vec<Vec<f64>> = rows.iter().map(|row| [0, 1, 4, 7, 9].map(|at| row[at]).to_vec()).collect();
        let (fit, expected) = (kept.solve(&names).unwrap(), moments_of(&reduced).solve(&names).unwrap());
        for (one, other) in fit.coefficients.iter().zip(&expected.coefficients) {
            assert!((one - other).abs() < 1e-9 * other.abs(), "{one} is not {other}");
        }
        // A part that does not determine a column has no coefficient for it.
        let (part, dropped) = moments.solve_part(&[names.clone(), names].concat()).unwrap();
        assert_eq!((part.coefficients.len(), dropped), (4, vec![2, 3, 5, 6, 8]));
        let part = part.with_zeros(&[2, 3, 5, 6, 8], &[0.0; 9]);
        assert!((part.coefficients[7] - expected.coefficients[3]).abs() < 1e-9 * expected.coefficients[3].abs());
        assert!(part.coefficients[8].abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn of_more_columns_than_rows_one_less_than_the_rows_are_kept() {
        let rows: Vec<Vec<f64>> = (0..20).map(|i| (0..60).map(|column| noise(column, i)).collect()).collect();
        let dependent = moments_of(&rows).redundant_features().dependent;
        assert_eq!(dependent, (19..59).collect::<Vec<_>>());
        // Columns far from zero, in units of any size.
        let row = |i: u32| {
            (0..60).map(|column| (1e5 + noise(column, i)) * 10_f64.powi((column % 7).cast_signed() - 3)).collect()
        };
        let rows: Vec<Vec<f64>> = (0..20).map(row).collect();
        assert_eq!(moments_of(&rows).redundant_features().dependent, (19..59).collect::<Vec<_>>());
    }
}
