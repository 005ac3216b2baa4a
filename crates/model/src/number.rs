//! Numbers as they are written, read without losing anything silently.

use thiserror::Error;

/// Integers below this are always exact in a double, and so is what they are read as (10^15 < 2^53).
const ALWAYS_EXACT: f64 = 1e15;

/// Why a piece of text is not a number that a double can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("not a number")]
    Malformed,
    /// `NaN`, `inf` and their spellings: a number only by name.
    #[error("not finite")]
    NotFinite,
    /// The magnitude exceeds the largest double, about 1.8e308.
    #[error("too large for a double")]
    Overflow,
    /// Not zero, but nearer to zero than the smallest double.
    #[error("too small for a double")]
    Underflow,
    /// An integer between two neighbouring doubles, so that reading it would change it.
    #[error("an integer that a double cannot hold exactly")]
    Inexact,
}

/// Reads a decimal number as the nearest double.
///
/// A fraction is rounded as IEEE 754 says (`0.1` is what everybody means by it), but an integer is an identity: one that a
/// double cannot hold is refused, and so is anything that would become infinite or vanish to zero.
///
/// # Errors
/// See [`NumberError`].
pub fn parse_double(text: &str) -> Result<f64, NumberError> {
    let value: f64 = text.parse().map_err(|_| NumberError::Malformed)?;
    if !value.is_finite() {
        let spelled_in_digits = text.bytes().any(|byte| byte.is_ascii_digit());
        return Err(if spelled_in_digits { NumberError::Overflow } else { NumberError::NotFinite });
    }
    // Most numbers are neither: one look at the value, none at the text.
    if is_exact(value) {
        return Ok(value);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if value == 0.0 && mantissa_is_not_zero(unsigned) {
        return Err(NumberError::Underflow);
    }
    if value != 0.0
        && let Some(digits) = integer_digits(unsigned)
        && format!("{:.0}", value.abs()) != digits
    {
        return Err(NumberError::Inexact);
    }
    Ok(value)
}

/// Whether text that reads as this is a number that nothing was lost of, whatever it looks like: neither zero, which may have been
/// something smaller, nor so large that an integer may have been another one.
#[must_use]
pub fn is_exact(value: f64) -> bool {
    value != 0.0 && value.abs() < ALWAYS_EXACT
}

/// An integer as the double of the same value.
///
/// # Errors
/// [`NumberError::Inexact`] when there is none.
pub fn integer(value: i128) -> Result<f64, NumberError> {
    // Without the zeros behind them, the bits must fit into a significand. Zero has nothing but zeros.
    let bits = value.unsigned_abs();
    let significant = bits.checked_shr(bits.trailing_zeros()).unwrap_or(0);
    if significant >> f64::MANTISSA_DIGITS != 0 {
        return Err(NumberError::Inexact);
    }
    #[allow(clippy::cast_precision_loss)]
    Ok(value as f64)
}

/// Whether a number's text has digits after the point that are not zero. With an exponent there is no telling, and it says no.
#[must_use]
pub fn has_fraction(text: &str) -> bool {
    let fraction = text.split_once('.').map(|(_, fraction)| fraction);
    fraction.is_some_and(|fraction| {
        fraction.bytes().all(|byte| byte.is_ascii_digit()) && !fraction.trim_matches('0').is_empty()
    })
}

/// The digits of a number that is written as an integer, or as one with zeros after the point; without leading zeros.
/// A number with an exponent is a measurement, rounded like any other.
fn integer_digits(unsigned: &str) -> Option<&str> {
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = integer.bytes().all(|byte| byte.is_ascii_digit()) && fraction.bytes().all(|byte| byte == b'0');
    whole.then(|| integer.trim_start_matches('0'))
}

fn mantissa_is_not_zero(unsigned: &str) -> bool {
    unsigned.bytes().take_while(|byte| !matches!(byte, b'e' | b'E')).any(|byte| matches!(byte, b'1'..=b'9'))
}

/// Whether a number is written with a decimal comma: `3,5`, `-1.234,5`. That of `1,234` may stand between thousands.
#[must_use]
pub fn has_decimal_comma(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    unsigned.split_once(',').is_some_and(|(whole, part)| {
        let may_be_thousands = part.len() == 3 && whole.len() <= 3 && !whole.starts_with('0');
        is_digits(part) && is_digits(&whole.replace('.', "")) && !may_be_thousands
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimal_commas_are_told_from_other_commas() {
        for number in ["3,5", "-1.234,5", "+0,255", "1234,5", "1.234,567"] {
            assert!(has_decimal_comma(number), "{number}");
        }
        for other in ["3.5", "1,234.5", "1,234", "1,2,3", ",5", "3,", "a,5", "12%"] {
            assert!(!has_decimal_comma(other), "{other}");
        }
    }

    #[test]
    fn integers_beyond_two_to_the_53_are_refused_unless_a_double_holds_them() {
        assert_eq!(parse_double("9007199254740992"), Ok(9_007_199_254_740_992.0));
        assert_eq!(parse_double("9007199254740993"), Err(NumberError::Inexact));
        assert_eq!(parse_double("-9007199254740993"), Err(NumberError::Inexact));
        assert_eq!(parse_double("9007199254740994"), Ok(9_007_199_254_740_994.0));
        assert_eq!(parse_double("18446744073709551617"), Err(NumberError::Inexact));
        assert_eq!(parse_double("100000000000000000000000"), Err(NumberError::Inexact));
        assert_eq!(parse_double("9007199254740993.0"), Err(NumberError::Inexact));
        assert_eq!(parse_double("9007199254740994.000"), Ok(9_007_199_254_740_994.0));
        assert_eq!(parse_double("1e23"), Ok(1e23));
        assert_eq!(parse_double("1.7976931348623157e308"), Ok(f64::MAX));
        assert_eq!(parse_double("00000000000000000000"), Ok(0.0));
        assert_eq!(parse_double("00000000000000000007"), Ok(7.0));
    }

    #[test]
    fn integers_of_any_width_are_exact_or_refused() {
        assert_eq!(integer(0), Ok(0.0));
        assert_eq!(integer(-9_007_199_254_740_992), Ok(-9_007_199_254_740_992.0));
        assert_eq!(integer(9_007_199_254_740_993), Err(NumberError::Inexact));
        assert_eq!(integer(9_007_199_254_740_994), Ok(9_007_199_254_740_994.0));
        assert_eq!(integer(i128::from(u64::MAX)), Err(NumberError::Inexact));
        assert_eq!(integer(i128::from(i64::MIN)), Ok(-9_223_372_036_854_775_808.0));
        assert_eq!(integer(i128::MAX), Err(NumberError::Inexact));
    }

    #[test]
    fn nothing_becomes_infinite_or_zero_on_the_way() {
        assert_eq!(parse_double("1e999"), Err(NumberError::Overflow));
        assert_eq!(parse_double("-1e999"), Err(NumberError::Overflow));
        assert_eq!(parse_double("1e-999"), Err(NumberError::Underflow));
        assert_eq!(parse_double("0.0000e5"), Ok(0.0));
        assert!(parse_double("-0").is_ok_and(|zero| zero == 0.0 && zero.is_sign_negative()));
        assert_eq!(parse_double("5e-324"), Ok(5e-324));
    }

    #[test]
    fn digits_after_the_point_are_seen_however_small() {
        for (text, fraction) in
            [("4", false), ("4.", false), ("4.000", false), ("4.0000000000000000001", true), ("4.5", true)]
        {
            assert_eq!(has_fraction(text), fraction, "{text}");
        }
        assert!(!has_fraction("4.5e1"));
    }

    #[test]
    fn names_of_non_numbers_are_not_numbers() {
        for text in ["NaN", "nan", "inf", "-Infinity"] {
            assert_eq!(parse_double(text), Err(NumberError::NotFinite), "{text}");
        }
        for text in ["", "-", "abc", "1,5", "0x10", "1_000", "4 ", "١"] {
            assert_eq!(parse_double(text), Err(NumberError::Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_double_survives_being_written_and_read(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let written = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(parse_double(&written).unwrap().to_bits(), bits);
        }

        #[test]
        fn an_integer_is_read_exactly_or_refused(value: i128, shift in 0..120_u32) {
            let value = value >> shift;
            match parse_double(&value.to_string()) {
                Ok(double) => prop_assert_eq!(format!("{double:.0}"), value.to_string()),
                Err(error) => prop_assert!(error == NumberError::Inexact && value.abs() > 1 << 53),
            }
        }

        #[test]
        fn an_integer_is_what_its_digits_are(value in prop_oneof![any::<i128>(), any::<i64>().prop_map(i128::from), -(1_i128 << 54)..1 << 54]) {
            prop_assert_eq!(integer(value), parse_double(&value.to_string()));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = parse_double(&text);
        }
    }
}
