use super::super::Accumulator;
use super::*;

pub(in super::super) fn noise(row: u32, column: u32) -> f64 {
    (f64::from(row) * 12.9898 + f64::from(column) * 78.233).sin() * 43_758.545_3 % 1.0
}

/// Two numbers, eight levels (or seven and rows without a level), two numbers, a constant, and the target.
fn rows(count: u32, has_reference: bool) -> Vec<Vec<f64>> {
    let row = |row: u32| {
        let level = if row < 300 { row * row % 8 } else { row % 8 };
        let mut values = vec![1e6 + noise(row, 0), noise(row, 1) * f64::from(level)];
        values.extend((u32::from(has_reference)..8).map(|of| f64::from(u8::from(of == level))));
        values.extend([noise(row, 2), 1e-3 * noise(row, 3), 7.5, f64::from(level) + noise(row, 4)]);
        values
    };
    (0..count).map(row).collect()
}

fn moments(rows: &[Vec<f64>], weight: impl Fn(usize) -> f64, levels: &[usize]) -> Moments {
    moments_of(rows, weight, LevelColumns { groups: levels.to_vec(), crossed: Vec::new() })
}

pub(in super::super) fn moments_of(rows: &[Vec<f64>], weight: impl Fn(usize) -> f64, levels: LevelColumns) -> Moments {
    let mut accumulator = Accumulator::with_levels(rows[0].clone(), levels);
    for (number, row) in rows.iter().enumerate() {
        let (target, features) = row.split_last().unwrap();
        accumulator.push_exact(features, *target, &[], weight(number));
    }
    accumulator.finish()
}

pub(in super::super) fn assert_equal(found: &Moments, expected: &Moments) {
    assert_eq!((found.rows, &found.varies), (expected.rows, &expected.varies));
    assert!((found.weight - expected.weight).abs() < 1e-12 * expected.weight);
    for (found, expected) in found.means().iter().zip(expected.means()) {
        assert!((found - expected).abs() <= 1e-14 * expected.abs().max(1.0), "{found} {expected}");
    }
    // R is not unique where columns are constant or dependent; RᵀR is.
    let lengths = expected.triangle.lengths();
    assert_eq!(found.triangle.columns(), lengths.len());
    for i in 0..lengths.len() {
        for j in i..lengths.len() {
            let product = |moments: &Moments| {
                let [left, right] = [i, j].map(|column| moments.triangle.column(column));
                left.iter().zip(&right).map(|(left, right)| left * right).sum::<f64>()
            };
            let difference = product(found) - product(expected);
            assert!(difference.abs() <= 1e-12 * lengths[i] * lengths[j], "{i} {j}: {difference}");
        }
    }
    let diagonals = found.triangle.rows().iter().filter_map(|row| row.first());
    assert!(diagonals.into_iter().all(|diagonal| *diagonal >= 0.0));
}

#[test]
fn the_moments_of_groups_are_those_of_their_rows() {
    for (count, has_reference) in [(700, true), (20, true), (700, false)] {
        let rows = rows(count, has_reference);
        let levels: Vec<usize> = (2..rows[0].len() - 4).collect();
        let weight = |row: usize| (row % 4) as f64;
        let (found, expected) = (moments(&rows, weight, &levels), moments(&rows, weight, &[]));
        assert_equal(&found, &expected);
        assert_eq!(found.redundant_features(), expected.redundant_features());
    }
}

#[test]
fn standard_errors_of_levels_are_those_of_their_columns() {
    let mut rows = rows(700, true);
    // Without the constant column, with which the columns have no single fit.
    for row in &mut rows {
        row.remove(row.len() - 2);
    }
    let levels: Vec<usize> = (2..9).collect();
    let moments = moments(&rows, |row| 1.0 + (row % 3) as f64, &levels);
    assert_equal_errors(&moments);
}

/// The standard errors of levels are those from the factor R.
pub(in super::super) fn assert_equal_errors(moments: &Moments) {
    let found = moments.level_errors().unwrap();
    let mut means = moments.means();
    means.pop();
    let expected = UnitErrors::from_triangle(&moments.triangle.leading(means.len()), &means, moments.weight);
    let near = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-8, "{found} {expected}");
    near(found.intercept, expected.intercept);
    assert_eq!(found.coefficients.len(), expected.coefficients.len());
    found.coefficients.iter().zip(&expected.coefficients).for_each(|(found, expected)| near(*found, *expected));
}

#[test]
fn merged_groups_are_those_of_all_rows() {
    let rows = rows(300, true);
    let levels: Vec<usize> = (2..rows[0].len() - 4).collect();
    let weight = |row: usize| 1.0 + (row % 3) as f64;
    let part =
        |is_first: bool| moments(&rows, |row| if (row % 5 < 2) == is_first { weight(row) } else { 0.0 }, &levels);
    let merged = part(true).merge(&part(false));
    assert!(merged.groups.is_some());
    assert_equal(&merged, &moments(&rows, weight, &[]));
    // Moments about zero, and moments of fewer columns, have no groups.
    let about_zero = moments(&rows, weight, &levels).about_zero();
    assert!(about_zero.groups.is_none() && about_zero.without(&[3]).groups.is_none());
    assert_equal(&about_zero, &moments(&rows, weight, &[]).about_zero());
}
