#![allow(clippy::float_cmp)] // Bits are compared.

use proptest::prelude::*;

use super::super::moments::Accumulator;
use super::super::test_rows::{moments, names, refine as refined, weighted};
use super::super::unit_errors::UnitErrors;
use super::*;

/// Rows whose features share a part of their variance, far from zero, with noise in the target.
fn rows(count: usize, features: usize, shared: f64, offset: f64, noise: f64) -> Vec<Vec<f64>> {
    let random = |i: usize| libm::sin((i * i) as f64);
    (0..count)
        .map(|row| {
            let place = 1 + 31 * row;
            let feature = |j: usize| offset + shared * random(place) + (1.0 - shared) * random(place + 1 + j);
            let features: Vec<f64> = (0..features).map(feature).collect();
            let signal: f64 = features.iter().zip(1_u32..).map(|(x, j)| x / f64::from(j)).sum();
            [features, vec![signal + noise * random(place + 30)]].concat()
        })
        .collect()
}

fn solved(rows: &[Vec<f64>]) -> LeastSquaresFit {
    moments(weighted(rows, |_| 1.0)).solve(&names(rows[0].len())).unwrap()
}

fn refine(fit: LeastSquaresFit, rows: &[Vec<f64>], instructions: Arch) -> (LeastSquaresFit, bool) {
    refined(Refinement { instructions, ..Refinement::new(fit) }, weighted(rows, |_| 1.0))
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let rows = rows(1_003, 6, 0.9, 1e5, 0.1);
    let fit = solved(&rows);
    let expected = refine(fit.clone(), &rows, Arch::Scalar).0;
    for instructions in simd::instructions() {
        assert_eq!(refine(fit.clone(), &rows, instructions).0, expected);
    }
}

#[test]
fn one_pass_is_enough_for_ordinary_data() {
    let rows = rows(5_000, 5, 0.5, 10.0, 0.5);
    assert!(!refine(solved(&rows), &rows, Arch::new()).1);
}

#[test]
fn a_fit_with_large_errors_needs_another_pass() {
    let rows = rows(100, 3, 0.5, 0.0, 0.5);
    let mut fit = solved(&rows);
    fit.coefficients[1] += 1e-3;
    assert!(refine(fit, &rows, Arch::new()).1);
}

/// A row of weight 2 is two rows, also in the digits that R does not have.
#[test]
fn ill_conditioned_columns_have_unit_errors_with_more_digits_than_r() {
    let rows = rows(200, 3, 1.0 - 1e-7, 10.0, 0.5);
    let fit = solved(&rows);
    let errors = |times: usize, weight: f64| {
        let repeated = rows.iter().flat_map(|row| std::iter::repeat_n((row, weight), times));
        let fit = refined(Refinement::new(fit.clone()), repeated).0;
        let UnitErrors { intercept, coefficients } = fit.unit_errors.unwrap();
        [vec![intercept], coefficients].concat()
    };
    let UnitErrors { intercept, coefficients } = UnitErrors::from_triangle(&fit.triangle, &fit.means, 200.0);
    let of_triangle = [vec![intercept], coefficients].concat();
    for (((once, twice), double), roughly) in
        errors(1, 1.0).iter().zip(errors(2, 1.0)).zip(errors(1, 2.0)).zip(of_triangle)
    {
        assert!((twice / double - 1.0).abs() < 1e-14, "{twice} {double}");
        assert!((once / double / std::f64::consts::SQRT_2 - 1.0).abs() < 1e-14, "{once} {double}");
        assert!((once / roughly - 1.0).abs() < 1e-6, "{once} {roughly}");
    }
}

/// A common factor of all weights does not change R².
#[test]
fn r2_does_not_depend_on_the_size_of_the_weights() {
    let rows = rows(50, 2, 0.5, 10.0, 0.5);
    let r2 = |weight: f64| {
        let fit = moments(weighted(&rows, |_| weight)).solve(&names(3)).unwrap();
        let fit = refined(Refinement::new(fit), weighted(&rows, |_| weight)).0;
        fit.explained_sum_of_squares / (fit.explained_sum_of_squares + fit.residual_sum_of_squares)
    };
    for weight in [1e-250, 1e-100, 1e100, 1e170, 1e250] {
        assert!((r2(weight) / r2(1.0) - 1.0).abs() < 1e-12, "{weight:e}");
    }
}

/// Decimals are rounded to doubles. What that leaves says nothing of the fit, whatever the unit of the weights.
#[test]
fn a_fit_is_exact_if_its_residuals_are_rounding_errors_of_the_target() {
    let is_exact = |weight: f64, noise: f64| {
        let y = |x: u32| f64::from(300 + 7 * x + x % 3) / 100.0 + noise * f64::from(x % 2);
        let rows: Vec<Vec<f64>> = (0..20).map(|x| vec![f64::from(x), f64::from(x % 3), y(x)]).collect();
        let mut fit = moments(weighted(&rows, |_| weight)).solve(&names(3)).unwrap();
        for _ in 0..2 {
            fit = refined(Refinement::new(fit), weighted(&rows, |_| weight)).0;
        }
        fit.is_exact()
    };
    for weight in [1e-100, 1.0, 1e100] {
        assert!(is_exact(weight, 0.0), "{weight:e}");
        assert!(!is_exact(weight, 1e-14), "{weight:e}");
    }
}

#[test]
fn ordinary_columns_and_columns_of_extreme_size_have_no_unit_errors() {
    let errors = |rows: &[Vec<f64>]| refine(solved(rows), rows, Arch::new()).0.unit_errors;
    assert_eq!(errors(&rows(200, 3, 0.9, 10.0, 0.5)), None);
    let ill_conditioned = |unit: f64| {
        let mut rows = rows(200, 3, 1.0 - 1e-7, 10.0, 0.5);
        for row in &mut rows {
            row[0] *= unit;
        }
        rows
    };
    assert!(errors(&ill_conditioned(1.0)).is_some());
    // The squares of such small columns lose their last digits, but R does not.
    assert_eq!(errors(&ill_conditioned(1e-110)), None);
}

/// The fit is to the sum of the columns and their low parts.
#[test]
fn columns_may_have_more_digits_than_a_double() {
    let rest = |i: usize| libm::sin(i as f64) * 1e-9;
    let rows: Vec<Vec<f64>> = (0..50).map(|i| vec![1e8 + (i * i % 7) as f64, 1e9 * rest(i)]).collect();
    let rows: Vec<Vec<f64>> = rows.into_iter().map(|row| vec![1e8, row[0], row[1]]).collect();
    let mut accumulator = Accumulator::new(rows[0].clone());
    for (i, row) in rows.iter().enumerate() {
        accumulator.push_exact(&row[..2], row[2], &[rest(i), 0.0], 1.0);
    }
    let fit = accumulator.finish().solve(&["x", "z", "y"].map(String::from)).unwrap();
    let mut refinement = Refinement::new(fit);
    for (i, row) in rows.iter().enumerate() {
        refinement.push_exact(&row[..2], row[2], &[rest(i), 0.0], 1.0);
    }
    let fit = refinement.finish().0;
    assert!((fit.coefficients[0] - 1e9).abs() < 1e-6, "{fit:?}");
    assert!(fit.coefficients[1].abs() < 1e-15, "{fit:?}");
    assert!(fit.residual_sum_of_squares < 1e-25, "{fit:?}");
}

/// The coefficients of the powers are 10⁻¹⁰ of that of the number and less. Its rounding to a double between the passes,
/// and that of products with residuals that are small differences, left errors of 12 and more units in their last place.
/// Expected: by mpmath, with 80 digits.
#[test]
fn small_coefficients_next_to_large_ones_have_all_digits() {
    let rows: Vec<Vec<f64>> = (0..20_u32)
        .map(|i| {
            let x = f64::from(1000 + i);
            vec![x, x * x, x * x * x, 0.1 * x + 1e-12 * f64::from(i * i % 7)]
        })
        .collect();
    let weight = |row: usize| 1.0 + 0.25 * (row % 3) as f64;
    let mut fit = moments(weighted(&rows, weight)).solve(&names(4)).unwrap();
    for _ in 0..3 {
        fit = refined(Refinement::new(fit), weighted(&rows, weight)).0;
    }
    let expected = [0.100_000_010_717_328_9, -1.062_157_463_998_777_1e-11, 3.508_834_422_391_174_7e-15];
    for (found, expected) in fit.coefficients.iter().zip(expected) {
        assert!((found / expected - 1.0).abs() <= f64::EPSILON, "{found} is not {expected}");
    }
}

proptest! {
    #[test]
    fn a_pass_after_the_last_changes_nothing(
        count in 20..700_usize, features in 1..7_usize, own in -6.0..0.0_f64, offset in 0.0..6.0_f64, noise in -6.0..1.0_f64
    ) {
        let power = |exponent| libm::pow(10.0, exponent);
        let rows = rows(count, features, 1.0 - power(own), power(offset), power(noise));
        let (once, needs_another) = refine(solved(&rows), &rows, Arch::new());
        let twice = refine(once.clone(), &rows, Arch::new()).0;
        if !needs_another {
            for (once, twice) in once.coefficients.iter().zip(&twice.coefficients) {
                prop_assert!((once - twice).abs() <= f64::EPSILON * twice.abs(), "{once} became {twice}");
            }
            let (once, twice) = (once.residual_sum_of_squares, twice.residual_sum_of_squares);
            prop_assert!((once - twice).abs() <= f64::EPSILON * twice, "{once} became {twice}");
        }
    }
}
