//! How columns depend on each other: which multiples of them add up to nothing.

use super::super::qr::dot;
use super::add;

/// The own part of a column, as a share of a column's length, that is taken for rounding's.
pub(super) const ROUNDING: f64 = 1e-13;

/// A column's own part, and what of it the columns before it hold.
#[derive(Debug)]
struct Part {
    /// The direction of the own part, at length 1.
    own: Vec<f64>,
    /// The column in terms of the own parts up to this one, whose length comes last.
    entries: Vec<f64>,
}

/// Columns that are independent, one after the other at right angles to all before it (Gram and Schmidt, twice, which is
/// enough: Giraud, Langou, Rozložník and van den Eshof, 2005).
#[derive(Debug, Default)]
pub(super) struct Basis(Vec<Part>);

impl Basis {
    /// How many columns it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all columns but the first so many.
    pub(super) fn truncate(&mut self, columns: usize) {
        self.0.truncate(columns);
    }

    /// Takes a column of which rounding leaves `rounding` at most. One that the others make up is not taken: then come the
    /// multiples of the others that make it up.
    pub(super) fn push(&mut self, mut column: Vec<f64>, rounding: f64) -> Option<Vec<f64>> {
        let mut entries = vec![0.0; self.0.len()];
        for _ in 0..2 {
            for (part, entry) in self.0.iter().zip(&mut entries) {
                let share = dot(&part.own, &column);
                add(&mut column, -share, &part.own);
                *entry += share;
            }
        }
        let length = dot(&column, &column).sqrt();
        if length <= rounding {
            return Some(self.multiples(entries));
        }
        for value in &mut column {
            *value /= length;
        }
        entries.push(length);
        self.0.push(Part { own: column, entries });
        None
    }

    /// The multiples of the columns that add up to this in terms of their own parts.
    fn multiples(&self, mut rest: Vec<f64>) -> Vec<f64> {
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
    fn a_column_that_others_make_up_comes_with_their_multiples() {
        let mut basis = Basis::default();
        assert_eq!(basis.push(vec![2.0, 0.0, 0.0, 1.0], 1e-13), None);
        assert_eq!(basis.push(vec![1.0, 1e6, 0.0, 0.0], 1e-13), None);
        let made_up = basis.push(vec![2.0 * 3.0 - 1.0, -1e6, 0.0, 3.0], 1e-7).unwrap();
        assert!((made_up[0] - 3.0).abs() < 1e-14 && (made_up[1] + 1.0).abs() < 1e-14, "{made_up:?}");
        assert_eq!(basis.push(vec![0.0, 0.0, 5.0, 0.0], 1e-13), None);
        assert_eq!(basis.len(), 3);
        basis.truncate(1);
        assert_eq!(basis.push(vec![-4.0, 0.0, 0.0, -2.0], 1e-13), Some(vec![-2.0]));
    }
}
