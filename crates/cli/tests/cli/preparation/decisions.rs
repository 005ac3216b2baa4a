//! Decisions of training: each is a note, and the command that `--strict` prints makes the same ones.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;
use serde_json::Value;

use crate::support::{complained, folder_with_data, json_of, succeeded, text};

/// Runs a command line of a shell in which `ordinate` is the one under test.
fn shell(folder: &Path, command: &str) -> Output {
    let programs = Path::new(env!("CARGO_BIN_EXE_ordinate")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    Command::new("bash").args(["-c", command]).current_dir(folder).env("PATH", path).output().unwrap()
}

/// A table of 60 rows with this header and these fields for each row.
fn table(header: &str, fields: impl Fn(u32) -> String) -> String {
    let mut data = header.to_owned() + "\n";
    (0..60).for_each(|row| writeln!(data, "{}", fields(row)).unwrap());
    data
}

/// The members of a model file that determine predictions.
fn predictions(file: &Value) -> [Value; 2] {
    [file["estimator"].clone(), file["signature"]["features"].clone()]
}

fn noise(row: u32) -> u32 {
    row * row % 17 + row % 3
}

#[rstest]
#[case::missing_values(table("x,c,y", |row| format!("{},{},{}", if row % 9 == 0 { String::new() } else { noise(row).to_string() }, ["a", "b", ""][row as usize % 3], noise(row + 5))), "have missing values: x (7, median")]
#[case::markers(table("x,y", |row| format!("{},{}", if row == 3 { "?".into() } else { noise(row).to_string() }, noise(row + 5))), "missing-value markers in x")]
#[case::words_among_numbers(table("x,y", |row| format!("{},{}", if row == 3 { "n_a".to_owned() } else { noise(row).to_string() }, noise(row + 5))), "not numbers or dates count as missing")]
#[case::a_decimal_comma(table("x;y", |row| format!("{},5;{}", noise(row), noise(row + 5))), "the decimal mark is ','")]
#[case::thousands(table("x,y", |row| format!("\"{},5{:02}\",{}", noise(row) + 1, row, noise(row + 5))), "',' separates thousands")]
#[case::a_currency(table("x,y", |row| format!("${}.5,{}", noise(row), noise(row + 5))), "currency sign: x ($)")]
#[case::percent(table("x,y", |row| format!("{}%,{}", noise(row), noise(row + 5))), "percent sign: x")]
#[case::leading_zeros(table("zip,y", |row| format!("0{},{}", noise(row), noise(row + 5))), "leading zeros are categories: zip")]
#[case::numbers_and_text(table("x,y", |row| format!("{},{}", if row % 2 == 0 { "low".into() } else { (row % 7).to_string() }, noise(row + 5))), "numbers and text are categories: x")]
#[case::yes_and_no(table("x,y", |row| format!("{},{}", ["yes", "no"][row as usize % 2], noise(row + 5))), "false and true: x (no, yes)")]
#[case::iso_dates(table("d,y", |row| format!("2024-{:02}-{:02},{}", row % 12 + 1, row % 28 + 1, noise(row + 5))), "dates: d (ISO 8601)")]
#[case::american_dates(table("d,y", |row| format!("{}/{}/2024,{}", row % 12 + 1, row % 28 + 1, noise(row + 5))), "dates: d (%m/%d/%Y)")]
#[case::a_constant_column(table("x,one,y", |row| format!("{},1,{}", noise(row), noise(row + 5))), "one value in all rows are left out: one")]
#[case::an_empty_column(table("x,none,y", |row| format!("{},,{}", noise(row), noise(row + 5))), "without values are left out: none")]
#[case::an_identifier(table("id,x,y", |row| format!("{},{},{}", 900 + row, noise(row), noise(row + 5))), "number or name the rows are left out: id")]
#[case::a_name_with_a_comma(table("\"a,b\",x,y", |row| format!("1,{},{}", noise(row), noise(row + 5))), "left out: \"a,b\"")]
#[case::a_row_index(table(",x,y", |row| format!("{row},{},{}", noise(row), noise(row + 5))), "the row index is ignored")]
#[case::rows_without_a_target(table("x,y", |row| format!("{},{}", noise(row), if row % 9 == 0 { "NA".into() } else { noise(row + 5).to_string() })), "rows without a value of y are left out")]
#[case::two_values(table("x,y", |row| format!("{},{}", noise(row), row * row % 5 % 2)), "y has two values, 0 and 1")]
#[case::a_dependent_column(table("x,z,y", |row| format!("{},{},{}", noise(row), 2 * noise(row), noise(row + 5))), "linear combination")]
#[case::accounting(table("x,y", |row| format!("{},{}", if row % 2 == 0 { format!("({}.5)", noise(row)) } else { format!("{}.5", noise(row)) }, noise(row + 5))), "numbers in parentheses are negative: x")]
#[case::markers_of_one_column(table("x,c,y", |row| format!("{},{},{}", if row == 3 { "?".into() } else { noise(row).to_string() }, ["a", "b", "?"][row as usize % 3], noise(row + 5))), "missing-value markers in x")]
#[case::a_zip_code_that_is_left_out(table("zip,x,y", |row| format!("0{},{},{}", 1000 + row, noise(row), noise(row + 5))), "leading zeros are categories: zip")]
#[case::a_few_impossible_dates(table("d,y", |row| format!("{},{}", if row == 7 { "31.02.2024".into() } else { format!("{}.{}.2024", row % 28 + 1, row % 12 + 1) }, noise(row + 5))), "dates: d (%d.%m.%Y)")]
#[case::two_marks(table("a,b,y", |row| format!("\"{},5{:02}\",\"{}.50\",{}", noise(row) + 1, row, noise(row), noise(row + 5))), "',' separates thousands in a")]
#[case::names_like_options(table("-x,y", |row| format!("{},{}", if row % 9 == 0 { String::new() } else { noise(row).to_string() }, noise(row + 5))), "missing values: -x")]
#[case::powers_of_a_dependent_column(table("x,z,y", |row| format!("{},{},{}", noise(row), 2 * noise(row), noise(row + 5))), "linear combination")]
#[case::months(table("d,y", |row| format!("{}-{:02},{}", 2000 + row / 12, row % 12 + 1, noise(row + 5))), "dates: d (%Y-%m)")]
#[case::quarters(table("d,y", |row| format!("{}Q{},{}", 2000 + row / 4, row % 4 + 1, noise(row + 5))), "dates: d (%YQ%q)")]
#[case::text_that_hardly_repeats(table("name,x,y", |row| format!("n{},{},{}", row.max(9), noise(row), noise(row + 5))), "name the rows are left out: name")]
#[case::compact_dates(table("d,y", |row| format!("2023{:02}{:02},{}", row % 12 + 1, row % 28 + 1, noise(row + 5))), "dates: d (%Y%m%d)")]
#[case::compact_times(table("d,y", |row| format!("2014{:02}{:02}T000000,{}", row % 12 + 1, row % 28 + 1, noise(row + 5))), "dates: d (%Y%m%dT%H%M%S)")]
#[case::weekdays(table("d,y", |row| format!("\"Wed, {} Jan {}\",{}", row % 28 + 1, 2000 + row, noise(row + 5))), "dates: d (%a, %d %b %Y)")]
#[case::tiny_numbers(table("x,z,y", |row| format!("{},{},{}", if row % 9 == 0 { String::new() } else { format!("{}e-300", noise(row)) }, noise(row + 3), noise(row + 5))), "missing values: x (7, median 9e-300)")]
#[case::comments("# from a database\n".to_owned() + &table("x,y", |row| format!("{},{}", noise(row), noise(row + 5))), "comments")]
fn the_command_of_strict_decides_the_same(#[case] data: String, #[case] note: &str) {
    let folder = folder_with_data(data);
    let powers = if note == "linear combination" { " --degree 2" } else { "" };
    let command = format!("ordinate train data.csv --target y --out m.json{powers}");
    let output = shell(folder.path(), &command);
    let said = succeeded(&output).to_owned();
    assert!(said.contains(note), "{note:?} is not in {said}");
    let decided = predictions(&json_of(folder.path().join("m.json")));
    fs::remove_file(folder.path().join("m.json")).unwrap();

    let refused = shell(folder.path(), &format!("{command} --strict"));
    let said = complained(&refused).to_owned();
    assert!(said.starts_with("error: --strict: ") && said.contains(note), "{said}");
    assert!(!folder.path().join("m.json").exists());
    let help = said.lines().last().unwrap().strip_prefix("help: to decide the same, use: ").unwrap();
    let again = shell(folder.path(), help);
    assert!(again.status.success(), "{help}\n{}", text(&again.stderr));
    assert_eq!(predictions(&json_of(folder.path().join("m.json"))), decided, "{help}");
}

fn trained(data: String, arguments: &str) -> (String, Value) {
    let folder = folder_with_data(data);
    let output = shell(folder.path(), &format!("ordinate train data.csv --target y --out m.json {arguments}"));
    (succeeded(&output).to_owned(), json_of(folder.path().join("m.json")))
}

/// The range of a feature, which shows how its numbers were read.
fn range(file: &Value, name: &str) -> Value {
    let features = file["signature"]["features"].as_array().unwrap();
    features.iter().find(|feature| feature["name"] == name).unwrap_or_else(|| panic!("no {name}: {file}"))["range"]
        .clone()
}

#[test]
fn the_only_column_is_used_although_it_names_the_rows() {
    for rows in [40, 400] {
        let data =
            (0..rows).fold("views,y\n".to_owned(), |data, row| data + &format!("{row}.{}M,{}\n", row % 7, noise(row)));
        let (said, _) = trained(data, "");
        assert!(said.contains("are used, because there are no others: views"), "{said}");
    }
}

#[test]
fn different_whole_numbers_are_an_identifier_only_if_measurements_would_have_repeated() {
    let income = |row: u32| 10_000 + row * 7919 % 89_989;
    let (said, file) =
        trained(table("income,x,y", |row| format!("{},{},{}", income(row), noise(row), noise(row + 5))), "");
    assert!(!said.contains("left out"), "{said}");
    assert_eq!(file["signature"]["features"].as_array().unwrap().len(), 2);
    let (said, _) =
        trained(table("nr,x,y", |row| format!("{},{},{}", 1000 + row * 37 % 180, noise(row), noise(row + 5))), "");
    assert!(said.contains("left out: nr"), "{said}");
}

#[test]
fn labels_are_written_as_in_the_file() {
    let data = |labels: [&'static str; 2]| {
        table("x,y", move |row| format!("{},{}", noise(row), labels[(row * row % 5 % 2) as usize]))
    };
    let (said, file) = trained(data(["0.0", "1.0"]), "");
    assert!(said.contains("y has two values, 0.0 and 1.0"), "{said}");
    assert_eq!(file["estimator"]["classes"].to_string(), "[0.0,1.0]");
    let (_, file) = trained(data(["0", "1"]), "");
    assert_eq!(file["estimator"]["classes"].to_string(), "[0,1]");
}

#[test]
fn a_rule_for_all_columns_applies_where_it_suits_the_type() {
    let data = table("c,x,y", |row| {
        let c = ["a", "b", ""][(row * row % 37).min(2) as usize % 3];
        let x = if row % 9 == 0 { String::new() } else { noise(row).to_string() };
        format!("{c},{x},{}", noise(row + 5))
    });
    let (said, _) = trained(data, "--missing mean");
    assert!(said.contains("1 column has missing values: x (7, mean "), "{said}");
    assert!(said.contains("1 column has missing values: c ("), "{said}");
}

#[test]
fn parts_of_a_date_have_no_note_on_variance_inflation() {
    let data =
        table("d,x,y", |row| format!("{}-{:02}-11,{},{}", 2000 + row / 4, row % 12 + 1, noise(row), noise(row + 5)));
    let (said, _) = trained(data, "");
    assert!(said.contains("d.days") && !said.contains("inflation above"), "{said}");
}

#[test]
fn a_file_without_a_header_is_noted_and_its_numbered_columns_can_be_used() {
    let data: String = (0..60)
        .fold(String::new(), |data, row| data + &format!("{}.5,{},{}\n", noise(row), noise(row + 5), noise(row + 3)));
    let folder = folder_with_data(&data);
    let output = shell(folder.path(), "ordinate train data.csv --target column_3");
    let said = succeeded(&output);
    assert!(said.contains("the file has no header, and its columns are named column_1"), "{said}");
    assert!(said.contains("column_3 from 2 features, 60 rows"), "{said}");
    let refused = shell(folder.path(), "ordinate train data.csv --target price");
    assert!(complained(&refused).contains("if the file has no header, use --header none"), "{}", complained(&refused));
    let output = shell(folder.path(), "ordinate train data.csv --target 0.5");
    assert!(succeeded(&output).contains("although it looks like a row"), "{}", text(&output.stdout));
}

#[test]
fn a_category_may_have_more_words_than_are_kept() {
    let mut data = "c,y\n".to_owned();
    for row in 0..300_000_u32 {
        let word = if row % 2 == 0 { "often".to_owned() } else { format!("w{row}") };
        writeln!(data, "{word},{}", row % 2 * 3 + row % 5).unwrap();
    }
    let (said, file) = trained(data, "--features c --max-levels 3 --test-fraction 0");
    assert!(said.contains("c (2 of more than 131072 kept)"), "{said}");
    let levels = &file["signature"]["features"][0]["levels"];
    assert_eq!(levels.to_string(), "[\"(other)\",\"often\",\"w1\"]");
    assert!(!said.contains("missing"), "{said}");
}

/// A column of whole numbers says nothing about the decimal mark of others.
#[test]
fn a_proven_decimal_comma_decides_ambiguous_columns() {
    let data = |a: &'static str| table("a;b;y", move |row| format!("{}{a};{};7,{}", row + 11, noise(row), noise(row)));
    let (said, file) = trained(data(",137"), "--features a,b");
    assert_eq!(range(&file, "a"), serde_json::json!([11.137, 70.137]), "{said}");
    let (said, file) = trained(data(".137"), "--features a,b");
    assert_eq!(range(&file, "a"), serde_json::json!([11137.0, 70137.0]), "{said}");
}

#[test]
fn few_numbers_and_a_frequent_word_are_categories_and_labels_stay() {
    for words in [["0", "0", "many"], ["-", "0", "+"], ["1", "2", "3+"], ["4", "6", "rotary"]] {
        let (said, file) = trained(table("c,y", |row| format!("{},{}", words[row as usize % 3], noise(row))), "");
        assert_eq!(file["signature"]["features"][0]["type"], "string", "{said}");
    }
    let (_, file) =
        trained(table("x,y", |row| format!("{},{}", noise(row), ["1", "2", "3", "4", "5+"][row as usize % 5])), "");
    assert_eq!(file["estimator"]["classes"], serde_json::json!(["1", "2", "3", "4", "5+"]));
    let (_, file) = trained(table("x,y", |row| format!("{},{}", noise(row), ["TRUE", "FALSE"][row as usize % 2])), "");
    assert_eq!(file["estimator"]["classes"], serde_json::json!(["FALSE", "TRUE"]));
}

#[test]
fn a_date_format_is_obeyed() {
    let (_, file) = trained(
        table("d,y", |row| format!("2024{:02}{:02},{}", row % 12 + 1, row % 28 + 1, noise(row))),
        "--date-format d=%Y%m%d",
    );
    assert_eq!(file["signature"]["features"][0]["type"], "date");
    let folder = folder_with_data(table("d,y", |row| format!("{row},{}", noise(row))));
    let said =
        complained(&shell(folder.path(), "ordinate train data.csv --target y --date-format d=%d.%m.%Y")).to_owned();
    assert!(said.contains("column \"d\": expected a date"), "{said}");
}

#[test]
fn named_features_are_used_whatever_they_look_like() {
    let (_, file) = trained(
        table("id,name,x,y", |row| format!("{row},n{row},{},{}", noise(row), noise(row + 3))),
        "--features id,name,x --estimator ridge",
    );
    assert_eq!(file["signature"]["features"].as_array().unwrap().len(), 3);
}

/// Remarks in a column of numbers: too many to be markers, and a blank that is no space.
#[test]
fn unusual_words_do_not_make_a_model_that_cannot_be_stored() {
    let mut data = "x,b,y\n".to_owned();
    for row in 0..8000_u32 {
        let x = if row % 20 == 0 { format!("remark {row}") } else { (row % 83).to_string() };
        let b = if row % 50 == 0 { "\u{a0}".to_owned() } else { (row % 71).to_string() };
        writeln!(data, "{x},{b},{}", noise(row % 100)).unwrap();
    }
    let (said, file) = trained(data, "");
    let features = file["signature"]["features"].as_array().unwrap();
    assert_eq!((&features[0]["type"], &features[1]["type"]), (&"string".into(), &"double".into()), "{said}");
}

#[test]
fn given_marks_are_obeyed() {
    let data = |delimiter: &'static str| {
        table(&format!("x{delimiter}y"), move |row| format!("{}.50{delimiter}{}", noise(row) + 1, noise(row)))
    };
    let (said, file) = trained(data("\t").replace(".50", ".500"), "--thousands x=.");
    assert_eq!(range(&file, "x")[0], serde_json::json!(1500.0), "{said}");
    let (said, file) = trained(data(","), "--decimal x=,");
    assert_eq!(file["signature"]["features"][0]["type"], "string", "{said}");
}
