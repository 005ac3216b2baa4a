//! `text/csv` with a header row (RFC 4180): columns by name, in any order.

use super::{Layout, refuse, utf8};
use crate::http::error::{ApiError, ErrorCode};
use crate::model::frame::{Cell, ColumnsBuilder, Frame};
use crate::model::signature::Signature;

/// Reads a table. A byte order mark is passed over, as spreadsheets write one.
///
/// # Errors
/// 400 when it is not UTF-8 or has no header, 413 past `max_rows`, 422 when it does not fit the signature.
pub(in crate::http) fn read<'s>(body: &[u8], signature: &'s Signature, max_rows: usize) -> Result<Frame<'s>, ApiError> {
    let text = utf8(body)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    check_quotes(text)?;
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let mut columns = ColumnsBuilder::new(signature, max_rows);

    let header = reader.headers().map_err(|error| invalid(&error))?;
    if header.is_empty() {
        return Err(ApiError::new(ErrorCode::InvalidCsv, "the body is empty; its first line must name the features"));
    }
    let width = header.len();
    if width == 1 {
        check_blank_lines(text)?;
    }
    let positions: Vec<Option<usize>> = header.iter().map(|name| columns.start_column(name.trim())).collect();

    let mut record = ::csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| invalid(&error))? {
        if record.len() == width {
            for (position, field) in positions.iter().zip(&record) {
                if let Some(position) = position {
                    columns.push(*position, Cell::Field(field))?;
                }
            }
        } else {
            columns.wrong_width(width, record.len())?;
        }
    }
    columns.finish().map_err(|faults| refuse(faults, Layout::Csv))
}

/// Quotes stand around a whole field and are doubled within (RFC 4180 §2): the reader itself would join `"1"2` to 12, and take
/// everything after a quote that is never closed for one field.
fn check_quotes(text: &str) -> Result<(), ApiError> {
    #[derive(PartialEq)]
    enum At {
        FieldStart,
        Plain,
        Quoted,
        QuoteInQuoted,
    }
    if !text.contains('"') {
        return Ok(());
    }
    let wrong = |line: usize, what: &str| Err(ApiError::new(ErrorCode::InvalidCsv, format!("line {line}: {what}")));
    let (mut at, mut line, mut opened) = (At::FieldStart, 1, 1);
    for byte in text.bytes() {
        at = match (at, byte) {
            (At::FieldStart, b'"') => {
                opened = line;
                At::Quoted
            }
            (At::Plain, b'"') => return wrong(line, "a quote within a field that does not begin with one"),
            (At::Quoted, b'"') => At::QuoteInQuoted,
            (At::QuoteInQuoted, b'"') | (At::Quoted, _) => At::Quoted,
            (_, b',' | b'\r' | b'\n') => At::FieldStart,
            (At::QuoteInQuoted, _) => return wrong(line, "text after the quote that ends a field"),
            (At::FieldStart | At::Plain, _) => At::Plain,
        };
        line += usize::from(byte == b'\n');
    }
    if at == At::Quoted { wrong(opened, "a quote that is never closed") } else { Ok(()) }
}

/// In a table of one column an empty line could be a missing value. The reader passes over it, and every row after it would
/// be another than the caller's.
fn check_blank_lines(text: &str) -> Result<(), ApiError> {
    let lines: Vec<&str> = text.trim_end_matches(['\r', '\n']).split('\n').collect();
    match lines.iter().position(|line| line.trim_end_matches('\r').is_empty()) {
        Some(blank) => {
            let detail = format!("line {} is empty: write \"\" for a missing value, or leave the line out", blank + 1);
            Err(ApiError::new(ErrorCode::InvalidCsv, detail))
        }
        None => Ok(()),
    }
}

fn invalid(error: &::csv::Error) -> ApiError {
    let line = error.position().map(|position| format!("line {}: ", position.line())).unwrap_or_default();
    ApiError::new(ErrorCode::InvalidCsv, format!("{line}{error}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::scalar::Scalar;
    use crate::model::signature::{Feature, FeatureType, Missing, Target};

    fn signature() -> Signature {
        let feature = |name: &str, missing| Feature { missing, ..Feature::new(name, FeatureType::Double) };
        let features = vec![feature("age", Missing::Reject), feature("bmi", Missing::Impute(Scalar::Number(25.0)))];
        Signature::new(features, Target { name: "y".into(), kind: FeatureType::Double }).unwrap()
    }

    fn values(body: &str) -> Vec<Vec<f64>> {
        let signature = signature();
        let frame = read(body.as_bytes(), &signature, 100).unwrap_or_else(|error| panic!("{body}: {error:?}"));
        frame.iter().map(<[f64]>::to_vec).collect()
    }

    fn refusal(body: &str) -> Vec<(&'static str, String)> {
        let error = read(body.as_bytes(), &signature(), 3).unwrap_err();
        if error.complaints.is_empty() {
            return vec![(error.code.as_str(), error.detail)];
        }
        error.complaints.into_iter().map(|complaint| (complaint.code.as_str(), complaint.detail)).collect()
    }

    #[test]
    fn columns_are_found_by_name() {
        assert_eq!(values("bmi,age\n30.5,41\n31,42\n"), [[41.0, 30.5], [42.0, 31.0]]);
    }

    #[test]
    fn spreadsheets_habits_are_understood() {
        assert_eq!(
            values("\u{feff}age,bmi\r\n\"41\", 30.5\r\n42,\r\n43,NaN\r\n44,n/a\r\n45,NULL"),
            [[41.0, 30.5], [42.0, 25.0], [43.0, 25.0], [44.0, 25.0], [45.0, 25.0]]
        );
    }

    #[test]
    fn what_does_not_fit_is_told_by_row_and_feature() {
        assert_eq!(
            refusal("age,bmi\n41,high\n,2\n1e999,2\n"),
            [
                ("invalid_value", "row 0: feature \"bmi\" expected a number, got \"high\"".into()),
                ("missing_value", "row 1: feature \"age\" is missing, and the model does not impute it".into()),
                ("lossy_number", "row 2: feature \"age\" got 1e999, too large for a double".into()),
            ]
        );
        assert_eq!(
            refusal("age,bmi\n41\n42,high\n"),
            [
                ("wrong_width", "row 0: expected 2 fields as in the header, got 1".into()),
                ("invalid_value", "row 1: feature \"bmi\" expected a number, got \"high\"".into()),
            ]
        );
        assert_eq!(
            refusal("age,height,age\n"),
            [
                ("unknown_feature", "feature \"height\" is not a feature of this model".into()),
                ("duplicate_feature", "feature \"age\" is there twice".into()),
                ("missing_feature", "feature \"bmi\" is missing".into()),
            ]
        );
        assert_eq!(refusal("age,bmi\n"), [("no_rows", "there are no rows to predict".into())]);
        assert_eq!(refusal("age,bmi\n1,1\n1,1\n1,1\n1,1\n")[0].0, "too_many_rows");
        assert_eq!(refusal("")[0].0, "invalid_csv");
    }

    #[test]
    fn broken_quoting_is_refused_rather_than_guessed() {
        for (body, told) in [
            ("age,bmi\n\"1\"2,3\n", "line 2: text after the quote that ends a field"),
            ("age,bmi\n4\"1\",3\n", "line 2: a quote within a field that does not begin with one"),
            ("age,bmi\n1,2\n\"3,4\n5,6\n", "line 3: a quote that is never closed"),
        ] {
            assert_eq!(refusal(body), [("invalid_csv", told.to_owned())], "{body}");
        }
        assert_eq!(values("\"age\",\"bmi\"\n\"1\",\"2\"\r\n\"3\",\"4\""), [[1.0, 2.0], [3.0, 4.0]]);
    }

    #[test]
    fn an_empty_line_in_a_table_of_one_column_is_not_passed_over() {
        let target = Target { name: "y".into(), kind: FeatureType::Double };
        let feature =
            Feature { missing: Missing::Impute(Scalar::Number(7.0)), ..Feature::new("x", FeatureType::Double) };
        let one = Signature::new(vec![feature], target).unwrap();
        let error = read(b"x\n1\n\n3\n", &one, 10).unwrap_err();
        assert_eq!(error.detail, "line 3 is empty: write \"\" for a missing value, or leave the line out");
        let frame = read(b"x\r\n1\r\n\"\"\r\n3\r\n\r\n", &one, 10).unwrap();
        assert_eq!(frame.iter().flatten().copied().collect::<Vec<_>>(), [1.0, 7.0, 3.0]);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body: Vec<u8>) {
            let _ = read(&body, &signature(), 10);
        }
    }
}
