//! `make validate`: the templates, with the tests in `tests/stack`; and the log that the dashboard reads.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use ordinate_test_support::{root, tool};
use serde_json::Value;

use crate::emulator::Emulator;

#[test]
fn make_validate_succeeds() {
    let _ = tool("bin/sam");
    let command = &mut Command::new("make");
    let Output { status, stdout, stderr } = command.arg("validate").current_dir(root()).output().unwrap();
    assert!(status.success(), "{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
}

#[test]
fn the_queries_of_the_dashboard_read_keys_that_the_log_has() {
    let function = Emulator::start(&[("MODEL_URI", "file:///missing.json"), ("POWERTOOLS_SERVICE_NAME", "models")]);
    for event in ["v2", "v2-not-json"] {
        function.invoke(&std::fs::read(root().join(format!("events/{event}.json"))).unwrap());
    }
    let misconfigured = Emulator::start(&[("MAX_ROWS", "many")]);
    misconfigured.invoke(&std::fs::read(root().join("events/v2.json")).unwrap());
    let bundled = Emulator::start(&[]);
    bundled.invoke(&std::fs::read(root().join("events/v2.json")).unwrap());
    let logs = [function.log(), misconfigured.log(), bundled.log()].concat();
    let lines: Vec<Value> = logs.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let keys: BTreeSet<&str> =
        lines.iter().filter_map(Value::as_object).flat_map(|line| line.keys().map(String::as_str)).collect();

    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let fields = template.lines().filter_map(|line| line.trim().strip_prefix("| fields "));
    let read: Vec<&str> = fields.flat_map(|fields| fields.split(", ")).filter(|key| !key.starts_with('@')).collect();
    assert!(read.len() > 10, "{read:?}");
    for key in read.into_iter().chain(["status", "level", "service", "function_version", "function_request_id"]) {
        assert!(keys.contains(key), "{key} is not in {keys:?}");
    }

    // The metrics have lines of their own.
    let metrics: Vec<&Value> = lines.iter().filter(|line| line.get("_aws").is_some()).collect();
    let has = |name: &str| metrics.iter().any(|line| line.get(name).is_some());
    for name in ["Predictions", "ColdStart", "ServerErrors", "ModelLoadErrors", "PredictionValue"] {
        assert!(has(name), "{name} is not in {metrics:?}");
    }
    assert!(metrics.iter().any(|line| line["service"] == "models"), "{metrics:?}");
}
