//! Errors of `ordinate predict` and `ordinate evaluate`: data, models, options and output that cannot be used.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rstest::rstest;
use tempfile::tempdir;

use crate::support::{command, complained, file_names, folder_with, pipe, read, run, said, sides, text};

#[rstest]
#[case("predict line -", "", "standard input: the file is empty")]
#[case("evaluate line -", "x,y\n", "standard input: the file has a header but no rows")]
#[case("predict line -", "x\0y\n1,2\n", "standard input: expected CSV or Parquet, got bytes that are not text")]
#[case("predict line -", "x,\"z,y\n1,2,3\n", "standard input: line 1: a quote opens here and is never closed")]
#[case("evaluate line -", "\"\nx\",\"z,y\n1,2,3\n", "standard input: line 2: a quote opens here and is never closed")]
#[case("predict line -", "X,y\n1,2\n", "line 1: no column \"x\" (did you mean \"X\"?), which the model line needs")]
#[case("predict diabetes -", "age,bnni\n1,2\n", "no column \"sex\", \"bmi\" (did you mean \"bnni\"?), \"bp\",")]
#[case(
    "predict line -",
    "x,prediction\n1,2\n",
    "a column \"prediction\" exists already\nhelp: rename it, or give the predictions another name with --column"
)]
#[case("predict line - --column y", "x,y\n1,2\n", "a column \"y\" exists already")]
#[case(
    "predict line - --probabilities",
    "x\n1\n",
    "--probabilities needs a classification model, and line predicts numbers"
)]
#[case(
    "predict line - --on-error skip",
    "x\na\nb\n",
    "standard input: none of the 2 rows can be used; the first error is: line 2, column \"x\""
)]
#[case(
    "predict lime -",
    "x\n1\n",
    "lime: no such file, and no bundled model of this name\nhelp: bundled models are line, diabetes"
)]
#[case("predict /dev/null -", "x\n1\n", "not a regular file")]
#[case("predict . -", "x\n1\n", "is a directory")]
#[case("predict file:///nowhere/m.json -", "x\n1\n", "file:///nowhere/m.json: no such file")]
#[case("predict https://models/m.json -", "x\n1\n", "unknown scheme")]
#[case("predict line nowhere.csv", "", "nowhere.csv: cannot be read: No such file")]
#[case("predict line .", "", ".: the folder has no CSV or Parquet files")]
#[case(
    "predict line - --out nowhere/out.csv",
    "x\n1\n",
    "nowhere/out.csv: cannot be written: No such file or directory"
)]
#[case("predict line - --out /dev/full", "x\n1\n", "/dev/full: cannot be written: No space left")]
#[case("evaluate line -", "x\n1\n", "no column \"y\", which --target needs")]
#[case("evaluate line - --target Y", "x,y\n1,3\n", "no column \"Y\" (did you mean \"y\"?), which --target needs")]
#[case("evaluate line -", "x,y\n1,3\n2,high\n", "line 3, target column \"y\": expected a number, got \"high\"")]
#[case("predict line -", "x;y\n1,5;3\n", "line 2, column \"x\": expected a number with a decimal point, got \"1,5\"")]
#[case(
    "evaluate line -",
    "x\ty\n1\t3,5\n",
    "line 2, target column \"y\": expected a number with a decimal point, got \"3,5\""
)]
#[case("evaluate line -", "x,y\nlow,3\n", "line 2, column \"x\": expected a number, got \"low\"")]
#[case("evaluate line -", "x,y\n1,1e308\n2,1e308\n", "too large for a double")]
#[case("inspect nowhere.json", "", "nowhere.json: no such file")]
fn errors_name_the_place_and_the_reason(#[case] arguments: &str, #[case] input: &str, #[case] expected: &str) {
    let output = pipe(arguments, input);
    let error = complained(&output);
    assert!(error.starts_with("error: ") && error.contains(expected), "{error}");
    assert!(error.lines().skip(1).all(|line| line.starts_with("help: ")), "{error}");
}

#[test]
fn other_formats_are_recognized_by_their_first_bytes() {
    let folder = tempdir().unwrap();
    for (begin, what) in
        [(b"PK\x03\x04\x14\0".as_slice(), "a zip archive or a workbook (.xlsx, .ods)"), (b"%PDF-1.7\n", "PDF")]
    {
        fs::write(folder.path().join("rows.csv"), begin).unwrap();
        for command in ["predict line rows.csv", "evaluate line rows.csv"] {
            let output = run(&folder, command);
            assert!(
                complained(&output).contains(&format!("rows.csv: expected CSV or Parquet, got {what}")),
                "{}",
                complained(&output)
            );
        }
    }
}

#[test]
fn text_that_is_not_utf_8_is_an_error_with_line_and_column() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("rows.csv"), b"x,note\n1,a\n2,caf\xe9\n").unwrap();
    let output = run(&folder, "predict line rows.csv --on-error skip --encoding utf-8");
    assert!(complained(&output).contains("rows.csv: line 3, column \"note\": the text is not UTF-8"));
    let output = run(&folder, "predict line rows.csv");
    assert_eq!(said(&output), "x,note,prediction\n1,a,3.0\n2,café,5.0\n");
}

#[rstest]
#[case("predict line")]
#[case("predict line rows.csv --on-error ignore")]
#[case("predict line rows.csv --json")]
#[case("predict line rows.csv --delimiter ab")]
#[case("evaluate line rows.csv --on-error empty")]
#[case("inspect")]
#[case("completions klingon")]
#[case("predikt")]
fn wrong_usage_is_exit_code_2(#[case] arguments: &str) {
    let output = pipe(arguments, "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("--help"), "{}", text(&output.stderr));
}

#[test]
fn an_existing_file_is_unchanged_after_a_failure() {
    let mut data = "x\n".to_owned() + &"1\n".repeat(5000);
    data.push_str("high\n");
    let folder = folder_with(&[("rows.csv", &data), ("out.csv", "before")]);
    let output = run(&folder, "predict line rows.csv --out out.csv");
    assert!(complained(&output).contains("rows.csv: line 5002, column \"x\""));
    assert_eq!(read(&folder, "out.csv"), "before");
    run(&folder, "predict line rows.csv --out new.csv");
    assert_eq!(file_names(&folder), ["out.csv", "rows.csv"]);
    // A table without any prediction is not written.
    fs::write(folder.path().join("rows.csv"), "x\nhigh\n").unwrap();
    complained(&run(&folder, "predict line rows.csv --out new.csv --on-error empty"));
    assert_eq!(file_names(&folder), ["out.csv", "rows.csv"]);
}

#[test]
fn data_files_are_not_overwritten() {
    let folder = folder_with(&[("rows.csv", "x\n1\n")]);
    let output = run(&folder, "predict line rows.csv --out ./rows.csv");
    assert!(complained(&output).contains("--out is the data file"));
    assert_eq!(read(&folder, "rows.csv"), "x\n1\n");
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let folder = folder_with(&[("rows.csv", &("x\n".to_owned() + &"1\n".repeat(200_000)))]);
    let mut child = command(folder.path(), "predict line rows.csv");
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(first, "x,prediction\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let folder = folder_with(&[("rows.csv", "x\n1\n")]);
    let full = || Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap());
    let output =
        command(folder.path(), "predict line rows.csv").stdout(full()).stderr(Stdio::piped()).output().unwrap();
    assert!(complained(&output).contains("cannot write to standard output: No space left"));
    let output = command(folder.path(), "inspect line").stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[rstest]
#[case("", "not a model file")]
#[case("x,y\n1,2\n", "not a model file")]
#[case("{\"format\":\"ordinate.model/9\"}", "expected \"ordinate.model/1\", got \"ordinate.model/9\"")]
fn a_file_that_is_not_a_model_is_an_error_with_the_reason(#[case] content: &str, #[case] reason: &str) {
    let folder = folder_with(&[("model.json", content), ("rows.csv", "x\n1\n")]);
    for arguments in ["inspect model.json", "predict model.json rows.csv", "evaluate model.json rows.csv"] {
        let output = run(&folder, arguments);
        let error = complained(&output);
        assert!(error.contains("model.json: ") && error.contains(reason), "{error}");
        assert_eq!(error.matches("\nhelp: ").count(), 1, "{error}");
    }
}

#[test]
fn a_model_file_that_was_changed_is_refused() {
    let folder = folder_with(&[("model.json", &sides().replace("-2.0", "-2.5"))]);
    assert!(complained(&run(&folder, "inspect model.json")).contains("the file was changed or damaged"));
}
