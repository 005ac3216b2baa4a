//! `ordinate serve`: what it prints, the page of its documentation in a browser, and the README's clients.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rstest::rstest;
use serde_json::{Value, json};

use ordinate_test_support::in_process::call;
use ordinate_test_support::{free_ports, root};

use crate::support::code_blocks;

/// `ordinate serve` on a free port.
pub(crate) struct Served {
    process: Child,
    pub(crate) base: String,
}

impl Served {
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
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

    /// The port of loopback.
    pub(crate) fn port(&self) -> u16 {
        self.base.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// The resident memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        let pages = fs::read_to_string(format!("/proc/{}/statm", self.process.id())).unwrap();
        pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    /// The value of a metric without labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let mut response = ureq::get(format!("{}/metrics", self.base)).header("connection", "close").call().unwrap();
        let metrics = response.body_mut().read_to_string().unwrap();
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{name} is not in:\n{metrics}")).parse().unwrap()
    }

    /// Asks it to stop, as a container's host does.
    pub(crate) fn terminate(&self) {
        assert!(Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success());
    }

    /// Waits until it has stopped, and returns its log.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let output = std::io::read_to_string(self.process.stdout.take().unwrap()).unwrap();
        (self.process.wait().unwrap(), output)
    }

    /// Stops it, and returns its log.
    fn stop(&mut self) -> (ExitStatus, String) {
        self.terminate();
        self.wait()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn serve_answers_as_the_function_does_and_stops_on_sigterm() {
    let mut served = Served::start(&[]);
    let mut answer = ureq::post(format!("{}/predict", served.base)).send(r#"{"X":[1,2,3,4]}"#).unwrap();
    assert_eq!(answer.body_mut().read_to_string().unwrap(), r#"{"y":[3.0,5.0,7.0,9.0]}"#);
    let (status, log) = served.stop();
    assert!(status.success(), "{status}");
    assert!(log.contains(r#""route":"/predict","status":200"#), "{log}");
}

#[rstest]
#[case::a_setting_of_the_service(&[("MAX_ROWS", "many")], &[], "MAX_ROWS: expected a whole number of at least 1, got \"many\"")]
#[case::a_setting_of_the_server(&[("DRAIN_SECONDS", "-1")], &[], "DRAIN_SECONDS: expected a number of seconds above 0, at most 86400, got \"-1\"")]
#[case::an_address_of_another_machine(&[], &["--host", "192.0.2.1"], "cannot listen on 192.0.2.1:")]
fn serve_reports_why_it_does_not_start(#[case] set: &[(&str, &str)], #[case] arguments: &[&str], #[case] reason: &str) {
    let [port] = free_ports();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
    command.args(["serve", "--port", &port.to_string()]).args(arguments).envs(set.iter().copied());
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.starts_with("error: ") && error.contains(reason), "{error}");
}

/// Opens a page in Chromium; returns console messages and the size of a screenshot, which `DOCS_FOLDER` keeps.
fn open(url: &str, name: &str, window: &str) -> (String, usize) {
    let temporary = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("DOCS_FOLDER");
    let folder = kept.as_deref().map_or(temporary.path(), Path::new);
    let picture = folder.join(format!("{name}.png"));
    // On a busy machine Chromium sometimes does not end although the page is complete: `--timeout` is not enough.
    let output = Command::new("timeout")
        .args(["--signal=KILL", "120", "chromium"])
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
    assert_eq!(log.matches(r#""route":"/openapi.json","status":200"#).count(), 3, "{log}");
    assert!(!log.contains("unknown_route"), "{log}");
}

#[rstest]
#[case("sh", "tests/clients/curl.sh")]
#[case("python", "tests/clients/python.py")]
#[case("python", "tests/clients/triton.py")]
#[case("python", "tests/clients/scoring.py")]
#[case("python", "tests/clients/agent.py")]
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

#[test]
fn the_documented_requests_are_answered() {
    let served = Served::start(&[]);
    let host = served.base.strip_prefix("http://").unwrap();
    let mut asked = 0;
    for block in code_blocks(&section("Predict", "Other protocols"), "sh") {
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
    let shown: Value = serde_json::from_str(code_blocks(&section("Errors", "Configuration"), "json")[0]).unwrap();
    let row = call("GET", "/models/diabetes", "").await.json()["typical"].clone();
    let mut rows = vec![row; 4];
    rows[3]["bmi"] = json!("high");
    let mut answer = call("POST", "/models/diabetes/predict", json!({"X": rows}).to_string()).await.json();
    // Request ids differ, and the documentation does not repeat the sentence.
    answer["request_id"] = shown["request_id"].clone();
    assert_eq!(answer["errors"][0]["detail"], answer["detail"]);
    answer["errors"][0]["detail"] = shown["errors"][0]["detail"].clone();
    assert_eq!(answer, shown);
}

#[test]
fn a_redacted_name_that_is_not_a_feature_is_a_warning_once_for_each_model() {
    let environment = [("CAPTURE_FRACTION", "1"), ("CAPTURE_REDACT", "agee, sex,nonsense"), ("CAPTURE_URI", "")];
    let mut served = Served::start(&environment);
    let row = json!({"X": [[59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]]}).to_string();
    for _ in 0..3 {
        let answer = ureq::post(format!("{}/models/diabetes/predict", served.base)).send(&row).unwrap();
        assert_eq!(answer.status(), 200);
    }
    served.terminate();
    let (_, log) = served.wait();
    let warning = "CAPTURE_REDACT has names that are not features of the model";
    assert_eq!(log.matches(warning).count(), 1, "{log}");
    let line = log.lines().find(|line| line.contains(warning)).unwrap();
    for expected in ["diabetes", "agee", "did you mean", "age", "nonsense"] {
        assert!(line.contains(expected), "{line}");
    }
    assert!(!line.contains("sex"), "{line}");
}
