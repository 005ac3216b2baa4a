//! Columns that separate the classes: without a penalty, their coefficients have no finite estimates.

use super::super::design_rows::{DesignRow, DesignRows};
use super::super::error::SolveError;
use super::super::moments::Accumulator;
use super::logistic_fit::LogisticFit;
use super::settings::LogisticSettings;
use super::standardisation::position;
use super::unpenalised::fit_of_part_unpenalised;
use ordinate_table::SpoolError;

/// The most passes of a fit without a penalty.
const PASSES: f64 = 25.0;

/// The operations of a proof that is worth its time whatever the coefficients: some hundredths of a second.
const QUICK: f64 = 3e8;

/// The most operations that find the dependent columns, a few seconds.
const MOST_OPERATIONS: f64 = 1e10;

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
    let found = separating_columns(rows, classes, intercept)?;
    if found.is_empty() { Ok(()) } else { Err(SolveError::Separated(SeparationProof::Columns(found))) }
}

/// The columns that alone separate the classes. Rows of weight zero do not count.
///
/// # Errors
/// [`SolveError::Spool`]
pub fn separating_columns(
    rows: &impl DesignRows,
    classes: usize,
    intercept: bool,
) -> Result<Vec<ColumnSeparation>, SolveError> {
    let (columns, sparse) = (rows.columns().len(), rows.sparse_columns());
    let dense: Vec<usize> = (0..columns).filter(|column| sparse.binary_search(column).is_err()).collect();
    let mut of_dense = vec![vec![[f64::INFINITY, f64::NEG_INFINITY]; classes]; dense.len()];
    let mut ones = vec![vec![0_u64; classes]; sparse.len()];
    let mut counts = vec![0_u64; classes];
    rows.scan_sparse::<SolveError>(&mut |row| {
        let class = position(row.target);
        if row.weight == 0.0 {
            return Ok(());
        }
        counts.get_mut(class).into_iter().for_each(|count| *count += 1);
        for (value, ranges) in row.numbers.iter().zip(&mut of_dense) {
            if let Some([low, high]) = ranges.get_mut(class) {
                *low = low.min(*value);
                *high = high.max(*value);
            }
        }
        for place in row.ones {
            if let Some(count) = ones.get_mut(*place as usize).and_then(|ones| ones.get_mut(class)) {
                *count += 1;
            }
        }
        Ok(())
    })?;
    let range = |(ones, all): (&u64, &u64)| match (*ones, *all) {
        (_, 0) => [f64::INFINITY, f64::NEG_INFINITY],
        (0, _) => [0.0, 0.0],
        (ones, all) if ones == all => [1.0, 1.0],
        _ => [0.0, 1.0],
    };
    let of_sparse = ones.iter().map(|ones| ones.iter().zip(&counts).map(range).collect());
    let mut ranges: Vec<(usize, Vec<[f64; 2]>)> =
        dense.into_iter().zip(of_dense).chain(sparse.into_iter().zip(of_sparse)).collect();
    ranges.sort_unstable_by_key(|(column, _)| *column);
    Ok(ranges.iter().filter_map(|(column, ranges)| separation(*column, ranges, intercept)).collect())
}

/// The proof that only the penalty keeps coefficients of a fit finite, if there is one: of single columns in any case,
/// of combinations where the coefficients are large or the proof takes little time.
///
/// # Errors
/// [`SolveError::Spool`], or those of a fit without a penalty.
pub fn penalised_separation(
    rows: &impl DesignRows,
    classes: usize,
    settings: &LogisticSettings,
    fit: &LogisticFit,
) -> Result<Option<SeparationProof>, SolveError> {
    let alone = separating_columns(rows, classes, settings.intercept)?;
    if !alone.is_empty() {
        return Ok(Some(SeparationProof::Columns(alone)));
    }
    let columns = fit.means.len() as f64;
    let scores = fit.intercepts.len() as f64;
    let gram = fit.rows as f64 * columns * columns;
    if !fit.may_be_separated() && gram * scores * scores * PASSES > QUICK {
        return Ok(None);
    }
    if gram > MOST_OPERATIONS {
        return fit_of_part_unpenalised(rows, classes, settings).map(|fit| fit.separation);
    }
    let independent = IndependentColumns::new(rows, settings.intercept)?;
    let found = fit_of_part_unpenalised(&independent, classes, settings)?.separation;
    Ok(found.map(|proof| independent.in_all_columns(proof)))
}

/// Rows without the columns that are linear combinations of the others, as those of all levels of a category are.
struct IndependentColumns<'r, R> {
    rows: &'r R,
    names: Vec<String>,
    kept: Vec<usize>,
}

impl<'r, R: DesignRows> IndependentColumns<'r, R> {
    fn new(rows: &'r R, intercept: bool) -> Result<Self, SolveError> {
        let levels = rows.levels();
        let mut accumulator: Option<Accumulator> = None;
        rows.scan::<SolveError>(&mut |row| {
            let near = || row.design.iter().copied().chain([row.target]).collect();
            let accumulator = accumulator.get_or_insert_with(|| Accumulator::with_levels(near(), levels.clone()));
            accumulator.push_exact(row.design, row.target, &[], row.weight);
            Ok(())
        })?;
        let moments = accumulator.map(Accumulator::finish);
        let moments = moments.map(|moments| if intercept { moments } else { moments.about_zero() });
        let redundant = moments.map(|moments| moments.redundant_features().columns()).unwrap_or_default();
        let kept: Vec<usize> = (0..rows.columns().len()).filter(|column| !redundant.contains(column)).collect();
        let names = kept.iter().filter_map(|column| rows.columns().get(*column)).cloned().collect();
        Ok(Self { rows, names, kept })
    }

    /// The proof with the positions of its columns among all columns.
    fn in_all_columns(&self, proof: SeparationProof) -> SeparationProof {
        let of = |column: usize| self.kept.get(column).copied().unwrap_or(column);
        match proof {
            SeparationProof::Columns(columns) => {
                let columns = columns.into_iter();
                SeparationProof::Columns(
                    columns
                        .map(|separation| ColumnSeparation { column: of(separation.column), ..separation })
                        .collect(),
                )
            }
            SeparationProof::Combination(Separation { columns, complete }) => {
                SeparationProof::Combination(Separation { columns: columns.into_iter().map(of).collect(), complete })
            }
        }
    }
}

impl<R: DesignRows> DesignRows for IndependentColumns<'_, R> {
    fn columns(&self) -> &[String] {
        &self.names
    }

    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut design = Vec::with_capacity(self.kept.len());
        self.rows.scan(&mut |row| {
            design.clear();
            design.extend(self.kept.iter().filter_map(|column| row.design.get(*column)));
            each(DesignRow { design: &design, ..row })
        })
    }
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
