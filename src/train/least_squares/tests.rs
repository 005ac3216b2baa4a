// Results are compared to the last bit where that is the claim; data stand as NIST prints them.
#![allow(clippy::float_cmp, clippy::unreadable_literal)]
// Small integers, exact in every type they pass through.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::super::refinement::Refinement;
use super::*;
use proptest::prelude::*;

fn names(columns: usize) -> Vec<String> {
    (1..columns).map(|feature| format!("x{feature}")).chain(["y".to_owned()]).collect()
}

fn moments(rows: &[Vec<f64>]) -> Moments {
    let mut accumulator = Accumulator::new(rows[0].clone());
    for row in rows {
        accumulator.push(row);
    }
    accumulator.finish()
}

fn refined(rows: &[Vec<f64>]) -> LeastSquares {
    let mut fit = moments(rows).solve(&names(rows[0].len())).unwrap();
    for _ in 0..2 {
        let mut refinement = Refinement::new(fit);
        for row in rows {
            refinement.push(row);
        }
        fit = refinement.finish().0;
    }
    fit
}

fn predict(fit: &LeastSquares, features: &[f64]) -> f64 {
    features.iter().zip(&fit.means).zip(&fit.coefficients).map(|((x, mean), w)| w * (x - mean)).sum::<f64>()
        + fit.intercept
}

/// Decimal digits that agree with the certified value, as NIST counts them.
fn digits(got: f64, certified: f64) -> f64 {
    if got == certified { 16.0 } else { -((got - certified).abs() / certified.abs()).log10() }
}

#[test]
fn the_tutorials_line_is_two_x_plus_one_to_the_last_bit() {
    let fit = refined(&[vec![1.0, 3.0], vec![2.0, 5.0], vec![3.0, 7.0], vec![4.0, 9.0]]);
    assert_eq!(fit.coefficients, [2.0]);
    assert_eq!((fit.intercept, fit.means.as_slice()), (6.0, &[2.5][..]));
    assert_eq!([1.0, 2.0, 3.0, 4.0].map(|x| predict(&fit, &[x])), [3.0, 5.0, 7.0, 9.0]);
    assert_eq!(fit.residual_sum_of_squares, 0.0);
    assert_eq!(fit.degrees_of_freedom(), 2);
}

#[test]
fn a_combination_of_columns_is_an_error_that_names_them_and_no_others() {
    let row = |i: f64| vec![i.sin(), i.cos() * 1e9, (3.0 * i).sin(), i.sin() - 2e-9 * (i.cos() * 1e9), i];
    let rows: Vec<_> = (0..2000).map(|i| row(f64::from(i))).collect();
    let error = moments(&rows).solve(&names(5)).unwrap_err();
    assert_eq!(error, LeastSquaresError::Dependent { names: ["x1", "x2", "x4"].map(str::to_owned).to_vec() });
}

#[test]
fn units_of_measurement_do_not_make_columns_dependent() {
    let rows: Vec<_> =
        (0..100).map(f64::from).map(|i| vec![i.sin() * 1e-12, i.cos() * 1e12, i.sin() + 3.0 * i.cos()]).collect();
    let fit = refined(&rows);
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
        LeastSquaresError::ConstantFeature { name: "x1".into() }
    );
    assert_eq!(
        solve(&[[3.0, 1.0, 0.3], [1.0, 2.0, 0.3], [0.1, 5.0, 0.3]]),
        LeastSquaresError::ConstantTarget { name: "y".into() }
    );
    assert_eq!(solve(&[[3.0, 1.0, 1.0], [1.0, 2.0, 2.0]]), LeastSquaresError::TooFewRows { rows: 2, features: 2 });
    for bad in [f64::NAN, f64::INFINITY, f64::MAX] {
        assert_eq!(
            solve(&[[3.0, 1.0, 1.0], [1.0, bad, 2.0], [2.0, -bad, 4.0]]),
            LeastSquaresError::NotFinite { name: "x2".into() }
        );
    }
}

/// Sorted data: whole blocks in which a column is constant, or a combination of others, until later rows tell them apart.
#[test]
fn columns_that_only_later_rows_tell_apart_are_told_apart() {
    let rows: Vec<Vec<f64>> = (0..1500)
        .map(|i: u32| {
            let features: Vec<f64> =
                (0..12).map(|j| if i < 100 * j { 0.0 } else { f64::from((i * (j + 7)) % 101) }).collect();
            let twin = features[0] + features[1] + if i < 1400 { 0.0 } else { f64::from(i % 3) };
            let y = features.iter().zip(1..).map(|(x, j)| x * f64::from(j)).sum::<f64>() - twin;
            features.into_iter().chain([twin, y]).collect()
        })
        .collect();
    let fit = refined(&rows);
    assert_eq!(fit.coefficients, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, -1.0]);
}

/// NIST `StRD`, linear regression: polynomials of degree five whose certified coefficients are all one (Wampler1, 3–5)
/// or falling powers of ten (Wampler2), the later ones under noise of up to 2523·10⁴. QR alone leaves Wampler5 with 5.8.
#[test]
fn wamplers_polynomials_keep_thirteen_digits() {
    let noise = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048];
    for (name, base, scale) in [
        ("Wampler1", 1.0, 0.0),
        ("Wampler2", 0.1, 0.0),
        ("Wampler3", 1.0, 1.0),
        ("Wampler4", 1.0, 100.0),
        ("Wampler5", 1.0, 10_000.0),
    ] {
        let rows: Vec<Vec<f64>> = (0..21_usize)
            .map(|i| {
                let x = f64::from(u32::try_from(i).unwrap());
                let powers: Vec<f64> = (1..=5).map(|power| x.powi(power)).collect();
                let y: f64 = if base == 1.0 {
                    1.0 + powers.iter().sum::<f64>() + scale * f64::from(noise[i.min(20 - i)])
                } else {
                    // Exact in integers first, so that the data are NIST's decimals.
                    powers
                        .iter()
                        .zip([10_000.0, 1_000.0, 100.0, 10.0, 1.0])
                        .fold(1e5, |sum, (power, factor)| sum + power * factor)
                        / 1e5
                };
                powers.into_iter().chain([y]).collect()
            })
            .collect();
        let fit = refined(&rows);
        let worst = fit
            .coefficients
            .iter()
            .enumerate()
            .map(|(j, got)| digits(*got, f64::powi(base, i32::try_from(j).unwrap() + 1)))
            .fold(16.0, f64::min);
        assert!(worst > 13.0, "{name}: {worst} digits");
    }
}

#[test]
fn longley_agrees_with_nists_certified_values() {
    let data = [
        [83.0, 234289.0, 2356.0, 1590.0, 107608.0, 1947.0, 60323.0],
        [88.5, 259426.0, 2325.0, 1456.0, 108632.0, 1948.0, 61122.0],
        [88.2, 258054.0, 3682.0, 1616.0, 109773.0, 1949.0, 60171.0],
        [89.5, 284599.0, 3351.0, 1650.0, 110929.0, 1950.0, 61187.0],
        [96.2, 328975.0, 2099.0, 3099.0, 112075.0, 1951.0, 63221.0],
        [98.1, 346999.0, 1932.0, 3594.0, 113270.0, 1952.0, 63639.0],
        [99.0, 365385.0, 1870.0, 3547.0, 115094.0, 1953.0, 64989.0],
        [100.0, 363112.0, 3578.0, 3350.0, 116219.0, 1954.0, 63761.0],
        [101.2, 397469.0, 2904.0, 3048.0, 117388.0, 1955.0, 66019.0],
        [104.6, 419180.0, 2822.0, 2857.0, 118734.0, 1956.0, 67857.0],
        [108.4, 442769.0, 2936.0, 2798.0, 120445.0, 1957.0, 68169.0],
        [110.8, 444546.0, 4681.0, 2637.0, 121950.0, 1958.0, 66513.0],
        [112.6, 482704.0, 3813.0, 2552.0, 123366.0, 1959.0, 68655.0],
        [114.2, 502601.0, 3931.0, 2514.0, 125368.0, 1960.0, 69564.0],
        [115.7, 518173.0, 4806.0, 2572.0, 127852.0, 1961.0, 69331.0],
        [116.9, 554894.0, 4007.0, 2827.0, 130081.0, 1962.0, 70551.0],
    ];
    let certified = [
        15.061_872_271_373_3,
        -0.358_191_792_925_910e-1,
        -2.020_229_803_816_83,
        -1.033_226_867_173_59,
        -0.511_041_056_535_807e-1,
        1_829.151_464_613_55,
    ];
    let fit = refined(&data.map(Vec::from));
    for (got, certified) in fit.coefficients.iter().zip(certified) {
        assert!(digits(*got, certified) > 13.0, "{got} is not {certified}");
    }
    assert!(digits(fit.residual_sum_of_squares, 836_424.055_505_915) > 13.0);
    assert_eq!(fit.degrees_of_freedom(), 9);
}

/// Determinant in integers, by expansion: exact.
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

/// Coefficients by Cramer's rule on the centred normal equations in integers; nothing is rounded before the division.
fn exact(rows: &[Vec<i64>]) -> Option<Vec<f64>> {
    let columns = rows[0].len();
    let n = rows.len() as i128;
    let sum = |j: usize| rows.iter().map(|row| i128::from(row[j])).sum::<i128>();
    let scatter = |i: usize, j: usize| {
        n * rows.iter().map(|row| i128::from(row[i]) * i128::from(row[j])).sum::<i128>() - sum(i) * sum(j)
    };
    let normal: Vec<Vec<i128>> = (0..columns - 1).map(|i| (0..columns - 1).map(|j| scatter(i, j)).collect()).collect();
    let whole = determinant(&normal);
    // Well conditioned: Hadamard's bound is not missed by more than a thousand.
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
        let fit = refined(&doubles(&rows));
        for (got, exact) in fit.coefficients.iter().zip(&exact) {
            prop_assert!((got - exact).abs() <= 2.0 * f64::EPSILON * exact.abs(), "{got} is not {exact}");
        }
    }

    #[test]
    fn two_parts_merged_are_the_whole(rows in integer_rows(), cut in 0.0..1.0_f64) {
        prop_assume!(exact(&rows).is_some());
        let rows = doubles(&rows);
        let (left, right) = rows.split_at((rows.len() as f64 * cut) as usize);
        prop_assume!(!left.is_empty() && !right.is_empty());
        let names = names(rows[0].len());
        // Each part has its own shift: the merge has to see through that.
        let merged = moments(left).merge(&moments(right)).solve(&names).unwrap();
        let whole = moments(&rows).solve(&names).unwrap();
        prop_assert!(close(&merged.coefficients, &whole.coefficients, 1e-12));
        prop_assert!((merged.intercept - whole.intercept).abs() <= 1e-12 * 100.0);
        prop_assert!(close(&merged.triangle.rows().concat(), &whole.triangle.rows().concat(), 1e-12));
        prop_assert_eq!(merged.rows, whole.rows);
    }

    #[test]
    fn a_row_that_counts_thrice_is_that_row_three_times(
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
        let weighted = || rows.iter().zip(&weights).map(|(row, weight)| (row, f64::from(*weight)));

        let mut accumulator = Accumulator::new(rows[0].clone());
        weighted().for_each(|(row, weight)| accumulator.push_weighted(row, weight));
        let sums = accumulator.finish();
        prop_assert_eq!(sums.weight(), repeated.len() as f64);
        let mut refinement = Refinement::new(sums.solve(&names(rows[0].len())).unwrap());
        weighted().for_each(|(row, weight)| refinement.push_weighted(row, weight));
        let (fit, expected) = (refinement.finish().0, refined(&repeated));
        prop_assert!(close(&fit.coefficients, &expected.coefficients, 1e-14), "{fit:?} {expected:?}");
        // Both are values at the means, which are rounded where the data are, not where they cancel.
        prop_assert!((fit.intercept - expected.intercept).abs() <= 1e-13 * 100.0);
        prop_assert!(close(&fit.triangle.rows().concat(), &expected.triangle.rows().concat(), 1e-12));
        prop_assert!(
            close(&[fit.residual_sum_of_squares], &[expected.residual_sum_of_squares], 1e-12)
                || expected.residual_sum_of_squares <= 1e-20 * expected.total_sum_of_squares
        );
        prop_assert!(close(&[fit.total_sum_of_squares], &[expected.total_sum_of_squares], 1e-12));
    }

    #[test]
    fn the_error_of_a_plane_needs_no_second_look_at_the_rows(rows in integer_rows(), offset in -1e6..1e6_f64) {
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
    fn a_large_offset_changes_nothing(rows in integer_rows()) {
        prop_assume!(exact(&rows).is_some());
        let near = doubles(&rows);
        let far: Vec<Vec<f64>> = near.iter().map(|row| row.iter().map(|value| value + 1e8).collect()).collect();
        let (near, far) = (refined(&near), refined(&far));
        prop_assert!(close(&far.coefficients, &near.coefficients, 1e-14), "{far:?} {near:?}");
        let mean = |fit: &LeastSquares| predict(fit, &fit.means);
        prop_assert!((mean(&far) - 1e8 - mean(&near)).abs() <= 1e-6);
    }
}
