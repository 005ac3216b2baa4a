//! `ordinate train` on data, options and outputs that cannot be used.

use std::fs;

use rstest::rstest;
use tempfile::tempdir;

use crate::support::{folder_with_data, text, train};

/// Bad data, and parts of the message.
#[rstest]
#[case::compressed(b"\x1f\x8b\x08\0\0\0\0\0".as_slice(), "y", &["cannot be read"])]
#[case::workbook(b"PK\x03\x04\x14\0\x08\0".as_slice(), "y", &[".xlsx", "save the sheet as CSV"])]
#[case::zero_byte("x,y\n1,2\n".repeat(500) + "\0,3\n", "y", &["line 1001", "zero byte"])]
#[case::open_header("x,\"z,y\n1,2,3\n4,5,6\n", "y", &["line 1", "a quote opens here and is never closed"])]
#[case::open_header_further_down("\n\"a\nb\",\"z,y\n1,2,3\n4,5,6\n", "y", &["line 3", "a quote opens here"])]
#[case::endless_header(format!("x,\"y\n{}", "1,2\n".repeat(5 << 20)), "y", &["line 1", "a quote that is not closed"])]
#[case::empty_file("", "y", &["is empty"])]
#[case::header_only("x,y\n", "y", &["no rows"])]
#[case::no_such_target("x,price\n1,2\n", "prize", &["line 1", "\"prize\"", "did you mean \"price\"?"])]
#[case::no_name_is_near("x,price\n1,2\n", "q", &["line 1", "\"q\"", "\"x\", \"price\""])]
#[case::only_the_target("y\n1\n", "y", &["no columns left to predict", "\"y\""])]
#[case::only_the_exposure("y,m\n1,2\n2,3\n", "y --estimator poisson --exposure m", &["no columns left", "help: add columns"])]
#[case::no_weight("x,w,y\n1,0,2\n2,0,3\n", "y --weights w", &["weight of zero", "help: check the weights, or leave out"])]
#[case::row_too_long("x,y\n1,2\n1,2,3\n", "y", &["line 3", "expected 2 fields", "got 3"])]
#[case::row_too_short("x,y\n1,2\n1,2\n1\n", "y", &["line 4", "expected 2 fields", "got 1"])]
#[case::rows_of_other_widths("x,y\n1,2\n1\n1,2\n3,4,5\n", "y", &["line 3", "2 of 4 rows", "lines 3, 5"])]
#[case::constant_target("x,y\n1,2\n2,2\n3,2\n", "y", &["\"y\"", "same value"])]
#[case::no_column_varies("x,z,y\n1,4,2\n1,4,1\n1,4,2\n1,4,2\n", "y", &["no columns left", "one value in all rows"])]
#[case::too_large_to_fit("x,y\n1.7e308,1\n-1.7e308,2\n3,4\n", "y", &["\"x\"", "too large"])]
fn bad_data_give_an_error_and_no_file(#[case] data: impl AsRef<[u8]>, #[case] target: &str, #[case] named: &[&str]) {
    let folder = folder_with_data(data);
    let output = train(folder.path(), &format!("data.csv --target {target} --test-fraction 0 --out m.json"));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in ["data.csv"].iter().chain(named) {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert!(said.starts_with("error: ") && said.lines().skip(1).all(|line| line.starts_with("help: ")), "{said}");
    assert_eq!(text(&output.stdout), "");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the data are there");
}

/// Values that are not of the declared type are errors with their line.
#[rstest]
#[case::word("x,y\n1,2\nhigh,3\n2,4\n", &["line 3", "column \"x\"", "got \"high\"", "expected a number"])]
#[case::after_blank_lines("x,y\n\n1,2\n\n\nhigh,3\n", &["line 6", "column \"x\"", "\"high\""])]
#[case::after_windows_line_ends("x,y\r\n1,2\r\nhigh,3\r\n", &["line 3", "column \"x\"", "\"high\""])]
#[case::after_a_line_end_in_quotes("z,x,y\n\"a\nb\",1,2\nc,high,3\n", &["line 4", "\"high\""])]
#[case::too_large("x,y\n1,2\n1e999,3\n", &["line 3", "column \"x\"", "1e999", "too large"])]
#[case::lossy_integer("x,y\n1,2\n9007199254740993,3\n", &["line 3", "column \"x\"", "9007199254740993"])]
fn values_of_another_type_than_declared_are_errors(#[case] data: &str, #[case] named: &[&str]) {
    let folder = folder_with_data(data);
    let output = train(folder.path(), "data.csv --target y --test-fraction 0 --types x=double --out m.json");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in named {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempdir().unwrap();
    let output = train(folder.path(), "absent.csv --target y");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("absent.csv"));
}

#[test]
fn files_that_can_be_read_only_once_are_refused() {
    let folder = tempdir().unwrap();
    let output = train(folder.path(), "/dev/null --target y --name m");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("/dev/null") && said.contains("expected a regular file"), "{said}");
}

#[test]
fn an_existing_model_is_unchanged_when_training_fails() {
    let folder = folder_with_data("x,y\n1,3\n1,5\n");
    fs::write(folder.path().join("m.json"), "the last good one").unwrap();
    assert_eq!(train(folder.path(), "data.csv --target y --out m.json").status.code(), Some(1));
    assert_eq!(fs::read_to_string(folder.path().join("m.json")).unwrap(), "the last good one");
}

#[test]
fn the_training_data_are_never_overwritten() {
    let data = "x,y\n1,3\n2,5\n3,7\n";
    let folder = folder_with_data(data);
    let output = train(folder.path(), "data.csv --target y --test-fraction 0 --out ./data.csv");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(folder.path().join("data.csv")).unwrap(), data);
}

#[test]
fn a_path_that_cannot_be_written_is_an_error() {
    let folder = folder_with_data("x,y\n1,3\n2,5\n3,7\n");
    let output = train(folder.path(), "data.csv --target y --test-fraction 0 --out absent/m.json");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("absent/m.json") && said.contains("--out"), "{said}");
}

#[rstest]
#[case("data.csv", "--target")]
#[case("--target y", "<DATA>")]
#[case("data.csv --target y --test-fraction 1", "less than 1")]
#[case("data.csv --target y --test-fraction -0.1", "--test-fraction")]
#[case("data.csv --target y --test-fraction NaN", "--test-fraction")]
#[case("data.csv --target y --seed 9007199254740992", "--seed")]
#[case("data.csv --target y --estimator forest", "linear")]
#[case("data.csv --target y --name a/b", "model name")]
#[case("data.csv --target y --tset-fraction 0", "--test-fraction")]
#[case("data.csv --target y --estimator ridge --alpha 0", "--estimator linear")]
fn wrong_usage_exits_with_2_and_says_what_is_right(#[case] arguments: &str, #[case] named: &str) {
    let folder = folder_with_data("x,y\n1,3\n2,5\n3,7\n");
    let output = train(folder.path(), arguments);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains(named), "{said}");
}
