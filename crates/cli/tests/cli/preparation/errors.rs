//! Data and options that cannot be used, and help that resolves the error.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use rstest::rstest;

use crate::support::{complained, folder_with_data, succeeded, text, train};

#[test]
fn the_advice_about_a_dependent_column_can_be_followed() {
    // All that is red is 30 years old: the product is 30 times the level.
    let mut data = "age,colour,y\n".to_owned();
    for i in 0..30_u32 {
        let (age, colour) = if i % 3 == 0 { (30, "red") } else { (20 + i * i % 17, ["blue", "green"][i as usize % 2]) };
        writeln!(data, "{age},{colour},{}", (i * 7) % 11).unwrap();
    }
    let folder = folder_with_data(data);
    let arguments = "data.csv --target y --interactions --test-fraction 0";
    let output = train(folder.path(), arguments);
    let said = text(&output.stderr);
    assert!(said.contains("linearly dependent"), "{said}");
    let advised = said.rsplit_once("--exclude \"").unwrap().1.split('"').next().unwrap();
    succeeded(&train(folder.path(), &format!("{arguments} --exclude {advised}")));
}

/// Data or options that cannot be used, and parts of the message.
#[rstest]
#[case::a_typo_among_numbers("x,y\n1,1\n2,2\nthree,3\n4,5\n", "", &["line 4", "column \"x\"", "\"three\"", "expected a number", "--categorical x"])]
#[case::a_number_among_words("x,y\nred,1\nblue,2\n3,3\n", "", &["line 2", "column \"x\"", "\"red\"", "\"3\""])]
#[case::decimal_commas("x;y\n1,5;1\n2,5;2\n", "", &["line 2", "column \"x\"", "\"1,5\"", "expected a number", "decimal point", "tr , ."])]
#[case::all_missing("x,z,y\n,1,1\nNA,2,2\n,4,3\n", "--missing mean", &["data.csv", "\"x\"", "no row has a value", "--exclude"])]
#[case::missing_target("x,y\n1,1\n2,\n", "--missing mean", &["line 3", "target column \"y\"", "value is missing"])]
#[case::a_word_as_target("x,y\n1,1\n2,high\n", "", &["line 3", "target column \"y\"", "got \"high\"", "remove the row", "--categorical y"])]
#[case::a_target_of_another_type("x,y\n1,1\n2,2.5\n", "--types y=long", &["line 3", "target column \"y\"", "2.5", "--types y=string"])]
#[case::a_word_as_weight("x,y,w\n1,1,1\n2,2,two\n", "--weights w", &["line 3", "weight column \"w\"", "\"two\"", "remove the row"])]
#[case::the_target_left_out("x,y\n1,1\n2,2\n", "--exclude x,y", &["--exclude", "target column \"y\"", "not a feature"])]
#[case::the_weights_left_out("x,y,w\n1,1,1\n2,2,1\n", "--weights w --exclude w", &["--exclude", "weight column \"w\""])]
#[case::a_mean_of_words("x,y\nred,1\n,2\nblue,4\n", "--missing mean", &["\"x\"", "only numbers", "--missing x=most-frequent"])]
#[case::a_constant_of_another_type("x,y\n1,1\n,2\n3,4\n", "--missing constant=none", &["\"x\"", "\"none\" means a missing value", "--missing x=median"])]
#[case::one_category("x,y\nred,1\nred,2\nred,4\n", "", &["data.csv", "\"x\"", "every row has the same value", "--exclude"])]
#[case::weight_of_zero("x,y,w\n1,1,1\n2,2,0\n", "--weights w", &["line 3", "column \"w\"", "greater than zero"])]
#[case::missing_weight("x,y,w\n1,1,1\n2,2,\n", "--weights w", &["line 3", "column \"w\"", "missing"])]
#[case::no_such_weights("x,y,wait\n1,1,1\n2,2,2\n", "--weights weight", &["\"weight\"", "did you mean \"wait\"?"])]
#[case::logarithm_of_zero("x,y\n1,1\n2,0\n3,4\n", "--target-transform log", &["line 3", "column \"y\"", "logarithm"])]
#[case::logarithm_of_classes("x,y\n1,a\n2,b\n3,a\n", "--target-transform log", &["\"y\"", "classes"])]
#[case::classes_for_a_line("x,y\n1,a\n2,b\n3,a\n", "--estimator linear", &["\"y\"", "classes", "--estimator logistic"])]
#[case::one_class("x,y\n1,a\n2,a\n3,a\n", "", &["data.csv", "target \"y\"", "same value"])]
#[case::no_classes("x,y\n1,1.5\n2,2.5\n3,7.25\n", "--estimator logistic", &["\"y\"", "3 different values in 3 rows", "expected classes"])]
#[case::a_class_of_one_row("x,y\n1,a\n2,b\n3,a\n4,a\n5,a\n6,a\n", "--c auto", &["data.csv", "\"y\"", "\"b\"", "cross-validation", "--c"])]
#[case::a_mean_beyond_doubles("x,y\n1e308,1\n1e308,2\n,5\n", "--missing mean", &["\"x\"", "too large", "median"])]
#[case::an_identifier("x,y\na,1\nb,2\nc,3\nd,4\ne,5\nf,6\ng,7\nh,8\ni,9\nj,1\nk,2\n", "", &["data.csv", "\"x\"", "identifier", "--exclude"])]
#[case::not_whole("x,y\n1,1\n2.5,2\n3,4\n", "--types x=long", &["line 3", "column \"x\"", "whole number", "2.5"])]
#[case::not_true("x,y\n1,1\n0,2\n1,4\n", "--types x=boolean", &["line 2", "column \"x\"", "true or false"])]
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
#[case::fewer_rows_than_folds("x,y\n1,1\n2,2\n3,4\n", "--estimator ridge --cross-validate 5", &["5 folds needs more rows, got 3", "--cross-validate"])]
#[case::a_target_that_weighs("x,y\n1,1\n2,2\n", "--weights y", &["both the target and the weights", "--weights"])]
#[case::two_types("x,y\n1,1\n2,2\n", "--types x=double,x=long", &["more than one type", "\"x\""])]
#[case::a_type_and_a_category("x,y\n1,1\n2,2\n", "--types x=double --categorical x", &["more than one type", "\"x\""])]
#[case::thousands_with_points("x;y\n1.000,5;1\n2.000,5;2\n7;3\n", "--types x=double", &["line 2", "without thousands separators"])]
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
    assert!(said.starts_with("error: ") && said.lines().skip(1).all(|line| line.starts_with("help: ")), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the data are there");
}

/// Errors whose help names options that resolve them.
#[rstest]
#[case::missing("my x,y\n1,1\n,2\n3,4\n", &["--missing 'my x=median'"])]
#[case::missing_column("x,z,y\n1,1,1\n,2,2\n3,5,4\n", &["--exclude x", "--missing x=median"])]
#[case::words("x,z,y\n1,1,1\nhigh,2,2\n1,5,4\nhigh,7,3\n1,2,2\n", &["--exclude x", "--categorical x"])]
#[case::target("x,y\n1,1\n2,high\n3,1\n4,high\n5,1\n", &["--categorical y"])]
#[case::no_values("x,z,y\n,1,1\n,2,2\n,5,4\n", &["--exclude x"])]
#[case::one_level("x,z,y\na,1,1\na,2,2\na,5,4\n", &["--exclude \"x\""])]
#[case::identifier("x,z,y\na,1,1\nb,2,2\nc,5,4\nd,1,1\ne,2,2\nf,5,4\ng,1,1\nh,2,2\ni,5,4\nj,1,2\nk,2,1\n", &["--exclude x"])]
#[case::another_type("x,y\n1,1\n2.5,2\n1,4\n2.5,3\n", &["--types x=string"])]
#[case::a_mean_of_words("x,y\nred,1\n,2\nblue,4\nred,2\n", &["--missing x=most-frequent"])]
fn options_in_help_resolve_the_error(#[case] data: &str, #[case] options: &[&str]) {
    let folder = folder_with_data(data);
    let given = match options {
        ["--types x=string"] => "--types x=long",
        ["--missing x=most-frequent"] => "--missing mean",
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

#[test]
fn columns_with_too_many_categories_or_classes_are_refused() {
    let mut data = "id,x,y\n".to_owned();
    (0..1001).for_each(|i| writeln!(data, "person {i},{},{i}", i * i % 7).unwrap());
    let folder = folder_with_data(data);
    let said = |arguments: &str| {
        let output = train(folder.path(), &format!("data.csv {arguments}"));
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr).to_owned()
    };
    let features = said("--target y");
    assert!(features.contains("line 1002, column \"id\"") && features.contains("at most 1000 different"), "{features}");
    let classes = said("--target y --features x --estimator logistic");
    assert!(classes.contains("data.csv") && classes.contains("at most 100 classes"), "{classes}");
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
#[case("--alpha 1", "ridge, lasso or elastic-net")]
#[case("--estimator linear --alpha 1", "ridge, lasso or elastic-net")]
#[case("--estimator lasso --l1-ratio 0.5", "elastic-net")]
#[case("--estimator ridge --c 1", "logistic")]
#[case("--estimator ridge --alpha 1 --cross-validate 5", "--alpha auto")]
#[case("--estimator ridge --alpha -1", "above zero")]
#[case("--estimator ridge --alpha 1 --one-standard-error", "--alpha auto")]
#[case("--missing mode", "most-frequent")]
#[case("--types x=int", "double, long, boolean or string")]
#[case("--delimiter ,,", "one ASCII character")]
#[case("--degree 33", "32")]
fn wrong_usage_exits_with_2(#[case] arguments: &str, #[case] named: &str) {
    let folder = folder_with_data("x,y\n1,3\n2,5\n3,7\n");
    let output = train(folder.path(), &format!("data.csv --target y {arguments}"));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(named), "{said}");
}
