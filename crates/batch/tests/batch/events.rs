//! Events and formats: what is scored, and what is written.

use ordinate_test_support::catalog_files::CatalogFiles;
use ordinate_test_support::s3_server::S3Server;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{BUCKET, Bench, TIME, table};

#[test]
fn an_object_is_scored_once_for_each_of_its_versions() {
    let bench = Bench::new();
    bench.put("a b+é.csv", "x\n1\n2\n");
    let function = bench.function();
    let event = bench.event(&["a b+é.csv"]).to_string().replace("a b+é", "a+b%2B%C3%A9");
    let event: Value = serde_json::from_str(&event).unwrap();
    let answer = function.handle(&event, TIME).unwrap();
    let object = &answer["objects"][0];
    assert_eq!((&object["outcome"], &object["rows"], &object["rejected"]), (&json!("written"), &json!(2), &json!(0)));
    let out = bench.out("a b+é.csv");
    assert_eq!(bench.text(&out), "x,prediction\n1,3.0\n2,5.0\n");
    let before = bench.modified(&out);
    assert_eq!(function.handle(&event, TIME).unwrap()["objects"][0]["outcome"], "unchanged");
    assert_eq!(bench.modified(&out), before);
    bench.put("a b+é.csv", "x\n3\n");
    assert_eq!(function.handle(&event, TIME).unwrap()["objects"][0]["outcome"], "written");
    assert_eq!(bench.text(&out), "x,prediction\n3,7.0\n");
    // Other columns are another output.
    let other = bench.function_at(S3Server::shared().address(), |settings| settings.columns.warnings = true);
    assert_eq!(other.handle(&event, TIME).unwrap()["objects"][0]["outcome"], "written");
    assert!(bench.text(&out).starts_with("x,prediction,warnings\n"));
}

#[rstest]
#[case::direct(|event: Value| event)]
#[case::topic(|event: Value| json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": event.to_string()}}]}))]
#[case::event_bridge(|event: Value| json!({"source": "aws.s3", "detail-type": "Object Created", "detail": {
    "bucket": event["Records"][0]["s3"]["bucket"], "object": event["Records"][0]["s3"]["object"]}}))]
#[case::item(|event: Value| json!({"bucket": BUCKET, "key": event["Records"][0]["s3"]["object"]["key"]}))]
#[case::batch_of_items(|event: Value| json!({"Items": [{"bucket": BUCKET, "key": event["Records"][0]["s3"]["object"]["key"]}]}))]
fn events_of_each_kind_name_an_object(#[case] kind: fn(Value) -> Value) {
    let bench = Bench::new();
    bench.put("a.csv", "x\n1\n");
    let answer = bench.function().handle(&kind(bench.event(&["a.csv"])), TIME).unwrap();
    assert_eq!(answer["objects"][0]["rows"], 1);
    assert_eq!(bench.text(&bench.out("a.csv")), "x,prediction\n1,3.0\n");
}

#[test]
fn of_several_messages_only_those_that_failed_are_delivered_again() {
    let bench = Bench::new();
    bench.put("good.csv", "x\n1\n");
    bench.put("bad.csv", "y\n1\n");
    let message = |id: &str, body: &Value| json!({"eventSource": "aws:sqs", "messageId": id, "body": body.to_string()});
    let event = json!({"Records": [
        message("1", &bench.event(&["bad.csv"])),
        message("2", &bench.event(&["good.csv"])),
        message("3", &json!({"a": 1})),
        message("4", &bench.event(&["deleted.csv"])),
        message("5", &json!({"Event": "s3:TestEvent"})),
    ]});
    let answer = bench.function().handle(&event, TIME).unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "3"}]}));
    assert_eq!(bench.text(&bench.out("good.csv")), "x,prediction\n1,3.0\n");
    assert_eq!(bench.get(&bench.out("bad.csv")), None);
}

#[test]
fn rows_that_cannot_be_predicted_are_in_a_side_file_with_their_reasons() {
    let bench = Bench::new();
    bench.put("a.csv", "x,note\n1,a\nhigh,b\n2\n\n3,\"c\nd\"\n");
    let answer = bench.score(&bench.function(), "a.csv").unwrap();
    assert_eq!((&answer["rows"], &answer["rejected"]), (&json!(2), &json!(2)));
    assert_eq!(bench.text(&bench.out("a.csv")), "x,note,prediction\n1,a,3.0\n3,\"c\nd\",7.0\n");
    let side = bench.text(&bench.out("a.csv.rejected.jsonl"));
    let rejected: Vec<Value> = side.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rejected[0]["row"], 3);
    assert_eq!((&rejected[0]["column"], &rejected[0]["input"]), (&json!("x"), &json!(["high", "b"])));
    assert_eq!(rejected[0]["reason"], "expected a number, got \"high\"");
    assert_eq!((&rejected[1]["row"], &rejected[1]["input"]), (&json!(4), &json!(["2"])));
    assert_eq!(rejected[1]["reason"], "expected 2 fields as in the header, got 1");
    // The side file of an older version does not stay.
    bench.put("a.csv", "x,note\n1,a\n");
    bench.score(&bench.function(), "a.csv").unwrap();
    assert_eq!(bench.get(&bench.out("a.csv.rejected.jsonl")), None);
    bench.put("a.csv", "x,note\nhigh,a\n");
    let error = bench.score(&bench.function(), "a.csv").unwrap_err();
    assert!(error.to_string().contains("none of the 1 rows can be used"), "{error}");
    assert_eq!(error.kind(), "Ordinate.Permanent");
}

#[test]
fn json_lines_become_json_lines() {
    let bench = Bench::new();
    bench.put("a.jsonl", "{\"x\": 1, \"id\": \"a\"}\n[2]\n{\"x\": null}\n3\n{\"x\": 4, \"prediction\": 0}\n{\"x\":\n");
    let answer = bench.score(&bench.function(), "a.jsonl").unwrap();
    assert_eq!((&answer["rows"], &answer["rejected"]), (&json!(3), &json!(3)));
    let expected = "{\"x\": 1, \"id\": \"a\",\"prediction\":3.0}\n{\"features\":[2],\"prediction\":5.0}\n\
                    {\"features\":3,\"prediction\":7.0}\n";
    assert_eq!(bench.text(&bench.out("a.jsonl")), expected);
    let side = bench.text(&bench.out("a.jsonl.rejected.jsonl"));
    let rows: Vec<(Value, Value)> = side
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| (line["row"].clone(), line["reason"].clone()))
        .collect();
    assert_eq!(rows[0].0, 3);
    assert_eq!(rows[1], (json!(5), json!("the object has a key \"prediction\" already")));
    assert_eq!(rows[2], (json!(6), json!("not valid JSON: line 6, column 5: EOF while parsing a value")));
}

#[test]
fn what_is_compressed_stays_so() {
    let bench = Bench::new();
    let (input, expected) = table(3000, "a");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, input.as_bytes()).unwrap();
    bench.put("a.csv.gz", gzip.finish().unwrap());
    bench.put("a.csv.zst", zstd::encode_all(input.as_bytes(), 0).unwrap());
    let function = bench.function();
    for name in ["a.csv.gz", "a.csv.zst"] {
        assert_eq!(bench.score(&function, name).unwrap()["rows"], 3000);
    }
    let mut text = String::new();
    let gzip = bench.get(&bench.out("a.csv.gz")).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(gzip.as_slice()), &mut text).unwrap();
    assert_eq!(text, expected);
    let zst = bench.get(&bench.out("a.csv.zst")).unwrap();
    assert_eq!(zstd::decode_all(zst.as_slice()).unwrap(), expected.as_bytes());
}

#[test]
fn outputs_and_notes_are_no_inputs() {
    let bench = Bench::new();
    bench.put("_SUCCESS", "");
    let function = bench.function();
    assert_eq!(bench.score(&function, "_SUCCESS").unwrap()["outcome"], "ignored");
    assert_eq!(bench.score(&function, "gone.csv").unwrap()["outcome"], "deleted");
    let output = json!({"bucket": BUCKET, "key": bench.out("a.csv")});
    assert_eq!(function.handle(&output, TIME).unwrap()["objects"][0]["outcome"], "ignored");
    assert_eq!(bench.keys(), ["in/_SUCCESS"]);
}

#[test]
fn of_several_released_models_a_setting_names_the_one_that_scores() {
    let bench = Bench::new();
    let files = CatalogFiles::in_folder();
    for name in ["price", "risk"] {
        bench.runtime.block_on(files.publish(name, 1));
        bench.runtime.block_on(files.point(name, "live", 1));
    }
    bench.put("in/a.csv", "x\n1\n");
    let (uri, event) = (files.uri(), bench.event(&["in/a.csv"]));
    let error = bench.function_of(&[("MODEL_URI", &uri)]).handle(&event, TIME).unwrap_err();
    assert_eq!(error.kind(), "Ordinate.Permanent");
    let expected = "which model of the catalog scores is not known; its models are price, risk\n\
                    help: name one with DEFAULT_MODEL, the parameter DefaultModel of batch.yaml";
    assert_eq!(error.to_string(), expected);
    let named = bench.function_of(&[("MODEL_URI", &uri), ("DEFAULT_MODEL", "risk")]);
    assert_eq!(named.handle(&event, TIME).unwrap()["objects"][0]["outcome"], "written");
}

/// Also in the place of a side file, and if no row is rejected.
#[test]
fn an_object_that_no_batch_wrote_is_not_replaced() {
    let bench = Bench::new();
    let function = bench.function();
    bench.put("a.csv", "x\n1\n");
    bench.put("b.csv", "x\nhigh\n1\n");
    let foreign = [bench.out("a.csv"), bench.out("b.csv.rejected.jsonl")];
    for key in &foreign {
        bench.runtime.block_on(S3Server::shared().put(BUCKET, key, "mine"));
    }
    for (name, key) in ["a.csv", "b.csv"].iter().zip(&foreign) {
        let error = bench.score(&function, name).unwrap_err();
        let expected = format!("s3://{BUCKET}/{key}: this output exists, and no batch wrote it\nhelp: ");
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert_eq!(error.kind(), "Ordinate.Permanent");
        assert_eq!(bench.text(key), "mine");
    }
    assert!(bench.get(&bench.out("b.csv")).is_none());
    bench.put("b.csv", "x\n1\n");
    bench.score(&function, "b.csv").unwrap();
    assert_eq!(bench.text(&foreign[1]), "mine");
}
