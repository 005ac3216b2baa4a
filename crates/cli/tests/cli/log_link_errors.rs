//! Errors of Poisson and gamma regression: values, options, columns and model files that do not suit them.

use std::fs;

use rstest::rstest;
use serde_json::{Value, json};

use crate::log_link::{COUNT, folder};
use crate::support::{complained, complained_with_code, json_of, run, succeeded};

#[rstest]
#[case("time", "0", "line 4, exposure column \"time\": expected a number greater than zero, got 0")]
#[case("count", "-1", "line 4, target column \"count\": expected a number of at least zero, got -1")]
fn a_value_that_cannot_be_fitted_is_an_error_with_its_line(
    #[case] column: &str,
    #[case] value: &str,
    #[case] message: &str,
) {
    let folder = folder();
    let text = fs::read_to_string(folder.path().join("data.csv")).unwrap();
    let place = if column == "time" { 2 } else { 4 };
    let changed = text.lines().enumerate().map(|(number, line)| {
        let mut fields: Vec<&str> = line.split(',').collect();
        if number == 3 {
            fields[place] = value;
        }
        fields.join(",") + "\n"
    });
    fs::write(folder.path().join("data.csv"), changed.collect::<String>()).unwrap();
    let failed = run(&folder, COUNT);
    assert!(complained(&failed).contains(message), "{}", complained(&failed));
}

#[test]
fn a_prediction_with_an_exposure_of_zero_is_refused_with_its_line() {
    let folder = folder();
    succeeded(&run(&folder, &format!("{COUNT} --out m.json")));
    fs::write(folder.path().join("new.csv"), "u,v,time\n0.5,0.25,2\n0.5,0.25,0\n").unwrap();
    let failed = run(&folder, "predict m.json new.csv");
    let message = "line 3, column \"time\": expected a positive number, got \"0\"";
    assert!(complained(&failed).contains(message), "{}", complained(&failed));
}

#[rstest]
#[case("--target count --exposure time", "--exposure needs --estimator poisson or gamma")]
#[case("--target count --estimator ridge --offset u", "--offset applies to --estimator poisson or gamma, got ridge")]
#[case("--target count --estimator poisson --target-transform log", "does not apply to --estimator poisson")]
#[case(
    "--target count --estimator poisson --alpha -1",
    "for '--alpha <NUMBER|auto>': expected a number of at least zero, or auto"
)]
#[case("--target count --estimator gamma --alpha auto", "--alpha of --estimator gamma must be a number, got auto")]
fn options_that_do_not_suit_the_estimator_are_wrong_usage(#[case] options: &str, #[case] message: &str) {
    let failed = run(folder(), &format!("train data.csv {options}"));
    assert!(complained_with_code(&failed, 2).contains(message));
}

#[rstest]
#[case("--target count --estimator poisson --exposure count", "cannot be both the target and the exposure")]
#[case("--target count --estimator poisson --exposure u --features u,v", "is the exposure and cannot be a feature too")]
#[case("--target count --estimator poisson --exposure u --exclude u", "the exposure column \"u\" is not a feature")]
#[case("--target count --estimator poisson --exposure tim", "did you mean \"time\"?")]
#[case(
    "--target count --estimator poisson --exposure group",
    "exposure column \"group\": expected a number, got \"a\""
)]
#[case("--target group --estimator poisson", "--estimator poisson needs a numeric target")]
#[case("--target count --estimator gamma", "use --estimator poisson or --estimator linear")]
fn columns_that_do_not_suit_their_role_are_errors(#[case] options: &str, #[case] message: &str) {
    let failed = run(folder(), &format!("train data.csv {options}"));
    assert!(complained(&failed).contains(message), "{}", complained(&failed));
}

/// Files that would answer with the logarithm of a negative number, or without their offset.
#[rstest]
#[case("/preprocess/offset/feature", json!("w"), "unknown feature")]
#[case("/preprocess/offset/mean", json!(null), "invalid type")]
#[case("/signature/features/2/positive", json!(false), "because it is logged")]
#[case("/signature/features/2/range", json!([-1.0, 2.0]), "expected a range above zero")]
#[case("/estimator/family", json!("linear"), "expected a poisson or gamma estimator")]
#[case("/inference/dispersion", json!(-1.0), "inference.dispersion")]
#[case("/inference/center", json!([0.0]), "inference.center")]
#[case("/preprocess/target_transform", json!("log"), "has a log link")]
fn model_files_whose_offset_does_not_fit_are_refused(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] message: &str,
) {
    let folder = folder();
    succeeded(&run(&folder, &format!("{COUNT} --out m.json")));
    let mut file = json_of(folder.path().join("m.json"));
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    file.pointer_mut(parent).unwrap()[key] = value;
    let golden = file["golden"]["X"].clone();
    let refused = serde_json::from_value::<ordinate_model::artifact::Document>(file)
        .map_err(|error| error.to_string())
        .and_then(|document| document.seal(serde_json::from_value(golden).unwrap()).map_err(|error| error.to_string()));
    let refused = refused.unwrap_err();
    assert!(refused.contains(message), "{refused}");
}

#[rstest]
#[case(
    "train data.csv --target count --estimator poisson --exposure empty",
    "name a column of numbers with --exposure"
)]
#[case(
    "train data.csv --target count --estimator poisson --features u --offset huge",
    "line 6, offset column \"huge\": expected a value whose mean a double can hold, got 1e300"
)]
fn errors_about_an_offset_name_it(#[case] command: &str, #[case] error: &str) {
    let folder = folder();
    let text = fs::read_to_string(folder.path().join("data.csv")).unwrap();
    let lines = text.lines().enumerate().map(|(row, line)| match row {
        0 => format!("{line},empty,huge\n"),
        _ => format!("{line},,{}\n", if row == 5 { "1e300" } else { "1" }),
    });
    fs::write(folder.path().join("data.csv"), lines.collect::<String>()).unwrap();
    let output = run(&folder, command);
    let complaint = complained(&output);
    assert!(complaint.contains(error), "{complaint}");
}
