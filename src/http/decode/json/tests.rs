use proptest::prelude::*;
use rstest::rstest;

use super::*;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, Signature, Target};

const KEYS: Keys = Keys::new(&[("X", Form::Any)], &[]);

fn read<'s>(body: &[u8], signature: &'s Signature, max_rows: usize) -> Result<Frame<'s>, ApiError> {
    super::read(body, &KEYS, Terms { signature, max_rows, names: Names::Exact }).map(|decoded| decoded.frame)
}

fn feature(name: &str, kind: FeatureType, missing: MissingPolicy) -> Feature {
    Feature { missing, ..Feature::new(name, kind) }
}

fn one() -> Signature {
    let target = Target::new("y", FeatureType::Double);
    Signature::new(vec![feature("x", FeatureType::Double, MissingPolicy::Reject)], target).unwrap()
}

fn three() -> Signature {
    let features = vec![
        feature("age", FeatureType::Long, MissingPolicy::Reject),
        feature("smoker", FeatureType::Boolean, MissingPolicy::Reject),
        feature("a/b", FeatureType::Double, MissingPolicy::Impute(Scalar::Number(7.0))),
    ];
    Signature::new(features, Target::new("y", FeatureType::Double)).unwrap()
}

fn values(body: &str, signature: &Signature) -> Vec<Vec<f64>> {
    let frame = read(body.as_bytes(), signature, 100).unwrap_or_else(|error| panic!("{body}: {error:?}"));
    frame.iter().map(<[f64]>::to_vec).collect()
}

fn rejection(body: &str, signature: &Signature) -> ApiError {
    read(body.as_bytes(), signature, 100).err().unwrap_or_else(|| panic!("{body} was accepted"))
}

#[rstest]
#[case::one_value_per_row(r#"{"X": [1, 2.5, -3e2]}"#)]
#[case::one_list_per_row(r#"{"X": [[1], [2.5], [-3e2]]}"#)]
#[case::one_object_per_row(r#"{"X": [{"x": 1}, {"x": 2.5}, {"x": -3e2}]}"#)]
#[case::columns(r#"{"X": {"x": [1, 2.5, -300]}}"#)]
fn the_four_layouts_give_the_same_rows(#[case] body: &str) {
    assert_eq!(values(body, &one()), [[1.0], [2.5], [-300.0]]);
}

#[rstest]
#[case::positional(r#"{"X": [[41, true, 0.5], [42.0, false, null]]}"#)]
#[case::named_in_any_order(
    r#"{"X": [{"a/b": 0.5, "age": 41, "smoker": true}, {"smoker": false, "a/b": NaN, "age": 42}]}"#
)]
#[case::columns(r#"{"X": {"smoker": [true, false], "a\/b": [0.5, Infinity], "age": [41, 42]}}"#)]
fn types_names_and_missing_values_are_the_same_in_every_layout(#[case] body: &str) {
    assert_eq!(values(body, &three()), [[41.0, 1.0, 0.5], [42.0, 0.0, 7.0]]);
}

#[rstest]
#[case(r#"{"X": [1, "2"]}"#, "invalid_value", "#/X/1", r#"row 1: feature "x" expected a number, got the string "2""#)]
#[case(r#"{"X": [true]}"#, "invalid_value", "#/X/0", r#"row 0: feature "x" expected a number, got true"#)]
#[case(
    r#"{"X": [null]}"#,
    "missing_value",
    "#/X/0",
    r#"row 0: feature "x" is missing, and the model does not impute it"#
)]
#[case(
    r#"{"X": [NaN]}"#,
    "missing_value",
    "#/X/0",
    r#"row 0: feature "x" is missing, and the model does not impute it"#
)]
#[case(
    r#"{"X": [-Infinity]}"#,
    "missing_value",
    "#/X/0",
    r#"row 0: feature "x" is missing, and the model does not impute it"#
)]
#[case(
    r#"{"X": [9007199254740993]}"#,
    "lossy_number",
    "#/X/0",
    r#"row 0: feature "x" got 9007199254740993, an integer that a double cannot represent exactly"#
)]
#[case(r#"{"X": [1e999]}"#, "lossy_number", "#/X/0", r#"row 0: feature "x" got 1e999, too large for a double"#)]
#[case(r#"{"X": [1e-999]}"#, "lossy_number", "#/X/0", r#"row 0: feature "x" got 1e-999, too small for a double"#)]
#[case(r#"{"X": []}"#, "no_rows", "#/X", "there are no rows to predict")]
#[case(r#"{"X": [[]]}"#, "wrong_width", "#/X/0", "row 0: expected 1 value (x), got 0")]
#[case(r#"{"X": [[1, 2]]}"#, "wrong_width", "#/X/0", "row 0: expected 1 value (x), got 2")]
#[case(r#"{"X": [[[1]]]}"#, "invalid_value", "#/X/0/0", r#"row 0: feature "x" expected a number, got an array"#)]
#[case(r#"{"X": [1, [2]]}"#, "ragged_rows", "#/X/1", "row 1: expected a single value as in row 0, got an array")]
#[case(
    r#"{"X": [{"x": 1, "z": 2}]}"#,
    "unknown_feature",
    "#/X/0/z",
    r#"row 0: feature "z" is not a feature of this model"#
)]
#[case(r#"{"X": [{"x": 1, "x": 1}]}"#, "duplicate_feature", "#/X/0/x", r#"row 0: feature "x" appears twice"#)]
#[case(r#"{"X": [{}]}"#, "missing_feature", "#/X/0/x", r#"row 0: feature "x" is missing"#)]
#[case(r#"{"X": {}}"#, "missing_feature", "#/X/x", r#"feature "x" is missing"#)]
#[case(r#"{"X": {"x": []}}"#, "no_rows", "#/X", "there are no rows to predict")]
#[case(
    r#"{"X": {"x": [1, "a"]}}"#,
    "invalid_value",
    "#/X/x/1",
    r#"row 1: feature "x" expected a number, got the string "a""#
)]
#[case(
    r#"{"X": {"x": 1}}"#,
    "invalid_value",
    "#/X",
    "expected a list of values per feature, got single values; write one row as [{…}]"
)]
#[case(r#"{"X": {"x": [1], "x": [1]}}"#, "duplicate_feature", "#/X/x", r#"feature "x" appears twice"#)]
#[case(
    r#"{"X": 1}"#,
    "invalid_value",
    "#/X",
    r#""X" must be a list of rows or an object of columns, got the number 1; write a single value as […]"#
)]
#[case(
    r#"{"X": "1"}"#,
    "invalid_value",
    "#/X",
    r#""X" must be a list of rows or an object of columns, got the string "1"; write a single value as […]"#
)]
#[case(r"{}", "missing_key", "#", r#"missing key "X" with the rows"#)]
#[case(r"[1]", "invalid_body", "#", r#"expected an object such as {"X": [[…]]}, got an array"#)]
#[case(r#"{"X": [1], "x": 2}"#, "unknown_key", "#/x", r#"unknown key "x"; the only key is "X"; did you mean "X"?"#)]
#[case(r#"{"X": [1], "X": [1]}"#, "duplicate_key", "#/X", r#"duplicate key "X""#)]
fn a_fault_has_a_code_a_pointer_and_a_detail(
    #[case] body: &str,
    #[case] code: &str,
    #[case] pointer: &str,
    #[case] detail: &str,
) {
    let error = rejection(body, &one());
    let complaint = &error.complaints[0];
    assert_eq!(error.code.status(), 422, "{body}");
    assert_eq!((complaint.code.as_str(), complaint.pointer.as_deref()), (code, Some(pointer)), "{body}");
    assert_eq!(complaint.detail, detail, "{body}");
    assert_eq!(error.complaints.len(), 1, "{body}: {error:?}");
}

#[test]
fn all_faults_of_a_body_are_reported_together() {
    let body = r#"{"interval": 0.9, "X": [{"age": 4.5, "smoker": 1, "a/b": "x"}, {"age": 41, "Age": 1}]}"#;
    let pointers: Vec<_> = rejection(body, &three()).complaints.into_iter().map(|c| c.pointer.unwrap()).collect();
    let expected = ["#/interval", "#/X/0/age", "#/X/0/smoker", "#/X/0/a~1b", "#/X/1/Age", "#/X/1/smoker", "#/X/1/a~1b"];
    assert_eq!(pointers, expected);
}

#[test]
fn twenty_faults_are_listed_and_the_rest_is_counted() {
    let body = format!("{{\"X\": [{}]}}", vec!["null"; 50].join(","));
    let error = rejection(&body, &one());
    assert_eq!(error.complaints.len(), 20);
    assert!(error.detail.ends_with("(and 49 more)"), "{}", error.detail);
}

#[test]
fn one_value_per_row_does_not_fit_a_model_of_several_features() {
    let error = rejection(r#"{"X": [41, 1, 0.5]}"#, &three());
    assert_eq!(
        error.complaints[0].detail,
        "expected a list of 3 values (age, smoker, a/b) per row, got single values; write one row as [[…]]"
    );
    let error = rejection(r#"{"X": [41, 1]}"#, &three());
    assert_eq!(error.complaints[0].detail, "row 0: expected a list of 3 values (age, smoker, a/b), got the number 41");
}

#[test]
fn columns_of_different_lengths_are_rejected() {
    let error = rejection(r#"{"X": {"age": [1, 2], "smoker": [true], "a/b": [1, 2]}}"#, &three());
    assert_eq!(error.complaints[0].detail, "feature \"smoker\" has 1 values, the longest column has 2");
}

#[rstest]
#[case("{")]
#[case(r#"{"X": [1,]}"#)]
#[case(r#"{"X": [01]}"#)]
#[case(r#"{"X": [1]} x"#)]
#[case(r#"{"X": [1]}{"X": [1]}"#)]
#[case(r#"{"X": ['a']}"#)]
#[case(r#"{"X": [nan]}"#)]
#[case(r#"{"X": ["\ud800"]}"#)]
#[case("\u{feff}{")]
fn invalid_json_is_a_400_with_line_and_column(#[case] body: &str) {
    let error = rejection(body, &one());
    assert_eq!((error.code.as_str(), error.code.status().as_u16()), ("invalid_json", 400), "{body}");
    assert!(error.detail.starts_with("the body is not valid JSON: line 1, column "), "{}", error.detail);
}

#[test]
fn the_error_of_an_empty_body_shows_an_example() {
    for body in ["", " \n", "\u{feff}"] {
        let detail = "the body is empty; send an object such as {\"X\": [[…]]}";
        assert_eq!(rejection(body, &one()).detail, detail, "{body:?}");
    }
}

#[test]
fn a_byte_order_mark_is_ignored() {
    assert_eq!(values("\u{feff}{\"X\": [1]}", &one()), [[1.0]]);
}

#[test]
fn a_number_with_too_many_digits_is_lossy_not_malformed() {
    for digits in ["1".repeat(5000), format!("0.{}", "1".repeat(5000))] {
        let body = format!("{{\"X\": [{digits}]}}");
        match read(body.as_bytes(), &one(), 10) {
            Ok(decoded) => assert_eq!(decoded.iter().next().unwrap(), [digits.parse::<f64>().unwrap()]),
            Err(error) => assert_eq!(error.code.as_str(), "lossy_number", "{}", error.detail),
        }
    }
}

#[test]
fn very_deep_nesting_is_an_error() {
    for (open, shut) in [("[", "]"), (r#"{"x":"#, "}")] {
        let bomb = format!("{{\"X\": {}1{}}}", open.repeat(200_000), shut.repeat(200_000));
        assert_eq!(rejection(&bomb, &one()).code.status(), 400);
    }
}

#[test]
fn the_place_of_bytes_that_are_not_utf8_is_reported() {
    let error = read(b"{\"X\":\n [\"\xff\"]}", &one(), 100).unwrap_err();
    assert_eq!(error.code.as_str(), "invalid_utf8");
    assert_eq!(error.detail, "byte 9 (line 2, column 4) is not UTF-8");
}

#[test]
fn reading_stops_at_the_row_limit_in_every_layout() {
    let list = |row: &str| format!("{{\"X\": [{}]}}", vec![row; 101].join(","));
    let columns = format!("{{\"X\": {{\"x\": [{}]}}}}", vec!["1"; 101].join(","));
    for body in [list("1"), list("[1]"), list("{\"x\": 1}"), columns] {
        assert_eq!(rejection(&body, &one()).code.as_str(), "too_many_rows");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(body: Vec<u8>) {
        let _ = read(&body, &three(), 10);
    }

    #[test]
    fn text_that_resembles_a_body_does_not_panic(body in r#"\{"X": ?[\[\]\{\}"a-zX0-9eE+\-.,:NaInfity \\]{0,60}"#) {
        let _ = read(body.as_bytes(), &three(), 10);
    }

    #[test]
    fn numbers_are_read_exactly(numbers in prop::collection::vec(any::<f64>().prop_filter("finite", |n| n.is_finite()), 1..50)) {
        let body = serde_json::json!({"X": numbers}).to_string();
        let rows = values(&body, &one());
        let read: Vec<u64> = rows.iter().map(|row| row[0].to_bits()).collect();
        let written: Vec<u64> = numbers.iter().map(|number| number.to_bits()).collect();
        prop_assert_eq!(read, written);
    }
}

#[test]
fn absent_features_count_as_missing_where_that_is_accepted() {
    let signature = three();
    let read = |body: &str| {
        let terms = Terms { signature: &signature, max_rows: 100, names: Names::ImputeAbsent };
        super::read(body.as_bytes(), &KEYS, terms).map(|decoded| decoded.frame)
    };
    let frame = read(r#"{"X": [{"smoker": true, "age": 3}, {"age": 4, "smoker": false, "a/b": 2}]}"#).unwrap();
    assert_eq!(frame.iter().collect::<Vec<_>>(), [[3.0, 1.0, 7.0], [4.0, 0.0, 2.0]]);
    assert_eq!(frame.count_imputed(), [0, 0, 1]);
    // 30 rows lack two features each; the first 20 faults are listed.
    let error = read(&format!(r#"{{"X": [{}]}}"#, vec!["{}"; 30].join(","))).unwrap_err();
    assert_eq!(
        (error.complaints.len(), error.detail.as_str()),
        (20, "row 0: feature \"age\" is missing (and 59 more)")
    );
}
