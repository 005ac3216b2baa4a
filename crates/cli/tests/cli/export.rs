//! `ordinate export`.

use std::fs;

use rstest::rstest;
use tempfile::tempdir;

use crate::support::{pipe, said};

#[test]
fn a_bundled_model_is_written_as_sql() {
    let output = pipe("export line --to sql", "");
    let expressions = said(&output);
    assert!(output.status.success());
    assert!(expressions.starts_with("-- line@1, SHA-256 ") && expressions.ends_with("END AS prediction\n"));
    let statement = pipe("export iris --to sql --dialect spark --table flowers", "");
    let statement = said(&statement).to_owned();
    assert!(statement.contains("SELECT *,") && statement.ends_with("AS probability_virginica\nFROM flowers\n"));
}

#[test]
fn the_sql_of_a_file_is_that_of_standard_output() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("line.sql");
    let output = pipe(&format!("export line --to sql --dialect sqlite --out {}", path.display()), "");
    assert!(output.status.success() && said(&output).is_empty());
    assert_eq!(fs::read_to_string(path).unwrap(), said(&pipe("export line --to sql --dialect sqlite", "")));
}

#[rstest]
#[case("export line --to sql --dialect mysql", 2, "invalid value 'mysql' for '--dialect <DIALECT>'")]
#[case("export line", 2, "--to <LANGUAGE>")]
#[case("export line --to sql --table=", 1, "expected a table as in a FROM clause")]
fn wrong_options_are_errors(#[case] command: &str, #[case] code: i32, #[case] message: &str) {
    let output = pipe(command, "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(code) && error.contains(message), "{error}");
}
