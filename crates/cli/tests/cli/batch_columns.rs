//! The names of the columns that `ordinate batch` and `ordinate predict` write: each is there once.

use std::fs;

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{command, complained, folder_with, read, rows, run, said, sides, succeeded};

/// A folder with a model and a file of each format.
fn folder() -> TempDir {
    let folder = folder_with(&[
        ("sides.json", &sides()),
        ("rows.csv", "side,length,note\nleft,1,a\nright,-3.5,b\n"),
        ("rows.jsonl", "{\"side\": \"left\", \"length\": 1, \"note\": \"a\"}\n"),
    ]);
    succeeded(&run(&folder, "predict sides.json rows.csv --column earlier --out rows.parquet"));
    folder
}

#[rstest]
#[case(&["--column", ""], "--column: expected a name, got \"\"")]
#[case(&["--column", " "], "--column: expected a name, got \" \"")]
#[case(&["--column", "length"], "--column: column \"length\": a feature of the model has this name\nhelp: choose")]
#[case(&["--column", " side "], "--column: column \" side \": a feature of the model has this name\nhelp: choose")]
#[case(
    &["--explain", "--column", "contribution_pear_length"],
    "--column: column \"contribution_pear_length\": --explain adds a column of this name\nhelp: choose another \
     name with --column"
)]
#[case(&["--explain", "--column", "base_plum"], "--column: column \"base_plum\": --explain adds a column of this name")]
#[case(
    &["--probabilities", "--column", "probability_plum"],
    "--column: column \"probability_plum\": --probabilities adds a column of this name"
)]
#[case(&["--warnings", "--column", "warnings"], "--column: column \"warnings\": --warnings adds a column of this name")]
fn an_added_column_has_a_name_of_its_own(#[case] options: &[&str], #[case] expected: &str) {
    let folder = folder();
    for arguments in [
        "batch rows.csv out --model sides.json",
        "batch rows.jsonl out --model sides.json",
        "batch rows.parquet out --model sides.json",
        "predict sides.json rows.csv",
        "predict sides.json rows.parquet --out out.parquet",
    ] {
        let output = command(folder.path(), arguments).args(options).output().unwrap();
        assert!(complained(&output).contains(expected), "{arguments}: {}", complained(&output));
        assert!(output.stdout.is_empty() && !folder.path().join("out.parquet").exists(), "{arguments}");
        assert!(fs::read_dir(folder.path().join("out")).map_or(true, |entries| entries.count() == 0), "{arguments}");
    }
}

#[test]
fn an_added_column_differs_from_the_columns_of_the_file() {
    let folder = folder();
    for (name, arguments, expected) in [
        ("rows.csv", "--column note", "rows.csv: line 1: a column \"note\" exists already\nhelp: rename it, or give"),
        ("rows.parquet", "--column earlier", "rows.parquet: a column \"earlier\" exists already"),
        ("rows.jsonl", "--column note", "the first is: line 1: the object has a key \"note\" already"),
        ("rows.jsonl", "--column features", "--column features: in JSON Lines, a list of values gets this key"),
    ] {
        let output = run(&folder, &format!("batch {name} out --model sides.json {arguments}"));
        let complaint = complained(&output).replace("the first error is", "the first is");
        assert!(complaint.contains(expected), "{name}: {complaint}");
    }
}

/// Also keys that are escaped, and values that are no JSON for other programs.
#[test]
fn an_object_has_each_key_once() {
    let folder = folder();
    let lines = [
        r#"{"side": "left", "length": 1, "note": "a"}"#,
        r#"{"side": "left", "length": 1, "\u0070rediction": "a"}"#,
        r#"{"side": "left", "length": NaN, "prediction": "a"}"#,
        r#"{"side": "left", "length": 1, "note": "a", "n\u006fte": "b"}"#,
        r#"{"side": "left", "length": 1, "\u006cength": 2}"#,
    ];
    fs::write(folder.path().join("rows.jsonl"), lines.join("\n")).unwrap();
    succeeded(&run(&folder, "batch rows.jsonl out --model sides.json --jobs 2"));
    assert_eq!(read(&folder, "out/rows.jsonl").lines().count(), 1);
    let side = read(&folder, "out/rows.jsonl.rejected.jsonl");
    let reasons = side.lines().map(|line| {
        let rejected: Value = serde_json::from_str(line).unwrap();
        (rejected["row"].as_u64().unwrap(), rejected["reason"].as_str().unwrap().to_owned())
    });
    let expected = [
        (2, "the object has a key \"prediction\" already"),
        (3, "the object has a key \"prediction\" already"),
        (4, "the object has the key \"note\" twice"),
        (5, "appears twice"),
    ];
    assert_eq!(reasons.collect::<Vec<_>>(), expected.map(|(row, reason)| (row, reason.to_owned())));
}

#[test]
fn a_repeated_column_that_the_model_needs_is_an_error() {
    let folder = folder();
    fs::write(folder.path().join("twice.csv"), "side,length,length\nleft,1,2\n").unwrap();
    for arguments in ["batch twice.csv out --model sides.json", "predict sides.json twice.csv"] {
        let expected = "twice.csv: line 1: column \"length\" exists twice, and the model sides needs one\nhelp: rename or \
                        remove the others\n";
        let output = run(&folder, arguments);
        assert!(complained(&output).contains(expected), "{}", complained(&output));
    }
    // Others get the names that training gives them.
    fs::write(folder.path().join("twice.csv"), "side,length,a,,a,\nleft,1,2,3,4,5\n").unwrap();
    let output = run(&folder, "predict sides.json twice.csv");
    assert_eq!(rows(said(&output))[0], ["side", "length", "a", "", "a.1", "Unnamed: 5", "prediction"]);
    said(&run(&folder, "batch twice.csv out --model sides.json --quiet"));
    assert_eq!(read(&folder, "out/twice.csv"), said(&output));
    // A model of such columns has them.
    fs::write(folder.path().join("data.csv"), "x,x,y\n1,2,3\n2,5,4\n3,1,5\n4,4,7\n5,2,6\n6,9,9\n").unwrap();
    succeeded(&run(&folder, "train data.csv --target y --test-fraction 0 --out xx.json"));
    let output = run(&folder, "predict xx.json data.csv");
    assert_eq!(rows(said(&output))[0], ["x", "x.1", "y", "prediction"]);
    succeeded(&run(&folder, "evaluate xx.json data.csv"));
    fs::write(folder.path().join("data.csv"), "x,x.1,y,y\n1,2,3,4\n").unwrap();
    let output = run(&folder, "evaluate xx.json data.csv");
    assert!(
        complained(&output).contains("column \"y\" exists twice, and --target needs one"),
        "{}",
        complained(&output)
    );
}

/// `predict` and `batch` agree.
#[test]
fn a_header_alone_is_a_table_without_rows() {
    let folder = folder();
    fs::write(folder.path().join("none.csv"), "side,length\n").unwrap();
    let output = run(&folder, "predict sides.json none.csv");
    assert_eq!(said(&output), "side,length,prediction\n");
    assert_eq!(
        said(&run(&folder, "batch none.csv out --model sides.json")),
        "1 file with 0 rows scored by sides@3: out\n"
    );
    assert_eq!(read(&folder, "out/none.csv"), said(&output));
    said(&run(&folder, "predict sides.json none.csv --out none.parquet --quiet"));
    said(&run(&folder, "predict sides.json none.parquet --column again --out again.parquet --quiet"));
    said(&run(&folder, "batch none.parquet out --column again --model sides.json --quiet"));
    assert!(
        fs::read(folder.path().join("again.parquet")).unwrap()
            == fs::read(folder.path().join("out/none.parquet")).unwrap()
    );
}
