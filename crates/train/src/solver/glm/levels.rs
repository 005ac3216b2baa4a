//! A category with many levels: at most one of its columns is 1 in a row, so that the Hessian of their parameters is
//! diagonal.
//!
//! A level then costs as much as a number, and Newton's steps eliminate the levels first:
//!
//! ```text
//! [D B; Bᵀ C] [x; y] = [r; s]      (C − BᵀD⁻¹B) y = s − BᵀD⁻¹r,   x = D⁻¹(r − B y)
//! ```
//!
//! Without a penalty, every group of rows (also those without a level) has its own intercept, and the other columns are
//! less the means of the groups, so that this difference of matrices does not lose digits.

use super::super::error::SolveError;
use super::super::moments::{Accumulator, LevelColumns, Moments, WithinGroups};
use super::super::qr::dot;
use super::GlmRows;
use super::crossed::{CrossedLevels, CrossedSystem};

/// The parameters of the levels.
#[derive(Debug, Clone)]
pub(super) struct Levels {
    /// The columns that have a parameter, ascending.
    pub(super) columns: Vec<usize>,
    /// The parameter's number in a row with the level; the last is of rows without a level, if they have a parameter.
    pub(super) factors: Vec<f64>,
    /// For each group, the means of the other columns, standardised. Empty with a penalty: the other columns then are
    /// not centred by group, and rows without a level have no parameter.
    pub(super) centers: Vec<Vec<f64>>,
    /// Those of a second category.
    pub(super) crossed: Option<CrossedLevels>,
}

impl Levels {
    /// With a penalty: the standardised columns, which are not centred. That is the intercept's part. `scales`: of
    /// these columns.
    pub(super) fn penalised(columns: Vec<usize>, scales: &[f64]) -> Self {
        let factors = scales.iter().map(|scale| 1.0 / scale).collect();
        Self { columns, factors, centers: Vec::new(), crossed: None }
    }

    /// Without a penalty: an intercept for each group, in units in which its column has a mean square of 1. `scales`:
    /// of the other columns.
    pub(super) fn intercepts(columns: Vec<usize>, within: &WithinGroups, scales: &[f64]) -> Self {
        let total: f64 = within.weights.iter().sum();
        let factor = |weight: &f64| if *weight > 0.0 { (total / weight).sqrt() } else { 1.0 };
        let center = |apart: &Vec<f64>| apart.iter().zip(scales).map(|(apart, scale)| apart / scale).collect();
        Self {
            columns,
            factors: within.weights.iter().map(factor).collect(),
            centers: within.centers.iter().map(center).collect(),
            crossed: None,
        }
    }

    /// The place of the parameter of a row of the design; the number of parameters if it has none.
    pub(super) fn place(&self, design: &[f64]) -> usize {
        let has = |column: &usize| design.get(*column).is_some_and(|value| *value != 0.0);
        self.columns.iter().position(has).unwrap_or(self.columns.len())
    }
}

/// The moments of some columns, in groups by their levels.
pub(super) fn grouped_moments(
    rows: &impl GlmRows,
    columns: &[usize],
    levels: &LevelColumns,
) -> Result<Option<Moments>, SolveError> {
    let places = |levels: &[usize]| -> Vec<usize> {
        let columns = columns.iter().enumerate().filter(|(_, column)| levels.binary_search(column).is_ok());
        columns.map(|(place, _)| place).collect()
    };
    let places = LevelColumns { groups: places(&levels.groups), crossed: places(&levels.crossed) };
    let mut accumulator: Option<Accumulator> = None;
    let mut values = Vec::with_capacity(columns.len());
    rows.scan::<SolveError>(&mut |row| {
        values.clear();
        values.extend(columns.iter().filter_map(|column| row.design.get(*column)));
        let near = || values.iter().copied().chain([0.0]).collect();
        let accumulator = accumulator.get_or_insert_with(|| Accumulator::with_levels(near(), places.clone()));
        accumulator.push_exact(&values, 0.0, &[], row.weight);
        Ok(())
    })?;
    Ok(accumulator.map(Accumulator::finish))
}

/// Sums over rows by level; empty without levels.
#[derive(Debug, Clone, Default)]
pub(super) struct LevelSums {
    /// `Σ w · curvature · factor²` of each parameter.
    pub(super) curvatures: Vec<f64>,
    /// `Σ w · curvature · factor · column` of each parameter: one for each dense column.
    pub(super) products: Vec<f64>,
}

impl LevelSums {
    pub(super) fn zero(levels: usize, dense: usize) -> Self {
        Self { curvatures: vec![0.0; levels], products: vec![0.0; levels * dense] }
    }

    /// Adds the rows of a block: for each, the place of its parameter and its curvature.
    pub(super) fn push(&mut self, factors: &[f64], places: &[usize], curvatures: &[f64], columns: &[Vec<f64>]) {
        let parts: Vec<f64> = places
            .iter()
            .zip(curvatures)
            .map(|(place, curvature)| factors.get(*place).map_or(0.0, |factor| curvature * factor))
            .collect();
        for (place, part) in places.iter().zip(&parts) {
            if let (Some(sum), Some(factor)) = (self.curvatures.get_mut(*place), factors.get(*place)) {
                *sum += part * factor;
            }
        }
        let width = columns.len();
        for (at, column) in columns.iter().enumerate() {
            for ((place, part), value) in places.iter().zip(&parts).zip(column) {
                if let Some(sum) = self.products.get_mut(place * width + at) {
                    *sum += part * value;
                }
            }
        }
    }
}

/// The rows of a Hessian that belong to levels.
pub(super) struct LevelSystem {
    /// `D`; 0 for a level without curvature, whose parameter does not move.
    diagonal: Vec<f64>,
    /// `B`, row by row.
    rows: Vec<Vec<f64>>,
}

impl LevelSystem {
    /// `raised`: an entry of the diagonal with its penalty.
    pub(super) fn new(sums: &LevelSums, weight: f64, raised: impl Fn(f64, usize) -> f64) -> Self {
        let diagonal = sums.curvatures.iter().enumerate().map(|(level, sum)| raised(sum / weight, level)).collect();
        let width = sums.products.len() / sums.curvatures.len().max(1);
        let rows = (0..sums.curvatures.len()).map(|level| {
            sums.products.iter().skip(level * width).take(width).map(|product| product / weight).collect()
        });
        Self { diagonal, rows: rows.collect() }
    }

    fn rows(&self) -> impl Iterator<Item = (f64, &[f64])> {
        self.diagonal.iter().copied().zip(self.rows.iter().map(Vec::as_slice))
    }

    /// `C` becomes `C − BᵀD⁻¹B`: the rows of its upper triangle.
    pub(super) fn eliminate(&self, hessian: &mut [Vec<f64>]) {
        for (diagonal, row) in self.rows().filter(|(diagonal, _)| *diagonal > 0.0) {
            for (i, entries) in hessian.iter_mut().enumerate() {
                let Some([first, ..]) = row.get(i..) else { break };
                let factor = first / diagonal;
                entries.iter_mut().zip(row.iter().skip(i)).for_each(|(entry, value)| *entry -= factor * value);
            }
        }
    }

    /// `s − BᵀD⁻¹r`
    pub(super) fn reduced(&self, right: &[f64], of_levels: &[f64]) -> Vec<f64> {
        let mut reduced = right.to_vec();
        for ((diagonal, row), value) in self.rows().zip(of_levels).filter(|((diagonal, _), _)| *diagonal > 0.0) {
            let factor = value / diagonal;
            reduced.iter_mut().zip(row).for_each(|(reduced, entry)| *reduced -= factor * entry);
        }
        reduced
    }

    /// `t − NᵀD⁻¹r`, the right side of the levels of a second category.
    pub(super) fn reduced_crossed(
        &self,
        crossed: &CrossedSystem<'_>,
        of_levels: &[f64],
        of_crossed: &[f64],
    ) -> Vec<f64> {
        let quotients = self.quotients(of_levels.iter().copied());
        of_crossed.iter().zip(crossed.of_groups(&quotients)).map(|(value, sum)| value - sum).collect()
    }

    /// For each dense column, its products with the levels of a second category, less `NᵀD⁻¹B`.
    pub(super) fn coupling(&self, crossed: &CrossedSystem<'_>, products: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let column = |(at, products): (usize, &Vec<f64>)| {
            let own = self.rows.iter().map(|row| row.get(at).copied().unwrap_or_default());
            let explained = crossed.of_groups(&self.quotients(own));
            products.iter().zip(explained).map(|(product, sum)| product - sum).collect()
        };
        products.iter().enumerate().map(column).collect()
    }

    /// `D⁻¹v`
    fn quotients(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let quotient = |(diagonal, value): (&f64, f64)| if *diagonal > 0.0 { value / diagonal } else { 0.0 };
        self.diagonal.iter().zip(values).map(quotient).collect()
    }

    /// The solution `y`, then `x`.
    pub(super) fn completed(&self, mut solution: Vec<f64>, of_levels: &[f64]) -> Vec<f64> {
        let of_level = |((diagonal, row), value): ((f64, &[f64]), &f64)| {
            if diagonal > 0.0 { (value - dot(row, &solution)) / diagonal } else { 0.0 }
        };
        let of_levels: Vec<f64> = self.rows().zip(of_levels).map(of_level).collect();
        solution.extend(of_levels);
        solution
    }
}
