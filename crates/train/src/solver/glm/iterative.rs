//! Newton's steps of many columns, by conjugate gradients. A product of the Hessian and a vector takes about as long as
//! the gradient; the Hessian takes columns / 2 multiplications for each number of the design.

use super::super::conjugate_gradients::conjugate_gradients;
use super::super::error::SolveError;
use super::super::moments::Moments;
use super::super::qr::UpperTriangle;
use super::basis::Basis;
use super::sums::{Curvatures, Pass};
use super::{GlmRows, Point, Problem};

/// The usual numbers of passes that sum the Hessian, and of products with the Hessian.
const NEWTON_PASSES: f64 = 7.0;
const PRODUCTS: f64 = 60.0;

/// The operations of a product for each number of the design: with reading it three times, those of six multiplications.
const PRODUCT_OPERATIONS: f64 = 6.0;

/// The most products for one step; a system that needs more is solved with the Hessian.
const MOST_PRODUCTS: u32 = 300;

/// The largest residuals of a linear system that is solved, relative to the first: far from the optimum, near it, and
/// where a step was short enough to be the last. That step may be of the columns with the largest gradient alone.
const ROUGH: f64 = 0.1;
const FINE: f64 = 1e-6;
const FINEST: f64 = 1e-10;

/// How the steps are found for a design of many columns.
#[derive(Debug)]
pub(super) struct IterativeSteps {
    /// The factor of the Hessian of the columns for equal curvatures; none without a penalty, for levels, or with
    /// fewer than four rows for each column.
    factor: Option<UpperTriangle>,
    /// The diagonal of that Hessian.
    diagonal: f64,
}

/// How far a fit has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Progress {
    /// The gradient, relative to the first.
    Gradient(f64),
    /// The last step was short enough to end the fit.
    ShortStep,
}

impl IterativeSteps {
    /// None where the Hessian takes less time.
    pub(super) fn if_faster(
        basis: &Basis,
        moments: &Moments,
        dropped: &[usize],
        curvature: f64,
        alpha: f64,
    ) -> Option<Self> {
        let (rows, columns) = (basis.rows as f64, basis.dense_size() as f64);
        let of_products = PRODUCTS * PRODUCT_OPERATIONS * rows * columns;
        let of_hessian = NEWTON_PASSES * (rows * columns * columns / 2.0 + columns * columns * columns);
        (of_products < of_hessian).then(|| Self::new(basis, moments, dropped, curvature, alpha))
    }

    pub(super) fn new(basis: &Basis, moments: &Moments, dropped: &[usize], curvature: f64, alpha: f64) -> Self {
        let is_determined = basis.rows >= 4 * basis.dense_size() as u64;
        let has_factor = alpha > 0.0 && is_determined && basis.levels.is_none();
        let correlations = has_factor.then(|| basis.correlations(moments, dropped));
        Self {
            factor: correlations.and_then(|triangle| penalised_factor(&triangle, curvature, alpha)),
            diagonal: curvature + alpha,
        }
    }

    /// Solves for about the Hessian, of which this is the diagonal.
    fn precondition(&self, hessian: &[f64], vector: &[f64]) -> Vec<f64> {
        let Some(factor) = &self.factor else {
            return vector.iter().zip(hessian).map(|(value, curvature)| value / curvature).collect();
        };
        let (columns, others) = vector.split_at_checked(factor.columns()).unwrap_or((vector, &[]));
        let scale = |curvature: &f64| (curvature / self.diagonal).sqrt();
        let scaled = |values: &[f64]| -> Vec<f64> {
            values.iter().zip(hessian).map(|(value, curvature)| value / scale(curvature)).collect()
        };
        let mut solution = scaled(&factor.solve(&factor.solve_transposed(&scaled(columns))));
        let others = others.iter().zip(hessian.iter().skip(columns.len()));
        solution.extend(others.map(|(value, curvature)| value / curvature));
        solution
    }
}

/// The factor of `curvature · RᵀR + alpha · I`.
fn penalised_factor(triangle: &UpperTriangle, curvature: f64, alpha: f64) -> Option<UpperTriangle> {
    let columns = triangle.columns();
    let mut products: Vec<Vec<f64>> = (0..columns).map(|i| vec![0.0; columns - i]).collect();
    for (first, row) in triangle.rows().iter().enumerate() {
        for (at, (factor, to)) in row.iter().zip(products.iter_mut().skip(first)).enumerate() {
            let entries = to.iter_mut().zip(row.iter().skip(at));
            entries.for_each(|(entry, other)| *entry += curvature * factor * other);
        }
    }
    for diagonal in products.iter_mut().filter_map(|row| row.first_mut()) {
        *diagonal += alpha;
    }
    UpperTriangle::cholesky(products)
}

impl<R: GlmRows> Problem<'_, R> {
    /// The step to the minimum of the quadratic model at a point.
    pub(super) fn newton_step(
        &self,
        point: &mut Point,
        gradient: &[f64],
        progress: Progress,
    ) -> Result<Option<Vec<f64>>, SolveError> {
        let minus: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
        if let Some(steps) = self.iterative.as_ref().filter(|_| !point.sums.has_products) {
            let pass = Pass::Newton { parameters: &point.parameters };
            if let Some(step) = self.iterative_step(steps, &pass, &minus, progress)? {
                return Ok(Some(step));
            }
            let Some(with_products) = self.evaluate(point.parameters.clone(), Curvatures::Products)? else {
                return Ok(None);
            };
            *point = with_products;
        }
        Ok(self.solve(&point.sums, &minus))
    }

    /// A step from the curvatures of a pass: the solution of `H step = right`. `None` where it needs too many products.
    pub(super) fn iterative_step(
        &self,
        steps: &IterativeSteps,
        pass: &Pass<'_>,
        right: &[f64],
        progress: Progress,
    ) -> Result<Option<Vec<f64>>, SolveError> {
        let with_penalty = |slopes: &[f64], vector: &[f64]| -> Vec<f64> {
            let parts = slopes.iter().zip(vector).enumerate();
            parts.map(|(at, (slope, value))| slope / self.rows.weight + self.penalty(at) * value).collect()
        };
        let product = |vector: &[f64]| -> Result<Vec<f64>, SolveError> {
            Ok(with_penalty(&self.rows.sum(pass, Curvatures::Times(vector))?.slopes, vector))
        };
        let squares = self.rows.sum(pass, Curvatures::Squares)?.slopes;
        let mut diagonal = with_penalty(&squares, &vec![1.0; squares.len()]);
        for entry in diagonal.iter_mut().filter(|entry| !entry.is_normal()) {
            *entry = steps.diagonal;
        }
        let gradient: Vec<f64> = right.iter().map(|value| -value).collect();
        // Newton's method with such systems converges quadratically (Dembo, Eisenstat and Steihaug, 1982).
        let accuracy = match progress {
            Progress::Gradient(progress) => progress.clamp(FINE, ROUGH),
            Progress::ShortStep => FINEST,
        };
        let precondition = |vector: &[f64]| steps.precondition(&diagonal, vector);
        let system = conjugate_gradients(&gradient, accuracy, MOST_PRODUCTS, product, precondition)?;
        let is_finite = system.solution.iter().all(|value| value.is_finite());
        Ok(Some(system.solution).filter(|_| system.is_solved && is_finite))
    }
}
