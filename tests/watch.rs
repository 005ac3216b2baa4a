//! `make run` and `make invoke` for real: what a newcomer types first has to work as printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use support::{Server, free_ports, root, tool};

/// The answer to the line of curl that `make run` prints: y = 2x + 1 at 1, 2, 3, 4.
const LINE: &str = r#"{"y":[3.0,5.0,7.0,9.0]}"#;

// One test, because one build and one port serve all of it.
#[test]
fn make_run_serves_and_its_own_curl_line_works_when_pasted() {
    tool("bin/cargo-lambda");
    let [port] = free_ports();
    let mut make = make();
    make.arg("run").arg(format!("PORT={port}"));
    for name in ["MODEL_URI", "MODEL_SHA256", "DEFAULT_MODEL", "CORS_ALLOW_ORIGINS", "BASE_PATH"] {
        make.env_remove(name);
    }
    let server = Server::start(&make);
    // Nothing listens before the build is done, so that a request during the build is refused at once.
    server.await_port(port, Duration::from_mins(10));
    let printed = printed(&server, "\nReady: ");
    assert!(printed.contains(&format!("\nReady: http://localhost:{port}\n")), "{printed}");
    let pasted = printed.lines().map(str::trim).find(|line| line.starts_with("curl ")).expect("a line of curl");
    assert_eq!(pasted, format!(r#"curl -s localhost:{port}/predict -d '{{"X":[1,2,3,4]}}'"#));
    assert_eq!(text(shell(pasted)), LINE);

    // As other clients would send it.
    let url = format!("http://127.0.0.1:{port}/predict");
    for content_type in [None, Some("application/json"), Some("application/json; charset=utf-8")] {
        let request = ureq::post(&url);
        let request = content_type.into_iter().fold(request, |request, value| request.header("content-type", value));
        let mut answer = request.send(r#"{"X":[1,2,3,4]}"#).unwrap();
        assert_eq!(answer.body_mut().read_to_string().unwrap(), LINE, "{content_type:?}");
        // Cross-origin headers are the function's to give, and it was not told to.
        assert!(answer.headers().get("access-control-allow-origin").is_none());
    }

    // A body over the limit, through a front that does not stop it first as Lambda would.
    let long = format!(r#"{{"X":[{}1]}}"#, "1,".repeat(3_500_000));
    let refused = ureq::post(&url).config().http_status_as_error(false).build().send(&long).unwrap();
    assert_eq!(refused.status(), 413);

    let mut invoke = crate::make();
    invoke.arg("invoke").arg(format!("PORT={port}")).arg("EVENT=events/v2.json").current_dir(root());
    let answer: Value = serde_json::from_str(&text(invoke.output().unwrap())).unwrap();
    assert_eq!(answer["body"], LINE);

    // Files that the service is not made of, and models that training wrote, are no reason to build again.
    let model = tempfile::Builder::new().prefix("watch").suffix(".json").tempfile_in(root()).unwrap();
    let note = tempfile::Builder::new().prefix("watch").tempfile_in(root().join("docs")).unwrap();
    std::thread::sleep(Duration::from_secs(5));
    drop((model, note));
    assert_eq!(server.log().matches("Running `target/debug/api`").count(), 1, "{}", server.log());
}

/// The log of a server, once it contains a text and a curl line.
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
fn make_help_names_every_target() {
    let help = text(make().arg("help").current_dir(root()).output().unwrap());
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let targets = makefile.lines().find_map(|line| line.strip_prefix(".PHONY: ")).unwrap();
    let named: Vec<&str> = help.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(named, targets.split(' ').collect::<Vec<_>>());
}

/// `make` as from a terminal, not from a test that cargo, and perhaps make, started.
fn make() -> Command {
    let mut make = Command::new("make");
    // What cargo says about our package would make ring build anew (its build script watches these), here and in every build after.
    let of_this_package =
        |name: &String| ["CARGO_PKG_", "CARGO_MANIFEST_", "MAKE"].iter().any(|own| name.starts_with(own));
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(of_this_package) {
        make.env_remove(name);
    }
    make
}

fn shell(line: &str) -> Output {
    Command::new("sh").args(["-c", line]).output().unwrap()
}

/// What a command printed.
///
/// # Panics
/// When it failed.
fn text(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
