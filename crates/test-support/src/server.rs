//! A server as a child process of the test.

use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::root;

/// A server that runs until this value is dropped or the test process ends.
#[derive(Debug)]
pub struct Server {
    // The shell reads a pipe from the test process. When the pipe is closed, it stops the server.
    shell: Child,
    log: tempfile::NamedTempFile,
}

/// Starts `"$@"`, waits for the end of standard input, and then stops the server: with SIGTERM, so that it can stop its
/// own children, and after five seconds with SIGKILL.
const SUPERVISE: &str = r#"
"$@" </dev/null & pid=$!
cat >/dev/null
kill $pid
for _ in $(seq 50); do kill -0 $pid 2>/dev/null || exit 0; sleep 0.1; done
kill -9 $pid
"#;

impl Server {
    /// Starts a command in the root of the repository. [`Server::log`] returns its output.
    pub fn start(command: &Command) -> Self {
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
        Self { shell, log }
    }

    /// Waits until the server accepts connections on a port of loopback.
    ///
    /// # Panics
    /// After `limit`, with the output of the server.
    pub fn await_port(&self, port: u16, limit: Duration) {
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < limit, "port {port} is still closed after {limit:?}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The output of the server so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log.path()).unwrap()).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing standard input stops the server; waiting ensures that it has stopped when the test ends.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
        if std::thread::panicking() {
            eprintln!("output of the server:\n{}", self.log());
        }
    }
}
