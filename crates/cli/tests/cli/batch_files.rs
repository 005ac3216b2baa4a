//! Files of `ordinate batch` that are not ordinary: links, pipes, names; leftovers and foreign files in OUT.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{command, complained, file_names, folder_with, read, run, said, sides, succeeded, text};

const ROWS: &str = "side,length\nleft,1\nright,-3.5\n";

/// A folder with a model and an input.
fn folder() -> TempDir {
    let folder = folder_with(&[("sides.json", &sides())]);
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("in/a.csv"), ROWS).unwrap();
    folder
}

fn names(folder: &TempDir, below: &str) -> Vec<String> {
    let entries = fs::read_dir(folder.path().join(below)).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".ordinate-batch.jsonl");
    names.sort();
    names
}

#[cfg(unix)]
#[test]
fn files_that_cannot_be_scored_are_reported_and_do_not_stop_the_others() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    let folder = folder();
    let at = |name: &str| folder.path().join("in").join(name);
    assert!(Command::new("mkfifo").arg(at("pipe.csv")).status().unwrap().success());
    symlink("nowhere.csv", at("dangling.csv")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    symlink("a.csv", at("link.csv")).unwrap();
    fs::create_dir(folder.path().join("other")).unwrap();
    fs::write(folder.path().join("other/b.csv"), ROWS).unwrap();
    symlink("../other", at("folder")).unwrap();
    symlink("..", at("loop.csv")).unwrap();
    fs::write(folder.path().join("in").join(OsStr::from_bytes(b"\xff.csv")), ROWS).unwrap();
    fs::write(folder.path().join("in").join(OsStr::from_bytes(b"\xff.md")), ROWS).unwrap();
    let output = run(&folder, "batch in out --model sides.json --json");
    let complaint = complained(&output);
    for expected in [
        "in/pipe.csv: expected a regular file, got a pipe or device\nhelp: ",
        "in/dangling.csv: cannot be read: No such file or directory",
        "in/\u{fffd}.csv: the name is not UTF-8\nhelp: rename it\n",
        "note: in/folder: a link to a folder is not followed\n",
        "note: in/loop.csv: a link to a folder is not followed\n",
        "error: 3 of 5 files not scored\n",
    ] {
        assert!(complaint.contains(expected), "{expected}: {complaint}");
    }
    assert!(!complaint.contains(".md"), "{complaint}");
    assert_eq!(names(&folder, "out"), ["a.csv", "link.csv"]);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["written"], &summary["failed"]), (&2.into(), &3.into()));
    assert_eq!(summary["linked_folders"], serde_json::json!(["in/folder", "in/loop.csv"]));
    for name in ["in/pipe.csv", "in/dangling.csv"] {
        let output = run(&folder, &format!("batch {name} out --model sides.json"));
        assert!(complained(&output).contains(name), "{}", complained(&output));
    }
    // A link to a folder alone is no failure.
    for name in ["pipe.csv", "dangling.csv"] {
        fs::remove_file(at(name)).unwrap();
    }
    fs::remove_file(folder.path().join("in").join(OsStr::from_bytes(b"\xff.csv"))).unwrap();
    let output = run(&folder, "batch in out --model sides.json");
    succeeded(&output);
    assert!(text(&output.stderr).contains("note: in/folder: a link to a folder is not followed\n"));
}

/// Files that a running process writes are locked.
#[test]
fn leftovers_of_interrupted_runs_are_removed_unless_they_are_in_use() {
    let folder = folder();
    fs::create_dir_all(folder.path().join("in/more")).unwrap();
    fs::write(folder.path().join("in/more/b.csv"), ROWS).unwrap();
    said(&run(&folder, "batch in out --model sides.json"));
    for round in 0..2 {
        let in_use = File::create(folder.path().join("out/.ordinate-InUse1.tmp")).unwrap();
        in_use.lock().unwrap();
        for name in ["out/.ordinate-AbCdEf.tmp", "out/more/.ordinate-123456.tmp", "out/.theirs.tmp"] {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        // Whether files are scored or unchanged.
        if round == 1 {
            fs::remove_file(folder.path().join("out/a.csv")).unwrap();
        }
        said(&run(&folder, "batch in out --model sides.json"));
        assert_eq!(names(&folder, "out"), [".ordinate-InUse1.tmp", ".theirs.tmp", "a.csv", "more"]);
        assert_eq!(names(&folder, "out/more"), ["b.csv"]);
    }
    // Other commands remove them, too.
    fs::write(folder.path().join(".ordinate-AbCdEf.tmp"), "half").unwrap();
    said(&run(&folder, "predict sides.json in/a.csv --out out.csv --quiet"));
    assert_eq!(file_names(&folder), ["in", "out", "out.csv", "sides.json"]);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_is_continued_without_leftovers() {
    let folder = folder();
    fs::write(folder.path().join("in/b.csv"), format!("side,length\n{}", "left,1\n".repeat(1 << 19))).unwrap();
    let mut child = command(folder.path(), "batch in out --model sides.json --quiet").spawn().unwrap();
    let begun = Instant::now();
    let is_writing = || {
        folder.path().join("out").exists() && names(&folder, "out").iter().any(|name| name.starts_with(".ordinate-"))
    };
    while !(is_writing() && folder.path().join("out/a.csv").exists()) {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing is written");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_writing(), "{:?}", names(&folder, "out"));
    succeeded(&run(&folder, "batch in out --model sides.json"));
    assert_eq!(names(&folder, "out"), ["a.csv", "b.csv"]);
    assert_eq!(read(&folder, "out/b.csv").lines().count(), (1 << 19) + 1);
}

#[test]
fn files_that_no_batch_wrote_are_not_replaced() {
    let folder = folder();
    fs::write(folder.path().join("in/b.csv"), "side,length\nleft,long\nleft,1\n").unwrap();
    fs::write(folder.path().join("in/c.csv"), ROWS).unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    for name in ["a.csv", "b.csv.rejected.jsonl", "c.csv.rejected.jsonl"] {
        fs::write(folder.path().join("out").join(name), "mine\n").unwrap();
    }
    let output = run(&folder, "batch in out --model sides.json");
    let complaint = complained(&output);
    for name in ["out/a.csv", "out/b.csv.rejected.jsonl"] {
        assert!(
            complaint.contains(&format!("{name}: this output exists, and no batch wrote it\nhelp: ")),
            "{complaint}"
        );
    }
    assert!(!complaint.contains("earlier run"), "{complaint}");
    assert!(complaint.ends_with("error: 2 of 3 files not scored\n"), "{complaint}");
    // A side file of another program is neither removed nor counted.
    for _ in 0..2 {
        let output = run(&folder, "batch in/c.csv out --model sides.json");
        assert!(!said(&output).contains("rejected"), "{}", said(&output));
    }
    for name in ["a.csv", "b.csv.rejected.jsonl", "c.csv.rejected.jsonl"] {
        assert_eq!(read(&folder, &format!("out/{name}")), "mine\n");
    }
    assert_eq!(names(&folder, "out"), ["a.csv", "b.csv.rejected.jsonl", "c.csv", "c.csv.rejected.jsonl"]);
    said(&run(&folder, "batch in out --model sides.json --force"));
    assert_eq!(read(&folder, "out/a.csv").lines().count(), 3);
    assert!(read(&folder, "out/b.csv.rejected.jsonl").contains("long"));
    // From now on they are those of a batch, also if they are edited.
    fs::write(folder.path().join("out/a.csv"), "edited").unwrap();
    said(&run(&folder, "batch in out --model sides.json"));
    assert_eq!(read(&folder, "out/a.csv").lines().count(), 3);
    // A process that ends after an output is renamed, and before that is noted.
    let journal = folder.path().join("out/.ordinate-batch.jsonl");
    let lines = fs::read_to_string(&journal).unwrap();
    let is_end = |line: &&str| line.contains("\"a.csv\"") && !line.contains("\"identity\":\"\"");
    let cut: Vec<&str> = lines.lines().filter(|line| !is_end(line)).collect();
    fs::write(&journal, cut.join("\n")).unwrap();
    let output = run(&folder, "batch in out --model sides.json");
    assert!(said(&output).starts_with("1 file with 2 rows scored by sides@3, 2 unchanged"), "{}", said(&output));
}
