//! Ridge with a category of many levels is ridge with its columns.

use super::*;
use crate::solver::moments::{Accumulator, LevelColumns};

fn noise(row: u32, column: u32) -> f64 {
    (f64::from(row) * 12.9898 + f64::from(column) * 78.233).sin() * 43_758.545_3 % 1.0
}

/// A number, six levels (rows with a seventh have none of them), and more numbers.
fn moments(others: u32, has_reference: bool) -> (Moments, Vec<String>) {
    let row = |row: u32| {
        let level = (row * row + row / 5) % if has_reference { 7 } else { 6 };
        let mut values: Vec<f64> = (0..6).map(|of| f64::from(u8::from(of == level))).collect();
        values.insert(0, 1e6 + noise(row, 0));
        values.extend((0..others).map(|other| noise(row, other + 1) * 1e-3 + f64::from(u8::from(level == other))));
        values.push(f64::from(level * level) + noise(row, 9) + values[0]);
        values
    };
    let rows: Vec<Vec<f64>> = (0..120).map(row).collect();
    let mut accumulator =
        Accumulator::with_levels(rows[0].clone(), LevelColumns { groups: (1..7).collect(), crossed: Vec::new() });
    for (number, row) in rows.iter().enumerate() {
        let (target, features) = row.split_last().unwrap();
        accumulator.push_exact(features, *target, &[], 1.0 + (number % 3) as f64);
    }
    let moments = accumulator.finish();
    let names = (0..rows[0].len()).map(|column| format!("x{column}")).collect();
    (moments, names)
}

#[test]
fn ridge_of_levels_is_ridge_of_their_columns() {
    for (others, has_reference) in [(2, true), (0, true), (1, false)] {
        let (moments, names) = moments(others, has_reference);
        let problem = Problem::new(&moments, &names, moments.unchecked_lengths());
        for alpha in [1e-6, 0.5, 3.0, 1e4] {
            let (found, expected) = (problem.ridge_of_levels(alpha).unwrap(), problem.ridge(alpha));
            let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
            for (one, other) in found.iter().zip(&expected) {
                assert!((one - other).abs() < 1e-9 * largest, "{others} {alpha}: {found:?} {expected:?}");
            }
        }
        assert!(problem.ridge_of_levels(0.0).is_none());
    }
}
