//! The function inside the AWS Lambda Runtime Interface Emulator, which `aws-sam-cli` brings.

use super::{Server, free_ports, tool};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The bytes of an event that reach a function: Lambda refuses longer ones, the emulator cuts them off.
pub(crate) const EVENT_LIMIT_BYTES: usize = 6_291_556;

/// An emulator with one function in it, one invocation at a time as in Lambda.
pub(crate) struct Emulator {
    server: Server,
    invocations: String,
    agent: ureq::Agent,
}

/// The function under test: what `ORDINATE_BOOTSTRAP` names (`make test` builds it as it ships), or cargo's own build.
pub(crate) fn bootstrap() -> PathBuf {
    // Cargo builds it for tests of its own package alone.
    let built: Option<&str> = option_env!("CARGO_BIN_EXE_api");
    std::env::var_os("ORDINATE_BOOTSTRAP").map_or_else(|| built.expect("a test of the service").into(), PathBuf::from)
}

impl Emulator {
    /// Starts the function with these environment variables over an environment that has none of ours.
    pub(crate) fn start(environment: &[(&str, &str)]) -> Emulator {
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
        Emulator {
            server,
            invocations: format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"),
            agent,
        }
    }

    /// Sends an event; what the function answers, or what Lambda says in its place.
    pub(crate) fn invoke(&self, event: &[u8]) -> Vec<u8> {
        self.agent
            .post(&self.invocations)
            .send(event)
            .and_then(|mut answer| answer.body_mut().with_config().limit(16 << 20).read_to_vec())
            .unwrap_or_else(|error| panic!("the emulator does not answer: {error}\n{}", self.server.log()))
    }

    /// What emulator and function have printed so far.
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
