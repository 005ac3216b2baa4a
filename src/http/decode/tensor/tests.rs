use half::f16;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::http::decode::json::Names;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, Signature, Target};

fn signature(features: Vec<Feature>) -> Signature {
    Signature::new(features, Target::new("y", FeatureType::Double)).unwrap()
}

fn numbers(names: &[&str]) -> Signature {
    signature(names.iter().map(|name| Feature::new(*name, FeatureType::Double)).collect())
}

fn mixed() -> Signature {
    let optional = Feature {
        missing: MissingPolicy::Impute(ordinate_model::scalar::Scalar::Number(7.0)),
        ..Feature::new("size", FeatureType::Double)
    };
    let level = Feature { levels: vec!["a".into(), "b".into()], ..Feature::new("level", FeatureType::String) };
    signature(vec![optional, Feature::new("on", FeatureType::Boolean), level])
}

/// The rows of a body with JSON and the bytes of tensors.
fn decode(signature: &Signature, request: &Value, bytes: &[u8]) -> Result<Vec<Vec<f64>>, ApiError> {
    let json = request.to_string();
    let body = [json.as_bytes(), bytes].concat();
    let terms = Terms { signature, max_rows: 100, names: Names::Exact };
    let frame = read(&body, Some(json.len()))?.frame(terms)?;
    Ok(frame.iter().map(<[f64]>::to_vec).collect())
}

fn rejection(signature: &Signature, inputs: &Value) -> String {
    decode(signature, &json!({"inputs": inputs}), &[]).unwrap_err().detail
}

fn input(shape: &Value, datatype: &str, data: &Value) -> Value {
    json!([{"name": "X", "shape": shape, "datatype": datatype, "data": data}])
}

#[test]
fn one_tensor_has_rows_by_position_flat_or_nested() {
    let signature = numbers(&["a", "b"]);
    for data in [json!([1, 2, 3, 4]), json!([[1, 2], [3, 4]])] {
        let inputs = input(&json!([2, 2]), "FP64", &data);
        let rows = decode(&signature, &json!({"inputs": inputs}), &[]).unwrap();
        assert_eq!(rows, [[1.0, 2.0], [3.0, 4.0]]);
    }
}

#[test]
fn tensors_of_features_are_in_any_order() {
    let inputs = json!([
        {"name": "level", "datatype": "BYTES", "shape": [2, 1], "data": [["b"], ["a"]]},
        {"data": [true, false], "shape": [2], "datatype": "BOOL", "name": "on"},
        {"name": "size", "shape": [2, 1], "datatype": "FP32", "data": [1.5, null]},
    ]);
    let rows = decode(&mixed(), &json!({"inputs": inputs}), &[]).unwrap();
    assert_eq!(rows, [[1.5, 1.0, 1.0], [7.0, 0.0, 0.0]]);
}

#[test]
fn bytes_follow_the_json_in_the_order_of_the_tensors() {
    let request = json!({"inputs": [
        {"name": "level", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": 10}},
        {"name": "on", "datatype": "BOOL", "shape": [2], "data": [true, false]},
        {"name": "size", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}},
    ]});
    let bytes = [b"\x01\0\0\0b\x01\0\0\0a".as_slice(), &0.1_f32.to_le_bytes(), &f32::NAN.to_le_bytes()].concat();
    assert_eq!(decode(&mixed(), &request, &bytes).unwrap(), [[f64::from(0.1_f32), 1.0, 1.0], [7.0, 0.0, 0.0]]);
    let (short, long) = (&bytes[..bytes.len() - 1], [bytes.as_slice(), b"x"].concat());
    assert!(
        decode(&mixed(), &request, short)
            .unwrap_err()
            .detail
            .contains("expected 8 bytes by \"binary_data_size\", got 7")
    );
    assert!(decode(&mixed(), &request, &long).unwrap_err().detail.contains("1 bytes after the last input"));
}

#[test]
fn every_numeric_datatype_is_read_exactly() {
    let cases: [(&str, Vec<u8>, f64); 11] = [
        ("UINT8", vec![255], 255.0),
        ("UINT16", vec![255, 255], 65_535.0),
        ("UINT32", u32::MAX.to_le_bytes().into(), 4_294_967_295.0),
        ("UINT64", (1_u64 << 63).to_le_bytes().into(), 9_223_372_036_854_775_808.0),
        ("INT8", vec![128], -128.0),
        ("INT16", i16::MIN.to_le_bytes().into(), -32_768.0),
        ("INT32", i32::MIN.to_le_bytes().into(), -2_147_483_648.0),
        ("INT64", i64::MIN.to_le_bytes().into(), -9_223_372_036_854_775_808.0),
        ("FP16", f16::MIN_POSITIVE_SUBNORMAL.to_le_bytes().into(), 2.0_f64.powi(-24)),
        ("FP32", f32::MAX.to_le_bytes().into(), f64::from(f32::MAX)),
        ("FP64", f64::MIN_POSITIVE.to_le_bytes().into(), f64::MIN_POSITIVE),
    ];
    for (datatype, bytes, value) in cases {
        let tensor = json!({"name": "X", "datatype": datatype, "shape": [1, 1],
            "parameters": {"binary_data_size": bytes.len()}});
        let rows = decode(&numbers(&["a"]), &json!({"inputs": [tensor]}), &bytes);
        assert_eq!(rows.unwrap(), [[value]], "{datatype}");
    }
}

#[test]
fn values_must_match_the_datatype_and_the_feature() {
    let signature = numbers(&["a"]);
    for (datatype, value, expected) in [
        ("INT64", json!(9_007_199_254_740_993_i64), "an integer that a double cannot represent exactly"),
        ("UINT8", json!(256), "feature \"a\" expected a value of the datatype UINT8, got the number 256"),
        ("UINT64", json!(-1), "feature \"a\" expected a value of the datatype UINT64, got the number -1"),
        ("INT32", json!(1.5), "row 0: feature \"a\" expected a value of the datatype INT32, got the number 1.5"),
        ("FP64", json!(true), "expected a number, got true"),
        ("FP64", json!("1"), "expected a number, got the string \"1\""),
        ("BOOL", json!(1), "expected a value of the datatype BOOL, got the number 1"),
        ("BOOL", json!(true), "expected a number, got true"),
        ("BYTES", json!("1"), "expected a number, got the string \"1\""),
        ("FP64", json!(null), "is missing"),
        ("FP8", json!(1), "\"datatype\" must be one of BOOL"),
    ] {
        let detail = rejection(&signature, &input(&json!([1, 1]), datatype, &json!([value])));
        assert!(detail.contains(expected), "{detail}");
    }
}

#[test]
fn integers_may_have_a_point_or_an_exponent() {
    let signature = numbers(&["a"]);
    let rows = |datatype: &str, text: &str| {
        let body =
            format!(r#"{{"inputs": [{{"name": "X", "shape": [1, 1], "datatype": "{datatype}", "data": [{text}]}}]}}"#);
        let terms = Terms { signature: &signature, max_rows: 100, names: Names::Exact };
        let request = read(body.as_bytes(), None)?;
        Ok::<_, ApiError>(request.frame(terms)?.iter().map(|row| row[0]).collect::<Vec<_>>())
    };
    assert_eq!(rows("INT64", "4.0").unwrap(), [4.0]);
    assert_eq!(rows("INT32", "2e1").unwrap(), [20.0]);
    assert_eq!(rows("UINT8", "-0.0").unwrap(), [0.0]);
    for (datatype, text) in [
        ("INT64", "4.5"),
        ("UINT8", "256.0"),
        ("INT64", "1e300"),
        ("INT64", "1e-400"),
        ("INT64", "4.0000000000000000001"),
    ] {
        assert!(rows(datatype, text).is_err(), "{text}");
    }
}

#[test]
fn the_error_of_an_invalid_boolean_byte_names_row_and_feature() {
    let request = json!({"inputs": [
        {"name": "size", "datatype": "FP64", "shape": [2], "data": [1, 2]},
        {"name": "level", "datatype": "BYTES", "shape": [2], "data": ["a", "b"]},
        {"name": "on", "datatype": "BOOL", "shape": [2], "parameters": {"binary_data_size": 2}},
    ]});
    let detail = decode(&mixed(), &request, &[1, 2]).unwrap_err().detail;
    assert_eq!(detail, "row 1: feature \"on\" expected true or false, got the number 2");
}

#[test]
fn data_must_match_the_shape() {
    let signature = numbers(&["a", "b"]);
    for (shape, data, expected) in [
        (json!([2, 2]), json!([1, 2, 3]), "expected 4 values by the shape, got 3"),
        (json!([2, 2]), json!([[1, 2], [3]]), "row 1: expected 2 values by the shape [2, 2], got 1"),
        (json!([2, 2]), json!([[1, 2]]), "expected 2 rows by the shape [2, 2], got 1"),
        (json!([2, 2]), json!([[1, 2], 3]), "expected a list as in row 0"),
        (json!([2, 2]), json!([1, 2, [3, 4]]), "expected 4 values by the shape, got 3"),
        (json!([1, 2]), json!([[[1, 2]]]), "row 0: expected 2 values by the shape [1, 2], got 1"),
        (json!([1, 3]), json!([1, 2, 3]), "expected 2 values (a, b) per row, got 3 by the shape [1, 3]"),
        (json!([2]), json!([1, 2]), "expected 2 values (a, b) per row, got 1"),
        (json!([]), json!([1, 2]), "got 0 dimensions"),
        (json!([1, 1, 2]), json!([1, 2]), "got 3 dimensions"),
        (json!([-1, 2]), json!([1, 2]), "the shape [-1, 2] is not possible"),
        (json!([i64::MAX, 4]), json!([1, 2]), "is not possible"),
        (json!([1_000_000_000_000_i64, 2]), json!([1, 2]), "got 2"),
        (json!([1.5, 2]), json!([1, 2]), "\"shape\" must be a list of whole numbers"),
        (json!([0, 2]), json!([]), "there are no rows"),
    ] {
        let detail = rejection(&signature, &input(&shape, "FP64", &data));
        assert!(detail.contains(expected), "{detail}");
    }
    let huge = json!({"inputs": [{"name": "X", "datatype": "FP64", "shape": [1_i64 << 61, 2],
        "parameters": {"binary_data_size": 8}}]});
    let detail = decode(&signature, &huge, &[0; 8]).unwrap_err().detail;
    assert!(detail.contains("is not possible") || detail.contains("got 8 bytes"), "{detail}");
}

#[test]
fn each_feature_has_one_tensor() {
    let signature = numbers(&["a", "b"]);
    let column = |name: &str, values: &[i32]| json!({"name": name, "datatype": "INT32", "shape": [values.len()], "data": values});
    for (inputs, expected) in [
        (json!([]), "\"a\" is missing (and 1 more)"),
        (json!([column("a", &[1])]), "\"b\" is missing"),
        (json!([column("a", &[1]), column("c", &[1]), column("b", &[1])]), "\"c\" is not a feature"),
        (json!([column("a", &[1]), column("b", &[1]), column("b", &[1])]), "\"b\" appears twice"),
        (json!([column("a", &[1, 2]), column("b", &[1])]), "has 1 values, the longest column has 2"),
    ] {
        let detail = rejection(&signature, &inputs);
        assert!(detail.contains(expected), "{detail}");
    }
}

#[test]
fn a_request_above_the_row_limit_is_rejected() {
    let data: Vec<u32> = (0..101).collect();
    let error = decode(&numbers(&["a"]), &json!({"inputs": input(&json!([101, 1]), "INT64", &json!(data))}), &[]);
    assert_eq!(error.unwrap_err().code, ErrorCode::TooManyRows);
}

#[test]
fn missing_unknown_and_duplicate_keys_are_rejected() {
    let read = |text: &str| read(text.as_bytes(), None).map(|_| ()).unwrap_err().code;
    assert_eq!(read("[]"), ErrorCode::InvalidBody);
    assert_eq!(read("{}"), ErrorCode::MissingKey);
    assert_eq!(read(r#"{"inputs": {}}"#), ErrorCode::InvalidBody);
    assert_eq!(read(r#"{"inputs": [], "instances": []}"#), ErrorCode::UnknownKey);
    assert_eq!(read(r#"{"inputs": [], "inputs": []}"#), ErrorCode::DuplicateKey);
    assert_eq!(read(r#"{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64"}]}"#), ErrorCode::MissingKey);
    assert_eq!(read(r#"{"inputs": [], "id": 42}"#), ErrorCode::InvalidOption);
    assert_eq!(read(r#"{"inputs": [], "outputs": ["y"]}"#), ErrorCode::InvalidBody);
    assert_eq!(read(r#"{"inputs": []} x"#), ErrorCode::InvalidJson);
    assert_eq!(
        read(
            r#"{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "parameters": {"shared_memory_region": "m"}}]}"#
        ),
        ErrorCode::NotSupported
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(
        datatype in prop::sample::select(vec!["BOOL", "UINT8", "INT16", "INT64", "FP16", "FP32", "FP64", "BYTES"]),
        shape in prop::collection::vec(prop_oneof![0..4_i64, any::<i64>()], 0..4),
        bytes: Vec<u8>,
        length in prop::option::of(0..300_usize),
    ) {
        let request = json!({"inputs": [{"name": "level", "datatype": datatype, "shape": shape,
            "parameters": {"binary_data_size": bytes.len()}}]});
        let _ = decode(&mixed(), &request, &bytes);
        let _ = decode(&numbers(&["level"]), &request, &bytes);
        let _ = read(&bytes, length);
    }

    #[test]
    fn doubles_are_the_same_from_bytes_and_from_json(values in prop::collection::vec(prop::num::f64::NORMAL, 1..50)) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let tensor = |part: Value| {
            let mut tensor = json!({"name": "a", "datatype": "FP64", "shape": [values.len(), 1]});
            tensor.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
            json!({"inputs": [tensor]})
        };
        let signature = numbers(&["a"]);
        let from_json = decode(&signature, &tensor(json!({"data": values})), &[]).unwrap();
        let from_bytes =
            decode(&signature, &tensor(json!({"parameters": {"binary_data_size": bytes.len()}})), &bytes).unwrap();
        prop_assert_eq!(&from_json, &from_bytes);
        prop_assert_eq!(from_bytes.concat(), values);
    }
}
