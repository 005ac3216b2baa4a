//! The decisions of training in requests: ignored columns, missing values, grouped categories, dates and conventions.

use ordinate_test_support::{ModelDocument, column};
use rstest::rstest;
use serde_json::{Value, json};

use super::verdicts::{Columns, Named, NamedLeniently, PROTOCOLS, Positional, Service, Table, numbers, reason};
use crate::openapi::contents;

/// The file of a model with all decisions, y = size + days since 2024-01-01 + 100·(deck = A) + 1000·(deck = (other)) +
/// 10000·(deck = (missing)) + 100000·garden.
fn decided() -> Vec<u8> {
    let deck = |level: &str| json!({"feature": "deck", "level": level});
    ModelDocument::regression("people", 0.0)
        .features(json!([
            {"name": "size", "type": "double", "missing": {"impute": 50.0}, "range": [10.0, 90.0], "whole": true,
             "reading": {"decimal": ",", "thousands": ".", "missing": ["?"]}},
            {"name": "sold", "type": "date", "missing": "reject", "range": ["2024-01-01", "2024-12-31"],
             "reading": {"dates": ["%d.%m.%Y"]}},
            {"name": "deck", "type": "string", "missing": {"category": "(missing)"},
             "levels": ["(missing)", "(other)", "A", "B"], "unknown": "other"},
            {"name": "garden", "type": "boolean", "missing": "reject", "reading": {"boolean": ["no", "yes"]}},
        ]))
        .set("/signature/ignored", json!(["Unnamed: 0", "note", "y"]))
        .column(column("size", json!({"feature": "size"}), 0.0, 1.0), 1.0)
        .column(column("sold days", json!({"feature": "sold", "part": "days"}), 0.0, 1.0), 1.0)
        .column(column("deck=A", deck("A"), 0.0, 1.0), 100.0)
        .column(column("deck=(other)", deck("(other)"), 0.0, 1.0), 1000.0)
        .column(column("deck=(missing)", deck("(missing)"), 0.0, 1.0), 10_000.0)
        .column(column("garden", json!({"feature": "garden"}), 0.0, 1.0), 100_000.0)
        .set("/training/notes", json!(["1 column has missing values: size (3, median)"]))
        .file(json!([[50.0, "2024-01-02", "A", false]]))
}

fn table(row: [&'static str; 4]) -> Table {
    Table { names: vec!["size", "sold", "deck", "garden"], rows: vec![row.to_vec()] }
}

fn usual() -> Table {
    table(["20", "\"2024-01-11\"", "\"B\"", "false"])
}

const BY_NAME: &[Columns] = &[Named, NamedLeniently];
const ALL: &[Columns] = &[Named, NamedLeniently, Positional];

/// Checks that all formats with such columns give this prediction, and this number of warnings.
async fn accepted(columns: &[Columns], table: &Table, expected: f64, warnings: usize) {
    let service = Service::of(&decided());
    for protocol in PROTOCOLS.iter().filter(|protocol| columns.contains(&protocol.columns)) {
        let body = (protocol.write)(table);
        let answer = service.post(protocol.path, protocol.content_type, body.clone()).await;
        assert_eq!(answer.status.as_u16(), 200, "{}: {body}: {}", protocol.name, answer.text());
        assert_eq!(numbers(&answer).first(), Some(&expected), "{}: {body}", protocol.name);
        let expected = if warnings == 0 { String::new() } else { warnings.to_string() };
        assert_eq!(answer.header("x-ordinate-warnings"), expected, "{}: {body}", protocol.name);
    }
}

#[rstest]
#[case::text("note", "\"not a number\"")]
#[case::nothing("note", "null")]
#[case::a_number("note", "9007199254740993")]
#[case::the_index("Unnamed: 0", "7")]
#[case::an_unnamed_index("", "7")]
#[case::the_target("y", "\"?\"")]
#[tokio::test]
async fn an_ignored_column_is_accepted_in_every_protocol(#[case] name: &'static str, #[case] cell: &'static str) {
    for place in [0, 4] {
        let mut wider = usual();
        wider.names.insert(place, name);
        wider.rows[0].insert(place, cell);
        accepted(BY_NAME, &wider, 30.0, 0).await;
    }
}

#[tokio::test]
async fn ignored_values_of_any_form_are_skipped() {
    let service = Service::of(&decided());
    let row = r#""size":20,"sold":"2024-01-11","deck":"B","garden":false"#;
    for body in [
        format!(r#"{{"X":[{{"note":{{"a":[1]}},{row},"y":[[]]}}]}}"#),
        r#"{"X":{"size":[20],"sold":["2024-01-11"],"deck":["B"],"garden":[false],"note":3,"y":[1,2,3]}}"#.into(),
    ] {
        let answer = service.post("/predict", "application/json", body.clone()).await;
        assert_eq!(answer.json(), json!({"y": [30.0]}), "{body}");
    }
    let tensors = json!({"inputs": [
        {"name": "size", "shape": [1], "datatype": "FP64", "data": [20]},
        {"name": "note", "shape": [2, 2], "datatype": "BYTES", "data": ["a", "b", "c", "d"]},
        {"name": "sold", "shape": [1], "datatype": "BYTES", "data": ["2024-01-11"]},
        {"name": "deck", "shape": [1], "datatype": "BYTES", "data": ["B"]},
        {"name": "garden", "shape": [1], "datatype": "BOOL", "data": [false]},
    ]});
    let answer = service.post("/v2/models/people/infer", "application/json", tensors.to_string()).await;
    assert_eq!(answer.json()["outputs"][0]["data"], json!([30.0]), "{}", answer.text());
    // A misspelt name is still an error.
    let body = format!(r#"{{"X":[{{"notes":1,{row}}}]}}"#);
    let refused = service.post("/predict", "application/json", body).await;
    assert!(
        refused.status == 422 && reason(&refused).contains("feature \"notes\" is not a feature"),
        "{}",
        refused.text()
    );
}

#[rstest]
#[case::nothing(["20", "\"2024-01-11\"", "\"A\"", "true"], 100_130.0, 0)]
#[case::a_missing_number(["null", "\"2024-01-11\"", "\"B\"", "false"], 60.0, 1)]
#[case::a_missing_category(["20", "\"2024-01-11\"", "null", "false"], 10_030.0, 1)]
#[case::both_missing(["null", "\"2024-01-11\"", "null", "false"], 10_060.0, 2)]
#[case::an_unknown_category(["20", "\"2024-01-11\"", "\"Z\"", "false"], 1030.0, 1)]
#[case::a_later_date(["20", "\"2025-01-01\"", "\"B\"", "false"], 386.0, 1)]
#[case::a_number_outside_the_range(["91", "\"2024-01-11\"", "\"B\"", "false"], 101.0, 1)]
#[case::own_words(["20", "\"2024-01-11T12:00:00Z\"", "\"B\"", "\"yes\""], 100_030.5, 0)]
#[tokio::test]
async fn a_decision_of_training_has_the_same_answer_in_every_protocol(
    #[case] row: [&'static str; 4],
    #[case] expected: f64,
    #[case] warnings: usize,
) {
    accepted(ALL, &table(row), expected, warnings).await;
}

#[rstest]
#[case::no_date(1, "\"soon\"", "row 0: feature \"sold\" expected a date such as \"")]
#[case::a_date_of_the_file(1, "\"11/30/2024\"", "row 0: feature \"sold\" expected a date such as \"")]
#[case::a_missing_date(1, "null", "row 0: feature \"sold\" is missing, and the model does not impute it")]
#[case::another_word(3, "\"oui\"", "\"yes\" or \"no\", got")]
#[tokio::test]
async fn a_wrong_value_is_rejected_in_every_protocol(
    #[case] place: usize,
    #[case] cell: &'static str,
    #[case] message: &str,
) {
    let service = Service::of(&decided());
    let mut table = usual();
    table.rows[0][place] = cell;
    for protocol in PROTOCOLS {
        let body = (protocol.write)(&table);
        let answer = service.post(protocol.path, protocol.content_type, body.clone()).await;
        assert!(answer.status.is_client_error(), "{}: {body}", protocol.name);
        assert!(reason(&answer).contains(message), "{}: {body}: {}", protocol.name, reason(&answer));
    }
}

#[tokio::test]
async fn json_is_strict_and_csv_is_read_by_the_conventions() {
    let service = Service::of(&decided());
    let json = r#"{"X":[{"size":"1.234,5","sold":"11.1.2024","deck":"B","garden":false}]}"#;
    let refused = service.post("/predict", "application/json", json).await.json();
    let details: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|fault| fault["detail"].clone()).collect();
    let expected = [
        "row 0: feature \"size\" expected a number, got the string \"1.234,5\"",
        "row 0: feature \"sold\" expected a date such as \"2024-01-31\", got the string \"11.1.2024\"",
    ];
    assert_eq!(details, expected);
    for csv in [
        ";size;sold;deck;garden\n1;1.234,5;11.1.2024;B;yes\n2;?;2024-01-11;B;FALSE\n",
        "size\tsold\tdeck\tgarden\n1.234,5\t11.1.2024\tB\tyes\n?\t2024-01-11\tB\tFALSE\n",
        "size,sold,deck,garden\n\"1.234,5\",11.1.2024,B,yes\n?,2024-01-11,B,FALSE\n",
    ] {
        let answer = service.post("/predict", "text/csv", csv).await.json();
        assert_eq!(answer["y"], json!([101_244.5, 60.0]), "{csv}");
        let codes: Vec<_> =
            answer["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].clone()).collect();
        assert_eq!(codes, ["outside_range", "imputed"], "{csv}");
    }
}

#[tokio::test]
async fn an_imputed_value_has_a_warning() {
    let service = Service::of(&decided());
    let body = json!({"X": [{"size": null, "sold": "2023-12-31", "deck": null, "garden": true}]});
    let answer = service.post("/predict", "application/json", body.to_string()).await.json();
    let expected = json!([
        {"row": 0, "code": "imputed", "feature": "size", "value": 50.0, "message": "missing, replaced by 50"},
        {"row": 0, "code": "imputed", "feature": "deck", "value": "(missing)",
         "message": "missing, replaced by (missing)"},
        {"row": 0, "code": "outside_range", "feature": "sold", "value": "2023-12-31",
         "range": ["2024-01-01", "2024-12-31"], "message": "outside the training range"},
    ]);
    assert_eq!(answer["warnings"], expected);
}

#[tokio::test]
async fn the_description_and_the_document_have_the_decisions() {
    let service = Service::of(&decided());
    let described = service.get("/models/people").await.json();
    assert_eq!(described["signature"]["features"][1]["range"], json!(["2024-01-01", "2024-12-31"]));
    assert_eq!(described["signature"]["ignored"], json!(["Unnamed: 0", "note", "y"]));
    assert_eq!(described["training"]["notes"], json!(["1 column has missing values: size (3, median)"]));
    for example in described["examples"].as_array().unwrap() {
        assert!(example["size"].is_i64() && ["A", "B"].contains(&example["deck"].as_str().unwrap()), "{example}");
    }
    let document = service.get("/openapi.json").await.json();
    let row = &document["components"]["schemas"]["people.row"];
    let date = json!({
        "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
        "description": "from 2024-01-01 to 2024-12-31 in the training data; in CSV: dates as \"%d.%m.%Y\"",
    });
    assert_eq!(row["properties"]["sold"], date);
    let words = json!([{"type": "boolean"}, {"type": "string", "enum": ["no", "yes"]}]);
    assert_eq!(row["properties"]["garden"]["anyOf"], words);
    assert_eq!(row["properties"]["deck"]["type"], json!(["string", "null"]));
    let size = "from 10 to 90 in the training data; null is imputed with 50; in CSV: decimal mark \",\", thousands \
                separator \".\", missing values as \"?\"";
    assert_eq!(row["properties"]["size"], json!({"type": ["number", "null"], "description": size}));
    assert_eq!(row["properties"]["note"], json!({"description": "Accepted and not used"}));
    assert_eq!(row["required"], json!(["size", "sold", "deck", "garden"]));
    assert_eq!(row["additionalProperties"], json!(false));
    // All examples work, also in CSV with a decimal comma.
    let [content, _] = contents(&document, &document["paths"]["/models/people/predict"]["post"]);
    for (media_type, content) in content.as_object().unwrap() {
        for example in content["examples"].as_object().unwrap().values() {
            let body = match &example["value"] {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            let answer = service.post("/models/people/predict", media_type, body.clone()).await;
            assert!(
                answer.status == 200 && answer.header("x-ordinate-warnings").is_empty(),
                "{body}: {}",
                answer.text()
            );
        }
    }
}
