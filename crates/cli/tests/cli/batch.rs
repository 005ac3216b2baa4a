//! `ordinate batch`: files, folders and objects in S3, each into an output of its own.

use std::fs;
use std::io::Write as _;

use ordinate_test_support::s3_server::S3Server;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    SIDES_ROWS, command, complained, complained_with_code, folder_with, read, run, said, sides, succeeded,
};

/// A folder with a model and inputs of each format.
fn inputs() -> TempDir {
    let folder = folder_with(&[("sides.json", &sides())]);
    let path = folder.path();
    fs::create_dir_all(path.join("in/more")).unwrap();
    fs::write(path.join("in/a.csv"), "side,length\nleft,1\nright,-3.5\n").unwrap();
    fs::write(path.join("in/more/b.jsonl"), "{\"side\": \"left\", \"length\": 1}\n").unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(SIDES_ROWS.as_bytes()).unwrap();
    fs::write(path.join("in/more/c.csv.gz"), gzip.finish().unwrap()).unwrap();
    for (name, content) in [("_SUCCESS", ""), (".hidden.csv", "x"), ("notes.md", "x")] {
        fs::write(path.join("in").join(name), content).unwrap();
    }
    let parquet = "predict sides.json in/a.csv --column earlier --out in/d.parquet";
    succeeded(&run(path, parquet));
    folder
}

fn summary(folder: &TempDir, arguments: &str) -> Value {
    serde_json::from_str(succeeded(&run(folder, &format!("batch {arguments} --json")))).unwrap()
}

#[test]
fn each_file_of_a_folder_is_scored_as_predict_does() {
    let folder = inputs();
    let output = run(&folder, "batch in out --model sides.json --probabilities");
    assert_eq!(said(&output), "4 files with 10 rows scored by sides@3: out\n");
    let expected = run(&folder, "predict sides.json in/a.csv --probabilities");
    assert_eq!(read(&folder, "out/a.csv"), said(&expected));
    let expected = run(&folder, "predict sides.json in/more/c.csv.gz --probabilities");
    let mut gzip = flate2::read::GzDecoder::new(fs::File::open(folder.path().join("out/more/c.csv.gz")).unwrap());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut gzip, &mut text).unwrap();
    assert_eq!(text, said(&expected));
    let line: Value = serde_json::from_str(&read(&folder, "out/more/b.jsonl")).unwrap();
    assert_eq!((&line["side"], &line["prediction"]), (&"left".into(), &"plum".into()));
    assert!(line["probability_plum"].is_number(), "{line}");
    succeeded(&run(&folder, "predict sides.json in/d.parquet --probabilities --out expected.parquet"));
    assert!(
        fs::read(folder.path().join("out/d.parquet")).unwrap()
            == fs::read(folder.path().join("expected.parquet")).unwrap()
    );
}

#[test]
fn a_run_that_is_repeated_scores_what_changed() {
    let folder = inputs();
    let first = summary(&folder, "in out --model sides.json");
    assert_eq!((&first["written"], &first["unchanged"]), (&4.into(), &0.into()));
    let again = summary(&folder, "in out --model sides.json");
    assert_eq!((&again["written"], &again["unchanged"], &again["rows"]), (&0.into(), &4.into(), &0.into()));
    assert_eq!((&again["files"][0]["rejected"], &again["files"][1]["rejected"]), (&0.into(), &0.into()));
    fs::write(folder.path().join("in/a.csv"), "side,length\nleft,1\n").unwrap();
    fs::remove_file(folder.path().join("out/d.parquet")).unwrap();
    fs::write(folder.path().join("out/more/b.jsonl"), "edited").unwrap();
    // A line that was interrupted.
    let journal = folder.path().join("out/.ordinate-batch.jsonl");
    fs::OpenOptions::new().append(true).open(&journal).unwrap().write_all(b"{\"output\": \"a.c").unwrap();
    let changed = summary(&folder, "in out --model sides.json");
    assert_eq!((&changed["written"], &changed["unchanged"]), (&3.into(), &1.into()));
    assert_eq!(read(&folder, "out/a.csv").lines().count(), 2);
    // Other columns are other outputs.
    let columns = summary(&folder, "in out --model sides.json --warnings");
    assert_eq!(columns["written"], 4);
    assert_eq!(summary(&folder, "in out --model sides.json --warnings")["unchanged"], 4);
}

#[test]
fn rejected_rows_are_listed_in_a_side_file() {
    let folder = folder_with(&[("sides.json", &sides()), ("rows.csv", "side,length\nleft,long\nright,2\n")]);
    let output = run(&folder, "batch rows.csv out --model sides.json");
    let expected = "1 file with 1 row scored by sides@3: out\n\
                    rows.csv: 1 row rejected, see out/rows.csv.rejected.jsonl\n";
    assert_eq!(said(&output), expected);
    let side = read(&folder, "out/rows.csv.rejected.jsonl");
    assert_eq!(
        side,
        "{\"row\":2,\"column\":\"length\",\"reason\":\"expected a number, got \\\"long\\\"\",\
         \"input\":[\"left\",\"long\"]}\n"
    );
    // A repeated run has not forgotten them.
    let again = run(&folder, "batch rows.csv out --model sides.json");
    let expected = "0 files with 0 rows scored by sides@3, 1 unchanged: out\n\
                    rows.csv: 1 row rejected, see out/rows.csv.rejected.jsonl\n";
    assert_eq!(said(&again), expected);
    let again = summary(&folder, "rows.csv out --model sides.json");
    assert_eq!((&again["rejected"], &again["files"][0]["rejected"]), (&1.into(), &1.into()));
}

#[test]
fn a_file_that_fails_does_not_stop_the_others() {
    let folder = inputs();
    fs::write(folder.path().join("in/bad.csv"), "other\n1\n").unwrap();
    let output = run(&folder, "batch in out --model sides.json --json");
    let message = complained(&output);
    assert!(message.contains("in/bad.csv") && message.contains("length"), "{message}");
    assert!(message.ends_with("error: 1 of 5 files not scored\n"), "{message}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["written"], &summary["failed"]), (&4.into(), &1.into()));
    assert!(!folder.path().join("out/bad.csv").exists());
    assert!(summary["files"][1]["has_earlier_output"].is_null());
    // An output of an earlier version is kept, and reported.
    fs::write(folder.path().join("in/a.csv"), "side,length\n\"left,1\n").unwrap();
    let output = run(&folder, "batch in out --model sides.json --json");
    let message = complained(&output);
    assert!(message.contains("in/a.csv: line 2: a quote opens here and is never closed\n"), "{message}");
    assert!(message.contains("\nnote: out/a.csv is the output of an earlier run\n"), "{message}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&summary["files"][0]["outcome"], &summary["files"][0]["has_earlier_output"]),
        (&"failed".into(), &true.into())
    );
    assert_eq!(read(&folder, "out/a.csv").lines().count(), 3);
}

#[test]
fn wrong_places_are_errors_with_advice() {
    let folder = inputs();
    for (arguments, expected) in [
        ("in in/out --model sides.json", "OUT is in the place of IN"),
        ("in/a.csv in --model sides.json", "OUT is in the place of IN"),
        ("in s3://bucket/out --model sides.json", "help: end it with a slash: s3://bucket/out/"),
        ("nowhere out --model sides.json", "nowhere: cannot be read"),
        ("in out --model iris --mean-interval 0.9", "--mean-interval needs a regression model"),
        ("in out --model diabetes --probabilities", "--probabilities needs a classification model"),
    ] {
        let output = run(&folder, &format!("batch {arguments}"));
        assert!(complained(&output).contains(expected), "{arguments}: {}", complained(&output));
    }
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert!(complained(&run(&folder, "batch empty out --model sides.json")).contains("no files with rows"));
    complained_with_code(&run(&folder, "batch in out"), 2);
}

/// Also through links, `..` and the folder above.
#[cfg(unix)]
#[test]
fn no_input_is_overwritten() {
    let folder = inputs();
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink(at("in"), at("link")).unwrap();
    let own = folder.path().file_name().unwrap().to_str().unwrap().to_owned();
    fs::create_dir_all(at("up/a/a")).unwrap();
    for name in ["up/a/x.csv", "up/a/a/x.csv"] {
        fs::copy(at("in/a.csv"), at(name)).unwrap();
    }
    let before = fs::read(at("in/a.csv")).unwrap();
    for places in
        [format!("../{own}/in in"), "in link".into(), "link in".into(), "up/a up".into(), "in/a.csv link".into()]
    {
        let output = run(&folder, &format!("batch {places} --model sides.json"));
        assert!(complained(&output).contains("OUT is in the place of IN"), "{places}: {}", complained(&output));
    }
    for name in ["in/a.csv", "up/a/x.csv"] {
        assert_eq!(fs::read(at(name)).unwrap(), before, "{name}");
    }
    // Next to the input, and above it without a file of the same name.
    for places in ["in in/../out", "up/a/a up"] {
        said(&run(&folder, &format!("batch {places} --model sides.json --quiet")));
    }
}

#[test]
fn a_prefix_in_s3_is_scored_into_another() {
    let folder = inputs();
    let server = S3Server::shared();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        server.put("batch", "cli/in/a.csv", "side,length\nleft,1\nright,-3.5\n").await;
        server.put("batch", "cli/in/more/d.parquet", fs::read(folder.path().join("in/d.parquet")).unwrap()).await;
    });
    let batch = |arguments: &str| {
        let mut command = command(folder.path(), &format!("batch {arguments} --model sides.json --json"));
        command.env("AWS_ACCESS_KEY_ID", "administrator").env("AWS_SECRET_ACCESS_KEY", "administrator-secret");
        command.env("AWS_ENDPOINT_URL_S3", format!("http://{}", server.address()));
        serde_json::from_str::<Value>(succeeded(&command.output().unwrap())).unwrap()
    };
    let first = batch("s3://batch/cli/in/ s3://batch/cli/out/");
    assert_eq!((&first["written"], &first["rows"]), (&2.into(), &4.into()));
    assert_eq!(first["files"][0]["output"], "s3://batch/cli/out/a.csv");
    assert_eq!(batch("s3://batch/cli/in/ s3://batch/cli/out/")["unchanged"], 2);
    // From there to this machine, and back.
    assert_eq!(batch("s3://batch/cli/in/ local")["written"], 2);
    assert_eq!(batch("s3://batch/cli/in/ local")["unchanged"], 2);
    assert_eq!(read(&folder, "local/a.csv"), said(&run(&folder, "predict sides.json in/a.csv")));
    succeeded(&run(&folder, "predict sides.json in/d.parquet --out expected.parquet"));
    let [local, expected] =
        ["local/more/d.parquet", "expected.parquet"].map(|name| fs::read(folder.path().join(name)).unwrap());
    assert!(local == expected);
    assert_eq!(batch("in/a.csv s3://batch/cli/single/")["written"], 1);
}
