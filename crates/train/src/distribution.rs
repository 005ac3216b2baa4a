//! Tails of the t, F, normal and χ² distributions.
//!
//! statrs 0.18 computes the regularised incomplete beta function. Compared with mpmath (40 digits) on 24,000 random
//! tails, it agrees to 4e-12 up to 500 degrees of freedom (half of them to 4e-14), however small the tail, and to 4e-10
//! at 1e6.

use statrs::function::beta::checked_beta_reg;
use statrs::function::gamma::checked_gamma_ur;

/// The probability that |T| is at least `|t|`; none when it is undefined.
pub(super) fn student_two_sided(t: f64, freedom: f64) -> Option<f64> {
    let square = t * t;
    // For a small t, freedom ÷ (freedom + t²) is so close to 1 that it loses digits; its complement does not.
    if square < 1.0 {
        return beta(0.5, freedom / 2.0, square / (freedom + square)).map(|complement| 1.0 - complement);
    }
    beta(freedom / 2.0, 0.5, freedom / (freedom + square))
}

/// The probability that F is at least `f`; none when it is undefined.
pub(super) fn fisher_upper(f: f64, numerator: f64, denominator: f64) -> Option<f64> {
    beta(denominator / 2.0, numerator / 2.0, denominator / (denominator + numerator * f))
}

/// The probability that a standard normal variable is at least `|z|` from zero.
#[must_use]
pub fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The probability that χ² is at least `value`; none when it is undefined.
#[must_use]
pub fn chi_squared_upper(value: f64, freedom: f64) -> Option<f64> {
    checked_gamma_ur(freedom / 2.0, value / 2.0).ok().filter(|p| p.is_finite())
}

fn beta(a: f64, b: f64, x: f64) -> Option<f64> {
    checked_beta_reg(a, b, x).ok().filter(|p| p.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(got: Option<f64>, expected: f64, tolerance: f64) {
        let error = (got.unwrap() - expected).abs() / expected.abs();
        assert!(error <= tolerance, "{got:?} is not {expected}: {error:e}");
    }

    /// `mpmath.betainc(df/2, 1/2, 0, df/(df + t²), regularized=True)` with 40 digits
    #[test]
    fn small_tails_have_all_digits() {
        for (t, freedom, expected, tolerance) in [
            (1e-3, 5.0, 0.999_240_786_772_197_6, 1e-15),
            (1.407_869_697_211_654_5e-3, 494.0, 0.998_877_251_212_926_6, 1e-15),
            (1e-9, 83.0, 0.999_999_999_204_515, 1e-15),
            (0.5, 1.0, 0.704_832_764_699_133_5, 1e-12),
            (2.0, 3.0, 0.139_325_968_558_843_2, 1e-12),
            (2.0, 30.0, 0.054_625_044_962_983_1, 1e-12),
            (5.0, 431.0, 8.356_934_418_941_963e-7, 1e-12),
            (-30.0, 431.0, 1.375_368_414_949_959e-107, 1e-12),
            (1e4, 9.0, 5.091_792_199_508_464e-33, 1e-12),
            (3.0, 99_980.0, 2.700_461_017_064_190_3e-3, 1e-11),
            (6.0, 1e6, 1.973_849_812_354_434_6e-9, 1e-9),
        ] {
            assert_close(student_two_sided(t, freedom), expected, tolerance);
        }
        for (f, numerator, denominator, expected, tolerance) in [
            (46.27, 10.0, 431.0, 3.850_849_480_866_882e-62, 1e-12),
            (330.285, 6.0, 9.0, 4.984_053_422_648_47e-10, 1e-12),
            (1e5, 1.0, 2.0, 9.999_850_002_499_956e-6, 1e-12),
            (3.0, 5.0, 1e6, 0.010_362_722_474_801_49, 1e-9),
        ] {
            assert_close(fisher_upper(f, numerator, denominator), expected, tolerance);
        }
    }

    #[test]
    fn undefined_probabilities_are_none() {
        assert_eq!(student_two_sided(f64::NAN, 3.0), None);
        assert_eq!(student_two_sided(1.0, 0.0), None);
        assert_eq!(fisher_upper(f64::INFINITY, 1.0, 1.0), Some(0.0));
    }
}
