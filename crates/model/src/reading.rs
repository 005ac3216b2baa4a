//! How the text of a column is read: the conventions of the training file. CSV requests, `predict`, `evaluate` and
//! training share them; JSON has its own types.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::date;
use crate::field;
use crate::number::NumberError;
use crate::scalar::Scalar;
use crate::signature::FeatureType;
use crate::wording::shorten;

/// The conventions of a column of text, where they differ from those of JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "an object")]
pub struct Reading {
    /// The decimal mark, if it is not a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<char>,
    /// The separator of thousands, if numbers have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<char>,
    /// A currency sign or code that numbers may have, such as `$` or `EUR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Whether numbers may have a percent sign. `12%` is the number 12.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub percent: bool,
    /// Whether numbers in parentheses are negative, as accountants write them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub parentheses: bool,
    /// Missing-value markers in addition to those of [`field::is_missing`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The words for `false` and `true`, if they are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boolean: Option<[String; 2]>,
    /// The formats of dates, as for `strptime`, in the order in which they are tried; ISO 8601 is always read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<String>,
}

impl Reading {
    /// Whether there are no conventions of its own.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a text is a missing value.
    #[must_use]
    pub fn is_missing(&self, text: &str) -> bool {
        field::is_missing(text) || self.missing.iter().any(|marker| marker == text.trim())
    }

    /// The boolean of exactly one of the own words.
    #[must_use]
    pub fn word(&self, text: &str) -> Option<bool> {
        self.boolean.as_ref()?.iter().position(|word| word == text).map(|word| word == 1)
    }

    /// The boolean of a text.
    #[must_use]
    pub fn boolean(&self, text: &str) -> Option<bool> {
        self.word(text.trim()).or_else(|| field::boolean(text))
    }

    /// The date of a text, in days since 1970-01-01 (UTC), with the time of day as a fraction.
    #[must_use]
    pub fn date(&self, text: &str) -> Option<f64> {
        let text = text.trim();
        self.dates.iter().find_map(|format| date::parse(text, format)).or_else(|| date::parse_iso(text))
    }

    /// The number of a text: a double, or an integer with [`parse_integer`](crate::number::parse_integer).
    ///
    /// # Errors
    /// [`NumberError`]; a text that does not follow the conventions is [`NumberError::Malformed`].
    pub fn number(&self, text: &str, parse: impl FnOnce(&str) -> Result<f64, NumberError>) -> Result<f64, NumberError> {
        let text = text.trim();
        let has_conventions = self.decimal.is_some() || self.thousands.is_some() || self.currency.is_some();
        if !(has_conventions || self.percent || self.parentheses) {
            // A minus sign may be one of typesetting, an en dash, or be followed by a space.
            return match text.strip_prefix(['\u{2212}', '\u{2013}', '-']) {
                Some(digits) if !text.starts_with('-') || digits.starts_with(' ') => {
                    parse(&format!("-{}", digits.trim_start()))
                }
                _ => parse(text),
            };
        }
        parse(&self.plain(text).ok_or(NumberError::Malformed)?)
    }

    /// A value as a field of CSV that these conventions read as the same value.
    #[must_use]
    pub fn field(&self, value: &Scalar) -> String {
        let text = value.to_string();
        match (value, self.decimal) {
            (Scalar::Missing, _) => String::new(),
            (Scalar::Number(_), Some(mark)) => text.replace('.', mark.encode_utf8(&mut [0; 4])),
            _ => text,
        }
    }

    /// The conventions in a phrase; `None` without any.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        let quoted = |texts: &[String]| {
            let texts: Vec<String> = texts.iter().map(|text| format!("{:?}", shorten(text))).collect();
            texts.join(", ")
        };
        let mut parts = Vec::new();
        parts.extend(self.decimal.map(|mark| format!("decimal mark \"{mark}\"")));
        parts.extend(self.thousands.map(|mark| format!("thousands separator \"{mark}\"")));
        parts.extend(self.currency.as_ref().map(|sign| format!("currency sign {sign:?}")));
        parts.extend(self.percent.then(|| "percent sign".to_owned()));
        parts.extend(self.parentheses.then(|| "negative numbers in parentheses".to_owned()));
        parts.extend(self.boolean.as_ref().map(|[no, yes]| format!("{yes:?} for true and {no:?} for false")));
        if !self.dates.is_empty() {
            parts.push(format!("dates as {}", quoted(&self.dates)));
        }
        if !self.missing.is_empty() {
            parts.push(format!("missing values as {}", quoted(&self.missing)));
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// A number by the conventions, for messages; `None` without conventions of numbers.
    pub(crate) fn example_number(&self, kind: FeatureType) -> Option<String> {
        if self.decimal.is_none() && self.thousands.is_none() && self.currency.is_none() && !self.percent {
            return None;
        }
        let mut example = self.currency.clone().unwrap_or_default();
        match self.thousands {
            Some(separator) => example.extend(['1', separator, '2', '3', '4']),
            None => example.push_str("12"),
        }
        if kind == FeatureType::Double {
            example.extend([self.decimal.unwrap_or('.'), '5']);
        }
        if self.percent {
            example.push('%');
        }
        Some(example)
    }

    /// The number with a decimal point and without anything else; `None` for a text that does not follow the conventions.
    fn plain(&self, text: &str) -> Option<Cow<'static, str>> {
        let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let (mut rest, mut negative) = match inner.filter(|_| self.parentheses) {
            Some(inner) => (inner.trim(), true),
            None => (text, false),
        };
        let mut currency = self.currency.as_deref();
        let mut percent = self.percent;
        let mut signed = negative;
        // A sign and a currency sign may come in any order before the digits.
        loop {
            if let Some(after) = rest.strip_prefix(['-', '\u{2212}', '\u{2013}', '+']).filter(|_| !signed) {
                (negative, signed) = (!rest.starts_with('+'), true);
                rest = after.trim_start();
            } else if let Some(after) = currency.and_then(|sign| rest.strip_prefix(sign)) {
                currency = None;
                rest = after.trim_start();
            } else {
                break;
            }
        }
        loop {
            if let Some(before) = rest.strip_suffix('%').filter(|_| percent) {
                percent = false;
                rest = before.trim_end();
            } else if let Some(before) = currency.and_then(|sign| rest.strip_suffix(sign)) {
                currency = None;
                rest = before.trim_end();
            } else {
                break;
            }
        }
        let mark = self.decimal.unwrap_or('.');
        let (integer, fraction) = rest.split_once(mark).map_or((rest, None), |(one, other)| (one, Some(other)));
        let mut plain = String::with_capacity(text.len() + 1);
        if negative {
            plain.push('-');
        }
        push_integer(&mut plain, integer, self.thousands)?;
        if let Some(fraction) = fraction {
            if fraction.contains('.') {
                return None;
            }
            plain.push('.');
            plain.push_str(fraction);
        }
        // An exponent may follow; anything else is for the parser to refuse. A second sign is refused here.
        let digits = plain.strip_prefix('-').unwrap_or(&plain);
        let is_number = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
            && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
        is_number.then_some(Cow::Owned(plain))
    }
}

/// Checks of conventions, which may be from an untrusted file.
impl Reading {
    /// Checks that separators cannot be confused with each other or with digits and signs, that texts are not empty and
    /// formats of dates are known, and that there are few enough of them: each cell is compared with all.
    ///
    /// # Errors
    /// The fault, without its place.
    pub fn check(&self) -> Result<(), String> {
        let decimal = self.decimal.unwrap_or('.');
        for (noun, mark) in [("decimal mark", self.decimal), ("thousands separator", self.thousands)] {
            if let Some(mark) = mark.filter(|mark| !is_mark(*mark)) {
                return Err(format!("expected a {noun} such as \".\" or \",\", got {mark:?}"));
            }
        }
        if decimal.is_whitespace() || self.thousands == Some(decimal) {
            return Err(format!("expected a decimal mark other than the thousands separator, got {decimal:?}"));
        }
        if let Some(sign) = self.currency.as_ref().filter(|sign| !self.is_currency(sign)) {
            return Err(format!("expected a currency sign such as \"$\", got {:?}", shorten(sign)));
        }
        let words = self.boolean.iter().flatten();
        if self.missing.len() > MAX_MARKERS || self.dates.len() > MAX_FORMATS {
            return Err(format!("more than {MAX_MARKERS} missing-value markers or {MAX_FORMATS} formats of dates"));
        }
        if let Some(text) = self.missing.iter().chain(words).find(|text| !is_word(text)) {
            let got = shorten(text);
            return Err(format!("expected a missing-value marker or a word without spaces around it, got {got:?}"));
        }
        if self.boolean.as_ref().is_some_and(|[no, yes]| no == yes || self.is_missing(no) || self.is_missing(yes)) {
            return Err("expected two different words for false and true that are not missing-value markers".into());
        }
        match self.dates.iter().find(|format| !date::is_format(format)) {
            Some(format) => {
                Err(format!("expected the format of a date such as \"%d.%m.%Y\", got {:?}", shorten(format)))
            }
            None => Ok(()),
        }
    }

    fn is_currency(&self, sign: &str) -> bool {
        let is_other = |character: char| !is_mark(character) && !character.is_alphabetic();
        let marks = [Some(self.decimal.unwrap_or('.')), self.thousands];
        is_word(sign)
            && sign.chars().count() <= MAX_CURRENCY
            && !sign.contains(is_other)
            && !sign.chars().all(|character| marks.contains(&Some(character)))
    }
}

/// The most missing-value markers, and the most formats of dates, of a column.
const MAX_MARKERS: usize = 256;
const MAX_FORMATS: usize = 64;

/// The most bytes of a missing-value marker or a word.
const MAX_WORD: usize = 256;

/// The most characters of a currency sign.
const MAX_CURRENCY: usize = 16;

/// Whether a character may be a decimal mark or separate thousands.
fn is_mark(character: char) -> bool {
    let has_meaning = matches!(character, '+' | '-' | '\u{2212}' | '\u{2013}' | '(' | ')' | '%' | '"');
    !(character.is_alphanumeric() || character.is_control() || has_meaning)
}

/// Whether a text can be compared with trimmed fields.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_WORD && text.trim() == text
}

/// The digits of an integer without separators, which must be at groups of three, or as in India of two before the last
/// three.
fn push_integer(plain: &mut String, integer: &str, thousands: Option<char>) -> Option<()> {
    let is_separator = |character: char| {
        thousands.is_some_and(|separator| character == separator || (separator == ' ' && is_space(character)))
    };
    if !integer.contains(is_separator) {
        // The point is then the decimal mark, or none at all.
        if integer.contains('.') {
            return None;
        }
        plain.push_str(integer);
        return Some(());
    }
    let groups: Vec<&str> = integer.split(is_separator).collect();
    let (first, others) = groups.split_first()?;
    let (last, middle) = others.split_last()?;
    let has_digits = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    let sizes = |size: usize| middle.iter().all(|group| group.len() == size) && (1..=size).contains(&first.len());
    if !(has_digits && last.len() == 3 && (sizes(3) || sizes(2))) {
        return None;
    }
    plain.extend(groups);
    Some(())
}

/// Spaces that separate thousands: a space, a no-break space, a narrow no-break space, a thin space.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number;

    fn number(reading: &Reading, text: &str) -> Result<f64, NumberError> {
        reading.number(text, number::parse_double)
    }

    fn with(decimal: Option<char>, thousands: Option<char>) -> Reading {
        Reading { decimal, thousands, ..Reading::default() }
    }

    #[test]
    fn numbers_follow_the_conventions_of_their_column() {
        for (reading, text, expected) in [
            (with(Some(','), Some('.')), "4.902", 4902.0),
            (with(Some(','), Some('.')), "-1.234.567,25", -1_234_567.25),
            (with(Some(','), None), "3,5", 3.5),
            (with(Some(','), None), "3", 3.0),
            (with(None, Some(',')), "1,037", 1037.0),
            (with(None, Some(',')), "12,34,567.5", 1_234_567.5),
            (with(None, Some('\'')), "1'000", 1000.0),
            (with(Some(','), Some(' ')), "1\u{202f}234\u{a0}567,5", 1_234_567.5),
            (with(None, None), "\u{2212}5", -5.0),
            (with(None, None), "\u{2013}5", -5.0),
            (Reading { parentheses: true, ..with(None, Some(',')) }, "(1,037)", -1037.0),
            (with(None, None), "- 0.25", -0.25),
            (with(Some(','), None), "1,5e-3", 1.5e-3),
        ] {
            assert_eq!(number(&reading, text), Ok(expected), "{reading:?} {text}");
        }
        let dollars = Reading { currency: Some("$".into()), thousands: Some(','), ..Reading::default() };
        for (text, expected) in [("$1,037", 1037.0), ("-$5", -5.0), ("$-5", -5.0), ("$ 7.5", 7.5), ("12", 12.0)] {
            assert_eq!(number(&dollars, text), Ok(expected), "{text}");
        }
        let euros = Reading { currency: Some("€".into()), decimal: Some(','), ..Reading::default() };
        assert_eq!(number(&euros, "7,50 €"), Ok(7.5));
        let percent = Reading { percent: true, ..Reading::default() };
        assert_eq!(number(&percent, "12 %"), Ok(12.0));
    }

    #[test]
    fn texts_that_do_not_follow_the_conventions_are_not_numbers() {
        for (reading, text) in [
            (with(Some(','), Some('.')), "4.90"),
            (with(Some(','), None), "4.902"),
            (with(None, Some(',')), "1,03"),
            (with(None, Some(',')), "1037,000"),
            (with(None, Some(',')), ",037"),
            (with(None, Some(',')), "--5"),
            (with(None, Some(',')), "5-"),
            (with(None, Some(',')), "1,037x"),
            (with(None, Some(',')), ""),
            (with(None, Some(',')), "$5"),
            (with(None, Some(',')), "(5)"),
            (with(None, Some(',')), "inf"),
        ] {
            assert_eq!(number(&reading, text), Err(NumberError::Malformed), "{reading:?} {text}");
        }
    }

    #[test]
    fn markers_and_words_are_those_of_the_column() {
        let reading =
            Reading { missing: vec!["?".into()], boolean: Some(["no".into(), "yes".into()]), ..Reading::default() };
        assert!(reading.is_missing(" ? ") && reading.is_missing("NA") && !reading.is_missing("-"));
        assert_eq!(
            ["yes", "no", "TRUE", "ja"].map(|text| reading.boolean(text)),
            [Some(true), Some(false), Some(true), None]
        );
    }

    #[test]
    fn conventions_are_described_and_written() {
        let reading = Reading {
            decimal: Some(','),
            thousands: Some('.'),
            currency: Some("€".into()),
            percent: true,
            parentheses: true,
            missing: vec!["?".into(), "-".into()],
            boolean: Some(["nein".into(), "ja".into()]),
            dates: vec!["%d.%m.%Y".into()],
        };
        assert_eq!(
            reading.describe().unwrap(),
            "decimal mark \",\", thousands separator \".\", currency sign \"€\", percent sign, negative numbers in parentheses, \"ja\" for true and \
             \"nein\" for false, dates as \"%d.%m.%Y\", missing values as \"?\", \"-\""
        );
        assert_eq!(Reading::default().describe(), None);
        for value in [1234.5, -0.25, 1e21, 3.0] {
            assert_eq!(number(&reading, &reading.field(&Scalar::Number(value))), Ok(value), "{value}");
        }
        assert_eq!([Scalar::Missing, Scalar::Text("a.b".into())].map(|value| reading.field(&value)), ["", "a.b"]);
    }
}
