//! Families of generalised linear models with a log link: the mean is e to the power of the linear predictor.

/// Below this `|a − b| / (a + b)`, a series has more digits than the logarithm of the quotient, and a dozen terms.
const NEARLY_EQUAL: f64 = 0.1;

/// The distribution of the target around its mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Counts, or other numbers of at least zero, whose variance is proportional to the mean.
    Poisson,
    /// Positive numbers whose standard deviation is proportional to the mean.
    Gamma,
}

impl Family {
    /// The name in model files and options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Poisson => "poisson",
            Self::Gamma => "gamma",
        }
    }

    /// Whether the family has a target of this value.
    #[must_use]
    pub fn has(self, target: f64) -> bool {
        match self {
            Self::Poisson => target >= 0.0,
            Self::Gamma => target > 0.0,
        }
    }

    /// The targets that the family has, in messages.
    #[must_use]
    pub fn targets(self) -> &'static str {
        match self {
            Self::Poisson => "a number of at least zero",
            Self::Gamma => "a number greater than zero",
        }
    }

    /// The standard deviation of a target of this mean, for a dispersion of 1: the root of the variance function.
    #[must_use]
    pub fn deviation(self, mean: f64) -> f64 {
        match self {
            Self::Poisson => mean.sqrt(),
            Self::Gamma => mean,
        }
    }

    /// The expected second derivative of half of the deviance of a row by its linear predictor.
    #[must_use]
    pub fn working_weight(self, mean: f64) -> f64 {
        match self {
            Self::Poisson => mean,
            Self::Gamma => 1.0,
        }
    }

    /// `(target − mean) / deviation`; 0 for a target of 0 with a mean of 0.
    #[must_use]
    pub fn pearson_residual(self, target: f64, mean: f64) -> f64 {
        let residual = target - mean;
        if residual == 0.0 { 0.0 } else { residual / self.deviation(mean) }
    }

    /// A target as a multiple of its exposure, and its weight where a constant rate is fitted: the deviance of `rate · exposure`
    /// with the weight of the row is the deviance of the rate with this weight.
    #[must_use]
    pub fn rate(self, target: f64, weight: f64, exposure: f64) -> (f64, f64) {
        let weight = match self {
            Self::Poisson => weight * exposure,
            Self::Gamma => weight,
        };
        (target / exposure, weight)
    }

    /// The deviance of one row (McCullagh and Nelder, *Generalized Linear Models*, 1989, table 2.1): twice the
    /// log-likelihood of a perfect fit minus that of the fit, for a dispersion of 1. It is infinite for a target above
    /// zero with a mean of 0.
    #[must_use]
    pub fn deviance(self, target: f64, mean: f64) -> f64 {
        match self {
            _ if mean == 0.0 && target > 0.0 => f64::INFINITY,
            Self::Poisson if target == 0.0 => 2.0 * mean,
            Self::Poisson => 2.0 * relative_entropy(target, mean),
            Self::Gamma => 2.0 * (relative_entropy(mean, target) / mean),
        }
    }
}

/// `a ln(a/b) + b − a` of positive numbers, with all digits where they are nearly equal: with `v = (a − b) / (a + b)`,
/// the series `(a − b) v + 2 a (v³/3 + v⁵/5 + …)` (Loader, *Fast and Accurate Computation of Binomial Probabilities*,
/// 2000).
fn relative_entropy(a: f64, b: f64) -> f64 {
    let difference = a - b;
    let ratio = difference / (a + b);
    // Also false for sums that overflow.
    if ratio.abs() < NEARLY_EQUAL && a + b < f64::INFINITY {
        let mut sum = difference * ratio;
        let mut term = 2.0 * a * ratio;
        let mut divisor = 1.0;
        loop {
            term *= ratio * ratio;
            divisor += 2.0;
            let next = sum + term / divisor;
            if next.to_bits() == sum.to_bits() || !next.is_finite() {
                return next.max(0.0);
            }
            sum = next;
        }
    }
    // Rounding errors are not below zero.
    (a * libm::log(a / b) - difference).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats`: twice the difference of log-likelihoods of Poisson(3) and Poisson(2) at 3, and so on.
    #[test]
    fn a_deviance_is_twice_a_difference_of_log_likelihoods() {
        let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-14, "{got} {expected}");
        near(Family::Poisson.deviance(3.0, 2.0), 6.0 * 1.5_f64.ln() - 2.0);
        near(Family::Poisson.deviance(0.0, 2.0), 4.0);
        near(Family::Gamma.deviance(3.0, 2.0), 1.0 - 2.0 * 1.5_f64.ln());
        near(Family::Gamma.deviance(2.0, 2.0), 0.0);
        near(Family::Gamma.deviation(2.0) + Family::Poisson.deviation(9.0), 5.0);
    }

    /// mpmath, with 40 digits.
    #[test]
    fn a_deviance_has_all_digits_where_target_and_mean_are_large_or_nearly_equal() {
        let cases = [
            (Family::Poisson, 1e9, 1_000_031_623.0, 0.999_993_047_202_133_9),
            (Family::Poisson, 123_456_789_012.0, 123_456_700_000.0, 0.064_177_434_192_012_03),
            (Family::Poisson, 7.0, 7.5, 0.034_099_799_182_679_68),
            (Family::Poisson, 9.0, 11.001, 0.388_291_192_420_573),
            (Family::Poisson, 9.0, 10.999, 0.387_563_919_702_316_4),
            (Family::Gamma, 1.0, 1.0001, 9.998_666_816_648_466e-9),
            (Family::Gamma, 2.5e-7, 2.6e-7, 0.001_518_349_383_485_672_6),
            (Family::Gamma, 3e8, 1e8, 1.802_775_422_663_780_6),
            (Family::Gamma, 5.0, 5.000_000_001, 4.000_000_660_856_328e-20),
        ];
        for (family, target, mean, expected) in cases {
            let got = family.deviance(target, mean);
            assert!((got - expected).abs() <= 1e-14 * expected, "{family:?} {target} {mean}: {got} {expected}");
        }
    }

    #[test]
    fn a_mean_of_zero_is_exact_for_a_target_of_zero_and_infinitely_wrong_for_others() {
        let numbers = |family: Family, target: f64| {
            [family.deviance(target, 0.0), family.pearson_residual(target, 0.0)].map(|number| number.to_string())
        };
        assert_eq!(numbers(Family::Poisson, 0.0), ["0", "0"]);
        assert_eq!(numbers(Family::Poisson, 3.0), ["inf", "inf"]);
        assert_eq!(numbers(Family::Gamma, 3.0), ["inf", "inf"]);
    }

    #[test]
    fn the_deviance_of_a_rate_is_that_of_its_target() {
        for family in [Family::Poisson, Family::Gamma] {
            let (rate, weight) = family.rate(3.0, 0.5, 4.0);
            let of_target = 0.5 * family.deviance(3.0, 2.0 * 4.0);
            assert!((weight * family.deviance(rate, 2.0) - of_target).abs() < 1e-14, "{family:?}");
        }
    }

    #[test]
    fn counts_may_be_zero_and_gamma_targets_may_not() {
        assert!(Family::Poisson.has(0.0) && Family::Poisson.has(2.5) && !Family::Poisson.has(-1.0));
        assert!(Family::Gamma.has(1e-9) && !Family::Gamma.has(0.0) && !Family::Gamma.has(f64::NAN));
    }
}
