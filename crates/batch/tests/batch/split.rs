//! Large objects: the parts of a plan give the output of one run, byte for byte.

use std::fmt::Write as _;

use ordinate_batch::columns::Columns;
use ordinate_test_support::s3_server::S3Server;
use serde_json::{Value, json};

use crate::support::{BUCKET, Bench, TIME};

/// Debug builds are slow, so rows are long.
const LONG: &str = "a note that makes the rows longer, so that fewer of them are enough for the parts of an object, in all \
                    tests of objects that are split, joined, copied and compared with objects that are scored as a whole";

/// Rows with quoted line ends, doubled quotes, blank lines and rows that are rejected.
fn rows(count: usize) -> String {
    let mut text = "x,note\n".to_owned();
    for x in 0..count {
        match x % 7 {
            0 => writeln!(text, "{x},\"{LONG}\n{x},\"\"b\"\"\n\""),
            3 if x % 100 == 3 => writeln!(text, "high,{x}\n"),
            _ => writeln!(text, "{x},{LONG}{x}"),
        }
        .unwrap();
    }
    text
}

fn json_rows(count: usize) -> String {
    let mut text = String::new();
    for x in 0..count {
        let _ = match x % 1000 {
            3 => writeln!(text, "{{\"x\": \"high\"}}"),
            _ => writeln!(text, "{{\"x\": {x}, \"note\": \"{LONG}\\n{x}\"}}"),
        };
    }
    text
}

/// Plans, scores each item and joins the parts. Returns the number of items.
fn in_parts(bench: &Bench, request: &Value, part_bytes: u64) -> usize {
    let function = bench.function_at(S3Server::shared().address(), |settings| settings.part_bytes = part_bytes);
    let plan = function.handle(request, TIME).unwrap();
    let items: Value = serde_json::from_str(&bench.text(plan["manifest"]["key"].as_str().unwrap())).unwrap();
    let items = items.as_array().unwrap();
    assert_eq!(plan["items"], items.len());
    // In another order, and some of them twice, as deliveries may be.
    for item in items.iter().rev().chain(items.first()) {
        function.handle(item, TIME).unwrap();
    }
    let finish = json!({"step": "finish", "manifest": plan["manifest"]});
    let finished = function.handle(&finish, TIME).unwrap();
    let finished = outcomes(bench, &finished);
    // A small object may have its output of an earlier execution.
    let is_done =
        |object: &Value| object["outcome"] == "written" || (object["items"] == 1 && object["outcome"] == "unchanged");
    assert!(finished.iter().all(is_done), "{finished:?}");
    // A repetition changes nothing.
    let again = outcomes(bench, &function.handle(&finish, TIME).unwrap());
    for (object, before) in again.iter().zip(&finished) {
        let expected = if object["items"] == 1 { &before["outcome"] } else { &json!("unchanged") };
        assert_eq!(object["outcome"], *expected);
    }
    items.len()
}

/// The outcomes of the objects, in the order of the manifest.
fn outcomes(bench: &Bench, finished: &Value) -> Vec<Value> {
    let result: Value = serde_json::from_str(&bench.text(finished["result"]["key"].as_str().unwrap())).unwrap();
    result["outcomes"].as_array().unwrap().clone()
}

#[test]
fn a_large_object_in_parts_is_one_run_byte_for_byte() {
    let bench = Bench::new();
    for (name, content) in [("a.csv", rows(50_000)), ("a.jsonl", json_rows(50_000))] {
        bench.put(name, content.clone());
        bench.put(&format!("whole-{name}"), content);
        bench.score(&bench.function(), &format!("whole-{name}")).unwrap();
        let request = json!({"step": "plan", "bucket": BUCKET, "key": bench.key(name)});
        let items = in_parts(&bench, &request, 1 << 20);
        assert!(items >= 8, "{items}");
        let whole = |end: &str| bench.get(&bench.out(&format!("whole-{name}{end}"))).unwrap();
        let parts = |end: &str| bench.get(&bench.out(&format!("{name}{end}"))).unwrap();
        assert!(parts("") == whole(""), "{name}");
        assert!(parts(".rejected.jsonl") == whole(".rejected.jsonl"), "{name}");
    }
    // Neither outputs of parts nor uploads remain.
    let keys = bench.keys();
    assert!(keys.iter().all(|key| !key.contains("/_parts/")), "{keys:?}");
    assert_eq!(bench.uploads(), 0);
}

#[test]
fn parts_of_the_least_size_are_copied_by_the_server() {
    let bench = Bench::new();
    let content = rows(80_000);
    bench.put("a.csv", content.clone());
    bench.put("whole.csv", content);
    bench.score(&bench.function(), "whole.csv").unwrap();
    let request = json!({"step": "plan", "bucket": BUCKET, "key": bench.key("a.csv")});
    assert!(in_parts(&bench, &request, 6 << 20) >= 2);
    assert!(bench.get(&bench.out("a.csv")) == bench.get(&bench.out("whole.csv")));
}

#[test]
fn a_first_part_of_which_no_row_can_be_predicted_is_part_of_the_whole() {
    let bench = Bench::new();
    let bad = format!("high,{LONG}\n").repeat(12_000);
    bench.put("a.csv", format!("x,note\n{bad}{}", rows(8000).replacen("x,note\n", "", 1)));
    let request = json!({"step": "plan", "bucket": BUCKET, "key": bench.key("a.csv")});
    assert!(in_parts(&bench, &request, 1 << 20) > 2);
    assert!(bench.text(&bench.out("a.csv")).starts_with("x,note,prediction\n0,"));
}

#[test]
fn a_prefix_is_planned_with_all_its_objects() {
    let bench = Bench::new();
    bench.put("large.csv", rows(20_000));
    bench.put("small.csv", "x\n1\n");
    bench.put("notes.txt", "x");
    let request = json!({"step": "plan", "bucket": BUCKET, "prefix": bench.key(""), "id": "night"});
    assert!(in_parts(&bench, &request, 1 << 20) > 2);
    assert_eq!(bench.text(&bench.out("small.csv")), "x,prediction\n1,3.0\n");
    assert!(bench.get(&bench.out("large.csv")).is_some() && bench.get(&bench.out("notes.txt")).is_none());
    // The next night, the large object is not read again.
    assert_eq!(bench.function().handle(&request, TIME).unwrap()["items"], 1);
}

#[test]
fn an_empty_prefix_has_a_result_without_objects() {
    let bench = Bench::new();
    let function = bench.function();
    let request = json!({"step": "plan", "bucket": BUCKET, "prefix": bench.key("nothing/"), "id": "empty"});
    let plan = function.handle(&request, TIME).unwrap();
    assert_eq!((&plan["items"], &plan["objects"]), (&json!(0), &json!(0)));
    let finished = function.handle(&json!({"step": "finish", "manifest": plan["manifest"]}), TIME).unwrap();
    assert_eq!((&finished["objects"], &finished["failed"], &finished["rejected"]), (&json!(0), &json!(0), &json!(0)));
    let key = finished["result"]["key"].as_str().unwrap();
    assert!(key.ends_with("/_plans/empty.result.json"), "{key}");
    let result: Value = serde_json::from_str(&bench.text(key)).unwrap();
    assert_eq!(result, json!({"objects": 0, "failed": 0, "rejected": 0, "outcomes": []}));
}

#[test]
fn the_next_execution_changes_nothing_and_counts_the_rejected_rows_again() {
    let bench = Bench::new();
    bench.put("a.csv", "x\n1\nhigh\n");
    let function = bench.function();
    let execute = || {
        let plan =
            function.handle(&json!({"step": "plan", "bucket": BUCKET, "key": bench.key("a.csv")}), TIME).unwrap();
        let items: Value = serde_json::from_str(&bench.text(plan["manifest"]["key"].as_str().unwrap())).unwrap();
        function.handle(&items[0], TIME).unwrap();
        let finished = function.handle(&json!({"step": "finish", "manifest": plan["manifest"]}), TIME).unwrap();
        let object = &outcomes(&bench, &finished)[0];
        (object["outcome"].clone(), object["rejected"].clone(), finished["rejected"].clone())
    };
    assert_eq!(execute(), (json!("written"), json!(1), json!(1)));
    // Times of S3 have whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(execute(), (json!("unchanged"), json!(1), json!(1)));
}

/// As the state machine does it: an item that fails is noted, and the others are scored.
#[test]
fn an_item_that_fails_is_named_with_its_reason_and_the_others_are_scored() {
    let bench = Bench::new();
    // The last part of this object has a row that is never closed; the other cannot even be split.
    let long = rows(30_000) + "1,\"" + &"never closed\n".repeat(2 << 20);
    bench.put("broken.csv", long);
    bench.put("excel.csv", [&b"PK\x03\x04"[..], &vec![0; 2 << 20]].concat());
    bench.put("small.csv", "x\n1\n");
    bench.put("large.csv", rows(20_000));
    let function = bench.function();
    let plan = json!({"step": "plan", "bucket": BUCKET, "prefix": bench.key(""), "id": "night"});
    let plan = function.handle(&plan, TIME).unwrap();
    let items: Value = serde_json::from_str(&bench.text(plan["manifest"]["key"].as_str().unwrap())).unwrap();
    let mut failures = 0;
    for item in items.as_array().unwrap() {
        let input = json!({"item": item, "manifest": plan["manifest"]});
        if let Err(error) = function.handle(&input, TIME) {
            let cause = json!({"errorType": error.kind(), "errorMessage": error.to_string()}).to_string();
            let mut failed = input;
            failed["step"] = json!("failed");
            failed["error"] = json!({"Error": error.kind(), "Cause": cause});
            function.handle(&failed, TIME).unwrap();
            failures += 1;
        }
    }
    assert_eq!(failures, 2);
    let finish = json!({"step": "finish", "manifest": plan["manifest"]});
    let error = function.handle(&finish, TIME).unwrap_err();
    assert_eq!(error.kind(), "Ordinate.ItemsFailed");
    let message = error.to_string();
    assert!(message.contains("2 of 4 objects were not scored, the others were. The first is "), "{message}");
    assert!(message.contains("_plans/night.result.json lists them with their reasons"), "{message}");
    let result = bench.out("_plans/night.result.json").replace(&bench.key(""), "");
    let result: Value = serde_json::from_str(&bench.text(&result)).unwrap();
    let found: Vec<(&str, &str)> = result["outcomes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| {
            (object["input"].as_str().unwrap().rsplit('/').next().unwrap(), object["outcome"].as_str().unwrap())
        })
        .collect();
    let expected =
        [("broken.csv", "failed"), ("excel.csv", "failed"), ("large.csv", "written"), ("small.csv", "written")];
    assert_eq!(found, expected);
    let broken = &result["outcomes"][0];
    assert!(broken["failed"][0]["start"].as_u64().unwrap() > 0, "{broken}");
    assert_eq!(broken["failed"][0]["type"], "Ordinate.Permanent");
    assert!(
        broken["failed"][0]["message"].as_str().unwrap().contains("the row that begins here is longer"),
        "{broken}"
    );
    let excel = result["outcomes"][1]["failed"][0]["message"].as_str().unwrap().to_owned();
    assert!(excel.contains("excel.csv: ") && excel.contains("\nhelp: "), "{excel}");
    assert!(bench.get(&bench.out("broken.csv")).is_none() && bench.get(&bench.out("large.csv")).is_some());
    // The mended object alone is scored by the next execution.
    bench.put("broken.csv", rows(20_000));
    bench.put("excel.csv", "x\n2\n");
    let request = json!({"step": "plan", "bucket": BUCKET, "prefix": bench.key(""), "id": "next night"});
    in_parts(&bench, &request, 1 << 20);
    assert_eq!(bench.text(&bench.out("excel.csv")), "x,prediction\n2,5.0\n");
}

#[test]
fn a_quote_that_is_never_closed_fails_its_object_as_a_whole_and_in_parts() {
    let bench = Bench::new();
    let good = rows(20_000);
    let line = good.lines().count() + 1;
    for end in ["1,\"open\n2,b\n", "1,\"open\n2,\"b\"\n3,c\n"] {
        bench.put("a.csv", format!("{good}{end}"));
        let function = bench.function();
        let expected = format!("a.csv: line {line}: a quote opens here and is ");
        let error = bench.score(&function, "a.csv").unwrap_err();
        assert!(error.to_string().contains(&expected), "{error}");
        let plan = json!({"step": "plan", "bucket": BUCKET, "key": bench.key("a.csv")});
        let plan = function.handle(&plan, TIME).unwrap();
        let items: Value = serde_json::from_str(&bench.text(plan["manifest"]["key"].as_str().unwrap())).unwrap();
        let items = items.as_array().unwrap();
        assert!(items.len() > 1);
        let errors: Vec<_> = items.iter().filter_map(|item| function.handle(item, TIME).err()).collect();
        assert_eq!(errors.len(), 1);
        assert!(errors[0].to_string().contains(&expected), "{}", errors[0]);
        function.handle(&json!({"step": "finish", "manifest": plan["manifest"]}), TIME).unwrap_err();
        assert_eq!(bench.get(&bench.out("a.csv")), None);
    }
}

/// An item may end without a note: its function was stopped, and so was that of the note.
#[test]
fn an_output_of_an_earlier_version_is_not_the_output_of_an_item_that_failed() {
    let bench = Bench::new();
    let function = bench.function();
    let plan = |id: &str| {
        let request = json!({"step": "plan", "bucket": BUCKET, "prefix": bench.key(""), "id": id});
        function.handle(&request, TIME).unwrap()["manifest"].clone()
    };
    bench.put("a.csv", "x\n1\n");
    bench.put("b.csv", "x\n1\n");
    bench.score(&function, "a.csv").unwrap();
    bench.score(&function, "b.csv").unwrap();
    bench.put("a.csv", "x\n2\n");
    let manifest = plan("night");
    let error = function.handle(&json!({"step": "finish", "manifest": manifest}), TIME).unwrap_err();
    assert_eq!(error.kind(), "Ordinate.ItemsFailed");
    let expected = format!("1 of 2 objects were not scored, the others were. The first is s3://{BUCKET}/");
    assert!(error.to_string().starts_with(&expected) && error.to_string().contains("a.csv"), "{error}");
    // A version that is scored, and replaced before the end, is no failure; nor is one whose output was there already,
    // and other columns are wanted from now on.
    let manifest = plan("next night");
    bench.score(&function, "a.csv").unwrap();
    bench.put("a.csv", "x\n3\n");
    for prediction in ["prediction", "y"] {
        let function = bench.function_at(S3Server::shared().address(), |settings| {
            settings.columns = Columns { prediction: prediction.to_owned(), ..Columns::default() };
        });
        let finished = function.handle(&json!({"step": "finish", "manifest": manifest}), TIME).unwrap();
        assert!(outcomes(&bench, &finished).iter().all(|object| object["outcome"] == "written"));
    }
}

#[test]
fn parts_of_an_object_that_was_replaced_are_not_mixed() {
    let bench = Bench::new();
    bench.put("a.csv", rows(20_000));
    let function = bench.function();
    let plan = json!({"step": "plan", "bucket": BUCKET, "key": bench.key("a.csv")});
    let plan = function.handle(&plan, TIME).unwrap();
    let items: Value = serde_json::from_str(&bench.text(plan["manifest"]["key"].as_str().unwrap())).unwrap();
    function.handle(&items[0], TIME).unwrap();
    let finish = json!({"step": "finish", "manifest": plan["manifest"]});
    let error = function.handle(&finish, TIME).unwrap_err().to_string();
    assert!(error.contains("are not scored"), "{error}");
    bench.put("a.csv", rows(20_001));
    for (event, kind) in [(&items[1], "Ordinate.Permanent"), (&finish, "Ordinate.ItemsFailed")] {
        let error = function.handle(event, TIME).unwrap_err();
        assert!(error.to_string().contains("the object was replaced after the plan"), "{error}");
        assert_eq!(error.kind(), kind);
    }
    assert_eq!(bench.get(&bench.out("a.csv")), None);
}

#[test]
fn an_object_that_is_replaced_before_and_after_it_was_scored_is_written() {
    let bench = Bench::new();
    bench.put("a.csv", "x\n1\n");
    bench.put("b.csv", "x\n1\n");
    let function = bench.function();
    // An output of an earlier run, which is no output of the object of the plan.
    bench.score(&function, "b.csv").unwrap();
    bench.put("b.csv", "x\n2\n");
    let plan = json!({"step": "plan", "bucket": BUCKET, "prefix": bench.key("")});
    let plan = function.handle(&plan, TIME).unwrap();
    let items: Value = serde_json::from_str(&bench.text(plan["manifest"]["key"].as_str().unwrap())).unwrap();
    bench.put("a.csv", "x\n2\n");
    // Times of S3 have no fractions of a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    function.handle(&items[0], TIME).unwrap();
    bench.put("a.csv", "x\n3\n");
    let error = function.handle(&json!({"step": "finish", "manifest": plan["manifest"]}), TIME).unwrap_err();
    let expected =
        format!("1 of 2 objects were not scored, the others were. The first is s3://{BUCKET}/{}", bench.key("b.csv"));
    assert!(error.to_string().starts_with(&expected), "{error}");
}
