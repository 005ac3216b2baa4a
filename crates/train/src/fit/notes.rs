//! Notes on fits: the selected regularization strength, fits that did not converge, unreliable coefficients.

use std::collections::{BTreeSet, HashSet};

use super::fits::{Fit, Fits};
use super::glm;
use super::separation;
use crate::EstimatorKind;
use crate::solver::cross_validation::CrossValidationResult;
use crate::solver::glm::GlmFit;
use crate::solver::least_squares::LeastSquaresFit;
use crate::solver::logistic::LogisticFit;
use crate::summary::{Summary, Term, rounded, significant};
use ordinate_model::preprocess::DesignColumn;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::{NAMED, counted, listed, one_line};

/// A variance inflation factor above which a coefficient rests on the last digits of the data.
const EXTREME_VARIANCE_INFLATION: f64 = 1e10;

/// A variance inflation factor above which a coefficient is hardly its column's own (Kutner, Nachtsheim, Neter and Li,
/// 2004).
const HIGH_VARIANCE_INFLATION: f64 = 10.0;

/// A power or product of which less than this fraction is orthogonal to the other columns: predictions lose half of
/// their sixteen digits. NIST's Filip has 6·10⁻⁸.
const NEARLY_DEPENDENT: f64 = 1e-7;

/// Pearson's χ² ÷ degrees of freedom above which counts vary more than a Poisson distribution does.
pub(super) const OVERDISPERSED: f64 = 1.5;

impl Fits {
    /// The notes on both fits to a design of these columns, of these classes.
    pub(crate) fn notes(&self, columns: &[DesignColumn], classes: &[Scalar]) -> Vec<String> {
        let estimator = self.whole.estimator();
        let result = self.cross_validation.as_ref();
        let mut notes = self.notes.clone();
        notes.extend(result.map(|result| selected(result, estimator)));
        notes.extend(result.and_then(|result| at_end_of_path(result, estimator)));
        notes.extend(result.and_then(not_converged));
        notes.extend(self.whole.notes(columns, classes));
        if let (Fit::Glm(whole), Fit::Glm(evaluated)) = (&self.whole, &self.evaluated) {
            notes.extend(glm::note_on_part(whole, evaluated, columns));
        }
        // Without held-out rows both are the same fit.
        let is_described = self.held_out == 0 || self.evaluated.is_separated();
        if let Some(shortfall) = self.evaluated.shortfall().filter(|_| !is_described) {
            notes.push(format!("the fit without the held-out rows did not converge: {shortfall}"));
        }
        notes
    }
}

impl Fit {
    fn notes(&self, columns: &[DesignColumn], classes: &[Scalar]) -> Vec<String> {
        let shortfall = self.shortfall().map(|shortfall| format!("the fit did not converge: {shortfall}"));
        let mut notes: Vec<String> = shortfall.into_iter().collect();
        match self {
            Self::LeastSquares(fit) => notes.extend(least_squares(fit, columns)),
            // Ridge has zeros only where no column is correlated with the target.
            Self::Penalised { estimator: EstimatorKind::Lasso | EstimatorKind::ElasticNet, fit } if fit.zero > 0 => {
                let (zero, all) = (fit.zero, fit.coefficients.len());
                let verb = if zero == 1 { "is" } else { "are" };
                notes.push(format!("{zero} of {} {verb} exactly zero", counted(all, "coefficient", "coefficients")));
            }
            // Without a penalty, separable classes are an error.
            Self::Logistic(fit) if fit.inference.is_none() => {
                let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                notes.extend(fit.separation.as_ref().map(|proof| separation::note(proof, &names, classes)));
            }
            Self::Glm(fit) => notes.extend(glm::notes(fit, columns)),
            Self::Logistic(_) | Self::Penalised { .. } => {}
        }
        notes
    }

    /// Whether the classes are separable without a penalty, which has a note.
    fn is_separated(&self) -> bool {
        matches!(self, Self::Logistic(LogisticFit { separation: Some(_), .. }))
    }

    /// How far a fit that did not converge is from its optimum.
    fn shortfall(&self) -> Option<String> {
        match self {
            Self::Penalised { fit, .. } if !fit.converged => Some(format!(
                "after {} the duality gap is {:.1e} of the initial objective",
                counted(fit.iterations, "sweep", "sweeps"),
                fit.gap
            )),
            Self::Logistic(LogisticFit { converged: false, iterations, gradient, .. })
            | Self::Glm(GlmFit { converged: false, iterations, gradient, .. }) => Some(format!(
                "after {} the largest component of the gradient is {gradient:.1e}",
                counted(*iterations, "iteration", "iterations"),
            )),
            _ => None,
        }
    }
}

fn least_squares(fit: &LeastSquaresFit, columns: &[DesignColumn]) -> Vec<String> {
    let mut notes = Vec::new();
    if fit.degrees_of_freedom() == 0 {
        notes.push(format!(
            "no residual degrees of freedom ({}, {}); standard errors are not available",
            counted(fit.rows, "row", "rows"),
            counted(fit.parameters(), "coefficient", "coefficients")
        ));
    } else if fit.is_exact() {
        notes.push("the fit is exact: all residuals are zero".to_owned());
    }
    notes.extend(nearly_dependent(fit, columns));
    if fit.through_origin {
        notes.push(
            "without an intercept, R² (about zero) and F compare the model with a prediction of 0, not with the mean"
                .to_owned(),
        );
    }
    notes
}

/// A power or product of numbers far from zero hardly differs from the other columns. The fit uses all digits of such
/// columns, but predictions are sums of large terms that cancel, in doubles.
fn nearly_dependent(fit: &LeastSquaresFit, columns: &[DesignColumn]) -> Option<String> {
    let is_derived =
        |column: &DesignColumn| column.product.iter().any(|factor| factor.power.is_some()) || column.product.len() > 1;
    let columns = columns.iter().zip(fit.orthogonal_fractions());
    let columns = columns.filter(|(column, fraction)| *fraction < NEARLY_DEPENDENT && is_derived(column));
    let (column, fraction) = columns.min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    Some(format!(
        "{:?} is nearly a linear combination of the columns before it (only {fraction:.0e} of it is orthogonal to them): \
         predictions may lose half of their digits. Subtract a value in the middle of the data from the column before \
         training",
        column.name
    ))
}

/// The columns that are nearly linear combinations of others. The parts of a date, which always are (its year and day
/// of the year give the days), have one note for each date.
pub(crate) fn high_variance_inflation(summary: &Summary, columns: &[DesignColumn]) -> Vec<String> {
    let is_date = |column: &&DesignColumn| column.product.iter().any(|factor| factor.part.is_some());
    let dates: HashSet<&str> = columns.iter().filter(is_date).map(|column| column.name.as_str()).collect();
    let above = |least: f64, most: f64| {
        let terms = summary.terms.iter().filter(|term| !dates.contains(term.name.as_str()));
        terms.filter(move |term| term.vif.is_some_and(|vif| vif > least && vif <= most))
    };
    let extreme: Vec<String> =
        above(EXTREME_VARIANCE_INFLATION, f64::INFINITY).map(|term| format!("{:?}", term.name)).collect();
    let extreme = (!extreme.is_empty()).then(|| {
        format!(
            "the columns {} are nearly linear combinations of others (variance inflation above \
             {EXTREME_VARIANCE_INFLATION:.0e}): their coefficients rest on the last digits of the data",
            listed(&extreme, NAMED)
        )
    });
    let described = |term: &Term| format!("{} ({})", one_line(&term.name), rounded(term.vif.unwrap_or(f64::NAN), 3));
    let high: Vec<String> = above(HIGH_VARIANCE_INFLATION, EXTREME_VARIANCE_INFLATION).map(described).collect();
    let high = (!high.is_empty()).then(|| {
        let verb = if high.len() == 1 { "has" } else { "have" };
        format!(
            "{} {verb} a variance inflation above {HIGH_VARIANCE_INFLATION}, so that the data hardly separate {} from other \
             columns: {}",
            counted(high.len(), "column", "columns"),
            if high.len() == 1 { "its coefficient" } else { "their coefficients" },
            listed(&high, NAMED)
        )
    });
    let overlapping = summary.terms.iter().filter(|term| term.vif.is_some_and(|vif| vif > HIGH_VARIANCE_INFLATION));
    let overlapping: HashSet<&str> = overlapping.map(|term| term.name.as_str()).collect();
    let of_dates = columns.iter().filter(|column| overlapping.contains(column.name.as_str())).filter_map(|column| {
        let factor = column.product.iter().find(|factor| factor.part.is_some())?;
        Some(one_line(&factor.feature))
    });
    let of_dates: BTreeSet<String> = of_dates.collect();
    let dates = (!of_dates.is_empty()).then(|| {
        format!(
            "the parts of a date overlap (its year and day of the year give the days), so that single coefficients of {} mean \
             little",
            listed(&of_dates, NAMED)
        )
    });
    extreme.into_iter().chain(high).chain(dates).collect()
}

fn not_converged(result: &CrossValidationResult) -> Option<String> {
    let count = result.path.iter().filter(|candidate| !candidate.converged).count();
    let tried = result.path.len();
    (count > 0).then(|| {
        format!(
            "{count} of the {tried} regularization strengths in cross-validation did not converge: their errors are not \
             reliable"
        )
    })
}

fn selected(result: &CrossValidationResult, estimator: EstimatorKind) -> String {
    let (strength, error) = match estimator {
        EstimatorKind::Logistic => (format!("C = {}", significant(1.0 / result.alpha)), "log loss"),
        _ => (format!("alpha = {}", significant(result.alpha)), "mean squared error"),
    };
    let candidates = result.path.len();
    let found = result.path.iter().find(|candidate| candidate.alpha.total_cmp(&result.alpha).is_eq());
    let error = found.map_or_else(String::new, |candidate| {
        let [score, standard_error] = [candidate.score, candidate.standard_error].map(significant);
        format!(" ({error} {score} ± {standard_error})")
    });
    format!("cross-validation selected {strength} among {candidates} candidates{error}")
}

/// The best regularization strength may lie beyond the end of the path.
fn at_end_of_path(result: &CrossValidationResult, estimator: EstimatorKind) -> Option<String> {
    let [largest, smallest] = [result.path.first()?, result.path.last()?].map(|candidate| candidate.alpha);
    let is = |end: f64| largest > smallest && result.alpha.total_cmp(&end).is_eq();
    let note = match estimator {
        EstimatorKind::Logistic if is(largest) => {
            "this is the smallest C of the path: the features hardly separate the classes. Use other features, or try a \
             smaller C with --c"
        }
        EstimatorKind::Logistic if is(smallest) => {
            "this is the largest C of the path: hardly any regularization is needed. Try a larger C with --c"
        }
        EstimatorKind::Ridge if is(largest) => {
            "this is the largest alpha of the path: the features hardly predict the target. Use other features, or try a \
             larger alpha with --alpha"
        }
        _ if is(largest) => {
            "this is the largest alpha of the path, at which every coefficient is zero: the features predict the target no \
             better than its mean. Use other features"
        }
        _ if is(smallest) => {
            "this is the smallest alpha of the path: hardly any regularization is needed. Try a smaller alpha with --alpha"
        }
        _ => return None,
    };
    Some(note.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::cross_validation::{Candidate, SelectionRule};
    use crate::solver::path::PenalisedFit;

    fn penalised(estimator: EstimatorKind, converged: bool, zero: usize) -> Fit {
        let fit = PenalisedFit {
            means: vec![0.0; 3],
            scales: vec![1.0; 3],
            intercept: 0.0,
            coefficients: vec![1.0; 3],
            residual_sum_of_squares: 1.0,
            iterations: 10_000,
            gap: 2.5e-5,
            converged,
            zero,
            leverage_factor: None,
        };
        Fit::Penalised { estimator, fit }
    }

    fn logistic(converged: bool) -> Fit {
        Fit::Logistic(LogisticFit {
            means: vec![0.0],
            scales: vec![1.0],
            intercepts: vec![0.0],
            coefficients: vec![vec![1.0]],
            iterations: 1,
            gradient: 3e-4,
            converged,
            worst: 1.0,
            rows: 20,
            separation: None,
            log_loss: 0.5,
            leverage_factor: None,
            working: None,
            inference: None,
        })
    }

    fn fits(whole: Fit, evaluated: Fit, held_out: u64) -> Fits {
        Fits { whole, evaluated, held_out, cross_validation: None, decisions: Vec::new(), notes: Vec::new() }
    }

    #[test]
    fn the_fit_without_held_out_rows_has_its_own_convergence_note() {
        let lasso = |converged| penalised(EstimatorKind::Lasso, converged, 0);
        let note = "the fit without the held-out rows did not converge: after 10000 sweeps the duality gap is 2.5e-5 of \
                    the initial objective";
        assert_eq!(fits(lasso(true), lasso(false), 20).notes(&[], &[]), [note]);
        assert_eq!(fits(lasso(true), lasso(true), 20).notes(&[], &[]), [""; 0]);
        let note = "the fit without the held-out rows did not converge: after 1 iteration the largest component of the \
                    gradient is 3.0e-4";
        assert_eq!(fits(logistic(true), logistic(false), 20).notes(&[], &[]), [note]);
    }

    #[test]
    fn without_held_out_rows_there_is_one_fit_and_one_note() {
        let notes = fits(logistic(false), logistic(false), 0).notes(&[], &[]);
        let note = "the fit did not converge: after 1 iteration the largest component of the gradient is 3.0e-4";
        assert_eq!(notes, [note]);
    }

    #[test]
    fn candidates_that_did_not_converge_are_counted() {
        let candidate = |converged| Candidate { alpha: 1.0, score: 2.0, standard_error: 0.5, nonzero: 3, converged };
        let notes = |path: Vec<Candidate>| {
            let result = CrossValidationResult { alpha: 1.0, best: 1.0, path, rule: SelectionRule::Best, folds: 5 };
            let ridge = || penalised(EstimatorKind::Ridge, true, 0);
            Fits { cross_validation: Some(result), ..fits(ridge(), ridge(), 20) }.notes(&[], &[])
        };
        let note =
            "2 of the 3 regularization strengths in cross-validation did not converge: their errors are not reliable";
        assert_eq!(notes(vec![candidate(true), candidate(false), candidate(false)])[1..], [note]);
        assert_eq!(notes(vec![candidate(true); 3]).len(), 1);
    }

    #[test]
    fn the_selected_strength_has_six_digits_and_a_note_at_the_ends_of_the_path() {
        let candidate = |alpha| Candidate { alpha, score: 1e-9, standard_error: 0.5, nonzero: 3, converged: true };
        let notes = |alpha, fit: &dyn Fn() -> Fit| {
            let path = vec![candidate(10_000.0), candidate(1.093_115_208_124_194_4), candidate(0.0001)];
            let result = CrossValidationResult { alpha, best: alpha, path, rule: SelectionRule::Best, folds: 5 };
            Fits { cross_validation: Some(result), ..fits(fit(), fit(), 0) }.notes(&[], &[])
        };
        let ridge = || penalised(EstimatorKind::Ridge, true, 0);
        let selected = "cross-validation selected alpha = 1.09312 among 3 candidates (mean squared error 1e-9 ± 0.5)";
        assert_eq!(notes(1.093_115_208_124_194_4, &ridge), [selected]);
        let classes = || logistic(true);
        let ends: [(f64, &dyn Fn() -> Fit); 4] =
            [(10_000.0, &ridge), (0.0001, &ridge), (10_000.0, &classes), (0.0001, &classes)];
        let first_words = ends.map(|(alpha, fit)| notes(alpha, fit)[1].split(':').next().unwrap().to_owned());
        assert_eq!(
            first_words,
            ["largest alpha", "smallest alpha", "smallest C", "largest C"]
                .map(|end| format!("this is the {end} of the path"))
        );
        assert!(notes(0.0001, &classes)[0].starts_with("cross-validation selected C = 10000"));
        assert!(notes(10_000.0, &|| penalised(EstimatorKind::Lasso, true, 0))[1].contains("every coefficient is zero"));
    }

    #[test]
    fn zeros_have_a_note_where_the_penalty_has_absolute_values() {
        let notes = |estimator, zero| {
            fits(penalised(estimator, true, zero), penalised(estimator, true, zero), 20).notes(&[], &[])
        };
        assert_eq!(notes(EstimatorKind::Lasso, 2), ["2 of 3 coefficients are exactly zero"]);
        assert_eq!(notes(EstimatorKind::ElasticNet, 1), ["1 of 3 coefficients is exactly zero"]);
        assert_eq!(notes(EstimatorKind::Ridge, 2), [""; 0]);
    }
}
