//! The observed information of a fit without a penalty: the Hessian of the negative log-likelihood at its minimum, and
//! the standard errors that follow from it.
//!
//! For more than two classes, one score for each class is one too many. The parameters are therefore the differences to
//! the scores of the first class that has rows, as in statsmodels' `MNLogit`.

use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::super::estimate::Estimate;
use super::super::length::length;
use super::super::leverage::{MOST_COLUMNS, WorkingInformation};
use super::super::qr::{UpperTriangle, dot};
use super::iterate::{Iterate, longest};
use super::packed::packed_index;
use super::separation::Separation;
use super::standardisation::Standardisation;
use super::standardised_rows::StandardisedRows;
use super::sums::{ColumnBlock, Sums};
use crate::intercept;
use ordinate_model::double_double::DoubleDouble;

/// The most parameters of an information matrix, whose inverse takes time with the cube of their number.
const MOST_PARAMETERS: usize = 2000;

/// The most operations of one pass that sums it, a few seconds.
const MOST_OPERATIONS: f64 = 1e11;

/// Newton steps that remove the error that the tolerance of the solver leaves.
const MOST_STEPS: u32 = 12;

/// A step of this fraction of the largest parameter leaves an error of its square.
const CONVERGED: f64 = 1e-8;

/// A step that is a rounding error.
const LAST_DIGIT: f64 = 1e-14;

/// The smallest pivot of the information, relative to its diagonal, that is not mostly rounding errors.
const SMALLEST_PIVOT: f64 = 1e-12;

/// A direction separates the classes if no row loses more than this fraction of the largest margin.
const NO_LOSS: f64 = 1e-6;

/// A column takes part in a separation if its coefficient is at least this fraction of the largest.
const INVOLVED: f64 = 1e-3;

/// The coefficients of one score in the units of the data, with standard errors.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreInference {
    /// The position of the class.
    pub class: usize,
    /// The score where all columns are zero; none without an intercept.
    pub intercept: Option<Estimate>,
    /// One for each column.
    pub coefficients: Vec<Estimate>,
}

/// The inference from the likelihood of a fit without a penalty.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticInference {
    /// The class that the scores are compared with: the first that has rows.
    pub reference: usize,
    /// One for each other class that has rows.
    pub scores: Vec<ScoreInference>,
    /// The number of rows with a weight.
    pub rows: u64,
    /// The sum of the weights.
    pub weight: f64,
    /// `Σ w ln p(class)`
    pub log_likelihood: f64,
    /// The same where all coefficients are zero.
    pub null_log_likelihood: f64,
    /// The information about the coefficients of the score, for two classes and columns that all vary.
    pub working: Option<WorkingInformation>,
}

/// Why a fit without a penalty has no standard errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoInference {
    /// There are too many parameters.
    TooLarge {
        /// Their number.
        parameters: usize,
    },
    /// Values of this column far from all others decide its coefficient: the other rows only differ in the last digits
    /// of the standardised column.
    Undetermined {
        /// The column of the design.
        column: usize,
    },
    /// The solver did not reach the maximum, or columns are so nearly dependent that the information is a rounding
    /// error.
    Imprecise,
}

/// Newton's method from nearly the maximum, then the information there. Returns the parameters of all scores.
pub(super) struct Maximum {
    pub(super) parameters: Vec<Vec<f64>>,
    pub(super) inference: Result<LogisticInference, NoInference>,
}

/// Whether the information of this many scores and columns can be summed and inverted in seconds.
pub(super) fn is_too_large(standardisation: &Standardisation, scores: usize) -> bool {
    let parameters = standardisation.means.len() + 1;
    let (rows, columns, scores_) = (standardisation.rows as f64, parameters as f64, scores as f64);
    let operations = rows * scores_ * (scores_ + 1.0) / 2.0 * columns * columns;
    scores * parameters > MOST_PARAMETERS || operations > MOST_OPERATIONS
}

/// The rows of a problem, and what its parameters are.
pub(super) struct Likelihood<'p, 'r, R> {
    pub(super) rows: &'p StandardisedRows<'r, R, ColumnBlock>,
    pub(super) standardisation: &'p Standardisation,
    /// Whether scores have an intercept.
    pub(super) intercept: bool,
}

impl<R: DesignRows> Likelihood<'_, '_, R> {
    /// The maximum from these parameters.
    ///
    /// # Errors
    /// [`SolveError::Separated`] and [`SolveError::Spool`].
    pub(super) fn maximum(&self, start: Vec<Vec<f64>>) -> Result<Maximum, SolveError> {
        let mut parameters = start;
        let mut previous = f64::INFINITY;
        let mut directions: Vec<Vec<f64>> = Vec::new();
        for step in 0..=MOST_STEPS {
            let sums = self.sums(&parameters)?;
            let Some(information) = Information::new(&sums, &self.is_determined()) else { break };
            let direction = information.newton_step(&sums);
            let (point, _) = Iterate::new(parameters.clone(), &sums.first, 0.0, self.standardisation.weight);
            let size = longest(&direction) / point.size();
            let is_last = size <= LAST_DIGIT || size > 0.5 * previous || step == MOST_STEPS;
            if is_last && size <= CONVERGED && information.smallest_pivot() >= SMALLEST_PIVOT {
                let inference = Ok(self.inference(&parameters, &information, -sums.first.loss));
                return Ok(Maximum { parameters, inference });
            }
            if !size.is_finite() || (is_last && size <= CONVERGED) {
                break;
            }
            previous = size;
            parameters = moved(parameters, &direction);
            // The first step is from a point that is still near the data, the last one is the straightest.
            directions.truncate(1);
            directions.push(direction);
        }
        let inference = Err(self.without_maximum(&parameters, &directions)?);
        Ok(Maximum { parameters, inference })
    }

    /// For each column, then the intercept, whether the rows say something about its parameter.
    fn is_determined(&self) -> Vec<bool> {
        self.standardisation.varies.iter().copied().chain([self.intercept]).collect()
    }

    fn sums(&self, parameters: &[Vec<f64>]) -> Result<Sums, SolveError> {
        let mut sums = Sums::zero(parameters.len(), self.standardisation.means.len() + 1);
        let numbers = sums.grams.iter().map(Vec::len).sum();
        self.rows.sum(numbers, &|_, block| Sums::from_block(block, parameters), |block| sums.add(&block))?;
        Ok(sums)
    }

    /// Why no maximum was found: an error if the parameters or a direction in which they grow separate the classes, so
    /// that no row loses, and some win.
    fn without_maximum(&self, parameters: &[Vec<f64>], directions: &[Vec<f64>]) -> Result<NoInference, SolveError> {
        let zero: Vec<Vec<f64>> = parameters.iter().map(|score| vec![0.0; score.len()]).collect();
        let [lowest, _] = self.margins(parameters)?;
        if lowest > 0.0 {
            return Err(Separation { columns: involved(parameters), complete: true }.into());
        }
        for direction in directions {
            let candidate = moved(zero.clone(), direction);
            let [lowest, highest] = self.margins(&candidate)?;
            if highest > 0.0 && lowest >= -NO_LOSS * highest {
                let columns = involved(&candidate);
                // Columns that alone separate the classes are found before, exactly.
                return match columns.as_slice() {
                    [column] => Ok(NoInference::Undetermined { column: *column }),
                    _ => Err(Separation { columns, complete: false }.into()),
                };
            }
        }
        Ok(NoInference::Imprecise)
    }

    fn margins(&self, parameters: &[Vec<f64>]) -> Result<[f64; 2], SolveError> {
        let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
        self.rows.sum(2, &|_, block: &ColumnBlock| block.margins(parameters), |[low, high]: [f64; 2]| {
            lowest = lowest.min(low);
            highest = highest.max(high);
        })?;
        Ok([lowest, highest])
    }

    /// Estimates and standard errors in the units of the data.
    fn inference(&self, parameters: &[Vec<f64>], information: &Information, log_likelihood: f64) -> LogisticInference {
        let Standardisation { means, scales, present, class_weights, weight, rows, .. } = self.standardisation;
        let contrasts = contrasts(parameters);
        let columns = means.len();
        let reference = present.first().copied().unwrap_or_default();
        let others = present.iter().skip(1);
        let score = |(number, (class, contrast)): (usize, (&usize, &Vec<f64>))| {
            let slopes = contrast.iter().zip(scales).map(|(value, scale)| value / scale);
            let coefficients = slopes.enumerate().zip(scales).map(|((column, value), scale)| Estimate {
                value,
                standard_error: Some(information.error(number, |at| f64::from(u8::from(at == column))) / scale),
            });
            let at_zero = |at: usize| match (means.get(at), scales.get(at)) {
                (Some(mean), Some(scale)) => -mean / scale,
                _ => 1.0,
            };
            let at_means = DoubleDouble::from(contrast.get(columns).copied().unwrap_or(0.0));
            let terms = contrast.iter().zip(scales).zip(means);
            let terms =
                terms.map(|((value, scale), mean)| (DoubleDouble::from(*value) / DoubleDouble::from(*scale), *mean));
            let intercept = self.intercept.then(|| Estimate {
                value: intercept::at_zero(at_means, terms),
                standard_error: Some(information.error(number, at_zero)),
            });
            ScoreInference { class: *class, intercept, coefficients: coefficients.collect() }
        };
        let scores = others.zip(&contrasts).enumerate().map(score).collect();
        let of_class = |own: &f64| if *own > 0.0 { own * libm::log(own / weight) } else { 0.0 };
        let null_log_likelihood = if self.intercept {
            class_weights.iter().map(of_class).sum()
        } else {
            -weight * libm::log(present.len() as f64)
        };
        let is_binary = parameters.len() == 1 && self.standardisation.varies.iter().all(|varies| *varies);
        LogisticInference {
            reference,
            scores,
            rows: *rows,
            weight: *weight,
            log_likelihood,
            null_log_likelihood,
            working: is_binary.then(|| information.working(self.intercept)).flatten(),
        }
    }
}

/// The differences to the first score; the score itself for two classes.
fn contrasts(parameters: &[Vec<f64>]) -> Vec<Vec<f64>> {
    match parameters.split_first() {
        Some((first, others)) if !others.is_empty() => {
            let contrast =
                |score: &Vec<f64>| score.iter().zip(first).map(|(value, first)| value - first).collect::<Vec<_>>();
            others.iter().map(contrast).collect()
        }
        _ => parameters.to_vec(),
    }
}

/// The parameters of all scores after a step of the contrasts; their sum over the classes does not change.
fn moved(mut parameters: Vec<Vec<f64>>, direction: &[f64]) -> Vec<Vec<f64>> {
    let scores = parameters.len();
    let size = parameters.first().map_or(0, Vec::len);
    let contrasts: Vec<&[f64]> = direction.chunks(size.max(1)).collect();
    for place in 0..size {
        let of = |contrast: &&[f64]| contrast.get(place).copied().unwrap_or(0.0);
        let mean = if scores > 1 { contrasts.iter().map(of).sum::<f64>() / scores as f64 } else { 0.0 };
        let first = (scores > 1).then_some(0.0);
        for (score, step) in parameters.iter_mut().zip(first.into_iter().chain(contrasts.iter().map(of))) {
            if let Some(value) = score.get_mut(place) {
                *value += step - mean;
            }
        }
    }
    parameters
}

/// The columns that take part in a separation, in the order of their importance.
fn involved(direction: &[Vec<f64>]) -> Vec<usize> {
    let columns = direction.first().map_or(0, Vec::len).saturating_sub(1);
    let size = |column: usize| {
        direction.iter().filter_map(|score| score.get(column)).fold(0.0_f64, |size, value| size.max(value.abs()))
    };
    let largest = (0..columns).map(size).fold(0.0, f64::max);
    let mut involved: Vec<usize> = (0..columns).filter(|column| size(*column) > INVOLVED * largest).collect();
    involved.sort_by(|one, other| size(*other).total_cmp(&size(*one)));
    involved
}

/// The factor of the information of the contrasts of standardised columns, each with its intercept last.
struct Information {
    triangle: UpperTriangle,
    diagonal: Vec<f64>,
    /// The number of parameters of one contrast.
    size: usize,
}

impl Information {
    /// None when it is not positive definite.
    fn new(sums: &Sums, is_determined: &[bool]) -> Option<Self> {
        let scores = sums.first.slopes.len();
        let size = sums.first.slopes.first().map_or(0, Vec::len);
        let first = usize::from(scores > 1);
        let all = (scores - first) * size;
        let entry = |i: usize, j: usize| {
            let gram = sums.grams.get(packed_index(first + i / size, first + j / size, scores));
            let (one, other) = (i % size, j % size);
            let value = gram.and_then(|gram| gram.get(packed_index(one.min(other), one.max(other), size)));
            // Its column is zero.
            let is_absent = i == j && is_determined.get(one) == Some(&false);
            if is_absent { 1.0 } else { value.copied().unwrap_or(0.0) }
        };
        let rows: Vec<Vec<f64>> = (0..all).map(|i| (i..all).map(|j| entry(i, j)).collect()).collect();
        let diagonal = rows.iter().filter_map(|row| row.first()).copied().collect();
        Some(Self { triangle: UpperTriangle::cholesky(rows)?, diagonal, size })
    }

    /// The information about the coefficients without that about the intercept, which is the last of the one score.
    fn working(&self, intercept: bool) -> Option<WorkingInformation> {
        let columns = self.size.checked_sub(1).filter(|columns| *columns <= MOST_COLUMNS)?;
        let of_triangle: Vec<Vec<f64>> = (0..=columns).map(|column| self.triangle.column(column)).collect();
        // The first column is the shorter one.
        let entry = |i: usize, j: usize| {
            let (one, other) = (of_triangle.get(i), of_triangle.get(j));
            let of = |one: &Vec<f64>, other: &Vec<f64>| dot(one, other.get(..one.len()).unwrap_or_default());
            one.zip(other).map_or(0.0, |(one, other)| of(one, other))
        };
        let weight = if intercept { entry(columns, columns) } else { f64::INFINITY };
        let center: Vec<f64> = (0..columns).map(|j| entry(j, columns) / weight).collect();
        let centred = |i: usize, j: usize| {
            let [one, other] = [i, j].map(|at| center.get(at).copied().unwrap_or(0.0));
            if intercept { entry(i, j) - weight * one * other } else { entry(i, j) }
        };
        let rows = (0..columns).map(|i| (i..columns).map(|j| centred(i, j)).collect()).collect();
        Some(WorkingInformation { triangle: UpperTriangle::cholesky(rows)?, center, weight })
    }

    /// The smallest pivot relative to the diagonal: the fraction of a column that the others do not explain.
    fn smallest_pivot(&self) -> f64 {
        let pivots = self.triangle.rows().iter().filter_map(|row| row.first()).zip(&self.diagonal);
        pivots.map(|(pivot, diagonal)| pivot * pivot / diagonal).fold(f64::INFINITY, f64::min)
    }

    /// `−H⁻¹ g` of the contrasts.
    fn newton_step(&self, sums: &Sums) -> Vec<f64> {
        let slopes = &sums.first.slopes;
        let gradient = slopes.iter().skip(usize::from(slopes.len() > 1)).flatten().map(|slope| -slope);
        let gradient: Vec<f64> = gradient.collect();
        self.triangle.solve(&self.triangle.solve_transposed(&gradient))
    }

    /// The standard error of `Σ factor · parameter` over the parameters of one contrast.
    fn error(&self, contrast: usize, factor: impl Fn(usize) -> f64) -> f64 {
        let mut vector = vec![0.0; self.triangle.columns()];
        let own = vector.iter_mut().skip(contrast * self.size).take(self.size);
        own.enumerate().for_each(|(at, value)| *value = factor(at));
        length(&self.triangle.solve_transposed(&vector))
    }
}

impl ColumnBlock {
    /// The smallest and the largest margin of a row over another class: the score of its class less that of the other.
    /// For two classes, the score of its class.
    fn margins(&self, parameters: &[Vec<f64>]) -> [f64; 2] {
        let scores: Vec<Vec<f64>> = parameters.iter().map(|parameters| self.columns().scores(parameters)).collect();
        let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
        for (row, class) in self.classes().iter().enumerate() {
            let of = |score: &Vec<f64>| score.get(row).copied().unwrap_or(0.0);
            let [low, high] = match scores.as_slice() {
                [score] if *class == 1 => [of(score); 2],
                [score] => [-of(score); 2],
                scores => {
                    let others = scores.iter().enumerate().filter(|(other, _)| other != class);
                    let (mut smallest, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
                    for other in others.map(|(_, score)| of(score)) {
                        smallest = smallest.min(other);
                        largest = largest.max(other);
                    }
                    let own = scores.get(*class).map_or(0.0, of);
                    [own - largest, own - smallest]
                }
            };
            lowest = lowest.min(low);
            highest = highest.max(high);
        }
        [lowest, highest]
    }
}
