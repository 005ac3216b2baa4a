//! `ordinate drift` on answers and files that are not as expected.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::drift::rows;
use crate::support::{complained, folder_with_data, read, run, succeeded, text, train};

/// A folder with a model of these rows.
fn trained() -> TempDir {
    let folder = folder_with_data(rows(0.0));
    succeeded(&train(folder.path(), "data.csv --target y --out m.json"));
    folder
}

fn write(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), content).unwrap();
}

/// The rows with a change of their answers: of the row of this number, and of all.
fn answers(change: impl Fn(usize, f64) -> String) -> String {
    let mut changed = "x,side,y\n".to_owned();
    for (at, row) in rows(0.0).lines().skip(1).enumerate() {
        let (inputs, y) = row.rsplit_once(',').unwrap();
        writeln!(changed, "{inputs},{}", change(at, y.parse().unwrap())).unwrap();
    }
    changed
}

fn report(folder: &TempDir, arguments: &str, code: i32) -> Value {
    let output = run(folder, &format!("drift m.json {arguments} --json"));
    assert_eq!(output.status.code(), Some(code), "{} {}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn notes(report: &Value) -> Vec<&str> {
    report["notes"].as_array().into_iter().flatten().map(|note| note.as_str().unwrap()).collect()
}

#[test]
fn one_extreme_answer_does_not_hide_larger_errors_of_others() {
    let folder = trained();
    for extreme in ["1e20", "1e200"] {
        let with_extreme = |at, y: f64| if at == 500 { extreme.to_owned() } else { y.to_string() };
        write(&folder, "typo.csv", answers(with_extreme));
        write(&folder, "worse.csv", answers(|at, y| with_extreme(at, y + 1.0)));
        let expected = match extreme {
            "1e20" => "an error of 1e20 is more than half of all squared errors: the RMSE is mostly that of one row",
            _ => "an error of 1e200 is too large to be squared: there is no RMSE, only the median error",
        };
        // A typing error alone is no drift.
        assert_eq!(notes(&report(&folder, "typo.csv", 0)), [expected]);
        let worse = report(&folder, "worse.csv", 3);
        assert_eq!(notes(&worse), [expected]);
        let comparisons = worse["performance"]["comparisons"].as_array().unwrap();
        let drifted: Vec<&Value> = comparisons
            .iter()
            .filter(|compared| compared["drift"] == true)
            .map(|compared| &compared["metric"])
            .collect();
        assert_eq!(drifted, [&json!("median_absolute_error")]);
        let shown = run(&folder, "drift m.json worse.csv");
        assert!(text(&shown.stdout).contains("\n\nDrift: the median absolute error.\n"), "{}", text(&shown.stdout));
    }
}

#[test]
fn answers_that_cannot_be_read_or_compared_are_noted() {
    let folder = trained();
    let known = |at, y: f64| if at < 3 { "high".to_owned() } else { y.to_string() };
    write(&folder, "text.csv", answers(known));
    let note = "3 answers that cannot be read; first: text.csv: line 2, column \"y\": expected a number, got \"high\"";
    assert_eq!(notes(&report(&folder, "text.csv", 0)), [note]);
    // Missing answers are not known yet.
    write(&folder, "few.csv", answers(|at, y| if at < 30 { y.to_string() } else { String::new() }));
    let note = "30 rows have a known answer, fewer than 100: their errors are not compared";
    assert_eq!(notes(&report(&folder, "few.csv", 0)), [note]);
    succeeded(&train(folder.path(), "data.csv --target y --out m.json --test-fraction 0"));
    let note = "1000 rows have a known answer, but the model file does not have errors of held-out rows with which \
                they could be compared";
    assert_eq!(notes(&report(&folder, "data.csv", 0)), [note]);
}

#[test]
fn a_prediction_that_is_too_large_excludes_no_other_row() {
    let row = |i: u32| (f64::from(i * 7919 % 1000) / 500.0, i * 7919 % 1000 / 250 + i * 31 % 3);
    let counts = |first: f64| {
        let mut text = "x,n\n".to_owned();
        for i in 0..1000 {
            let (x, n) = row(i);
            writeln!(text, "{},{n}", if i == 0 { first } else { x }).unwrap();
        }
        text
    };
    let folder = folder_with_data(counts(0.0));
    succeeded(&train(folder.path(), "data.csv --target n --estimator poisson --out m.json"));
    write(&folder, "far.csv", counts(1e6));
    let report = report(&folder, "far.csv", 0);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(1000), &json!(1)), "{report}");
    assert_eq!((&report["performance"]["rows"], &report["predictions"][0]["rows"]), (&json!(999), &json!(999)));
}

/// A captured request of these rows.
fn captured(x: &[f64]) -> Value {
    let y: Vec<f64> = x.iter().map(|x| 2.0 * x + 0.5).collect();
    json!({"message": "captured", "model": "m", "version": "1", "rows": x.len(), "captured_rows": x.len(),
        "inputs": {"x": x, "side": vec!["left"; x.len()]}, "y": y})
}

#[test]
fn damaged_lines_are_counted_and_the_first_is_named() {
    let folder = trained();
    let good = captured(&[1.0, 2.0, 3.0]);
    let changed = |pointer: &str, value: Value| {
        let mut line = good.clone();
        *line.pointer_mut(pointer).unwrap() = value;
        line.to_string()
    };
    let without_y = good.to_string().replace("\"y\":", "\"z\":");
    let cut = &good.to_string()[..40];
    for (line, problem) in [
        (cut, "not valid JSON at column 40: EOF while parsing"),
        (&without_y, "missing field `y`"),
        (&changed("/y", json!([1.0])), "y: expected 3 of 3 predictions, got 1"),
        (&changed("/y/1", json!("high")), "y: expected a number, got the string \"high\""),
        (&changed("/inputs/x", json!([1.0, 2.0])), "inputs: expected 3 values of \"x\", got 2"),
        (&changed("/inputs", json!({"z": [1, 2, 3]})), "inputs: the model does not have the feature \"z\""),
    ] {
        write(&folder, "captured.jsonl", format!("{good}\n{line}\n{line}\n{good}\n"));
        let report = report(&folder, "captured.jsonl", 0);
        assert_eq!(report["rows"], 6, "{line}");
        let note = format!("2 damaged lines skipped; first: captured.jsonl: line 2: {problem}");
        assert!(matches!(notes(&report)[..], [found] if found.starts_with(&note)), "{report}");
    }
    let other = changed("/version", json!("2"));
    write(&folder, "captured.jsonl", format!("{good}\nSTART\n{other}\n{{\"message\": \"request\"}}\n"));
    let report = report(&folder, "captured.jsonl", 0);
    let expected = [
        "1 request of another model skipped; first: captured.jsonl: line 3 (m@2)",
        "2 lines of other kinds skipped; first: captured.jsonl: line 2",
    ];
    assert_eq!(notes(&report), expected);
}

#[test]
fn redacted_features_and_rows_that_are_not_captured_are_noted() {
    let folder = trained();
    let mut line = captured(&[1.0; 100]);
    line["inputs"].as_object_mut().unwrap().remove("side");
    line["rows"] = json!(1000);
    write(&folder, "captured.jsonl", line.to_string());
    let output = run(&folder, "drift m.json captured.jsonl");
    let shown = text(&output.stdout);
    assert!(shown.contains("\nnote: 900 rows not captured, because their requests are large\n"), "{shown}");
    let redacted = "\nnote: in no captured request, as features of CAPTURE_REDACT, and not compared: side\n";
    assert!(shown.contains(redacted) && !shown.contains("fewer than"), "{shown}");
}

/// The rows as objects, with a token of Python for missing values and a key that the model does not have.
fn objects(csv: &str) -> String {
    let mut lines = String::new();
    for row in csv.lines().skip(1) {
        let [x, side, y] = row.split(',').collect::<Vec<_>>()[..] else { panic!() };
        writeln!(lines, "{{\"side\": \"{side}\", \"x\": {x}, \"note\": NaN, \"y\": {y}}}").unwrap();
    }
    lines
}

#[test]
fn rows_of_json_lines_are_compared_as_those_of_csv_also_compressed() {
    let folder = trained();
    let lines = objects(&rows(5.0));
    write(&folder, "later.csv", rows(5.0));
    write(&folder, "later.jsonl", &lines);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(lines.as_bytes()).unwrap();
    write(&folder, "later.jsonl.gz", gzip.finish().unwrap());
    write(&folder, "later.jsonl.zst", zstd::encode_all(lines.as_bytes(), 0).unwrap());
    write(&folder, "marked.jsonl", format!("\u{feff}\n{lines}"));
    let mut expected = report(&folder, "later.csv", 3);
    for name in ["later.jsonl", "later.jsonl.gz", "later.jsonl.zst", "marked.jsonl"] {
        expected["data"] = json!(name);
        assert_eq!(report(&folder, name, 3), expected);
    }
    write(&folder, "odd.jsonl", lines.replacen("\"x\": ", "\"x\": \"", 1).replacen(", \"note\"", "\", \"note\"", 1));
    let odd = report(&folder, "odd.jsonl", 3);
    assert!(
        notes(&odd)[0].starts_with("1 row that the model rejects; first: odd.jsonl: line 1, column \"x\": "),
        "{odd}"
    );
}

#[test]
fn a_folder_with_captured_requests_and_tables_is_read_as_a_whole() {
    let folder = trained();
    fs::create_dir_all(folder.path().join("mixed/day")).unwrap();
    write(&folder, "mixed/day/captured.jsonl", format!("{}\n", captured(&[1.0; 7])));
    write(&folder, "mixed/rows.csv", rows(0.0));
    write(&folder, "mixed/rows.jsonl", objects(&rows(0.0)));
    write(&folder, "mixed/_unfinished.jsonl", "{");
    write(&folder, "mixed/notes.txt", "no data");
    assert_eq!(report(&folder, "mixed", 0)["rows"], 2007);
    // The model file begins with an object, too.
    let whole = report(&folder, ".", 0);
    assert_eq!((&whole["rows"], notes(&whole).len()), (&json!(3007), 0), "{whole}");
}

#[test]
fn no_rows_are_a_failure_that_a_scheduler_notices() {
    let folder = trained();
    write(&folder, "header.csv", "x,side,y\n");
    write(&folder, "other.jsonl", "{\"level\": \"INFO\", \"message\": \"request\"}\n{\"x\": \n");
    let error = run(&folder, "drift m.json header.csv");
    assert_eq!(complained(&error), "error: header.csv: no rows\nhelp: check how the data are written\n");
    let error = run(&folder, "drift m.json other.jsonl");
    let expected = "error: other.jsonl: no captured requests of m@1, and no rows with its features\n  \
        1 damaged line skipped; first: other.jsonl: line 2: not valid JSON at column 5: EOF while parsing a value\n  \
        1 line of another kind skipped; first: other.jsonl: line 1\n\
        help: set CAPTURE_FRACTION, and name the model that is served\n";
    assert_eq!(complained(&error), expected);
}

#[test]
fn the_page_replaces_nothing_that_is_read() {
    let folder = trained();
    write(&folder, "captured.jsonl", captured(&[1.0; 7]).to_string());
    std::os::unix::fs::symlink("data.csv", folder.path().join("link.html")).unwrap();
    let place = |name: &str| folder.path().join(name);
    for (page, read_file) in [
        ("data.csv", "data.csv"),
        ("./captured.jsonl", "captured.jsonl"),
        ("link.html", "data.csv"),
        ("m.json", "m.json"),
    ] {
        let before = read(&folder, read_file);
        let output = run(&folder, &format!("drift m.json data.csv captured.jsonl --html {page}"));
        let expected =
            format!("error: {page}: --html would replace {read_file}, which is read\nhelp: choose another file\n");
        assert_eq!(complained(&output), expected);
        assert!(read(&folder, read_file) == before && place(read_file).exists());
    }
}
