//! The sums of one pass over the rows.

use super::super::logistic::packed::packed_index;
use super::basis::Basis;
use super::crossed::CrossedSums;
use super::levels::LevelSums;
use super::log_gamma::log_factorial_remainder;
use super::rows::Block;
use ordinate_model::family::Family;

/// The quantities to sum.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pass<'a> {
    /// The normal equations of one step of reweighted least squares, from means between the targets and the best fit
    /// without columns, which has this intercept.
    Reweighted {
        /// The intercept.
        intercept: f64,
        /// Whether the means are the targets themselves, which fits their logarithms by least squares.
        from_targets: bool,
    },
    /// Objective and gradient, and the Hessian with [`Curvatures::Products`].
    Newton {
        /// A coefficient for each column, then the intercept.
        parameters: &'a [f64],
    },
    /// The largest changes of the linear predictor in a direction.
    Reach {
        /// As parameters.
        direction: &'a [f64],
    },
    /// The statistics of a fit, and its expected information.
    Statistics {
        /// Those of the fit.
        parameters: &'a [f64],
        /// The intercept of the best fit without columns.
        null: f64,
    },
}

/// The use of the curvatures of the rows, the diagonal matrix W.
#[derive(Debug, Clone, Copy)]
pub(super) enum Curvatures<'a> {
    /// The products `ZᵀWZ` of all columns.
    Products,
    /// The product `ZᵀWZ v`, in place of the slopes.
    Times(&'a [f64]),
    /// The diagonal of `ZᵀWZ`, in place of the slopes.
    Squares,
    /// No products: the slopes, and the sum of the curvatures.
    Sum,
}

/// Sums over rows; those that neither the pass nor the use of the curvatures needs are zero or empty.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    /// `Σ w (μ − y η)` for Poisson, `Σ w (η + y/μ)` for gamma regression.
    pub(super) loss: f64,
    /// The gradient of the loss, or the right side of the normal equations; with [`Curvatures::Times`] and
    /// [`Curvatures::Squares`], what they compute.
    pub(super) slopes: Vec<f64>,
    /// A packed upper triangle of the dense columns and the intercept: the Hessian of the loss, or the matrix of the
    /// normal equations.
    pub(super) gram: Vec<f64>,
    /// The other entries of that matrix.
    pub(super) levels: LevelSums,
    pub(super) crossed: CrossedSums,
    /// `Σ w · curvature`
    pub(super) curvature: f64,
    /// The largest changes of rows whose target is 0, and of others.
    pub(super) reach: [f64; 2],
    pub(super) statistics: StatisticSums,
    /// Whether there are the products of all columns: matrix, levels and crossed.
    pub(super) has_products: bool,
    size: usize,
}

/// Sums for the statistics of a fit; the second of two is of the best fit without columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StatisticSums {
    pub(super) deviance: [f64; 2],
    /// `Σ w (y − μ)² / V(μ)`
    pub(super) pearson: f64,
    /// For Poisson regression `Σ w (ln y! − y ln y + y)`; for gamma `Σ w ln y`.
    pub(super) of_targets: f64,
}

impl Sums {
    pub(super) fn zero(basis: &Basis, curvatures: Curvatures<'_>) -> Self {
        let size = basis.dense_size();
        let has_products = matches!(curvatures, Curvatures::Products);
        let number = |numbers: usize| if has_products { numbers } else { 0 };
        Self {
            loss: 0.0,
            slopes: vec![0.0; basis.size()],
            gram: vec![0.0; number(size * (size + 1) / 2)],
            levels: LevelSums::zero(number(basis.level_factors().len()), size),
            crossed: CrossedSums::zero(number(basis.crossed_factors().len()), size),
            curvature: 0.0,
            reach: [0.0; 2],
            statistics: StatisticSums::default(),
            has_products,
            size,
        }
    }

    /// The number of numbers, at least 1.
    pub(super) fn numbers(&self) -> usize {
        self.gram.len() + self.slopes.len() + self.levels.products.len() + self.crossed.numbers() + 1
    }

    /// An entry of the Hessian of the dense columns and the intercept, with `i ≤ j`.
    pub(super) fn entry(&self, i: usize, j: usize) -> f64 {
        self.gram.get(packed_index(i, j, self.size)).copied().unwrap_or(f64::NAN)
    }

    pub(super) fn add(&mut self, other: &Self) {
        fn add(ours: &mut [f64], theirs: &[f64]) {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours += theirs);
        }
        self.loss += other.loss;
        self.curvature += other.curvature;
        add(&mut self.slopes, &other.slopes);
        add(&mut self.gram, &other.gram);
        add(&mut self.levels.curvatures, &other.levels.curvatures);
        add(&mut self.levels.products, &other.levels.products);
        self.crossed.add(&other.crossed);
        self.reach.iter_mut().zip(other.reach).for_each(|(ours, theirs)| *ours = ours.max(theirs));
        let (ours, theirs) = (&mut self.statistics, &other.statistics);
        add(&mut ours.deviance, &theirs.deviance);
        ours.pearson += theirs.pearson;
        ours.of_targets += theirs.of_targets;
    }

    /// The sums over a block.
    pub(super) fn from_block(
        block: &Block,
        basis: &Basis,
        (pass, of_curvatures): (&Pass<'_>, Curvatures<'_>),
        family: Family,
    ) -> Self {
        let mut sums = Self::zero(basis, of_curvatures);
        let rows = || block.targets.iter().zip(&block.offsets).zip(&block.weights);
        let mut residuals = Vec::with_capacity(block.weights.len());
        let mut curvatures = Vec::with_capacity(block.weights.len());
        match *pass {
            Pass::Reweighted { intercept, from_targets } => {
                for ((target, offset), weight) in rows() {
                    let without_columns = if from_targets { *target } else { libm::exp(intercept + offset) };
                    let mean = f64::midpoint(*target, without_columns);
                    let curvature = weight * family.working_weight(mean);
                    residuals.push(curvature * (libm::log(mean) - offset + (target - mean) / mean));
                    curvatures.push(curvature);
                }
            }
            Pass::Newton { parameters } => {
                for (((target, offset), weight), score) in rows().zip(scores(block, basis, parameters)) {
                    let Row { loss, residual, curvature } = Row::new(family, *target, score + offset);
                    sums.loss += weight * loss;
                    residuals.push(weight * residual);
                    curvatures.push(weight * curvature);
                }
            }
            Pass::Reach { direction } => {
                for (((target, _), _), score) in rows().zip(scores(block, basis, direction)) {
                    let [of_zero, of_others] = &mut sums.reach;
                    let reach = if *target == 0.0 { of_zero } else { of_others };
                    *reach = reach.max(score.abs());
                }
                return sums;
            }
            Pass::Statistics { parameters, null } => {
                for (((target, offset), weight), score) in rows().zip(scores(block, basis, parameters)) {
                    sums.statistics.push(family, [*target, *weight], [score + offset, null + offset]);
                    curvatures.push(weight * family.working_weight(libm::exp(score + offset)));
                }
            }
        }
        sums.curvature = curvatures.iter().sum();
        match of_curvatures {
            Curvatures::Times(vector) => {
                let changes = scores(block, basis, vector);
                let products = curvatures.iter().zip(changes).map(|(curvature, change)| curvature * change);
                sums.add_slopes(block, basis, products.collect());
            }
            Curvatures::Squares => sums.add_squares(block, basis, curvatures),
            Curvatures::Sum => sums.add_slopes(block, basis, residuals),
            Curvatures::Products => {
                sums.add_slopes(block, basis, residuals);
                sums.add_products(block, basis, curvatures);
            }
        }
        sums
    }

    /// Adds the products of the columns with numbers of the rows, if there are any.
    fn add_slopes(&mut self, block: &Block, basis: &Basis, residuals: Vec<f64>) {
        self.add_to_levels(block, basis, &residuals, |factor| factor);
        block.columns.add_slopes(residuals, &mut self.slopes);
    }

    fn add_squares(&mut self, block: &Block, basis: &Basis, curvatures: Vec<f64>) {
        self.add_to_levels(block, basis, &curvatures, |factor| factor * factor);
        block.columns.add_squares(curvatures, &mut self.slopes);
    }

    /// Adds numbers of the rows to the slopes of their levels, times a function of the parameters in these rows.
    fn add_to_levels(&mut self, block: &Block, basis: &Basis, numbers: &[f64], times: impl Fn(f64) -> f64) {
        for (place, residual) in block.places.iter().zip(numbers) {
            let slope = self.slopes.get_mut(basis.dense_size() + place);
            if let Some((slope, factor)) = slope.zip(basis.level_factors().get(*place)) {
                *slope += times(*factor) * residual;
            }
        }
        let first = basis.dense_size() + basis.level_factors().len();
        for ((place, _), residual) in block.crossed.iter().zip(numbers) {
            let slope = self.slopes.get_mut(first + place);
            if let Some((slope, factor)) = slope.zip(basis.crossed_factors().get(*place)) {
                *slope += times(*factor) * residual;
            }
        }
    }

    fn add_products(&mut self, block: &Block, basis: &Basis, curvatures: Vec<f64>) {
        self.levels.push(basis.level_factors(), &block.places, &curvatures, block.columns.all());
        self.crossed.push(basis.crossed_factors(), &block.crossed, &curvatures, block.columns.all());
        block.columns.add_gram(curvatures, &mut self.gram);
    }
}

/// The linear predictors of the rows of a block, without their offsets.
fn scores(block: &Block, basis: &Basis, parameters: &[f64]) -> Vec<f64> {
    let (of_dense, of_levels) = parameters.split_at_checked(basis.dense_size()).unwrap_or_default();
    let mut scores = block.columns.scores(of_dense);
    scores.resize(scores.len().max(block.weights.len()), 0.0);
    for (score, place) in scores.iter_mut().zip(&block.places) {
        let of_level = of_levels.get(*place).zip(basis.level_factors().get(*place));
        *score += of_level.map_or(0.0, |(parameter, factor)| parameter * factor);
    }
    let of_crossed = of_levels.get(basis.level_factors().len()..).unwrap_or_default();
    for (score, (place, _)) in scores.iter_mut().zip(&block.crossed) {
        let of_level = of_crossed.get(*place).zip(basis.crossed_factors().get(*place));
        *score += of_level.map_or(0.0, |(parameter, factor)| parameter * factor);
    }
    scores
}

impl StatisticSums {
    /// Adds a row with the linear predictors of both fits.
    fn push(&mut self, family: Family, [target, weight]: [f64; 2], predictors: [f64; 2]) {
        let means = predictors.map(libm::exp);
        for (deviance, mean) in self.deviance.iter_mut().zip(means) {
            *deviance += weight * family.deviance(target, mean);
        }
        let [mean, _] = means;
        let standardised = family.pearson_residual(target, mean);
        self.pearson += weight * standardised * standardised;
        self.of_targets += weight
            * match family {
                Family::Poisson => log_factorial_remainder(target),
                Family::Gamma => libm::log(target),
            };
    }
}

/// The loss of a row, and its derivatives by the linear predictor.
struct Row {
    loss: f64,
    residual: f64,
    curvature: f64,
}

impl Row {
    fn new(family: Family, target: f64, predictor: f64) -> Self {
        match family {
            Family::Poisson => {
                let mean = libm::exp(predictor);
                Self { loss: mean - target * predictor, residual: mean - target, curvature: mean }
            }
            Family::Gamma => {
                let ratio = target * libm::exp(-predictor);
                Self { loss: predictor + ratio, residual: 1.0 - ratio, curvature: ratio }
            }
        }
    }
}
