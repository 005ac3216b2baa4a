//! Output and input files: nothing is lost, overwritten, read twice or half written.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::support::{command, complained, complained_with_code, file_names, json_of, run, said, text};

/// y = 2x + 1 with a little noise, in `data.csv`.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let mut csv = "x,y\n".to_owned();
    for i in 0..40 {
        writeln!(csv, "{i},{}", 2 * i + 1 + i % 3).unwrap();
    }
    fs::write(folder.path().join("data.csv"), csv).unwrap();
    folder
}

#[rstest]
#[case("--out f --report f", "--out and --report both name f")]
#[case("--report ./f --card f", "--report and --card both name ./f")]
#[case("--out - --card -", "--out and --card both name -")]
#[case("--out - --json", "--out and --json would both be written to standard output")]
fn two_outputs_are_never_written_to_one_file(#[case] options: &str, #[case] reason: &str) {
    let folder = folder();
    let output = run(&folder, &format!("train data.csv --target y {options}"));
    assert!(complained_with_code(&output, 2).contains(reason), "{output:?}");
    assert_eq!(file_names(&folder), ["data.csv"]);
}

#[rstest]
#[case("-")]
#[case("/dev/stdout")]
fn a_model_can_go_to_standard_output(#[case] out: &str) {
    let folder = folder();
    let output = run(&folder, &format!("train data.csv --target y --out {out} --card c.md"));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["name"], "data");
    assert!(text(&output.stderr).contains("R²"), "{output:?}");
    assert_eq!(file_names(&folder), ["c.md", "data.csv"]);
}

#[test]
fn a_path_that_cannot_be_written_is_an_error_before_the_fit() {
    let folder = folder();
    let output = run(&folder, "train data.csv --target y --out m.json --card nowhere/c.md");
    assert!(complained(&output).contains("nowhere/c.md: cannot be written"), "{output:?}");
    assert_eq!((text(&output.stdout), file_names(&folder)), ("", vec!["data.csv".to_owned()]));
}

#[cfg(target_os = "linux")]
#[test]
fn results_are_printed_although_a_file_cannot_be_written() {
    let folder = folder();
    let output = run(&folder, "train data.csv --target y --out m.json --card /dev/full");
    let complaint = complained(&output);
    assert!(
        complaint.contains("/dev/full: cannot be written") && complaint.contains("note: saved m.json"),
        "{complaint}"
    );
    assert!(text(&output.stdout).contains("R²") && text(&output.stdout).contains("Saved to m.json"), "{output:?}");
    assert!(said(&run(&folder, "inspect m.json")).contains("m@1"));
}

#[cfg(target_os = "linux")]
#[rstest]
#[case("train data.csv --target y")]
#[case("completions bash")]
fn a_full_disk_behind_standard_output_is_an_error(#[case] arguments: &str) {
    let folder = folder();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(folder.path(), arguments).stdout(full).output().unwrap();
    assert!(complained(&output).contains("cannot write to standard output"), "{output:?}");
}

#[rstest]
#[case("my data (1).csv", "my-data--1")]
#[case("modèle.csv", "mod-le")]
#[case("----.csv", "model")]
fn a_model_gets_a_name_from_any_file(#[case] file: &str, #[case] name: &str) {
    let folder = folder();
    fs::rename(folder.path().join("data.csv"), folder.path().join(file)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
    let output = command.args(["train", "--target", "y", "--json", "--", file]).current_dir(folder.path()).output();
    assert_eq!(serde_json::from_str::<Value>(said(&output.unwrap())).unwrap()["name"], name);
}

#[test]
fn a_model_of_standard_input_has_a_name() {
    let folder = folder();
    let data = File::open(folder.path().join("data.csv")).unwrap();
    let output = command(folder.path(), "train - --target y --json").stdin(data).output().unwrap();
    assert_eq!(serde_json::from_str::<Value>(said(&output)).unwrap()["name"], "model");
}

/// The copy of standard input disappears with the process, however it ends.
#[cfg(target_os = "linux")]
#[rstest]
#[case("INT")]
#[case("TERM")]
#[case("KILL")]
fn standard_input_leaves_nothing_behind_after_a_signal(#[case] signal: &str) {
    let (folder, temporary) = (folder(), tempdir().unwrap());
    let mut child = command(folder.path(), "train - --target y --out m.json");
    let mut child = child.env("TMPDIR", temporary.path()).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than the buffer of a pipe, so that some of it is read.
    input.write_all(&b"x,y\n".repeat(1 << 18)).unwrap();
    let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(kill.success() && !child.wait().unwrap().success());
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn no_row_counts_twice_because_its_file_is_named_twice() {
    let folder = folder();
    let reason = "the file is given more than once";
    let twice = run(&folder, "train data.csv ./data.csv --target y");
    assert!(complained(&twice).contains(reason), "{twice:?}");
    assert!(complained(&run(&folder, "train data.csv d*.csv --target y")).contains(reason));
    said(&run(&folder, "train data.csv --target y --out m.json"));
    assert!(complained(&run(&folder, "evaluate m.json data.csv ./data.csv")).contains(reason));
}

#[test]
fn c_is_refused_for_a_numeric_target() {
    let output = run(folder(), "train data.csv --target y --c 2");
    let complaint = complained(&output);
    assert!(complaint.contains("--c applies to classes") && complaint.contains("\"y\""), "{complaint}");
}

/// Written by pandas, with a checksum a page.
const PANDAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/pandas.parquet");

#[test]
fn the_index_of_pandas_is_a_feature_only_if_it_is_named() {
    let folder = tempdir().unwrap();
    fs::copy(PANDAS, folder.path().join("data.parquet")).unwrap();
    let trained = run(&folder, "train data.parquet --target y --test-fraction 0 --out m.json");
    assert!(said(&trained).contains("Note: the row index is ignored: __index_level_0__"), "{trained:?}");
    let model = json_of(folder.path().join("m.json"));
    assert_eq!(model["signature"]["features"].as_array().unwrap().len(), 1);
    assert!(
        said(&run(&folder, "predict m.json data.parquet --quiet")).starts_with("x,y,__index_level_0__,prediction\n")
    );
    assert!(said(&run(&folder, "evaluate m.json data.parquet --quiet")).contains("12 rows"));
    let named = run(&folder, "train data.parquet --target y --features x,__index_level_0__");
    assert!(said(&named).contains("__index_level_0__") && !said(&named).contains("row index"), "{named:?}");
    assert!(!said(&run(&folder, "train data.parquet --target y --exclude __index_level_0__")).contains("row index"));
}

#[test]
fn a_flipped_bit_in_a_page_with_a_checksum_is_an_error() {
    let folder = tempdir().unwrap();
    let mut bytes = fs::read(PANDAS).unwrap();
    // The doubles 1, 2, 3 one after the other: the page of x.
    let values: Vec<u8> = [1.0_f64, 2.0, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let at = bytes.windows(values.len()).position(|window| window == values).unwrap();
    bytes[at + 6] ^= 1;
    fs::write(folder.path().join("data.parquet"), bytes).unwrap();
    let output = run(&folder, "train data.parquet --target y --out m.json");
    assert!(complained(&output).contains("data.parquet") && text(&output.stderr).contains("CRC"), "{output:?}");
    assert_eq!(file_names(&folder), ["data.parquet"]);
}

#[test]
fn a_quote_that_is_never_closed_is_an_error_with_its_line() {
    let folder = tempdir().unwrap();
    let write = |rows: usize| {
        let text = format!("x,y\n1,2\n2,\"3\n{}", "5,6\n".repeat(rows));
        fs::write(folder.path().join("data.csv"), text).unwrap();
    };
    write(5_000_000);
    let output = run(&folder, "train data.csv --target y");
    assert!(complained(&output).starts_with("error: data.csv: line 3: the row that begins here"), "{output:?}");
    fs::write(folder.path().join("fit.csv"), "x,y\n1,2\n2,3\n3,5\n4,6\n5,9\n").unwrap();
    said(&run(&folder, "train fit.csv --target y --out m.json"));
    for (data, expected) in [
        ("x,y\n1,2\n\"2,3\n5,6\n", "a quote opens here and is never closed\nhelp: close it or remove it\n"),
        ("x,y,note\n1,2,\n2,3,\"c\n3,5,d\n", "a quote opens here and is never closed\n"),
        ("x,y,note\n1,2,\n2,3,\"c\n3,5,\"d\"\n", "a quote opens here and is closed in line 4, within a field\n"),
    ] {
        fs::write(folder.path().join("data.csv"), data).unwrap();
        let commands = [
            "train data.csv --target y --test-fraction 0",
            "evaluate m.json data.csv",
            "evaluate m.json data.csv --on-error skip",
            "predict m.json data.csv --on-error skip --out out.csv",
            "predict m.json data.csv --on-error empty --out out.parquet",
            "batch data.csv out --model m.json",
        ];
        for command in commands {
            let output = run(&folder, command);
            assert!(
                complained(&output).contains(&format!("data.csv: line 3: {expected}")),
                "{command}: {}",
                complained(&output)
            );
        }
        assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 0);
        assert_eq!(file_names(&folder), ["data.csv", "fit.csv", "m.json", "out"]);
    }
    // Line ends in quotes are part of a field.
    fs::write(folder.path().join("data.csv"), "x,y,note\n1,2,\"a\n\"\"b\n\"\n2,3,\"c\"\n").unwrap();
    assert_eq!(said(&run(&folder, "batch data.csv out --model m.json --quiet")).split(' ').nth(3), Some("2"));
}

/// An interrupted process leaves the output as it was: a file of this name is complete or not there.
#[cfg(unix)]
#[rstest]
#[case::interrupted("INT", "predict m.json - --out out.csv", None)]
#[case::terminated("TERM", "predict m.json - --out out.csv", Some("before"))]
#[case::killed("KILL", "predict m.json - --out out.csv", Some("before"))]
#[case::parquet("INT", "predict m.json - --out out.csv --format parquet", Some("before"))]
fn an_interrupted_process_leaves_no_half_written_file(
    #[case] signal: &str,
    #[case] arguments: &str,
    #[case] before: Option<&str>,
) {
    let folder = folder();
    said(&run(&folder, "train data.csv --target y --out m.json"));
    let out = folder.path().join("out.csv");
    if let Some(before) = before {
        fs::write(&out, before).unwrap();
    }
    let count = file_names(&folder).len();
    let mut child = command(folder.path(), arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"x\n").unwrap();
    // More than is buffered, so that some rows are written.
    input.write_all(&b"1\n".repeat(1 << 18)).unwrap();
    let begun = Instant::now();
    while file_names(&folder).len() == count {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing is written");
        thread::sleep(Duration::from_millis(10));
    }
    Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
    assert!(!child.wait().unwrap().success());
    drop(input);
    assert_eq!(fs::read_to_string(&out).ok().as_deref(), before);
}
