//! The exponential function of eight numbers at a time, with the same bits on every processor.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::Simd;

use super::super::simd::{LANES, Lanes, fused};

/// Adding this rounds to an integer, which is then in the low bits of the sum: 1.5 · 2⁵².
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// ln 2, in two parts: the product of the first and an exponent is exact (W. J. Cody and W. Waite, 1980).
const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];

/// Below this the result is zero; a double would lose its digits.
const LOWEST: f64 = -708.0;

/// 1 / j!, from the 13th: the rest of the series is below 10⁻¹⁷ up to ½ ln 2.
const TERMS: [f64; 14] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// `eˣ` of numbers that are not positive, with an error of at most two units in the last place; zero below −708.
#[inline(always)]
pub(super) fn exponentials<S: Simd>(simd: S, x: &Lanes) -> Lanes {
    // x = exponent · ln 2 + rest
    let mut shifted = [ROUNDER; LANES];
    fused(simd, &mut shifted, x, &[std::f64::consts::LOG2_E; LANES]);
    let exponents = shifted.map(|shifted| shifted - ROUNDER);
    let mut rest = *x;
    for part in LN_2 {
        fused(simd, &mut rest, &exponents, &[-part; LANES]);
    }
    let mut sum = [0.0; LANES];
    for term in TERMS {
        let mut next = [term; LANES];
        fused(simd, &mut next, &sum, &rest);
        sum = next;
    }
    let mut result = [0.0; LANES];
    for ((result, x), (sum, shifted)) in result.iter_mut().zip(x).zip(sum.iter().zip(&shifted)) {
        // The exponent of a double is stored with 1023 added to it.
        let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
        *result = if *x < LOWEST { 0.0 } else { sum * power };
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::super::simd::instructions;
    use super::*;
    use pulp::WithSimd;

    struct Exponentials(Lanes);

    impl WithSimd for Exponentials {
        type Output = Lanes;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Lanes {
            exponentials(simd, &self.0)
        }
    }

    #[test]
    fn exponentials_are_those_of_libm_with_the_same_bits_for_every_instruction_set() {
        for at in 0..200_000_u32 {
            let x = std::array::from_fn(|lane| -f64::from(at * 8 + u32::try_from(lane).unwrap()).powi(3) * 1.7e-16);
            let [first, others @ ..] = &instructions()[..] else { panic!() };
            let found = first.dispatch(Exponentials(x));
            for (found, x) in found.iter().zip(&x) {
                let expected = if *x < LOWEST { 0.0 } else { libm::exp(*x) };
                assert!((found - expected).abs() <= 2.0 * f64::EPSILON * expected, "{x}: {found:e} {expected:e}");
            }
            for other in others {
                assert_eq!(other.dispatch(Exponentials(x)).map(f64::to_bits), found.map(f64::to_bits));
            }
        }
        let scalar = |x| pulp::Arch::Scalar.dispatch(Exponentials([x; LANES]))[0];
        let found = [0.0, -0.0, -709.0, f64::NEG_INFINITY].map(|x| scalar(x).to_bits());
        assert_eq!(found, [1.0_f64, 1.0, 0.0, 0.0].map(f64::to_bits));
        assert!(scalar(f64::NAN).is_nan());
    }
}
