//! Data and options that cannot be used, and help that resolves the error.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use rstest::rstest;

use crate::support::{complained, folder_with_data, succeeded, text, train};

/// Data or options that cannot be used, and parts of the message.
#[rstest]
#[case::missing_values("x,z,y\n,1,1\n3,2,2\n,4,3\n5,4,2\n", "--missing reject", &["data.csv", "\"x\"", "2 values are missing", "--missing x=auto"])]
#[case::no_targets("x,y\n1,\n2,NA\n", "", &["target \"y\"", "no row has a value"])]
#[case::a_target_of_dates("x,y\n1,2024-01-05\n2,2024-02-05\n", "", &["target \"y\"", "has dates", "choose another --target"])]
#[case::a_target_of_another_type("x,y\n1,1\n2,2.5\n", "--types y=long", &["line 3", "target column \"y\"", "2.5"])]
#[case::an_identifier_as_target("x,y\n1,a\n2,b\n3,c\n4,d\n", "", &["target \"y\"", "4 different values in 4 rows", "may be an identifier"])]
#[case::a_negative_weight("x,y,w\n1,1,1\n2,2,-1\n", "--weights w", &["line 3", "column \"w\"", "got -1"])]
#[case::a_sum_beyond_doubles("x,y\n1e308,1\n1.5e308,2\n,5\n", "--missing mean", &["\"x\"", "too large", "median"])]
#[case::not_whole("x,y\n1,1\n2.5,2\n3,4\n", "--types x=long", &["line 3", "column \"x\"", "whole number", "2.5"])]
#[case::not_true("x,y\n1,1\n0,2\n1,4\n", "--types x=boolean", &["line 2", "column \"x\"", "true or false"])]
#[case::several("x,z,y\n1,a,1\n2.5,b,2\n3,c,4\n", "--types x=long,z=double", &["column \"x\"", "column \"z\"", "2.5", "\"a\""])]
#[case::nothing_that_varies("x,c,y\n1,a,1\n1,a,2\n1,a,4\n", "", &["no columns left", "one value in all rows", "add a column whose values differ"])]
#[case::no_such_reference("c,y\na,1\nb,2\na,3\nb,5\n", "--reference c=d", &["--reference", "\"c\"", "\"d\""])]
#[case::a_word_as_weight("x,y,w\n1,1,1\n2,2,two\n", "--weights w", &["line 3", "weight column \"w\"", "\"two\"", "remove the row"])]
#[case::the_target_left_out("x,y\n1,1\n2,2\n", "--exclude x,y", &["--exclude", "target column \"y\"", "not a feature"])]
#[case::the_weights_left_out("x,y,w\n1,1,1\n2,2,1\n", "--weights w --exclude w", &["--exclude", "weight column \"w\""])]
#[case::a_mean_of_words("x,y\nred,1\n,2\nblue,4\n", "--missing x=mean", &["\"x\"", "only numbers", "--missing x=most-frequent"])]
#[case::a_constant_of_another_type("x,y\n1,1\n,2\n3,4\n", "--missing constant=none", &["\"x\"", "\"none\" means a missing value", "--missing x=median"])]
#[case::no_such_weights("x,y,wait\n1,1,1\n2,2,2\n", "--weights weight", &["\"weight\"", "did you mean \"wait\"?"])]
#[case::logarithm_of_zero("x,y\n1,1\n2,0\n3,4\n", "--target-transform log", &["line 3", "column \"y\"", "logarithm"])]
#[case::logarithm_of_classes("x,y\n1,a\n2,b\n3,a\n", "--target-transform log", &["\"y\"", "classes"])]
#[case::classes_for_a_line("x,y\n1,a\n2,b\n3,a\n", "--estimator linear", &["\"y\"", "classes", "--estimator logistic"])]
#[case::one_class("x,y\n1,a\n2,a\n3,a\n", "", &["data.csv", "target \"y\"", "same value"])]
#[case::no_classes("x,y\n1,1.5\n2,2.5\n3,7.25\n", "--estimator logistic", &["\"y\"", "3 different values in 3 rows", "expected classes"])]
#[case::a_type_for_nothing("x,y\n1,1\n2,2\n", "--types z=long", &["--types", "\"z\""])]
#[case::a_type_for_a_typo("age,y\n1,1\n2,2\n", "--types agf=long", &["--types", "\"agf\"", "did you mean \"age\"?"])]
#[case::a_category_for_a_typo("age,y\n1,1\n2,2\n", "--categorical agf", &["--categorical", "did you mean \"age\"?"])]
#[case::a_rule_for_a_typo("age,y\n1,1\n2,2\n", "--missing agf=mean", &["--missing", "did you mean \"age\"?"])]
#[case::a_feature_with_a_typo("age,y\n1,1\n2,2\n", "--features agf", &["line 1", "did you mean \"age\"?"])]
#[case::a_rule_for_the_target("x,y\n1,1\n2,2\n", "--missing y=mean", &["--missing", "\"y\"", "target"])]
#[case::weights_as_feature("x,y\n1,1\n2,2\n", "--weights x --features x", &["\"x\"", "weights", "--features"])]
#[case::clashing_names("c,c=b,y\na,1,1\nb,2,2\na,3,4\nb,5,1\n", "", &["\"c=b\"", "help: rename"])]
#[case::no_such_power("age,y\n1,1\n2,2\n3,4\n", "--exclude age^2", &["neither the data nor the model", "\"age^2\"", "did you mean \"age\"?"])]
#[case::no_such_level("c,y\na,1\nb,2\na,3\nc,4\nb,5\n", "--exclude c=d", &["\"c=d\"", "did you mean \"c=", "\"c=b\", \"c=c\""])]
#[case::no_such_column("age,y\n1,1\n2,2\n3,4\n", "--exclude agf", &["line 1", "\"agf\"", "did you mean \"age\"?"])]
#[case::no_column_left("c,y\na,1\nb,2\na,3\nb,5\n", "--exclude c=b", &["--exclude", "no columns"])]
#[case::a_target_that_weighs("x,y\n1,1\n2,2\n", "--weights y", &["both the target and the weights", "--weights"])]
#[case::two_types("x,y\n1,1\n2,2\n", "--types x=double,x=long", &["more than one type", "\"x\""])]
#[case::a_type_and_a_category("x,y\n1,1\n2,2\n", "--types x=double --categorical x", &["more than one type", "\"x\""])]
#[case::weights_beyond_measure("x,w,y\n1,1e306,1\n2,1e306,2\n3,1e306,4\n4,1e306,3\n", "--weights w", &["help: rescale the column, or the weights"])]
fn data_or_options_that_cannot_be_used_give_an_error(
    #[case] data: &str,
    #[case] arguments: &str,
    #[case] named: &[&str],
) {
    let folder = folder_with_data(data);
    let output = train(folder.path(), &format!("data.csv --target y --test-fraction 0 --out m.json {arguments}"));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in named {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    let is_expected = |line: &str| line.starts_with("help: ") || line.starts_with("error: ");
    assert!(said.starts_with("error: ") && said.lines().all(is_expected), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the data are there");
}

/// Errors whose help names options that resolve them.
#[rstest]
#[case::missing("my x,y\n1,1\n,2\n3,4\n", &["--missing 'my x=auto'"])]
#[case::another_type("x,y\n1,1\n2.5,2\n1,4\n2,3\n", &["--types x=string"])]
#[case::a_mean_of_words("x,y\nred,1\n,2\nblue,4\nred,2\n", &["--missing x=most-frequent"])]
fn options_in_help_resolve_the_error(#[case] data: &str, #[case] options: &[&str]) {
    let folder = folder_with_data(data);
    let given = match options {
        ["--types x=string"] => "--types x=long",
        ["--missing x=most-frequent"] => "--missing x=mean",
        ["--missing 'my x=auto'"] => "--missing reject",
        _ => "",
    };
    let shell = |given: &str, option: &str| {
        let command = format!("ordinate train data.csv --target y --test-fraction 0 {given} {option}");
        let programs = Path::new(env!("CARGO_BIN_EXE_ordinate")).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        Command::new("sh").args(["-c", &command]).current_dir(folder.path()).env("PATH", path).output().unwrap()
    };
    let refused = shell(given, "");
    let help = complained(&refused).lines().nth(1).unwrap_or_default();
    for option in options {
        assert!(help.contains(option), "{option} is not in {help}");
        // A rule for one column is given in addition, a type instead.
        let given = if given.starts_with("--types") { "" } else { given };
        succeeded(&shell(given, option));
    }
}

/// All rows with a problem are listed, up to 20, and one command resolves all of them.
#[test]
fn several_problems_are_listed_with_one_command_that_resolves_them() {
    let mut data = "age,my date,y\n".to_owned();
    for row in 0..60 {
        let age = if row % 5 == 0 { ["old", "it's new"][row % 2].to_owned() } else { row.to_string() };
        let joined = if row == 7 { "-soon" } else { "2024-01-05" };
        writeln!(data, "{age},{joined},{}", row * row % 7).unwrap();
    }
    let folder = folder_with_data(data);
    let shell = |command: &str| {
        let programs = Path::new(env!("CARGO_BIN_EXE_ordinate")).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        Command::new("sh").args(["-c", command]).current_dir(folder.path()).env("PATH", path).output().unwrap()
    };
    let refused = shell("ordinate train data.csv --target y --types 'age=double,my date=date'");
    let said = complained(&refused);
    assert!(
        said.starts_with("error: data.csv: line 2, column \"age\": expected a number, got \"old\"\nerror: "),
        "{said}"
    );
    assert_eq!(said.lines().filter(|line| line.starts_with("error: data.csv: line ")).count(), 11, "{said}");
    assert!(said.contains("error: data.csv: line 9, column \"my date\": expected a date"), "{said}");
    assert!(said.contains("\nerror: and 2 more values\nhelp: "), "{said}");
    let command = said.lines().last().unwrap().strip_prefix("help: to count these values as missing, use: ").unwrap();
    succeeded(&shell(command));
}

#[test]
fn text_in_another_encoding_than_the_given_one_is_an_error_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let utf_16: Vec<u8> = "\u{feff}x,y\n1,2\n2,3\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, given, place, fitting) in [
        (b"x,c,y\n1,caf\xe9,2\n2,caf\xe9,3\n".as_slice(), "shift_jis", "line 2", "windows-1252"),
        (b"x,c,y\n1,a,2\n2,b,3\n", "utf-16le", "line 1", "utf-8"),
        (utf_16.as_slice(), "windows-1252", "line 1", "utf-16le"),
    ] {
        fs::write(folder.path().join("data.csv"), bytes).unwrap();
        let output = train(folder.path(), &format!("data.csv --target y --encoding {given}"));
        let said = complained(&output);
        let expected =
            format!("error: data.csv: {place}: the text is not in {given}\nhelp: use --encoding {fitting}\n");
        assert_eq!(said, expected);
        succeeded(&train(folder.path(), &format!("data.csv --target y --encoding {fitting}")));
    }
    fs::write(folder.path().join("data.csv"), "x,c,y\n1,größe,2\n2,b,3\n").unwrap();
    let output = train(folder.path(), "data.csv --target y --encoding windows-1252");
    assert!(succeeded(&output).contains("the text looks like utf-8, and is read as windows-1252"), "{output:?}");
}

#[test]
fn too_many_classes_are_refused() {
    let mut data = "x,y\n".to_owned();
    (0..1001).for_each(|i| writeln!(data, "{},{i}", i * i % 7).unwrap());
    let folder = folder_with_data(data);
    let output = train(folder.path(), "data.csv --target y --estimator logistic");
    let said = complained(&output);
    assert!(said.contains("data.csv") && said.contains("at most 100 classes"), "{said}");
}

#[test]
fn a_design_that_is_too_wide_names_the_files() {
    let mut data = "x,z,y\n".to_owned();
    (0..160).for_each(|i| writeln!(data, "a{},b{},{i}", i % 80, i * 7 % 80).unwrap());
    let folder = folder_with_data(&data);
    fs::write(folder.path().join("more.csv"), &data).unwrap();
    let output = train(folder.path(), "data.csv more.csv --target y --interactions");
    let said = complained(&output);
    assert!(said.contains("data.csv and 1 more: the model would have 6399 columns"), "{said}");
}

#[test]
fn files_of_different_kinds_are_not_joined() {
    let folder = folder_with_data("x,y\n1,1\n2,2\n");
    for (other, named) in
        [("x,z\n1,1\n", "expected \"y\" as column 2, got \"z\""), ("x\n1\n", "expected 2 columns, got 1")]
    {
        fs::write(folder.path().join("other.csv"), other).unwrap();
        let output = train(folder.path(), "data.csv other.csv --target y");
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.contains("other.csv: line 1") && said.contains(named), "{said}");
    }
}

#[rstest]
#[case("--alpha 1", "ridge, lasso, elastic-net, poisson or gamma")]
#[case("--estimator linear --alpha 1", "ridge, lasso, elastic-net, poisson or gamma")]
#[case("--estimator lasso --l1-ratio 0.5", "elastic-net")]
#[case("--estimator ridge --c 1", "logistic")]
#[case("--estimator ridge --alpha 1 --one-standard-error", "--alpha auto")]
#[case("--estimator ridge --alpha -1", "at least zero")]
#[case("--estimator ridge --alpha 1 --one-standard-error", "--alpha auto")]
#[case("--missing mode", "most-frequent")]
#[case("--types x=int", "double, long, boolean, date or string")]
#[case("--delimiter ,,", "one ASCII character")]
#[case("--degree 33", "32")]
fn wrong_usage_exits_with_2(#[case] arguments: &str, #[case] named: &str) {
    let folder = folder_with_data("x,y\n1,3\n2,5\n3,7\n");
    let output = train(folder.path(), &format!("data.csv --target y {arguments}"));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(named), "{said}");
}
