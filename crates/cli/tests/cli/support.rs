//! `ordinate` as a user runs it, and the files it reads and writes.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ordinate_test_support::{ModelDocument, column};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

/// `ordinate` in a folder, without credentials of the environment; arguments are separated by spaces.
pub(crate) fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"] {
        command.env_remove(variable);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run(folder: impl AsRef<Path>, arguments: &str) -> Output {
    command(folder.as_ref(), arguments).output().unwrap()
}

/// Runs `ordinate train` to its end.
pub(crate) fn train(folder: impl AsRef<Path>, arguments: &str) -> Output {
    run(folder, &format!("train {arguments}"))
}

/// Runs `ordinate` in an empty folder with something on standard input.
pub(crate) fn pipe(arguments: &str, input: &str) -> Output {
    let folder = tempdir().unwrap();
    let mut child = command(folder.path(), arguments);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The program may end before the last line is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The text of a stream.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Standard output of a successful run, with or without notes on standard error.
pub(crate) fn succeeded(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Standard error of a failed run.
pub(crate) fn complained(output: &Output) -> &str {
    complained_with_code(output, 1)
}

/// Standard error of a run with this exit code.
pub(crate) fn complained_with_code(output: &Output, code: i32) -> &str {
    assert_eq!(output.status.code(), Some(code), "{} {}", text(&output.stdout), text(&output.stderr));
    text(&output.stderr)
}

/// Standard output of a successful run without notes on standard error.
pub(crate) fn said(output: &Output) -> &str {
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    text(&output.stdout)
}

/// A folder with these files.
pub(crate) fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

/// A folder with a file `data.csv`.
pub(crate) fn folder_with_data(data: impl AsRef<[u8]>) -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), data).unwrap();
    folder
}

/// The names of the files in a folder, sorted.
pub(crate) fn file_names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The text of a file in a folder.
pub(crate) fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The content of a JSON file.
pub(crate) fn json_of(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The records of a CSV text, header first.
pub(crate) fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The code blocks of a Markdown text in a language.
pub(crate) fn code_blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|block| block.split_once("```").unwrap().0).collect()
}

/// A classifier with a number that may be missing and a category that may be unknown.
pub(crate) fn sides() -> String {
    let file = ModelDocument::classification("sides", &["apple, green", "pear", "plum"], &[0.0, 0.5, -0.5])
        .set("/version", "3")
        .set("/signature/target/name", "fruit")
        .features(json!([
            {"name": "length", "type": "double", "missing": {"impute": 0.5}, "range": [-4.0, 4.0]},
            {"name": "side", "type": "string", "missing": "reject", "levels": ["left", "right"], "unknown": "ignore"},
        ]))
        .column(column("length", json!({"feature": "length"}), 0.5, 2.0), json!([1.0, -2.0, 1.0]))
        .column(column("side=right", json!({"feature": "side", "level": "right"}), 0.25, 1.0), json!([3.0, 0.0, -3.0]))
        .set("/training/rows", 8)
        .set("/training/parameters", json!({"C": 1.0}))
        .set("/training/seed", 7)
        .set("/training/metrics", json!({"train": {"accuracy": 0.875}}))
        .file(json!([[1.0, "left"]]));
    String::from_utf8(file).unwrap()
}

/// A regression with the decisions of a European file: price = size + days since 2024-01-01 + 1000·(deck = (missing)).
pub(crate) fn sales() -> String {
    let file = ModelDocument::regression("sales", 0.0)
        .set(
            "/signature/target",
            json!({"name": "price", "type": "double", "reading": {"decimal": ",", "missing": ["?"]}}),
        )
        .set("/signature/ignored", json!(["", "note"]))
        .features(json!([
            {"name": "size", "type": "double", "missing": {"impute": 50.0}, "range": [10.0, 1900.0],
             "reading": {"decimal": ",", "thousands": ".", "missing": ["?"]}},
            {"name": "sold", "type": "date", "missing": "reject", "range": ["2024-01-01", "2024-12-31"],
             "reading": {"dates": ["%d.%m.%Y"]}},
            {"name": "deck", "type": "string", "missing": {"category": "(missing)"}, "unknown": "other",
             "levels": ["(missing)", "(other)", "A"]},
        ]))
        .column(column("size", json!({"feature": "size"}), 0.0, 1.0), 1.0)
        .column(column("sold days", json!({"feature": "sold", "part": "days"}), 0.0, 1.0), 1.0)
        .column(column("deck=(missing)", json!({"feature": "deck", "level": "(missing)"}), 0.0, 1.0), 1000.0)
        .set("/training/notes", json!(["2 columns have missing values: size (3, median), deck (2, own category)"]))
        .file(json!([[50.0, "2024-01-02", "A"]]));
    String::from_utf8(file).unwrap()
}

/// Rows for it, one without a price.
pub(crate) const SALES_ROWS: &str = "size;sold;deck;note;price\n1.234,5;11.1.2024;A;x;1244,5\n?;2024-01-02;;;1050,5\n\
                                     20;02.01.2025;Z;;?\n";

/// Rows for this classifier. Not all of them have a length and a known side.
pub(crate) const SIDES_ROWS: &str = "side,length\nleft,1\nright,-3.5\nleft,\nmiddle,0.25\nright,1e2\n";
