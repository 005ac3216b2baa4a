use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::http::decode::json::Names;
use ordinate_model::signature::{Feature, FeatureType, Signature, Target};

fn signature(features: Vec<Feature>) -> Signature {
    Signature::new(features, Target::new("y", FeatureType::Double)).unwrap()
}

fn numbers(names: &[&str]) -> Signature {
    signature(names.iter().map(|name| Feature::new(*name, FeatureType::Double)).collect())
}

/// A file of this version with this header, as numpy 2.4 pads it.
fn file(version: u8, header: &str, values: &[u8]) -> Vec<u8> {
    let before = if version == 1 { 10 } else { 12 };
    let length = (before + header.len() + 1).next_multiple_of(64) - before;
    let padded = format!("{header:<width$}\n", width = length - 1);
    let length = u32::try_from(length).unwrap().to_le_bytes();
    let length = if version == 1 { &length[..2] } else { &length[..] };
    [&b"\x93NUMPY"[..], &[version, 0], length, padded.as_bytes(), values].concat()
}

fn array(descr: &str, fortran_order: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    file(1, &format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}"), values)
}

fn decode(signature: &Signature, body: &[u8]) -> Result<Vec<Vec<f64>>, ApiError> {
    let frame = read(body, Terms { signature, max_rows: 100, names: Names::IgnoreUnknown })?;
    Ok(frame.iter().map(<[f64]>::to_vec).collect())
}

fn rejection(signature: &Signature, body: &[u8]) -> (&'static str, String) {
    let error = decode(signature, body).unwrap_err();
    (error.code.as_str(), error.detail)
}

fn le(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn all_versions_orders_and_notations_have_the_same_rows() {
    let signature = numbers(&["a", "b"]);
    let rows = [[1.5, 2.0], [3.0, -4.25], [5.0, 6.0]];
    let by_row = le(&[1.5, 2.0, 3.0, -4.25, 5.0, 6.0]);
    let by_column = le(&[1.5, 3.0, 5.0, 2.0, -4.25, 6.0]);
    let big: Vec<u8> = rows.iter().flatten().flat_map(|value: &f64| value.to_be_bytes()).collect();
    let plain = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }";
    for body in [
        file(1, plain, &by_row),
        file(2, plain, &by_row),
        file(3, plain, &by_row),
        file(1, "{\"shape\":(3L,2L),\"descr\":\"<f8\",\"fortran_order\":False}", &by_row),
        array("<f8", "True", "(3, 2)", &by_column),
        array(">f8", "False", "(3, 2)", &big),
    ] {
        assert_eq!(decode(&signature, &body).unwrap(), rows, "{}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn a_vector_is_one_row_of_several_features_or_many_rows_of_one() {
    let values = le(&[1.0, 2.0]);
    assert_eq!(decode(&numbers(&["a", "b"]), &array("<f8", "False", "(2,)", &values)).unwrap(), [[1.0, 2.0]]);
    assert_eq!(decode(&numbers(&["a"]), &array("<f8", "False", "(2,)", &values)).unwrap(), [[1.0], [2.0]]);
    // The order is written, and does not matter.
    assert_eq!(decode(&numbers(&["a", "b"]), &array("<f8", "True", "(1, 2)", &values)).unwrap(), [[1.0, 2.0]]);
}

#[rstest]
#[case("|b1", &[1], 1.0)]
#[case("|u1", &[200], 200.0)]
#[case("|i1", &[0xff], -1.0)]
#[case("<u2", &[0x34, 0x12], 4660.0)]
#[case(">u2", &[0x12, 0x34], 4660.0)]
#[case("<i2", &[0xfe, 0xff], -2.0)]
#[case(">i4", &[0xff, 0xff, 0xff, 0xfd], -3.0)]
#[case("<u4", &[0, 0, 0, 0x80], 2_147_483_648.0)]
#[case("<i8", &[0, 0, 0, 0, 0, 0, 0x20, 0], 9_007_199_254_740_992.0)]
#[case(">u8", &[0, 0x20, 0, 0, 0, 0, 0, 0], 9_007_199_254_740_992.0)]
#[case("<f2", &[0, 0x3e], 1.5)]
#[case(">f4", &[0x3d, 0xcc, 0xcc, 0xcd], 0.100_000_001_490_116_12)]
fn values_are_widened_exactly(#[case] descr: &str, #[case] bytes: &[u8], #[case] expected: f64) {
    let kind = if descr == "|b1" { FeatureType::Boolean } else { FeatureType::Double };
    let signature = signature(vec![Feature::new("a", kind)]);
    assert_eq!(decode(&signature, &array(descr, "False", "(1, 1)", bytes)).unwrap(), [[expected]]);
}

#[test]
fn strings_are_categories_in_either_encoding() {
    let level = Feature { levels: vec!["né".into(), "so".into()], ..Feature::new("level", FeatureType::String) };
    let signature = signature(vec![level]);
    let utf32 = |big: bool| -> Vec<u8> {
        let code =
            |character: char| if big { (character as u32).to_be_bytes() } else { (character as u32).to_le_bytes() };
        "so\0né\0".chars().flat_map(code).collect()
    };
    let expected = [[1.0], [0.0]];
    assert_eq!(decode(&signature, &array("<U3", "False", "(2, 1)", &utf32(false))).unwrap(), expected);
    assert_eq!(decode(&signature, &array(">U3", "False", "(2, 1)", &utf32(true))).unwrap(), expected);
    assert_eq!(decode(&signature, &array("|S4", "False", "(2, 1)", "so\0\0né\0".as_bytes())).unwrap(), expected);
}

#[test]
fn values_that_do_not_fit_are_errors_with_row_and_feature() {
    let signature = numbers(&["a", "b"]);
    for (descr, bytes, code, detail) in [
        (
            "<i8",
            [1_i64.to_le_bytes(), 9_007_199_254_740_993_i64.to_le_bytes()].concat(),
            "lossy_number",
            "row 0: feature \"b\" got 9007199254740993, an integer that a double cannot represent exactly",
        ),
        (
            "<f8",
            le(&[1.0, f64::NAN]),
            "missing_value",
            "row 0: feature \"b\" is missing, and the model does not impute it",
        ),
        (
            "|S1",
            b"12".to_vec(),
            "invalid_value",
            "row 0: feature \"a\" expected a number, got the string \"1\" (and 1 more)",
        ),
        ("|b1", vec![1, 0], "invalid_value", "row 0: feature \"a\" expected a number, got true (and 1 more)"),
        (
            "|b1",
            vec![2, 2],
            "invalid_value",
            "row 0: feature \"a\" expected a value of the datatype BOOL, got the number 2 (and 1 more)",
        ),
    ] {
        assert_eq!(rejection(&signature, &array(descr, "False", "(1, 2)", &bytes)), (code, detail.into()), "{descr}");
    }
    let rows = array("|u1", "False", "(101, 2)", &[0; 202]);
    assert_eq!(rejection(&signature, &rows).0, "too_many_rows");
}

#[rstest]
#[case(b"", "it does not begin with the bytes \\x93NUMPY")]
#[case(b"[[1, 2]]", "it does not begin with the bytes \\x93NUMPY")]
#[case(b"\x93NUMPY", "it ends within its header")]
#[case(b"\x93NUMPY\x01\x00\x76", "it ends within its header")]
#[case(b"\x93NUMPY\x01\x00\x76\x00{'descr'", "it ends within its header")]
#[case(b"\x93NUMPY\x04\x00\x00\x00\x00\x00", "expected version 1, 2 or 3 of the format, got 4")]
#[case(b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "expected a header of at most 10000 bytes, got 4294967295")]
#[case(b"\x93NUMPY\x03\x00\x02\x00\x00\x00\xff\xfe", "its header is not UTF-8")]
fn a_body_that_is_no_file_is_an_error(#[case] body: &[u8], #[case] reason: &str) {
    let expected = format!("the body is not a valid NPY file: {reason}");
    assert_eq!(rejection(&numbers(&["a", "b"]), body), ("invalid_npy", expected));
}

#[rstest]
#[case("", "its header: expected '{' at \"\"")]
#[case("{", "its header: expected a string at \"\"")]
#[case("{'descr': '<f8', 'fortran_order': False}", "its header has no \"shape\"")]
#[case("{'descr': '<f8', 'shape': (1, 2)}", "its header has no \"fortran_order\"")]
#[case("{'fortran_order': False, 'shape': (1, 2)}", "its header has no \"descr\"")]
#[case(
    "{'descr': '<f8', 'fortran_order': 0, 'shape': (1, 2)}",
    "its header: expected True or False at \"0, 'shape': (1, 2)}\""
)]
#[case(
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2)}",
    "its header: expected a whole number at \"-1, 2)}\""
)]
#[case(
    "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 2)}",
    "its header: expected a whole number at \"99999999999999999999, 2)}\""
)]
#[case("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)} x", "its header has text after the closing brace")]
#[case("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), 'x': 1}", "its header has the unknown key \"x\"")]
#[case(
    "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}",
    "expected 2 × 2 values of 8 bytes by its header, got 16 bytes"
)]
#[case(
    "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807)}",
    "expected 9223372036854775807 × 9223372036854775807 values of 8 bytes by its header, got 16 bytes"
)]
#[case(
    "{'descr': '<U18446744073709551615', 'fortran_order': False, 'shape': (1, 2)}",
    "expected 1 × 2 values of 18446744073709551615 bytes by its header, got 16 bytes"
)]
fn a_malformed_header_is_an_error(#[case] header: &str, #[case] reason: &str) {
    let expected = format!("the body is not a valid NPY file: {reason}");
    assert_eq!(rejection(&numbers(&["a", "b"]), &file(1, header, &[0; 16])), ("invalid_npy", expected));
}

#[rstest]
#[case("'|O'", "an array of the type \"|O\" is not supported; send booleans")]
#[case("'<c16'", "an array of the type \"<c16\" is not supported; send booleans")]
#[case("'<M8[D]'", "an array of the type \"<M8[D]\" is not supported; send booleans")]
#[case("'<f16'", "an array of the type \"<f16\" is not supported; send booleans")]
#[case("'f8'", "an array of the type \"f8\" is not supported; send booleans")]
#[case("'<U0'", "an array of the type \"<U0\" is not supported; send booleans")]
#[case("[('a', '<f8'), ('b', '<f8')]", "an array of records (a structured dtype) is not supported; send one column")]
fn a_type_that_is_not_supported_is_an_error_with_the_supported_ones(#[case] descr: &str, #[case] detail: &str) {
    let body = file(1, &format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}"), &[0; 16]);
    let (code, got) = rejection(&numbers(&["a", "b"]), &body);
    assert_eq!(code, "not_supported");
    assert!(got.starts_with(detail), "{got}");
}

#[test]
fn the_shape_must_be_rows_of_all_features() {
    let signature = numbers(&["a", "b"]);
    for (shape, count, code, detail) in [
        ("(1, 3)", 3, "wrong_width", "expected 2 values (a, b) per row, got 3 by the shape (1, 3)"),
        ("(3,)", 3, "wrong_width", "expected 2 values (a, b) per row, got 3 by the shape (3,)"),
        ("(5, 0)", 0, "wrong_width", "expected 2 values (a, b) per row, got 0 by the shape (5, 0)"),
        ("()", 1, "ragged_rows", "expected an array of 2 dimensions, rows × features, got 0 dimensions"),
        ("(1, 1, 2)", 2, "ragged_rows", "expected an array of 2 dimensions, rows × features, got 3 dimensions"),
        ("(0, 2)", 0, "no_rows", "there are no rows to predict"),
        ("(0, 9999999999)", 0, "no_rows", "there are no rows to predict"),
    ] {
        let body = array("<f8", "False", shape, &vec![0; 8 * count]);
        assert_eq!(rejection(&signature, &body), (code, detail.into()), "{shape}");
    }
}

#[test]
fn a_string_that_is_not_unicode_is_an_error() {
    let signature = numbers(&["a"]);
    let (code, detail) = rejection(&signature, &array("<U1", "False", "(1,)", &[0, 0xd8, 0, 0]));
    assert_eq!(code, "invalid_npy");
    assert!(detail.ends_with("a string has 0xd800, which is not a Unicode character"), "{detail}");
    let (code, detail) = rejection(&signature, &array("|S1", "False", "(1,)", &[0xff]));
    assert_eq!((code, detail.ends_with("a byte string is not UTF-8")), ("invalid_npy", true), "{detail}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(body: Vec<u8>) {
        let _ = decode(&numbers(&["a", "b"]), &[&b"\x93NUMPY"[..], &body].concat());
    }

    #[test]
    fn headers_that_resemble_literals_do_not_panic(
        descr in "[<>|=]?[a-zU]?[0-9]{0,20}",
        order in "True|False|T|",
        shape in "\\(?[0-9, L]{0,30}\\)?",
        values: Vec<u8>,
    ) {
        let _ = decode(&numbers(&["a", "b"]), &array(&descr, &order, &shape, &values));
    }
}
