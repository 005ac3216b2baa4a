//! The columns of the levels of categories.

use std::collections::BTreeMap;

use super::TrainingTable;
use crate::solver::leverage::MOST_COLUMNS;
use crate::solver::moments::LevelColumns;
use ordinate_model::preprocess::Factor;

/// The levels of a category from which on moments are computed by groups.
const MANY_LEVELS: usize = 200;

/// The levels of a second category from which on their columns are factored apart from the rows.
const CROSSED_LEVELS: usize = 50;

/// The levels of a category up to which their columns are no more expensive than those of numbers.
const FEW_LEVELS: usize = 20;

/// The levels, for each column of another kind, from which on their products are cheaper than a factor R.
const LEVELS_FOR_EACH_NUMBER: usize = 4;

/// The operations of the factor R of levels in groups, and of its inverse: the cube of those of the second category,
/// and rotations that move its columns before those of the first.
fn operations(groups: &[usize], crossed: &[usize]) -> f64 {
    let last = groups.last().copied().unwrap_or_default();
    let moved = crossed.iter().filter(|column| **column < last).count() as f64;
    let [groups, crossed] = [groups, crossed].map(|levels| levels.len() as f64);
    crossed.powi(3) / 3.0 + 3.0 * moved * groups * (groups / 2.0 + crossed)
}

impl TrainingTable {
    /// The columns of the levels of the category with the most levels, and of the one with the next most; empty if they
    /// are fewer than [`MANY_LEVELS`] and [`CROSSED_LEVELS`]. Of the two, the one that takes the fewer operations
    /// groups the rows, and the other one is crossed: most often the one with the most levels groups them, unless the
    /// columns of the other one are before its own.
    pub(crate) fn levels(&self) -> LevelColumns {
        let mut categories: Vec<Vec<usize>> = self.levels_of_features().into_values().collect();
        categories.sort_by_key(Vec::len);
        let Some(groups) = categories.pop().filter(|levels| levels.len() >= MANY_LEVELS) else {
            return LevelColumns::default();
        };
        let Some(crossed) = categories.pop().filter(|levels| levels.len() >= CROSSED_LEVELS) else {
            return LevelColumns { groups, crossed: Vec::new() };
        };
        if operations(&crossed, &groups) < operations(&groups, &crossed) {
            return LevelColumns { groups: crossed, crossed: groups };
        }
        LevelColumns { groups, crossed }
    }

    /// The columns of the levels of each category of more than a few levels, if they are most columns of a large
    /// design; empty if they are not.
    pub(crate) fn categories(&self) -> Vec<Vec<usize>> {
        let all = self.levels_of_features().into_values();
        let categories: Vec<Vec<usize>> = all.filter(|levels| levels.len() > FEW_LEVELS).collect();
        let levels: usize = categories.iter().map(Vec::len).sum();
        let columns = self.columns().len();
        let is_sparse = columns > MOST_COLUMNS && (columns - levels) * LEVELS_FOR_EACH_NUMBER <= levels;
        if is_sparse { categories } else { Vec::new() }
    }

    /// The columns of the levels of each category.
    fn levels_of_features(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut of_features: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, column) in self.columns().iter().enumerate() {
            if let [Factor { feature, level: Some(_), .. }] = column.product.as_slice() {
                of_features.entry(feature).or_default().push(at);
            }
        }
        of_features
    }
}
