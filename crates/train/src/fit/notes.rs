//! What a reader should know of fits: how a price was chosen, what has not converged, which coefficients say little.

use super::{Fits, Fitted};
use crate::Estimator;
use crate::solver::cross_validation::Choice;
use crate::solver::least_squares::LeastSquares;
use crate::summary::{Summary, significant};
use ordinate_model::preprocess::DesignColumn;
use ordinate_model::wording::counted;

/// The variance inflation from which on a column has less than a hundred-thousandth of its length to its own.
const INFLATED: f64 = 1e10;

impl Fits {
    /// What a reader should know of them, fitted to a design of these columns.
    pub(crate) fn notes(&self, columns: &[DesignColumn]) -> Vec<String> {
        let estimator = self.whole.estimator();
        let mut notes: Vec<String> = self.choice.iter().map(|choice| chosen(choice, estimator)).collect();
        notes.extend(self.choice.as_ref().and_then(|choice| at_an_end(choice, estimator)));
        notes.extend(self.choice.as_ref().and_then(not_converged));
        notes.extend(self.whole.notes(columns));
        // Without held-out rows both are the same fit.
        if let Some(far) = self.measured.shortfall().filter(|_| self.held_out > 0) {
            notes.push(format!("the fit that was measured has not converged: {far}"));
        }
        notes
    }
}

impl Fitted {
    /// What a reader should know of it.
    fn notes(&self, columns: &[DesignColumn]) -> Vec<String> {
        let mut notes: Vec<String> =
            self.shortfall().map(|far| format!("the fit has not converged: {far}")).into_iter().collect();
        match self {
            Self::Linear(fit) => notes.extend(of_least_squares(fit, columns)),
            // All coefficients of a ridge are zero only of a target that nothing explains.
            Self::Penalised { estimator: Estimator::Lasso | Estimator::ElasticNet, fit } if fit.zero > 0 => {
                let (zero, all) = (fit.zero, fit.coefficients.len());
                let verb = if zero == 1 { "is" } else { "are" };
                notes.push(format!("{zero} of {} {verb} exactly zero", counted(all, "coefficient", "coefficients")));
            }
            Self::Logistic(fit) if fit.separated => notes.push(
                "the classes can be told apart (nearly) without error, so only the penalty keeps coefficients \
                 finite: they say more of C than of the data"
                    .to_owned(),
            ),
            _ => {}
        }
        notes
    }

    /// How far it is from its optimum, when it has not converged.
    fn shortfall(&self) -> Option<String> {
        match self {
            Self::Penalised { fit, .. } if !fit.converged => Some(format!(
                "after {} its objective may still be {:.1e} of the whole too high",
                counted(fit.iterations, "sweep", "sweeps"),
                fit.gap
            )),
            Self::Logistic(fit) if !fit.converged => Some(format!(
                "after {} the largest slope is still {:.1e}",
                counted(fit.iterations, "iteration", "iterations"),
                fit.gradient
            )),
            _ => None,
        }
    }
}

/// What a reader should know of a least-squares fit.
fn of_least_squares(fit: &LeastSquares, columns: &[DesignColumn]) -> Vec<String> {
    let mut notes = Vec::new();
    if fit.degrees_of_freedom() == 0 {
        notes.push("the rows are as many as the coefficients: none is left to tell the noise by".to_owned());
    } else if fit.is_exact() {
        notes.push("the fit is exact: there is no noise to estimate".to_owned());
    }
    notes.extend(hardly_its_own(fit, columns));
    if fit.through_origin {
        notes.push(
            "without an intercept, R² (about zero) and F compare with a prediction of 0, not of the mean".to_owned(),
        );
    }
    notes
}

/// A power or product with less of its own than this costs predictions half of sixteen digits: so does NIST's Filip (6·10⁻⁸).
const OWN: f64 = 1e-7;

/// A power or product far from zero hardly differs from those before it. The fit knows all of its digits; a prediction is a sum
/// of large terms that cancel, in doubles.
fn hardly_its_own(fit: &LeastSquares, columns: &[DesignColumn]) -> Option<String> {
    let is_made =
        |column: &DesignColumn| column.product.iter().any(|factor| factor.power.is_some()) || column.product.len() > 1;
    let columns = columns.iter().zip(fit.own_shares()).filter(|(column, share)| *share < OWN && is_made(column));
    let (column, share) = columns.min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    Some(format!(
        "only {share:.0e} of {:?} is its own, the other columns make up the rest: predictions may lose half of their digits. \
         Subtract a value from the middle of the data before powers and products are made",
        column.name
    ))
}

/// The columns of which hardly anything is their own.
pub(crate) fn nearly_dependent(summary: &Summary) -> Option<String> {
    let inflated = summary.terms.iter().filter(|term| term.vif.is_some_and(|vif| vif > INFLATED));
    let names: Vec<String> = inflated.map(|term| format!("{:?}", term.name)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "the columns {} are nearly a combination of others (variance inflation above {INFLATED:.0e}): their coefficients \
             rest on the last digits of the data",
            names.join(", ")
        )
    })
}

/// Whose scores a choice should not have rested on.
fn not_converged(choice: &Choice) -> Option<String> {
    let count = choice.path.iter().filter(|candidate| !candidate.converged).count();
    let tried = choice.path.len();
    (count > 0)
        .then(|| format!("{count} of {tried} prices tried did not converge, so their errors are not to be relied on"))
}

/// What a choice was, in words.
fn chosen(choice: &Choice, estimator: Estimator) -> String {
    let (price, error) = match estimator {
        Estimator::Logistic => (format!("C = {}", significant(1.0 / choice.alpha)), "log loss"),
        _ => (format!("alpha = {}", significant(choice.alpha)), "mean squared error"),
    };
    let candidates = choice.path.len();
    let found = choice.path.iter().find(|candidate| candidate.alpha.total_cmp(&choice.alpha).is_eq());
    let measured = found.map_or_else(String::new, |candidate| {
        let [score, standard_error] = [candidate.score, candidate.standard_error].map(significant);
        format!(" ({error} {score} ± {standard_error} in cross-validation)")
    });
    format!("{price} was chosen among {candidates}{measured}")
}

/// What it means when the best price may be one that was not tried.
fn at_an_end(choice: &Choice, estimator: Estimator) -> Option<String> {
    let [highest, lowest] = [choice.path.first()?, choice.path.last()?].map(|candidate| candidate.alpha);
    let is = |end: f64| highest > lowest && choice.alpha.total_cmp(&end).is_eq();
    let advice = match estimator {
        Estimator::Logistic if is(highest) => {
            "that is the smallest C that was tried: the features hardly tell the classes apart. Give others, or try smaller ones \
             with --c"
        }
        Estimator::Logistic if is(lowest) => {
            "that is the largest C that was tried: hardly any penalty is needed. Try larger ones with --c"
        }
        Estimator::Ridge if is(highest) => {
            "that is the highest alpha that was tried: the features hardly predict the target. Give others, or try higher ones \
             with --alpha"
        }
        _ if is(highest) => {
            "that is the highest alpha that was tried, at which every coefficient is zero: the features predict the target no \
             better than its mean does. Give others"
        }
        _ if is(lowest) => {
            "that is the lowest alpha that was tried: hardly any penalty is needed. Try lower ones with --alpha"
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::cross_validation::{Candidate, Rule};
    use crate::solver::logistic::LogisticFit;
    use crate::solver::path::Penalised;

    fn penalised(estimator: Estimator, converged: bool, zero: usize) -> Fitted {
        let fit = Penalised {
            means: vec![0.0; 3],
            scales: vec![1.0; 3],
            intercept: 0.0,
            coefficients: vec![1.0; 3],
            residual_sum_of_squares: 1.0,
            iterations: 10_000,
            gap: 2.5e-5,
            converged,
            zero,
            spread: None,
        };
        Fitted::Penalised { estimator, fit }
    }

    fn logistic(converged: bool) -> Fitted {
        Fitted::Logistic(LogisticFit {
            means: vec![0.0],
            scales: vec![1.0],
            intercepts: vec![0.0],
            coefficients: vec![vec![1.0]],
            iterations: 1,
            gradient: 3e-4,
            converged,
            separated: false,
            log_loss: 0.5,
            spread: None,
        })
    }

    fn fits(whole: Fitted, measured: Fitted, held_out: u64) -> Fits {
        Fits { whole, measured, held_out, choice: None }
    }

    #[test]
    fn the_fit_that_was_measured_may_be_the_only_one_that_has_not_converged() {
        let of = |converged| penalised(Estimator::Lasso, converged, 0);
        let note = "the fit that was measured has not converged: after 10000 sweeps its objective may still be 2.5e-5 of \
                    the whole too high";
        assert_eq!(fits(of(true), of(false), 20).notes(&[]), [note]);
        assert_eq!(fits(of(true), of(true), 20).notes(&[]), [""; 0]);
        let note = "the fit that was measured has not converged: after 1 iteration the largest slope is still 3.0e-4";
        assert_eq!(fits(logistic(true), logistic(false), 20).notes(&[]), [note]);
    }

    #[test]
    fn where_nothing_is_held_out_there_is_one_fit_and_one_note() {
        let notes = fits(logistic(false), logistic(false), 0).notes(&[]);
        assert_eq!(notes, ["the fit has not converged: after 1 iteration the largest slope is still 3.0e-4"]);
    }

    #[test]
    fn prices_whose_fits_have_not_converged_are_counted() {
        let of = |converged| Candidate { alpha: 1.0, score: 2.0, standard_error: 0.5, nonzero: 3, converged };
        let notes = |path: Vec<Candidate>| {
            let choice = Some(Choice { alpha: 1.0, best: 1.0, path, rule: Rule::Best });
            let whole = penalised(Estimator::Ridge, true, 0);
            Fits { choice, ..fits(whole, penalised(Estimator::Ridge, true, 0), 20) }.notes(&[])
        };
        let note = "2 of 3 prices tried did not converge, so their errors are not to be relied on";
        assert_eq!(notes(vec![of(true), of(false), of(false)])[1..], [note]);
        assert_eq!(notes(vec![of(true); 3]).len(), 1);
    }

    #[test]
    fn a_price_is_told_as_people_write_it_and_that_it_is_the_last_one_tried() {
        let of = |alpha| Candidate { alpha, score: 1e-9, standard_error: 0.5, nonzero: 3, converged: true };
        let notes = |alpha, fit: &dyn Fn() -> Fitted| {
            let path = vec![of(10_000.0), of(1.093_115_208_124_194_4), of(0.0001)];
            let choice = Some(Choice { alpha, best: alpha, path, rule: Rule::Best });
            Fits { choice, ..fits(fit(), fit(), 0) }.notes(&[])
        };
        let ridge = || penalised(Estimator::Ridge, true, 0);
        let chosen = notes(1.093_115_208_124_194_4, &ridge);
        assert_eq!(chosen, ["alpha = 1.09312 was chosen among 3 (mean squared error 1e-9 ± 0.5 in cross-validation)"]);
        let classes = || logistic(true);
        let ends: [(f64, &dyn Fn() -> Fitted); 4] =
            [(10_000.0, &ridge), (0.0001, &ridge), (10_000.0, &classes), (0.0001, &classes)];
        let told = ends.map(|(alpha, fit)| notes(alpha, fit)[1].split(':').next().unwrap().to_owned());
        assert_eq!(
            told,
            ["highest alpha", "lowest alpha", "smallest C", "largest C"]
                .map(|end| format!("that is the {end} that was tried"))
        );
        assert!(notes(0.0001, &classes)[0].starts_with("C = 10000 was chosen"));
        assert!(notes(10_000.0, &|| penalised(Estimator::Lasso, true, 0))[1].contains("every coefficient is zero"));
    }

    #[test]
    fn only_where_sizes_cost_something_are_zeros_worth_a_note() {
        let of =
            |estimator, zero| fits(penalised(estimator, true, zero), penalised(estimator, true, zero), 20).notes(&[]);
        assert_eq!(of(Estimator::Lasso, 2), ["2 of 3 coefficients are exactly zero"]);
        assert_eq!(of(Estimator::ElasticNet, 1), ["1 of 3 coefficients is exactly zero"]);
        assert_eq!(of(Estimator::Ridge, 2), [""; 0]);
    }
}
