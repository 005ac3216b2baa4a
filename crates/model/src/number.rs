//! Decimal numbers as doubles, without silent loss: an integer is exact or an error, and no number overflows or
//! underflows.

use std::iter;

use thiserror::Error;

/// Integers below this are exact in a double, and so is every text that is read as one (10^15 < 2^53).
const ALWAYS_EXACT: f64 = 1e15;

/// Why a text is not a number that a double can represent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("not a number")]
    Malformed,
    /// `NaN`, `inf` and their other spellings.
    #[error("not finite")]
    NotFinite,
    /// The magnitude exceeds the largest double, about 1.8e308.
    #[error("too large for a double")]
    Overflow,
    /// Not zero, but closer to zero than the smallest double.
    #[error("too small for a double")]
    Underflow,
    /// An integer between two neighbouring doubles.
    #[error("an integer that a double cannot represent exactly")]
    Inexact,
}

/// Reads a decimal number as the nearest double.
///
/// A fraction is rounded as in IEEE 754 (`0.1` becomes the nearest double). An integer may be an identifier, so one
/// that a double cannot represent is an error; so is a number that would become infinite or zero.
///
/// JavaScript, Go and others print a large double as its shortest digits padded with zeros: 12345678901234567000 for
/// 12345678901234567168. Such an integer is read as the double that it was printed from. The neighbouring integers,
/// which no program prints for a double, are errors.
///
/// # Errors
/// See [`NumberError`].
pub fn parse_double(text: &str) -> Result<f64, NumberError> {
    let value: f64 = text.parse().map_err(|_| NumberError::Malformed)?;
    if !value.is_finite() {
        let spelled_in_digits = text.bytes().any(|byte| byte.is_ascii_digit());
        return Err(if spelled_in_digits { NumberError::Overflow } else { NumberError::NotFinite });
    }
    // The common case: no look at the text.
    if is_exact(value) {
        return Ok(value);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if value == 0.0 && mantissa_is_not_zero(unsigned) {
        return Err(NumberError::Underflow);
    }
    if value != 0.0
        && let Some(digits) = integer_digits(unsigned)
        && !is_value(digits, value)
        && !is_print(digits, value)
    {
        return Err(NumberError::Inexact);
    }
    Ok(value)
}

/// Reads a number that is an integer by its type like [`parse_double`], but digits that a double cannot represent
/// exactly are an error even if programs print a double that way: they may be the exact digits of another integer.
///
/// # Errors
/// See [`NumberError`].
pub fn parse_integer(text: &str) -> Result<f64, NumberError> {
    let value = parse_double(text)?;
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match integer_digits(unsigned) {
        Some(digits) if value != 0.0 && !is_exact(value) && !is_value(digits, value) => Err(NumberError::Inexact),
        _ => Ok(value),
    }
}

/// Whether the digits of an integer are the exact value of a double.
fn is_value(digits: &str, value: f64) -> bool {
    format!("{:.0}", value.abs()) == digits
}

/// Whether the digits of an integer are the shortest digits of a double, padded with zeros.
fn is_print(digits: &str, value: f64) -> bool {
    let shortest = format!("{:e}", value.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let length = exponent.parse::<usize>().map_or(0, |exponent| exponent + 1);
    let significant = mantissa.bytes().filter(|byte| *byte != b'.');
    digits.len() == length && significant.chain(iter::repeat(b'0')).zip(digits.bytes()).all(|(one, other)| one == other)
}

/// Whether any text that is read as this value was read without loss: not 0, which may have been a smaller number, and
/// not so large that an integer may have been a neighbour.
#[must_use]
pub fn is_exact(value: f64) -> bool {
    value != 0.0 && value.abs() < ALWAYS_EXACT
}

/// A typed integer (from an `INT64` tensor or a Parquet column) as the double of exactly the same value. Unlike text,
/// it was never printed from a double.
///
/// # Errors
/// [`NumberError::Inexact`] when no double has this value.
pub fn integer(value: i128) -> Result<f64, NumberError> {
    // Without trailing zeros, the bits must fit into a significand.
    let bits = value.unsigned_abs();
    let significant = bits.checked_shr(bits.trailing_zeros()).unwrap_or(0);
    if significant >> f64::MANTISSA_DIGITS != 0 {
        return Err(NumberError::Inexact);
    }
    #[allow(clippy::cast_precision_loss)]
    Ok(value as f64)
}

/// Whether a number's text has digits other than 0 after the point; `false` for numbers with an exponent.
#[must_use]
pub fn has_fraction(text: &str) -> bool {
    let fraction = text.split_once('.').map(|(_, fraction)| fraction);
    fraction.is_some_and(|fraction| {
        fraction.bytes().all(|byte| byte.is_ascii_digit()) && !fraction.trim_matches('0').is_empty()
    })
}

/// The digits, without leading zeros, of a number that is written as an integer, perhaps with zeros after the point.
/// `None` for a number with an exponent, which is rounded like a fraction.
fn integer_digits(unsigned: &str) -> Option<&str> {
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = integer.bytes().all(|byte| byte.is_ascii_digit()) && fraction.bytes().all(|byte| byte == b'0');
    whole.then(|| integer.trim_start_matches('0'))
}

fn mantissa_is_not_zero(unsigned: &str) -> bool {
    unsigned.bytes().take_while(|byte| !matches!(byte, b'e' | b'E')).any(|byte| matches!(byte, b'1'..=b'9'))
}

/// Whether a number is written with a decimal comma: `3,5`, `-1.234,5`. Not `1,234`, whose comma may separate
/// thousands.
#[must_use]
pub fn has_decimal_comma(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    unsigned.split_once(',').is_some_and(|(whole, part)| {
        let may_be_thousands = part.len() == 3 && whole.len() <= 3 && !whole.starts_with('0');
        is_digits(part) && is_digits(&whole.replace('.', "")) && !may_be_thousands
    })
}

/// A count as a double; no file has 2⁵³ rows.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn count_to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimal_commas_are_distinguished_from_other_commas() {
        for number in ["3,5", "-1.234,5", "+0,255", "1234,5", "1.234,567"] {
            assert!(has_decimal_comma(number), "{number}");
        }
        for other in ["3.5", "1,234.5", "1,234", "1,2,3", ",5", "3,", "a,5", "12%"] {
            assert!(!has_decimal_comma(other), "{other}");
        }
    }

    #[test]
    fn integers_beyond_two_to_the_53_are_errors_unless_a_double_represents_them() {
        assert_eq!(parse_double("9007199254740992"), Ok(9_007_199_254_740_992.0));
        assert_eq!(parse_double("9007199254740993"), Err(NumberError::Inexact));
        assert_eq!(parse_double("-9007199254740993"), Err(NumberError::Inexact));
        assert_eq!(parse_double("9007199254740994"), Ok(9_007_199_254_740_994.0));
        assert_eq!(parse_double("18446744073709551617"), Err(NumberError::Inexact));
        assert_eq!(parse_double("100000000000000000000001"), Err(NumberError::Inexact));
        assert_eq!(parse_double("9007199254740993.0"), Err(NumberError::Inexact));
        assert_eq!(parse_double("9007199254740994.000"), Ok(9_007_199_254_740_994.0));
        assert_eq!(parse_double("1e23"), Ok(1e23));
        assert_eq!(parse_double("1.7976931348623157e308"), Ok(f64::MAX));
        assert_eq!(parse_double("00000000000000000000"), Ok(0.0));
        assert_eq!(parse_double("00000000000000000007"), Ok(7.0));
    }

    /// As Node and Go print them: `String(x)` below 1e21, `strconv.FormatFloat(x, 'f', -1, 64)` at any size.
    #[test]
    fn integers_as_javascript_and_go_print_doubles_are_those_doubles() {
        for (text, value) in [
            ("12345678901234567000", 1.234_567_890_123_456_7e19),
            ("-12345678901234567000", -1.234_567_890_123_456_7e19),
            ("0012345678901234567000.00", 1.234_567_890_123_456_7e19),
            ("9223372036854776000", 9_223_372_036_854_775_808.0),
            ("18446744073709552000", 18_446_744_073_709_551_616.0),
            ("100000000000000000000000", 1e23),
            ("123456789012345680000", 123_456_789_012_345_680_000.0),
        ] {
            assert_eq!(parse_double(text), Ok(value), "{text}");
        }
        assert_eq!(parse_double(&format!("17976931348623157{}", "0".repeat(292))), Ok(f64::MAX));
        // No program prints the neighbours for a double.
        for text in ["12345678901234567001", "12345678901234567100", "12345678901234566999", "9223372036854775807"] {
            assert_eq!(parse_double(text), Err(NumberError::Inexact), "{text}");
        }
    }

    #[test]
    fn typed_integers_are_never_read_as_printed_doubles() {
        assert_eq!(parse_integer("12345678901234567000"), Err(NumberError::Inexact));
        assert_eq!(parse_integer("12345678901234567168"), Ok(1.234_567_890_123_456_7e19));
        assert_eq!(parse_integer("9007199254740993"), Err(NumberError::Inexact));
        assert_eq!(parse_integer("4.0"), Ok(4.0));
        assert_eq!(parse_integer("-0"), Ok(-0.0));
        assert_eq!(parse_integer("1e999"), Err(NumberError::Overflow));
    }

    #[test]
    fn integers_of_any_width_are_exact_or_errors() {
        assert_eq!(integer(0), Ok(0.0));
        assert_eq!(integer(-9_007_199_254_740_992), Ok(-9_007_199_254_740_992.0));
        assert_eq!(integer(9_007_199_254_740_993), Err(NumberError::Inexact));
        assert_eq!(integer(9_007_199_254_740_994), Ok(9_007_199_254_740_994.0));
        assert_eq!(integer(i128::from(u64::MAX)), Err(NumberError::Inexact));
        assert_eq!(integer(i128::from(i64::MIN)), Ok(-9_223_372_036_854_775_808.0));
        assert_eq!(integer(i128::MAX), Err(NumberError::Inexact));
    }

    #[test]
    fn numbers_do_not_become_infinite_or_zero() {
        assert_eq!(parse_double("1e999"), Err(NumberError::Overflow));
        assert_eq!(parse_double("-1e999"), Err(NumberError::Overflow));
        assert_eq!(parse_double("1e-999"), Err(NumberError::Underflow));
        assert_eq!(parse_double("0.0000e5"), Ok(0.0));
        assert!(parse_double("-0").is_ok_and(|zero| zero == 0.0 && zero.is_sign_negative()));
        assert_eq!(parse_double("5e-324"), Ok(5e-324));
    }

    #[test]
    fn any_digit_after_the_point_is_a_fraction() {
        for (text, fraction) in
            [("4", false), ("4.", false), ("4.000", false), ("4.0000000000000000001", true), ("4.5", true)]
        {
            assert_eq!(has_fraction(text), fraction, "{text}");
        }
        assert!(!has_fraction("4.5e1"));
    }

    #[test]
    fn words_and_malformed_numbers_are_errors() {
        for text in ["NaN", "nan", "inf", "-Infinity"] {
            assert_eq!(parse_double(text), Err(NumberError::NotFinite), "{text}");
        }
        for text in ["", "-", "abc", "1,5", "0x10", "1_000", "4 ", "١"] {
            assert_eq!(parse_double(text), Err(NumberError::Malformed), "{text}");
        }
    }

    fn integers() -> impl Strategy<Value = i128> {
        let shifted = (any::<i128>(), 0..120_u32).prop_map(|(value, shift)| value >> shift);
        prop_oneof![shifted, any::<i64>().prop_map(i128::from), -(1_i128 << 54)..1 << 54]
    }

    proptest! {
        #[test]
        fn every_double_is_read_back_from_json(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let written = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(parse_double(&written).unwrap().to_bits(), bits);
        }

        #[test]
        fn large_doubles_are_read_back_as_javascript_and_go_print_them(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite() && value.abs() >= 1e15 && value.fract() == 0.0);
            // Rust prints a double without an exponent, as Go's 'f' format with precision −1 does.
            prop_assert_eq!(parse_double(&value.to_string()), Ok(value));
            prop_assert_eq!(parse_double(&format!("{value:.0}")), Ok(value));
            prop_assert_eq!(parse_integer(&format!("{value:.0}")), Ok(value));
        }

        #[test]
        fn an_integer_is_exact_or_a_printed_double_or_an_error(value in integers(), zeros in 0..8_u32) {
            let unit = 10_i128.pow(zeros);
            let value = value / unit * unit;
            let text = value.to_string();
            #[allow(clippy::cast_precision_loss)]
            let nearest = value as f64;
            // Rust's `Display` of the double is the oracle: shortest digits, padded.
            let is_exact = integer(value) == Ok(nearest);
            let is_read = is_exact || text == nearest.to_string();
            let expected = if is_read { Ok(nearest) } else { Err(NumberError::Inexact) };
            prop_assert_eq!(parse_double(&text), expected);
            prop_assert_eq!(parse_integer(&text), integer(value));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = parse_double(&text);
        }
    }
}
