//! What several tests need: the repository's own places, free ports, and servers that die with the test.
// Each test binary compiles this module and uses its own part of it.
#![allow(dead_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) mod in_process;
pub(crate) mod model_file;
pub(crate) mod proxy;
pub(crate) mod rie;
pub(crate) mod s3_server;
pub(crate) mod wire;

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    crates.into_iter().find(|folder| folder.join("Cargo.lock").exists()).expect("this is a workspace")
}

/// A tool that `make setup` installs into `.venv/`, by its path there.
///
/// # Panics
/// With what to do, when it is not there.
pub(crate) fn tool(path: &str) -> PathBuf {
    let path = root().join(".venv").join(path);
    assert!(path.exists(), "{} is missing: run `make setup`", path.display());
    path
}

/// Loopback ports that nobody listens on, all different.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    // All are held before the first is let go, so that no two are the same.
    let held = [(); COUNT].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    held.each_ref().map(|listener| listener.local_addr().unwrap().port())
}

/// A server that runs until this value is dropped, or until this process ends in whatever way.
pub(crate) struct Server {
    // A shell between us and the server reads our end of a pipe: when we are gone it reads the end, and stops the server.
    shell: Child,
    log: tempfile::NamedTempFile,
}

/// Starts `"$@"`, waits for the end of standard input, then stops it: kindly, so that it can stop its own children, and
/// for certain after five seconds.
const SUPERVISE: &str = r#"
"$@" </dev/null & pid=$!
cat >/dev/null
kill $pid
for _ in $(seq 50); do kill -0 $pid 2>/dev/null || exit 0; sleep 0.1; done
kill -9 $pid
"#;

impl Server {
    /// Starts a command in the repository's root; what it prints is kept for [`Server::log`].
    pub(crate) fn start(command: &Command) -> Server {
        let log = tempfile::NamedTempFile::new().unwrap();
        // One handle for both streams: two would overwrite each other.
        let output = log.reopen().unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", SUPERVISE, "sh"]).arg(command.get_program()).args(command.get_args()).current_dir(root());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let shell =
            shell.stdin(Stdio::piped()).stdout(output.try_clone().unwrap()).stderr(output).spawn().expect("sh starts");
        Server { shell, log }
    }

    /// Waits until the server accepts connections on a loopback port.
    ///
    /// # Panics
    /// When it does not within the given time; shows what it printed.
    pub(crate) fn await_port(&self, port: u16, patience: Duration) {
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < patience, "nothing listens on port {port} after {patience:?}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the server has printed so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log.path()).unwrap()).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing standard input is the sign to stop; waiting means that nothing is left when the test is over.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
        if std::thread::panicking() {
            eprintln!("what the server printed:\n{}", self.log());
        }
    }
}
