use super::*;
use crate::solver::moments::Accumulator;

mod crossed;
mod iterative;
mod levels;
mod other_libraries;
mod separation;

/// Rows in memory: columns, target, offset, weight.
struct Rows(Vec<(Vec<f64>, f64, f64, f64)>);

impl GlmRows for Rows {
    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(GlmRow<'_>) -> Result<(), E>) -> Result<(), E> {
        self.0.iter().try_for_each(|(design, target, offset, weight)| {
            each(GlmRow { design, target: *target, offset: *offset, weight: *weight })
        })
    }
}

impl Rows {
    fn moments(&self) -> Moments {
        let (design, target, ..) = &self.0[0];
        let mut accumulator = Accumulator::new(design.iter().copied().chain([*target]).collect());
        for (design, target, _, weight) in &self.0 {
            accumulator.push_exact(design, *target, &[], *weight);
        }
        accumulator.finish()
    }

    fn names(&self) -> Vec<String> {
        (0..=self.0[0].0.len()).map(|column| format!("x{column}")).collect()
    }

    fn fit(&self, settings: &GlmSettings) -> GlmFit {
        fit(self, &self.moments(), &self.names(), settings).unwrap()
    }
}

/// Two columns; the second is far from zero and on another scale; offset and weight.
fn row(i: u32) -> (Vec<f64>, f64, f64) {
    let (u, v) = (f64::from(i * 7919 % 1000) / 1000.0, f64::from(i * 104_729 % 997) / 997.0);
    let offset = 0.3 * u - 0.2 + 0.1 * f64::from(i * 17 % 5);
    (vec![u, 1e4 + 300.0 * v], offset, f64::from(1 + i * 31 % 7))
}

/// Positive targets with a mean of e to the power of a linear predictor; counts are rounded down.
fn rows(family: Family, with_offset: bool, weighted: bool) -> Rows {
    let row = |i: u32| {
        let (design, offset, weight) = row(i);
        let predictor = 0.5 + 1.2 * design[0] - 0.002 * (design[1] - 1e4) + offset;
        let spread = f64::from(i * 53 % 101) / 101.0;
        let target = match family {
            Family::Poisson => (libm::exp(predictor) * (0.5 + spread)).floor(),
            Family::Gamma => libm::exp(predictor) * (0.2 + spread),
        };
        (design, target, if with_offset { offset } else { 0.0 }, if weighted { weight } else { 1.0 })
    };
    Rows((0..200).map(row).collect())
}

#[test]
fn rows_that_are_read_again_for_each_pass_give_the_same_bits_as_rows_in_memory() {
    let rows = rows(Family::Poisson, true, true);
    let settings = GlmSettings::new(Family::Poisson);
    let of = |in_memory: bool| {
        let mut problem = Problem::new(&rows, &rows.moments(), &[], &settings).unwrap();
        if !in_memory {
            problem.rows.forget();
        }
        let solution = problem.minimise(None, &rows.names()).unwrap();
        problem.finish(&solution, true).unwrap()
    };
    assert_eq!(of(true), of(false));
}

#[test]
fn a_fit_of_a_part_that_does_not_determine_a_column_has_no_coefficient_for_it() {
    let mut rows = rows(Family::Gamma, false, false);
    for (number, (design, ..)) in rows.0.iter_mut().enumerate() {
        design.push(f64::from(u8::from(number >= 150)));
    }
    let settings = GlmSettings::new(Family::Gamma);
    let whole = rows.fit(&settings);
    let part = Rows(rows.0[..150].to_vec());
    let fitted = fit_of_part(&part, &part.moments(), &part.names(), &settings, &whole).unwrap();
    let without =
        Rows(part.0.iter().map(|(design, y, o, w)| (design[..2].to_vec(), *y, *o, *w)).collect()).fit(&settings);
    assert!(fitted.converged && fitted.coefficients[2].abs() < f64::MIN_POSITIVE);
    for (one, other) in fitted.coefficients.iter().zip(&without.coefficients) {
        assert!((one - other).abs() < 1e-12 * other.abs(), "{one} {other}");
    }
}

#[test]
fn columns_that_are_nearly_dependent_do_not_lose_the_digits_of_predictions() {
    let mut rows = rows(Family::Poisson, false, false);
    for (number, (design, ..)) in rows.0.iter_mut().enumerate() {
        let nearly = design[0] + 1e-9 * f64::from(u32::try_from(number).unwrap() * 29 % 31);
        design.push(nearly);
    }
    let fit = rows.fit(&GlmSettings::new(Family::Poisson));
    assert!(fit.converged && fit.gradient < 1e-6, "{fit:?}");
    // The score equations: the fitted total is the observed one.
    let fitted = |design: &[f64]| {
        let columns = fit.coefficients.iter().zip(design.iter().zip(fit.means.iter().zip(&fit.scales)));
        libm::exp(fit.intercept + columns.map(|(b, (x, (mean, scale)))| b * (x - mean) / scale).sum::<f64>())
    };
    let [fitted, observed] = rows.0.iter().fold([0.0; 2], |[f, o], (design, y, ..)| [f + fitted(design), o + y]);
    assert!((fitted / observed - 1.0).abs() < 1e-7, "{fitted} {observed}");
}
