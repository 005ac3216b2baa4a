use super::super::groups::tests::{assert_equal, assert_equal_errors, moments_of, noise};
use super::super::{Accumulator, LevelColumns, Moments};

/// How rows have levels of two categories.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pattern {
    /// Nearly every two levels have rows.
    Connected,
    /// Each level has rows with the next levels of the other category only.
    Chain,
    /// The levels are in two parts without a common row.
    Apart,
    /// Every row has a level of both categories.
    WithoutReference,
}

impl Pattern {
    fn is_independent(self) -> bool {
        matches!(self, Self::Connected | Self::Chain)
    }
}

/// A number, six levels, a number, five levels, a number, and the target.
fn rows(count: u32, pattern: Pattern) -> Vec<Vec<f64>> {
    let row = |row: u32| {
        let mixed = row * row + row / 7;
        let (left, right) = match pattern {
            Pattern::Connected => (mixed % 7, (mixed / 3 + row) % 6),
            Pattern::Chain => (row % 7, (row % 7 + row / 7 % 2) % 6),
            Pattern::Apart if row.is_multiple_of(2) => {
                ([0, 2, 6][(mixed % 3) as usize], [1, 3, 5][(row / 2 % 3) as usize])
            }
            Pattern::Apart => ([1, 3, 4, 5][(mixed % 4) as usize], [0, 2, 4][(row / 2 % 3) as usize]),
            Pattern::WithoutReference => (mixed % 6, (mixed / 3 + row) % 5),
        };
        let mut values = vec![1e6 + noise(row, 0) + f64::from(right)];
        values.extend((0..6).map(|level| f64::from(u8::from(level == left))));
        values.push(noise(row, 1) * f64::from(left));
        values.extend((0..5).map(|level| f64::from(u8::from(level == right))));
        values.extend([1e-3 * noise(row, 2), f64::from(left) - 0.5 * f64::from(right) + noise(row, 3)]);
        values
    };
    (0..count).map(row).collect()
}

fn columns(is_first: bool) -> LevelColumns {
    let [groups, crossed] = [(1..7).collect(), (8..13).collect()];
    if is_first { LevelColumns { groups, crossed } } else { LevelColumns { groups: crossed, crossed: groups } }
}

fn dense(rows: &[Vec<f64>], weight: impl Fn(usize) -> f64) -> Moments {
    moments_of(rows, weight, LevelColumns::default())
}

#[test]
fn the_moments_of_two_categories_are_those_of_their_rows() {
    for pattern in [Pattern::Connected, Pattern::Chain, Pattern::Apart, Pattern::WithoutReference] {
        for (is_first, count) in [(true, 400), (false, 400), (true, 20), (false, 9)] {
            let rows = rows(count, pattern);
            let weight = |row: usize| (row % 4) as f64;
            let (found, expected) = (moments_of(&rows, weight, columns(is_first)), dense(&rows, weight));
            assert_equal(&found, &expected);
            let (found, expected) = (found.redundant_features(), expected.redundant_features());
            assert_eq!(found, expected, "{pattern:?} {is_first} {count}");
            assert_eq!(count == 400 && found.is_empty(), count == 400 && pattern.is_independent(), "{found:?}");
        }
    }
}

#[test]
fn standard_errors_of_two_categories_are_those_of_their_columns() {
    for (pattern, is_first) in [(Pattern::Connected, true), (Pattern::Connected, false), (Pattern::Chain, true)] {
        let rows = rows(400, pattern);
        assert_equal_errors(&moments_of(&rows, |row| 1.0 + (row % 3) as f64, columns(is_first)));
    }
}

#[test]
fn merged_moments_of_two_categories_are_those_of_all_rows() {
    let rows = rows(400, Pattern::Chain);
    let weight = |row: usize| 1.0 + (row % 3) as f64;
    let part = |is_first: bool| {
        moments_of(&rows, |row| if (row % 5 < 2) == is_first { weight(row) } else { 0.0 }, columns(true))
    };
    let merged = part(true).merge(&part(false));
    assert_equal(&merged, &dense(&rows, weight));
    assert_equal(
        &merged.merge(&part(true)),
        &merged.merge(&dense(&rows, |row| if row % 5 < 2 { weight(row) } else { 0.0 })),
    );
    assert_equal(&merged.about_zero(), &dense(&rows, weight).about_zero());
    // Of other levels, the factors R are merged.
    let other = moments_of(&rows, weight, columns(false));
    assert_equal(&part(true).merge(&other), &part(true).merge(&dense(&rows, weight)));
}

/// The moments with a limit of cells.
fn limited(rows: &[Vec<f64>], weight: impl Fn(usize) -> f64, columns: LevelColumns, most_cells: usize) -> Moments {
    let mut accumulator = Accumulator::with_levels(rows[0].clone(), columns).with_most_cells(most_cells);
    for (number, row) in rows.iter().enumerate() {
        let (target, features) = row.split_last().unwrap();
        accumulator.push_exact(features, *target, &[], weight(number));
    }
    accumulator.finish()
}

#[test]
fn rows_of_too_many_cells_are_in_groups_of_one_category() {
    for pattern in [Pattern::Connected, Pattern::Chain, Pattern::Apart, Pattern::WithoutReference] {
        for (is_first, most_cells) in [(true, 9), (false, 9), (true, 0)] {
            let rows = rows(400, pattern);
            let weight = |row: usize| (row % 4) as f64;
            let found = limited(&rows, weight, columns(is_first), most_cells);
            assert!(found.has_groups(false) && found.groups.as_ref().unwrap().levels.len() == 6);
            let expected = dense(&rows, weight);
            assert_equal(&found, &expected);
            assert_eq!(found.redundant_features(), expected.redundant_features());
        }
    }
}

#[test]
fn whether_rows_have_too_many_cells_depends_on_all_of_them_only() {
    let rows = rows(400, Pattern::Chain);
    let weight = |row: usize| 1.0 + (row % 3) as f64;
    let part = |most_cells: usize, part: std::ops::Range<usize>| {
        limited(&rows, |row| if part.contains(&row) { weight(row) } else { 0.0 }, columns(false), most_cells)
    };
    // The rows have 14 cells, the first 7 rows have 7 of them.
    for (most_cells, is_crossed) in [(14, true), (13, false), (7, false), (6, false)] {
        let [first, second] = [0..7, 7..400].map(|rows| part(most_cells, rows));
        let all = part(most_cells, 0..400);
        for moments in [&all, &first.merge(&second), &second.merge(&first)] {
            assert!(moments.has_groups(is_crossed), "{most_cells}");
            assert_equal(&Moments { first: all.first.clone(), ..moments.clone() }, &dense(&rows, weight));
        }
    }
}
