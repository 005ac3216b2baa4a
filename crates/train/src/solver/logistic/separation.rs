//! Columns that separate the classes: without a penalty, their coefficients have no finite estimates.

use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::standardisation::position;

/// A column whose values in some classes are nowhere above those in the other classes (complete or quasi-complete
/// separation; Albert and Anderson, 1984).
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSeparation {
    /// The column of the design.
    pub column: usize,
    /// The classes with the low values, and the range of the column in them.
    pub low: SeparatedClasses,
    /// The classes with the high values.
    pub high: SeparatedClasses,
}

/// Why the likelihood of a fit without a penalty has no maximum.
#[derive(Debug, Clone, PartialEq)]
pub enum SeparationProof {
    /// Each of these columns separates the classes alone.
    Columns(Vec<ColumnSeparation>),
    /// A combination of columns separates them.
    Combination(Separation),
}

impl From<Separation> for SolveError {
    fn from(separation: Separation) -> Self {
        Self::Separated(SeparationProof::Combination(separation))
    }
}

/// Columns that alone or together separate the classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Separation {
    /// The columns of the design, the most important first.
    pub columns: Vec<usize>,
    /// Whether every row is on its side, not only some.
    pub complete: bool,
}

/// Classes on one side of a separation.
#[derive(Debug, Clone, PartialEq)]
pub struct SeparatedClasses {
    /// Their positions.
    pub classes: Vec<usize>,
    /// The smallest and the largest value.
    pub range: [f64; 2],
}

/// Checks that no column alone separates the classes. Rows of weight zero do not count.
///
/// # Errors
/// [`SolveError::Separated`] and [`SolveError::Spool`].
pub(super) fn check_columns(rows: &impl DesignRows, classes: usize, intercept: bool) -> Result<(), SolveError> {
    let columns = rows.columns().len();
    let mut ranges = vec![vec![[f64::INFINITY, f64::NEG_INFINITY]; classes]; columns];
    rows.scan::<SolveError>(&mut |row| {
        if row.weight > 0.0 {
            for (value, ranges) in row.design.iter().zip(&mut ranges) {
                if let Some([low, high]) = ranges.get_mut(position(row.target)) {
                    *low = low.min(*value);
                    *high = high.max(*value);
                }
            }
        }
        Ok(())
    })?;
    let found = ranges.iter().enumerate().filter_map(|(column, ranges)| separation(column, ranges, intercept));
    let found: Vec<ColumnSeparation> = found.collect();
    if found.is_empty() { Ok(()) } else { Err(SolveError::Separated(SeparationProof::Columns(found))) }
}

/// A threshold that no class is on both sides of: the first, or the last below which the column has one value. Without
/// an intercept, the threshold is zero.
fn separation(column: usize, ranges: &[[f64; 2]], intercept: bool) -> Option<ColumnSeparation> {
    let mut sorted: Vec<(usize, [f64; 2])> =
        ranges.iter().copied().enumerate().filter(|(_, [low, high])| low <= high).collect();
    sorted.sort_by(|(_, one), (_, other)| {
        one.iter().zip(other).fold(std::cmp::Ordering::Equal, |order, (a, b)| order.then(a.total_cmp(b)))
    });
    let side = |part: &[(usize, [f64; 2])]| {
        let (mut smallest, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
        for (_, [low, high]) in part {
            smallest = smallest.min(*low);
            largest = largest.max(*high);
        }
        SeparatedClasses { classes: part.iter().map(|(class, _)| *class).collect(), range: [smallest, largest] }
    };
    let at = |count: usize| {
        let (low, high) = (side(sorted.get(..count)?), side(sorted.get(count..)?));
        let ([smallest, end], [start, largest]) = (low.range, high.range);
        let is_threshold = end <= start && smallest < largest && (intercept || (end <= 0.0 && start >= 0.0));
        is_threshold.then_some(ColumnSeparation { column, low, high })
    };
    let has_one_value = |separation: &ColumnSeparation| {
        let [smallest, largest] = separation.low.range;
        smallest >= largest
    };
    let found = || (1..sorted.len()).filter_map(at);
    found().rfind(has_one_value).or_else(|| found().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_separates_classes_that_touch_it_at_most() {
        let classes = |ranges: &[[f64; 2]], intercept| {
            separation(0, ranges, intercept).map(|found| (found.low.classes, found.high.classes))
        };
        assert_eq!(classes(&[[0.0, 3.0], [2.0, 5.0]], true), None);
        assert_eq!(classes(&[[3.0, 5.0], [0.0, 3.0]], true), Some((vec![1], vec![0])));
        assert_eq!(classes(&[[0.0, 0.0], [0.0, 1.0]], true), Some((vec![0], vec![1])));
        assert_eq!(classes(&[[0.0, 0.0], [0.0, 0.0], [0.0, 1.0]], true), Some((vec![0, 1], vec![2])));
        assert_eq!(classes(&[[0.0, 1.0], [1.0, 1.0], [1.0, 1.0]], true), Some((vec![0], vec![1, 2])));
        // A class in the middle.
        assert_eq!(classes(&[[0.0, 5.0], [3.0, 3.0], [1.0, 6.0]], true), None);
        assert_eq!(classes(&[[0.0, 2.0], [3.0, 4.0], [1.0, 2.5]], true), Some((vec![0, 2], vec![1])));
        // A class without rows.
        assert_eq!(classes(&[[0.0, 1.0], [f64::INFINITY, f64::NEG_INFINITY]], true), None);
        assert_eq!(classes(&[[1.0, 2.0], [3.0, 4.0]], false), None);
        assert_eq!(classes(&[[-1.0, 0.0], [0.0, 4.0]], false), Some((vec![0], vec![1])));
    }
}
