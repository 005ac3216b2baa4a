//! `ordinate serve` and `ordinate health` in a container: addresses from the environment, and the image's file system.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use ordinate_test_support::{Server, free_ports, root};
use rstest::rstest;

use crate::serve::Served;

const ORDINATE: &str = env!("CARGO_BIN_EXE_ordinate");

/// The libraries of gcr.io/distroless/cc-debian12 that a Rust program can need.
const LIBRARIES: [&str; 7] =
    ["libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"];

fn health(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(ORDINATE);
    command.arg("health").args(arguments).env_remove("HOST").env_remove("PORT").env_remove("AIP_HTTP_PORT");
    command.envs(environment.iter().copied()).output().unwrap()
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn health_reports_whether_the_server_is_ready() {
    let served = Served::start(&[]);
    assert!(health(&[&served.base], &[]).status.success());
    assert!(health(&[], &[("PORT", &served.port().to_string()), ("HOST", "0.0.0.0")]).status.success());
    assert!(error(&health(&[&format!("{}/nowhere", served.base)], &[])).contains("404"));
    let [closed] = free_ports();
    assert!(error(&health(&[&format!("http://127.0.0.1:{closed}")], &[])).contains("refused"));
    assert!(health(&[&served.base.replace("http", "HTTP")], &[]).status.success());
    for url in ["https://localhost", "http://localhost?a=1", "http://localhost#a"] {
        assert!(error(&health(&[url], &[])).contains("expected a URL that starts with http://, without a query"));
    }
    let missing = Served::start(&[
        ("MODEL_URI", "s3://bucket/model.json"),
        ("AWS_ENDPOINT_URL_S3", &format!("http://127.0.0.1:{closed}")),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
    ]);
    assert!(error(&health(&[&missing.base, "--timeout", "20"], &[])).contains("503"));
}

#[rstest]
#[case::port(&["PORT"])]
#[case::vertex_ai(&["AIP_HTTP_PORT"])]
fn the_port_is_that_of_the_environment(#[case] variables: &[&str]) {
    let [port] = free_ports();
    let mut command = Command::new(ORDINATE);
    command.arg("serve").env("HOST", "127.0.0.1");
    for variable in variables {
        command.env(variable, port.to_string());
    }
    let server = Server::start(&command);
    server.await_port(port, Duration::from_secs(10));
}

/// The paths of the libraries that a program loads.
fn libraries(program: &str) -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    paths.map(PathBuf::from).collect()
}

fn copy(file: &Path, folder: &Path) {
    let to = folder.join(file.strip_prefix("/").unwrap());
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(file, &to).unwrap();
}

/// The file system of the image: the program, and the libraries of its base image.
fn image() -> tempfile::TempDir {
    let image = tempfile::tempdir().unwrap();
    for library in libraries(ORDINATE) {
        let name = library.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(LIBRARIES.contains(&name.as_str()), "{name} is not in the base image");
        copy(&library, image.path());
    }
    fs::copy(ORDINATE, image.path().join("ordinate")).unwrap();
    image
}

/// A command in the image, as the user `nonroot` (65532) of the base image, without write permission.
fn contained(image: &Path, arguments: &[&str]) -> Command {
    fs::set_permissions(image, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=65532", "--map-group=65532", "--root"]).arg(image).arg("/ordinate");
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command
}

#[test]
fn the_image_runs_without_root_and_without_a_writable_file_system() {
    let image = image();
    let [port] = free_ports();
    let port_text = port.to_string();
    let mut command = contained(image.path(), &["serve"]);
    let server = Server::start(command.env("HOST", "0.0.0.0").env("PORT", &port_text));
    server.await_port(port, Duration::from_secs(20));
    let started = Instant::now();
    let output = contained(image.path(), &["health"]).env("PORT", &port_text).output().unwrap();
    assert!(output.status.success(), "{output:?}\n{}", server.log());
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_container_of_sagemaker_serves_the_model_of_its_folder() {
    let image = image();
    let model = root().join("model/iris.json");
    fs::create_dir_all(image.path().join("opt/ml/model")).unwrap();
    let [port] = free_ports();
    let port = port.to_string();
    let output = contained(image.path(), &["serve"]).env("PORT", &port).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("/opt/ml/model has no model file"), "{output:?}");
    fs::copy(model, image.path().join("opt/ml/model/m.json")).unwrap();
    let server = Server::start(contained(image.path(), &["serve"]).env("PORT", &port));
    server.await_port(port.parse().unwrap(), Duration::from_secs(20));
    // Without PORT, both use the port of SageMaker; a container has a network of its own.
    let health = contained(image.path(), &["health"]).output().unwrap();
    assert!(String::from_utf8_lossy(&health.stderr).contains("127.0.0.1:8080"), "{health:?}");
    let url = format!("http://127.0.0.1:{port}/invocations");
    let mut answer = ureq::post(url).content_type("text/csv").send("5.1,3.5,1.4,0.2\n").unwrap();
    assert!(answer.body_mut().read_to_string().unwrap().contains("setosa"));
}

#[test]
fn the_image_is_built_with_the_compiler_of_the_workspace() {
    let dockerfile = fs::read_to_string(root().join("Dockerfile")).unwrap();
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version = workspace.split_once("rust-version = \"").unwrap().1.split('"').next().unwrap();
    assert!(dockerfile.contains(&format!("FROM rust:{version}-")), "{version}");
}
