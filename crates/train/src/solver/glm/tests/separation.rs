use super::*;

/// Counts of three groups, the last of which has none.
fn groups(reference: bool) -> Rows {
    let row = |i: u32| {
        let group = i % 3;
        let (one, two) = if reference { (group == 0, group == 1) } else { (group == 1, group == 2) };
        let target = if group == 2 { 0.0 } else { f64::from(i * 7 % 5) };
        let columns = [one, two].map(|is| f64::from(u8::from(is)));
        (vec![columns[0], columns[1], f64::from(i * 7919 % 100) / 100.0], target, 0.0, 1.0)
    };
    Rows((0..300).map(row).collect())
}

#[test]
fn a_group_of_zeros_ends_the_fit_and_names_its_column() {
    let fit = groups(false).fit(&GlmSettings::new(Family::Poisson));
    assert!(fit.converged && fit.iterations < 40, "{fit:?}");
    assert_eq!(fit.unbounded, [1]);
    let group = fit.coefficients[1] / fit.scales[1];
    assert!((-40.0..-15.0).contains(&group), "{group}");
    // The others are those of the fit without the group.
    let mut others = groups(false).0;
    others.retain(|(columns, ..)| columns[1] == 0.0);
    for (columns, ..) in &mut others {
        columns.remove(1);
    }
    let others = Rows(others).fit(&GlmSettings::new(Family::Poisson));
    for (one, other) in [(0, 0), (2, 1)] {
        let (one, other) = (fit.coefficients[one] / fit.scales[one], others.coefficients[other] / others.scales[other]);
        assert!((one - other).abs() < 1e-8, "{one} {other}");
    }
}

#[test]
fn a_reference_group_of_zeros_names_the_columns_of_the_others() {
    let fit = groups(true).fit(&GlmSettings::new(Family::Poisson));
    assert_eq!(fit.unbounded, [0, 1]);
}

#[test]
fn a_penalty_keeps_the_coefficient_of_a_group_of_zeros_finite() {
    let fit = groups(false).fit(&GlmSettings { alpha: 0.01, ..GlmSettings::new(Family::Poisson) });
    assert!(fit.converged && fit.unbounded.is_empty() && fit.coefficients[1] / fit.scales[1] > -10.0);
}

#[test]
fn rare_counts_are_not_separated() {
    let row = |i: u32| {
        let is_rare = i.is_multiple_of(2);
        let target = if is_rare { f64::from(u8::from(i == 500)) } else { f64::from(1000 + i % 7) };
        (vec![f64::from(u8::from(is_rare))], target, 0.0, 1.0)
    };
    let rows = Rows((0..1000).map(row).collect());
    let fit = rows.fit(&GlmSettings::new(Family::Poisson));
    assert!(fit.converged && fit.unbounded.is_empty());
    let mean: f64 = rows.0.iter().map(|(_, y, ..)| y).filter(|y| **y > 1.0).sum::<f64>() / 500.0;
    let slope = fit.coefficients[0] / fit.scales[0];
    assert!((slope - ((1.0 / 500.0_f64) / mean).ln()).abs() < 1e-9, "{slope}");
}
