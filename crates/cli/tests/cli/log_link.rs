//! Poisson and gamma regression with offsets, from training to answers.

#![allow(clippy::cast_precision_loss)] // Counts.

use std::fmt::Write as _;
use std::fs;

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{complained, folder_with_data, json_of, run, succeeded};

/// Counts and amounts in proportion to a time; a group whose counts are all 0 ends the table.
pub(crate) fn folder() -> TempDir {
    let mut text = "u,v,time,group,count,amount\n".to_owned();
    for i in 0..120_u32 {
        let (u, v) = (f64::from(i * 7919 % 1000) / 1000.0, f64::from(i * 104_729 % 997) / 997.0);
        let (time, spread) = (1.0 + f64::from(i % 4) / 2.0, f64::from(i * 53 % 101) / 101.0);
        let mean = time * (0.4 + 1.5 * u - v).exp();
        let group = ["a", "b", "c"][i as usize % 3];
        writeln!(text, "{u},{v},{time},{group},{},{}", (mean * (0.5 + spread)).floor(), mean * (0.2 + spread)).unwrap();
    }
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), text).unwrap();
    folder
}

pub(crate) const COUNT: &str = "train data.csv --target count --features u,v --estimator poisson --exposure time";
const AMOUNT: &str = "train data.csv --target amount --features u,v --estimator gamma --exposure time";

/// statsmodels 0.15.0: `GLM(y, X, family, exposure=time).fit()`, then `get_prediction([1, 0.5, 0.25], offset=log(2))` with
/// `alpha=0.1`: estimates with the intercept first, standard errors, prediction and interval of the mean.
#[rstest]
#[case(
    COUNT,
    [0.145_092_040_933_678_14, 1.791_362_100_924_546_8, -1.180_047_243_564_149],
    [0.144_863_897_243_981_08, 0.187_378_954_780_583_06, 0.177_726_146_015_741_55],
    [4.216_091_276_653_625, 3.817_737_357_696_890_5, 4.656_010_612_473_901],
    "rate_ratio"
)]
#[case(
    AMOUNT,
    [0.010_649_023_105_131_852, 1.606_899_535_603_545_4, -1.076_330_177_519_402_3],
    [0.097_114_735_342_549_2, 0.134_295_901_558_864_26, 0.131_494_033_883_396_3],
    [3.449_272_803_001_566_2, 3.183_756_872_326_017, 3.736_931_978_990_631],
    "mean_ratio"
)]
fn estimates_predictions_and_intervals_of_the_mean_are_those_of_statsmodels(
    #[case] command: &str,
    #[case] estimates: [f64; 3],
    #[case] errors: [f64; 3],
    #[case] prediction: [f64; 3],
    #[case] ratio: &str,
) {
    let folder = folder();
    let close = |got: &Value, expected: f64| {
        let got = got.as_f64().unwrap();
        assert!((got / expected - 1.0).abs() < 1e-8, "{got} {expected}");
    };
    let trained = run(&folder, &format!("{command} --out m.json --json"));
    let trained: Value = serde_json::from_str(succeeded(&trained)).unwrap();
    let summary = &trained["summary"];
    let terms = [&summary["intercept"], &summary["terms"][0], &summary["terms"][1]];
    for (term, (estimate, error)) in terms.iter().zip(estimates.iter().zip(errors)) {
        close(&term["estimate"], *estimate);
        close(&term["standard_error"], error);
        assert!(term["z"].is_number());
    }
    close(&summary["terms"][0][ratio]["estimate"], estimates[1].exp());
    let metrics = &trained["metrics"]["test"];
    assert!(metrics["mean_deviance"].as_f64().unwrap() > 0.0 && metrics["d2"].as_f64().unwrap() > 0.1, "{metrics}");

    fs::write(folder.path().join("new.csv"), "u,v,time\n0.5,0.25,2\n0.5,0.25,1\n").unwrap();
    let predicted = run(&folder, "predict m.json new.csv --interval 0.9 --mean-interval 0.9 --explain");
    let mut table = csv::Reader::from_reader(succeeded(&predicted).as_bytes());
    let names: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<Vec<f64>> =
        table.records().map(|row| row.unwrap().iter().map(|n| n.parse().unwrap()).collect()).collect();
    let at = |row: usize, name: &str| rows[row][names.iter().position(|found| found == name).unwrap()];
    for (name, expected) in ["prediction", "prediction_mean_low", "prediction_mean_high"].iter().zip(prediction) {
        close(&json!(at(0, name)), expected);
        // Half of the exposure.
        close(&json!(at(1, name)), expected / 2.0);
    }
    let terms = ["base", "contribution_u", "contribution_v", "contribution_time"];
    close(&json!(terms.iter().map(|name| at(0, name)).sum::<f64>().exp()), prediction[0]);
    close(&json!(at(0, "contribution_time") - at(1, "contribution_time")), 2.0_f64.ln());
    // Wider for a larger mean, and never below zero.
    let width = |row| at(row, "prediction_high") - at(row, "prediction");
    let larger = if ratio == "rate_ratio" { 2.0_f64.sqrt() } else { 2.0 };
    close(&json!(width(0) / width(1)), larger);
    assert!(at(0, "prediction_low") >= 0.0 && at(0, "prediction_low") < at(0, "prediction_mean_low"));

    let shown = run(&folder, "inspect m.json");
    assert!(succeeded(&shown).contains("exposure") && succeeded(&shown).contains("predictions are means"));
    let measured = run(&folder, "evaluate m.json data.csv");
    assert!(succeeded(&measured).contains("mean deviance") && succeeded(&measured).contains("D²"));
}

/// With exposures, a model without features has a constant rate. Standard errors are those of the delete-one jackknife up to terms
/// of the order 1/n.
#[rstest]
#[case(COUNT, |y: f64, m: f64| 2.0 * (if y > 0.0 { y * (y / m).ln() } else { 0.0 } - (y - m)))]
#[case(AMOUNT, |y: f64, m: f64| 2.0 * ((y - m) / m - (y / m).ln()))]
fn deviances_with_exposures_are_compared_with_a_constant_rate(
    #[case] command: &str,
    #[case] deviance: fn(f64, f64) -> f64,
) {
    let folder = folder();
    succeeded(&run(&folder, &format!("{command} --test-fraction 0 --out m.json")));
    let predicted = run(&folder, "predict m.json data.csv --quiet");
    let lines = succeeded(&predicted).lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse().unwrap());
    let data = fs::read_to_string(folder.path().join("data.csv")).unwrap();
    let at = |line: &str, place: usize| line.split(',').nth(place).unwrap().parse().unwrap();
    let place = if command == COUNT { 4 } else { 5 };
    let rows: Vec<[f64; 3]> =
        data.lines().skip(1).zip(lines).map(|(line, mean)| [at(line, place), at(line, 2), mean]).collect();
    // Targets, exposures, predictions.
    let measures = |rows: &[[f64; 3]]| {
        let sum = |of: &dyn Fn(&[f64; 3]) -> f64| rows.iter().map(of).sum::<f64>();
        let rate = if command == COUNT {
            sum(&|row| row[0]) / sum(&|row| row[1])
        } else {
            sum(&|row| row[0] / row[1]) / rows.len() as f64
        };
        let (own, of_rate) = (sum(&|row| deviance(row[0], row[2])), sum(&|row| deviance(row[0], rate * row[1])));
        [1.0 - own / of_rate, own / rows.len() as f64]
    };
    let (all, n) = (measures(&rows), rows.len() as f64);
    let without: Vec<[f64; 2]> = (0..rows.len()).map(|at| measures(&[&rows[..at], &rows[at + 1..]].concat())).collect();
    let measured: Value = serde_json::from_str(succeeded(&run(&folder, "evaluate m.json data.csv --json"))).unwrap();
    for (place, name) in ["d2", "mean_deviance"].iter().enumerate() {
        let got = measured["metrics"][name].as_f64().unwrap();
        assert!((got / all[place] - 1.0).abs() < 1e-11, "{name}: {got} is not {}", all[place]);
        let centre = without.iter().map(|values| values[place]).sum::<f64>() / n;
        let squares: f64 = without.iter().map(|values| (values[place] - centre).powi(2)).sum();
        let (got, jackknife) = (measured["standard_errors"][name].as_f64().unwrap(), (squares * (n - 1.0) / n).sqrt());
        assert!((got / jackknife - 1.0).abs() < 0.05, "{name}: {got} is not {jackknife}");
    }
    // The baseline is that rate.
    assert_eq!(measured["baseline"]["d2"], 0.0);
}

/// R's `glm` and statsmodels give the same estimates and errors to the rows without the group.
#[test]
fn a_group_without_counts_leaves_the_other_estimates_and_their_intervals() {
    let folder = folder();
    let text = fs::read_to_string(folder.path().join("data.csv")).unwrap();
    let of_group = |line: &str| line.split(',').nth(3).unwrap() == "c";
    let without = text.lines().map(|line| {
        let mut fields: Vec<&str> = line.split(',').collect();
        if of_group(line) {
            fields[4] = "0";
        }
        fields.join(",") + "\n"
    });
    fs::write(folder.path().join("zeros.csv"), without.collect::<String>()).unwrap();
    let kept = text.lines().filter(|line| !of_group(line)).map(|line| format!("{line}\n"));
    fs::write(folder.path().join("kept.csv"), kept.collect::<String>()).unwrap();
    let trained = |data: &str, name: &str| {
        let command = format!("train {data} --target count --exclude amount --estimator poisson --exposure time");
        let output = run(&folder, &format!("{command} --test-fraction 0.1 --json --out {name}"));
        serde_json::from_str::<Value>(succeeded(&output)).unwrap()
    };
    let (zeros, kept) = (trained("zeros.csv", "zeros.json"), trained("kept.csv", "kept.json"));
    assert!(zeros["notes"].to_string().contains("group=c"), "{}", zeros["notes"]);
    let close = |got: &Value, expected: &Value| {
        let (got, expected) = (got.as_f64().unwrap(), expected.as_f64().unwrap());
        assert!((got / expected - 1.0).abs() < 1e-6, "{got} is not {expected}");
    };
    for value in ["estimate", "standard_error"] {
        close(&zeros["summary"]["intercept"][value], &kept["summary"]["intercept"][value]);
        for place in 0..3 {
            close(&zeros["summary"]["terms"][place][value], &kept["summary"]["terms"][place][value]);
        }
    }
    assert_eq!(zeros["summary"]["terms"][3]["standard_error"], Value::Null);
    fs::write(folder.path().join("new.csv"), "u,v,time,group\n0.5,0.25,2,b\n").unwrap();
    let predicted = |name: &str| {
        let output = run(&folder, &format!("predict {name} new.csv --mean-interval 0.9"));
        let row = succeeded(&output).lines().last().unwrap().to_owned();
        row.split(',').rev().take(3).map(|field| json!(field.parse::<f64>().unwrap())).collect::<Vec<_>>()
    };
    predicted("zeros.json").iter().zip(predicted("kept.json")).for_each(|(got, expected)| close(got, &expected));
}

#[test]
fn a_reference_group_without_counts_leaves_the_slopes() {
    let folder = folder();
    let text = fs::read_to_string(folder.path().join("data.csv")).unwrap();
    let zeros = text.lines().map(|line| {
        let mut fields: Vec<&str> = line.split(',').collect();
        if fields[3] == "a" {
            fields[4] = "0";
        }
        fields.join(",") + "\n"
    });
    fs::write(folder.path().join("zeros.csv"), zeros.collect::<String>()).unwrap();
    let command =
        "train zeros.csv --target count --exclude amount --estimator poisson --exposure time --reference group=a";
    let output = run(&folder, &format!("{command} --json"));
    let summary = &serde_json::from_str::<Value>(succeeded(&output)).unwrap()["summary"];
    let has_error = |term: &Value| term["standard_error"].is_number();
    assert!(!has_error(&summary["intercept"]), "{summary}");
    let terms: Vec<bool> = summary["terms"].as_array().unwrap().iter().map(has_error).collect();
    assert_eq!(terms, [true, true, false, false], "{summary}");
}

/// The unpenalised fit has as many parameters as rows, and predicts 1e48 for others.
#[test]
fn with_fewer_rows_than_columns_there_is_a_penalty_unless_one_is_chosen() {
    let mut data = (0..30).map(|column| format!("x{column}")).collect::<Vec<_>>().join(",") + ",n\n";
    for row in 0..25_u32 {
        for column in 0..30_u32 {
            let x = f64::from((row * 7919 + column * 104_729 + row * row * column * 31) % 1009) / 1009.0;
            write!(data, "{x},").unwrap();
        }
        writeln!(data, "{}", row * 37 % 7).unwrap();
    }
    let folder = folder_with_data(&data);
    let command = "train data.csv --target n --estimator poisson";
    let printed = run(&folder, command);
    assert!(succeeded(&printed).contains("too few rows for a fit without a penalty"), "{}", succeeded(&printed));
    let given = run(&folder, &format!("{command} --alpha 1"));
    assert!(!succeeded(&given).contains("too few rows for a fit without a penalty"), "{}", succeeded(&given));
    let results = |options: &str| -> Value {
        serde_json::from_str(succeeded(&run(&folder, &format!("{command} {options} --json")))).unwrap()
    };
    let (chosen, open, none) = (results("--alpha 1"), results(""), results("--alpha 0"));
    assert_eq!((&open["metrics"], &open["estimator"]), (&chosen["metrics"], &chosen["estimator"]));
    assert!(open["metrics"]["test"]["rmse"].as_f64().unwrap() < 10.0, "{}", open["metrics"]);
    assert_ne!(none["estimator"], open["estimator"]);
    let strict = run(&folder, &format!("{command} --strict"));
    assert!(complained(&strict).trim_end().ends_with("--strict --alpha 1"), "{}", complained(&strict));
}

#[test]
fn an_offset_is_the_logarithm_of_an_exposure() {
    let folder = folder();
    let text = fs::read_to_string(folder.path().join("data.csv")).unwrap();
    let logged = text.lines().enumerate().map(|(number, line)| {
        let time: Option<f64> = line.split(',').nth(2).unwrap().parse().ok();
        let added = if number == 0 { "logged".to_owned() } else { time.unwrap().ln().to_string() };
        format!("{line},{added}\n")
    });
    fs::write(folder.path().join("data.csv"), logged.collect::<String>()).unwrap();
    succeeded(&run(&folder, &format!("{COUNT} --out exposure.json")));
    succeeded(&run(&folder, &format!("{} --out offset.json", COUNT.replace("--exposure time", "--offset logged"))));
    let [exposure, offset] = ["exposure.json", "offset.json"].map(|name| json_of(folder.path().join(name)));
    assert_eq!(exposure["estimator"], offset["estimator"]);
    assert_eq!(offset["preprocess"]["offset"]["log"], Value::Null);
    assert_eq!(exposure["signature"]["features"][2]["positive"], true);
}

#[test]
fn rows_without_an_exposure_are_left_out_with_a_note_and_its_option() {
    let folder = folder();
    let text = fs::read_to_string(folder.path().join("data.csv")).unwrap().replacen(",1.5,", ",,", 1);
    fs::write(folder.path().join("data.csv"), text).unwrap();
    let trained = run(&folder, COUNT);
    let note = "Note: 1 row is left out because of missing values, such as that of the exposure time.";
    assert!(succeeded(&trained).contains(note), "{}", succeeded(&trained));
    let strict = run(&folder, &format!("{COUNT} --strict"));
    let help =
        complained(&strict).lines().find_map(|line| line.strip_prefix("help: to decide the same, use: ordinate "));
    assert!(help.unwrap().ends_with("--strict --missing time=drop"), "{help:?}");
    succeeded(&run(&folder, help.unwrap()));
}

#[test]
fn counts_more_variable_than_poisson_groups_of_zeros_and_penalties_are_noted() {
    let folder = folder();
    let path = folder.path().join("data.csv");
    let text = fs::read_to_string(&path).unwrap();
    let without = text.lines().map(|line| {
        let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        if fields[3] == "c" {
            fields[4] = "0".to_owned();
        } else if let Ok(count) = fields[4].parse::<f64>() {
            fields[4] = (count * count * 3.0).to_string();
        }
        fields.join(",") + "\n"
    });
    fs::write(&path, without.collect::<String>()).unwrap();
    let command = "train data.csv --target count --exclude amount --estimator poisson --exposure time";
    let trained = run(&folder, command);
    let text = succeeded(&trained);
    assert!(text.contains("the coefficient of group=c separate"), "{text}");
    assert!(text.contains("the counts vary more than a Poisson distribution"), "{text}");
    let penalised = run(&folder, &format!("{command} --alpha 0.01"));
    let text = succeeded(&penalised);
    assert!(text.contains("Training with --alpha 0 fits without a penalty.") && !text.contains("separate"), "{text}");
}

#[test]
fn a_fit_of_too_many_columns_for_standard_errors_says_so() {
    let folder = tempdir().unwrap();
    let mut text = "g,n\n".to_owned();
    for i in 0..1530_u32 {
        writeln!(text, "g{:03},{}", i % 510, 1 + i * 53 % 7).unwrap();
    }
    fs::write(folder.path().join("data.csv"), text).unwrap();
    let command = "train data.csv --target n --estimator poisson --max-levels 600 --test-fraction 0 --out m.json";
    let trained = run(&folder, command);
    let note = "standard errors and intervals of the mean are not available: there are more than 500 columns";
    assert!(succeeded(&trained).contains(note), "{}", succeeded(&trained));
    fs::write(folder.path().join("new.csv"), "g\ng001\n").unwrap();
    let predicted = run(&folder, "predict m.json new.csv --mean-interval 0.8");
    assert!(complained(&predicted).contains("(as with more than 500 columns)"), "{}", complained(&predicted));
}

#[test]
fn least_squares_of_a_count_has_a_note_that_can_be_followed() {
    let folder = folder();
    let trained = run(&folder, "train data.csv --target count --exclude amount");
    assert!(succeeded(&trained).contains("count looks like a count"), "{}", succeeded(&trained));
    succeeded(&run(&folder, "train data.csv --target count --exclude amount --estimator poisson"));
    let amounts = run(&folder, "train data.csv --target amount --exclude count");
    assert!(!succeeded(&amounts).contains("looks like a count"));
}

/// The third group has no count above 0: its rows have predictions, but no interval of the mean.
#[test]
fn rows_without_an_interval_of_the_mean_have_empty_fields_and_a_warning() {
    let folder = tempdir().unwrap();
    let mut text = "a,g,cnt\n".to_owned();
    for i in 0..240_u32 {
        let count = if i % 3 == 2 { 0 } else { i * 53 % 101 / 25 };
        writeln!(text, "{},g{},{count}", f64::from(i * 7919 % 1000) / 1000.0, i % 3 + 1).unwrap();
    }
    fs::write(folder.path().join("data.csv"), text).unwrap();
    succeeded(&run(&folder, "train data.csv --target cnt --estimator poisson --out m.json"));
    fs::write(folder.path().join("new.csv"), "a,g\n0.1,g1\n0.1,g3\n").unwrap();
    let predicted = run(&folder, "predict m.json new.csv --interval 0.8 --mean-interval 0.8 --warnings");
    let rows: Vec<Vec<&str>> = succeeded(&predicted).lines().map(|line| line.split(',').collect()).collect();
    let at = |row: usize, name: &str| rows[row][rows[0].iter().position(|found| *found == name).unwrap()];
    for end in ["low", "high"] {
        assert!(at(1, &format!("prediction_mean_{end}")).parse::<f64>().unwrap() > 0.0);
        assert_eq!(at(2, &format!("prediction_mean_{end}")), "");
        assert!(at(2, &format!("prediction_{end}")).parse::<f64>().unwrap() < 1.0);
    }
    assert_eq!(at(1, "warnings"), "");
    assert_eq!(
        at(2, "warnings"),
        "no confidence interval of the mean: the training data do not determine the mean of such rows"
    );
}

#[test]
fn an_exact_fit_has_a_note_and_no_log_likelihood() {
    let lines = (0..10).map(|i| format!("{i},{}\n", (0.3 * f64::from(i) + 1.0).exp()));
    let folder = folder_with_data("x,y\n".to_owned() + &lines.collect::<String>());
    let trained = run(&folder, "train data.csv --target y --estimator gamma --test-fraction 0 --json");
    let trained: Value = serde_json::from_str(succeeded(&trained)).unwrap();
    assert!(trained["notes"].as_array().unwrap().contains(&json!("the fit is exact: all residuals are zero")));
    assert_eq!(trained["summary"]["aic"], Value::Null);
}

#[test]
fn three_rows_are_enough_for_a_line() {
    let folder = folder_with_data("x,y\n1,2\n2,3\n3,5\n");
    let printed = run(&folder, "train data.csv --target y");
    assert!(!succeeded(&printed).contains("too few rows for a fit"), "{}", succeeded(&printed));
}

/// The fit that is measured is one without the held-out rows.
#[rstest]
#[case("", true)]
#[case("--test-fraction 0", true)]
#[case("--alpha 0.1", false)]
fn reports_have_the_influential_rows_and_the_baseline_of_rates(#[case] options: &str, #[case] has_leverages: bool) {
    let folder = folder();
    for (command, baseline) in [(COUNT, "times the exposure of each row"), (AMOUNT, "times the exposure of each row")] {
        succeeded(&run(&folder, &format!("{command} {options} --report r.html --card r.md --out m.json")));
        let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
        let card = fs::read_to_string(folder.path().join("r.md")).unwrap();
        assert!(page.contains("Influential rows") && page.contains(baseline) && card.contains(baseline));
        assert_eq!((page.contains(">Cook's distance<"), page.contains(">influence<")), (has_leverages, !has_leverages));
    }
    let plain = run(&folder, &format!("{COUNT} {options}"));
    let reported = run(&folder, &format!("{COUNT} {options} --report r.html"));
    assert_eq!(succeeded(&plain).lines().next(), succeeded(&reported).lines().next());
}
