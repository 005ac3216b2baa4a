//! Intervals, prediction sets and leverage of trained models.

use std::fmt::Write as _;
use std::fs;

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{complained, json_of, run, succeeded};

/// Two numbers, a category, a weight; a number and a class to predict.
fn data(rows: std::ops::Range<u32>) -> String {
    let mut text = "a,b,colour,w,y,class\n".to_owned();
    for row in rows {
        let [a, b, noise] = [7919, 6007, 104_729].map(|factor| f64::from(row * factor % 1009) / 1009.0);
        let y = (a + 0.5 * b + 0.3 * noise).exp();
        let colour = ["red", "green", "blue"][row as usize % 3];
        let class = ["no", "yes"][usize::from(a + noise > 1.0)];
        writeln!(text, "{a},{b},{colour},{},{y},{class}", 1 + row % 3).unwrap();
    }
    text
}

fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), data(0..300)).unwrap();
    fs::write(folder.path().join("test.csv"), data(300..400)).unwrap();
    folder
}

fn inference(folder: &TempDir) -> Value {
    json_of(folder.path().join("m.json"))["inference"].clone()
}

const NUMBER: &str = "--target y --exclude class,w";
const CLASS: &str = "--target class --exclude y,w";

#[rstest]
#[case("linear", NUMBER, "Student's t, 295 degrees of freedom")]
#[case("ridge --alpha 50", NUMBER, "Student's t, 295 degrees of freedom; too narrow if")]
#[case("lasso --alpha 0.01", NUMBER, "conformal, from the errors on 59 held-out rows; slightly wide")]
#[case("elastic-net --alpha 0.01", NUMBER, "conformal, from the errors on 59 held-out rows")]
#[case("lasso --alpha 0.01 --target-transform log", NUMBER, "conformal, from the errors on 59 held-out rows")]
#[case("logistic", CLASS, "prediction sets, conformal, from the errors on 59 held-out rows")]
fn every_estimator_has_intervals_and_warnings(#[case] estimator: &str, #[case] target: &str, #[case] made: &str) {
    let folder = folder();
    let trained = run(&folder, &format!("train data.csv {target} --estimator {estimator} --out m.json"));
    assert!(succeeded(&trained).contains(&format!("Intervals: {made}")), "{}", succeeded(&trained));
    assert!(succeeded(&run(&folder, "inspect m.json")).contains(made));
    let shown: Value = serde_json::from_str(succeeded(&run(&folder, "inspect m.json --json"))).unwrap();
    let is_conformal = shown["intervals"]["method"] == "conformal";
    assert_eq!(is_conformal, made.contains("59 held-out rows"));
    assert_eq!(inference(&folder).get("conformal").is_some(), is_conformal);

    let output = run(&folder, "predict m.json data.csv --interval 0.9 --warnings");
    let mut table = csv::Reader::from_reader(succeeded(&output).as_bytes());
    let records: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let (y, low, high, class, set) = (4, 7, 8, 5, 7);
    let number = |row: &csv::StringRecord, place: usize| row[place].parse::<f64>().unwrap();
    let held = records.iter().filter(|row| match target {
        CLASS => row[set].split('|').any(|label| label == &row[class]),
        _ => number(row, low) <= number(row, y) && number(row, y) <= number(row, high),
    });
    // Five standard deviations below 90 % of 300 rows.
    assert!(held.count() >= 244);
    assert!(records.iter().all(|row| row.iter().next_back() == Some("")), "no row of the data is unusual");
    fs::write(folder.path().join("odd.csv"), "a,b,colour\n0.5,9,red\n").unwrap();
    let odd = run(&folder, "predict m.json odd.csv --warnings");
    assert!(succeeded(&odd).contains("b: 9 is outside the training range"));
}

#[test]
fn test_files_give_intervals_of_the_saved_model() {
    let folder = folder();
    let trained = run(&folder, &format!("train data.csv {NUMBER} --estimator lasso --test test.csv --out m.json"));
    assert!(succeeded(&trained).contains("Intervals: conformal, from the errors on 100 rows of test data.\n"));
    // A report changes nothing.
    let before = inference(&folder);
    let page = format!("train data.csv {NUMBER} --estimator lasso --test test.csv --out m.json --report r.html");
    succeeded(&run(&folder, &page));
    assert_eq!(inference(&folder), before);
}

#[rstest]
#[case("lasso", NUMBER, "the model m has no prediction intervals")]
#[case("logistic", CLASS, "the model m has no prediction sets")]
fn without_held_out_rows_messages_say_how_to_get_intervals(
    #[case] estimator: &str,
    #[case] target: &str,
    #[case] error: &str,
) {
    let folder = folder();
    let train = format!("train data.csv {target} --estimator {estimator} --test-fraction 0 --out m.json");
    assert!(
        succeeded(&run(&folder, &train)).contains("Intervals: not available; hold out rows (--test-fraction above 0")
    );
    assert!(inference(&folder).get("conformal").is_none());
    let output = run(&folder, "predict m.json data.csv --interval 0.9");
    assert!(complained(&output).contains(error) && complained(&output).contains("--test FILE"), "{output:?}");
}

#[test]
fn mean_intervals_are_refused_where_they_are_not_available() {
    let folder = folder();
    for options in ["--estimator lasso", "--estimator linear --target-transform log"] {
        succeeded(&run(&folder, &format!("train data.csv {NUMBER} {options} --out m.json")));
        let output = run(&folder, "predict m.json data.csv --mean-interval 0.9");
        assert!(complained(&output).contains("the model m has no confidence intervals of the mean"));
    }
}

#[rstest]
#[case("linear", "--target y --exclude class")]
#[case("lasso", "--target y --exclude class")]
#[case("logistic", "--target class --exclude y")]
fn the_weight_of_all_rows_is_kept_where_they_have_any(#[case] estimator: &str, #[case] target: &str) {
    let folder = folder();
    succeeded(&run(&folder, &format!("train data.csv {target} --estimator {estimator} --weights w --out m.json")));
    assert_eq!(inference(&folder)["weight"], json!(600.0));
    succeeded(&run(&folder, &format!("train data.csv {target},w --estimator {estimator} --out m.json")));
    assert_eq!(inference(&folder).get("weight"), None);
}

/// In a penalized fit every level of a category has a column, so that columns are dependent: of two numbers, three colours,
/// two sizes and the intercept 6 parameters are independent, with their products 15.
#[rstest]
#[case("linear", NUMBER, "0.18")]
#[case("lasso --alpha 0.001", NUMBER, "0.18")]
#[case("lasso --alpha 0.001 --no-intercept", NUMBER, "0.18")]
#[case("elastic-net --alpha 0.001 --interactions", NUMBER, "0.45")]
#[case("logistic", CLASS, "0.18")]
#[case("logistic --no-intercept", CLASS, "0.18")]
#[case("logistic --interactions", CLASS, "0.45")]
fn leverage_is_high_above_three_times_its_mean(#[case] estimator: &str, #[case] target: &str, #[case] limit: &str) {
    let mut text = "a,b,colour,size,w,y,class\n".to_owned();
    for row in 0..100_u32 {
        let [a, noise] = [7919, 104_729].map(|factor| f64::from(row * row * factor % 1009) / 1009.0);
        let (colour, size) = (["red", "green", "blue"][row as usize % 3], ["s", "l"][row as usize % 2]);
        let class = ["no", "yes"][usize::from(a + noise > 1.0)];
        writeln!(text, "{a},{},{colour},{size},1,{},{class}", a + 0.05 * noise, a + noise).unwrap();
    }
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), text).unwrap();
    fs::write(folder.path().join("odd.csv"), "a,b,colour,size\n0.9,0.1,red,s\n").unwrap();
    let train = format!("train data.csv {target} --estimator {estimator} --test-fraction 0 --out m.json");
    succeeded(&run(&folder, &train));
    let odd = run(&folder, "predict m.json odd.csv --warnings");
    assert!(succeeded(&odd).contains(&format!("usual up to {limit})")), "{}", succeeded(&odd));
}

#[test]
fn models_of_fewer_rows_than_columns_have_no_leverage_warnings() {
    let folder = tempdir().unwrap();
    let names: Vec<String> = (0..40).map(|column| format!("x{column}")).collect();
    let mut text = names.join(",") + ",y\n";
    for row in 0..30_u32 {
        let values: Vec<String> =
            (0..41_u32).map(|column| (f64::from(row * 37 * (column + 3) % 101) / 8.0).to_string()).collect();
        writeln!(text, "{}", values.join(",")).unwrap();
    }
    fs::write(folder.path().join("data.csv"), text).unwrap();
    succeeded(&run(&folder, "train data.csv --target y --estimator lasso --alpha 1 --out m.json"));
    assert!(inference(&folder).get("r").is_none());
    assert!(inference(&folder).get("conformal").is_some());
}
