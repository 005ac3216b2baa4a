//! The documentation of the service matches the service: the `OpenAPI` document, `/docs`, and docs/API.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use axum::body::Body;
use http::Request;
use rstest::rstest;
use serde_json::{Value, json};
use support::in_process::{Answer, application, ask, call, post, settings};
use support::{free_ports, root};

async fn get(path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    ask(&application(settings()), request.body(Body::empty()).unwrap()).await
}

async fn document() -> Value {
    let answer = call("GET", "/openapi.json", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    answer.json()
}

#[tokio::test]
async fn every_example_of_a_request_is_answered_as_its_example_says() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (media_type, content) in item["post"]["requestBody"]["content"].as_object().into_iter().flatten() {
            for (name, example) in content["examples"].as_object().into_iter().flatten() {
                let body = example["value"].as_str().map_or_else(|| example["value"].to_string(), str::to_owned);
                let path = path.replace("{version}", "1");
                let answer = post(&path, &[("content-type", media_type)], body).await;
                assert_eq!(answer.status, 200, "{path}, {name}: {}", answer.text());
                let promised = &item["post"]["responses"]["200"]["content"][answer.header("content-type")];
                let promised = &promised["examples"][name]["value"];
                let answered = if promised.is_string() { answer.text().into() } else { answer.json() };
                assert_eq!(promised, &answered, "{path}, {name}");
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "{asked}");
}

/// A golden row is a row of the training data, and may be somebody.
#[tokio::test]
async fn no_example_is_a_row_of_the_training_data() {
    let document = document().await;
    let text = document.to_string();
    for name in ["diabetes", "iris", "breast-cancer"] {
        let file = fs::read(root().join(format!("model/{name}.json"))).unwrap();
        let model: Value = serde_json::from_slice(&file).unwrap();
        for row in model["golden"]["X"].as_array().unwrap() {
            let row = row.to_string();
            assert!(!text.contains(row.trim_matches(['[', ']'])), "{name}: {row}");
        }
    }
    let description = call("GET", "/models/diabetes", "").await.json();
    let body = &document["paths"]["/models/diabetes/predict"]["post"]["requestBody"]["content"]["application/json"];
    assert_eq!(body["examples"]["rows_by_name"]["value"], json!({"X": [description["typical"]]}));
}

#[tokio::test]
async fn an_example_asks_for_all_that_a_model_can_tell() {
    let document = document().await;
    let answer = |model: &str| {
        let content = &document["paths"][format!("/models/{model}/predict")]["post"]["responses"]["200"]["content"];
        content["application/json"]["examples"]["how_sure_and_why"]["value"].clone()
    };
    let keys = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&answer("diabetes")), ["explanation", "interval", "interval_method", "mean_interval", "y"]);
    // A classifier says its sureness by sets of labels, as far as its held-out rows reach.
    assert_eq!(keys(&answer("iris")), ["explanation", "interval_method", "label_sets", "probabilities", "y"]);
    let asked = &document["paths"]["/models/iris/predict"]["post"]["requestBody"]["content"]["application/json"];
    let level = &asked["schema"]["properties"]["interval"];
    assert!(level["exclusiveMinimum"] == 0 && level["maximum"].as_f64().unwrap() < 1.0, "{level}");
}

#[tokio::test]
async fn a_models_schemas_say_what_its_signature_says() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    let row = &schemas["diabetes.row"];
    assert_eq!(
        row["properties"]["age"],
        json!({"type": "number", "description": "from 19 to 79 in the training data"})
    );
    assert_eq!(row["required"].as_array().unwrap().len(), 10);
    assert_eq!(row["additionalProperties"], false);
    let values = &schemas["diabetes.values"];
    assert_eq!((&values["minItems"], &values["maxItems"]), (&json!(10), &json!(10)));
    assert_eq!(schemas["iris.prediction"]["items"]["enum"], json!(["setosa", "versicolor", "virginica"]));
    // Wherever the document was found, stage and all.
    assert_eq!(document["servers"], json!([{"url": ".", "description": "Where this document was found"}]));
}

#[tokio::test]
async fn a_description_is_what_its_schema_says_with_rows_to_begin_with() {
    let document = document().await;
    let schema = &document["components"]["schemas"]["Model"];
    for (name, intervals) in [
        ("line", json!({"method": "student-t"})),
        ("diabetes", json!({"method": "student-t"})),
        ("iris", json!({"method": "conformal", "held_out_rows": 33, "max_level": 33.0 / 34.0})),
    ] {
        let described = get(&format!("/models/{name}"), &[]).await.json();
        for key in schema["required"].as_array().unwrap() {
            assert!(described.get(key.as_str().unwrap()).is_some(), "{name} has no {key}");
        }
        for key in described.as_object().unwrap().keys() {
            assert!(schema["properties"].get(key).is_some(), "{key} of {name} is not in the schema");
        }
        assert_eq!(described["intervals"], intervals, "{name}");
        let examples = described["examples"].as_array().unwrap();
        assert_eq!(examples.len(), 8);
        let answer = post(&format!("/models/{name}/predict"), &[], json!({"X": examples}).to_string()).await.json();
        assert_eq!((answer["y"].as_array().unwrap().len(), answer.get("warnings")), (8, None), "{name}");
    }
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let page = get("/docs", &[]).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self' 'sha256-"));
    assert!(page.text().contains("<base href=\"./\">") && !page.text().contains("http"), "{}", page.text());
    assert!(get("/docs/", &[]).await.text().contains("<base href=\"./../\">"));
}

#[tokio::test]
async fn the_reader_is_sent_packed_to_whoever_takes_that_and_unpacked_to_others() {
    let page = get("/docs", &[]).await.text();
    let source = page.split_once("type=\"module\" src=\"").unwrap().1.split_once('"').unwrap().0;
    let path = format!("/{source}");
    let packed = get(&path, &[("accept-encoding", "gzip, br")]).await;
    assert_eq!((packed.status.as_u16(), packed.header("content-encoding")), (200, "gzip"));
    let plain = get(&path, &[]).await;
    assert_eq!((plain.status.as_u16(), plain.header("content-encoding")), (200, ""));
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut unpacked).unwrap();
    assert!(unpacked == plain.body && plain.text().contains("rapi-doc"));
}

#[tokio::test]
async fn every_error_has_an_anchor() {
    let refused = call("POST", "/predict", r#"{"X":["high"]}"#).await.json();
    let anchor = refused["type"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let page = get("/docs/errors", &[]).await.text();
    assert!(page.contains(&format!("<tr id=\"{anchor}\">")), "{anchor}");
    assert!(page.contains("<a href=\"./../docs\">"));
}

/// `ordinate serve` on a free port.
struct Served {
    process: Child,
    base: String,
}

impl Served {
    fn start(environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
        for name in ["MODEL_URI", "MODEL_SHA256", "DEFAULT_MODEL", "BASE_PATH", "CORS_ALLOW_ORIGINS", "RUST_LOG"] {
            command.env_remove(name);
        }
        command.args(["serve", "--port", "0"]).envs(environment.iter().copied());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.strip_prefix("Ordinate on ").and_then(|rest| rest.split_once(';')).expect(&line).0.to_owned();
        Self { process, base }
    }

    /// Asks it to stop as a container's host does; its log.
    fn stop(&mut self) -> (ExitStatus, String) {
        assert!(Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success());
        let output = std::io::read_to_string(self.process.stdout.take().unwrap()).unwrap();
        (self.process.wait().unwrap(), output)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn serve_answers_as_the_function_does_and_stops_when_told() {
    let mut served = Served::start(&[]);
    let mut answer = ureq::post(format!("{}/predict", served.base)).send(r#"{"X":[1,2,3,4]}"#).unwrap();
    assert_eq!(answer.body_mut().read_to_string().unwrap(), r#"{"y":[3.0,5.0,7.0,9.0]}"#);
    let (status, log) = served.stop();
    assert!(status.success(), "{status}");
    assert!(log.contains(r#""route":"/predict","status":200"#), "{log}");
}

#[rstest]
#[case::a_setting_that_cannot_be_used(&[("MAX_ROWS", "many")], &[], "MAX_ROWS=\"many\" cannot be used: a whole number from 1")]
#[case::an_address_of_someone_else(&[], &["--host", "192.0.2.1"], "cannot listen on 192.0.2.1:")]
fn serve_says_why_it_does_not_start(#[case] set: &[(&str, &str)], #[case] arguments: &[&str], #[case] told: &str) {
    let [port] = free_ports();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
    command.args(["serve", "--port", &port.to_string()]).args(arguments).envs(set.iter().copied());
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.starts_with("error: ") && error.contains(told), "{error}");
}

/// Opens a page in Chromium: what it complained of, and a picture. `DOCS_FOLDER` keeps the picture for looking at.
fn open(url: &str, name: &str, window: &str) -> (String, usize) {
    let temporary = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("DOCS_FOLDER");
    let folder = kept.as_deref().map_or(temporary.path(), Path::new);
    let picture = folder.join(format!("{name}.png"));
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=8000", "--timeout=60000"])
        .arg(format!("--user-data-dir={}", temporary.path().join("profile").display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("--window-size={window}"))
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .expect("this test opens a page in Chromium: on Debian, `apt-get install -y chromium`");
    let log = String::from_utf8_lossy(&output.stderr);
    let complaints = log.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n");
    (complaints, fs::read(&picture).unwrap().len())
}

#[test]
fn a_browser_shows_the_document_behind_a_prefix_within_the_policy() {
    let mut served = Served::start(&[("BASE_PATH", "/prod")]);
    for (path, name, window) in [
        ("/prod/docs", "wide", "1440,900"),
        ("/prod/docs/", "narrow", "390,844"),
        ("/prod/docs#post-/models/iris/predict", "operation", "1440,1600"),
    ] {
        let (complaints, bytes) = open(&format!("{}{path}", served.base), name, window);
        assert_eq!(complaints, "", "{path}");
        assert!(bytes > 30_000, "{path} is an empty page: {bytes} bytes");
    }
    let (_, log) = served.stop();
    // Once by the reader; on a narrow screen once more, for the list of operations.
    assert_eq!(log.matches(r#""route":"/openapi.json","status":200"#).count(), 4, "{log}");
    assert!(!log.contains("unknown_route"), "{log}");
}

#[rstest]
#[case("sh", "tests/clients/curl.sh")]
#[case("python", "tests/clients/python.py")]
#[case("python", "tests/clients/triton.py")]
#[case("python", "tests/clients/scoring.py")]
#[case("js", "tests/clients/javascript.mjs")]
#[case("rust", "examples/client.rs")]
fn the_documented_clients_are_the_tested_programs(#[case] language: &str, #[case] file: &str) {
    let document = fs::read_to_string(root().join("docs/API.md")).unwrap();
    let client = fs::read_to_string(root().join(file)).unwrap();
    assert!(document.contains(&format!("```{language}\n{client}```\n")), "docs/API.md does not show {file} as it is");
}

/// The text of docs/API.md between two headings.
fn section(heading: &str, next: &str) -> String {
    let document = fs::read_to_string(root().join("docs/API.md")).unwrap();
    let rest = document.split_once(&format!("\n## {heading}\n")).unwrap().1;
    rest.split_once(&format!("\n## {next}\n")).unwrap().0.to_owned()
}

/// Its code blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0.to_owned()).collect()
}

#[test]
fn the_documented_requests_are_answered() {
    let served = Served::start(&[]);
    let host = served.base.strip_prefix("http://").unwrap();
    let mut asked = 0;
    for block in blocks(&section("Predict", "Other protocols"), "sh") {
        let script =
            block.replace("curl -s ", "curl --silent --fail --write-out '\\n' ").replace("localhost:9000", host);
        let output =
            Command::new("bash").args(["-euo", "pipefail", "-c", &script]).current_dir(root()).output().unwrap();
        assert!(output.status.success(), "{script}{}", String::from_utf8_lossy(&output.stderr));
        for answer in String::from_utf8(output.stdout).unwrap().lines() {
            assert!(answer.starts_with(r#"{"y":["#), "{script}{answer}");
            asked += 1;
        }
    }
    assert_eq!(asked, 8);
}

#[tokio::test]
async fn the_documented_error_is_the_real_one() {
    let shown: Value = serde_json::from_str(&blocks(&section("Errors", "Configuration"), "json")[0]).unwrap();
    let row = call("GET", "/models/diabetes", "").await.json()["typical"].clone();
    let mut rows = vec![row; 4];
    rows[3]["bmi"] = json!("high");
    let mut told = call("POST", "/models/diabetes/predict", json!({"X": rows}).to_string()).await.json();
    // There every request has its own id, and the sentence is not said a second time.
    told["request_id"] = shown["request_id"].clone();
    assert_eq!(told["errors"][0]["detail"], told["detail"]);
    told["errors"][0]["detail"] = shown["errors"][0]["detail"].clone();
    assert_eq!(told, shown);
}
