//! `ordinate serve` as a process of its own, and its callers.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ordinate_test_support::{Server, free_ports};
use serde_json::Value;

/// The longest that a caller may wait, a second less than the time limit of the function.
pub(crate) const LONGEST: Duration = Duration::from_secs(9);

/// The response to a caller.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The code of an error.
    pub(crate) code: String,
    /// Whether a header advises to send the request again.
    pub(crate) retry: bool,
    /// The model, as `name@version`.
    pub(crate) model: String,
    pub(crate) elapsed: Duration,
}

impl Answer {
    /// Status, code and advice: `200`, or `503 model_unavailable, Retry-After`.
    pub(crate) fn outcome(&self) -> String {
        let code = if self.code.is_empty() { String::new() } else { format!(" {}", self.code) };
        format!("{}{code}{}", self.status, if self.retry { ", Retry-After" } else { "" })
    }
}

/// A running server.
pub(crate) struct Served {
    server: Server,
    url: String,
    agent: ureq::Agent,
}

impl Served {
    /// Starts `ordinate serve` with these variables. `wrapper` is a command that runs it.
    pub(crate) fn start(wrapper: &[String], variables: &[(&str, &str)]) -> Self {
        let [port] = free_ports();
        let arguments = [env!("CARGO_BIN_EXE_ordinate"), "serve", "--port", &port.to_string()].map(str::to_owned);
        let mut words = wrapper.iter().chain(&arguments);
        let mut command = Command::new(words.next().unwrap());
        command.args(words);
        for variable in ["MODEL_SHA256", "BASE_PATH", "MAX_ROWS", "RUST_LOG", "AWS_SESSION_TOKEN"] {
            command.env_remove(variable);
        }
        command.env("MODEL_REFRESH_SECONDS", "1").env("DEFAULT_MODEL", "line").envs(variables.iter().copied());
        let server = Server::start(&command);
        server.await_port(port, Duration::from_secs(30));
        let agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(30)));
        Self { server, url: format!("http://127.0.0.1:{port}"), agent: agent.build().into() }
    }

    /// Predicts with the model at a path such as `/models/price/predict`.
    pub(crate) async fn call(&self, path: &str) -> Answer {
        let (agent, url) = (self.agent.clone(), format!("{}{path}", self.url));
        let calling = move || {
            let started = Instant::now();
            let mut response = agent.post(&url).send(r#"{"X":[1]}"#).unwrap_or_else(|error| panic!("{url}: {error}"));
            let body = response.body_mut().read_to_string().unwrap();
            let elapsed = started.elapsed();
            let status = response.status().as_u16();
            let body: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
            assert!(status != 200 || body["y"][0] == 3.0, "{body}");
            let header =
                |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            let code = body["code"].as_str().unwrap_or_default().to_owned();
            let retry = response.headers().contains_key("retry-after");
            Answer { status, code, retry, model: header("x-ordinate-model"), elapsed }
        };
        // Waiting for a server that does not answer in time is the failure that this suite looks for.
        let answer = tokio::task::spawn_blocking(calling).await.unwrap();
        assert!(answer.elapsed < LONGEST, "{path}: {answer:?}\n{}", self.server.log());
        answer
    }

    /// Ten calls at once.
    pub(crate) async fn calls(self: &Arc<Self>, path: &'static str) -> Vec<Answer> {
        let call = |_| {
            let served = self.clone();
            tokio::spawn(async move { served.call(path).await })
        };
        let mut answers = Vec::new();
        for call in (0..10).map(call).collect::<Vec<_>>() {
            answers.push(call.await.unwrap());
        }
        answers
    }

    /// Asserts that nothing panicked.
    pub(crate) fn check_log(&self) {
        let log = self.server.log();
        assert!(!log.contains("panicked"), "{log}");
    }

    pub(crate) fn log(&self) -> String {
        self.server.log()
    }
}
