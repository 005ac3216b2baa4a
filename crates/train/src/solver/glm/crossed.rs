//! A second category with many levels: the rows with a level of both categories are the edges of a graph.
//!
//! Newton's steps eliminate the levels of the first category, whose Hessian `D` is diagonal, and then those of the
//! second:
//!
//! ```text
//! S = D₂ − NᵀD⁻¹N        N the sums over the rows with a level of both
//! ```
//!
//! `S` is the Laplacian of a graph (plus penalties), so its products need no difference of large numbers. Systems are
//! solved by conjugate gradients, which need few steps where most levels meet many others, and otherwise by the factor
//! of [`Laplacian`].

use super::super::laplacian::{Laplacian, replace_diagonals};
use super::super::moments::CrossedGroups;
use super::super::qr::{UpperTriangle, dot};

/// The most steps of conjugate gradients: with more, the factor is cheaper for all but the largest graphs.
const MOST_STEPS: usize = 200;

/// The error of a solution ÷ its right side, in the metric of the diagonal.
const SOLVED: f64 = 1e-13;

/// The parameters of the levels of a second category.
#[derive(Debug, Clone)]
pub(super) struct CrossedLevels {
    /// The columns that have a parameter, ascending.
    pub(super) columns: Vec<usize>,
    /// The parameter's number in a row with the level.
    pub(super) factors: Vec<f64>,
    /// For each level, and for rows without one, what its rows subtract from the standardised dense columns. Empty with
    /// a penalty.
    pub(super) centers: Vec<Vec<f64>>,
    /// The group and the level of the rows of each cell, ascending; that of rows without a level is the number of
    /// levels.
    cells: Vec<(usize, usize)>,
    /// The weights of the rows of each cell.
    weights: Vec<f64>,
}

impl CrossedLevels {
    /// `scales`: of the dense columns; with a penalty, `of_levels` are those of the columns of the levels.
    pub(super) fn new(columns: Vec<usize>, crossed: CrossedGroups, scales: &[f64], of_levels: Option<&[f64]>) -> Self {
        let (cells, weights): (Vec<(usize, usize)>, Vec<f64>) = crossed.cells.into_iter().unzip();
        let mut of_columns = vec![0.0; columns.len()];
        for ((_, level), weight) in cells.iter().zip(&weights) {
            of_columns.get_mut(*level).into_iter().for_each(|sum| *sum += weight);
        }
        let total: f64 = weights.iter().sum();
        let in_units = |weight: &f64| if *weight > 0.0 { (total / weight).sqrt() } else { 1.0 };
        let factors = match of_levels {
            Some(scales) => scales.iter().map(|scale| 1.0 / scale).collect(),
            None => of_columns.iter().map(in_units).collect(),
        };
        let center = |apart: &Vec<f64>| apart.iter().zip(scales).map(|(apart, scale)| apart / scale).collect();
        let centers = if of_levels.is_some() { Vec::new() } else { crossed.centers.iter().map(center).collect() };
        Self { columns, factors, centers, cells, weights }
    }

    /// The place of the level of a row of the design, and that of its cell.
    pub(super) fn place(&self, group: usize, design: &[f64]) -> (usize, usize) {
        let has = |column: &usize| design.get(*column).is_some_and(|value| *value != 0.0);
        let level = self.columns.iter().position(has).unwrap_or(self.columns.len());
        (level, self.cells.binary_search(&(group, level)).unwrap_or(self.cells.len()))
    }

    /// The mean of `(a + b)²` over the rows, of values of groups and levels.
    pub(super) fn mean_square(&self, of_groups: &[f64], of_levels: &[f64]) -> f64 {
        let square = |((group, level), weight): (&(usize, usize), &f64)| {
            let of = |values: &[f64], at: usize| values.get(at).copied().unwrap_or_default();
            weight * (of(of_groups, *group) + of(of_levels, *level)).powi(2)
        };
        self.cells.iter().zip(&self.weights).map(square).sum::<f64>() / self.weights.iter().sum::<f64>()
    }
}

/// Sums over rows by level of the second category, and by cell.
#[derive(Debug, Clone, Default)]
pub(super) struct CrossedSums {
    /// `Σ w · curvature` of each cell, up to the last one with a row.
    cells: Vec<f64>,
    /// Those of the rows of a block, which are added in their order.
    rows: Vec<(usize, f64)>,
    /// `Σ w · curvature · factor · column` of each level: one for each dense column.
    products: Vec<f64>,
}

impl CrossedSums {
    pub(super) fn zero(levels: usize, dense: usize) -> Self {
        Self { products: vec![0.0; levels * dense], ..Self::default() }
    }

    pub(super) fn numbers(&self) -> usize {
        self.products.len()
    }

    /// Adds the rows of a block: for each, the places of its level and its cell, and its curvature.
    pub(super) fn push(
        &mut self,
        factors: &[f64],
        places: &[(usize, usize)],
        curvatures: &[f64],
        columns: &[Vec<f64>],
    ) {
        let width = columns.len();
        self.rows.extend(places.iter().zip(curvatures).map(|((_, cell), curvature)| (*cell, *curvature)));
        for (at, column) in columns.iter().enumerate() {
            for (((place, _), curvature), value) in places.iter().zip(curvatures).zip(column) {
                let sum = self.products.get_mut(place * width + at).zip(factors.get(*place));
                if let Some((sum, factor)) = sum {
                    *sum += curvature * factor * value;
                }
            }
        }
    }

    /// Adds the cells and the rows of others, so that the sums do not depend on which of them are cells already.
    pub(super) fn add(&mut self, other: &Self) {
        let own = std::mem::take(&mut self.rows);
        let cells = other.cells.iter().copied().enumerate();
        for (cell, curvature) in own.into_iter().chain(cells).chain(other.rows.iter().copied()) {
            if self.cells.len() <= cell {
                self.cells.resize(cell + 1, 0.0);
            }
            self.cells.get_mut(cell).into_iter().for_each(|sum| *sum += curvature);
        }
        self.products.iter_mut().zip(&other.products).for_each(|(ours, theirs)| *ours += theirs);
    }

    /// For each dense column, its sums ÷ the total weight, one for each level.
    pub(super) fn products(&self, weight: f64, dense: usize) -> Vec<Vec<f64>> {
        let of = |at: usize| self.products.iter().skip(at).step_by(dense.max(1)).map(|sum| sum / weight).collect();
        (0..dense).map(of).collect()
    }

    pub(super) fn are_finite(&self) -> bool {
        self.cells.iter().chain(&self.products).all(|sum| sum.is_finite())
    }
}

/// The part of a Hessian that belongs to the levels of the second category, without those of the first.
pub(super) struct CrossedSystem<'a> {
    levels: &'a CrossedLevels,
    /// The factors of the groups' parameters.
    groups: &'a [f64],
    /// The curvature of each cell ÷ the total weight.
    curvatures: Vec<f64>,
    /// For each group, its cells, its diagonal without factors, and the part of that without these cells' levels.
    rows: Vec<(std::ops::Range<usize>, f64, f64)>,
    /// For each level, the part of the diagonal that is not of cells: the penalty without factors, and rows without a
    /// parameter of their group.
    penalties: Vec<f64>,
    /// The factor R of `S` without factors, once it is needed.
    factor: std::cell::OnceCell<UpperTriangle>,
}

impl<'a> CrossedSystem<'a> {
    pub(super) fn new(
        sums: &CrossedSums,
        levels: &'a CrossedLevels,
        groups: &'a [f64],
        weight: f64,
        penalty: f64,
    ) -> Self {
        let mut curvatures: Vec<f64> = sums.cells.iter().map(|sum| sum / weight).collect();
        curvatures.resize(levels.cells.len(), 0.0);
        let without_factor = |factor: &f64| penalty / (factor * factor);
        let mut rows = Vec::with_capacity(groups.len());
        let mut start = 0;
        for (group, factor) in groups.iter().enumerate() {
            let count = levels.cells.iter().skip(start).take_while(|(own, _)| *own == group).count();
            let cells = start..start + count;
            let mut excess = without_factor(factor);
            let mut diagonal = excess;
            let of_cells = levels.cells.iter().zip(&curvatures).skip(start).take(count);
            for ((_, level), curvature) in of_cells {
                diagonal += curvature;
                excess += if *level < levels.columns.len() { 0.0 } else { *curvature };
            }
            rows.push((cells, diagonal, excess));
            start += count;
        }
        let mut penalties: Vec<f64> = levels.factors.iter().map(without_factor).collect();
        // With a penalty, rows without a level of the first category have no parameter to eliminate.
        for ((_, level), curvature) in levels.cells.iter().zip(&curvatures).skip(start) {
            penalties.get_mut(*level).into_iter().for_each(|sum| *sum += curvature);
        }
        Self { levels, groups, curvatures, rows, penalties, factor: std::cell::OnceCell::new() }
    }

    /// The levels and curvatures of some cells.
    fn cells(&self, cells: &std::ops::Range<usize>) -> impl Iterator<Item = (usize, f64)> + Clone {
        let levels = self.levels.cells.get(cells.clone()).unwrap_or_default();
        let curvatures = self.curvatures.get(cells.clone()).unwrap_or_default();
        levels.iter().zip(curvatures).map(|((_, level), curvature)| (*level, *curvature))
    }

    /// `Nᵀ v` of values of the groups.
    pub(super) fn of_groups(&self, values: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.levels.columns.len()];
        for (((cells, ..), value), factor) in self.rows.iter().zip(values).zip(self.groups) {
            for (level, curvature) in self.cells(cells) {
                sums.get_mut(level).into_iter().for_each(|sum| *sum += curvature * factor * value);
            }
        }
        sums.iter().zip(&self.levels.factors).map(|(sum, factor)| sum * factor).collect()
    }

    /// `N v` of values of the levels.
    pub(super) fn of_levels(&self, values: &[f64]) -> Vec<f64> {
        let values: Vec<f64> = values.iter().zip(&self.levels.factors).map(|(value, factor)| value * factor).collect();
        let of = |(level, curvature): (usize, f64)| values.get(level).map_or(0.0, |value| curvature * value);
        let rows = self.rows.iter().zip(self.groups);
        rows.map(|((cells, ..), factor)| factor * self.cells(cells).map(of).sum::<f64>()).collect()
    }

    /// Solves `S v = right`.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let factors = &self.levels.factors;
        let right: Vec<f64> = right.iter().zip(factors).map(|(value, factor)| value / factor).collect();
        let solution = match self.factor.get() {
            None => self.conjugate_gradients(&right).unwrap_or_else(|| self.by_factor(&right)),
            Some(_) => self.by_factor(&right),
        };
        solution.iter().zip(factors).map(|(value, factor)| value / factor).collect()
    }

    /// `S v` without factors.
    fn times(&self, vector: &[f64]) -> Vec<f64> {
        let mut product: Vec<f64> =
            vector.iter().zip(&self.penalties).map(|(value, penalty)| value * penalty).collect();
        let of = |level: usize| vector.get(level).copied().unwrap_or_default();
        for (cells, diagonal, _) in self.rows.iter().filter(|(_, diagonal, _)| *diagonal > 0.0) {
            let sum: f64 = self.cells(cells).map(|(level, curvature)| curvature * of(level)).sum();
            let mean = sum / diagonal;
            for (level, curvature) in self.cells(cells) {
                product.get_mut(level).into_iter().for_each(|sum| *sum += curvature * (of(level) - mean));
            }
        }
        product
    }

    fn diagonal(&self) -> Vec<f64> {
        let mut diagonal = self.penalties.clone();
        for (cells, total, _) in self.rows.iter().filter(|(_, total, _)| *total > 0.0) {
            for (level, curvature) in self.cells(cells) {
                let part = curvature * ((total - curvature) / total);
                diagonal.get_mut(level).into_iter().for_each(|sum| *sum += part);
            }
        }
        diagonal
    }

    /// The solution without factors; `None` if it needs too many steps.
    fn conjugate_gradients(&self, right: &[f64]) -> Option<Vec<f64>> {
        let inverse: Vec<f64> =
            self.diagonal().iter().map(|entry| if *entry > 0.0 { 1.0 / entry } else { 0.0 }).collect();
        let scaled = |values: &[f64]| -> Vec<f64> { values.iter().zip(&inverse).map(|(a, b)| a * b).collect() };
        let mut solution = vec![0.0; right.len()];
        let mut rest = right.to_vec();
        let mut direction = scaled(&rest);
        let mut squares = dot(&rest, &direction);
        let least = SOLVED * SOLVED * squares;
        for _ in 0..MOST_STEPS {
            if squares <= least {
                return Some(solution);
            }
            let curved = self.times(&direction);
            let step = squares / dot(&direction, &curved);
            if !step.is_finite() {
                return None;
            }
            solution.iter_mut().zip(&direction).for_each(|(value, direction)| *value += step * direction);
            rest.iter_mut().zip(&curved).for_each(|(rest, curved)| *rest -= step * curved);
            let near = scaled(&rest);
            let next = dot(&rest, &near);
            let ratio = next / squares;
            direction.iter_mut().zip(&near).for_each(|(direction, near)| *direction = near + ratio * *direction);
            squares = next;
        }
        None
    }

    fn by_factor(&self, right: &[f64]) -> Vec<f64> {
        let factor = self.factor.get_or_init(|| {
            let mut laplacian = Laplacian::zeros(self.levels.columns.len());
            self.penalties.iter().enumerate().for_each(|(level, penalty)| laplacian.add_excess(level, *penalty));
            for (cells, diagonal, excess) in self.rows.iter().filter(|(_, diagonal, _)| *diagonal > 0.0) {
                let mut cells = self.cells(cells).filter(|(level, _)| *level < self.levels.columns.len());
                while let Some((level, curvature)) = cells.next() {
                    let fraction = curvature / diagonal;
                    laplacian.add_excess(level, fraction * excess);
                    for (other, their) in cells.clone() {
                        laplacian.add(level, other, fraction * their);
                    }
                }
            }
            let mut rows = laplacian.factor();
            // A level without curvature does not move: a division by infinity is 0.
            replace_diagonals(&mut rows, |diagonal| diagonal == 0.0, f64::INFINITY);
            UpperTriangle::from_rows(rows)
        });
        factor.solve(&factor.solve_transposed(right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups and levels of a graph, with a reference of both.
    fn levels() -> CrossedLevels {
        let cells: Vec<(usize, usize)> = (0..5)
            .flat_map(|group| (0..5).map(move |level| (group, level)))
            .filter(|(group, level)| (group * 3 + level * 2) % 4 != 1)
            .collect();
        let factors = vec![1.0, 2.0, 0.5, 3.0];
        let weights = vec![1.0; cells.len()];
        CrossedLevels { columns: vec![0, 1, 2, 3], factors, centers: Vec::new(), cells, weights }
    }

    #[test]
    fn sums_of_rows_and_of_cells_are_added() {
        let of_rows = |rows: &[(usize, f64)]| CrossedSums { rows: rows.to_vec(), ..CrossedSums::default() };
        let mut left = of_rows(&[(0, 1.0), (2, 2.0)]);
        left.add(&of_rows(&[(2, 4.0)]));
        assert_eq!((left.cells.as_slice(), left.rows.as_slice()), (&[1.0, 0.0, 6.0][..], &[][..]));
        let mut right = of_rows(&[(1, 8.0)]);
        right.add(&left);
        assert_eq!(right.cells, [1.0, 8.0, 6.0]);
    }

    #[test]
    fn both_solutions_satisfy_the_system() {
        let levels = levels();
        let groups = [1.0, 0.5, 2.0, 1.5, 1.0];
        for penalty in [0.0, 0.3] {
            let cells = (0..levels.cells.len()).map(|cell| 1.0 + (cell * 7 % 5) as f64).collect();
            let sums = CrossedSums { cells, ..CrossedSums::default() };
            let system = CrossedSystem::new(&sums, &levels, &groups, 10.0, penalty);
            let right = [1.0, -2.0, 0.5, 3.0];
            let found = [system.conjugate_gradients(&right).unwrap(), system.by_factor(&right)];
            for found in found {
                let product = system.times(&found);
                for (one, other) in product.iter().zip(right) {
                    assert!((one - other).abs() < 1e-13, "{product:?}");
                }
            }
            // `D₂ − NᵀD⁻¹N` with the factors.
            let vector = [0.3, 0.1, -1.0, 2.0];
            let pairs = system.of_levels(&vector);
            let diagonals = system.rows.iter().zip(groups).map(|((_, diagonal, _), factor)| factor * factor * diagonal);
            let explained =
                system.of_groups(&pairs.iter().zip(diagonals).map(|(sum, own)| sum / own).collect::<Vec<_>>());
            let of_level = |level: usize| {
                let own = levels.cells.iter().zip(&system.curvatures).filter(|((_, of), _)| *of == level);
                own.map(|(_, curvature)| curvature).sum::<f64>() + system.penalties[level]
            };
            let expected = levels.factors.iter().enumerate().map(|(level, factor)| factor * factor * of_level(level));
            let expected: Vec<f64> =
                expected.zip(vector).zip(explained).map(|((own, value), explained)| own * value - explained).collect();
            for (one, other) in system.solve(&expected).iter().zip(vector) {
                assert!((one - other).abs() < 1e-12, "{one} {other}");
            }
        }
    }
}
