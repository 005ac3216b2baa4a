//! Steps by conjugate gradients find the optimum of those with the Hessian.

use super::crossed::CrossedRows;
use super::levels::assert_equal;
use super::*;

/// Correlated columns, and targets around a mean that depends on three of them.
fn wide(family: Family, count: u32, columns: u32) -> Rows {
    let noise = |i: u32, j: u32| f64::from((i * 7919 + j * 104_729 + i * j * 31) % 1013) / 506.5 - 1.0;
    let row = |i: u32| {
        let common = noise(i, 997);
        let design: Vec<f64> = (0..columns).map(|j| 5.0 + noise(i, j) + common * f64::from(j % 3)).collect();
        let mean = libm::exp(0.5 + 0.4 * (design[0] - 5.0) - 0.3 * (design[1] - 5.0) + 0.2 * (design[2] - 5.0));
        let spread = 1.0 + 0.9 * noise(i, 555);
        let target = match family {
            Family::Poisson => (mean * spread).round(),
            Family::Gamma => mean * spread,
        };
        (design, target, 0.1 * noise(i, 313), f64::from(1 + i % 3))
    };
    Rows((0..count).map(row).collect())
}

/// The fits with the Hessian, and without.
fn both(rows: &impl GlmRows, moments: &Moments, settings: &GlmSettings) -> [GlmFit; 2] {
    [false, true].map(|is_iterative| {
        let mut problem = Problem::new(rows, moments, &[], settings).unwrap();
        let curvature = problem.rows.null_curvature;
        let steps = || IterativeSteps::new(&problem.rows.basis, moments, &[], curvature, settings.alpha);
        problem.iterative = is_iterative.then(steps);
        let solution = problem.minimise(None, &[]).unwrap();
        problem.finish(&solution, true).unwrap()
    })
}

#[test]
fn steps_without_the_hessian_lead_to_the_same_optimum() {
    for family in [Family::Poisson, Family::Gamma] {
        for (alpha, rows, columns) in [(0.0, 300, 40), (0.3, 300, 40), (1e-6, 300, 40), (1.0, 40, 90)] {
            let rows = wide(family, rows, columns);
            let [exact, found] = both(&rows, &rows.moments(), &GlmSettings { alpha, ..GlmSettings::new(family) });
            assert!(exact.converged && found.converged, "{family:?} {alpha}: {} {}", exact.gradient, found.gradient);
            let size = largest(&exact.coefficients);
            for (one, other) in exact.coefficients.iter().zip(&found.coefficients) {
                assert!((one - other).abs() < 1e-11 * size, "{family:?} {alpha}: {one} {other}");
            }
            assert!((exact.intercept - found.intercept).abs() < 1e-11, "{family:?} {alpha}");
        }
    }
}

#[test]
fn weights_and_means_over_many_decades_have_the_same_optimum_without_the_hessian() {
    for family in [Family::Poisson, Family::Gamma] {
        for alpha in [0.0, 1e-9] {
            // The columns of 40 groups, each with means and weights of its own size.
            let row = |i: u32| {
                let group = i % 41;
                let design: Vec<f64> = (0..40).map(|j| f64::from(u8::from(j == group))).collect();
                let size = libm::exp(f64::from(group * 17 % 13));
                let target = (size * f64::from(5 + i * 53 % 7)).round();
                (design, target, 0.0, libm::exp(f64::from(group * 29 % 25) - 12.0))
            };
            let rows = Rows((0..410).map(row).collect());
            let [exact, found] = both(&rows, &rows.moments(), &GlmSettings { alpha, ..GlmSettings::new(family) });
            assert!(exact.converged && found.converged, "{family:?} {alpha}: {} {}", exact.gradient, found.gradient);
            let largest = largest(&exact.slopes());
            for (one, other) in exact.slopes().iter().zip(&found.slopes()) {
                assert!((one - other).abs() < 1e-9 * largest, "{family:?} {alpha}: {one} {other}");
            }
            // Without a penalty, the means of the groups.
            let mean = |group: usize| rows.0.iter().skip(group).step_by(41).map(|(_, target, ..)| target / 10.0).sum();
            let reference: f64 = mean(40);
            for (group, slope) in found.slopes().iter().enumerate().filter(|_| alpha == 0.0) {
                let truth = libm::log(mean(group) / reference);
                assert!((slope - truth).abs() < 1e-11, "{family:?} {group}: {slope} {truth}");
            }
        }
    }
}

#[test]
fn steps_without_the_hessian_fit_levels_of_two_categories() {
    for family in [Family::Poisson, Family::Gamma] {
        for (alpha, is_chain) in [(0.0, false), (0.0, true), (0.3, false), (1e-4, true)] {
            let rows = CrossedRows::new(family, is_chain, true);
            let [exact, found] = both(&rows, &rows.moments(), &GlmSettings { alpha, ..GlmSettings::new(family) });
            assert_equal(&found, &exact);
        }
    }
}

#[test]
fn separation_is_found_without_the_hessian() {
    let mut rows = wide(Family::Poisson, 300, 40);
    for (number, (design, target, ..)) in rows.0.iter_mut().enumerate() {
        design[7] = f64::from(u8::from(number % 10 == 0));
        if number % 10 == 0 {
            *target = 0.0;
        }
    }
    let [exact, found] = both(&rows, &rows.moments(), &GlmSettings::new(Family::Poisson));
    assert_eq!(exact.unbounded, [7]);
    assert_eq!((found.unbounded, found.has_unbounded_intercept), (exact.unbounded, exact.has_unbounded_intercept));
}
