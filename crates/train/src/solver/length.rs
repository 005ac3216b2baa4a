//! Euclidean lengths without overflow and underflow, with the same bits on every machine: `hypot` of the C library
//! depends on the processor.

/// `√Σ v²`
pub(crate) fn length(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |length, value| libm::hypot(length, *value))
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
                assert!((found - expected * unit).abs() <= 1e-14 * found, "{values:?}: {found}");
            }
        }
        assert_eq!(length(&[5e-324, 0.0]).to_bits(), 1);
        assert!(length(&[1.0, f64::NEG_INFINITY]).is_infinite() && length(&[f64::NAN, 1.0]).is_nan());
    }
}
