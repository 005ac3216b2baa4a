//! The result of a survey does not depend on the size of the pieces and the number of threads.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rstest::rstest;

use ordinate_model::cell::Cell;
use ordinate_model::frame::RowsBuilder;
use ordinate_table::survey::Pace;
use ordinate_table::{Origin, Selection, SpoolError};

use super::*;
use crate::error::TrainError;

const WHOLE: Pace = Pace { threads: 1, chunk: 1 << 20 };

/// Everything that a survey infers and stores, as text, or the error.
fn outcome(path: &Path, (selection, preparation): &(Selection, Preparation), pace: Pace) -> Result<String, String> {
    let read = || {
        let origin = Origin { paths: vec![path.to_owned()], ..Origin::default() };
        let surveyed = SurveyedTable::with_pace(pace, Source::open(&origin, selection)?, preparation)?;
        let classify = surveyed.has_class_target();
        let table = surveyed.table(preparation, classify, true)?;
        let (signature, summary) = (table.signature(), table.summary());
        let mut text = format!("{:?} {:?} {summary:?} ", signature.features(), signature.target());
        writeln!(text, "{:?} {:?} {:?}", table.decisions(), table.notes(), table.missing()).unwrap();
        table.scan::<SpoolError>(&mut |row| {
            writeln!(text, "{row:?}").unwrap();
            Ok(())
        })?;
        Ok(text)
    };
    read().map_err(|error: TrainError| error.to_string())
}

fn read_in_pieces(data: &[u8], plan: &(Selection, Preparation)) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.csv");
    fs::write(&path, data).unwrap();
    let whole = outcome(&path, plan, WHOLE);
    for threads in [1, 2, 5] {
        for chunk in [1, 7, 64, 1000] {
            let pieces = outcome(&path, plan, Pace { threads, chunk });
            assert!(pieces == whole, "{threads} threads, chunks of {chunk} bytes");
        }
    }
    whole.map_err(|error| error.replace(&folder.path().display().to_string(), ""))
}

fn lenient() -> (Selection, Preparation) {
    let selection = Selection { target: "y".into(), ..Selection::default() };
    (selection, Preparation { missing: vec!["most-frequent".parse().unwrap()], ..Preparation::default() })
}

/// This many rows of `x,colour,y`, some of them replaced.
fn table(rows: usize, others: &[(usize, &str)]) -> String {
    let mut data = "x,colour,y\n".to_owned();
    for row in 0..rows {
        if let Some((_, other)) = others.iter().find(|(at, _)| *at == row) {
            data.push_str(other);
        } else {
            let colour = ["red", "green", "NA", "blue"][row * row % 7 % 4];
            writeln!(data, "{},{colour},{}", row as f64 / 7.0, row % 5).unwrap();
        }
    }
    data
}

#[rstest]
#[case::plain(table(200, &[]))]
#[case::line_ends_in_quotes(table(200, &[(90, "1,\"dark\n\"\"red\"\"\n\",2\n"), (150, "1,\"dark\n\"\"red\"\"\n\",2\n")]))]
#[case::windows_line_ends(table(200, &[]).replace('\n', "\r\n"))]
#[case::old_line_ends(table(200, &[]).replace('\n', "\r"))]
#[case::line_ends_of_all_kinds(table(200, &[(50, "1,red,2\r"), (51, "2,red,2\r\n"), (52, "3,red,1\n\r")]))]
#[case::byte_order_mark(format!("\u{feff}{}", table(200, &[])))]
#[case::blank_lines(table(200, &[(0, "\n\n"), (100, "\r\n\n\n"), (199, "\n\n")]))]
#[case::spaces(table(200, &[(120, " 4 , red ,\t2\n")]))]
#[case::no_last_line_end(table(200, &[(199, "4,red,2")]))]
#[case::a_quote_within_a_field(table(200, &[(66, "4,5\" pipe,2\n"), (67, "4,5\" pipe,2\n"), (180, "5,\"5\"\" pipe\",2\n")]))]
#[case::a_mark_in_the_middle(table(200, &[(66, "4,\u{feff}red,2\n"), (67, "4,\u{feff}red,2\n")]))]
fn a_file_has_the_same_rows_in_pieces_of_any_size(#[case] data: String) {
    let text = read_in_pieces(data.as_bytes(), &lenient()).unwrap();
    assert!(text.lines().count() > 195, "{text}");
}

#[rstest]
#[case::a_quote_that_is_never_closed("1,\"red,2\n", "line 181: a quote opens here and is never closed")]
fn an_error_in_a_late_row_is_the_same_in_pieces_of_any_size(#[case] row: &str, #[case] expected: &str) {
    let error = read_in_pieces(table(200, &[(179, row), (190, "1,red,\n")]).as_bytes(), &lenient()).unwrap_err();
    assert!(error.starts_with(&format!("/data.csv: {expected}")), "{error}");
}

#[test]
fn few_rows_of_another_width_are_left_out() {
    let text = read_in_pieces(table(200, &[(66, "1,red,2,4\n"), (179, "1\n")]).as_bytes(), &lenient()).unwrap();
    assert!(text.contains("2 rows with another number of fields than the header, left out: lines 68, 181"), "{text}");
    assert!(text.contains("rows: 198"), "{text}");
}

#[test]
fn a_field_that_is_not_utf_8_is_reported_with_line_and_column() {
    // Damaged among text in UTF-8, which is not taken for another encoding.
    let mut data = table(200, &[(178, &format!("1,{},2\n", "ä".repeat(30))), (179, "1,?,2\n")]).into_bytes();
    let place = data.iter().position(|byte| *byte == b'?').unwrap();
    data[place] = 0xff;
    let error = read_in_pieces(&data, &lenient()).unwrap_err();
    assert!(error.starts_with("/data.csv: line 181, column \"colour\": the text is not UTF-8"), "{error}");
}

/// Values that are unlike the others of their column, in a late row.
#[rstest]
#[case::a_word_after_many_numbers("one,red,2\n", "not numbers or dates count as missing in x (\"one\": 1 row)")]
#[case::a_boolean_after_many_numbers("True,red,2\n", "not numbers or dates count as missing in x (\"True\": 1 row)")]
#[case::a_marker("?,red,2\n", "missing-value markers in x (\"?\": 1 row)")]
#[case::a_number_after_many_words("1,3,2\n", "columns of numbers and text are categories: colour (\"red\")")]
#[case::a_number_that_no_double_holds("9007199254740993,red,2\n", "more digits than a double")]
#[case::a_number_with_a_percent_sign("12%,red,2\n", "numbers with a percent sign: x (12% is 12)")]
#[case::a_thousand_with_a_comma("\"1,000\",red,2\n", "',' separates thousands in x (1,000 is 1000)")]
#[case::no_target("1,red,\n", "1 row without a value of y is left out")]
fn a_late_row_is_decided_in_the_same_way_in_pieces_of_any_size(#[case] row: &str, #[case] expected: &str) {
    let text = read_in_pieces(table(200, &[(179, row)]).as_bytes(), &lenient()).unwrap();
    assert!(text.replace("\\\"", "\"").contains(expected), "{text}");
}

#[test]
fn rare_categories_are_grouped_and_text_that_hardly_repeats_is_left_out() {
    let (mut data, mut names) = ("x,c,y\n".to_owned(), "x,c,y\n".to_owned());
    for row in 0..900_u32 {
        writeln!(data, "{},{}th,{}", row * row % 11, (row * 7) % 151, row % 9).unwrap();
        writeln!(names, "{},{row}th,{}", row * row % 11, row % 9).unwrap();
    }
    let grouped = read_in_pieces(data.as_bytes(), &lenient()).unwrap();
    assert!(grouped.contains("\"(other)\"") && grouped.contains("unknown: Other"), "{grouped}");
    let left_out = read_in_pieces(names.as_bytes(), &lenient()).unwrap();
    assert!(left_out.contains("columns that number or name the rows are left out: c"), "{left_out}");
}

#[test]
fn medians_means_and_weights_do_not_depend_on_pieces() {
    let mut data = "x,z,w,y\n".to_owned();
    for row in 0..300 {
        let x = if row % 11 == 3 { "null".to_owned() } else { (f64::from(row * 7919 % 1009) * 1e-3).to_string() };
        let z = if row % 13 == 3 { "N/A".to_owned() } else { (f64::from(row * 31 % 17) / 3.0).to_string() };
        writeln!(data, "{x},{z},{},{}", 1 + row % 3, row * row % 19).unwrap();
    }
    let missing = ["x=median", "z=mean"].map(|rule| rule.parse().unwrap()).to_vec();
    let selection = Selection { target: "y".into(), weights: Some("w".into()), ..Selection::default() };
    let preparation = Preparation { missing, ..Preparation::default() };
    read_in_pieces(data.as_bytes(), &(selection, preparation)).unwrap();
}

#[test]
fn booleans_are_those_of_pandas_and_r_and_text_in_a_column_of_text() {
    let features = |data: &str| {
        let text = read_in_pieces(data.as_bytes(), &lenient());
        text.unwrap_or_else(|error| panic!("{data}: {error}"))
    };
    for [no, yes] in [["false", "true"], ["False", "True"], ["FALSE", "TRUE"]] {
        let text = features(&format!("x,y\n{yes},1\n{no},2\n,3\n{yes},4\n"));
        assert!(text.contains("kind: Boolean, missing: Impute(Boolean(true))"), "{text}");
        assert!(text.contains("features: [1.0]") && text.contains("features: [0.0]"), "{text}");
    }
    let mixed = features("x,y\nTrue,1\nfalse,2\nTRUE,3\nFalse,4\n");
    assert!(mixed.contains("kind: Boolean"), "{mixed}");
    let words = features("x,y\nTrue,1\nmaybe,2\nTrue,3\nmaybe,4\n");
    assert!(words.contains("levels: [\"True\", \"maybe\"]"), "{words}");
}

/// A column of numbers, booleans or text, with spaces and markers of missing values.
fn column() -> impl Strategy<Value = Vec<String>> {
    let gap = prop_oneof![Just("NA"), Just("n/a"), Just(""), Just("NaN"), Just("null"), Just("None")];
    let number = prop_oneof![
        any::<i32>().prop_map(|value| value.to_string()),
        any::<f32>().prop_map(|value| { if value.is_finite() { value.to_string() } else { "0.5".into() } })
    ];
    let boolean = prop_oneof![Just("true"), Just("FALSE"), Just("True"), Just("false")].prop_map(str::to_owned);
    let word =
        prop_oneof![Just("red"), Just("nano"), Just("Na\u{ef}ve"), Just("True"), Just("x y")].prop_map(str::to_owned);
    let kinds = prop_oneof![Just(number.boxed()), Just(boolean.boxed()), Just(word.boxed())];
    kinds.prop_flat_map(move |kind| {
        let field = prop_oneof![4 => kind, 1 => gap.clone().prop_map(str::to_owned)];
        let spaced =
            (field, prop::bool::ANY).prop_map(|(text, spaced)| if spaced { format!(" {text} ") } else { text });
        prop::collection::vec(spaced, 12)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn training_and_serving_encode_a_row_in_the_same_way(columns in prop::collection::vec(column(), 1..4)) {
        let names: Vec<String> = (0..columns.len()).map(|column| format!("x{column}")).collect();
        let mut data = format!("{},y\n", names.join(","));
        for row in 0..12 {
            let fields: Vec<&str> = columns.iter().map(|column| column[row].as_str()).collect();
            writeln!(data, "{},{}", fields.join(","), row % 5).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        fs::write(&path, data).unwrap();
        let origin = Origin { paths: vec![path], ..Origin::default() };
        let (selection, preparation) = lenient();
        let surveyed = SurveyedTable::with_pace(Pace { threads: 2, chunk: 20 }, Source::open(&origin, &selection).unwrap(), &preparation);
        // Without any column that varies, there is no table.
        let Ok(table) = surveyed.and_then(|surveyed| surveyed.table(&preparation, false, true)) else { return Ok(()) };
        let mut served = RowsBuilder::new(table.signature(), 12);
        let used: Vec<&Vec<String>> = names.iter().zip(&columns).filter(|(name, _)| table.signature().position(name).is_some()).map(|(_, column)| column).collect();
        for row in 0..12 {
            served.start_row().unwrap();
            for column in &used {
                served.push(Cell::Field(&column[row]));
            }
            served.end_positional_row();
        }
        let served = served.finish().unwrap();
        let mut rows = served.iter();
        table.scan::<SpoolError>(&mut |row| {
            assert_eq!(Some(row.features), rows.next());
            Ok(())
        }).unwrap();
    }
}
