//! The columns of a fit: standardised, and without a penalty orthonormalised.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

use super::super::error::SolveError;
use super::super::moments::{LevelColumns, Moments};
use super::super::qr::{UpperTriangle, dot};
use super::super::simd;
use super::super::simd::{LANES, PANEL, Panel};
use super::crossed::CrossedLevels;
use super::levels::{Levels, grouped_moments};
use super::{GlmFit, GlmRows};

/// How columns of the design become columns of the fit: `U = Z R⁻¹`, where `Z` is centred and scaled and
/// `RᵀR = ZᵀWZ / ΣW`, or `U = Z`. The parameters are those of the dense columns, then the intercept, then those of the
/// levels of a large category.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    /// The dense columns that the rows determine, ascending; columns that they do not determine have the coefficient 0.
    pub(super) dense: Vec<usize>,
    /// The levels of a large category.
    pub(super) levels: Option<Levels>,
    /// Of all columns.
    pub(super) means: Vec<f64>,
    pub(super) scales: Vec<f64>,
    /// `R` of the dense columns, less the means of their groups if there are levels.
    pub(super) factor: Option<UpperTriangle>,
    pub(super) intercept: bool,
    pub(super) rows: u64,
}

impl Basis {
    pub(super) fn new(
        rows: &impl GlmRows,
        moments: &Moments,
        dropped: &[usize],
        orthonormal: bool,
    ) -> Result<Self, SolveError> {
        let features = moments.triangle().columns().saturating_sub(1);
        let root = moments.weight().sqrt();
        let lengths = moments.unchecked_lengths();
        let scale = |length: &f64| if *length > 0.0 { length / root } else { 1.0 };
        let scales: Vec<f64> = lengths.iter().take(features).map(scale).collect();
        let mut means = moments.means();
        means.truncate(features);
        let intercept = moments.intercepts() > 0;
        let is_kept = |column: &usize| dropped.binary_search(column).is_err();
        let kept: Vec<usize> = (0..features).filter(is_kept).collect();
        let mut levels = rows.levels();
        levels.groups.retain(is_kept);
        levels.crossed.retain(is_kept);
        if levels.groups.is_empty() || (orthonormal && !intercept) {
            levels = LevelColumns::default();
        }
        let of_kept;
        let mut grouped = moments;
        if !levels.crossed.is_empty() || (orthonormal && !levels.groups.is_empty()) {
            let is_grouped = [true, false].iter().any(|is_crossed| moments.has_groups(*is_crossed));
            // Dropped columns may join groups.
            if kept.len() < features || !is_grouped {
                of_kept = grouped_moments(rows, &kept, &levels)?;
                grouped = of_kept.as_ref().unwrap_or(moments);
            }
            if !grouped.has_groups(true) {
                levels = levels.of_one_category();
            }
        }
        let is_dense =
            |column: &usize| [&levels.groups, &levels.crossed].iter().all(|of| of.binary_search(column).is_err());
        let dense: Vec<usize> = kept.iter().copied().filter(is_dense).collect();
        let of = |values: &[f64]| of_columns(values, &dense);
        let mut made =
            Self { dense: dense.clone(), levels: None, means, scales, factor: None, intercept, rows: moments.rows() };
        if levels.groups.is_empty() {
            made.factor = orthonormal.then(|| made.correlations(moments, dropped));
            return Ok(made);
        }
        let lengths = orthonormal.then(|| of(&lengths));
        made.set_levels(grouped, levels, lengths.as_deref());
        Ok(made)
    }

    /// `R` of the columns of a basis without levels, standardised: `RᵀR` are their correlations. `dropped`: the columns
    /// of the moments that are not in the basis.
    pub(super) fn correlations(&self, moments: &Moments, dropped: &[usize]) -> UpperTriangle {
        let reduced = (!dropped.is_empty()).then(|| moments.without(dropped));
        let triangle = reduced.as_ref().unwrap_or(moments).triangle();
        let lengths = of_columns(&moments.unchecked_lengths(), &self.dense);
        triangle.leading(self.dense.len()).scaled(&lengths)
    }

    /// Sets the parameters of levels, and without a penalty, where there are the lengths of the dense columns, the
    /// factor R of what the levels leave of them. `moments`: of the kept columns in groups.
    fn set_levels(&mut self, moments: &Moments, levels: LevelColumns, lengths: Option<&[f64]>) {
        let is_crossed = !levels.crossed.is_empty();
        let scales = |columns: &[usize]| of_columns(&self.scales, columns);
        let (of_dense, of_groups, of_crossed) = (scales(&self.dense), scales(&levels.groups), scales(&levels.crossed));
        if lengths.is_none() && !is_crossed {
            self.levels = Some(Levels::penalised(levels.groups, &of_groups));
            return;
        }
        let crossed = if is_crossed { moments.crossed_groups() } else { None };
        let mut made = match lengths {
            None => Levels::penalised(levels.groups, &of_groups),
            Some(lengths) => {
                let within = crossed.as_ref().map(|crossed| crossed.groups.clone()).or_else(|| moments.within_groups());
                let Some(within) = within else { return };
                self.factor = Some(within.factor.leading(self.dense.len()).scaled(lengths));
                Levels::intercepts(levels.groups, &within, &of_dense)
            }
        };
        let of_crossed = lengths.is_none().then_some(of_crossed.as_slice());
        made.crossed = crossed.map(|crossed| CrossedLevels::new(levels.crossed, crossed, &of_dense, of_crossed));
        self.levels = Some(made);
    }

    /// The number of parameters of the dense columns and the intercept.
    pub(super) fn dense_size(&self) -> usize {
        self.dense.len() + usize::from(self.intercept_place().is_some())
    }

    /// The place of the intercept's parameter, if it has one of its own.
    pub(super) fn intercept_place(&self) -> Option<usize> {
        let has_group_intercepts = self.levels.as_ref().is_some_and(|levels| !levels.centers.is_empty());
        (self.intercept && !has_group_intercepts).then_some(self.dense.len())
    }

    /// The parameter of each level in a row that has it, and of rows without a level.
    pub(super) fn level_factors(&self) -> &[f64] {
        self.levels.as_ref().map(|levels| levels.factors.as_slice()).unwrap_or_default()
    }

    /// The levels of a second category.
    pub(super) fn crossed(&self) -> Option<&CrossedLevels> {
        self.levels.as_ref().and_then(|levels| levels.crossed.as_ref())
    }

    /// The parameter of each level of the second category in a row that has it.
    pub(super) fn crossed_factors(&self) -> &[f64] {
        self.crossed().map(|crossed| crossed.factors.as_slice()).unwrap_or_default()
    }

    /// The number of parameters.
    pub(super) fn size(&self) -> usize {
        self.dense_size() + self.level_factors().len() + self.crossed_factors().len()
    }

    /// Without a penalty, the mean of the squares of the linear predictor of parameters: the dense columns are
    /// orthonormal, and orthogonal to the levels, whose columns are orthonormal but for those of a second category.
    pub(super) fn mean_square(&self, parameters: &[f64]) -> f64 {
        let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
        let Some(crossed) = self.crossed() else { return squares(parameters) };
        let (of_dense, of_levels) = parameters.split_at_checked(self.dense_size()).unwrap_or_default();
        let (of_groups, of_crossed) = of_levels.split_at_checked(self.level_factors().len()).unwrap_or_default();
        let times = |values: &[f64], factors: &[f64]| -> Vec<f64> {
            values.iter().zip(factors).map(|(value, factor)| value * factor).collect()
        };
        let of_groups = times(of_groups, self.level_factors());
        let of_dense = squares(of_dense);
        of_dense + crossed.mean_square(&of_groups, &times(of_crossed, self.crossed_factors()))
    }

    /// The parameters of a constant linear predictor.
    pub(super) fn constant(&self, predictor: f64) -> Vec<f64> {
        let mut parameters = vec![0.0; self.dense_size()];
        match self.intercept_place() {
            Some(place) => parameters.get_mut(place).into_iter().for_each(|value| *value = predictor),
            None if self.intercept => parameters.extend(self.level_factors().iter().map(|factor| predictor / factor)),
            None => {}
        }
        parameters.resize(self.size(), 0.0);
        parameters
    }

    /// The dense columns of rows, given row by row with the places of their levels, as columns of the fit.
    pub(super) fn columns(
        &self,
        rows: &[f64],
        places: &[usize],
        crossed: &[(usize, usize)],
        count: usize,
    ) -> Vec<Vec<f64>> {
        let width = self.dense.len();
        let column = |(at, column): (usize, &usize)| -> Vec<f64> {
            let [mean, scale] =
                [&self.means, &self.scales].map(|values| values.get(*column).copied().unwrap_or_default());
            let values = rows.chunks_exact(width.max(1)).map(|row| row.get(at).copied().unwrap_or_default());
            let standardised = values.map(|value| (value - mean) / scale);
            let mut column: Vec<f64> = standardised.collect();
            let center = |centers: &[Vec<f64>], place: usize| {
                centers.get(place).and_then(|means| means.get(at)).copied().unwrap_or_default()
            };
            if let Some(levels) = &self.levels {
                column.iter_mut().zip(places).for_each(|(value, place)| *value -= center(&levels.centers, *place));
                let centers = levels.crossed.as_ref().map(|levels| levels.centers.as_slice()).unwrap_or_default();
                column.iter_mut().zip(crossed).for_each(|(value, (place, _))| *value -= center(centers, *place));
            }
            column
        };
        let mut columns: Vec<Vec<f64>> = self.dense.iter().enumerate().map(column).collect();
        if let Some(factor) = &self.factor {
            for column in &mut columns {
                column.resize(count.next_multiple_of(LANES), 0.0);
            }
            Arch::new().dispatch(Orthonormalise { factor, columns: &mut columns });
        }
        if self.intercept_place().is_some() {
            columns.push(vec![1.0; count]);
        }
        columns
    }

    /// The coefficients of all standardised columns, and the intercept, from parameters.
    pub(super) fn coefficients(&self, parameters: &[f64]) -> (Vec<f64>, f64) {
        let own = parameters.get(..self.dense.len()).unwrap_or_default();
        let own = self.factor.as_ref().map_or_else(|| own.to_vec(), |factor| factor.solve(own));
        let mut intercept = self.intercept_place().and_then(|place| parameters.get(place)).copied().unwrap_or_default();
        let mut all = vec![0.0; self.means.len()];
        let mut set = |column: usize, value: f64| all.get_mut(column).into_iter().for_each(|slot| *slot = value);
        self.dense.iter().zip(&own).for_each(|(column, value)| set(*column, *value));
        let Some(Levels { columns, factors, centers, crossed }) = &self.levels else { return (all, intercept) };
        let of_levels = parameters.get(self.dense_size()..).unwrap_or_default();
        let mut values: Vec<f64> =
            of_levels.iter().zip(factors).map(|(parameter, factor)| parameter * factor).collect();
        for (value, center) in values.iter_mut().zip(centers) {
            *value -= dot(&own, center);
        }
        if !centers.is_empty() {
            let reference = values.pop().unwrap_or_default();
            for value in &mut values {
                *value -= reference;
            }
            intercept = reference;
        }
        let of_crossed = of_levels.get(factors.len()..).unwrap_or_default();
        let of_crossed = crossed.iter().flat_map(|crossed| {
            let values = of_crossed.iter().zip(&crossed.factors).map(|(parameter, factor)| parameter * factor);
            let centers = crossed.centers.iter().map(|center| dot(&own, center)).chain(std::iter::repeat(0.0));
            crossed.columns.iter().zip(values.zip(centers).map(|(value, center)| value - center))
        });
        // With an intercept, the coefficient is that of the centred column.
        for (column, value) in columns.iter().zip(values).chain(of_crossed) {
            let [mean, scale] =
                [&self.means, &self.scales].map(|values| values.get(*column).copied().unwrap_or_default());
            intercept += value * mean;
            set(*column, value * scale);
        }
        (all, intercept)
    }

    /// The parameters of a fit to similar rows, whose means and scales are others.
    pub(super) fn parameters_of(&self, fit: &GlmFit) -> Vec<f64> {
        let mut at_means = fit.intercept - fit.offset_mean;
        let columns =
            fit.coefficients.iter().zip(fit.means.iter().zip(&fit.scales)).zip(self.means.iter().zip(&self.scales));
        let mut all = Vec::with_capacity(self.means.len());
        for ((coefficient, (old_mean, old_scale)), (mean, scale)) in columns {
            let slope = coefficient / old_scale;
            all.push(slope * scale);
            at_means += slope * (mean - old_mean);
        }
        let own: Vec<f64> = self.dense.iter().filter_map(|column| all.get(*column)).copied().collect();
        let mut parameters = self.factor.as_ref().map_or_else(|| own.clone(), |factor| factor.times(&own));
        let Some(Levels { columns, factors, centers, crossed }) = &self.levels else {
            parameters.extend(self.intercept.then_some(at_means));
            return parameters;
        };
        let mut moved = |columns: &[usize]| -> Vec<f64> {
            let value = |column: &usize| {
                let [standardised, mean, scale] =
                    [&all, &self.means, &self.scales].map(|values| values.get(*column).copied().unwrap_or_default());
                at_means -= standardised / scale * mean;
                standardised / scale
            };
            columns.iter().map(value).collect()
        };
        let mut values = moved(columns);
        let mut of_crossed = crossed.as_ref().map(|crossed| moved(&crossed.columns)).unwrap_or_default();
        if centers.is_empty() {
            parameters.extend(self.intercept.then_some(at_means));
        } else {
            values.push(0.0);
            for (value, center) in values.iter_mut().zip(centers) {
                *value += at_means + dot(&own, center);
            }
        }
        parameters.extend(values.iter().zip(factors).map(|(value, factor)| value / factor));
        if let Some(crossed) = crossed {
            let centers = crossed.centers.iter().map(|center| dot(&own, center));
            of_crossed.iter_mut().zip(centers).for_each(|(value, center)| *value += center);
            parameters.extend(of_crossed.iter().zip(&crossed.factors).map(|(value, factor)| value / factor));
        }
        parameters
    }
}

/// The values of some columns.
fn of_columns(values: &[f64], columns: &[usize]) -> Vec<f64> {
    columns.iter().filter_map(|column| values.get(*column)).copied().collect()
}

/// `Z` becomes `Z R⁻¹`, column by column. The length of the columns is a multiple of [`LANES`].
struct Orthonormalise<'a> {
    factor: &'a UpperTriangle,
    columns: &'a mut [Vec<f64>],
}

impl WithSimd for Orthonormalise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { factor, columns } = self;
        let mut spare = columns.first().cloned().unwrap_or_default();
        for (rows, first) in factor.rows().chunks(PANEL).zip((0..).step_by(PANEL)) {
            let Some(rest) = columns.get_mut(first..) else { return };
            let (panel, later) = rest.split_at_mut(if rows.len() == PANEL { PANEL } else { rest.len() });
            for (i, row) in rows.iter().enumerate() {
                let Some((current, others)) = panel.get_mut(i..).and_then(<[Vec<f64>]>::split_first_mut) else {
                    return;
                };
                let Some((diagonal, entries)) = row.split_first() else { return };
                for value in current.iter_mut() {
                    *value /= diagonal;
                }
                for (column, entry) in others.iter_mut().zip(entries) {
                    simd::add(column, -entry, current);
                }
            }
            if let ([a, b, c, d], [of_a, of_b, of_c, of_d]) = (&*panel, rows) {
                // Each of the later columns is read once for four, whose operations keep their order.
                let panel = Panel::new([a, b, c, d]);
                let weights = |at: usize| {
                    [(of_a, 4), (of_b, 3), (of_c, 2), (of_d, 1)]
                        .map(|(row, from)| row.get(from + at).copied().unwrap_or_default())
                };
                for (pair, at) in later.chunks_mut(2).zip((0..).step_by(2)) {
                    let (left, right) = match pair {
                        [left, right] => (left, right),
                        // A single last column is paired with a copy that is discarded.
                        [left] => (left, &mut spare),
                        _ => return,
                    };
                    panel.subtract(simd, [weights(at), weights(at + 1)], left, right);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_orthonormal_with_the_same_bits_for_every_instruction_set() {
        for size in [1, 3, 4, 5, 8, 11, 14] {
            let value = |row: usize, column: usize| ((row * 7919 + column * 104_729) % 1013) as f64 / 506.5 - 1.0;
            let design: Vec<Vec<f64>> =
                (0..size).map(|column| (0..24).map(|row| value(row, column)).collect()).collect();
            let mut factor = UpperTriangle::zeros(size);
            factor.absorb(&mut design.clone());
            let of = |instructions: Arch| {
                let mut columns = design.clone();
                instructions.dispatch(Orthonormalise { factor: &factor, columns: &mut columns });
                columns
            };
            let orthonormal = of(Arch::Scalar);
            for (i, one) in orthonormal.iter().enumerate() {
                for (j, other) in orthonormal.iter().enumerate() {
                    let expected = f64::from(u8::from(i == j));
                    assert!((dot(one, other) - expected).abs() < 1e-13, "{size}: {i} {j}");
                }
            }
            for instructions in simd::instructions() {
                assert_eq!(of(instructions), orthonormal, "{size}");
            }
        }
    }
}
