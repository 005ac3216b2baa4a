//! `make run`, `make invoke` and `make help`, with the commands that they print.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use ordinate_test_support::{Server, free_ports, root, tool};
use serde_json::Value;

use crate::BUILD;

/// The response to the curl line that `make run` prints: y = 2x + 1 at 1, 2, 3, 4.
const LINE: &str = r#"{"y":[3.0,5.0,7.0,9.0]}"#;

// One test, since the build and the server are shared.
#[test]
fn make_run_serves_and_its_curl_line_works() {
    let _alone = BUILD.blocking_write();
    tool("bin/cargo-lambda");
    let [port] = free_ports();
    let mut make = make();
    make.arg("run").arg(format!("PORT={port}"));
    for name in ["MODEL_URI", "MODEL_SHA256", "DEFAULT_MODEL", "CORS_ALLOW_ORIGINS", "BASE_PATH"] {
        make.env_remove(name);
    }
    let server = Server::start(&make);
    // The port is closed until the build is finished.
    server.await_port(port, Duration::from_mins(10));
    let printed = printed(&server, "\nReady: ");
    assert!(printed.contains(&format!("\nReady: http://localhost:{port}\n")), "{printed}");
    let curl = printed.lines().map(str::trim).find(|line| line.starts_with("curl ")).expect("a curl line");
    assert_eq!(curl, format!(r#"curl -s localhost:{port}/models/line/predict -d '{{"X":[1,2,3,4]}}'"#));
    assert_eq!(text(shell(curl)), LINE);

    // With the content types of other clients.
    let url = format!("http://127.0.0.1:{port}/predict");
    for content_type in [None, Some("application/json"), Some("application/json; charset=utf-8")] {
        let request = ureq::post(&url);
        let request = content_type.into_iter().fold(request, |request, value| request.header("content-type", value));
        let mut response = request.send(r#"{"X":[1,2,3,4]}"#).unwrap();
        assert_eq!(response.body_mut().read_to_string().unwrap(), LINE, "{content_type:?}");
        // Without CORS_ALLOW_ORIGINS, neither the function nor cargo-lambda adds CORS headers.
        assert!(response.headers().get("access-control-allow-origin").is_none());
    }

    // cargo-lambda rejects bytes that are not UTF-8 before they reach the function, as docs/API.md describes: under
    // "The emulator of `make run`".
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(br#"{"X":[1,2,3,4]}"#).unwrap();
    let compressed = encoder.finish().unwrap();
    for (content_type, status) in [("application/json", 500), ("application/x-www-form-urlencoded", 200)] {
        let request = ureq::post(&url).config().http_status_as_error(false).build();
        let request = request.header("content-type", content_type).header("content-encoding", "gzip");
        assert_eq!(request.send(&compressed).unwrap().status(), status, "{content_type}");
    }

    // A body above the limit, which cargo-lambda passes on, unlike Lambda.
    let long = format!(r#"{{"X":[{}1]}}"#, "1,".repeat(3_500_000));
    let response = ureq::post(&url).config().http_status_as_error(false).build().send(&long).unwrap();
    assert_eq!(response.status(), 413);

    let mut invoke = self::make();
    invoke.arg("invoke").arg(format!("PORT={port}")).arg("EVENT=events/v2.json").current_dir(root());
    let response: Value = serde_json::from_str(&text(invoke.output().unwrap())).unwrap();
    assert_eq!(response["body"], LINE);

    // Documents and trained models do not cause another build.
    let model = tempfile::Builder::new().prefix("watch").suffix(".json").tempfile_in(root()).unwrap();
    let note = tempfile::Builder::new().prefix("watch").tempfile_in(root().join("docs")).unwrap();
    std::thread::sleep(Duration::from_secs(5));
    drop((model, note));
    assert_eq!(server.log().matches("Running `target/debug/api`").count(), 1, "{}", server.log());
}

/// The log of a server as soon as it contains a text and a curl line.
fn printed(server: &Server, text: &str) -> String {
    let start = Instant::now();
    loop {
        let log = server.log();
        if log.contains(text) && log.contains("curl ") {
            return log;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{log}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn make_run_names_a_free_port_if_its_port_is_in_use() {
    tool("bin/cargo-lambda");
    // Below the ports that Linux assigns, so that no other test takes the advised one.
    let taken = (20_000..32_000).find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = make().arg("run").arg(format!("PORT={port}")).current_dir(root()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.starts_with(&format!("Port {port} is in use.\n")), "{error}");
    let advised = error.lines().find_map(|line| line.strip_prefix("help: make run PORT=")).expect(&error);
    assert!(TcpListener::bind(("127.0.0.1", advised.parse().unwrap())).is_ok(), "{error}");
}

#[test]
fn make_help_lists_all_targets() {
    let help = text(make().arg("help").current_dir(root()).output().unwrap());
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap().replace("\\\n", "");
    let targets = makefile.lines().find_map(|line| line.strip_prefix(".PHONY: ")).unwrap();
    let named: Vec<&str> = help.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(named, targets.split_whitespace().collect::<Vec<_>>());
}

/// `make` with the environment of a terminal, without the variables that Cargo and `make` set for tests.
fn make() -> Command {
    let mut make = Command::new("make");
    // The build script of ring watches the variables of Cargo: a change would compile it again, here and in the next
    // build.
    let is_set_for_tests =
        |name: &String| ["CARGO_PKG_", "CARGO_MANIFEST_", "MAKE"].iter().any(|prefix| name.starts_with(prefix));
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(is_set_for_tests) {
        make.env_remove(name);
    }
    make
}

fn shell(line: &str) -> Output {
    Command::new("sh").args(["-c", line]).output().unwrap()
}

/// The standard output of a command.
///
/// # Panics
/// If it failed.
fn text(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
