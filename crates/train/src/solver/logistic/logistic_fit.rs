//! The result of a logistic regression.

use super::super::design_rows::SparseRow;
use super::super::leverage::{LeverageFactor, WorkingInformation};
use super::information::{LogisticInference, NoInference};
use super::iterate::{CERTAIN, Solution};
use super::separation::SeparationProof;
use super::standardisation::Standardisation;

/// Classes may be separable if a coefficient is above this: one standard deviation changes the odds by 3000.
const DECISIVE: f64 = 8.0;

/// Fitted scores: `scoreₛ = interceptₛ + Σ coefficientⱼₛ · (xⱼ − meanⱼ) / scaleⱼ`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// The mean of each column.
    pub means: Vec<f64>,
    /// The population standard deviation of each column.
    pub scales: Vec<f64>,
    /// One for each score: the log-odds of the second of two classes, or one for each class, which sum to 0.
    pub intercepts: Vec<f64>,
    /// For each standardised column, one for each score. For more than two classes they sum to 0.
    pub coefficients: Vec<Vec<f64>>,
    /// Passes over the rows, in memory or in their file, without that for means and scales.
    pub iterations: u32,
    /// The largest component of the gradient before the last step, which reduces it to about its square.
    pub gradient: f64,
    /// Whether gradient and step are within the tolerance.
    pub converged: bool,
    /// The largest loss of a row, before the last step.
    pub worst: f64,
    /// The number of rows with a weight.
    pub rows: u64,
    /// The proof that columns separate the classes, where this was checked: without a penalty, they have no finite
    /// estimates.
    pub separation: Option<SeparationProof>,
    /// `Σ w · −ln p(class) / Σ w` over the rows of the fit, before the last step.
    pub log_loss: f64,
    /// The factor for leverages, for at most [`MOST_COLUMNS`](super::super::leverage::MOST_COLUMNS) columns.
    pub leverage_factor: Option<LeverageFactor>,
    /// The information about the coefficients of a fit of two classes without a penalty.
    pub working: Option<WorkingInformation>,
    /// The inference of a fit to all rows without a penalty, or the reason why it is not available; absent with a
    /// penalty.
    pub inference: Option<Result<LogisticInference, NoInference>>,
}

impl LogisticFit {
    pub(super) fn new(
        standardisation: &Standardisation,
        solution: &Solution,
        leverage_factor: Option<LeverageFactor>,
    ) -> Self {
        let Solution { point, passes, converged } = solution;
        let (intercepts, coefficients) = of_classes(standardisation, &point.parameters);
        Self {
            intercepts,
            coefficients,
            means: standardisation.means.clone(),
            scales: standardisation.scales.clone(),
            iterations: *passes,
            gradient: point.gradient,
            converged: *converged,
            worst: point.worst,
            rows: standardisation.rows,
            separation: None,
            log_loss: point.log_loss,
            leverage_factor,
            working: None,
            inference: None,
        }
    }

    /// The fit at the maximum of the likelihood, where it has converged.
    pub(super) fn with_parameters(
        self,
        standardisation: &Standardisation,
        parameters: &[Vec<f64>],
        inference: &LogisticInference,
    ) -> Self {
        let (intercepts, coefficients) = of_classes(standardisation, parameters);
        let log_loss = -inference.log_likelihood / inference.weight;
        Self { intercepts, coefficients, log_loss, converged: true, working: inference.working.clone(), ..self }
    }

    /// The fit to rows of one class: each other class has the probability of one row among them.
    pub(super) fn of_one_class(standardisation: &Standardisation) -> Self {
        let (intercepts, coefficients) = of_classes(standardisation, &[]);
        Self {
            intercepts,
            coefficients,
            means: standardisation.means.clone(),
            scales: standardisation.scales.clone(),
            iterations: 0,
            gradient: 0.0,
            converged: true,
            worst: 0.0,
            rows: standardisation.rows,
            separation: None,
            log_loss: 0.0,
            leverage_factor: None,
            working: None,
            inference: None,
        }
    }

    /// Whether coefficients are so large, or the classes of all rows so certain, that the classes may be separable.
    pub(crate) fn may_be_separated(&self) -> bool {
        self.worst < CERTAIN || self.coefficients.iter().flatten().any(|coefficient| coefficient.abs() > DECISIVE)
    }

    /// Whether the class of every row has a probability above one half: the fit separates the classes.
    pub(crate) fn is_free_of_errors(&self) -> bool {
        self.worst < std::f64::consts::LN_2
    }

    /// The columns in the order of their standardised coefficients, the largest first.
    pub(crate) fn columns_by_size(&self) -> Vec<usize> {
        let size = |values: &Vec<f64>| values.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
        let mut columns: Vec<(usize, f64)> = self.coefficients.iter().map(size).enumerate().collect();
        columns.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        columns.into_iter().map(|(column, _)| column).collect()
    }

    /// `−ln p(class)` of a row.
    #[must_use]
    pub fn loss(&self, design: &[f64], class: usize) -> f64 {
        let mut scores = self.intercepts.clone();
        let standardised =
            design.iter().zip(&self.means).zip(&self.scales).map(|((x, mean), scale)| (x - mean) / scale);
        for (value, coefficients) in standardised.zip(&self.coefficients) {
            scores.iter_mut().zip(coefficients).for_each(|(score, coefficient)| *score += coefficient * value);
        }
        loss(&scores, class)
    }
}

/// `−ln p(class)`, from the scores of all classes, or of the second of two.
fn loss(scores: &[f64], class: usize) -> f64 {
    let first = (scores.len() == 1).then_some(0.0);
    let scores = || first.into_iter().chain(scores.iter().copied());
    let own = scores().nth(class).unwrap_or(f64::NAN);
    // ln Σ exp(scoreⱼ − own), without overflow, and without loss of digits when the sum is close to 1.
    let others = scores().enumerate().filter(|(other, _)| *other != class).map(|(_, score)| score - own);
    let largest = others.clone().fold(0.0, f64::max);
    if largest == 0.0 {
        libm::log1p(others.map(libm::exp).sum::<f64>())
    } else {
        largest + libm::log(libm::exp(-largest) + others.map(|other| libm::exp(other - largest)).sum::<f64>())
    }
}

/// Fits to the same rows with several penalties, so that the columns of a row are standardised once.
#[derive(Debug)]
pub(crate) struct FitLosses {
    /// For each fit, its scores where all sparse columns are 0, and the others at their means.
    intercepts: Vec<f64>,
    /// The means and scales of the columns that are not sparse.
    means: Vec<f64>,
    scales: Vec<f64>,
    /// For each of them, the coefficients of the scores of all fits.
    coefficients: Vec<f64>,
    /// For each sparse column, the change of the scores of all fits where it is 1.
    steps: Vec<f64>,
    /// The scores of a row by all fits.
    scores: Vec<f64>,
    fits: usize,
}

impl FitLosses {
    /// `sparse`: the sparse columns, ascending.
    pub(crate) fn new(fits: &[LogisticFit], sparse: &[usize]) -> Self {
        let (means, scales) = fits.first().map_or((&[][..], &[][..]), |fit| (&fit.means[..], &fit.scales[..]));
        let mut losses = Self {
            intercepts: fits.iter().flat_map(|fit| fit.intercepts.iter().copied()).collect(),
            means: Vec::new(),
            scales: Vec::new(),
            coefficients: Vec::new(),
            steps: Vec::new(),
            scores: Vec::new(),
            fits: fits.len(),
        };
        for (column, (mean, scale)) in means.iter().zip(scales).enumerate() {
            let coefficients = fits.iter().filter_map(|fit| fit.coefficients.get(column)).flatten();
            if sparse.binary_search(&column).is_err() {
                losses.means.push(*mean);
                losses.scales.push(*scale);
                losses.coefficients.extend(coefficients);
                continue;
            }
            for (intercept, coefficient) in losses.intercepts.iter_mut().zip(coefficients) {
                *intercept -= coefficient * mean / scale;
                losses.steps.push(coefficient / scale);
            }
        }
        losses
    }

    /// `−ln p(class)` of a row by each fit.
    pub(crate) fn losses(&mut self, row: &SparseRow<'_>, class: usize) -> impl Iterator<Item = f64> {
        let width = self.intercepts.len().max(1);
        self.scores.clone_from(&self.intercepts);
        let standardised =
            row.numbers.iter().zip(&self.means).zip(&self.scales).map(|((x, mean), scale)| (x - mean) / scale);
        for (value, coefficients) in standardised.zip(self.coefficients.chunks_exact(width)) {
            self.scores.iter_mut().zip(coefficients).for_each(|(score, coefficient)| *score += coefficient * value);
        }
        for place in row.ones {
            let steps = self.steps.iter().skip(*place as usize * width);
            self.scores.iter_mut().zip(steps).for_each(|(score, step)| *score += step);
        }
        self.scores.chunks_exact((width / self.fits.max(1)).max(1)).map(move |scores| loss(scores, class))
    }
}

/// The intercepts and coefficients of all classes, from the parameters of those that occur. A class that does not occur
/// has the probability of one row among those of the fit, at the means of the columns.
fn of_classes(standardisation: &Standardisation, parameters: &[Vec<f64>]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let Standardisation { means, present, classes, rows, .. } = standardisation;
    let columns = means.len();
    let mut all = parameters.to_vec();
    if present.len() < *classes {
        all = vec![vec![0.0; columns + 1]; *classes];
        let occurring = match parameters {
            [] => vec![vec![0.0; columns + 1]; present.len()],
            // The score of the second class.
            [score] => {
                vec![score.iter().map(|value| -0.5 * value).collect(), score.iter().map(|value| 0.5 * value).collect()]
            }
            scores => scores.to_vec(),
        };
        let intercepts = || occurring.iter().filter_map(|score| score.last()).copied();
        let largest = intercepts().reduce(f64::max).unwrap_or(0.0);
        let others = intercepts().map(|intercept| libm::exp(intercept - largest)).sum::<f64>();
        let absent = largest + libm::log(others.max(1.0)) - libm::log(*rows.max(&1) as f64);
        all.iter_mut().filter_map(|score| score.last_mut()).for_each(|intercept| *intercept = absent);
        for (class, score) in present.iter().zip(occurring) {
            if let Some(to) = all.get_mut(*class) {
                *to = score;
            }
        }
        if let [first, second] = all.as_slice() {
            all = vec![second.iter().zip(first).map(|(second, first)| second - first).collect()];
        }
    }
    let of = |column: usize| -> Vec<f64> {
        let values: Vec<f64> = all.iter().filter_map(|score| score.get(column)).copied().collect();
        // Zero except for rounding errors and classes that do not occur.
        let mean = if values.len() > 1 { values.iter().sum::<f64>() / values.len() as f64 } else { 0.0 };
        values.into_iter().map(|value| value - mean).collect()
    };
    (of(columns), (0..columns).map(of).collect())
}
