//! Types, classes, delimiters and files of training data.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use rstest::rstest;
use serde_json::{Value, json};

use super::{FILLED, model, staff};
use crate::support::{command, folder_with_data, json_of, succeeded, train};

#[test]
fn types_can_be_declared() {
    let folder = folder_with_data(
        "zip,n,flag,y\n1000,1,true,1\n2000,2,false,2\n1000,3,true,4\n2000,5,true,3\n3000,8,false,1\n3000,1,false,5\n",
    );
    let file = model(
        folder.path(),
        "--target y --test-fraction 0 --categorical zip --types n=long,flag=string --estimator ridge --alpha 1",
    );
    let features = file["signature"]["features"].as_array().unwrap();
    let kinds: Vec<&str> = features.iter().map(|feature| feature["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["string", "long", "string"]);
    assert_eq!(features[0]["levels"], json!(["1000", "2000", "3000"]));
    assert_eq!(features[2]["levels"], json!(["false", "true"]));
}

#[rstest]
#[case::integers("0", "1", json!([0, 1]), "long")]
#[case::fractions("0.5", "1", json!([0.5, 1.0]), "double")]
#[case::booleans("false", "true", json!([false, true]), "boolean")]
#[case::words("ham", "spam", json!(["ham", "spam"]), "string")]
fn classes_keep_the_notation_of_the_data(
    #[case] one: &str,
    #[case] other: &str,
    #[case] classes: Value,
    #[case] kind: &str,
) {
    let data = format!("x,y\n1,{one}\n2,{other}\n3,{one}\n4,{other}\n5,{other}\n6,{one}\n");
    let folder = folder_with_data(data);
    let file = model(folder.path(), "--target y --test-fraction 0 --estimator logistic");
    assert_eq!((&file["estimator"]["classes"], &file["signature"]["target"]["type"]), (&classes, &json!(kind)));
}

#[rstest]
#[case(";")]
#[case("\t")]
#[case("|")]
fn delimiters_are_found_in_the_header(#[case] delimiter: &str) {
    let commas = folder_with_data(staff());
    let other = folder_with_data(staff().replace(',', delimiter));
    let arguments = format!("--target pay --exclude w,quit {FILLED}");
    assert_eq!(model(commas.path(), &arguments)["estimator"], model(other.path(), &arguments)["estimator"]);
}

#[test]
fn several_files_patterns_and_standard_input_give_the_same_model() {
    let data = staff();
    let folder = folder_with_data(&data);
    let arguments = format!("--target pay --exclude w,quit --name staff {FILLED} --out m.json");
    let whole = model(folder.path(), &arguments.replace("--out m.json", ""));
    let lines: Vec<&str> = data.lines().collect();
    for (name, rows) in [("part-1.csv", &lines[1..30]), ("part-2.csv", &lines[30..])] {
        fs::write(folder.path().join(name), format!("{}\n{}\n", lines[0], rows.join("\n"))).unwrap();
    }
    for source in ["part-1.csv part-2.csv", "part-*.csv"] {
        succeeded(&train(folder.path(), &format!("{source} {arguments}")));
        assert_eq!(json_of(folder.path().join("m.json"))["estimator"], whole["estimator"], "{source}");
    }
    let mut piped = command(folder.path(), &format!("train - {arguments}"));
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(data.as_bytes()).unwrap();
    assert!(piped.wait().unwrap().success());
    let piped = json_of(folder.path().join("m.json"));
    assert_eq!(
        (&piped["estimator"], &piped["training"]["data_sha256"]),
        (&whole["estimator"], &whole["training"]["data_sha256"])
    );
}
