//! Pieces of messages.

use std::fmt::Display;

/// The first 40 characters of a caller's text, for messages.
#[must_use]
pub fn shorten(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Whether a character controls the text around it: a control character, a separator of lines or paragraphs, or one that
/// changes the direction of text (the property `Bidi_Control` of Unicode), by which a text can look like another one.
#[must_use]
pub fn is_text_control(c: char) -> bool {
    let changes_direction =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || changes_direction || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A text without an effect on a terminal and on the text around it: with [`is_text_control`] characters escaped.
#[must_use]
pub fn one_line(text: &str) -> String {
    let escaped = |c: char| if is_text_control(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// A count with its noun in the singular or plural: `1 row`, `2 rows`.
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    let noun = if count == N::from(1) { one } else { many };
    format!("{count} {noun}")
}

/// The most names in a note or an error.
pub const NAMED: usize = 10;

/// The first few items, separated by commas, and the number of the others: `a, b and 3 more`.
pub fn listed<T: Display>(items: impl IntoIterator<Item = T>, most: usize) -> String {
    let mut items = items.into_iter();
    let first: Vec<String> = items.by_ref().take(most).map(|item| item.to_string()).collect();
    match items.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// A number with this many significant digits, without trailing zeros.
#[must_use]
pub fn rounded(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let places = i32::try_from(digits).unwrap_or(i32::MAX);
    match exponent.parse::<i32>() {
        Ok(exponent) if (-5..9).contains(&exponent) => {
            let decimals = usize::try_from(places - 1 - exponent).unwrap_or(0);
            trimmed(&format!("{value:.decimals$}"))
        }
        _ => format!("{}e{exponent}", trimmed(mantissa)),
    }
}

fn trimmed(number: &str) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_nothing_else() {
        assert_eq!(one_line("it's \"é\"\r\n\u{1b}[2J\u{9b}"), r#"it's "é"\r\n\u{1b}[2J\u{9b}"#);
        assert_eq!(one_line("a\u{202e}b\u{2066}c\u{200f}d\u{2028}"), r"a\u{202e}b\u{2066}c\u{200f}d\u{2028}");
        // Letters and emoji of any script, with the joiners that they need.
        assert_eq!(one_line("\u{646}\u{200c}\u{5d0} 👩\u{200d}🔬"), "\u{646}\u{200c}\u{5d0} 👩\u{200d}🔬");
    }

    #[test]
    fn of_many_items_the_first_are_listed() {
        assert_eq!(listed(["a", "b"], 2), "a, b");
        assert_eq!(listed(["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(listed([""; 0], 2), "");
    }
}
