//! `--delimiter`, wherever it is asked for.

/// One character of ASCII, or `tab`.
///
/// # Errors
/// A sentence for anything else.
pub(super) fn parse(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if matches!(text, "tab" | "\\t") => Ok(b'\t'),
        [b'"' | b'\n' | b'\r'] => Err("a quote or a line's end cannot stand between fields".to_owned()),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("expected one ASCII character, such as , or ; or tab".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_one_character() {
        assert_eq!((parse(";"), parse("tab"), parse("\\t")), (Ok(b';'), Ok(b'\t'), Ok(b'\t')));
        for text in ["", ",,", "é", "\"", "\n"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
