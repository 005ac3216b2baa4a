//! One rule for text in all formats and protocols; training keeps text as it is in the data.
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use http::Request;
use ordinate::http::router;
use ordinate::source::catalog::Catalog;
use ordinate::source::file::FileSource;
use ordinate_test_support::in_process::{Response, send, settings};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{command, complained, json_of, run, said, succeeded, text as text_of, train};

/// Texts that a caller may send, and that may be levels.
const TEXTS: [&str; 9] = ["", " ", "NA", " none ", " Private", "Private", "Private ", " State", "a"];

/// y is 1 for " Private", 2 for "Private ", 4 for "a", to the last bit: every group has the same errors.
fn rows() -> Vec<(&'static str, f64)> {
    [(" Private", 1.0), ("Private ", 2.0), ("a", 4.0)]
        .into_iter()
        .flat_map(|(level, mean)| [-0.5, 0.5, -0.25, 0.25].map(|error| (level, mean + error)))
        .collect()
}

fn csv(rows: &[(&str, f64)]) -> String {
    rows.iter().fold("g,y\n".to_owned(), |text, (level, y)| text + &format!("{level},{y}\n"))
}

/// The same rows as Parquet; an empty text is no value.
fn parquet(path: &Path, rows: &[(&str, f64)]) {
    let schema = "message rows { OPTIONAL BYTE_ARRAY g (STRING); REQUIRED DOUBLE y; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let texts: Vec<ByteArray> = rows.iter().map(|(level, _)| ByteArray::from(*level)).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&texts, Some(&vec![1; rows.len()]), None).unwrap();
    column.close().unwrap();
    let targets: Vec<f64> = rows.iter().map(|(_, y)| *y).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&targets, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

/// A model of these rows in `m.json`; options are separated by `|`, as they may contain spaces.
fn trained(rows: &[(&str, f64)], options: &str) -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), csv(rows)).unwrap();
    let mut command = command(folder.path(), "train data.csv --target y --test-fraction 0 --out m.json");
    succeeded(&command.args(options.split('|').filter(|option| !option.is_empty())).output().unwrap());
    folder
}

fn application(folder: &Path) -> Router {
    let source = FileSource::new(folder.join("m.json"));
    router(Arc::new(Catalog::single(Box::new(source), None, None)), settings())
}

/// A prediction, or the code of what is wrong.
type Verdict = Result<f64, String>;

/// The number that the service's own answer, or that of another protocol, has in this place; or the reason of the refusal.
fn verdict(answer: &Response, pointer: &str) -> Verdict {
    if !answer.status.is_success() {
        return Err(reason(&answer.text()));
    }
    let value = answer.json().pointer(pointer).and_then(Value::as_f64);
    Ok(value.unwrap_or_else(|| panic!("{pointer}: {}", answer.text())))
}

/// Protocols wrap the reason differently; it is one of two sentences.
fn reason(said: &str) -> String {
    let reasons = ["is missing, and the model does not impute it", "which is not in the training data"];
    let found = reasons.into_iter().find(|reason| said.contains(reason));
    found.unwrap_or_else(|| panic!("{said}")).to_owned()
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

async fn verdicts(folder: &Path, text: &str) -> Vec<(&'static str, Verdict)> {
    let application = application(folder);
    let post = async |path: &str, content_type: &str, body: Vec<u8>| {
        send(&application, Request::post(path).header("content-type", content_type).body(body.into()).unwrap()).await
    };
    let json = async |path: &str, body: Value| post(path, "application/json", body.to_string().into_bytes()).await;
    let table = format!("g\n{}\n", quoted(text)).into_bytes();
    let header = "text/csv; header=present";
    let infer = "/v2/models/m/infer";
    let tensor = json!({"name": "g", "shape": [1], "datatype": "BYTES", "data": [text]});
    let mut verdicts = vec![
        ("JSON list", verdict(&json("/predict", json!({"X": [[text]]})).await, "/y/0")),
        ("JSON object", verdict(&json("/predict", json!({"X": [{"g": text}]})).await, "/y/0")),
        ("JSON columns", verdict(&json("/predict", json!({"X": {"g": [text]}})).await, "/y/0")),
        ("CSV", verdict(&post("/predict", header, table.clone()).await, "/y/0")),
        ("MLflow split", {
            let body = json!({"dataframe_split": {"columns": ["g"], "data": [[text]]}});
            verdict(&json("/invocations", body).await, "/predictions/0")
        }),
        ("MLflow CSV", verdict(&post("/invocations", header, table).await, "/predictions/0")),
        ("KServe", verdict(&json("/v1/models/m:predict", json!({"instances": [[text]]})).await, "/predictions/0")),
        ("BYTES in JSON", verdict(&json(infer, json!({"inputs": [tensor]})).await, "/outputs/0/data/0")),
    ];
    verdicts.push(("SageMaker", {
        let body = json!({"instances": [{"features": [text]}]});
        verdict(&json("/endpoints/m/invocations", body).await, "/predictions/0/score")
    }));
    let size = 4 + text.len();
    let described = json!({"inputs": [{
        "name": "g", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": size},
    }]})
    .to_string();
    let mut body = described.clone().into_bytes();
    body.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    body.extend(text.as_bytes());
    let request = Request::post(infer)
        .header("content-type", "application/octet-stream")
        .header("inference-header-content-length", described.len())
        .body(body.into())
        .unwrap();
    verdicts.push(("binary BYTES", verdict(&send(&application, request).await, "/outputs/0/data/0")));

    fs::write(folder.join("asked.csv"), format!("g,y\n{},3\n", quoted(text))).unwrap();
    parquet(&folder.join("asked.parquet"), &[(text, 3.0)]);
    for (door, data) in [("predict CSV", "asked.csv"), ("predict Parquet", "asked.parquet")] {
        let output = run(folder, &format!("predict m.json {data}"));
        let predicted = || {
            let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
            let place = reader.headers().unwrap().iter().position(|name| name == "prediction").unwrap();
            reader.records().next().unwrap().unwrap()[place].parse().unwrap()
        };
        verdicts
            .push((door, if output.status.success() { Ok(predicted()) } else { Err(reason(text_of(&output.stderr))) }));
    }
    verdicts
}

/// How far `evaluate` finds the prediction for a text from 3, the answer in the file that `verdicts` wrote.
fn errors(folder: &Path) -> [Verdict; 2] {
    ["asked.csv", "asked.parquet"].map(|data| {
        let output = run(folder, &format!("evaluate m.json {data} --json"));
        if output.status.success() {
            let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
            Ok(outcome["metrics"]["mae"].as_f64().unwrap())
        } else {
            Err(reason(text_of(&output.stderr)))
        }
    })
}

const MISSING: &str = "is missing, and the model does not impute it";
const UNKNOWN: &str = "which is not in the training data";

#[rstest]
#[case::strict("", false, Err(MISSING), Err(UNKNOWN))]
// An unknown category is columns of zeros, as is the first level of a linear model, " Private".
#[case::ignoring_unknown("--unknown|ignore", false, Err(MISSING), Ok(1.0))]
#[case::imputing("--missing|constant=a", true, Ok(4.0), Err(UNKNOWN))]
// A rule for missing values is stored even if no value is missing.
#[case::imputing_what_never_lacked("--missing|constant=a", false, Ok(4.0), Err(UNKNOWN))]
#[case::imputing_and_ignoring("--missing|constant=a|--unknown|ignore", true, Ok(4.0), Ok(1.0))]
#[tokio::test]
async fn the_same_text_gives_the_same_answer_in_every_format(
    #[case] options: &str,
    #[case] has_gaps: bool,
    #[case] missing: Result<f64, &str>,
    #[case] unknown: Result<f64, &str>,
) {
    let mut data = rows();
    if has_gaps {
        data.push(("NA", 4.0));
    }
    let folder = trained(&data, options);
    for text in TEXTS {
        let expected = match text {
            " Private" => Ok(1.0),
            "Private " => Ok(2.0),
            "a" => Ok(4.0),
            "" | " " | "NA" | " none " => missing,
            _ => unknown,
        };
        let close = |verdict: &Verdict, expected: Result<f64, &str>| match (verdict, expected) {
            (Ok(value), Ok(expected)) => (value - expected).abs() < 1e-9,
            (Err(reason), Err(expected)) => reason == expected,
            _ => false,
        };
        let verdicts = verdicts(folder.path(), text).await;
        for (door, verdict) in &verdicts {
            assert!(close(verdict, expected), "{door}, {text:?}: {verdict:?}, not {expected:?}");
            // Exactly equal.
            assert_eq!(verdict, &verdicts[0].1, "{door}, {text:?}");
        }
        for verdict in errors(folder.path()) {
            assert!(close(&verdict, expected.map(|value: f64| (value - 3.0).abs())), "{text:?}: {verdict:?}");
        }
    }
}

#[tokio::test]
async fn an_imputed_constant_may_be_a_word_for_missing_values() {
    let mut data = rows();
    data.extend([("", 8.0), ("NA", 8.0)]);
    let folder = trained(&data, "--missing|constant= none ");
    assert_eq!(levels(folder.path().join("m.json")), [" Private", " none ", "Private ", "a"]);
    for text in ["", "NA", " none ", "none"] {
        for (door, verdict) in verdicts(folder.path(), text).await {
            assert!(verdict.as_ref().is_ok_and(|value| (value - 8.0).abs() < 1e-9), "{door}, {text:?}: {verdict:?}");
        }
    }
}

#[tokio::test]
async fn a_warning_shows_an_unknown_category_as_it_was_written() {
    let folder = trained(&rows(), "--unknown|ignore");
    let application = application(folder.path());
    for (content_type, body) in
        [("application/json", r#"{"X": [[" State "]]}"#), ("text/csv; header=present", "g\n State \n")]
    {
        let request = Request::post("/predict").header("content-type", content_type).body(body.into()).unwrap();
        let answer = send(&application, request).await;
        assert_eq!(answer.json()["warnings"][0]["value"], " State ", "{}", answer.text());
    }
}

#[tokio::test]
async fn an_error_suggests_the_level_that_differs_in_spaces() {
    let folder = trained(&rows(), "");
    fs::write(folder.path().join("asked.csv"), "g\na \n").unwrap();
    let said = complained(&run(folder.path(), "predict m.json asked.csv")).to_owned();
    let request = Request::post("/predict").body(r#"{"X": [["a "]]}"#.into()).unwrap();
    let answer = send(&application(folder.path()), request).await;
    for said in [said, answer.text().replace('\\', "")] {
        assert!(said.contains("did you mean \"a\", with other spaces?"), "{said}");
    }
}

fn levels(path: impl AsRef<Path>) -> Vec<String> {
    serde_json::from_value(json_of(path)["signature"]["features"][0]["levels"].clone()).unwrap()
}

#[test]
fn csv_and_parquet_are_trained_on_alike_and_levels_that_differ_in_spaces_are_noted() {
    let mut data = rows();
    data.extend([("", 1.0), ("  ", 2.0), ("NA", 3.0), (" none", 4.0)]);
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), csv(&data)).unwrap();
    parquet(&folder.path().join("data.parquet"), &data);
    let mut models = Vec::new();
    for file in ["data.csv", "data.parquet"] {
        let options = "--target y --missing most-frequent --test-fraction 0 --out m.json";
        let output = train(folder.path(), &format!("{file} {options}"));
        let said = succeeded(&output).to_owned() + text_of(&output.stderr);
        let note = "differ only in leading or trailing spaces are separate: g (\" Private\" and \"Private \")";
        assert!(said.contains(note) && said.contains("1 column has missing values: g (4, most frequent"), "{said}");
        let model = json_of(folder.path().join("m.json"));
        models.push((model["signature"].clone(), model["estimator"].clone()));
    }
    assert_eq!(models[0], models[1]);
    assert_eq!(levels(folder.path().join("m.json")), [" Private", "Private ", "a"]);
    for file in ["data.csv", "data.parquet"] {
        let refused = train(folder.path(), &format!("{file} --target y --missing reject"));
        assert!(complained(&refused).contains("column \"g\": 4 values are missing"));
    }
}

#[test]
fn classes_keep_their_spaces_and_are_measured_by_them() {
    let folder = tempdir().unwrap();
    let row = |i: u32| format!("{i},{}\n", ["no", " no", "yes"][(i / 10 % 3) as usize]);
    let data = (0..90).fold("x,y\n".to_owned(), |text, i| text + &row(i));
    fs::write(folder.path().join("data.csv"), &data).unwrap();
    fs::write(folder.path().join("test.csv"), &data).unwrap();
    let output = train(folder.path(), "data.csv --target y --test test.csv --out m.json");
    let said = succeeded(&output).to_owned() + text_of(&output.stderr);
    assert!(said.contains("differ only in leading or trailing spaces are separate: y (\" no\" and \"no\")"), "{said}");
    let model = json_of(folder.path().join("m.json"));
    assert_eq!(model["estimator"]["classes"], json!([" no", "no", "yes"]), "{}", model["estimator"]);
    let outcome: Value =
        serde_json::from_str(succeeded(&run(folder.path(), "evaluate m.json data.csv --json"))).unwrap();
    assert_eq!(outcome["rows"], 90);
    fs::write(folder.path().join("other.csv"), "x,y\n1, yes\n").unwrap();
    let refused = run(folder.path(), "evaluate m.json other.csv");
    assert!(complained(&refused).contains("got \" yes\""));
}

#[test]
fn a_delimiter_in_a_name_does_not_take_the_header_apart() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), "p|q,y\n1,3.5\n2,4.5\n3,7\n4,9\n").unwrap();
    succeeded(&train(folder.path(), "data.csv --target y --test-fraction 0 --out m.json"));
    fs::write(folder.path().join("pipe.csv"), "p|q\n1\n2\n").unwrap();
    let predicted = said(&run(folder.path(), "predict m.json pipe.csv")).to_owned();
    assert_eq!(predicted.lines().next(), Some("p|q,prediction"));
    // Semicolons once, pipes three times: the target decides.
    fs::write(folder.path().join("other.csv"), "p|q;a|b|c;y\n1;0;3.5\n2;0;4.5\n").unwrap();
    succeeded(&run(folder.path(), "evaluate m.json other.csv"));
    let several = "a|b|c;y\n1;3.5\n2;4.5\n3;7\n4;9\n";
    fs::write(folder.path().join("several.csv"), several).unwrap();
    succeeded(&train(folder.path(), "several.csv --target y --test-fraction 0 --out other.json"));
    assert_eq!(json_of(folder.path().join("other.json"))["signature"]["features"][0]["name"], "a|b|c");
}

/// A Parquet column of integers, and one of doubles.
fn numbers(path: &Path, integers: &[i64]) {
    let schema = Arc::new(parse_message_type("message m { REQUIRED INT64 x; REQUIRED DOUBLE y; }").unwrap());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(integers, None, None).unwrap();
    column.close().unwrap();
    let targets: Vec<f64> = (0..8).take(integers.len()).map(f64::from).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&targets, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[tokio::test]
async fn a_double_as_javascript_prints_it_is_a_number_and_an_integer_by_type_is_its_digits() {
    let folder = tempdir().unwrap();
    let rows = "x,y\n12345678901234567000,1\n2345678901234567000,2\n1e19,2.5\n345678901234567000,4\n";
    fs::write(folder.path().join("data.csv"), rows).unwrap();
    succeeded(&train(folder.path(), "data.csv --target y --test-fraction 0 --out m.json"));
    let application = application(folder.path());
    let ask = async |digits: &str, path: &str, content_type: &str, body: String| {
        let request = Request::post(path).header("content-type", content_type).body(body.into()).unwrap();
        let answer = send(&application, request).await;
        assert!(
            answer.status.is_success() || answer.text().contains("cannot represent exactly"),
            "{digits}: {}",
            answer.text()
        );
        answer.status.is_success()
    };
    for (digits, expected) in
        [("12345678901234567000", true), ("12345678901234567001", false), ("9007199254740993", false)]
    {
        let json = "application/json";
        let tensor = |datatype: &str| {
            format!(r#"{{"inputs": [{{"name": "x", "shape": [1], "datatype": "{datatype}", "data": [{digits}]}}]}}"#)
        };
        let accepted = [
            ask(digits, "/predict", json, format!(r#"{{"X": [{digits}]}}"#)).await,
            ask(digits, "/predict", "text/csv", format!("x\n{digits}\n")).await,
            ask(digits, "/v2/models/m/infer", json, tensor("FP64")).await,
        ];
        assert_eq!(accepted, [expected; 3], "{digits}");
        assert!(!ask(digits, "/v2/models/m/infer", json, tensor("UINT64")).await);
        fs::write(folder.path().join("asked.csv"), format!("x\n{digits}\n")).unwrap();
        assert_eq!(run(folder.path(), "predict m.json asked.csv").status.success(), expected, "{digits}");
    }
    // The same digits in columns of integers, which are exact.
    numbers(&folder.path().join("asked.parquet"), &[2_345_678_901_234_567_000]);
    assert!(complained(&run(folder.path(), "predict m.json asked.parquet")).contains("cannot represent exactly"));
    numbers(&folder.path().join("data.parquet"), &[1, 2, 4, 2_345_678_901_234_567_000]);
    let output = train(folder.path(), "data.parquet --target y");
    let said = succeeded(&output);
    assert!(said.contains("more digits than a double holds are categories: x (2345678901234567000)"), "{said}");
}
