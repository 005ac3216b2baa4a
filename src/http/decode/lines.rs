//! `application/jsonlines` (<https://jsonlines.org>): one row per line, as a value, a list or an object.

use std::collections::BTreeSet;

use super::json::{Names, Reader, RowsReader, Terms};
use super::{Layout, refuse, utf8};
use crate::http::server::error::ApiError;
use ordinate_model::frame::{Faults, Frame};
use ordinate_model::signature::Signature;

/// A line of a file of JSON Lines.
#[derive(Debug, Clone, Copy)]
pub struct FileLine<'t> {
    /// Its number in the file, from 1.
    pub number: u64,
    /// Its text.
    pub text: &'t str,
}

/// Why lines of a file are not rows that a model can answer.
#[derive(Debug)]
pub enum LineError {
    /// A line is not JSON.
    Syntax(String),
    /// Rows do not fit the signature.
    Rows(Faults),
}

/// Reads lines of a file, each with one row: a value, a list, or an object. Other keys than those of features are
/// ignored, but may occur only once and may not be `reserved`: the caller adds these to the object.
///
/// # Errors
/// [`LineError`] if a line is not JSON or does not fit the signature.
pub fn frame_of_lines<'s>(
    lines: &[FileLine<'_>],
    signature: &'s Signature,
    reserved: &'s BTreeSet<String>,
) -> Result<Frame<'s>, LineError> {
    let terms = Terms { signature, max_rows: lines.len(), names: Names::IgnoreUnknown };
    let mut rows = RowsReader::for_lines(terms, reserved);
    for FileLine { number, text } in lines {
        let before = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut reader = Reader::after(before, text);
        let read = rows.read(&mut reader).and_then(|()| reader.finish());
        read.map_err(|error| {
            LineError::Syntax(error.detail.replace("the body is not valid JSON: ", "not valid JSON: "))
        })?;
    }
    rows.finish().0.map_err(LineError::Rows)
}

/// Reads the rows.
///
/// # Errors
/// 400 if a line is not UTF-8 or not JSON, 413 above the limit of rows, 422 if the rows do not fit the signature.
pub(in crate::http) fn read<'s>(body: &[u8], terms: Terms<'s>) -> Result<Frame<'s>, ApiError> {
    let mut rows = RowsReader::new(terms, true);
    for (before, line) in utf8(body)?.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let mut reader = Reader::after(before, line);
        rows.read(&mut reader)?;
        reader.finish()?;
    }
    let (outcome, _) = rows.finish();
    outcome.map_err(|faults| refuse(faults, Layout::Lines))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use ordinate_model::signature::{Feature, FeatureType, Signature, Target};

    fn signature() -> Signature {
        let feature = |name: &str| Feature::new(name, FeatureType::Double);
        let target = Target::new("y", FeatureType::Double);
        Signature::new(vec![feature("age"), feature("bmi")], target).unwrap()
    }

    fn values(body: &str) -> Vec<Vec<f64>> {
        let signature = signature();
        let terms = Terms { signature: &signature, max_rows: 3, names: Names::IgnoreUnknown };
        let frame = read(body.as_bytes(), terms).unwrap_or_else(|error| panic!("{body}: {error:?}"));
        frame.iter().map(<[f64]>::to_vec).collect()
    }

    fn rejection(body: &str) -> (&'static str, String) {
        let signature = signature();
        let terms = Terms { signature: &signature, max_rows: 3, names: Names::IgnoreUnknown };
        let error = read(body.as_bytes(), terms).unwrap_err();
        (error.code.as_str(), error.detail)
    }

    #[test]
    fn every_line_is_a_row_with_the_layout_of_the_first() {
        for body in [
            "{\"features\": [41, 30.5]}\n{\"features\": [42, 31]}",
            "[41, 30.5]\r\n[42, 31]\r\n",
            "\u{feff}[41, 30.5]\n[42, 31]",
            "\n[41, 30.5]\n\n \r\n[42, 31]",
            "{\"bmi\": 30.5, \"age\": 41}\n{\"age\": 42, \"bmi\": 31, \"name\": \"Ann\"}\n\n",
        ] {
            assert_eq!(values(body), [[41.0, 30.5], [42.0, 31.0]], "{body}");
        }
    }

    #[test]
    fn errors_name_the_line_or_the_row() {
        for (body, code, detail) in [
            ("[1, 2]\n[1,", "invalid_json", "the body is not valid JSON: line 2, column 3: EOF while parsing a value"),
            (
                "[1, 2]\n\n[1,",
                "invalid_json",
                "the body is not valid JSON: line 3, column 3: EOF while parsing a value",
            ),
            ("[1, 2] [1, 2]", "invalid_json", "the body is not valid JSON: line 1, column 8: trailing characters"),
            ("[1, 2]\n[1, \"x\"]", "invalid_value", "row 1: feature \"bmi\" expected a number, got the string \"x\""),
            ("[1, 2]\n[1]", "wrong_width", "row 1: expected 2 values (age, bmi), got 1"),
            ("[1, 2]\n{}", "ragged_rows", "row 1: expected a list as in row 0, got an object of another form"),
            ("\n", "no_rows", "there are no rows to predict"),
        ] {
            assert_eq!(rejection(body), (code, detail.to_owned()), "{body}");
        }
        assert_eq!(rejection("[1, 2]\n[1, 2]\n[1, 2]\n[1, 2]").0, "too_many_rows");
    }

    #[test]
    fn lines_of_a_file_may_have_different_layouts() {
        let signature = signature();
        let reserved = BTreeSet::from(["y".to_owned(), "data".to_owned()]);
        let frame = |texts: &[&'static str]| {
            let lines: Vec<FileLine<'_>> =
                texts.iter().zip(7..).map(|(text, number)| FileLine { number, text }).collect();
            frame_of_lines(&lines, &signature, &reserved)
                .map(|frame| frame.iter().map(<[f64]>::to_vec).collect::<Vec<_>>())
        };
        let mixed = ["[41, 30.5]", r#"{"bmi": 31, "age": 42, "x": 1}"#, r#"{"features": [43, 32]}"#];
        assert_eq!(frame(&mixed).unwrap(), [[41.0, 30.5], [42.0, 31.0], [43.0, 32.0]]);
        let Err(LineError::Syntax(message)) = frame(&["[41, 30.5]", "[1,"]) else { panic!() };
        assert_eq!(message, "not valid JSON: line 8, column 3: EOF while parsing a value");
        let Err(LineError::Rows(faults)) = frame(&["[1]"]) else { panic!() };
        assert_eq!(faults.listed[0].detail, "expected 2 values (age, bmi), got 1");
        for (line, expected) in [
            (r#"{"age": 1, "bmi": 2, "x": 1, "\u0078": 2}"#, "the object has the key \"x\" twice"),
            (r#"{"age": 1, "bmi": 2, "\u0079": NaN}"#, "the object has a key \"y\" already"),
            (r#"{"data": {"features": {"values": [1, 2]}}}"#, "the object has a key \"data\" already"),
            (r#"{"age": 1, "bmi": 2, "\u0061ge": 1}"#, "appears twice"),
        ] {
            let Err(LineError::Rows(faults)) = frame(&[line]) else { panic!("{line}") };
            assert_eq!(faults.listed[0].detail, expected, "{line}");
        }
        // The same key in another row.
        let named = r#"{"bmi": 31, "age": 42, "x": 1}"#;
        assert_eq!(frame(&[named, named]).unwrap().len(), 2);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(body: Vec<u8>) {
            let signature = signature();
            let _ = read(&body, Terms { signature: &signature, max_rows: 3, names: Names::IgnoreUnknown });
        }

        #[test]
        fn text_that_resembles_json_lines_does_not_panic(body in "[\\[\\]{}\"a-z0-9eE+.,:NaInfity\\n\\r \\\\-]{0,60}") {
            let signature = signature();
            let _ = read(body.as_bytes(), Terms { signature: &signature, max_rows: 3, names: Names::IgnoreUnknown });
        }
    }
}
