//! Ridge with a category of many levels.
//!
//! The coefficient `b` of a level only occurs in the rows with the level, whose mean residual without it is `e`:
//!
//! ```text
//! min over b of  w (e + b/s)² + alpha b²  =  e² · w alpha / (w/s² + alpha)
//! ```
//!
//! So the other coefficients are those of the deviations of the rows from the means of their groups, and of these means
//! with such smaller weights: least squares with as many rows as levels, and as many columns as there are others.

use super::super::moments::Accumulator;
use super::super::qr::dot;
use super::problem::{Problem, diagonal};

impl Problem<'_> {
    /// As [`ridge()`](Problem::ridge), for moments in groups and a penalty above zero.
    pub(super) fn ridge_of_levels(&self, alpha: f64) -> Option<Vec<f64>> {
        let within = self.moments.within_groups().filter(|_| alpha > 0.0)?;
        let divisors: Vec<f64> = self.scales.iter().copied().chain([self.unit]).collect();
        let of =
            |columns: &[usize]| -> Vec<f64> { columns.iter().filter_map(|at| divisors.get(*at)).copied().collect() };
        let (scales, own) = (of(&within.levels), of(&within.others));
        let others = own.len().saturating_sub(1);
        let mut accumulator = Accumulator::new(vec![0.0; others + 1]);
        // The groups of the levels, then that of rows without a level, which has no coefficient.
        let mut groups = Vec::with_capacity(within.centers.len());
        for (place, (weight, center)) in within.weights.iter().zip(&within.centers).enumerate() {
            let center: Vec<f64> = center.iter().zip(&own).map(|(apart, divisor)| apart / divisor).collect();
            let (target, features) = center.split_last()?;
            let precision = scales.get(place).map(|scale| weight / scale / scale + alpha);
            let remaining = precision.map_or(*weight, |precision| weight * (alpha / precision));
            accumulator.push_exact(features, *target, &[], remaining);
            let factor = scales.get(place).zip(precision).map(|(scale, precision)| weight / scale / precision);
            groups.push((factor, features.to_vec(), *target));
        }
        let means = accumulator.finish();
        let mut triangle = means.triangle().clone();
        let deviations = within.factor.scaled(&own);
        let column = |column| {
            let mut entries = deviations.column(column);
            entries.resize(others + 1, 0.0);
            entries
        };
        triangle.absorb(&mut (0..=others).map(column).collect::<Vec<_>>());
        triangle.absorb(&mut diagonal(others, others + 1, alpha.sqrt()));
        let mut projection = triangle.column(others);
        projection.truncate(others);
        let of_others = triangle.leading(others).solve(&projection);
        let mut means = means.means();
        let intercept = means.pop()? - dot(&of_others, &means);
        let mut found = vec![0.0; self.columns.len()];
        let mut set = |column: usize, value: f64| found.get_mut(column).into_iter().for_each(|slot| *slot = value);
        within.others.iter().zip(&of_others).for_each(|(column, value)| set(*column, *value));
        for (column, (factor, features, target)) in within.levels.iter().zip(groups) {
            set(*column, factor.unwrap_or_default() * (target - intercept - dot(&of_others, &features)));
        }
        Some(found)
    }
}
