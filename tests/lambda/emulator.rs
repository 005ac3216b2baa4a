//! The function in the AWS Lambda Runtime Interface Emulator, which is part of `aws-sam-cli`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ordinate_test_support::{Server, free_ports, tool};

/// The maximum length of an event in bytes. Lambda rejects longer events, the emulator truncates them.
pub(crate) const EVENT_LIMIT_BYTES: usize = 6_291_556;

/// An emulator with the function, which handles one invocation at a time as on Lambda.
pub(crate) struct Emulator {
    server: Server,
    invocations: String,
    agent: ureq::Agent,
}

/// The function to test: the file in `ORDINATE_BOOTSTRAP`, which `make test` sets to the release build, or Cargo's
/// build.
fn bootstrap() -> PathBuf {
    std::env::var_os("ORDINATE_BOOTSTRAP").map_or_else(|| env!("CARGO_BIN_EXE_api").into(), PathBuf::from)
}

impl Emulator {
    /// Starts the function with these environment variables and none of its other variables.
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        let [port, runtime_port] = free_ports();
        let mut command = Command::new(emulator());
        command
            .args(["--runtime-interface-emulator-address", &format!("127.0.0.1:{port}")])
            .args(["--runtime-api-address", &format!("127.0.0.1:{runtime_port}")])
            .arg(bootstrap())
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "10");
        for name in ["MODEL_URI", "MODEL_SHA256", "DEFAULT_MODEL", "MAX_ROWS", "MAX_BODY_BYTES", "BASE_PATH"] {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied());
        let server = Server::start(&command);
        server.await_port(port, Duration::from_secs(30));
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .into();
        Self {
            server,
            invocations: format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"),
            agent,
        }
    }

    /// Sends an event, and returns the response of the function or an error of the emulator.
    pub(crate) fn invoke(&self, event: &[u8]) -> Vec<u8> {
        self.agent
            .post(&self.invocations)
            .send(event)
            .and_then(|mut response| response.body_mut().with_config().limit(16 << 20).read_to_vec())
            .unwrap_or_else(|error| panic!("no response from the emulator: {error}\n{}", self.server.log()))
    }

    /// The output of emulator and function so far.
    pub(crate) fn log(&self) -> String {
        self.server.log()
    }
}

fn emulator() -> PathBuf {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    tool("lib")
        .read_dir()
        .unwrap()
        .map(|python| {
            python.unwrap().path().join(format!("site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}"))
        })
        .find(|path| path.exists())
        .expect("aws-sam-cli is in .venv/: run `make setup`")
}
