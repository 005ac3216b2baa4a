use super::*;
use crate::solver::moments::Accumulator;

mod other_libraries;

/// Rows in memory: columns, target, offset, weight.
pub(super) struct Rows(pub(super) Vec<(Vec<f64>, f64, f64, f64)>);

impl GlmRows for Rows {
    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(GlmRow<'_>) -> Result<(), E>) -> Result<(), E> {
        self.0.iter().try_for_each(|(design, target, offset, weight)| {
            each(GlmRow { design, target: *target, offset: *offset, weight: *weight })
        })
    }
}

impl Rows {
    pub(super) fn moments(&self) -> Moments {
        let (design, target, ..) = &self.0[0];
        let mut accumulator = Accumulator::new(design.iter().copied().chain([*target]).collect());
        for (design, target, _, weight) in &self.0 {
            accumulator.push_exact(design, *target, &[], *weight);
        }
        accumulator.finish()
    }

    pub(super) fn fit(&self, settings: &GlmSettings) -> GlmFit {
        fit(self, &self.moments(), &self.names(), settings).unwrap()
    }

    fn names(&self) -> Vec<String> {
        (0..=self.0[0].0.len()).map(|column| format!("x{column}")).collect()
    }
}

/// Two columns, of which the second is far from zero and on another scale.
pub(super) fn columns(i: u32) -> (Vec<f64>, f64) {
    let (u, v) = (f64::from(i * 7919 % 1000) / 1000.0, f64::from(i * 104_729 % 997) / 997.0);
    (vec![u, 1e4 + 300.0 * v], f64::from(i * 31 % 7))
}
