//! Bodies of the Open Inference Protocol, as JSON, or as JSON followed by bytes.
//!
//! The first two bytes are the length of the JSON, unless the first is an opening brace: then all of it is JSON. An
//! accepted tensor of doubles in JSON has the same answer as bytes, and the other way round.

use serde_json::{Value, json};

use crate::service::post;

const PATH: &str = "/v2/models/identity/infer";

/// Checks a body.
pub(crate) fn check(body: &[u8]) -> bool {
    if body.first() == Some(&b'{') {
        let accepted = post("/v2/models/people/infer", &[], body).status == 200;
        return check_json(body) || accepted;
    }
    let Some((length, body)) = body.split_first_chunk::<2>() else { return false };
    let length = usize::from(u16::from_le_bytes(*length));
    let (length_text, json) = (length.to_string(), body.get(..length));
    let headers = [("inference-header-content-length", length_text.as_str())];
    let accepted = post("/v2/models/people/infer", &headers, body).status == 200;
    let response = post(PATH, &headers, body);
    if response.status != 200 || response.header("content-type") != "application/json" {
        return accepted || response.status == 200;
    }
    let request: Value = serde_json::from_slice(json.unwrap()).unwrap_or_default();
    let values: Vec<f64> = body[length..].as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let Some(input) = only_input(&request) else { return true };
    if values.iter().all(|value| value.is_finite()) && input["parameters"]["binary_data_size"] == body.len() - length {
        let input = json!({"name": input["name"], "shape": input["shape"], "datatype": "FP64", "data": values});
        let again = post(PATH, &[], json!({"inputs": [input]}).to_string().as_bytes());
        assert_eq!(
            (again.status, &again.json()["outputs"][0]["data"]),
            (response.status, &response.json()["outputs"][0]["data"])
        );
    }
    true
}

/// Checks a body of JSON.
fn check_json(body: &[u8]) -> bool {
    let response = post(PATH, &[], body);
    if response.status != 200 || response.header("content-type") != "application/json" {
        return response.status == 200;
    }
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(input) = only_input(&request) else { return true };
    let flat = input["data"].as_array().map(|data| data.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>());
    let Some(Some(values)) = flat else { return true };
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let parameters = json!({"binary_data_size": bytes.len()});
    let input = json!({"name": input["name"], "shape": input["shape"], "datatype": "FP64", "parameters": parameters});
    let mut binary = json!({"inputs": [input]}).to_string().into_bytes();
    let length = binary.len().to_string();
    binary.extend(bytes);
    let again = post(PATH, &[("inference-header-content-length", &length)], &binary);
    let text = String::from_utf8_lossy(body);
    let outputs = |response: Value| response["outputs"][0]["data"].clone();
    assert_eq!((again.status, outputs(again.json())), (response.status, outputs(response.json())), "{text}");
    true
}

/// The tensor of doubles, if it is the only one and the request has nothing else.
fn only_input(request: &Value) -> Option<&Value> {
    let inputs = request["inputs"].as_array()?;
    let is_plain = inputs.len() == 1 && request.as_object()?.len() == 1 && inputs[0]["datatype"] == "FP64";
    is_plain.then_some(&inputs[0])
}
