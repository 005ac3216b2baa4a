//! Moments of rows in groups: of the levels of a category, at most one of which a row has.
//!
//! The columns of the levels are orthogonal but for their means, so their part of R needs no reflections. With the
//! levels before the other columns, row `i` of R is the contrast of group `i` with the mean of all later groups
//! (Helmert's contrasts):
//!
//! ```text
//! R[i, column] = √(wᵢ W / (wᵢ + W)) · (meanᵢ(column) − mean of the later groups(column))      W the weight of the later groups
//! ```
//!
//! where the last group is that of the rows without a level. The other columns add the R of their deviations from the
//! means of the groups. Rotations then move the columns to their places. A category with thousands of levels costs as
//! much as one number.

use super::crossed::{Crossed, LevelColumns};
use super::{BLOCK_ROWS, Moments};
use crate::solver::length::length;
use crate::solver::qr::UpperTriangle;
use crate::solver::simd;
use crate::solver::unit_errors::UnitErrors;

/// Rows in groups.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    /// The columns of the levels, ascending.
    pub(super) levels: Vec<usize>,
    /// The other columns, ascending; the target is the last.
    pub(super) others: Vec<usize>,
    /// For each level, then for the rows without a level: the total weight, and the mean of the other columns less the
    /// shift.
    each: Vec<Group>,
    /// The factor R of the deviations of the other columns from the means of their groups.
    within: UpperTriangle,
    /// The rows by the levels of a second category, too, from which [`finish()`](Self::finish) then computes both.
    pub(super) crossed: Option<Crossed>,
    /// Deviations that are not added yet, row-major.
    block: Vec<f64>,
    row: Vec<f64>,
}

#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) weight: f64,
    pub(super) means: Vec<f64>,
}

impl Group {
    /// Adds rows with these means, and returns the factor of their distance whose square belongs to the sum of squares
    /// (Chan, Golub and `LeVeque`, 1983). The distance of each mean is added to `apart`.
    pub(super) fn add(&mut self, weight: f64, means: &[f64], apart: &mut Vec<f64>) {
        let total = self.weight + weight;
        let factor = (self.weight * weight / total).sqrt();
        for (ours, theirs) in self.means.iter_mut().zip(means) {
            let distance = theirs - *ours;
            apart.push(factor * distance);
            *ours += weight / total * distance;
        }
        self.weight = total;
    }
}

impl Groups {
    /// For the columns of the levels among so many columns.
    pub(super) fn new(levels: LevelColumns, columns: usize) -> Self {
        let LevelColumns { groups: levels, crossed } = levels;
        let others: Vec<usize> = (0..columns).filter(|column| levels.binary_search(column).is_err()).collect();
        let crossed = (!crossed.is_empty()).then(|| Crossed::new(crossed, &others));
        let group = Group { weight: 0.0, means: vec![0.0; others.len()] };
        let each = if crossed.is_some() { Vec::new() } else { vec![group; levels.len() + 1] };
        let within = UpperTriangle::zeros(others.len());
        Self { levels, others, each, within, crossed, block: Vec::new(), row: Vec::new() }
    }

    pub(super) fn has_levels_of(&self, other: &Self) -> bool {
        if self.crossed.is_some() && other.crossed.is_some() {
            return self.level_columns() == other.level_columns();
        }
        // The rows of one of them may have been too many cells.
        self.level_columns().of_one_category() == other.level_columns().of_one_category()
    }

    fn level_columns(&self) -> LevelColumns {
        let crossed = self.crossed.as_ref().map(|crossed| crossed.columns().to_vec());
        LevelColumns { groups: self.levels.clone(), crossed: crossed.unwrap_or_default() }
    }

    /// The rows in groups of one category only.
    fn leave_crossed(&mut self) {
        if let Some(crossed) = self.crossed.take() {
            *self = crossed.into_one_category(&self.levels, &self.others);
        }
    }

    /// Adds the factor R of deviations of some of the other columns from the means of their groups.
    pub(super) fn add_within(&mut self, within: &UpperTriangle, columns: &[usize]) {
        self.reduce();
        let place = |column: &usize| columns.binary_search(column).ok();
        let of = |column: &usize| place(column).map(|place| within.column(place)).unwrap_or_default();
        self.within.absorb(&mut self.others.iter().map(of).collect::<Vec<_>>());
    }

    /// Adds a row: its features, and all columns less the shift.
    pub(super) fn push(&mut self, features: &[f64], shifted: &[f64], weight: f64) {
        let has = |column: &usize| features.get(*column).is_some_and(|value| *value != 0.0);
        let group = self.levels.iter().position(has).unwrap_or(self.levels.len());
        self.row.clear();
        self.row.extend(self.others.iter().filter_map(|column| shifted.get(*column)));
        if let Some(crossed) = &mut self.crossed {
            crossed.push(group, features, &self.row, weight);
            if crossed.is_too_large() {
                self.leave_crossed();
            }
            return;
        }
        if let Some(group) = self.each.get_mut(group) {
            if group.weight > 0.0 {
                group.add(weight, &self.row, &mut self.block);
            } else {
                *group = Group { weight, means: self.row.clone() };
            }
        }
        if self.block.len() >= BLOCK_ROWS * self.others.len() {
            self.reduce();
        }
    }

    fn reduce(&mut self) {
        absorb(&mut self.within, &mut self.block, self.others.len());
    }

    /// Adds the groups of other rows with the same levels and shift.
    pub(super) fn merge(&mut self, other: &Self) {
        if let Some((ours, theirs)) = self.crossed.as_mut().zip(other.crossed.as_ref()) {
            ours.merge(theirs);
            if ours.is_too_large() {
                self.leave_crossed();
            }
            return;
        }
        self.leave_crossed();
        if other.crossed.is_some() {
            let mut other = other.clone();
            other.leave_crossed();
            self.merge_one_category(&other);
        } else {
            self.merge_one_category(other);
        }
    }

    fn merge_one_category(&mut self, other: &Self) {
        for (ours, theirs) in self.each.iter_mut().zip(&other.each) {
            if ours.weight > 0.0 && theirs.weight > 0.0 {
                ours.add(theirs.weight, &theirs.means, &mut self.block);
            } else if theirs.weight > 0.0 {
                ours.clone_from(theirs);
            }
        }
        self.add_within(&other.within, &other.others);
    }

    /// The total weight, the means of all columns (those of the other columns less the shift), and the factor R of all
    /// columns.
    pub(super) fn finish(&mut self) -> (f64, Vec<f64>, UpperTriangle) {
        self.reduce();
        let count = self.levels.len();
        if let Some(crossed) = &mut self.crossed {
            crossed.reduce();
            (self.each, self.within) = crossed.finish(count + 1);
        }
        let mut later = self.each.last().cloned().unwrap_or(Group { weight: 0.0, means: Vec::new() });
        // The mean of each level's column in the later groups is its weight ÷ theirs.
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(count + self.others.len());
        for (place, group) in self.each.iter().take(count).enumerate().rev() {
            let total = group.weight + later.weight;
            let scale = if total > 0.0 { (group.weight * later.weight / total).sqrt() } else { 0.0 };
            let fraction = |level: &Group| if later.weight > 0.0 { level.weight / later.weight } else { 0.0 };
            let mut row = vec![scale];
            row.extend(self.each.iter().take(count).skip(place + 1).map(|level| -scale * fraction(level)));
            if group.weight > 0.0 {
                let factor = group.weight / total;
                for (mean, own) in later.means.iter_mut().zip(&group.means) {
                    row.push(scale * (own - *mean));
                    *mean += factor * (own - *mean);
                }
                later.weight = total;
            } else {
                row.resize(count - place + self.others.len(), 0.0);
            }
            rows.push(row);
        }
        rows.reverse();
        rows.extend(self.within.rows().iter().cloned());
        let columns = count + self.others.len();
        rows.extend((rows.len()..columns).map(|row| vec![0.0; columns - row]));
        let mut means = vec![0.0; columns];
        let mut set = |column: usize, value: f64| means.get_mut(column).into_iter().for_each(|mean| *mean = value);
        self.others.iter().zip(&later.means).for_each(|(column, mean)| set(*column, *mean));
        let of_levels = self.levels.iter().zip(&self.each);
        of_levels.for_each(|(column, group)| set(*column, group.weight / later.weight));
        // The columns before some level move to their places, the first one first.
        let last_level = self.levels.last().copied().unwrap_or_default();
        let moved = self.others.iter().take_while(|column| **column < last_level);
        for (place, column) in (count..).zip(moved) {
            move_column(&mut rows, place, *column);
        }
        (later.weight, means, UpperTriangle::from_rows(rows))
    }
}

/// Adds rows to a factor R.
pub(super) fn absorb(factor: &mut UpperTriangle, block: &mut Vec<f64>, columns: usize) {
    if !block.is_empty() {
        factor.absorb(&mut simd::columns(block, columns, block.len() / columns + 1));
        block.clear();
    }
}

/// Moves a column of an upper triangle to the left. Rotations of neighbouring rows, from the last entry of the column
/// to its new place, keep the triangle (Golub and Van Loan, §6.5.2).
pub(super) fn move_column(rows: &mut [Vec<f64>], from: usize, to: usize) {
    let mut column = Vec::with_capacity(from + 1);
    for (place, row) in rows.iter_mut().take(from + 1).enumerate() {
        column.push(row.remove(from - place));
    }
    for place in (to + 1..=from).rev() {
        let Some(([upper], [lower, ..])) = rows.get_mut(place - 1..).and_then(|rows| rows.split_at_mut_checked(1))
        else {
            return;
        };
        // The columns from `place` on moved to the right, so this row begins one column further left.
        lower.insert(0, 0.0);
        let [Some(above), Some(below)] = [place - 1, place].map(|place| column.get(place).copied()) else { return };
        let length = libm::hypot(above, below);
        if below == 0.0 || length == 0.0 {
            continue;
        }
        let (cosine, sine) = (above / length, below / length);
        // The sign that keeps the diagonal positive.
        for (upper, lower) in upper.iter_mut().zip(lower.iter_mut()) {
            (*upper, *lower) = (cosine * *upper + sine * *lower, sine * *upper - cosine * *lower);
        }
        column.get_mut(place - 1).into_iter().for_each(|above| *above = length);
    }
    for (place, (row, entry)) in rows.iter_mut().zip(column).take(to + 1).enumerate() {
        row.insert(to - place, entry);
    }
}

/// Rows relative to the means of their groups.
#[derive(Debug, Clone)]
pub(crate) struct WithinGroups {
    /// The columns of the levels, ascending.
    pub(crate) levels: Vec<usize>,
    /// The other columns, ascending; the target is the last.
    pub(crate) others: Vec<usize>,
    /// The total weight of each group: of the levels, then of the rows without a level.
    pub(crate) weights: Vec<f64>,
    /// For each group, the distances of its means from the means of all rows, for each of the other columns.
    pub(crate) centers: Vec<Vec<f64>>,
    /// The factor R of the deviations of the other columns from the means of the groups.
    pub(crate) factor: UpperTriangle,
}

impl Moments {
    /// The deviations from the means of groups, if the rows are in groups.
    pub(crate) fn within_groups(&self) -> Option<WithinGroups> {
        let Groups { levels, others, each, within, .. } = self.groups.as_ref()?;
        let means: Vec<f64> = others.iter().filter_map(|column| self.mean.get(*column)).copied().collect();
        let apart = |group: &Group| group.means.iter().zip(&means).map(|(own, mean)| own - mean).collect();
        Some(WithinGroups {
            levels: levels.clone(),
            others: others.clone(),
            weights: each.iter().map(|group| group.weight).collect(),
            centers: each.iter().map(apart).collect(),
            factor: within.clone(),
        })
    }

    /// The unit standard errors of least squares, if the rows are in groups: without a large matrix. The differences
    /// between groups are those of their means.
    pub(crate) fn level_errors(&self) -> Option<UnitErrors> {
        let WithinGroups { levels, others, weights, centers, factor } = self.within_groups()?;
        let (reference, weight) = centers.last().zip(weights.last())?;
        if weights.iter().any(|weight| *weight <= 0.0) {
            return None;
        }
        let features = others.len().saturating_sub(1);
        let factor = factor.leading(features);
        let inverse = factor.inverse();
        let means = self.means();
        let of_others = others.iter().take(features).filter_map(|column| means.get(*column));
        let at_reference: Vec<f64> = of_others.zip(reference).map(|(mean, apart)| mean + apart).collect();
        let intercept = libm::hypot((1.0 / weight).sqrt(), length(&factor.solve_transposed(&at_reference)));
        let mut all = vec![0.0; means.len().saturating_sub(1)];
        let mut set = |column: usize, value: f64| all.get_mut(column).into_iter().for_each(|slot| *slot = value);
        others.iter().zip(&inverse).for_each(|(column, row)| set(*column, length(row)));
        for (column, (own, center)) in levels.iter().zip(weights.iter().zip(&centers)) {
            let of_means = (1.0 / own + 1.0 / weight).sqrt();
            // A group has rows with few levels of a second category: most of these distances are 0.
            let mut apart = vec![0.0; features];
            for (place, (row, (own, other))) in inverse.iter().zip(center.iter().zip(reference)).enumerate() {
                let distance = own - other;
                if distance != 0.0 {
                    let to = apart.iter_mut().skip(place);
                    to.zip(row).for_each(|(to, entry)| *to += distance * entry);
                }
            }
            set(*column, libm::hypot(of_means, length(&apart)));
        }
        Some(UnitErrors { intercept, coefficients: all })
    }

    /// The moments of the groups, in place of those that were computed for fewer rows.
    pub(super) fn of_groups(mut self, mut groups: Groups) -> Self {
        (self.weight, self.mean, self.triangle) = groups.finish();
        self.flatten_constants();
        self.groups = Some(groups);
        self
    }
}

#[cfg(test)]
pub(super) mod tests;
