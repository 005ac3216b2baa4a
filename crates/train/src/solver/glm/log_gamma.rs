//! The logarithm of the gamma function without its largest terms, which cancel in log-likelihoods.

/// From here on, five terms of Stirling's series have all digits of a double.
const LARGE: f64 = 16.0;

const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// `ln Γ(x) − x ln x + x` of a positive number.
pub(super) fn log_gamma_remainder(x: f64) -> f64 {
    if x < LARGE {
        return libm::lgamma(x) - x * libm::log(x) + x;
    }
    HALF_LOG_TWO_PI - 0.5 * libm::log(x) + stirling_error(x)
}

/// `ln x! − x ln x + x` of a number of at least 0.
pub(super) fn log_factorial_remainder(x: f64) -> f64 {
    if x == 0.0 {
        return 0.0;
    }
    if x < LARGE {
        return libm::lgamma(x + 1.0) - x * libm::log(x) + x;
    }
    HALF_LOG_TWO_PI + 0.5 * libm::log(x) + stirling_error(x)
}

/// `1/12x − 1/360x³ + 1/1260x⁵ − 1/1680x⁷ + 1/1188x⁹`
fn stirling_error(x: f64) -> f64 {
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    inverse
        * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mpmath, with 40 digits.
    #[test]
    fn remainders_have_the_digits_of_a_double() {
        let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-14, "{got} {expected}");
        near(log_gamma_remainder(0.3), 1.756_989_836_115_856);
        near(log_factorial_remainder(0.3), 0.553_017_031_789_920_3);
        near(log_gamma_remainder(5.0), 0.130_864_268_177_443_7);
        near(log_factorial_remainder(5.0), 1.740_302_180_611_544);
        near(log_gamma_remainder(31.5), -0.803_409_825_912_228_2);
        near(log_factorial_remainder(31.5), 2.646_577_719_919_359);
        near(log_gamma_remainder(32.5), -0.819_117_489_795_621_9);
        near(log_factorial_remainder(32.5), 2.662_122_599_540_07);
        near(log_gamma_remainder(1e6), -5.988_816_662_444_131);
        near(log_factorial_remainder(1e6), 7.826_693_895_520_143);
        near(log_gamma_remainder(1e9), -9.442_694_385_185_2);
        near(log_factorial_remainder(1e9), 11.280_571_451_761_21);
        near(log_factorial_remainder(0.0), 0.0);
    }
}
