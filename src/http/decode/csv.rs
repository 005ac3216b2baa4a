//! `text/csv` (RFC 4180): columns by name in any order, or values in the order of the signature without a header.
//!
//! If the content type does not have the parameter `header`, the first line is a header if it contains the name of a
//! feature, and a row otherwise. A line that could be both is an error.

use super::json::Terms;
use super::{Layout, refuse, utf8};
use crate::http::server::body::Header;
use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::cell::Cell;
use ordinate_model::frame::Frame;
use ordinate_model::frame::{FaultKind, Faults};
use ordinate_model::signature::{Feature, FeatureType, Signature, UNKNOWN_LEVEL};

/// A frame and its layout: [`Layout::Csv`] with a header, [`Layout::Lines`] without.
type Table<'s> = (Frame<'s>, Layout);

type Reader<'t> = ::csv::Reader<&'t [u8]>;

/// Reads a table.
///
/// # Errors
/// 400 if it is not UTF-8 or not CSV, 413 above the limit of rows, 422 if it does not fit the signature.
pub(in crate::http) fn read<'s>(body: &[u8], terms: Terms<'s>, header: Header) -> Result<Table<'s>, ApiError> {
    let text = utf8(body)?;
    check_quotes(text)?;
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut first = ::csv::StringRecord::new();
    if !reader.read_record(&mut first).map_err(|error| invalid(&error))? {
        let detail = match header {
            Header::Present => "the body is empty; send a header with the names of the features, then one line per row",
            Header::Absent | Header::Undeclared => "the body is empty; send one line per row",
        };
        return Err(ApiError::new(ErrorCode::InvalidCsv, detail));
    }
    if first.len() == 1 {
        check_blank_lines(text)?;
    }
    let undeclared = header == Header::Undeclared;
    let names = first.iter().any(|field| terms.signature.position(field.trim()).is_some());
    if undeclared && could_be_either(&first, names, terms.signature) {
        let detail = "the first line may be a header or a row: send Content-Type: text/csv; header=present, \
                      or header=absent";
        return Err(ApiError::new(ErrorCode::InvalidCsv, detail));
    }
    if header == Header::Present || (undeclared && names) {
        let frame = named(&mut reader, first, terms)?.map_err(|faults| refuse(faults, Layout::Csv))?;
        return Ok((frame, Layout::Csv));
    }
    let frame = positional(&mut reader, first, terms)?.map_err(|mut faults| {
        if undeclared {
            explain_reading(&mut faults);
        }
        refuse(faults, Layout::Lines)
    })?;
    Ok((frame, Layout::Lines))
}

/// Whether the first line could be both a header and a row; `names` is whether it contains the name of a feature.
fn could_be_either(fields: &::csv::StringRecord, names: bool, signature: &Signature) -> bool {
    let mut cells = signature.features().iter().zip(fields);
    fields.len() == signature.width()
        && if names {
            cells.all(|(feature, field)| feature.accept(Cell::Field(field)).is_ok() && !is_unknown(feature, field))
        } else {
            // Unknown categories only, which the model ignores: misspelt names would look the same.
            cells.all(|(feature, field)| is_unknown(feature, field))
        }
}

/// Whether a field is an unknown category of a feature that ignores them.
fn is_unknown(feature: &Feature, field: &str) -> bool {
    // The value is exactly this constant.
    #[allow(clippy::float_cmp)]
    let unknown = |value| value == UNKNOWN_LEVEL;
    feature.kind == FeatureType::String && feature.accept(Cell::Field(field)).is_ok_and(unknown)
}

/// Extends the first fault if it is in the first line, which may have been meant as a header.
fn explain_reading(faults: &mut Faults) {
    let suspect = [FaultKind::InvalidValue, FaultKind::UnknownCategory, FaultKind::WrongWidth];
    if let Some(fault) = faults.listed.first_mut()
        && fault.place.row == Some(0)
        && suspect.contains(&fault.kind)
    {
        fault.detail.push_str("; the first line contains no name of a feature and was read as a row, not as a header");
    }
}

/// Reads the lines after a header.
fn named<'s>(
    reader: &mut Reader<'_>,
    header: ::csv::StringRecord,
    terms: Terms<'s>,
) -> Result<Result<Frame<'s>, Faults>, ApiError> {
    let mut rows = terms.rows();
    let width = header.len();
    let position = |(index, name): (usize, &str)| Some((index, rows.position(name.trim())?));
    let columns: Vec<(usize, usize)> = header.iter().enumerate().filter_map(position).collect();
    rows.end_named_row();

    let mut record = header;
    while reader.read_record(&mut record).map_err(|error| invalid(&error))? {
        rows.start_row()?;
        if record.len() == width {
            for (index, position) in &columns {
                rows.set(*position, Cell::Field(record.get(*index).unwrap_or_default()));
            }
        } else {
            let detail = format!("expected {width} fields as in the header, got {}", record.len());
            rows.wrong_row(FaultKind::WrongWidth, detail);
        }
    }
    Ok(rows.finish())
}

/// Reads lines without a header.
fn positional<'s>(
    reader: &mut Reader<'_>,
    first: ::csv::StringRecord,
    terms: Terms<'s>,
) -> Result<Result<Frame<'s>, Faults>, ApiError> {
    let mut rows = terms.rows();
    let mut record = first;
    loop {
        rows.start_row()?;
        for field in &record {
            rows.push(Cell::Field(field));
        }
        rows.end_positional_row();
        if !reader.read_record(&mut record).map_err(|error| invalid(&error))? {
            return Ok(rows.finish());
        }
    }
}

/// Checks that quotes enclose whole fields and are doubled in them (RFC 4180 §2). The CSV reader would read `"1"2` as
/// 12, and everything after an unclosed quote as one field.
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
            (At::Plain, b'"') => return wrong(line, "a quote inside an unquoted field"),
            (At::Quoted, b'"') => At::QuoteInQuoted,
            (At::QuoteInQuoted, b'"') | (At::Quoted, _) => At::Quoted,
            (_, b',' | b'\r' | b'\n') => At::FieldStart,
            (At::QuoteInQuoted, _) => return wrong(line, "text after a closing quote"),
            (At::FieldStart | At::Plain, _) => At::Plain,
        };
        line += usize::from(byte == b'\n');
    }
    if at == At::Quoted { wrong(opened, "an unclosed quote") } else { Ok(()) }
}

/// Checks for empty lines in a table of one column, where they may be meant as missing values. The CSV reader skips
/// them, which would change the positions of the rows after them.
fn check_blank_lines(text: &str) -> Result<(), ApiError> {
    let mut lines = text.trim_end_matches(['\r', '\n']).split('\n').flat_map(|line| {
        // A line ends with CR LF, LF or CR.
        line.strip_suffix('\r').unwrap_or(line).split('\r')
    });
    match lines.position(str::is_empty) {
        Some(blank) => {
            let detail = format!("line {} is empty: write \"\" for a missing value, or remove the line", blank + 1);
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
    use ordinate_model::scalar::Scalar;
    use ordinate_model::signature::{MissingPolicy, Target, UnknownPolicy};

    fn signature() -> Signature {
        let feature = |name: &str, missing| Feature { missing, ..Feature::new(name, FeatureType::Double) };
        let features =
            vec![feature("age", MissingPolicy::Reject), feature("bmi", MissingPolicy::Impute(Scalar::Number(25.0)))];
        Signature::new(features, Target::new("y", FeatureType::Double)).unwrap()
    }

    fn strict(signature: &Signature, max_rows: usize) -> Terms<'_> {
        Terms { signature, max_rows, lenient: false }
    }

    fn values(body: &str) -> Vec<Vec<f64>> {
        let signature = signature();
        let table = read(body.as_bytes(), strict(&signature, 100), Header::Present);
        let (frame, _) = table.unwrap_or_else(|error| panic!("{body}: {error:?}"));
        frame.iter().map(<[f64]>::to_vec).collect()
    }

    fn rejection(body: &str) -> Vec<(&'static str, String)> {
        faults(read(body.as_bytes(), strict(&signature(), 3), Header::Present).unwrap_err())
    }

    fn faults(error: ApiError) -> Vec<(&'static str, String)> {
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
    fn files_of_spreadsheets_are_read() {
        assert_eq!(
            values("\u{feff}age,bmi\r\n\"41\", 30.5\r\n42,\r\n43,NaN\r\n44,n/a\r\n45,NULL"),
            [[41.0, 30.5], [42.0, 25.0], [43.0, 25.0], [44.0, 25.0], [45.0, 25.0]]
        );
    }

    #[test]
    fn faults_name_row_and_feature() {
        assert_eq!(
            rejection("age,bmi\n41,high\n,2\n1e999,2\n"),
            [
                ("invalid_value", "row 0: feature \"bmi\" expected a number, got \"high\"".into()),
                ("missing_value", "row 1: feature \"age\" is missing, and the model does not impute it".into()),
                ("lossy_number", "row 2: feature \"age\" got 1e999, too large for a double".into()),
            ]
        );
        assert_eq!(
            rejection("age,bmi\n41\n42,high\n"),
            [
                ("wrong_width", "row 0: expected 2 fields as in the header, got 1".into()),
                ("invalid_value", "row 1: feature \"bmi\" expected a number, got \"high\"".into()),
            ]
        );
        assert_eq!(
            rejection("age,height,age\n"),
            [
                ("unknown_feature", "feature \"height\" is not a feature of this model".into()),
                ("duplicate_feature", "feature \"age\" appears twice".into()),
                ("missing_feature", "feature \"bmi\" is missing".into()),
            ]
        );
        assert_eq!(rejection("age,bmi\n"), [("no_rows", "there are no rows to predict".into())]);
        assert_eq!(rejection("age,bmi\n1,1\n1,1\n1,1\n1,1\n")[0].0, "too_many_rows");
        assert_eq!(rejection("")[0].0, "invalid_csv");
    }

    #[test]
    fn invalid_quotes_are_rejected() {
        for (body, detail) in [
            ("age,bmi\n\"1\"2,3\n", "line 2: text after a closing quote"),
            ("age,bmi\n4\"1\",3\n", "line 2: a quote inside an unquoted field"),
            ("age,bmi\n1,2\n\"3,4\n5,6\n", "line 3: an unclosed quote"),
        ] {
            assert_eq!(rejection(body), [("invalid_csv", detail.to_owned())], "{body}");
        }
        assert_eq!(values("\"age\",\"bmi\"\n\"1\",\"2\"\r\n\"3\",\"4\""), [[1.0, 2.0], [3.0, 4.0]]);
    }

    #[test]
    fn an_empty_line_in_a_table_of_one_column_is_rejected() {
        let target = Target::new("y", FeatureType::Double);
        let feature =
            Feature { missing: MissingPolicy::Impute(Scalar::Number(7.0)), ..Feature::new("x", FeatureType::Double) };
        let one = Signature::new(vec![feature], target).unwrap();
        let error = read(b"x\n1\n\n3\n", strict(&one, 10), Header::Present).unwrap_err();
        assert_eq!(error.detail, "line 3 is empty: write \"\" for a missing value, or remove the line");
        let error = read(b"x\r1\r\r3\r", strict(&one, 10), Header::Present).unwrap_err();
        assert_eq!(error.detail, "line 3 is empty: write \"\" for a missing value, or remove the line");
        let (frame, _) = read(b"x\r\n1\r\n\"\"\r\n3\r\n\r\n", strict(&one, 10), Header::Present).unwrap();
        assert_eq!(frame.iter().flatten().copied().collect::<Vec<_>>(), [1.0, 7.0, 3.0]);
    }

    type Rows = Vec<Vec<f64>>;
    type Details = Vec<(&'static str, String)>;

    fn detect(body: &str, signature: &Signature) -> Result<(Rows, Layout), Details> {
        let terms = Terms { signature, max_rows: 10, lenient: true };
        let (frame, layout) = read(body.as_bytes(), terms, Header::Undeclared).map_err(faults)?;
        Ok((frame.iter().map(<[f64]>::to_vec).collect(), layout))
    }

    #[test]
    fn a_header_is_detected_by_the_names_of_the_features() {
        let signature = signature();
        for body in ["age,bmi\n41,30.5\n", "bmi,name, age\n30.5,Ann,41\n", "\"bmi\",age\n30.5,41"] {
            assert_eq!(detect(body, &signature), Ok((vec![vec![41.0, 30.5]], Layout::Csv)), "{body}");
        }
        for body in ["41,30.5\n42,\n", "\u{feff}\"41\",30.5\r\n42,NaN"] {
            assert_eq!(
                detect(body, &signature),
                Ok((vec![vec![41.0, 30.5], vec![42.0, 25.0]], Layout::Lines)),
                "{body}"
            );
        }
    }

    #[test]
    fn a_header_without_all_features_is_rejected_as_a_header() {
        assert_eq!(
            detect("age,height\n41,170\n", &signature()),
            Err(vec![("missing_feature", "feature \"bmi\" is missing".into())])
        );
    }

    #[test]
    fn the_error_of_a_first_line_that_is_neither_header_nor_row_says_how_it_was_read() {
        let both = "; the first line contains no name of a feature and was read as a row, not as a header";
        let high = "row 0: feature \"age\" expected a number, got \"Age\"";
        let refused = detect("Age,Bmi\n41,30.5\n", &signature()).unwrap_err();
        assert_eq!(refused.first(), Some(&("invalid_value", format!("{high}{both}"))));
        let narrow = "row 0: expected 2 values (age, bmi), got 1";
        assert_eq!(detect("41\n", &signature()), Err(vec![("wrong_width", format!("{narrow}{both}"))]));
        let later = "row 1: feature \"age\" expected a number, got \"Age\"";
        assert_eq!(detect("41,1\nAge,1\n", &signature()), Err(vec![("invalid_value", later.into())]));
    }

    #[test]
    fn an_ambiguous_first_line_is_rejected_without_the_parameter_header() {
        let target = Target::new("y", FeatureType::Double);
        let features = ["0", "1"].map(|name| Feature::new(name, FeatureType::Double));
        let numbered = Signature::new(features.to_vec(), target).unwrap();
        let refused = detect("1,0\n5,6\n", &numbered).unwrap_err();
        assert!(refused[0].0 == "invalid_csv" && refused[0].1.contains("header=present, or header=absent"));
        let read = |header| {
            let (frame, _) = read(b"1,0\n5,6\n", strict(&numbered, 10), header).unwrap();
            frame.iter().map(<[f64]>::to_vec).collect::<Vec<_>>()
        };
        assert_eq!(read(Header::Present), [[6.0, 5.0]]);
        assert_eq!(read(Header::Absent), [[1.0, 0.0], [5.0, 6.0]]);
    }

    #[test]
    fn misspelt_names_are_not_read_as_unknown_categories() {
        let target = Target::new("y", FeatureType::Double);
        let levels = vec!["Basel".into(), "Bern".into()];
        let city = Feature { levels, unknown: UnknownPolicy::Ignore, ..Feature::new("city", FeatureType::String) };
        let cities = Signature::new(vec![city], target).unwrap();
        assert_eq!(detect("City\nBern\n", &cities).unwrap_err()[0].0, "invalid_csv");
        assert_eq!(detect("city\nBern\nZug\n", &cities), Ok((vec![vec![1.0], vec![-1.0]], Layout::Csv)));
        assert_eq!(detect("Bern\nZug\n", &cities), Ok((vec![vec![1.0], vec![-1.0]], Layout::Lines)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(body: Vec<u8>) {
            for header in [Header::Present, Header::Absent, Header::Undeclared] {
                let _ = read(&body, strict(&signature(), 10), header);
            }
        }

        #[test]
        fn text_that_resembles_csv_does_not_panic(body in "[agebmi0-9,.\"\n\r -]{0,60}") {
            for header in [Header::Present, Header::Absent, Header::Undeclared] {
                let _ = read(body.as_bytes(), strict(&signature(), 10), header);
            }
        }
    }
}
