//! Probabilities that mean what they say: one temperature for all scores, by the rows that a fit has not seen.
//!
//! A fit is surer of the rows it saw than of new ones, the more so the more columns it has for its rows. Dividing all scores
//! by one temperature (Guo et al., 2017; Platt scaling without its intercept) mends that, and changes no label.

use super::curves::{Score, calibrate};
use ordinate_model::inference::Conformal;

/// The fewest rows, of at least two classes, that a temperature is fitted to.
pub const LEAST_ROWS: usize = 10;

/// The logarithm of the temperature is taken to be normal about 0 with this standard deviation before any row is seen: few
/// rows change little. Of 100 and 150 rows of 20 columns, a fifth held out, it gave a lower log loss on new rows than maximum
/// likelihood, and than no calibration (0.568 to 0.547, 0.529 to 0.520). Where a fit is hardly too sure, calibration costs a little: of 300
/// rows of 20 columns 0.474 to 0.477, of 100 rows of 10 columns 0.508 to 0.512, of 150 rows of them 0.471 to 0.481 (simulated).
const PRIOR: f64 = 0.5;

/// Factors on scores that are looked at: where held-out rows are told apart without error there is no greatest.
const FACTORS: [f64; 2] = [0.1, 10.0];

/// What a model said to rows that it had not seen, and what they are.
#[derive(Debug, Clone, PartialEq)]
pub enum Errors {
    /// Absolute residuals.
    Values(Vec<f64>),
    /// Classes.
    Classes(Vec<Likelihoods>),
}

/// The probabilities of a row's classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Likelihoods {
    /// The position of its class.
    pub actual: usize,
    /// How much it counts.
    pub weight: f64,
    /// One a class.
    pub probabilities: Box<[f64]>,
}

/// A temperature, and what it makes of the rows it was fitted to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// What scores are divided by.
    pub temperature: f64,
    /// Whether that is an end of the range in which it is looked for, rather than a measurement.
    pub at_limit: bool,
    /// Rows that it was fitted to.
    pub rows: usize,
    /// Of the probabilities as fitted.
    pub before: Reliability,
    /// Of the calibrated ones. These rows chose the temperature: on new ones it is somewhat worse.
    pub after: Reliability,
}

/// How far probabilities are from shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliability {
    /// The factor on the scores that fits the rows best, by maximum likelihood: 1 when they are neither too sure nor too cautious,
    /// below 1 when they are too sure. None when it is not between 0.1 and 10: rows whose classes are predicted without error
    /// have no greatest factor.
    pub slope: Option<f64>,
    /// The expected calibration error: the mean distance between the probability and the share of rows for which it came true,
    /// over at most ten bins of equally many rows.
    pub error: f64,
}

impl Errors {
    /// What conformal prediction goes by, with scores divided by this temperature.
    #[must_use]
    pub fn conformal(&self, temperature: Option<f64>) -> Conformal {
        Conformal::new(match self {
            Self::Values(residuals) => residuals.clone(),
            Self::Classes(rows) => {
                let lacking = |row: &Likelihoods| {
                    let own = match temperature {
                        Some(temperature) => row.scaled(1.0 / temperature).get(row.actual).copied(),
                        None => row.probabilities.get(row.actual).copied(),
                    };
                    (1.0 - own.unwrap_or(0.0)).max(0.0)
                };
                rows.iter().map(lacking).collect()
            }
        })
    }

    /// The temperature of classes; none of numbers, of too few rows, and of rows that are all of one class.
    #[must_use]
    pub fn calibration(&self) -> Option<Calibration> {
        let Self::Classes(rows) = self else { return None };
        let first = rows.first()?.actual;
        if rows.len() < LEAST_ROWS || rows.iter().all(|row| row.actual == first) {
            return None;
        }
        let scores: Vec<Scores> = rows.iter().map(Likelihoods::scores).collect();
        let (factor, at_limit) = likeliest(&scores, Some(PRIOR));
        let temperature = 1.0 / factor;
        let slope = Some(likeliest(&scores, None)).filter(|(_, at_limit)| !at_limit).map(|(factor, _)| factor);
        Some(Calibration {
            temperature,
            at_limit,
            rows: rows.len(),
            before: Reliability { slope, error: error(rows, 1.0) },
            after: Reliability { slope: slope.map(|slope| slope * temperature), error: error(rows, 1.0 / temperature) },
        })
    }
}

/// What a reader should know of it.
#[must_use]
pub fn calibrated(calibration: Option<&Calibration>) -> String {
    let Some(Calibration { temperature, at_limit, rows, before, after }) = calibration else {
        return format!(
            "the probabilities are not calibrated: calibration needs at least {LEAST_ROWS} held-out rows of two or more classes"
        );
    };
    let limit = if *at_limit { ", the limit of the search" } else { "" };
    let slopes = match before.slope.zip(after.slope) {
        Some((before, after)) => format!("calibration slope {before:.2} before, {after:.2} after"),
        None => format!("no calibration slope between {} and {} fits them", FACTORS[0], FACTORS[1]),
    };
    format!(
        "the probabilities are calibrated: scores are divided by the temperature {temperature:.3}{limit}, fitted to the {rows} held-out rows \
         ({slopes}; expected calibration error {:.3} before, {:.3} after). \
         The metrics and charts are those before calibration",
        before.error, after.error
    )
}

/// The logarithms of a row's probabilities, which are its scores but for a constant: slow, and the same for every factor.
struct Scores {
    all: Box<[f64]>,
    most: f64,
    /// Of the row's class.
    own: f64,
    weight: f64,
}

impl Likelihoods {
    fn scores(&self) -> Scores {
        let all: Box<[f64]> = self.probabilities.iter().map(|p| libm::log(p.max(f64::MIN_POSITIVE))).collect();
        let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let own = all.get(self.actual).copied().unwrap_or(0.0);
        Scores { all, most, own, weight: self.weight }
    }

    /// The probabilities that scores times this factor give.
    fn scaled(&self, factor: f64) -> Vec<f64> {
        self.scores().scaled(factor)
    }
}

impl Scores {
    /// The probabilities that they give times this factor.
    fn scaled(&self, factor: f64) -> Vec<f64> {
        let mut scaled: Vec<f64> = self.all.iter().map(|score| libm::exp(factor * (score - self.most))).collect();
        let total: f64 = scaled.iter().sum();
        for p in &mut scaled {
            *p /= total;
        }
        scaled
    }

    /// The derivative of the row's log loss by the factor.
    fn slope(&self, factor: f64) -> f64 {
        let (mut total, mut slope) = (0.0, 0.0);
        for score in &self.all {
            let exponential = libm::exp(factor * (score - self.most));
            total += exponential;
            slope += exponential * (score - self.own);
        }
        slope / total
    }
}

/// The factor on the scores under which the classes are likeliest, given how its logarithm is spread beforehand, and whether it is
/// one of the limits: the loss falls on beyond.
fn likeliest(rows: &[Scores], prior: Option<f64>) -> (f64, bool) {
    let weight = rows.iter().map(|row| row.weight).sum::<f64>() / rows.len() as f64;
    // Upwards of the best factor the loss rises, downwards it falls: its slope by the factor's logarithm is halved in on.
    let rises = |logarithm: f64| {
        let factor = libm::exp(logarithm);
        let loss: f64 = rows.iter().map(|row| row.weight / weight * factor * row.slope(factor)).sum();
        loss + prior.map_or(0.0, |deviation| logarithm / (deviation * deviation)) > 0.0
    };
    let [mut low, mut high] = FACTORS.map(libm::log);
    if let Some(limit) = [(low, rises(low)), (high, !rises(high))].into_iter().find(|(_, is_best)| *is_best) {
        return (libm::exp(limit.0), true);
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        *(if rises(middle) { &mut high } else { &mut low }) = middle;
    }
    (libm::exp(f64::midpoint(low, high)), false)
}

/// The expected calibration error: of two classes by the probability of the second, of more by that of the likeliest.
fn error(rows: &[Likelihoods], factor: f64) -> f64 {
    let score = |row: &Likelihoods| {
        let probabilities = row.scaled(factor);
        let (mut class, mut value) = (1, probabilities.get(1).copied().unwrap_or(0.0));
        if probabilities.len() > 2 {
            for (other, p) in probabilities.iter().enumerate() {
                if *p > value {
                    (class, value) = (other, *p);
                }
            }
        }
        Score { value, positive: row.actual == class, weight: row.weight }
    };
    let bins = calibrate(rows.iter().map(score).collect());
    let distance: f64 = bins.iter().map(|bin| bin.rows as f64 * (bin.predicted - bin.share).abs()).sum();
    distance / rows.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of two classes whose log-odds are `factor` times what they ought to be.
    fn rows(factor: f64, count: usize) -> Errors {
        let row = |number: usize| {
            let odds = (number % 13) as f64 / 3.0 - 2.0;
            let p = 1.0 / (1.0 + (-odds).exp());
            let said = 1.0 / (1.0 + (-factor * odds).exp());
            // A share of p of the rows of each log-odds, as evenly as whole rows allow.
            let actual = usize::from((number / 13) as f64 % 100.0 + 0.5 < 100.0 * p);
            Likelihoods { actual, weight: 1.0, probabilities: [1.0 - said, said].into() }
        };
        Errors::Classes((0..count).map(row).collect())
    }

    #[test]
    fn the_temperature_is_what_scores_were_exaggerated_by() {
        for factor in [0.5, 1.0, 2.0, 4.0] {
            let calibration = rows(factor, 13_000).calibration().unwrap();
            assert!((calibration.temperature / factor - 1.0).abs() < 0.02, "{calibration:?}");
            assert!((calibration.before.slope.unwrap() * factor - 1.0).abs() < 0.02, "{calibration:?}");
            assert!((calibration.after.slope.unwrap() - 1.0).abs() < 0.01, "{calibration:?}");
            assert!(calibration.after.error < 0.01, "{calibration:?}");
            assert!((factor - 1.0).abs() < 0.1 || calibration.before.error > 0.05, "{calibration:?}");
        }
    }

    #[test]
    fn few_rows_change_little_and_rows_without_errors_no_more_than_the_prior_allows() {
        let sure = |actual: usize| Likelihoods {
            actual,
            weight: 1.0,
            probabilities: if actual == 0 { [0.9, 0.1] } else { [0.1, 0.9] }.into(),
        };
        let of = |rows: usize| Errors::Classes((0..rows).map(|row| sure(row % 2)).collect()).calibration();
        let temperature = of(LEAST_ROWS).unwrap().temperature;
        assert!((0.5..1.0).contains(&temperature), "{temperature}");
        assert_eq!(of(LEAST_ROWS - 1), None);
        assert_eq!(Errors::Classes(vec![sure(1); 100]).calibration(), None);
        assert_eq!(Errors::Values(vec![1.0; 100]).calibration(), None);
    }

    #[test]
    fn a_limit_of_the_search_is_not_reported_as_a_measurement() {
        let separated = |rows: usize| {
            let probabilities = |class: usize| if class == 0 { [0.6, 0.4] } else { [0.4, 0.6] };
            let row =
                |row: usize| Likelihoods { actual: row % 2, weight: 1.0, probabilities: probabilities(row % 2).into() };
            Errors::Classes((0..rows).map(row).collect()).calibration().unwrap()
        };
        let few = separated(40);
        assert!(few.before.slope.is_none() && few.after.slope.is_none() && !few.at_limit, "{few:?}");
        let many = separated(100_000);
        assert!(many.at_limit && (many.temperature - 0.1).abs() < 1e-15, "{many:?}");
        let note = calibrated(Some(&many));
        assert!(
            note.contains("0.100, the limit of the search") && note.contains("no calibration slope between 0.1 and 10")
        );
        // The classes are always the other ones: the smallest factor is the best.
        let swapped = |row: usize| Likelihoods {
            actual: row % 2,
            weight: 1.0,
            probabilities: [[0.1, 0.9], [0.9, 0.1]][row % 2].into(),
        };
        let wrong = Errors::Classes((0..1000).map(swapped).collect()).calibration().unwrap();
        assert!(
            wrong.at_limit && (wrong.temperature - 10.0).abs() < 1e-13 && wrong.before.slope.is_none(),
            "{wrong:?}"
        );
    }

    #[test]
    fn conformal_scores_are_those_of_calibrated_probabilities() {
        let row = Likelihoods { actual: 1, weight: 1.0, probabilities: [0.2, 0.8].into() };
        let errors = Errors::Classes(vec![row]);
        assert_eq!(errors.conformal(None).scores, [1.0 - 0.8]);
        // The square root of odds of 4 is 2.
        assert!((errors.conformal(Some(2.0)).scores[0] - 1.0 / 3.0).abs() < 1e-15);
    }
}
