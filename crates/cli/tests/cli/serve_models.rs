//! `ordinate serve` and the commands that `ordinate train` prints for it, pasted into a shell as a user would.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rstest::rstest;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::support::{command, complained, succeeded, text};

/// Variables of the function that would change what is served.
const VARIABLES: [&str; 6] = ["MODEL_URI", "MODEL_SHA256", "DEFAULT_MODEL", "BASE_PATH", "MAX_ROWS", "RUST_LOG"];

/// A running `ordinate serve`.
struct Server {
    process: Child,
    /// Its address: `http://localhost:12345`.
    url: String,
    /// The curl line that it printed once it was ready.
    curl: String,
}

impl Server {
    /// Starts a command that serves on a free port, and waits until it is ready.
    fn start(mut command: Command) -> Self {
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines: Vec<String> = BufReader::new(process.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap)
            .scan(false, |done, line| {
                let more = !*done;
                *done = line.starts_with("  curl ");
                more.then_some(line)
            })
            .collect();
        let said = lines.join("\n");
        let url = said.strip_prefix("Ordinate on ").and_then(|rest| rest.split_once(';')).expect(&said).0.to_owned();
        assert!(said.contains("\nReady. Try:\n"), "{said}");
        Self { process, url, curl: lines.last().unwrap().trim().to_owned() }
    }

    fn get(&self, path: &str) -> Value {
        serde_json::from_str(
            &ureq::get(format!("{}{path}", self.url)).call().unwrap().body_mut().read_to_string().unwrap(),
        )
        .unwrap()
    }

    /// The names of the served models, the default first.
    fn models(&self) -> Vec<String> {
        let list = self.get("/models");
        list["models"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command(folder, "serve --port 0");
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn shell(folder: &Path, line: &str) -> Command {
    let mut shell = Command::new("bash");
    for name in VARIABLES {
        shell.env_remove(name);
    }
    shell.args(["-euo", "pipefail", "-c", line]).current_dir(folder);
    shell
}

/// The predictions that a curl line prints.
fn predictions(line: &str) -> Value {
    let output = shell(Path::new("/"), line).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["y"].clone()
}

/// Two models called `line` and `double`, in a folder with a name that shells treat specially.
fn folder() -> (TempDir, PathBuf) {
    let parent = tempdir().unwrap();
    let folder = parent.path().join("it's a $HOME (1)");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("line.csv"), "x,y\n1,3\n2,5\n3,7\n4,9\n").unwrap();
    fs::write(folder.join("double.csv"), "weight,price\n1,2\n2,4\n3,6\n4,8\n").unwrap();
    for (name, target) in [("line", "y"), ("double", "price")] {
        let arguments = format!("train {name}.csv --target {target} --test-fraction 0 --out {name}.json");
        succeeded(&command(&folder, &arguments).output().unwrap());
    }
    (parent, folder)
}

/// The commands at the end of the output of training: to serve and to predict.
fn commands(output: &Output) -> [String; 2] {
    let said = succeeded(output);
    let commands: Vec<&str> = said.lines().rev().take(2).map(|line| line.strip_prefix("  ").expect(said)).collect();
    [commands[1].to_owned(), commands[0].to_owned()]
}

#[test]
fn the_commands_after_training_work_from_any_folder() {
    let (_parent, folder) = folder();
    let arguments = "train double.csv --target price --test-fraction 0 --name it.s --out";
    let output = command(&folder, arguments).arg("a \"quoted\" model's file.json").output().unwrap();
    let [serving, asking] = commands(&output);
    let server = Server::start(shell(Path::new("/"), &format!("exec {serving} --port 0")));
    assert_eq!(server.models(), ["it.s"]);
    let here = server.url.strip_prefix("http://").unwrap();
    let asking = asking.replace("localhost:9000", here);
    // The server prints the same command for the default model.
    assert_eq!(asking, server.curl);
    let asked = predictions(&asking);
    // The row is one of the model's examples, and the price is twice the weight.
    let row = server.get("/models/it.s")["examples"][0].clone();
    assert_eq!(asked.as_array().unwrap().len(), 1);
    assert!((asked[0].as_f64().unwrap() - 2.0 * row["weight"].as_f64().unwrap()).abs() < 1e-9, "{asked} {row}");
}

#[test]
fn the_commands_after_training_name_the_program_as_it_was_called() {
    let (_parent, folder) = folder();
    let programs = Path::new(env!("CARGO_BIN_EXE_ordinate")).parent().unwrap();
    let train = "train line.csv --target y --test-fraction 0 --out line.json";
    let on_the_path = shell(&folder, &format!("PATH={}:$PATH ordinate {train}", programs.display())).output().unwrap();
    assert!(commands(&on_the_path)[0].starts_with("ordinate serve "));
    let by_its_path = command(&folder, train).output().unwrap();
    let called = commands(&by_its_path)[0].clone();
    assert!(called.starts_with(&format!("{} serve ", programs.join("ordinate").display())), "{called}");
}

#[test]
fn a_model_on_standard_output_is_not_served_by_a_printed_command() {
    let (_parent, folder) = folder();
    let output = command(&folder, "train line.csv --target y --test-fraction 0 --out -").output().unwrap();
    assert!(!String::from_utf8(output.stderr).unwrap().contains("serve"));
}

#[rstest]
#[case::bundled(&[], &["line", "diabetes", "iris", "breast-cancer"])]
#[case::a_file(&["double.json"], &["double"])]
#[case::several(&["double.json", "bundled:iris", "line.json"], &["double", "iris", "line"])]
fn the_models_of_the_arguments_are_served_and_the_first_is_the_default(
    #[case] arguments: &[&str],
    #[case] models: &[&str],
) {
    let (_parent, folder) = folder();
    let server = Server::start(serve(&folder, arguments));
    assert_eq!(server.models(), models);
    // The curl line is for the default model.
    let authority = server.url.strip_prefix("http://").unwrap();
    assert!(authority.starts_with("localhost:"), "{authority}");
    let request = format!("curl -s {authority}/models/{}/predict -d ", models[0]);
    assert!(server.curl.starts_with(&request), "{}", server.curl);
    assert_eq!(predictions(&server.curl).as_array().unwrap().len(), 1);
    for name in models {
        assert_eq!(server.get(&format!("/models/{name}"))["name"], **name);
    }
}

#[test]
fn a_file_may_be_named_by_its_address() {
    let (_parent, folder) = folder();
    let address = url::Url::from_file_path(folder.join("double.json")).unwrap();
    let server = Server::start(serve(&folder, &[address.as_str()]));
    assert_eq!(server.models(), ["double"]);
}

#[rstest]
#[case("double.json")]
#[case("./../it's a $HOME (1)/double.json")]
fn model_uri_may_be_a_relative_path(#[case] path: &str) {
    let (_parent, folder) = folder();
    let mut command = serve(&folder, &[]);
    command.env("MODEL_URI", path);
    assert_eq!(Server::start(command).models(), ["double"]);
}

#[rstest]
#[case::no_such_file("nope.json", &[], "/nope.json: no such file\nhelp: use a model file written by `ordinate train --out`\n")]
#[case::not_a_model("line.csv", &[], "\nhelp: use a model file written by `ordinate train --out`\n")]
#[case::another_name("line.json", &[("DEFAULT_MODEL", "lime")], "\nhelp: serve the model of that name, or set DEFAULT_MODEL=line\n")]
fn a_local_model_of_model_uri_that_cannot_be_served_ends_the_command(
    #[case] path: &str,
    #[case] variables: &[(&str, &str)],
    #[case] reason: &str,
) {
    let (_parent, folder) = folder();
    let mut command = serve(&folder, &[]);
    let output = command.env("MODEL_URI", path).envs(variables.iter().copied()).output().unwrap();
    let error = complained(&output);
    assert!(error.starts_with("error: MODEL_URI: file:///") && error.ends_with(reason), "{error}");
    assert!(!error.contains("No such file") && !error.contains("Ordinate on"), "{error}");
}

#[test]
fn the_advice_on_a_checksum_or_name_that_does_not_match_helps() {
    let (_parent, folder) = folder();
    for (variable, value) in [("MODEL_SHA256", "0".repeat(64)), ("DEFAULT_MODEL", "lime".to_owned())] {
        let start = |value: &str| {
            let mut command = serve(&folder, &[]);
            command.env("MODEL_URI", "line.json").env(variable, value);
            command
        };
        let output = start(&value).output().unwrap();
        let error = complained(&output);
        let advised = error.trim_end().rsplit_once(&format!(", or set {variable}=")).expect(error).1;
        assert_eq!(Server::start(start(advised)).models(), ["line"]);
    }
}

#[rstest]
#[case::without_models(&[])]
#[case::with_a_model(&["line.json"])]
fn a_port_in_use_ends_the_command_before_a_model_is_loaded_and_the_advised_port_is_free(#[case] models: &[&str]) {
    let (_parent, folder) = folder();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let start = |port: &str| {
        let mut serve = command(&folder, "serve --port");
        for name in VARIABLES {
            serve.env_remove(name);
        }
        serve.arg(port).args(models);
        serve
    };
    let output = start(&port).output().unwrap();
    let error = complained(&output);
    assert!(error.starts_with(&format!("error: cannot listen on 127.0.0.1:{port}: ")), "{error}");
    assert_eq!(text(&output.stdout), "", "a model was loaded");
    let advice = "\nhelp: stop the other server, or use another port: --port ";
    let free = error.trim_end().rsplit_once(advice).expect(error).1;
    let server = Server::start(start(free));
    assert_eq!(server.url, format!("http://localhost:{free}"));
}

#[test]
fn arguments_come_before_model_uri_and_default_model_chooses_among_them() {
    let (_parent, folder) = folder();
    let mut command = serve(&folder, &["line.json", "double.json"]);
    command.env("MODEL_URI", "nowhere.json").env("DEFAULT_MODEL", "double");
    assert_eq!(Server::start(command).models(), ["double", "line"]);
}

#[rstest]
#[case(&["line.json", "line"], &[], "line: the model has the same name as the model of line.json: \"line\"\nhelp: serve one of them, ")]
#[case(&["line.json", "line.json"], &[], "line.json: the model has the same name as the model of line.json: \"line\"\n")]
#[case(&["line.csv"], &[], "/line.csv: ")]
#[case(&["nowhere.json"], &[], "nowhere.json: no such file, and no bundled model of this name")]
#[case(&["line.json"], &[("DEFAULT_MODEL", "lime")], "DEFAULT_MODEL: expected line, got \"lime\"")]
#[case(&["line.json"], &[("MODEL_SHA256", "abc")], "MODEL_SHA256: applies to the model of MODEL_URI only, and the models are arguments, got \"abc\"")]
fn models_that_cannot_be_served_end_the_command(
    #[case] arguments: &[&str],
    #[case] variables: &[(&str, &str)],
    #[case] reason: &str,
) {
    let (_parent, folder) = folder();
    let output = serve(&folder, arguments).envs(variables.iter().copied()).output().unwrap();
    let error = complained(&output);
    assert!(error.starts_with("error: ") && error.contains(reason), "{error}");
}

/// Two models of one name can be served once one of them has another name.
#[test]
fn the_advice_on_two_models_of_one_name_helps() {
    let (_parent, folder) = folder();
    let arguments = "train line.csv --target y --test-fraction 0 --name mine --out mine.json";
    succeeded(&command(&folder, arguments).output().unwrap());
    assert_eq!(Server::start(serve(&folder, &["line", "mine.json"])).models(), ["line", "mine"]);
}
