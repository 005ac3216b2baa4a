//! Rows in groups by the levels of two categories.
//!
//! The columns of the second category's levels, less the means of the groups of the first, have the products of a graph
//! whose edges are the rows with both levels: their factor R needs no rows (see [`Laplacian`]). The few other columns
//! are less the means of the rows with the same two levels, whose deviations have a factor R of their own; that of
//! these means, less what the levels explain of them, is added.

use std::collections::BTreeMap;

use super::groups::{Group, Groups, WithinGroups, absorb, move_column};
use super::{BLOCK_ROWS, Moments, UpperTriangle};
use crate::solver::laplacian::{Laplacian, replace_diagonals};

/// The most numbers that the cells of two categories take: 128 MiB. Tables of more are in groups of one category, whose
/// memory depends on the columns only.
const MOST_NUMBERS: usize = 1 << 24;

/// The numbers that a cell takes in addition to its means: its place, weight and allocation.
const NUMBERS_OF_CELL: usize = 8;

/// The columns of the levels of one category or two, each ascending: at most one of the columns of a category is 1 in a
/// row, and its others are 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LevelColumns {
    /// Those of the category that groups the rows.
    pub groups: Vec<usize>,
    /// Those of another one; empty with one category.
    pub crossed: Vec<usize>,
}

impl LevelColumns {
    /// Those of the category with the most levels only.
    pub(crate) fn of_one_category(self) -> Self {
        let Self { groups, crossed } = self;
        Self { groups: if crossed.len() > groups.len() { crossed } else { groups }, crossed: Vec::new() }
    }
}

/// The rows with a level of the first category, or none, and a level of the second, or none.
#[derive(Debug, Clone)]
pub(super) struct Crossed {
    /// The columns of the levels of the second category.
    columns: Vec<usize>,
    /// Their places among the columns that are not levels of the first category, and the places of the rest.
    places: Vec<usize>,
    rest: Vec<usize>,
    /// By group and level; that of rows without one is the number of levels.
    cells: BTreeMap<(usize, usize), Group>,
    /// The most cells that are kept. Whether there are more depends on the rows, but not on their order or parts.
    pub(super) most_cells: usize,
    /// The factor R of the deviations of the rest from the means of their cells.
    within: UpperTriangle,
    /// Deviations that are not added yet, row-major.
    block: Vec<f64>,
    row: Vec<f64>,
    explained: Option<Explained>,
}

/// The fit of the rest to the levels of both categories: for each of its columns the coefficients of the second
/// category's levels, and the factor R of the residuals.
#[derive(Debug, Clone)]
struct Explained {
    coefficients: Vec<Vec<f64>>,
    remaining: UpperTriangle,
}

/// The fit of the other columns to the levels of two categories.
#[derive(Debug, Clone)]
pub(crate) struct CrossedGroups {
    /// The columns that are not levels, their coefficients of the groups, and the factor R of the remaining deviations.
    pub(crate) groups: WithinGroups,
    /// For each level of the second category, and 0 for rows without one, the coefficients of these columns.
    pub(crate) centers: Vec<Vec<f64>>,
    /// The group and level of rows, ascending, and their weight.
    pub(crate) cells: Vec<((usize, usize), f64)>,
}

/// A part of a group: a level, and its rows.
type Cell<'a> = (usize, &'a Group);

impl Crossed {
    /// `others`: all columns but those of the first category, ascending.
    pub(super) fn new(columns: Vec<usize>, others: &[usize]) -> Self {
        let is_level = |place: &usize| others.get(*place).is_some_and(|column| columns.binary_search(column).is_ok());
        let (places, rest): (Vec<usize>, Vec<usize>) = (0..others.len()).partition(is_level);
        let within = UpperTriangle::zeros(rest.len());
        let most_cells = MOST_NUMBERS / (rest.len() + NUMBERS_OF_CELL);
        Self {
            columns,
            places,
            rest,
            cells: BTreeMap::new(),
            most_cells,
            within,
            block: Vec::new(),
            row: Vec::new(),
            explained: None,
        }
    }

    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Whether there are more cells than are kept.
    pub(super) fn is_too_large(&self) -> bool {
        self.cells.len() > self.most_cells
    }

    /// The same rows in groups of one category. `levels` and `others`: the columns of the first category, and all
    /// others.
    pub(super) fn into_one_category(mut self, levels: &[usize], others: &[usize]) -> Groups {
        self.reduce();
        let columns = levels.len() + others.len();
        let rest: Vec<usize> = self.rest.iter().filter_map(|place| others.get(*place)).copied().collect();
        let mut row = vec![0.0; columns];
        let both = LevelColumns { groups: levels.to_vec(), crossed: self.columns.clone() };
        let mut groups = Groups::new(both.of_one_category(), columns);
        for ((group, level), cell) in &self.cells {
            row.fill(0.0);
            let of_levels =
                [levels.get(*group), self.columns.get(*level)].into_iter().flatten().map(|column| (column, 1.0));
            for (column, value) in of_levels.chain(rest.iter().zip(cell.means.iter().copied())) {
                row.get_mut(*column).into_iter().for_each(|to| *to = value);
            }
            groups.push(&row, &row, cell.weight);
        }
        groups.add_within(&self.within, &rest);
        groups
    }

    /// Adds a row of a group: its features, and the other columns less the shift.
    pub(super) fn push(&mut self, group: usize, features: &[f64], others: &[f64], weight: f64) {
        let has = |column: &usize| features.get(*column).is_some_and(|value| *value != 0.0);
        let level = self.columns.iter().position(has).unwrap_or(self.columns.len());
        self.row.clear();
        self.row.extend(self.rest.iter().filter_map(|place| others.get(*place)));
        match self.cells.get_mut(&(group, level)) {
            Some(cell) => cell.add(weight, &self.row, &mut self.block),
            None => {
                self.cells.insert((group, level), Group { weight, means: self.row.clone() });
            }
        }
        self.reduce_full();
    }

    fn reduce_full(&mut self) {
        if self.block.len() >= BLOCK_ROWS * self.rest.len() {
            self.reduce();
        }
    }

    pub(super) fn reduce(&mut self) {
        absorb(&mut self.within, &mut self.block, self.rest.len());
    }

    /// Adds the rows of another one with the same columns and shift.
    pub(super) fn merge(&mut self, other: &Self) {
        for (levels, theirs) in &other.cells {
            match self.cells.get_mut(levels) {
                Some(ours) => ours.add(theirs.weight, &theirs.means, &mut self.block),
                None => {
                    self.cells.insert(*levels, theirs.clone());
                }
            }
            self.reduce_full();
        }
        self.reduce();
        self.within.absorb(&mut (0..self.rest.len()).map(|column| other.within.column(column)).collect::<Vec<_>>());
    }

    /// The cells of each group that has rows, ascending.
    fn groups(&self) -> Vec<(usize, Vec<Cell<'_>>)> {
        let mut groups: Vec<(usize, Vec<Cell<'_>>)> = Vec::new();
        for ((group, level), cell) in &self.cells {
            match groups.last_mut().filter(|(last, _)| last == group) {
                Some((_, cells)) => cells.push((*level, cell)),
                None => groups.push((*group, vec![(*level, cell)])),
            }
        }
        groups
    }

    /// The groups of the first category with the means of the other columns, and the factor R of the deviations from
    /// them.
    pub(super) fn finish(&mut self, count: usize) -> (Vec<Group>, UpperTriangle) {
        let others = self.places.len() + self.rest.len();
        let mut each = vec![Group { weight: 0.0, means: vec![0.0; others] }; count];
        let groups = self.groups();
        let of_rest: Vec<Group> = groups.iter().map(|(_, cells)| self.mean_of_rest(cells)).collect();
        for ((group, cells), rest) in groups.iter().zip(&of_rest) {
            let Some(group) = each.get_mut(*group) else { continue };
            group.weight = rest.weight;
            let mut set = |place: usize, value: f64| group.means.get_mut(place).into_iter().for_each(|to| *to = value);
            self.rest.iter().zip(&rest.means).for_each(|(place, mean)| set(*place, *mean));
            for (level, cell) in cells {
                self.places.get(*level).into_iter().for_each(|place| set(*place, cell.weight / rest.weight));
            }
        }
        let (factor, explained) = self.factor(&groups, &of_rest);
        self.explained = Some(explained);
        (each, factor)
    }

    fn mean_of_rest(&self, cells: &[Cell<'_>]) -> Group {
        let mut mean = Group { weight: 0.0, means: vec![0.0; self.rest.len()] };
        for (_, cell) in cells {
            mean.weight += cell.weight;
            let fraction = cell.weight / mean.weight;
            mean.means.iter_mut().zip(&cell.means).for_each(|(mean, own)| *mean += fraction * (own - *mean));
        }
        mean
    }

    /// The factor R of the other columns, less the means of their groups, and what the levels explain.
    fn factor(&self, groups: &[(usize, Vec<Cell<'_>>)], of_rest: &[Group]) -> (UpperTriangle, Explained) {
        let levels = self.places.len();
        let mut rows = self.laplacian(groups, of_rest).factor();
        // A part of the levels that is a combination of others has no row and no coefficient: a division by infinity is
        // 0.
        replace_diagonals(&mut rows, |diagonal| diagonal == 0.0, f64::INFINITY);
        let factor = UpperTriangle::from_rows(rows);
        let projections: Vec<Vec<f64>> =
            self.sums_of_rest(groups, of_rest).iter().map(|sums| factor.solve_transposed(sums)).collect();
        let coefficients: Vec<Vec<f64>> = projections.iter().map(|projection| factor.solve(projection)).collect();
        let remaining = self.remaining(groups, of_rest, &coefficients);
        let mut rows = factor.into_rows();
        replace_diagonals(&mut rows, f64::is_infinite, 0.0);
        for (at, row) in rows.iter_mut().enumerate() {
            row.extend(projections.iter().filter_map(|projection| projection.get(at)));
        }
        rows.extend(remaining.rows().iter().cloned());
        let columns = levels + self.rest.len();
        rows.extend((rows.len()..columns).map(|row| vec![0.0; columns - row]));
        let last_level = self.places.last().copied().unwrap_or_default();
        for (from, to) in (levels..).zip(self.rest.iter().take_while(|place| **place < last_level)) {
            move_column(&mut rows, from, *to);
        }
        (UpperTriangle::from_rows(rows), Explained { coefficients, remaining })
    }

    /// The products of the levels of the second category, less the means of the groups.
    fn laplacian(&self, groups: &[(usize, Vec<Cell<'_>>)], of_rest: &[Group]) -> Laplacian {
        let levels = self.places.len();
        let mut laplacian = Laplacian::zeros(levels);
        for ((_, cells), Group { weight, .. }) in groups.iter().zip(of_rest) {
            let mut cells = cells.as_slice();
            while let [(level, cell), later @ ..] = cells {
                let fraction = cell.weight / weight;
                for (other, their) in later {
                    if *other < levels {
                        laplacian.add(*level, *other, fraction * their.weight);
                    } else {
                        laplacian.add_excess(*level, fraction * their.weight);
                    }
                }
                cells = later;
            }
        }
        laplacian
    }

    /// For each column of the rest, the sums of its deviations from the means of the groups over the rows of each
    /// level.
    fn sums_of_rest(&self, groups: &[(usize, Vec<Cell<'_>>)], of_rest: &[Group]) -> Vec<Vec<f64>> {
        let mut sums = vec![vec![0.0; self.places.len()]; self.rest.len()];
        for ((_, cells), mean) in groups.iter().zip(of_rest) {
            for (level, cell) in cells {
                for (sums, (own, mean)) in sums.iter_mut().zip(cell.means.iter().zip(&mean.means)) {
                    sums.get_mut(*level).into_iter().for_each(|sum| *sum += cell.weight * (own - mean));
                }
            }
        }
        sums
    }

    /// The factor R of the rest, less what the levels of both categories explain of it.
    fn remaining(
        &self,
        groups: &[(usize, Vec<Cell<'_>>)],
        of_rest: &[Group],
        coefficients: &[Vec<f64>],
    ) -> UpperTriangle {
        let mut remaining = self.within.clone();
        let mut block = Vec::new();
        for ((_, cells), mean) in groups.iter().zip(of_rest) {
            let first = cells.first().map_or(0, |(level, _)| *level);
            // Less that of the first level, because all of them may be far from zero.
            let apart = |of_levels: &[f64], level: usize| {
                let of = |level: usize| of_levels.get(level).copied().unwrap_or_default();
                of(level) - of(first)
            };
            let of_group = |of_levels: &Vec<f64>| -> f64 {
                cells.iter().map(|(level, cell)| cell.weight / mean.weight * apart(of_levels, *level)).sum()
            };
            let of_group: Vec<f64> = coefficients.iter().map(of_group).collect();
            for (level, cell) in cells {
                let root = cell.weight.sqrt();
                let columns = cell.means.iter().zip(&mean.means).zip(coefficients.iter().zip(&of_group));
                block.extend(columns.map(|((own, mean), (of_levels, of_group))| {
                    root * (own - mean - (apart(of_levels, *level) - of_group))
                }));
            }
            if block.len() >= BLOCK_ROWS * self.rest.len() {
                absorb(&mut remaining, &mut block, self.rest.len());
            }
        }
        absorb(&mut remaining, &mut block, self.rest.len());
        remaining
    }
}

impl Moments {
    /// The fit of the other columns to the levels of two categories, if the rows are in groups by both.
    pub(crate) fn crossed_groups(&self) -> Option<CrossedGroups> {
        let groups = self.groups.as_ref()?;
        let crossed = groups.crossed.as_ref()?;
        let Explained { coefficients, remaining } = crossed.explained.as_ref()?;
        let others: Vec<usize> = crossed.rest.iter().filter_map(|place| groups.others.get(*place)).copied().collect();
        let means: Vec<f64> = others.iter().filter_map(|column| self.mean.get(*column)).copied().collect();
        let of = |level: usize| -> Vec<f64> {
            coefficients.iter().map(|each| each.get(level).copied().unwrap_or_default()).collect()
        };
        let mut centers = vec![vec![0.0; others.len()]; groups.levels.len() + 1];
        let mut weights = vec![0.0; centers.len()];
        for (group, cells) in crossed.groups() {
            let mean = crossed.mean_of_rest(&cells);
            let (Some(center), Some(weight)) = (centers.get_mut(group), weights.get_mut(group)) else { continue };
            *weight = mean.weight;
            center.iter_mut().zip(mean.means.iter().zip(&means)).for_each(|(to, (own, mean))| *to = own - mean);
            for (level, cell) in cells {
                let fraction = cell.weight / mean.weight;
                center.iter_mut().zip(of(level)).for_each(|(to, coefficient)| *to -= fraction * coefficient);
            }
        }
        Some(CrossedGroups {
            groups: WithinGroups { levels: groups.levels.clone(), others, weights, centers, factor: remaining.clone() },
            centers: (0..=crossed.columns.len()).map(of).collect(),
            cells: crossed.cells.iter().map(|(levels, cell)| (*levels, cell.weight)).collect(),
        })
    }
}

#[cfg(test)]
mod tests;
