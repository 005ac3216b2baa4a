use proptest::prelude::*;

use super::super::simd;
use super::*;

/// Numbers from −½ to ½, the same in every run.
fn noise(rows: usize, columns: usize) -> Vec<Vec<f64>> {
    let entry = |i: usize| libm::sin((i * i) as f64) / 2.0;
    (0..columns).map(|column| (0..rows).map(|row| entry(1 + row + 7 * rows * column)).collect()).collect()
}

fn bits(triangle: &UpperTriangle) -> Vec<u64> {
    triangle.rows().iter().flatten().map(|entry| entry.to_bits()).collect()
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for (rows, columns) in [(1, 3), (8, 4), (100, 7), (256, 21), (300, 46)] {
        let results: Vec<Vec<u64>> = simd::instructions()
            .into_iter()
            .map(|instructions| {
                let mut triangle = UpperTriangle::zeros(columns);
                triangle.absorb_with(instructions, &mut noise(rows, columns), usize::MAX);
                triangle.absorb_with(instructions, &mut noise(rows + 3, columns), usize::MAX);
                bits(&triangle)
            })
            .collect();
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{rows} rows of {columns} columns");
    }
}

#[test]
fn rows_of_zeros_do_not_change_r() {
    let mut triangle = UpperTriangle::zeros(6);
    triangle.absorb(&mut noise(20, 6));
    let before = triangle.clone();
    triangle.absorb(&mut vec![vec![0.0; 5]; 6]);
    assert_eq!(triangle, before);
}

#[test]
fn of_fewer_rows_than_columns_as_many_rows_are_stored() {
    for has_zeros in [false, true] {
        let (rows, columns) = (20, 300);
        let mut data = noise(2 * rows, columns);
        if has_zeros {
            data.iter_mut().take(100).for_each(|column| column.fill(0.0));
        }
        let parts = |from: usize| data.iter().map(|column| column[from..from + rows].to_vec()).collect::<Vec<_>>();
        let (mut all, mut short) = (UpperTriangle::zeros(columns), UpperTriangle::zeros(columns));
        for part in [0, rows] {
            all.absorb(&mut parts(part));
            short.absorb_of_rank(&mut parts(part), part + rows);
        }
        assert_eq!((all.rows().len(), all.columns(), short.columns()), (columns, columns, columns));
        assert_eq!(short.rows().len(), if has_zeros { 160 } else { 64 });
        for (i, (length, expected)) in short.lengths().iter().zip(all.lengths()).enumerate() {
            assert!((length - expected).abs() <= 1e-14 * expected);
            let (short, all) = (short.column(i), all.column(i));
            for (j, entry) in all.iter().enumerate() {
                assert!((short.get(j).unwrap_or(&0.0) - entry).abs() <= 1e-13 * expected, "{i} {j}");
            }
        }
    }
}

proptest! {
    /// RᵀR = XᵀX, also for numbers of columns that are not multiples of four or two.
    #[test]
    fn the_cross_products_of_r_are_those_of_the_rows(rows in 1..70_usize, columns in 1..15_usize) {
        let data = noise(rows, columns);
        let mut triangle = UpperTriangle::zeros(columns);
        let (first, second): (Vec<_>, Vec<_>) = data
            .iter()
            .map(|column| column.split_at(rows / 2))
            .map(|(first, second)| (first.to_vec(), second.to_vec()))
            .unzip();
        for mut part in [first, second] {
            triangle.absorb(&mut part);
        }
        for (i, left) in data.iter().enumerate() {
            for (j, right) in data.iter().enumerate().skip(i) {
                let product: f64 = left.iter().zip(right).map(|(a, b)| a * b).sum();
                let (left, right) = (triangle.column(i), triangle.column(j));
                let of_triangle: f64 = left.iter().zip(&right).map(|(a, b)| a * b).sum();
                prop_assert!((of_triangle - product).abs() <= 1e-14 * rows as f64, "{of_triangle} is not {product}");
            }
        }
        prop_assert!(triangle.rows().iter().all(|row| row[0] >= 0.0));
    }
}

#[test]
fn a_triangle_is_absorbed_like_its_rows_padded_with_zeros() {
    let columns = 45;
    let mut triangle = UpperTriangle::zeros(columns);
    triangle.absorb(&mut noise(60, columns));
    let other = {
        let mut other = UpperTriangle::zeros(columns);
        other.absorb(&mut noise(80, columns));
        other
    };
    let of = |below: f64| {
        let mut both = triangle.clone();
        let column = |column| {
            let mut entries = other.column(column);
            // A number that changes nothing keeps all rows.
            entries.resize(columns, below);
            entries
        };
        both.absorb(&mut (0..columns).map(column).collect::<Vec<_>>());
        both
    };
    assert_eq!(bits(&of(0.0)), bits(&of(f64::MIN_POSITIVE)));
    // RᵀR is the sum of both.
    for i in 0..columns {
        for j in i..columns {
            let product = |triangle: &UpperTriangle| dot(&triangle.column(i), &triangle.column(j)[..=i]);
            let (found, expected) = (product(&of(0.0)), product(&triangle) + product(&other));
            assert!((found - expected).abs() < 1e-12, "{i} {j}");
        }
    }
}
