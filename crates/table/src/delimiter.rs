//! The field separator of a CSV file: given, or detected from the beginning of the file.

use super::csv::Csv;
use super::line_filter::LineFilter;
use super::sample_rows::{SampleRow, Shape};

/// The delimiters that are detected, the most common first. Spaces are detected if none of them fits.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads a delimiter from the command line: one ASCII character, `tab` or `space`.
///
/// # Errors
/// A message for anything else.
pub fn parse(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if matches!(text, "tab" | "\\t") => Ok(b'\t'),
        _ if text == "space" => Ok(b' '),
        [b'"' | b'\n' | b'\r'] => Err("a quote or a line end cannot separate fields".to_owned()),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("expected one ASCII character, such as , or ; or tab".to_owned()),
    }
}

/// A delimiter as it is written on the command line.
pub(super) fn delimiter_name(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "tab".to_owned(),
        b' ' => "space".to_owned(),
        other => char::from(other).to_string(),
    }
}

/// A delimiter in messages.
pub(super) fn described(delimiter: u8) -> String {
    match delimiter {
        b',' => "commas".to_owned(),
        b';' => "semicolons".to_owned(),
        b'\t' => "tabs".to_owned(),
        b' ' => "spaces".to_owned(),
        other => char::from(other).to_string(),
    }
}

/// The beginning of a file, split by a delimiter.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) delimiter: u8,
    /// Whether a run of spaces is one delimiter.
    pub(super) spaces: bool,
    pub(super) rows: Vec<SampleRow>,
    pub(super) shape: Shape,
}

impl Split {
    /// Whether there is more than one column, and nothing is unusual.
    fn fits(&self) -> bool {
        self.shape.is_plain && self.shape.width > 1
    }
}

/// How the beginning of a file is split.
#[derive(Debug, Clone, Copy)]
pub(super) struct Splitting<'a> {
    /// The delimiter, unless it is detected.
    pub(super) delimiter: Option<u8>,
    /// Whether the first row is a header.
    pub(super) has_header: bool,
    /// Whether lines before the header are looked for.
    pub(super) may_have_preamble: bool,
    /// Whether the last row may be cut.
    pub(super) is_cut: bool,
    /// Columns that the header should have.
    pub(super) known: &'a [String],
}

impl Splitting<'_> {
    /// Splits a text by the delimiter that fits best: the header has the known columns, there are no lines before it, most
    /// rows have as many fields as the header, and there are many fields.
    pub(super) fn best(&self, text: &str) -> Split {
        let given = self.delimiter.map(|delimiter| vec![delimiter]);
        let candidates = given.unwrap_or_else(|| DELIMITERS.to_vec());
        let mut best: Option<Split> = None;
        for delimiter in candidates {
            let split = self.by(text, delimiter);
            // Of equals, the first.
            if best.as_ref().is_none_or(|best| self.rank(&split) > self.rank(best)) {
                best = Some(split);
            }
        }
        let has_known = |split: &Split| split.shape.has_known && !self.known.is_empty();
        let is_spaces = self.delimiter == Some(b' ');
        let mut best = best.filter(|_| !is_spaces);
        if let Some(best) = best.take_if(|best| self.delimiter.is_some() || best.fits() || has_known(best)) {
            return best;
        }
        let single = self.by(text, b' ');
        let has_empty = single.rows.iter().any(|row| row.has_empty);
        if single.fits() && !has_empty {
            return single;
        }
        let filter = LineFilter { delimiter: b' ', spaces: true, ..LineFilter::default() };
        let joined = String::from_utf8(filter.apply(text.as_bytes())).unwrap_or_default();
        let runs = Split { spaces: true, ..self.by(&joined, b' ') };
        if runs.fits() {
            return runs;
        }
        best.unwrap_or(single)
    }

    fn by(&self, text: &str, delimiter: u8) -> Split {
        let csv = Csv { delimiter, header_end: 0, first_line: 1 };
        let mut rows = SampleRow::all(csv, text.as_bytes());
        if self.is_cut && rows.len() > 1 {
            rows.pop();
        }
        let shape = Shape::new(&rows, delimiter, self);
        Split { delimiter, spaces: false, rows, shape }
    }

    fn rank(&self, split: &Split) -> (bool, bool, bool, u64, usize) {
        let Shape { has_known, is_plain, share, width, .. } = split.shape;
        // A percentage.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let percent = (share * 100.0).round() as u64;
        let known = has_known && !self.known.is_empty();
        // With the known columns, even of one, the most common delimiter is right.
        (known, known || width > 1, is_plain, percent, if known { 0 } else { width })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(text: &str, known: &[&str]) -> u8 {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        let splitting =
            Splitting { delimiter: None, has_header: true, may_have_preamble: true, is_cut: false, known: &known };
        splitting.best(text).delimiter
    }

    #[test]
    fn a_delimiter_is_one_character() {
        assert_eq!(
            (parse(";"), parse("tab"), parse("\\t"), parse("space")),
            (Ok(b';'), Ok(b'\t'), Ok(b'\t'), Ok(b' '))
        );
        for text in ["", ",,", "é", "\"", "\n"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        for delimiter in [b',', b'\t', b' ', b'|'] {
            assert_eq!(parse(&delimiter_name(delimiter)), Ok(delimiter));
        }
    }

    #[test]
    fn without_rows_the_most_frequent_delimiter_is_detected() {
        for (header, expected) in
            [("a", b','), ("a;b,c;d", b';'), ("\"a;b;c\",d", b','), ("a\tb", b'\t'), ("a|b|c;d", b'|'), ("a,b;c", b',')]
        {
            assert_eq!(delimiter(header, &[]), expected, "{header}");
            assert_eq!(delimiter(header, &["other"]), expected, "{header}");
        }
    }

    #[test]
    fn a_delimiter_that_gives_the_known_columns_precedes_a_more_frequent_one() {
        for (header, wanted, expected) in [
            ("p|q\n", &["p|q"][..], b','),
            ("p|q\n", &["q", "p"], b'|'),
            ("a|b|c;y\n", &["y"], b';'),
            ("a|b|c;y\n", &["a|b|c", "y"], b';'),
            ("\n\n a|b ,\"y|z\"\r\n", &["a|b", "y|z"], b','),
            ("x,y;y|z;x\n", &["x"], b','),
        ] {
            assert_eq!(delimiter(header, wanted), expected, "{header}");
        }
    }

    #[test]
    fn the_delimiter_with_which_most_rows_have_the_fields_of_the_header_is_detected() {
        for (text, expected) in [
            ("a;b\n1,5;2\n2,5;3\n4,0;5\n", b';'),
            ("a,b\n1;5,2\n2;5,3\n", b','),
            ("name\tplace\nx\tA, B\ny\tC, D\n", b'\t'),
            ("a;b;c\n1;2;3,4,5\n", b';'),
            ("date,y\n2020-01-01 10:00,1\n2020-01-02 10:00,2\n", b','),
            ("height cm\n180\n175\n", b','),
            ("x y\n1 2\n3 4\n", b' '),
            ("  x    y\n 10    2\n  3    4\n", b' '),
            ("\"x\" \"y\"\n\"1\" 1 \"a, b\"\n\"2\" 3 \"c, d\"\n", b' '),
            ("some words in a row\nx,y\n1,2\n3,4\n", b','),
        ] {
            assert_eq!(delimiter(text, &[]), expected, "{text}");
        }
    }
}
