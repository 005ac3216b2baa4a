//! An orthogonal basis of columns, which detects linear dependence.

use super::super::qr::dot;
use super::problem::add;

/// The orthogonal part of a column ÷ its length that is due to rounding.
pub(super) const ROUNDING: f64 = 1e-13;

/// A column: its part that is orthogonal to earlier columns, and its components.
#[derive(Debug)]
struct Part {
    /// The orthogonal part, of length 1.
    direction: Vec<f64>,
    /// The components of the column along the directions up to this one.
    entries: Vec<f64>,
}

/// Linearly independent columns, orthogonalised one after the other (Gram–Schmidt, twice, which is enough: Giraud,
/// Langou, Rozložník and van den Eshof, 2005).
#[derive(Debug, Default)]
pub(super) struct Basis(Vec<Part>);

impl Basis {
    /// The number of columns.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Removes all columns after the first `columns`.
    pub(super) fn truncate(&mut self, columns: usize) {
        self.0.truncate(columns);
    }

    /// Adds a column whose rounding error is at most `rounding`. A linear combination of the others is not added:
    /// returns its factors.
    pub(super) fn push(&mut self, mut column: Vec<f64>, rounding: f64) -> Option<Vec<f64>> {
        let mut entries = vec![0.0; self.0.len()];
        for _ in 0..2 {
            for (part, entry) in self.0.iter().zip(&mut entries) {
                let component = dot(&part.direction, &column);
                add(&mut column, -component, &part.direction);
                *entry += component;
            }
        }
        let length = dot(&column, &column).sqrt();
        if length <= rounding {
            return Some(self.factors(entries));
        }
        for value in &mut column {
            *value /= length;
        }
        entries.push(length);
        self.0.push(Part { direction: column, entries });
        None
    }

    /// The factors of the columns whose sum has these components.
    fn factors(&self, mut rest: Vec<f64>) -> Vec<f64> {
        for part in self.0.iter().rev() {
            let Some((length, before)) = part.entries.split_last() else { continue };
            let Some((last, others)) = rest.get_mut(..part.entries.len()).and_then(<[f64]>::split_last_mut) else {
                continue;
            };
            *last /= length;
            add(others, -*last, before);
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_combination_of_columns_is_returned_as_its_factors() {
        let mut basis = Basis::default();
        assert_eq!(basis.push(vec![2.0, 0.0, 0.0, 1.0], 1e-13), None);
        assert_eq!(basis.push(vec![1.0, 1e6, 0.0, 0.0], 1e-13), None);
        let factors = basis.push(vec![2.0 * 3.0 - 1.0, -1e6, 0.0, 3.0], 1e-7).unwrap();
        assert!((factors[0] - 3.0).abs() < 1e-14 && (factors[1] + 1.0).abs() < 1e-14, "{factors:?}");
        assert_eq!(basis.push(vec![0.0, 0.0, 5.0, 0.0], 1e-13), None);
        assert_eq!(basis.len(), 3);
        basis.truncate(1);
        assert_eq!(basis.push(vec![-4.0, 0.0, 0.0, -2.0], 1e-13), Some(vec![-2.0]));
    }
}
