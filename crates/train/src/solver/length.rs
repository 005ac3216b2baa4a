//! Euclidean lengths without overflow and underflow, with the same bits on every machine: `hypot` of the C library depends on
//! the processor.

use super::qr::{dot, power_of_two};

/// `√Σ v²`
pub(crate) fn length(values: &[f64]) -> f64 {
    // The bits of magnitudes have their order, and NaN is above all numbers.
    let largest = values.iter().fold(0, |largest, value| largest.max(value.abs().to_bits()));
    let unit = power_of_two(f64::from_bits(largest));
    if !unit.is_finite() {
        return f64::from_bits(largest);
    }
    // Scaling by a power of two is exact.
    let inverse = 1.0 / unit;
    let scaled: Vec<f64> = values.iter().map(|value| value * inverse).collect();
    dot(&scaled, &scaled).sqrt() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_all_digits_and_neither_overflow_nor_underflow() {
        for unit in [1.0, 1e300, 1e-300, f64::MIN_POSITIVE] {
            for (values, expected) in [(vec![3.0, -4.0], 5.0), (vec![0.0], 0.0), (vec![1.0; 100], 10.0), (vec![], 0.0)]
            {
                let values: Vec<f64> = values.iter().map(|value| value * unit).collect();
                let found = length(&values);
                assert!((found - expected * unit).abs() <= f64::EPSILON * found, "{values:?}: {found}");
            }
        }
        assert_eq!(length(&[5e-324, 0.0]).to_bits(), 1);
        assert!(length(&[1.0, f64::NEG_INFINITY]).is_infinite() && length(&[f64::NAN, 1.0]).is_nan());
    }
}
