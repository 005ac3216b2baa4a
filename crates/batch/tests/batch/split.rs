//! Large objects: the parts of a plan give the output of one run, byte for byte.

use std::fmt::Write as _;

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
    function.handle(&finish, TIME).unwrap();
    // A repetition changes nothing.
    let again = function.handle(&finish, TIME).unwrap();
    assert!(again["objects"].as_array().unwrap().iter().all(|object| object["outcome"] == "unchanged"), "{again}");
    items.len()
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
    let empty = json!({"step": "plan", "bucket": BUCKET, "prefix": "nothing/"});
    assert_eq!(bench.function().handle(&empty, TIME).unwrap()["items"], 0);
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
    for event in [&items[1], &finish] {
        let error = function.handle(event, TIME).unwrap_err();
        assert!(error.to_string().contains("the object was replaced after the plan"), "{error}");
        assert_eq!(error.kind(), "Ordinate.Permanent");
    }
    assert_eq!(bench.get(&bench.out("a.csv")), None);
}
