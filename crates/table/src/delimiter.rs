//! The field separator of a CSV file: given, or detected from the header.

use std::collections::HashSet;
use std::io::{self, BufRead};

use csv::{ReaderBuilder, StringRecord};

/// The longest header in which the delimiter is detected.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// The delimiters that are detected, the most common first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads a delimiter from the command line: one ASCII character, or `tab`.
///
/// # Errors
/// A message for anything else.
pub fn parse(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if matches!(text, "tab" | "\\t") => Ok(b'\t'),
        [b'"' | b'\n' | b'\r'] => Err("a quote or a line end cannot separate fields".to_owned()),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("expected one ASCII character, such as , or ; or tab".to_owned()),
    }
}

/// Reads the first line that is not blank, with the blank lines before it.
///
/// # Errors
/// I/O errors.
pub(super) fn header_line(bytes: impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut bytes = bytes.take(MAX_HEADER_BYTES);
    while bytes.read_until(b'\n', &mut line)? > 0 && line.trim_ascii().is_empty() {}
    Ok(line)
}

/// The most common delimiter under which a header has all of these columns; otherwise the most frequent delimiter.
///
/// A name may contain the separator of other files (`p|q`): frequency alone would split it.
pub(super) fn delimiter(header: &[u8], columns: &[impl AsRef<str>]) -> u8 {
    let has_all = |delimiter: &u8| {
        let mut reader = ReaderBuilder::new().has_headers(false).delimiter(*delimiter).from_reader(header);
        let mut record = StringRecord::new();
        let is_read = reader.read_record(&mut record).unwrap_or(false);
        let names: HashSet<&str> = record.iter().map(str::trim).collect();
        is_read && columns.iter().all(|column| names.contains(column.as_ref()))
    };
    let fitting = DELIMITERS.into_iter().find(has_all).filter(|_| !columns.is_empty());
    fitting.unwrap_or_else(|| most_frequent(header))
}

/// The most frequent delimiter outside quotes; of several, the first.
fn most_frequent(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = DELIMITERS.map(|delimiter| (delimiter, 0_usize));
    for byte in header {
        quoted ^= *byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += usize::from(!quoted && byte == delimiter);
        }
    }
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(delimiter, _)| *delimiter)
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

    #[test]
    fn without_known_columns_the_most_frequent_delimiter_is_detected() {
        for (header, expected) in
            [("a", b','), ("a;b,c;d", b';'), ("\"a;b;c\",d", b','), ("a\tb", b'\t'), ("a|b|c;d", b'|'), ("a,b;c", b',')]
        {
            let none: [&str; 0] = [];
            assert_eq!(delimiter(header.as_bytes(), &none), expected, "{header}");
            assert_eq!(delimiter(header.as_bytes(), &["other"]), expected, "{header}");
        }
    }

    #[test]
    fn a_delimiter_that_gives_the_known_columns_precedes_a_more_frequent_one() {
        for (header, wanted, expected) in [
            ("p|q\n", &["p|q"][..], b','),
            ("p|q\n", &["q", "p"], b'|'),
            ("\u{feff}a|b|c;y\n", &["y"], b';'),
            ("a|b|c;y\n", &["a|b|c", "y"], b';'),
            ("\n\n a|b , \"y|z\"\r\n", &["a|b", "y|z"], b','),
            ("x,y;y|z;x\n", &["x"], b','),
        ] {
            assert_eq!(delimiter(header.as_bytes(), wanted), expected, "{header}");
        }
    }
}
