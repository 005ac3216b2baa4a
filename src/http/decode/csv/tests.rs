use proptest::prelude::*;

use super::*;
use crate::http::decode::json::Names;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{FeatureType, MissingPolicy, Target, UnknownPolicy};

fn signature() -> Signature {
    let feature = |name: &str, missing| Feature { missing, ..Feature::new(name, FeatureType::Double) };
    let features =
        vec![feature("age", MissingPolicy::Reject), feature("bmi", MissingPolicy::Impute(Scalar::Number(25.0)))];
    Signature::new(features, Target::new("y", FeatureType::Double)).unwrap()
}

fn strict(signature: &Signature, max_rows: usize) -> Terms<'_> {
    Terms { signature, max_rows, names: Names::Exact }
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
    let terms = Terms { signature, max_rows: 10, names: Names::IgnoreUnknown };
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
        assert_eq!(detect(body, &signature), Ok((vec![vec![41.0, 30.5], vec![42.0, 25.0]], Layout::Lines)), "{body}");
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

fn with_conventions() -> Signature {
    let features = serde_json::json!([
        {"name": "price", "type": "double", "missing": {"impute": 7.0},
         "reading": {"decimal": ",", "thousands": ".", "currency": "€", "missing": ["?"]}},
        {"name": "sold", "type": "date", "missing": "reject", "range": ["2024-01-01", "2024-12-31"],
         "reading": {"dates": ["%d.%m.%Y"]}},
        {"name": "garden", "type": "boolean", "missing": "reject", "reading": {"boolean": ["nein", "ja"]}},
    ]);
    let target = serde_json::json!({"name": "y", "type": "double"});
    let signature = serde_json::json!({"features": features, "target": target, "ignored": ["Unnamed: 0", "note"]});
    serde_json::from_value(signature).unwrap()
}

#[test]
fn fields_are_read_by_the_conventions_of_their_features() {
    let signature = with_conventions();
    let expected = [[1234.5, 19_753.0, 1.0], [7.0, 19_754.0, 0.0]];
    for body in [
        "price;sold;garden\n1.234,5 €;31.01.2024;ja\n?;2024-02-01;FALSE\n",
        "price\tsold\tgarden\n€1.234,5\t31.1.2024\tja\n\t1.2.2024\tnein\n",
        "garden,sold,price\nja,31.01.2024,\"1.234,5\"\nnein,01.02.2024,?\n",
    ] {
        let rows = expected.map(|row| row.to_vec());
        assert_eq!(detect(body, &signature), Ok((rows.to_vec(), Layout::Csv)), "{body}");
    }
    let refused = detect("price;sold;garden\n1.23;1/31/2024;oui\n", &signature).unwrap_err();
    let details: Vec<_> = refused.iter().map(|(_, detail)| detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "row 0: feature \"price\" expected a number such as \"€1.234,5\", got \"1.23\"",
            "row 0: feature \"sold\" expected a date such as \"31.01.2024\", got \"1/31/2024\"",
            "row 0: feature \"garden\" expected \"ja\" or \"nein\", got \"oui\"",
        ]
    );
}

#[test]
fn ignored_columns_are_accepted_whatever_their_values() {
    let signature = with_conventions();
    for body in [
        ",price,sold,garden,note\n0,1,2024-01-31,ja,\"a, b\"\n",
        "Unnamed: 0,note,garden,sold,price\nx,,ja,2024-01-31,1\n",
        "price;sold;garden;note\n1;2024-01-31;ja;\"x;\"\"\"\n",
    ] {
        let read = read(body.as_bytes(), strict(&signature, 3), Header::Present);
        let (frame, _) = read.unwrap_or_else(|error| panic!("{body}: {error:?}"));
        assert_eq!(frame.iter().flatten().copied().collect::<Vec<_>>(), [1.0, 19_753.0, 1.0], "{body}");
    }
    let refused = read(b"price,sold,garden,notes\n", strict(&signature, 3), Header::Present).unwrap_err();
    assert_eq!(faults(refused)[0].0, "unknown_feature");
}

#[test]
fn columns_have_the_names_of_training() {
    let names = ["Unnamed: 1", "x", "x.1"];
    let features = names.map(|name| Feature::new(name, FeatureType::Double)).to_vec();
    let signature = Signature::new(features, Target::new("y", FeatureType::Double)).unwrap();
    let terms = || strict(&signature, 3);
    let (frame, _) = read(b"x,,x\n1,2,3\n", terms(), Header::Present).unwrap();
    assert_eq!(frame.iter().flatten().copied().collect::<Vec<_>>(), [2.0, 1.0, 3.0]);
    let refused = faults(read(b"x,,x,x\n1,2,3,4\n", terms(), Header::Present).unwrap_err());
    assert_eq!(refused, [("duplicate_feature", "feature \"x\" appears twice".to_owned())]);
}

#[test]
fn the_header_shows_the_delimiter() {
    let refused = detect("age;height\n41;170\n", &signature()).unwrap_err();
    assert_eq!(refused, [("missing_feature", "feature \"bmi\" is missing".to_owned())]);
    assert_eq!(detect("age\tbmi\n41\t\"30.5\"\n", &signature()), Ok((vec![vec![41.0, 30.5]], Layout::Csv)));
    let quoted = read(b"age;bmi\n41;3\"0\n", strict(&signature(), 3), Header::Present).unwrap_err();
    assert_eq!(quoted.detail, "line 2: a quote inside an unquoted field");
    // Without a header, a semicolon does not separate fields.
    assert!(read(b"41;30\n", strict(&signature(), 3), Header::Absent).is_err());
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(body: Vec<u8>) {
        for header in [Header::Present, Header::Absent, Header::Undeclared] {
            let _ = read(&body, strict(&signature(), 10), header);
        }
    }

    #[test]
    fn text_that_resembles_csv_does_not_panic(body in "[agebmi0-9,;\t.\"\n\r -]{0,60}") {
        for header in [Header::Present, Header::Absent, Header::Undeclared] {
            let _ = read(body.as_bytes(), strict(&signature(), 10), header);
        }
    }
}
