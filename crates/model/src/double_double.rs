//! Double-double arithmetic: a number is the unevaluated sum of two doubles, with about 32 digits.
//!
//! Knuth's two-sum and the fused two-product give the rounding error of an operation exactly; the sums follow Hida, Li
//! and Bailey, *Library for Double-Double and Quad-Double Arithmetic* (2007). They are needed where rounding to doubles
//! limits accuracy: powers of numbers far from zero differ in their last digits only, and a residual is the small
//! difference of large numbers.

// The exact operations are inlined into loops that are compiled for several instruction sets.
#![allow(clippy::inline_always)]

use std::ops::{Add, Div, Mul, Sub};

/// An unevaluated sum `high + low` in which `low` is at most half a unit in the last place of `high`.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct DoubleDouble {
    high: f64,
    low: f64,
}

impl DoubleDouble {
    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        self.high + self.low
    }

    /// `self` to the power of `exponent`.
    pub fn power(self, exponent: u32) -> Self {
        match exponent {
            0 => Self::from(1.0),
            1 => self,
            _ => {
                let root = self.power(exponent / 2);
                let square = root * root;
                if exponent % 2 == 1 { square * self } else { square }
            }
        }
    }

    /// The nearest double, and the rest.
    pub fn parts(self) -> (f64, f64) {
        (self.high, self.low)
    }
}

impl From<f64> for DoubleDouble {
    fn from(value: f64) -> Self {
        Self { high: value, low: 0.0 }
    }
}

/// The inverse of [`DoubleDouble::parts`].
impl From<(f64, f64)> for DoubleDouble {
    fn from((high, low): (f64, f64)) -> Self {
        Self { high, low }
    }
}

impl Add for DoubleDouble {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, other.high);
        let (low, rest) = two_sum(self.low, other.low);
        let (high, low) = quick_two_sum(high, error + low);
        let (high, low) = quick_two_sum(high, low + rest);
        Self { high, low }
    }
}

impl Sub for DoubleDouble {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self { high: -other.high, low: -other.low }
    }
}

impl Mul for DoubleDouble {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let (product, lost) = two_product(self.high, other.high);
        let cross = self.high.mul_add(other.low, self.low * other.high);
        let (high, low) = quick_two_sum(product, lost + cross);
        Self { high, low }
    }
}

impl Div for DoubleDouble {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let quotient = self.high / other.high;
        let rest = self - other * Self::from(quotient);
        let (high, low) = quick_two_sum(quotient, rest.to_f64() / other.high);
        Self { high, low }
    }
}

/// `left + right` and the error of that addition.
#[inline(always)]
pub fn two_sum(left: f64, right: f64) -> (f64, f64) {
    let sum = left + right;
    let part = sum - left;
    (sum, (left - (sum - part)) + (right - part))
}

/// [`two_sum`] for |left| ≥ |right|.
fn quick_two_sum(left: f64, right: f64) -> (f64, f64) {
    let sum = left + right;
    (sum, right - (sum - left))
}

/// `left · right` and the error of that product.
#[inline(always)]
pub fn two_product(left: f64, right: f64) -> (f64, f64) {
    let product = left * right;
    (product, left.mul_add(right, -product))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)] // Exact by construction.

    use super::*;

    #[test]
    fn a_sum_keeps_digits_that_a_double_would_drop() {
        let sum = DoubleDouble::from(1e16) + DoubleDouble::from(1.0) - DoubleDouble::from(1e16);
        assert_eq!(sum.to_f64(), 1.0);
        assert_eq!(1e16 + 1.0 - 1e16, 0.0, "plain doubles lose the one");
    }

    #[test]
    fn a_product_keeps_its_rounding_error() {
        let epsilon = 2.0_f64.powi(-40);
        let square = DoubleDouble::from(1.0 + epsilon) * DoubleDouble::from(1.0 + epsilon);
        let rest = square - DoubleDouble::from(1.0) - DoubleDouble::from(2.0 * epsilon);
        assert_eq!(rest.to_f64(), epsilon * epsilon);
    }

    #[test]
    fn a_quotient_keeps_its_rounding_error() {
        let third = DoubleDouble::from(1.0) / DoubleDouble::from(3.0);
        let rest = DoubleDouble::from(1.0) - third * DoubleDouble::from(3.0);
        assert!(rest.to_f64().abs() < 1e-31, "{rest:?}");
        let rest = DoubleDouble::from(1.0) / third - DoubleDouble::from(3.0);
        assert!(rest.to_f64().abs() < 1e-31, "{rest:?}");
    }

    #[test]
    fn a_power_keeps_the_digits_that_a_double_rounds_off() {
        // 3⁴⁰ = 12 157 665 459 056 928 801 needs 64 bits.
        let power = DoubleDouble::from(3.0).power(40);
        assert_eq!((power - DoubleDouble::from(12_157_665_459_056_928_768.0)).to_f64(), 33.0);
        assert_eq!(DoubleDouble::from(3.0).power(0), DoubleDouble::from(1.0));
        assert_eq!(DoubleDouble::from(1e154).power(2).to_f64(), 1e154 * 1e154);
    }

    #[test]
    fn a_difference_is_exact() {
        assert_eq!(two_sum(1e8, -1e-10), (1e8, -1e-10));
    }
}
