//! The delimiter of a CSV file, found in its header.

use std::collections::HashSet;
use std::io::{self, BufRead};

use csv::{ReaderBuilder, StringRecord};

/// The longest header in which the delimiter is looked for.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// What may stand between fields, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The first line that is not blank, with the blank ones before it.
///
/// # Errors
/// Those of reading.
pub fn header_line(bytes: impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut bytes = bytes.take(MAX_HEADER_BYTES);
    while bytes.read_until(b'\n', &mut line)? > 0 && line.trim_ascii().is_empty() {}
    Ok(line)
}

/// The delimiter under which a header has all of these columns, of several the likeliest; otherwise the most frequent.
///
/// A name may contain what separates the fields of other files (`p|q`), so that counting alone would take it apart.
#[must_use]
pub fn delimiter(header: &[u8], columns: &[impl AsRef<str>]) -> u8 {
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

/// The delimiter that a header has most of, outside quotes; of several with as many, the first.
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
    fn the_most_frequent_delimiter_is_found_where_no_column_is_known() {
        for (header, expected) in
            [("a", b','), ("a;b,c;d", b';'), ("\"a;b;c\",d", b','), ("a\tb", b'\t'), ("a|b|c;d", b'|'), ("a,b;c", b',')]
        {
            let none: [&str; 0] = [];
            assert_eq!(delimiter(header.as_bytes(), &none), expected, "{header}");
            assert_eq!(delimiter(header.as_bytes(), &["other"]), expected, "{header}");
        }
    }

    #[test]
    fn a_delimiter_that_gives_the_wanted_columns_goes_before_one_that_is_there_more_often() {
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
