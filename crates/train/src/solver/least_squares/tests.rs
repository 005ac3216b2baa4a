#![allow(clippy::float_cmp)] // Bits are compared.
// Small integers, exact in every type they pass through.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::super::refinement::Refinement;
use super::super::test_rows::{self, names, refine, weighted};
use super::*;
use proptest::prelude::*;

fn moments(rows: &[Vec<f64>]) -> Moments {
    test_rows::moments(weighted(rows, |_| 1.0))
}

fn refined(rows: &[Vec<f64>], through_origin: bool) -> LeastSquaresFit {
    let moments = moments(rows);
    let moments = if through_origin { moments.about_zero() } else { moments };
    let mut fit = moments.solve(&names(rows[0].len())).unwrap();
    for _ in 0..2 {
        fit = refine(Refinement::new(fit), weighted(rows, |_| 1.0)).0;
    }
    fit
}

fn predict(fit: &LeastSquaresFit, features: &[f64]) -> f64 {
    features.iter().zip(&fit.means).zip(&fit.coefficients).map(|((x, mean), w)| w * (x - mean)).sum::<f64>()
        + fit.intercept
}

#[test]
fn the_line_of_the_tutorial_is_exactly_two_x_plus_one() {
    let fit = refined(&[vec![1.0, 3.0], vec![2.0, 5.0], vec![3.0, 7.0], vec![4.0, 9.0]], false);
    assert_eq!(fit.coefficients, [2.0]);
    assert_eq!((fit.intercept, fit.means.as_slice()), (6.0, &[2.5][..]));
    assert_eq!([1.0, 2.0, 3.0, 4.0].map(|x| predict(&fit, &[x])), [3.0, 5.0, 7.0, 9.0]);
    assert_eq!(fit.residual_sum_of_squares, 0.0);
    assert_eq!(fit.degrees_of_freedom(), 2);
}

#[test]
fn dependent_columns_are_an_error_that_names_exactly_them() {
    let row = |i: f64| vec![i.sin(), i.cos() * 1e9, (3.0 * i).sin(), i.sin() - 2e-9 * (i.cos() * 1e9), i];
    let rows: Vec<_> = (0..2000).map(|i| row(f64::from(i))).collect();
    let error = moments(&rows).solve(&names(5)).unwrap_err();
    assert_eq!(error, SolveError::Dependent { names: ["x1", "x2", "x4"].map(str::to_owned).to_vec() });
}

#[test]
fn every_column_of_a_combination_is_named_once() {
    let row = |i: f64| vec![i.sin() * 1e8, (3.0 * i).sin() * 1e8, (i.sin() + (3.0 * i).sin()) * 1e8, i];
    let rows: Vec<_> = (0..50).map(|i| row(f64::from(i))).collect();
    let error = moments(&rows).solve(&names(4)).unwrap_err();
    assert_eq!(error, SolveError::Dependent { names: ["x1", "x2", "x3"].map(str::to_owned).to_vec() });
}

/// A sum of numbers near 10⁹ is rounded in the seventh decimal place: the third column has no other orthogonal part.
#[test]
fn a_sum_with_rounding_errors_is_a_combination() {
    let row = |i: f64, own: f64| {
        let (a, b) = (1e9 + (7.0 * i).sin(), (3.0 * i).cos());
        vec![a, b, a + b + own, i.cos()]
    };
    let rows: Vec<_> = (0..50).map(|i| row(f64::from(i), 0.0)).collect();
    let error = moments(&rows).solve(&names(4)).unwrap_err();
    assert_eq!(error, SolveError::Dependent { names: ["x1", "x2", "x3"].map(str::to_owned).to_vec() });
    // An orthogonal part of a millionth is enough.
    let rows: Vec<_> = (0..50).map(|i| row(f64::from(i), 1e-6 * f64::from(i * i % 7))).collect();
    moments(&rows).solve(&names(4)).unwrap();
}

/// Whole seconds since 1970: a start and an end, a few seconds later.
#[test]
fn times_far_from_zero_that_differ_are_independent() {
    let row = |i: u32| {
        let start = 1.7e9 + f64::from(i * 3600);
        let end = start + f64::from(i * i % 5);
        vec![start, end, f64::from(i * 7 % 11)]
    };
    let rows: Vec<_> = (0..50).map(row).collect();
    moments(&rows).solve(&names(3)).unwrap();
}

#[test]
fn dependent_powers_of_one_feature_are_an_error_that_names_them() {
    let row = |i: u32| (1..=6).map(|power| f64::from(1960 + i).powi(power)).chain([f64::from(i).sin()]).collect();
    let rows: Vec<Vec<f64>> = (0..61).map(row).collect();
    let mut names: Vec<String> = (2..=6).map(|power| format!("year^{power}")).collect();
    names.insert(0, "year".to_owned());
    names.push("y".to_owned());
    let error = moments(&rows).solve(&names).unwrap_err();
    let SolveError::Dependent { names } = error else { panic!("{error}") };
    assert_eq!(names[..3], ["year", "year^2", "year^3"]);
}

#[test]
fn units_of_measurement_do_not_make_columns_dependent() {
    let rows: Vec<_> =
        (0..100).map(f64::from).map(|i| vec![i.sin() * 1e-12, i.cos() * 1e12, i.sin() + 3.0 * i.cos()]).collect();
    let fit = refined(&rows, false);
    assert!((fit.coefficients[0] * 1e-12 - 1.0).abs() < 1e-15, "{fit:?}");
    assert!((fit.coefficients[1] * 1e12 - 3.0).abs() < 1e-15, "{fit:?}");
}

#[test]
fn constant_columns_too_few_rows_and_infinite_numbers_are_errors() {
    let solve = |rows: &[[f64; 3]]| {
        moments(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>()).solve(&names(3)).unwrap_err()
    };
    assert_eq!(
        solve(&[[0.1, 1.0, 1.0], [0.1, 2.0, 3.0], [0.1, 5.0, 4.0]]),
        SolveError::ConstantFeature { name: "x1".into() }
    );
    assert_eq!(
        solve(&[[3.0, 1.0, 0.3], [1.0, 2.0, 0.3], [0.1, 5.0, 0.3]]),
        SolveError::ConstantTarget { name: "y".into() }
    );
    assert_eq!(
        solve(&[[3.0, 1.0, 1.0], [1.0, 2.0, 2.0]]),
        SolveError::TooFewRows { rows: 2, features: 2, intercept: true }
    );
    for bad in [f64::NAN, f64::INFINITY, f64::MAX] {
        assert_eq!(
            solve(&[[3.0, 1.0, 1.0], [1.0, bad, 2.0], [2.0, -bad, 4.0]]),
            SolveError::NotFinite { name: "x2".into() }
        );
    }
}

#[test]
fn columns_of_extreme_size_are_named_and_not_reported_as_constant() {
    let solve = |size: [f64; 2]| {
        let row = |i: f64| vec![i.sin(), size[0] * i.cos(), size[1] * (i + i.sin())];
        moments(&(0..40).map(f64::from).map(row).collect::<Vec<_>>()).solve(&names(3))
    };
    let too = |name: &str| Err(SolveError::NotFinite { name: name.into() });
    // Below the smallest normal number.
    assert_eq!(solve([1e-310, 1.0]), too("x2"));
    // The squares of their errors would be 0 or infinite.
    for size in [1e-310, 1e-200, 1e200] {
        assert_eq!(solve([1.0, size]), too("y"));
    }
    for size in [1e-300, 1e-100, 1e100] {
        assert!(solve([size, 1.0]).is_ok(), "{size}");
    }
    assert!(solve([1.0, 1e-100]).is_ok() && solve([1.0, 1e100]).is_ok());
}

/// Sorted data: whole blocks in which a column is constant, or a combination of others.
#[test]
fn columns_that_differ_in_later_rows_only_are_independent() {
    let rows: Vec<Vec<f64>> = (0..1500)
        .map(|i: u32| {
            let features: Vec<f64> =
                (0..12).map(|j| if i < 100 * j { 0.0 } else { f64::from((i * (j + 7)) % 101) }).collect();
            let twin = features[0] + features[1] + if i < 1400 { 0.0 } else { f64::from(i % 3) };
            let y = features.iter().zip(1..).map(|(x, j)| x * f64::from(j)).sum::<f64>() - twin;
            features.into_iter().chain([twin, y]).collect()
        })
        .collect();
    let fit = refined(&rows, false);
    assert_eq!(fit.coefficients, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, -1.0]);
}

/// The exact determinant of integers, by expansion.
fn determinant(matrix: &[Vec<i128>]) -> i128 {
    if matrix.is_empty() {
        return 1;
    }
    (0..matrix.len())
        .map(|column| {
            let minor: Vec<Vec<i128>> = matrix[1..]
                .iter()
                .map(|row| row.iter().enumerate().filter(|(j, _)| *j != column).map(|(_, v)| *v).collect())
                .collect();
            let sign = if column % 2 == 0 { 1 } else { -1 };
            sign * matrix[0][column] * determinant(&minor)
        })
        .sum()
}

/// Coefficients by Cramer's rule on the centred normal equations in integers; only the final division is rounded.
fn exact(rows: &[Vec<i64>]) -> Option<Vec<f64>> {
    let columns = rows[0].len();
    let n = rows.len() as i128;
    let sum = |j: usize| rows.iter().map(|row| i128::from(row[j])).sum::<i128>();
    let scatter = |i: usize, j: usize| {
        n * rows.iter().map(|row| i128::from(row[i]) * i128::from(row[j])).sum::<i128>() - sum(i) * sum(j)
    };
    let normal: Vec<Vec<i128>> = (0..columns - 1).map(|i| (0..columns - 1).map(|j| scatter(i, j)).collect()).collect();
    let whole = determinant(&normal);
    // Well conditioned: the determinant is at least a thousandth of Hadamard's bound.
    let bound: f64 = (0..columns - 1).map(|i| scatter(i, i) as f64).product();
    if whole == 0 || (whole as f64) < 1e-3 * bound || scatter(columns - 1, columns - 1) == 0 {
        return None;
    }
    Some(
        (0..columns - 1)
            .map(|k| {
                let mut replaced = normal.clone();
                for (i, row) in replaced.iter_mut().enumerate() {
                    row[k] = scatter(i, columns - 1);
                }
                determinant(&replaced) as f64 / whole as f64
            })
            .collect(),
    )
}

fn integer_rows() -> impl Strategy<Value = Vec<Vec<i64>>> {
    (2..=5_usize).prop_flat_map(|columns| prop::collection::vec(prop::collection::vec(-100..=100_i64, columns), 8..600))
}

fn doubles(rows: &[Vec<i64>]) -> Vec<Vec<f64>> {
    rows.iter().map(|row| row.iter().map(|value| *value as f64).collect()).collect()
}

fn close(left: &[f64], right: &[f64], tolerance: f64) -> bool {
    let size = right.iter().fold(f64::MIN_POSITIVE, |size, value| size.max(value.abs()));
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| (a - b).abs() <= tolerance * size)
}

proptest! {
    #[test]
    fn agrees_with_the_exact_solution(rows in integer_rows()) {
        let Some(exact) = exact(&rows) else { return Err(TestCaseError::reject("ill-conditioned")) };
        let fit = refined(&doubles(&rows), false);
        for (got, exact) in fit.coefficients.iter().zip(&exact) {
            prop_assert!((got - exact).abs() <= 2.0 * f64::EPSILON * exact.abs(), "{got} is not {exact}");
        }
    }

    #[test]
    fn merged_moments_are_those_of_all_rows(rows in integer_rows(), cut in 0.0..1.0_f64) {
        prop_assume!(exact(&rows).is_some());
        let rows = doubles(&rows);
        let (left, right) = rows.split_at((rows.len() as f64 * cut) as usize);
        prop_assume!(!left.is_empty() && !right.is_empty());
        let names = names(rows[0].len());
        // Each part has its own shift.
        let merged = moments(left).merge(&moments(right)).solve(&names).unwrap();
        let whole = moments(&rows).solve(&names).unwrap();
        // Rounding errors of a target of up to 100, also for coefficients near zero.
        let numbers = merged.coefficients.iter().zip(&whole.coefficients).chain([(&merged.intercept, &whole.intercept)]);
        prop_assert!(numbers.clone().all(|(merged, whole)| (merged - whole).abs() <= 1e-12 * whole.abs().max(100.0)));
        prop_assert_eq!(merged.coefficients.len(), whole.coefficients.len());
        prop_assert!(close(&merged.triangle.rows().concat(), &whole.triangle.rows().concat(), 1e-12));
        prop_assert_eq!(merged.rows, whole.rows);
    }

    #[test]
    fn a_row_of_weight_three_is_three_rows(
        rows in integer_rows(), weights in prop::collection::vec(0..4_u8, 600)
    ) {
        let rows = doubles(&rows);
        let repeated: Vec<Vec<f64>> = rows
            .iter()
            .zip(&weights)
            .flat_map(|(row, weight)| std::iter::repeat_n(row.clone(), usize::from(*weight)))
            .collect();
        let whole: Vec<Vec<i64>> =
            repeated.iter().map(|row| row.iter().map(|value| *value as i64).collect()).collect();
        prop_assume!(repeated.len() > 8 && exact(&whole).is_some());
        let weight = |row: usize| f64::from(weights[row]);

        let sums = test_rows::moments(weighted(&rows, weight));
        prop_assert_eq!(sums.weight(), repeated.len() as f64);
        let refinement = Refinement::new(sums.solve(&names(rows[0].len())).unwrap());
        let (fit, expected) = (refine(refinement, weighted(&rows, weight)).0, refined(&repeated, false));
        prop_assert!(close(&fit.coefficients, &expected.coefficients, 1e-14), "{fit:?} {expected:?}");
        // Both are predictions at the means, with the rounding errors of the data.
        prop_assert!((fit.intercept - expected.intercept).abs() <= 1e-13 * 100.0);
        prop_assert!(close(&fit.triangle.rows().concat(), &expected.triangle.rows().concat(), 1e-12));
        let spread = expected.residual_sum_of_squares
            + expected.triangle.times(&expected.coefficients).iter().map(|part| part * part).sum::<f64>();
        prop_assert!((fit.residual_sum_of_squares - expected.residual_sum_of_squares).abs() <= 1e-13 * spread);
    }

    #[test]
    fn the_squared_error_of_any_coefficients_follows_from_the_moments(rows in integer_rows(), offset in -1e6..1e6_f64) {
        let rows: Vec<Vec<f64>> =
            doubles(&rows).into_iter().map(|row| row.into_iter().map(|value| value + offset).collect()).collect();
        let features = rows[0].len() - 1;
        let means: Vec<f64> = (0..features).map(|j| offset + j as f64).collect();
        let coefficients: Vec<f64> = (0..features).map(|j| 0.5 - j as f64).collect();
        let residual = |row: &Vec<f64>| {
            let parts = row.iter().zip(&means).zip(&coefficients).map(|((x, mean), w)| w * (x - mean));
            row[features] - (offset + 3.0) - parts.sum::<f64>()
        };
        let expected: f64 = rows.iter().map(|row| residual(row).powi(2)).sum();
        let got = moments(&rows).squared_error(&means, offset + 3.0, &coefficients);
        prop_assert!((got - expected).abs() <= 1e-8 * expected.max(1.0), "{got} is not {expected}");
    }

    #[test]
    fn a_large_offset_does_not_change_the_coefficients(rows in integer_rows()) {
        prop_assume!(exact(&rows).is_some());
        let near = doubles(&rows);
        let far: Vec<Vec<f64>> = near.iter().map(|row| row.iter().map(|value| value + 1e8).collect()).collect();
        let (near, far) = (refined(&near, false), refined(&far, false));
        prop_assert!(close(&far.coefficients, &near.coefficients, 1e-14), "{far:?} {near:?}");
        let mean = |fit: &LeastSquaresFit| predict(fit, &fit.means);
        prop_assert!((mean(&far) - 1e8 - mean(&near)).abs() <= 1e-6);
    }
}
