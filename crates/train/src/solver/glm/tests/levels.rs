//! A category with many levels has the fit of its columns.

use super::*;
use crate::solver::moments::{Accumulator, LevelColumns};

/// Rows with the columns of a category; `is_split`: whether they are known as such.
struct LevelRows {
    rows: Rows,
    levels: LevelColumns,
    is_split: bool,
}

impl GlmRows for LevelRows {
    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(GlmRow<'_>) -> Result<(), E>) -> Result<(), E> {
        self.rows.scan(each)
    }

    fn levels(&self) -> LevelColumns {
        if self.is_split { self.levels.clone() } else { LevelColumns::default() }
    }
}

impl LevelRows {
    /// A number, the columns of five levels (rows with the sixth have none of them), and `others` more numbers.
    fn new(family: Family, others: usize, count: u32) -> Self {
        let mut rows = rows(family, true, true);
        for (number, (design, target, ..)) in rows.0.iter_mut().enumerate() {
            let level = (number * number + number / 7) % 6;
            *target *= if level == 2 { 2.0 } else { 1.0 };
            let other = design.pop().unwrap() + f64::from(u8::from(level == 1));
            design.extend((0..5).map(|of| f64::from(u8::from(of == level))));
            design.extend([other, (number * 37 % 11) as f64][..others].iter());
        }
        rows.0.truncate(count as usize);
        Self { rows, levels: LevelColumns { groups: (1..6).collect(), crossed: Vec::new() }, is_split: true }
    }

    fn moments(&self) -> Moments {
        let (design, target, ..) = &self.rows.0[0];
        let near = design.iter().copied().chain([*target]).collect();
        let mut accumulator = Accumulator::with_levels(near, self.levels());
        for (design, target, _, weight) in &self.rows.0 {
            accumulator.push_exact(design, *target, &[], *weight);
        }
        accumulator.finish()
    }

    fn fits(mut self, settings: &GlmSettings) -> [GlmFit; 2] {
        let names = self.rows.names();
        [false, true].map(|is_split| {
            self.is_split = is_split;
            fit(&self, &self.moments(), &names, settings).unwrap()
        })
    }
}

pub(super) fn near(found: &[f64], expected: &[f64], digits: f64) {
    let size = expected.iter().fold(1e-3_f64, |size, value| size.max(value.abs()));
    assert_eq!(found.len(), expected.len());
    for (one, other) in found.iter().zip(expected) {
        assert!((one - other).abs() <= digits * size, "{found:?} {expected:?}");
    }
}

pub(super) fn assert_equal(found: &GlmFit, expected: &GlmFit) {
    assert!(found.converged && expected.converged);
    near(&found.coefficients, &expected.coefficients, 1e-11);
    near(&[found.intercept], &[expected.intercept], 1e-12);
    let of = |fit: &GlmFit| fit.statistics.clone().unwrap();
    let (found, expected) = (of(found), of(expected));
    near(&[found.deviance, found.pearson], &[expected.deviance, expected.pearson], 1e-12);
    near(
        &[found.null_deviance, found.degrees_of_freedom],
        &[expected.null_deviance, expected.degrees_of_freedom],
        1e-12,
    );
    near(&found.center, &expected.center, 1e-11);
    let [found, expected] = [found, expected].map(|statistics| statistics.triangle.unwrap().rows().concat());
    near(&found, &expected, 1e-7);
}

#[test]
fn a_category_has_the_fit_of_its_columns() {
    for family in [Family::Poisson, Family::Gamma] {
        for (alpha, others) in [(0.0, 2), (0.0, 1), (0.0, 0), (0.3, 2), (1e-6, 1)] {
            let settings = GlmSettings { alpha, ..GlmSettings::new(family) };
            let [expected, found] = LevelRows::new(family, others, 200).fits(&settings);
            assert_equal(&found, &expected);
        }
    }
}

#[test]
fn standard_errors_of_levels_are_those_of_their_columns() {
    let [expected, found] = LevelRows::new(Family::Poisson, 2, 200).fits(&GlmSettings::new(Family::Poisson));
    let [expected, found] = [expected, found].map(|fit| fit.unit_errors().unwrap());
    near(&found.coefficients, &expected.coefficients, 1e-11);
    near(&[found.intercept], &[expected.intercept], 1e-11);
}

#[test]
fn a_level_alone_is_a_fit() {
    let mut rows = LevelRows::new(Family::Gamma, 0, 200);
    for (design, ..) in &mut rows.rows.0 {
        design.remove(0);
    }
    rows.levels.groups = (0..5).collect();
    let [expected, found] = rows.fits(&GlmSettings::new(Family::Gamma));
    assert_equal(&found, &expected);
}

#[test]
fn a_part_may_lack_levels_and_columns() {
    for family in [Family::Poisson, Family::Gamma] {
        for alpha in [0.0, 0.2] {
            let settings = GlmSettings { alpha, ..GlmSettings::new(family) };
            let mut whole = LevelRows::new(family, 2, 200);
            let start = fit(&whole, &whole.moments(), &whole.rows.names(), &settings).unwrap();
            // Without level 3, and the last column is that of level 1.
            whole.rows.0.retain(|(design, ..)| design[4] == 0.0);
            whole.rows.0.iter_mut().for_each(|(design, ..)| design[7] = 1.0 - design[2]);
            let [expected, found] = [false, true].map(|is_split| {
                whole.is_split = is_split;
                fit_of_part(&whole, &whole.moments(), &whole.rows.names(), &settings, &start).unwrap()
            });
            assert!(found.converged && expected.converged);
            near(&found.coefficients, &expected.coefficients, 1e-10);
            near(&[found.intercept], &[expected.intercept], 1e-11);
            assert!(found.coefficients[4].abs() < f64::MIN_POSITIVE);
        }
    }
}

#[test]
fn a_level_without_counts_is_unbounded() {
    for level in [2, 5] {
        let mut rows = LevelRows::new(Family::Poisson, 1, 200);
        for (design, target, ..) in &mut rows.rows.0 {
            let own = design[1..6].iter().position(|value| *value != 0.0).unwrap_or(5);
            *target = if own == level { 0.0 } else { *target };
        }
        let [expected, found] = rows.fits(&GlmSettings::new(Family::Poisson));
        assert_eq!(found.unbounded, expected.unbounded, "{level}");
        assert_eq!(found.has_unbounded_intercept, expected.has_unbounded_intercept);
        near(&found.coefficients[..1], &expected.coefficients[..1], 1e-7);
    }
}
