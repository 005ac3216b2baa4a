//! `ordinate predict`: rows in, rows with predictions out.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::Catalog;
use ordinate::source::file::FileSource;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::tempdir;
use tower::ServiceExt;

use crate::support::{
    SIDES_ROWS, command, complained, file_names, folder_with, pipe, read, rows, run, said, sides, text,
};

/// The answer of `POST /predict` to these rows.
async fn over_http(catalog: Catalog, body: String) -> Vec<Value> {
    let limits = Limits { max_rows: 100_000, max_body_bytes: 6_291_456, ..Limits::DEFAULT };
    let application = router(Arc::new(catalog), Settings::new(limits));
    let request = Request::post("/predict").header("content-type", "text/csv").body(Body::from(body)).unwrap();
    let response = application.oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    answer["y"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

/// The last column, each field as JSON would have it.
fn predictions(csv: &str) -> Vec<Value> {
    let number = |field: &String| serde_json::from_str(field).unwrap_or_else(|_| Value::String(field.clone()));
    rows(csv).iter().skip(1).map(|row| number(row.last().unwrap())).collect()
}

#[tokio::test]
async fn it_predicts_what_the_service_answers() {
    for name in ["line", "diabetes"] {
        let data = fs::read_to_string(format!("{}/model/{name}.csv", ordinate_test_support::root().display())).unwrap();
        let output = pipe(&format!("predict {name} -"), &data);
        // The service accepts features only; the target is the last column.
        let features: Vec<&str> = data.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
        let answers = over_http(Catalog::bundled(Some(name)).unwrap(), features.join("\n")).await;
        assert_eq!(answers.len(), data.lines().count() - 1);
        // Digit by digit.
        assert_eq!(predictions(said(&output)), answers, "{name}");
    }
    let folder = folder_with(&[("sides.json", &sides()), ("rows.csv", SIDES_ROWS)]);
    let output = run(&folder, "predict sides.json rows.csv");
    let source = FileSource::new(folder.path().join("sides.json"));
    let answers = over_http(Catalog::single(Box::new(source), None, None), SIDES_ROWS.into()).await;
    assert_eq!(predictions(said(&output)), answers);
    // Scores by hand, for the first row: (−0.5, 0, 0.5).
    assert_eq!(answers, ["plum", "pear", "pear", "pear", "apple, green"]);
}

#[test]
fn input_columns_are_copied_unchanged() {
    let data = "\u{feff} note ,x,note,\n\"a,\"\"b\"\"\", 1,  spaced  ,\n\"two\nlines\",2.50,,z\n";
    let expected = " note ,x,note,,prediction\n\"a,\"\"b\"\"\", 1,  spaced  ,,3.0\n\"two\nlines\",2.50,,z,6.0\n";
    assert_eq!(said(&pipe("predict line -", data)), expected);
    // CRLF is read; LF is written.
    assert_eq!(
        said(&pipe("predict line -", &data.replace("\u{feff}", "").replace('\n', "\r\n"))).replace('\r', ""),
        expected
    );
}

#[rstest]
#[case("", "x;note\n1;a,b\n", "x;note;prediction\n1;a,b;3.0\n")]
#[case("", "x\tnote\n1\ta b\n", "x\tnote\tprediction\n1\ta b\t3.0\n")]
#[case("--delimiter ;", "x;\"a,b,c\",d\n1;2\n", "x;a,b,c,d;prediction\n1;2;3.0\n")]
#[case("--delimiter tab", "x\t;;\n1\t2\n", "x\t;;\tprediction\n1\t2\t3.0\n")]
fn the_delimiter_is_given_or_detected_and_kept(#[case] flags: &str, #[case] data: &str, #[case] expected: &str) {
    assert_eq!(said(&pipe(&format!("predict line - {flags}"), data)), expected);
}

#[test]
fn a_written_file_is_reported() {
    let folder = folder_with(&[("rows.csv", "x\n1\n2\n")]);
    let output = run(&folder, "predict line rows.csv --out out.csv --column y");
    assert_eq!(said(&output), "2 rows predicted by line@1: out.csv\n");
    assert_eq!(read(&folder, "out.csv"), "x,y\n1,3.0\n2,5.0\n");
    assert_eq!(file_names(&folder), ["out.csv", "rows.csv"]);
}

#[rstest]
#[case("--on-error skip", json!({"rows": 2, "left_out": 1, "without_prediction": 0}))]
#[case("--on-error empty --warnings", json!({"rows": 2, "left_out": 0, "without_prediction": 1, "rows_with_warnings": 1}))]
fn a_written_file_is_reported_as_json(#[case] flags: &str, #[case] counts: Value) {
    let folder = folder_with(&[("rows.csv", "x\n1\nhigh\n1e6\n")]);
    let output = run(&folder, &format!("predict line rows.csv --out out.csv --json {flags}"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut expected = json!({"model": "line", "version": "1", "data": "rows.csv", "out": "out.csv"});
    expected.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), expected);
}

#[test]
fn a_model_is_a_path_an_address_or_a_name() {
    let folder = folder_with(&[("rows.csv", "x\n1\n")]);
    let file = format!("{}/model/line.json", ordinate_test_support::root().display());
    for model in ["line", &file, &format!("file://{file}")] {
        assert_eq!(said(&run(&folder, &format!("predict {model} rows.csv"))), "x,prediction\n1,3.0\n");
    }
    // A file of that name goes before a bundled model.
    fs::copy(file.replace("line", "diabetes"), folder.path().join("line")).unwrap();
    assert!(said(&run(&folder, "inspect line")).starts_with("diabetes@1"));
}

const MIXED: &str = "x,note\n1,a\nhigh,\"b\n\"\n3\n,d\n1e999,e\n6,f\n7,g,h\n";

#[test]
fn the_first_bad_row_is_an_error_with_its_line() {
    let output = pipe("predict line -", MIXED);
    assert_eq!(
        complained(&output),
        "error: standard input: line 3, column \"x\": expected a number, got \"high\"\n\
         help: correct the row, or skip such rows with --on-error skip\n"
    );
    // The rows before the error are written.
    assert_eq!(text(&output.stdout), "x,note,prediction\n1,a,3.0\n");
}

const ERRORS: &str = "  line 3, column \"x\": expected a number, got \"high\"
  line 5: expected 2 fields as in the header, got 1
  line 6, column \"x\": the value is missing, and the model does not impute it
  line 7, column \"x\": got 1e999, too large for a double
  line 9: expected 2 fields as in the header, got 3
";

#[test]
fn bad_rows_can_be_skipped() {
    let output = pipe("predict line - --on-error skip", MIXED);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "x,note,prediction\n1,a,3.0\n6,f,13.0\n");
    assert_eq!(text(&output.stderr), format!("standard input: 5 of 7 rows skipped:\n{ERRORS}"));
}

#[test]
fn bad_rows_can_be_kept_without_a_prediction() {
    let output = pipe("predict line - --on-error empty", MIXED);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "x,note,prediction\n1,a,3.0\nhigh,\"b\n\",\n3,,\n,d,\n1e999,e,\n6,f,13.0\n7,g,\n");
    assert_eq!(text(&output.stderr), format!("standard input: 5 of 7 rows without a prediction:\n{ERRORS}"));
}

#[test]
fn one_bad_row_among_thousands_changes_no_other() {
    let good: String = (0..3000).fold("x\n".to_owned(), |text, row| text + &format!("{}\n", f64::from(row) / 7.0));
    let mixed = good.replacen("\n2", "\nbad\n2", 1);
    assert_ne!(good, mixed);
    let output = pipe("predict line - --on-error skip", &mixed);
    assert_eq!(text(&output.stdout), said(&pipe("predict line -", &good)));
    assert!(text(&output.stderr).starts_with("standard input: 1 of 3001 rows skipped:\n  line "));
}

#[test]
fn a_prediction_beyond_doubles_is_a_bad_row() {
    let output = pipe("predict line - --on-error empty", "x\n1\n1e308\n2\n");
    assert_eq!(text(&output.stdout), "x,prediction\n1,3.0\n1e308,\n2,5.0\n");
    assert!(text(&output.stderr).contains("line 3: the prediction is too large for a double"));
}

#[test]
fn words_for_missing_values_are_imputed_or_refused() {
    let folder =
        folder_with(&[("sides.json", &sides()), ("rows.csv", "length,side\n,left\nNA,left\nnull,left\n0.5,left\n")]);
    let table = rows(said(&run(&folder, "predict sides.json rows.csv --probabilities")));
    assert_eq!(table.len(), 5);
    // 0.5 is what is imputed.
    assert!(table[1..].iter().all(|row| row[2..] == table[4][2..]), "{table:?}");
    assert!(complained(&pipe("predict line -", "x\nNA\n")).contains("line 2, column \"x\": the value is missing"));
}

/// The most memory a process has had so far, in MB. It must still run.
#[cfg(target_os = "linux")]
fn peak_megabytes(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_rows() {
    let folder = tempdir().unwrap();
    let data = include_str!("../../../../model/diabetes.csv");
    let (header, row) = (data.lines().next().unwrap(), data.lines().nth(1).unwrap());
    let note = "n".repeat(250);
    // 61 MB in 200,000 rows.
    let block = format!("{row},{note}\n").repeat(1000);
    // Megabytes after the first tenth of the rows. Parquet keeps a group of rows.
    let limits = [
        ("predict diabetes - --out out.csv", 8.0),
        ("predict diabetes - --out out.parquet", 40.0),
        ("evaluate diabetes -", 8.0),
    ];
    for (arguments, limit) in limits {
        let mut child = command(folder.path(), arguments);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        writeln!(input, "{header},note").unwrap();
        let mut write = |blocks: usize| {
            for _ in 0..blocks {
                input.write_all(block.as_bytes()).unwrap();
            }
            peak_megabytes(child.id())
        };
        let growth = -write(20) + write(180);
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        println!("{arguments}: {growth} MB");
        assert!(growth < limit, "{arguments}: {growth} MB");
    }
    let written = BufReader::new(File::open(folder.path().join("out.csv")).unwrap());
    assert_eq!(written.lines().count(), 200_001);
}
