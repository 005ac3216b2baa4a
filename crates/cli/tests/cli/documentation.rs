//! The documents: their commands work as printed, their links lead to files, and the map of the code names what exists.
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rstest::rstest;
use tempfile::tempdir;

use ordinate_test_support::root;

use crate::support::code_blocks;

const DOCUMENTS: [&str; 9] = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/API.md",
    "docs/ARCHITECTURE.md",
    "docs/OPERATIONS.md",
    "docs/USAGE.md",
    "docs/decisions.md",
    "docs/performance.md",
];

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap()
}

#[rstest]
#[case("README.md", 1)]
#[case("docs/USAGE.md", 12)]
#[case("docs/OPERATIONS.md", 7)]
fn documented_commands_of_ordinate_work(#[case] document: &str, #[case] least: usize) {
    let folder = tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("model"), folder.path().join("model")).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_ordinate")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut ran = 0;
    for line in code_blocks(&read(document), "sh").into_iter().flat_map(str::lines) {
        // `ordinate serve` does not end; requests are tested with docs/API.md, make elsewhere; `sam` and `aws` need an account.
        if ["ordinate serve", "curl", "make", "MODEL_URI=", "sam", "aws", "  "]
            .iter()
            .any(|other| line.starts_with(other))
            || line.contains("cut -d")
        {
            continue;
        }
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", line])
            .current_dir(folder.path())
            .env("PATH", format!("{}:{path}", programs.display()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        ran += usize::from(line.contains("ordinate "));
    }
    assert!(ran >= least, "{document}: {ran} commands");
    // Of the files that they wrote in a clone, Git ignores each.
    fs::copy(root().join(".gitignore"), folder.path().join(".gitignore")).unwrap();
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "--quiet"]);
    assert_eq!(git(&["status", "--porcelain", "--untracked-files=all"]), "?? .gitignore\n?? model\n", "{document}");
}

#[test]
fn the_model_of_the_readme_answers_its_requests() {
    let folder = tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("model"), folder.path().join("model")).unwrap();
    let ordinate = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
        command.current_dir(folder.path()).env_remove("MODEL_SHA256").env_remove("DEFAULT_MODEL");
        command
    };
    let readme = read("README.md");
    let line = |start: &str| readme.lines().find(|line| line.starts_with(start)).unwrap().split(' ').skip(1);
    assert!(ordinate().args(line("ordinate train ")).output().unwrap().status.success());
    let mut server =
        ordinate().args(line("ordinate serve ")).args(["--port", "0"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(server.stderr.take().unwrap()).read_line(&mut said).unwrap();
    let host = said.strip_prefix("Ordinate on http://").and_then(|rest| rest.split_once(';')).expect(&said).0;
    let requests = code_blocks(&readme, "sh").into_iter().find(|block| block.starts_with("curl ")).unwrap();
    let script = requests.replace("curl -s ", "curl -s --fail --write-out '\\n' ").replace("localhost:9000", host);
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).current_dir(&folder).output().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    let predicted = |line: &str| line.starts_with(r#"{"y":["#);
    assert!(answers.lines().count() == 2 && answers.lines().all(predicted), "{script}{answers}");
}

#[test]
fn the_readme_is_short() {
    assert!(read("README.md").lines().count() <= 150);
}

#[test]
fn links_lead_to_files_and_headings() {
    for document in DOCUMENTS {
        let text = read(document);
        for link in text.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0) {
            if link.contains("://") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target: PathBuf = match path {
                "" => root().join(document),
                path => root().join(document).parent().unwrap().join(path),
            };
            assert!(target.exists(), "{document}: {link}");
            let anchor =
                |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-").replace('?', "");
            let found = || {
                let text = fs::read_to_string(&target).unwrap();
                text.lines().any(|line| line.starts_with('#') && anchor(line) == heading)
            };
            assert!(heading.is_empty() || found(), "{document}: {link}");
        }
    }
}

#[test]
fn the_map_names_files_that_exist() {
    let places = ["crates/", "src/", "tests/", "web/", "tools/", "docs/", "events"];
    for document in ["docs/ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = read(document);
        let quoted =
            text.split('`').skip(1).step_by(2).filter(|name| places.iter().any(|place| name.starts_with(place)));
        let missing: Vec<&str> = quoted.filter(|name| !name.contains(' ') && !root().join(name).exists()).collect();
        assert_eq!(missing, [""; 0], "{document}");
    }
}
