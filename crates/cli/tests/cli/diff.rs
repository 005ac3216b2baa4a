//! The coefficients and intercepts in the output of `ordinate diff`.

use serde_json::{Value, json};

use crate::releases::{json, models};
use crate::support::{run, succeeded};

/// The row of the intercepts in the JSON of a comparison.
fn intercepts(difference: &Value) -> Option<&Value> {
    difference["coefficients"].as_array().unwrap().iter().find(|row| row["column"] == "(intercept)")
}

#[test]
fn intercepts_are_compared_as_training_prints_them() {
    let folder = models();
    let trained = |data: &str, options: &str| {
        let arguments = format!("train {data}.csv --target price --test-fraction 0 {options} --json");
        json(&run(folder.path(), &arguments))["coefficients"]["intercepts"].clone()
    };
    let [old, new] = ["price", "again"].map(|data| trained(data, ""));
    assert!(old[0].is_number() && old != new, "{old} {new}");
    let difference = json(&run(folder.path(), "diff price.json again.json --json"));
    assert_eq!(intercepts(&difference), Some(&json!({"column": "(intercept)", "old": old, "new": new})));
    let said = run(folder.path(), "diff price.json again.json");
    assert!(succeeded(&said).contains("\n  (intercept) "), "{}", succeeded(&said));

    assert_eq!(trained("price", "--no-intercept --out through.json"), Value::Null);
    let difference = json(&run(folder.path(), "diff price.json through.json --json"));
    assert_eq!(intercepts(&difference), Some(&json!({"column": "(intercept)", "old": old, "new": null})));
    let difference = json(&run(folder.path(), "diff through.json through.json --json"));
    assert_eq!(intercepts(&difference), None, "there is nothing to compare");
}

#[test]
fn classifiers_have_an_intercept_per_class() {
    let folder = models();
    let difference = json(&run(folder.path(), "diff iris iris --json"));
    let row = intercepts(&difference).unwrap();
    assert_eq!(row["old"].as_array().unwrap().len(), 3, "{row}");
    assert_eq!(row["old"], row["new"]);
}
