use super::super::iterate::Iterate;
use super::super::standardised_rows::StandardisedRows;
use super::*;

/// Two columns of numbers around the levels of a category.
fn levels(rows: u32, levels: u32, classes: u32) -> CountedRows {
    let noise = |row: u32, column: u32| (f64::from(row * 31 + column * 7919) * 12.9898).sin() * 43_758.545_3 % 1.0;
    let row = |row: u32| {
        let level = if row < levels { row } else { row * row % levels };
        let mut design = vec![10.0 + noise(row, 1)];
        design.extend((0..levels).map(|of| f64::from(u8::from(of == level))));
        design.push(noise(row, 2));
        let class = if noise(row, 3) < 0.3 { row % classes } else { level % classes };
        (design, f64::from(class), f64::from(1 + row % 3))
    };
    CountedRows::new((0..rows).map(row).collect())
}

#[test]
fn a_fit_of_levels_that_are_stored_by_their_ones_has_converged_for_the_dense_design_too() {
    for (classes, intercept) in [(2, true), (2, false), (3, true)] {
        let table = levels(1500, 520, classes);
        let settings = LogisticSettings { intercept, ..LogisticSettings::default() };
        let classes = classes as usize;
        let standardisation =
            || StandardisationPass::over(&table, classes).unwrap().with_settings(&settings).finish_part();
        assert_eq!(standardisation().indicators.len(), 520);
        assert!(standardisation().numbers_per_row() < 5.0);
        let weight = standardisation().weight;
        let penalty = iterate::penalty(&settings, &standardisation());
        let mut problem = Problem::new(&table, standardisation(), &settings, Purpose::Model).unwrap();
        assert!(matches!(problem.design, Design::Tiles(..)));
        let fit = problem.fit(1.0).unwrap();
        let without = Standardisation { indicators: Vec::new(), ones: 0, ..standardisation() };
        let dense = StandardisedRows::new(&table, &without, intercept, 1).unwrap();
        let pass = Pass { rows: &dense, scores: problem.parameters.len(), parameters: 523 };
        let (sums, _) = pass.losses(&problem.parameters, false).unwrap();
        let (point, _) = Iterate::new(problem.parameters.clone(), &sums, penalty, weight);
        assert!(fit.converged && point.gradient <= 1.000_001e-4, "{classes} {intercept}: {:e}", point.gradient);
        assert!((point.log_loss - fit.log_loss).abs() < 1e-12, "{} {}", point.log_loss, fit.log_loss);
    }
}

#[test]
fn products_with_indicators_are_those_with_their_standardised_columns() {
    let table = levels(1100, 520, 3);
    let standardisation = StandardisationPass::over(&table, 3).unwrap().finish_part();
    let without = Standardisation { indicators: Vec::new(), ones: 0, ..standardisation.clone() };
    let split = StandardisedRows::new(&table, &standardisation, true, 2).unwrap();
    let dense = StandardisedRows::new(&table, &without, true, 2).unwrap();
    let parameters: Vec<Vec<f64>> =
        (0..3).map(|of| (0..523).map(|at| f64::from((at * 37 + of * 11) % 17) / 17.0 - 0.5).collect()).collect();
    let of = |rows: &StandardisedRows<'_, CountedRows, TileBlock>| {
        let pass = Pass { rows, scores: 3, parameters: 523 };
        let (sums, curvatures) = pass.losses(&parameters, true).unwrap();
        let vector: Vec<f64> = parameters.iter().rev().flatten().copied().collect();
        let times = pass.curvature_times(&parameters, curvatures.as_deref(), &vector).unwrap();
        (sums.loss, [sums.slopes, times].concat().concat())
    };
    let ((loss, found), (dense_loss, expected)) = (of(&split), of(&dense));
    assert!((loss - dense_loss).abs() < 1e-12 * dense_loss);
    // Sums of 1,100 numbers, of which those of rare levels are at most 30.
    for (at, (one, other)) in found.iter().zip(&expected).enumerate() {
        assert!((one - other).abs() < 1e-10, "{at}: {one} {other}");
    }
}

#[test]
fn means_and_scales_of_sparse_columns_follow_from_their_ones() {
    for (classes, intercept) in [(2, true), (2, false), (3, true)] {
        let mut table = levels(1100, 520, classes);
        // Columns of zeros, of ones but for a row, and of ones in all rows of one class.
        for (number, (design, class, _)) in table.rows.iter_mut().enumerate() {
            design[1] = 0.0;
            design[2] = f64::from(u8::from(number != 700));
            design[3] = f64::from(u8::from(*class == 1.0));
        }
        table.rows[17].2 = 0.0;
        let settings = LogisticSettings { intercept, ..LogisticSettings::default() };
        let of = |table: &CountedRows| {
            let pass = StandardisationPass::over(table, classes as usize).unwrap().with_settings(&settings);
            (pass.constant_columns(&table.columns).unwrap(), pass.finish_part())
        };
        let (constant, dense) = of(&table);
        table.sparse = (1..521).collect();
        let (constant_sparse, sparse) = of(&table);
        assert_eq!(constant, constant_sparse);
        assert_eq!(sparse.indicators, table.sparse);
        assert_eq!((sparse.rows, &sparse.varies, &sparse.present), (dense.rows, &dense.varies, &dense.present));
        let near = |one: &[f64], other: &[f64]| one.iter().zip(other).all(|(one, other)| (one - other).abs() < 1e-13);
        assert!(near(&sparse.means, &dense.means) && near(&sparse.scales, &dense.scales), "{classes} {intercept}");
    }
}

#[test]
fn a_fit_of_sparse_columns_is_that_of_their_dense_design() {
    let mut table = levels(1500, 520, 3);
    let dense = fit(&table, 3, &LogisticSettings::default()).unwrap();
    table.sparse = (1..521).collect();
    let sparse = fit(&table, 3, &LogisticSettings::default()).unwrap();
    let values =
        |fit: &LogisticFit| fit.coefficients.iter().chain([&fit.intercepts]).flatten().copied().collect::<Vec<_>>();
    for (one, other) in values(&sparse).iter().zip(values(&dense)) {
        assert!((one - other).abs() < 1e-9, "{one} {other}");
    }
}

#[test]
fn a_sparse_column_that_is_constant_in_the_rows_has_no_coefficient() {
    let mut table = levels(1100, 520, 2);
    for (design, _, _) in &mut table.rows {
        (design[1], design[2]) = (0.0, 1.0);
    }
    table.sparse = (1..521).collect();
    let fit = fit_of_part(&table, 2, &LogisticSettings::default(), None).unwrap();
    assert_eq!([&fit.coefficients[1], &fit.coefficients[2]], [&[0.0]; 2]);
    assert!(fit.coefficients[3][0] != 0.0);
}
