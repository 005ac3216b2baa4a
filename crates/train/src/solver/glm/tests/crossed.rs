//! Two categories with many levels have the fit of their columns.

use super::levels::{assert_equal, near};
use super::*;
use crate::solver::moments::LevelColumns;

/// Rows with the columns of two categories; `is_split`: whether they are known as such.
pub(super) struct CrossedRows {
    pub(super) rows: Rows,
    is_split: bool,
    is_first: bool,
}

impl GlmRows for CrossedRows {
    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(GlmRow<'_>) -> Result<(), E>) -> Result<(), E> {
        self.rows.scan(each)
    }

    fn levels(&self) -> LevelColumns {
        let [groups, crossed] = if self.is_first { [1..6, 7..11] } else { [7..11, 1..6] };
        let levels = LevelColumns { groups: groups.collect(), crossed: crossed.collect() };
        if self.is_split { levels } else { LevelColumns::default() }
    }
}

impl CrossedRows {
    /// A number, five levels of six, a number, and four levels of five. In a chain, each level has rows with the next
    /// of the other category only.
    pub(super) fn new(family: Family, is_chain: bool, is_first: bool) -> Self {
        let mut rows = rows(family, true, true);
        for (number, (design, target, ..)) in rows.0.iter_mut().enumerate() {
            let mixed = number * number + number / 7;
            let left = if is_chain { number % 6 } else { mixed % 6 };
            let right = if is_chain { (left + number / 6 % 2) % 5 } else { (mixed / 3 + number) % 5 };
            *target *= if left == 2 || right == 0 { 2.0 } else { 1.0 };
            let other = design.pop().unwrap() + (left + right) as f64;
            design.extend((0..5).map(|of| f64::from(u8::from(of == left))));
            design.push(other);
            design.extend((0..4).map(|of| f64::from(u8::from(of == right))));
        }
        Self { rows, is_split: true, is_first }
    }

    pub(super) fn moments(&self) -> Moments {
        self.moments_of(usize::MAX)
    }

    fn moments_of(&self, most_cells: usize) -> Moments {
        let (design, target, ..) = &self.rows.0[0];
        let near = design.iter().copied().chain([*target]).collect();
        let mut accumulator = Accumulator::with_levels(near, self.levels()).with_most_cells(most_cells);
        for (design, target, _, weight) in &self.rows.0 {
            accumulator.push_exact(design, *target, &[], *weight);
        }
        accumulator.finish()
    }

    fn each(mut self, fit: impl Fn(&Self) -> GlmFit) -> [GlmFit; 2] {
        [false, true].map(|is_split| {
            self.is_split = is_split;
            fit(&self)
        })
    }

    fn fits(self, settings: &GlmSettings) -> [GlmFit; 2] {
        self.each(|rows| fit(rows, &rows.moments(), &rows.rows.names(), settings).unwrap())
    }
}

#[test]
fn two_categories_have_the_fit_of_their_columns() {
    for family in [Family::Poisson, Family::Gamma] {
        for (alpha, is_chain, is_first) in
            [(0.0, false, true), (0.0, true, false), (0.0, true, true), (0.3, false, true), (1e-5, true, false)]
        {
            let settings = GlmSettings { alpha, ..GlmSettings::new(family) };
            let [expected, found] = CrossedRows::new(family, is_chain, is_first).fits(&settings);
            assert_equal(&found, &expected);
        }
    }
}

#[test]
fn rows_of_too_many_cells_have_the_fit_of_their_columns() {
    for (alpha, is_first) in [(0.0, true), (0.0, false), (0.3, true), (0.3, false)] {
        let settings = GlmSettings { alpha, ..GlmSettings::new(Family::Poisson) };
        let rows = CrossedRows::new(Family::Poisson, false, is_first);
        let [expected, found] = rows.each(|rows| {
            let moments = rows.moments_of(7);
            assert_eq!(moments.has_groups(false), rows.is_split);
            fit(rows, &moments, &rows.rows.names(), &settings).unwrap()
        });
        assert_equal(&found, &expected);
    }
}

#[test]
fn a_part_may_lack_levels_and_rows_with_both() {
    for (alpha, is_first) in [(0.0, true), (0.0, false), (0.2, true)] {
        let settings = GlmSettings { alpha, ..GlmSettings::new(Family::Poisson) };
        let mut whole = CrossedRows::new(Family::Poisson, false, is_first);
        let start = fit(&whole, &whole.moments(), &whole.rows.names(), &settings).unwrap();
        // Without the third level of the first category; the first levels of both occur together only.
        whole.rows.0.retain(|(design, ..)| design[3] == 0.0 && (design[1] == 0.0) == (design[7] == 0.0));
        let [expected, found] =
            whole.each(|rows| fit_of_part(rows, &rows.moments(), &rows.rows.names(), &settings, &start).unwrap());
        assert!(found.converged && expected.converged);
        near(&found.coefficients, &expected.coefficients, 1e-10);
        near(&[found.intercept], &[expected.intercept], 1e-11);
    }
}

#[test]
fn a_level_without_counts_is_unbounded() {
    for (column, is_first) in [(2, true), (8, true), (8, false)] {
        let mut rows = CrossedRows::new(Family::Poisson, false, is_first);
        for (design, target, ..) in &mut rows.rows.0 {
            *target = if design[column] == 0.0 { *target } else { 0.0 };
        }
        let [expected, found] = rows.fits(&GlmSettings::new(Family::Poisson));
        assert_eq!(found.unbounded, expected.unbounded, "{column}");
        assert_eq!(found.unbounded, [column]);
        near(&found.coefficients[..1], &expected.coefficients[..1], 1e-7);
    }
}

#[test]
fn levels_of_two_categories_start_from_a_fit() {
    let rows = CrossedRows::new(Family::Gamma, true, true);
    let settings = GlmSettings::new(Family::Gamma);
    let whole = fit(&rows, &rows.moments(), &rows.rows.names(), &settings).unwrap();
    let again = fit_of_part(&rows, &rows.moments(), &rows.rows.names(), &settings, &whole).unwrap();
    assert_eq!(again.iterations, 1);
    near(&again.coefficients, &whole.coefficients, 1e-12);
}

/// A path of levels needs more steps of conjugate gradients than are taken, and a factor then.
#[test]
fn a_long_chain_of_levels_is_solved_by_a_factor() {
    let settings = GlmSettings::new(Family::Gamma);
    let count = 300;
    let row = |i: usize| {
        let edge = i % (2 * count - 1);
        let (left, right) = (edge / 2, edge.div_ceil(2));
        let mut design = vec![(i * 7919 % 101) as f64];
        design.extend((1..count).map(|of| f64::from(u8::from(of == left))));
        design.extend((1..count).map(|of| f64::from(u8::from(of == right))));
        (design, 1.0 + (i * 104_729 % 7) as f64, 0.0, 1.0)
    };
    let rows = Rows((0..3 * (2 * count - 1)).map(row).collect());
    let levels = LevelColumns { groups: (1..count).collect(), crossed: (count..2 * count - 1).collect() };
    let fit = fit(&Chain(&rows, levels.clone()), &chain_moments(&rows, levels), &rows.names(), &settings).unwrap();
    assert!(fit.converged && fit.iterations < 20 && fit.gradient < 1e-6, "{} {}", fit.iterations, fit.gradient);
}

struct Chain<'a>(&'a Rows, LevelColumns);

impl GlmRows for Chain<'_> {
    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(GlmRow<'_>) -> Result<(), E>) -> Result<(), E> {
        self.0.scan(each)
    }

    fn levels(&self) -> LevelColumns {
        self.1.clone()
    }
}

fn chain_moments(rows: &Rows, levels: LevelColumns) -> Moments {
    let (design, target, ..) = &rows.0[0];
    let mut accumulator = Accumulator::with_levels(design.iter().copied().chain([*target]).collect(), levels);
    for (design, target, _, weight) in &rows.0 {
        accumulator.push_exact(design, *target, &[], *weight);
    }
    accumulator.finish()
}
