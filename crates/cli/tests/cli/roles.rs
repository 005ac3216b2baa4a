//! Columns that weigh rows or enter the score as they are: they are numbers, whatever their notation.

use std::fmt::Write as _;

use rstest::rstest;

use crate::support::{complained, folder_with_data, json_of, run, succeeded};

const WEIGHTED: &str = "train data.csv --target y --weights w --test-fraction 0";
const EXPOSED: &str = "train data.csv --target y --estimator poisson --exposure w --test-fraction 0";
const OFFSET: &str = "train data.csv --target y --estimator poisson --offset w --test-fraction 0";

/// Rows whose third column has its numbers in this notation.
fn rows(notation: fn(u32) -> String) -> String {
    let mut text = "x,y,w\n".to_owned();
    for (x, (y, w)) in [(2, 5), (3, 7), (2, 5), (5, 9), (6, 7), (5, 5), (8, 9), (7, 9)].into_iter().enumerate() {
        writeln!(text, "{x},{y},{}", notation(w)).unwrap();
    }
    text
}

#[rstest]
#[case::weights(WEIGHTED, "weight")]
#[case::exposure(EXPOSED, "exposure")]
#[case::offset(OFFSET, "offset")]
fn a_type_other_than_a_number_is_refused(
    #[case] command: &str,
    #[case] role: &str,
    #[values(
        ("--types w=string", "--types", "string"),
        ("--types w=boolean", "--types", "boolean"),
        ("--types w=date", "--types", "date"),
        ("--categorical w", "--categorical", "string"),
        ("--date-format w=%Y%m%d", "--date-format", "date")
    )]
    option: (&str, &str, &str),
) {
    let folder = folder_with_data(rows(|w| w.to_string()));
    let (given, option, kind) = option;
    let failed = run(&folder, &format!("{command} {given}"));
    let message = format!(
        "error: {option}: the {role} column \"w\" must be a number, got the type {kind}\n\
         help: remove it from {option}\n"
    );
    assert_eq!(complained(&failed), message);
}

#[rstest]
#[case::leading_zeros(|w: u32| format!("{w:04}"))]
#[case::numbers_like_dates(|w: u32| (20_240_100 + w).to_string())]
#[case::a_decimal_comma(|w: u32| format!("\"{w},5\""))]
fn numbers_that_would_be_categories_or_dates_are_numbers(
    #[case] notation: fn(u32) -> String,
    #[values(WEIGHTED, EXPOSED)] command: &str,
) {
    let value = |w| notation(w).trim_matches('"').replace(',', ".").parse::<f64>().unwrap().to_string();
    let plain = rows(|w| w.to_string()).lines().skip(1).fold("x,y,w\n".to_owned(), |mut text, line| {
        let (before, w) = line.rsplit_once(',').unwrap();
        writeln!(text, "{before},{}", value(w.parse().unwrap())).unwrap();
        text
    });
    let estimator = |text: String| {
        let folder = folder_with_data(text);
        succeeded(&run(&folder, &format!("{command} --types w=double --out m.json")));
        json_of(folder.path().join("m.json"))["estimator"].clone()
    };
    let folder = folder_with_data(rows(notation));
    succeeded(&run(&folder, &format!("{command} --out m.json")));
    assert_eq!(json_of(folder.path().join("m.json"))["estimator"], estimator(plain));
}
