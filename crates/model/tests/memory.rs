//! The memory that loading a model takes, measured in a process of its own: with `LARGE_MODELS=1` also of 60 MB.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::cast_precision_loss)]

use std::fs;
use std::path::Path;
use std::process::Command;

use ordinate_model::Model;
use ordinate_model::artifact::Document;
use serde_json::{Map, Value, json};

/// The environment variable with the file that the process of its own loads.
const FILE: &str = "MODEL_OF_MEMORY_TEST";

/// A regression of so many columns, whose largest part is the matrix R.
fn matrix(columns: usize) -> Vec<u8> {
    let r: Vec<Vec<f64>> = (0..columns).map(|row| (row..columns).map(|column| number(row, column)).collect()).collect();
    let coefficients: Map<_, _> = (0..columns).map(|at| (format!("x{at}"), number(at, 7).into())).collect();
    let estimator = json!({"family": "linear", "intercept": 0.5, "coefficients": coefficients});
    let inference = json!({"degrees_of_freedom": 1000, "residual_variance": 0.5, "r": r});
    file(columns, "regression", &json!({"name": "y", "type": "double"}), &estimator, Some(inference))
}

/// A classifier of so many columns with 60 classes, whose largest part are the coefficients.
fn lists(columns: usize) -> Vec<u8> {
    let classes: Vec<_> = (0..60).map(|class| format!("class {class}")).collect();
    let list = |at: usize| (0..60).map(|class| number(at, class)).collect::<Vec<_>>();
    let coefficients: Map<_, _> = (0..columns).map(|at| (format!("x{at}"), list(at).into())).collect();
    let estimator =
        json!({"family": "logistic", "classes": classes, "intercepts": vec![0.0; 60], "coefficients": coefficients});
    file(columns, "classification", &json!({"name": "y", "type": "string"}), &estimator, None)
}

/// A number of 16 or 17 digits; on the diagonal it is not 0.
fn number(row: usize, column: usize) -> f64 {
    1.0 + (0.123 + (row * 7919 + column * 104_729) as f64 * 0.618_033_988_749_894_9).fract()
}

fn file(columns: usize, task: &str, target: &Value, estimator: &Value, inference: Option<Value>) -> Vec<u8> {
    let feature = |at: usize| json!({"name": format!("x{at}"), "type": "double", "missing": "reject"});
    let column = |at: usize| json!({"name": format!("x{at}"), "product": [{"feature": format!("x{at}")}], "mean": 0.0, "scale": 1.0});
    let mut document = json!({
        "format": "ordinate.model/1", "name": "large", "version": "1", "created": "2026-11-23T00:00:00Z", "task": task,
        "signature": {"features": (0..columns).map(feature).collect::<Vec<_>>(), "target": target},
        "preprocess": {"columns": (0..columns).map(column).collect::<Vec<_>>()},
        "estimator": estimator,
        "training": {
            "rows": columns + 1001, "data_sha256": "0".repeat(64), "parameters": {}, "seed": 0, "metrics": {},
            "tool": "ordinate 0.1.0", "smartcore": "0.7.0",
        },
        "golden": {"X": [], "y": []},
    });
    if let Some(inference) = inference {
        document["inference"] = inference;
    }
    let document: Document = serde_json::from_value(document).unwrap();
    let golden = vec![serde_json::from_value(vec![json!(1.0); columns].into()).unwrap()];
    document.seal(golden).unwrap().to_json().unwrap().into_bytes()
}

/// The largest resident memory of this process so far, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn loading_takes_a_small_multiple_of_the_file() {
    if let Some(path) = std::env::var_os(FILE) {
        // The code that loads a model is in memory from the first one on.
        for small in [matrix(2), lists(2)] {
            Model::from_json(small).unwrap();
        }
        let before = peak();
        let bytes = fs::read(path).unwrap();
        let length = bytes.len();
        let model = Model::from_json(bytes).unwrap();
        println!("measured {} {length} {}", model.name(), peak() - before);
        return;
    }
    let mut models = vec![("R, 10 MB", matrix(1_000)), ("coefficients, 10 MB", lists(8_000))];
    if std::env::var_os("LARGE_MODELS").is_some() {
        models.push(("R, 60 MB", matrix(2_450)));
    }
    for (what, file) in models {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("memory.json");
        fs::write(&path, file).unwrap();
        let own = std::env::current_exe().unwrap();
        let arguments = ["loading_takes_a_small_multiple_of_the_file", "--exact", "--nocapture"];
        let output = Command::new(own).args(arguments).env(FILE, &path).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let measured =
            text.lines().find_map(|line| line.split_once("measured large ")).unwrap_or_else(|| panic!("{text}"));
        let (length, memory) = measured.1.split_once(' ').unwrap();
        let [length, memory] = [length, memory].map(|number| number.trim().parse::<u64>().unwrap());
        println!("{what}: a file of {length} bytes takes {memory}, {:.2} times", memory as f64 / length as f64);
        assert!(memory <= 2 * length, "{what}: {memory} bytes for a file of {length}");
    }
}
