//! The same fault has the same error in every protocol: a list of faults, and one function per protocol.

use std::sync::Arc;

use axum::Router;
use http::Request;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::Catalog;
use ordinate::source::file::FileSource;
use ordinate_test_support::in_process::{Response, post, send};
use ordinate_test_support::people;
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

/// A table to send. Cells are JSON.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) names: Vec<&'static str>,
    pub(super) rows: Vec<Vec<&'static str>>,
}

impl Table {
    fn good() -> Self {
        Self {
            names: vec!["age", "smoker", "city", "bmi", "income"],
            rows: vec![vec!["41", "true", "\"Bern\"", "22.5", "9.5"], vec!["20", "false", "\"Basel\"", "30", "1e1"]],
        }
    }

    /// A table with another cell in the second row.
    fn with(name: &str, cell: &'static str) -> Self {
        let mut table = Self::good();
        let column = table.names.iter().position(|known| *known == name).unwrap();
        table.rows[1][column] = cell;
        table
    }

    /// A table with another name of one column.
    fn renamed(from: &str, to: &'static str) -> Self {
        let mut table = Self::good();
        *table.names.iter_mut().find(|name| **name == from).unwrap() = to;
        table
    }

    /// A table with one more column.
    fn wider(name: &'static str) -> Self {
        let mut table = Self::good();
        table.names.push(name);
        table.rows.iter_mut().for_each(|row| row.push("1"));
        table
    }

    fn with_rows(count: usize) -> Self {
        let good = Self::good();
        Self { rows: good.rows.iter().cycle().take(count).cloned().collect(), names: good.names }
    }

    fn lists(&self) -> Vec<String> {
        self.rows.iter().map(|row| format!("[{}]", row.join(","))).collect()
    }

    fn objects(&self) -> String {
        let object = |row: &Vec<&str>| {
            let members = self.names.iter().zip(row).map(|(name, cell)| format!("{name:?}:{cell}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        format!("[{}]", self.rows.iter().map(object).collect::<Vec<_>>().join(","))
    }

    fn columns(&self) -> String {
        let column = |(position, name): (usize, &&str)| {
            let cells: Vec<&str> = self.rows.iter().filter_map(|row| row.get(position).copied()).collect();
            format!("{name:?}:[{}]", cells.join(","))
        };
        format!("{{{}}}", self.names.iter().enumerate().map(column).collect::<Vec<_>>().join(","))
    }

    /// One tensor per column, with the datatype of its first cell.
    fn tensors(&self) -> String {
        let tensor = |(position, name): (usize, &&str)| {
            let cells: Vec<&str> = self.rows.iter().filter_map(|row| row.get(position).copied()).collect();
            let datatype = match cells.first() {
                Some(&("true" | "false")) => "BOOL",
                Some(cell) if cell.starts_with('"') => "BYTES",
                Some(cell) if cell.parse::<i64>().is_ok() => "INT64",
                _ => "FP64",
            };
            let (count, cells) = (cells.len(), cells.join(","));
            format!("{{\"name\":{name:?},\"shape\":[{count}],\"datatype\":{datatype:?},\"data\":[{cells}]}}")
        };
        let tensors: Vec<_> = self.names.iter().enumerate().map(tensor).collect();
        format!("{{\"inputs\":[{}]}}", tensors.join(","))
    }

    fn split(&self) -> String {
        format!("{{\"columns\":{:?},\"data\":[{}]}}", self.names, self.lists().join(","))
    }

    /// Lines of CSV: strings without quotes, and empty fields for null.
    fn lines(&self) -> String {
        let field = |cell: &&str| cell.trim_matches('"').replace("null", "");
        let line = |row: &Vec<&str>| row.iter().map(field).collect::<Vec<_>>().join(",") + "\n";
        self.rows.iter().map(line).collect()
    }
}

/// How a protocol identifies columns.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Columns {
    /// By name; other names are rejected.
    Named,
    /// By name; other names are ignored.
    NamedLeniently,
    /// By position.
    Positional,
}
pub(super) use Columns::{Named, NamedLeniently, Positional};

/// A format of one of the protocols.
pub(super) struct Protocol {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) columns: Columns,
    pub(super) write: fn(&Table) -> String,
}

const JSON: &str = "application/json";
const CSV: &str = "text/csv";

#[rustfmt::skip]
pub(super) const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "native objects", path: "/predict", content_type: JSON, columns: Named, write: |table| format!("{{\"X\":{}}}", table.objects()) },
    Protocol { name: "native lists", path: "/predict", content_type: JSON, columns: Positional, write: |table| format!("{{\"X\":[{}]}}", table.lists().join(",")) },
    Protocol { name: "native columns", path: "/models/people/predict", content_type: JSON, columns: Named, write: |table| format!("{{\"X\":{}}}", table.columns()) },
    Protocol { name: "native CSV", path: "/predict", content_type: CSV, columns: Named, write: |table| format!("{}\n{}", table.names.join(","), table.lines()) },
    Protocol { name: "MLflow split", path: "/invocations", content_type: JSON, columns: NamedLeniently, write: |table| format!("{{\"dataframe_split\":{}}}", table.split()) },
    Protocol { name: "MLflow records", path: "/invocations", content_type: JSON, columns: NamedLeniently, write: |table| format!("{{\"dataframe_records\":{}}}", table.objects()) },
    Protocol { name: "MLflow instances", path: "/invocations", content_type: JSON, columns: NamedLeniently, write: |table| format!("{{\"instances\":{}}}", table.objects()) },
    Protocol { name: "MLflow inputs", path: "/invocations", content_type: JSON, columns: NamedLeniently, write: |table| format!("{{\"inputs\":{}}}", table.columns()) },
    Protocol { name: "MLflow lists", path: "/invocations", content_type: JSON, columns: Positional, write: |table| format!("{{\"inputs\":[{}]}}", table.lists().join(",")) },
    Protocol { name: "MLflow CSV", path: "/invocations", content_type: CSV, columns: NamedLeniently, write: |table| format!("{}\n{}", table.names.join(","), table.lines()) },
    Protocol { name: "SageMaker features", path: "/invocations", content_type: JSON, columns: Positional, write: wrapped },
    Protocol { name: "SageMaker CSV", path: "/invocations", content_type: CSV, columns: Positional, write: Table::lines },
    Protocol { name: "SageMaker lines", path: "/invocations", content_type: "application/jsonlines", columns: Positional, write: |table| table.lists().join("\n") },
    Protocol { name: "SageMaker endpoint, features", path: "/endpoints/people/invocations", content_type: JSON, columns: Positional, write: wrapped },
    Protocol { name: "SageMaker endpoint, CSV", path: "/endpoints/people/invocations", content_type: CSV, columns: Positional, write: Table::lines },
    Protocol { name: "SageMaker endpoint, lines", path: "/endpoints/people/invocations", content_type: "application/jsonlines", columns: Positional, write: |table| table.lists().join("\n") },
    Protocol { name: "KServe lists", path: "/v1/models/people:predict", content_type: JSON, columns: Positional, write: |table| format!("{{\"instances\":[{}]}}", table.lists().join(",")) },
    Protocol { name: "KServe objects", path: "/v1/models/people:predict", content_type: JSON, columns: Named, write: |table| format!("{{\"instances\":{}}}", table.objects()) },
    Protocol { name: "TF Serving columns", path: "/v1/models/people:predict", content_type: JSON, columns: Named, write: |table| format!("{{\"inputs\":{}}}", table.columns()) },
    Protocol { name: "Open Inference", path: "/v2/models/people/infer", content_type: JSON, columns: Named, write: Table::tensors },
    Protocol { name: "Vertex AI", path: "/vertex/predict", content_type: JSON, columns: Named, write: |table| format!("{{\"instances\":{}}}", table.objects()) },
];

fn wrapped(table: &Table) -> String {
    let rows: Vec<_> = table.lists().iter().map(|row| format!("{{\"features\":{row}}}")).collect();
    format!("{{\"instances\":[{}]}}", rows.join(","))
}

/// The application with one model and a limit of three rows per request.
pub(super) struct Service {
    application: Router,
    _directory: TempDir,
}

impl Service {
    fn start() -> Self {
        Self::of(&people())
    }

    /// The application with the model of a file, named people.
    pub(super) fn of(file: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("people.json");
        std::fs::write(&path, file).unwrap();
        let catalog = Catalog::single(Box::new(FileSource::new(path)), None, None);
        let settings = Settings::new(Limits { max_rows: 3, max_body_bytes: 100_000, ..Limits::DEFAULT });
        Self { application: router(Arc::new(catalog), settings), _directory: directory }
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        send(&self.application, Request::get(path).body(axum::body::Body::empty()).unwrap()).await
    }

    pub(super) async fn post(&self, path: &str, content_type: &str, body: impl Into<axum::body::Body>) -> Response {
        send(&self.application, Request::post(path).header("content-type", content_type).body(body.into()).unwrap())
            .await
    }
}

/// The message of an error in any of the envelopes.
pub(super) fn reason(answer: &Response) -> String {
    let error = answer.json();
    let members = ["detail", "message", "error", "Message"];
    members.iter().find_map(|member| error[*member].as_str()).unwrap_or_else(|| panic!("{error}")).to_owned()
}

/// The predictions of a response in any of the formats.
pub(super) fn numbers(answer: &Response) -> Vec<f64> {
    let text = match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(tensors) if tensors["outputs"][0]["data"].is_array() => tensors["outputs"][0]["data"].to_string(),
        _ => answer.text(),
    };
    let digits = text.split(|character: char| !(character.is_ascii_digit() || character == '.'));
    digits.filter_map(|digits| digits.parse().ok()).collect()
}

/// Checks that all formats with such columns reject a table with this status, or 400 instead of 422 in other protocols,
/// and with one of these messages.
async fn rejected(columns: &[Columns], table: &Table, status: u16, messages: &[&str]) {
    let service = Service::start();
    for protocol in PROTOCOLS.iter().filter(|protocol| columns.contains(&protocol.columns)) {
        let body = (protocol.write)(table);
        let answer = service.post(protocol.path, protocol.content_type, body.clone()).await;
        let is_native = protocol.name.starts_with("native");
        let status = if status == 422 && !is_native { 400 } else { status };
        let name = protocol.name;
        assert_eq!(answer.status.as_u16(), status, "{name}: {body}: {}", answer.text());
        let reason = reason(&answer);
        assert!(messages.iter().any(|message| reason.contains(message)), "{name}: {body}: {reason}");
    }
}

/// Checks that all formats with such columns accept a table, with these predictions.
async fn accepted(columns: &[Columns], table: &Table, expected: &[f64]) {
    let service = Service::start();
    for protocol in PROTOCOLS.iter().filter(|protocol| columns.contains(&protocol.columns)) {
        let body = (protocol.write)(table);
        let answer = service.post(protocol.path, protocol.content_type, body.clone()).await;
        assert_eq!(answer.status.as_u16(), 200, "{}: {body}: {}", protocol.name, answer.text());
        // Warnings may follow.
        assert_eq!(numbers(&answer).get(..expected.len()), Some(expected), "{}: {body}", protocol.name);
    }
}

const ALL: &[Columns] = &[Named, NamedLeniently, Positional];
const BY_NAME: &[Columns] = &[Named, NamedLeniently];

#[rstest]
#[case::a_string_for_a_double(Table::with("bmi", "\"high\""), "row 1: feature \"bmi\" expected a number, got")]
#[case::true_for_a_double(Table::with("bmi", "true"), "row 1: feature \"bmi\" expected a number, got")]
#[case::a_fraction_for_a_long(Table::with("age", "4.5"), "row 1: feature \"age\" expected a whole number, got")]
#[case::an_integer_past_2_53(
    Table::with("age", "9007199254740993"),
    "row 1: feature \"age\" got 9007199254740993, an integer that a double cannot represent exactly"
)]
#[case::a_huge_number(Table::with("bmi", "1e999"), "row 1: feature \"bmi\" got 1e999, too large for a double")]
#[case::a_word_for_a_boolean(
    Table::with("smoker", "\"often\""),
    "row 1: feature \"smoker\" expected true or false, got"
)]
#[case::an_unknown_category(
    Table::with("city", "\"Zug\""),
    "row 1: feature \"city\" expected one of \"Basel\", \"Bern\", got"
)]
#[case::null_where_it_is_rejected(
    Table::with("bmi", "null"),
    "row 1: feature \"bmi\" is missing, and the model does not impute it"
)]
#[case::nan_where_it_is_rejected(
    Table::with("bmi", "NaN"),
    "row 1: feature \"bmi\" is missing, and the model does not impute it"
)]
#[tokio::test]
async fn an_invalid_value_has_the_same_error_in_every_protocol(#[case] table: Table, #[case] message: &str) {
    rejected(ALL, &table, 422, &[message]).await;
}

#[rstest]
#[case::nothing_wrong(Table::good(), 60.0)]
#[case::an_integer_for_a_double(Table::with("bmi", "31"), 61.0)]
#[case::a_whole_double_for_a_long(Table::with("age", "21.0"), 61.0)]
#[case::null_where_it_is_imputed(Table::with("income", "null"), 100.0)]
#[case::nan_where_it_is_imputed(Table::with("income", "NaN"), 100.0)]
#[tokio::test]
async fn a_valid_value_is_accepted_in_every_protocol(#[case] table: Table, #[case] second: f64) {
    accepted(ALL, &table, &[183.0, second]).await;
}

#[tokio::test]
async fn names_must_match_the_signature() {
    rejected(BY_NAME, &Table::wider("age"), 422, &["feature \"age\" appears twice"]).await;
    rejected(&[NamedLeniently], &Table::renamed("bmi", "BMI"), 422, &["feature \"bmi\" is missing"]).await;
    rejected(&[Named], &Table::renamed("bmi", "BMI"), 422, &["feature \"BMI\" is not a feature of this model"]).await;
}

/// The schema enforcement of `MLflow` ignores columns that are not features.
#[tokio::test]
async fn only_the_formats_of_mlflow_ignore_names_that_are_not_features() {
    rejected(&[Named], &Table::wider("height"), 422, &["feature \"height\" is not a feature of this model"]).await;
    accepted(&[NamedLeniently], &Table::wider("height"), &[183.0, 60.0]).await;
}

#[tokio::test]
async fn all_rows_must_have_the_width_of_the_signature() {
    let mut narrow = Table::good();
    narrow.rows.iter_mut().for_each(|row| row.truncate(4));
    rejected(&[Positional], &narrow, 422, &["row 0: expected 5 values (age, smoker, city, bmi, income), got 4"]).await;
    let wide = &["row 0: expected 5 values (age, smoker, city, bmi, income), got 6"];
    rejected(&[Positional], &Table::wider("?"), 422, wide).await;

    let mut ragged = Table::good();
    ragged.rows[1].truncate(4);
    let messages = [
        "row 1: expected 5 values (age, smoker, city, bmi, income), got 4",
        "row 1: expected 5 values, one per column, got 4",
        "row 1: expected 5 fields as in the header, got 4",
        "row 1: feature \"income\" is missing",
        "feature \"income\" has 1 values, the longest column has 2",
    ];
    rejected(ALL, &ragged, 422, &messages).await;
}

#[tokio::test]
async fn requests_without_rows_or_above_the_row_limit_are_rejected() {
    rejected(ALL, &Table::with_rows(4), 413, &["the request has more than 3 rows; send fewer rows per request"]).await;
    rejected(BY_NAME, &Table::with_rows(0), 422, &["there are no rows to predict"]).await;
    let service = Service::start();
    for protocol in PROTOCOLS.iter().filter(|protocol| protocol.columns == Positional) {
        let answer = service.post(protocol.path, protocol.content_type, (protocol.write)(&Table::with_rows(0))).await;
        assert!(answer.status.is_client_error(), "{}", protocol.name);
        let message = if protocol.content_type == CSV { "the body is empty" } else { "there are no rows to predict" };
        assert!(reason(&answer).contains(message), "{}: {}", protocol.name, answer.text());
    }
}

#[tokio::test]
async fn a_syntax_error_is_rejected_with_its_place() {
    let service = Service::start();
    for protocol in PROTOCOLS {
        for (body, message) in [
            (&b"{\"instances\": \"\n\xff\""[..], "byte 16 (line 2, column 1) is not UTF-8"),
            (
                b"\"instances\": ",
                if protocol.content_type == CSV { "line 1: text after a closing quote" } else { "line 1" },
            ),
        ] {
            let answer = service.post(protocol.path, protocol.content_type, body.to_vec()).await;
            let tensors = "expected an inference request, an object, got the string";
            let reason = reason(&answer);
            assert!(reason.contains(message) || reason.contains(tensors), "{}: {reason}", protocol.name);
            assert!([400, 422].contains(&answer.status.as_u16()), "{}: {}", protocol.name, answer.status);
        }
    }
}

#[tokio::test]
async fn an_unknown_model_has_the_same_error_in_every_protocol() {
    let service = Service::start();
    let error = |answer: &Response| (answer.status.as_u16(), reason(answer));
    let native = error(&service.post("/models/none/predict", JSON, "{}").await);
    assert!(native.0 == 404 && native.1.contains("\"none\""), "{native:?}");
    assert_eq!(error(&service.post("/v1/models/none:predict", JSON, "{}").await), native);
    assert_eq!(error(&service.post("/endpoints/none/invocations", JSON, "{}").await), (400, native.1));
}

#[tokio::test]
async fn an_unsupported_content_type_is_a_415_that_lists_the_supported_ones() {
    for (path, read) in [
        ("/v1/models/line:predict", "send application/json in UTF-8"),
        ("/vertex/predict", "send application/json in UTF-8"),
        ("/v2/models/line/infer", "send application/json or application/octet-stream in UTF-8"),
    ] {
        for sent in ["text/csv", "text/html", "application/jsonlines", "application/x-npy"] {
            let answer = post(path, &[("content-type", sent)], "x").await;
            let message = format!("the content type {sent:?} is not supported by this route; {read}");
            assert_eq!((answer.status.as_u16(), answer.json()), (415, json!({"error": message})), "{path}");
        }
    }
}
