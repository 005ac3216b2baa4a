//! `ordinate predict`, `evaluate`, `inspect` and `completions`, as a user runs them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::Catalog;
use ordinate::source::file::FileSource;
use ordinate_model::cell::Cell;
use ordinate_model::frame::RowsBuilder;
use ordinate_model::{Model, Wanted};
use ordinate_test_support::{ModelDocument, column};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tower::ServiceExt;

use crate::command_line::{command, complained, run, said, text};

/// Runs `ordinate` with something on standard input.
fn pipe(arguments: &str, input: &str) -> Output {
    let folder = tempdir().unwrap();
    let mut child = command(folder.path(), arguments);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The program may end before the last line is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// A classifier with a number that may be missing and a category that may be unknown.
fn sides() -> String {
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

const SIDES_ROWS: &str = "side,length\nleft,1\nright,-3.5\nleft,\nmiddle,0.25\nright,1e2\n";

/// The answer of `POST /predict` to these rows.
async fn over_http(catalog: Catalog, body: String) -> Vec<Value> {
    let limits = Limits { max_rows: 100_000, max_body_bytes: 6_291_456 };
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
fn probabilities_have_one_column_per_class() {
    let folder = folder_with(&[("sides.json", &sides()), ("rows.csv", SIDES_ROWS)]);
    assert!(
        complained(&run(&folder, "predict sides.json rows.csv --interval 0.9"))
            .contains("sides has no prediction sets")
    );
    let output = run(&folder, "predict sides.json rows.csv --probabilities --column fruit");
    let table = rows(said(&output));
    let header = ["side", "length", "fruit", "probability_apple, green", "probability_pear", "probability_plum"];
    assert_eq!(table[0], header);

    let model = Model::from_json(sides().as_bytes()).unwrap();
    let mut frame = RowsBuilder::new(model.signature(), 5);
    for row in &table[1..] {
        frame.start_row().unwrap();
        frame.push(Cell::Field(&row[1]));
        frame.push(Cell::Field(&row[0]));
        frame.end_positional_row();
    }
    let frame = frame.finish().unwrap();
    let expected = model.answer(&frame, &Wanted::default()).unwrap().probabilities.unwrap();
    for (row, expected) in table[1..].iter().zip(expected.rows()) {
        let got: Vec<f64> = row[3..].iter().map(|field| field.parse().unwrap()).collect();
        assert_eq!(got, expected);
    }
}

/// statsmodels 0.15.0: `OLS(y, add_constant(X)).fit().get_prediction(X[:3]).conf_int(obs=True, alpha=0.2)`.
#[test]
fn intervals_are_those_of_statsmodels() {
    let output = pipe("predict diabetes - --interval 0.8", include_str!("../../../../model/diabetes.csv"));
    let table = rows(said(&output));
    assert_eq!(table[0][11..], ["prediction", "prediction_low", "prediction_high"]);
    let expected = [
        [135.998_199_557_805_1, 276.235_154_932_404_67],
        [-2.209_132_833_551_791_5, 138.351_198_779_688],
        [106.561_236_931_222_65, 247.204_343_770_881_96],
    ];
    for (row, expected) in table[1..].iter().zip(expected) {
        for (field, expected) in row[12..].iter().zip(expected) {
            assert!((field.parse::<f64>().unwrap() - expected).abs() < 1e-9, "{field} is not {expected}");
        }
    }
}

#[test]
fn intervals_of_the_mean_lie_within_those_of_the_answer() {
    let output =
        pipe("predict diabetes - --interval 0.9 --mean-interval 0.9", include_str!("../../../../model/diabetes.csv"));
    let table = rows(said(&output));
    let names = ["prediction", "prediction_low", "prediction_high", "prediction_mean_low", "prediction_mean_high"];
    assert_eq!(table[0][11..], names);
    for row in &table[1..] {
        let numbers: Vec<f64> = row[11..].iter().map(|field| field.parse().unwrap()).collect();
        let [answer, low, high, mean_low, mean_high] = numbers[..] else { panic!("{row:?}") };
        assert!(low < mean_low && mean_low < answer && answer < mean_high && mean_high < high);
    }
    let output = pipe("predict iris - --mean-interval 0.9", include_str!("../../../../model/iris.csv"));
    assert!(complained(&output).contains("--mean-interval needs a regression model, and iris predicts classes"));
}

#[test]
fn prediction_sets_cover_the_requested_fraction_of_rows() {
    let output = pipe("predict iris - --interval 0.95", include_str!("../../../../model/iris.csv"));
    let table = rows(said(&output));
    assert_eq!(table[0][4..], ["species", "prediction", "prediction_set"]);
    let sets = || table[1..].iter().map(|row| (row, row[6].split('|').collect::<Vec<_>>()));
    assert!(sets().all(|(row, set)| set.contains(&row[5].as_str())));
    let held = sets().filter(|(row, set)| set.contains(&row[4].as_str())).count();
    assert!(held >= 143, "{held} of 150");
    assert!(complained(&pipe("predict iris -", "sepal_length\n")).contains("sepal_width"));
    let rows = include_str!("../../../../model/iris.csv");
    assert!(
        complained(&pipe("predict iris - --interval 0.99", rows))
            .contains("needs at least 99 held-out rows, the model has 33")
    );
}

#[test]
fn contributions_and_base_add_up_to_the_answer() {
    let table = rows(said(&pipe("predict diabetes - --explain", include_str!("../../../../model/diabetes.csv"))));
    assert_eq!(table[0][11..14], ["prediction", "base", "contribution_age"]);
    for row in &table[1..] {
        let numbers: Vec<f64> = row[11..].iter().map(|field| field.parse().unwrap()).collect();
        assert!((numbers[1..].iter().sum::<f64>() - numbers[0]).abs() < 1e-9, "{row:?}");
    }
    // With more than two classes, each has its own.
    let output = pipe("predict iris - --explain --probabilities", include_str!("../../../../model/iris.csv"));
    let table = rows(said(&output));
    assert_eq!(table[0][9..11], ["base_setosa", "contribution_setosa_sepal_length"]);
    for row in &table[1..] {
        let numbers: Vec<f64> = row[6..].iter().map(|field| field.parse().unwrap()).collect();
        let (probabilities, terms) = numbers.split_at(3);
        let odds: Vec<f64> = terms.chunks(5).map(|score| score.iter().sum::<f64>().exp()).collect();
        for (odds_of, p) in odds.iter().zip(probabilities) {
            assert!((odds_of / odds.iter().sum::<f64>() - p).abs() < 1e-12, "{row:?}");
        }
    }
    assert!(
        complained(&pipe("predict line - --explain", "x,base\n1,2\n"))
            .ends_with("a column \"base\" exists already\nhelp: rename it\n")
    );
}

#[test]
fn warnings_are_text_for_every_row() {
    let data = "x\n".to_owned() + &"9.5\n2\n".repeat(700);
    let output = pipe("predict line - --warnings", &data);
    let table = rows(said(&output));
    assert_eq!(table[0], ["x", "prediction", "warnings"]);
    for pair in table[1..].chunks(2) {
        assert_eq!([&pair[0][2], &pair[1][2]], ["x: 9.5 is outside the training range, 1 to 4", ""]);
    }
    // Each value is usual, the combination is not.
    let output =
        pipe("predict iris - --warnings", "sepal_length,sepal_width,petal_length,petal_width\n4.3,2,6.9,0.1\n");
    assert_eq!(
        rows(said(&output))[1][5],
        "high leverage: the values are unusual together (leverage 1.89, usual up to 0.1)"
    );
}

#[test]
fn extra_columns_are_written_to_parquet_too() {
    let folder = folder_with(&[("rows.csv", include_str!("../../../../model/iris.csv"))]);
    let options = "--interval 0.9 --explain --warnings --probabilities";
    let mut expected = rows(said(&run(&folder, &format!("predict iris rows.csv {options}"))));
    said(&run(&folder, &format!("predict iris rows.csv --out rows.parquet {options} --quiet")));
    // Read back and predicted once more.
    let read = rows(said(&run(&folder, "predict iris rows.parquet --column again")));
    for (row, read) in expected.iter_mut().zip(&read) {
        row.push(if row[0] == "sepal_length" { "again".to_owned() } else { row[5].clone() });
        assert_eq!(row, read);
    }
    assert_eq!(read.len(), 151);
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
    assert_eq!(names(&folder), ["out.csv", "rows.csv"]);
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

#[rstest]
#[case("predict line -", "", "standard input: the file is empty")]
#[case("predict line -", "x\n", "standard input: the file has a header but no rows")]
#[case("predict line -", "x\0y\n1,2\n", "standard input: expected CSV or Parquet, got bytes that are not text")]
#[case("predict line -", "x,\"z,y\n1,2,3\n", "standard input: line 1: a quote opens here in the header")]
#[case("evaluate line -", "\"\nx\",\"z,y\n1,2,3\n", "standard input: line 2: a quote opens here in the header")]
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
#[case("evaluate line -", "x,y\n1,3\n2,\n", "line 3, target column \"y\": the value is missing")]
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
    assert_eq!(names(&folder), ["out.csv", "rows.csv"]);
    // A table without any prediction is not written.
    fs::write(folder.path().join("rows.csv"), "x\nhigh\n").unwrap();
    complained(&run(&folder, "predict line rows.csv --out new.csv --on-error empty"));
    assert_eq!(names(&folder), ["out.csv", "rows.csv"]);
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

/// Three rows of a model's feature `x` (none in the second), a count, a name, a day and the target `y`.
fn parquet(path: &Path) {
    let schema = "message rows {
        OPTIONAL DOUBLE x;
        REQUIRED INT32 count;
        OPTIONAL BYTE_ARRAY name (STRING);
        REQUIRED INT32 day (DATE);
        REQUIRED DOUBLE y;
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&[0.5, 2.0], Some(&[1, 0, 1]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[7, 8, -9], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let names = ["a,\"b\"", "é"].map(ByteArray::from);
    column.typed::<ByteArrayType>().write_batch(&names, Some(&[1, 1, 0]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[0, 1, 20_000], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&[2.0, 3.0, 0.1], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn a_parquet_file_is_the_table_that_its_csv_is() {
    let folder = tempdir().unwrap();
    parquet(&folder.path().join("rows.parquet"));
    let output = run(&folder, "predict line rows.parquet --on-error empty");
    assert_eq!(
        text(&output.stdout),
        "x,count,name,day,y,prediction\n0.5,7,\"a,\"\"b\"\"\",1970-01-01,2.0,2.0\n,8,é,1970-01-02,3.0,\n\
         2.0,-9,,2024-10-04,0.1,5.0\n"
    );
    let complaint = "row 2, column \"x\": the value is missing, and the model does not impute it";
    assert_eq!(text(&output.stderr), format!("rows.parquet: 1 of 3 rows without a prediction:\n  {complaint}\n"));
    assert!(complained(&run(&folder, "predict line rows.parquet")).contains(&format!("rows.parquet: {complaint}")));

    let output = run(&folder, "evaluate line rows.parquet --on-error skip --json");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["rows"], &answer["left_out"]), (&json!(2), &json!(1)));
    let output = run(&folder, "predict diabetes rows.parquet");
    assert!(complained(&output).contains("rows.parquet: no column \"age\""));
}

#[test]
fn a_damaged_parquet_file_is_one_error() {
    let folder = tempdir().unwrap();
    parquet(&folder.path().join("rows.parquet"));
    let whole = fs::read(folder.path().join("rows.parquet")).unwrap();
    for length in [4, 20, whole.len() / 2, whole.len() - 1] {
        fs::write(folder.path().join("cut.parquet"), &whole[..length]).unwrap();
        let output = run(&folder, "predict line cut.parquet");
        assert!(complained(&output).starts_with("error: cut.parquet: the Parquet file cannot be read: "), "{length}");
    }
    let mut child = command(folder.path(), "predict line -");
    let file = File::open(folder.path().join("rows.parquet")).unwrap();
    let output = child.stdin(file).output().unwrap();
    assert!(complained(&output).contains("standard input: Parquet cannot be read from a pipe"));
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
    let limits = [
        ("predict diabetes - --out out.csv", 32.0),
        ("predict diabetes - --out out.parquet", 64.0),
        ("evaluate diabetes -", 32.0),
    ];
    for (arguments, limit) in limits {
        let mut child = command(folder.path(), arguments);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        writeln!(input, "{header},note").unwrap();
        for _ in 0..200 {
            input.write_all(block.as_bytes()).unwrap();
        }
        let peak = peak_megabytes(child.id());
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        println!("{arguments}: {peak} MB");
        assert!(peak < limit, "{arguments}: {peak} MB");
    }
    let written = BufReader::new(File::open(folder.path().join("out.csv")).unwrap());
    assert_eq!(written.lines().count(), 200_001);
}

#[test]
fn a_regression_is_measured_by_its_errors() {
    // By hand: errors −1, 1, 0, 2.
    let output = pipe("evaluate line - --json", "y,x\n2,1\n6,2\n7,3\n11,4\n");
    let answer: Value = serde_json::from_str(said(&output)).unwrap();
    assert_eq!((&answer["model"], &answer["target"], &answer["rows"]), (&json!("line"), &json!("y"), &json!(4)));
    let metric = |name: &str| answer["metrics"][name].as_f64().unwrap();
    let spread = [2.0, 6.0, 7.0, 11.0].iter().map(|y: &f64| (y - 6.5).powi(2)).sum::<f64>();
    assert!((metric("r2") - (1.0 - 6.0 / spread)).abs() < 1e-15);
    assert!((metric("rmse") - 1.5_f64.sqrt()).abs() < 1e-15);
    assert!((metric("mae") - 1.0).abs() < 1e-15);

    let data = include_str!("../../../../model/diabetes.csv");
    let output = pipe("evaluate diabetes -", data);
    let report = said(&output);
    assert!(report.starts_with("diabetes@1 on standard input: progression, 442 rows\n"), "{report}");
    // scikit-learn 1.9.1: LinearRegression on all rows, r2_score and root_mean_squared_error.
    for (name, value) in [("R²", "0.517748"), ("RMSE", "53.4761")] {
        assert!(report.lines().any(|line| line.contains(name) && line.contains(value)), "{report}");
    }
}

#[test]
fn a_classifier_is_measured_by_its_classes() {
    let labels = ["fruit", "\"apple, green\"", "pear", "plum", "pear", "pear"];
    let data = SIDES_ROWS.lines().zip(labels).fold(String::new(), |mut text, (row, label)| {
        writeln!(text, "{row},{label}").unwrap();
        text
    });
    let folder = folder_with(&[("sides.json", &sides()), ("rows.csv", &data)]);
    let output = run(&folder, "evaluate sides.json rows.csv --json");
    let answer: Value = serde_json::from_str(said(&output)).unwrap();
    // Predicted: plum, pear, pear, pear, apple, green.
    assert_eq!(answer["metrics"]["accuracy"], json!(0.4));
    assert_eq!(answer["confusion"]["rows"], json!([[0.0, 0.0, 1.0], [1.0, 2.0, 0.0], [0.0, 1.0, 0.0]]));
    // Of the five predicted classes, two are right.
    let bins = answer["calibration"].as_array().unwrap();
    let sum =
        |name: &str| bins.iter().map(|bin| bin["rows"].as_f64().unwrap() * bin[name].as_f64().unwrap()).sum::<f64>();
    assert_eq!(bins.iter().map(|bin| bin["rows"].as_u64().unwrap()).sum::<u64>(), 5);
    assert!((sum("share") - 2.0).abs() < 1e-12 && sum("predicted") > 2.0 && sum("predicted") < 5.0, "{bins:?}");
    let report = run(&folder, "evaluate sides.json rows.csv");
    assert!(said(&report).contains("rows of class  as apple, green  as pear  as plum\n"), "{}", said(&report));

    // An unknown class.
    let stranger = data.replace("plum", "cherry");
    fs::write(folder.path().join("rows.csv"), stranger).unwrap();
    let output = run(&folder, "evaluate sides.json rows.csv");
    let expected = "rows.csv: line 4, target column \"fruit\": expected one of the classes apple, green, pear, plum, got \"cherry\"";
    assert!(complained(&output).contains(expected), "{}", text(&output.stderr));
    let output = run(&folder, "evaluate sides.json rows.csv --json --on-error skip");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["rows"], &answer["left_out"]), (&json!(4), &json!(1)));
    assert!(text(&output.stderr).starts_with("rows.csv: 1 of 5 rows skipped:\n  line 4, target column \"fruit\""));
}

#[test]
fn inspect_shows_the_contents_of_a_model() {
    let folder = folder_with(&[("sides.json", &sides())]);
    let output = run(&folder, "inspect sides.json");
    let report = said(&output);
    let model = Model::from_json(sides().as_bytes()).unwrap();
    for line in [
        "sides@3: classification, logistic",
        "  predicts  fruit (string)",
        "  classes   apple, green, pear, plum",
        "  created   2026-11-23T00:00:00Z",
        &format!("  sha256    {}", model.checksum()),
        "  verified  checksum, and predictions of 1 golden row",
        "  length  double  -4 to 4                                impute 0.5",
        "  side    string  left, right; other values are ignored  reject",
        // In units of the column: the file's coefficient divided by its scale, 2.
        "  length             0.500000      -1  0.500000  0.500000",
        "  side=right                3       0        -3  0.250000",
        "  (intercept)              -1       1         0",
        "  (at the means)            0  0.500000  -0.500000",
        "  C            1.0",
        "  accuracy  0.875000",
    ] {
        assert!(squeezed(report).contains(&squeezed(line)), "{line:?} is not in\n{report}");
    }
    let output = run(&folder, "inspect sides.json --json");
    let answer: Value = serde_json::from_str(said(&output)).unwrap();
    assert_eq!((&answer["intercepts"], &answer["at_means"]), (&json!([-1.0, 1.0, 0.0]), &json!([0.0, 0.5, -0.5])));
    assert_eq!(
        answer["columns"][0],
        json!({"name": "length", "coefficients": [0.5, -1.0, 0.5], "mean": 0.5, "scale": 2.0})
    );
    assert_eq!(answer["sha256"], json!(model.checksum()));
    assert_eq!(answer["signature"]["features"][1]["levels"], json!(["left", "right"]));
}

#[tokio::test]
async fn inspect_and_the_service_describe_intervals_alike() {
    for name in ["line", "diabetes", "iris"] {
        let shown: Value = serde_json::from_str(said(&pipe(&format!("inspect {name} --json"), ""))).unwrap();
        let settings = Settings::new(Limits { max_rows: 100_000, max_body_bytes: 6_291_456 });
        let application = router(Arc::new(Catalog::bundled(Some(name)).unwrap()), settings);
        let request = Request::get(format!("/models/{name}")).body(Body::empty()).unwrap();
        let body = application.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        let served: Value = serde_json::from_slice(&body).unwrap();
        assert!(served["intervals"]["method"].is_string(), "{served}");
        assert_eq!(shown["intervals"], served["intervals"], "{name}");
    }
}

/// y = 1 + x + x² far from x = 0, so that the intercept cancels.
#[test]
fn train_and_inspect_report_the_same_intercept() {
    let row = |i: u32| f64::from(1000 + i * 7 % 50);
    let rows = (0..50).map(row).fold("x,y\n".to_owned(), |text, x| text + &format!("{x},{}\n", 1.0 + x + x * x));
    let folder = folder_with(&[("data.csv", &rows)]);
    let arguments = "train data.csv --target y --degree 2 --test-fraction 0 --out m.json --json";
    let trained: Value = serde_json::from_str(said(&run(&folder, arguments))).unwrap();
    let shown: Value = serde_json::from_str(said(&run(&folder, "inspect m.json --json"))).unwrap();
    assert_eq!(trained["coefficients"]["intercepts"], shown["intercepts"]);
    // The digits that the coefficients of the file leave are right.
    let estimate = trained["summary"]["intercept"]["estimate"].as_f64().unwrap();
    let intercept = shown["intercepts"][0].as_f64().unwrap();
    assert!((estimate - 1.0).abs() < 1e-9, "{estimate}");
    assert!((intercept - 1.0).abs() < 1e-15, "{intercept}");
}

/// Without runs of spaces.
fn squeezed(text: &str) -> String {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
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

#[rstest]
#[case("bash")]
#[case("zsh")]
#[case("fish")]
#[case("elvish")]
#[case("powershell")]
fn shells_learn_all_commands(#[case] shell: &str) {
    let output = pipe(&format!("completions {shell}"), "");
    for word in ["train", "predict", "evaluate", "inspect", "on-error"] {
        assert!(said(&output).contains(word), "{word}");
    }
}

/// With `-h`, each option has one line.
#[test]
fn the_first_line_of_an_options_help_is_short() {
    for command in ["train", "predict", "evaluate", "inspect", "serve", "completions"] {
        let output = pipe(&format!("{command} -h"), "");
        let longest = said(&output).lines().map(|line| line.trim_start().chars().count()).max();
        assert!(longest < Some(170), "{}", said(&output));
    }
}

#[test]
fn every_command_has_help() {
    let output = pipe("--help", "");
    for command in ["train", "predict", "evaluate", "inspect", "serve", "completions"] {
        assert!(said(&output).lines().any(|line| line.trim_start().starts_with(command)), "{command}");
        let help = pipe(&format!("{command} --help"), "");
        assert!(said(&help).contains(&format!("Usage: ordinate {command}")) && said(&help).contains("Example"));
    }
}
