//! `ordinate train` on categories, missing values, powers, products, weights and logarithms, with penalized estimators and
//! classifiers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss
)]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::Catalog;
use ordinate::source::file::FileSource;
use ordinate_model::Model;
use ordinate_table::{Origin, Selection, Source};
use ordinate_train::preparation::Preparation;
use ordinate_train::surveyed_table::SurveyedTable;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tower::ServiceExt;

use crate::command_line::{command, complained, run, succeeded, text, train};

fn json_of(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Trains on `data.csv` in the folder and returns the model file.
fn model(folder: &Path, arguments: &str) -> Value {
    succeeded(&train(folder, &format!("data.csv --out m.json {arguments}")));
    Model::from_json(&fs::read(folder.join("m.json")).unwrap()).unwrap();
    json_of(folder.join("m.json"))
}

fn folder_with(data: impl AsRef<[u8]>) -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), data).unwrap();
    folder
}

/// Year and its square are one line to ten digits, and centred they are not.
#[test]
fn nearly_dependent_powers_far_from_zero_are_noted() {
    let rows = |shift: f64| -> String {
        let row = |i: u32| format!("{},{}\n", shift + f64::from(i), f64::from(i * i % 17));
        (0..30).map(row).collect::<Vec<_>>().concat()
    };
    let options = "data.csv --target y --degree 3 --test-fraction 0";
    let far = folder_with(format!("x,y\n{}", rows(200_000.0)));
    let output = train(far.path(), options);
    assert!(
        succeeded(&output).contains("\"x^3\" is nearly a linear combination of the columns before it"),
        "{}",
        text(&output.stdout)
    );
    let near = folder_with(format!("x,y\n{}", rows(-15.0)));
    assert!(!succeeded(&train(near.path(), options)).contains("is nearly a linear combination"));
}

fn assert_close(got: f64, expected: f64, what: &str) {
    assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1e-3), "{what}: {got} is not {expected}");
}

/// Holds coefficients against those recorded, by name.
fn assert_coefficients(file: &Value, expected: &[(&str, f64)]) {
    let got = file["estimator"]["coefficients"].as_object().unwrap();
    let columns =
        file["preprocess"]["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap());
    assert!(columns.eq(expected.iter().map(|(name, _)| *name)), "{:?}", got.keys());
    for (name, expected) in expected {
        let value = &got[*name];
        // Logistic regression has a list, one a score.
        assert_close(value.as_f64().or_else(|| value[0].as_f64()).unwrap(), *expected, name);
    }
}

/// 60 rows with gaps in `age` and `colour`. The reference results of scikit-learn 1.9.1 below are from the same rows:
///
/// ```python
/// rows = []
/// for i in range(60):
///     age = 20 + (i*37) % 50; colour = ["green","blue","red"][(i*i) % 7 % 3]; smokes = (i*11) % 5 < 2
///     pay = 10 + .25*age + {"blue": 0, "green": 3, "red": -2}[colour] + (4 if smokes else 0) + ((i*53) % 17)/8
///     rows.append((None if i % 13 == 5 else age, None if i % 17 == 3 else colour, smokes, pay, 1 + i % 3,
///                  ["no","yes"][int((i*29) % 11 + age/10 + 3*smokes > 9)]))
/// d = pd.DataFrame(rows, columns="age colour smokes pay w quit".split())
/// d["age"] = d.age.fillna(d.age.median()); d["colour"] = d.colour.fillna(d.colour.mode()[0])
/// X = lambda levels: np.column_stack([d.age] + [(d.colour == l)*1. for l in levels] + [d.smokes*1.])
/// ```
fn staff() -> String {
    let mut data = "age,colour,smokes,pay,w,quit\n".to_owned();
    for i in 0..60_u32 {
        let age = 20 + (i * 37) % 50;
        let colour = ["green", "blue", "red"][(i * i % 7 % 3) as usize];
        let smokes = (i * 11) % 5 < 2;
        let colour_pay = [("blue", 0.0), ("green", 3.0), ("red", -2.0)].iter().find(|one| one.0 == colour).unwrap().1;
        let pay =
            10.0 + 0.25 * f64::from(age) + colour_pay + if smokes { 4.0 } else { 0.0 } + f64::from(i * 53 % 17) / 8.0;
        let quit = f64::from(i * 29 % 11) + f64::from(age) / 10.0 + 3.0 * f64::from(u8::from(smokes)) > 9.0;
        let age = if i % 13 == 5 { String::new() } else { age.to_string() };
        let colour = if i % 17 == 3 { "NA" } else { colour };
        let quit = if quit { "yes" } else { "no" };
        writeln!(data, "{age},{colour},{smokes},{pay},{},{quit}", 1 + i % 3).unwrap();
    }
    data
}

const FILLED: &str = "--missing median --missing colour=most-frequent --test-fraction 0";

#[test]
fn categories_booleans_and_gaps_are_fitted_as_scikit_learn_fits_them() {
    let folder = folder_with(staff());
    let file = model(folder.path(), &format!("--target pay --exclude w,quit {FILLED}"));
    // LinearRegression().fit(X(["green", "red"]), d.pay)
    assert_coefficients(
        &file,
        &[
            ("age", 0.253_852_409_861_172_9),
            ("colour=green", 3.168_244_392_887_944),
            ("colour=red", -1.707_030_192_302_391_2),
            ("smokes", 4.526_460_747_055_172_5),
        ],
    );
    // A boolean has no median; as none is missing, it stays refused.
    let features = json!([
        {"name": "age", "type": "double", "missing": {"impute": 44.0}, "range": [20.0, 69.0]},
        {"name": "colour", "type": "string", "missing": {"impute": "blue"}, "levels": ["blue", "green", "red"]},
        {"name": "smokes", "type": "boolean", "missing": "reject"}
    ]);
    assert_eq!(file["signature"]["features"], features);
    assert_eq!(file["training"]["parameters"]["missing"], json!(["median", "colour=most-frequent"]));
}

#[rstest]
#[case::linear(
    "--estimator linear --weights w",
    // LinearRegression().fit(X(["green", "red"]), d.pay, sample_weight=d.w)
    &[("age", 0.252_823_986_560_941_96), ("colour=green", 2.987_126_324_201_262_2), ("colour=red", -1.812_328_106_317_769_6), ("smokes", 4.492_370_837_672_641)]
)]
#[case::ridge(
    "--estimator ridge --alpha 2",
    // Z = StandardScaler().fit_transform(X(["blue", "green", "red"])); Ridge(2, solver="cholesky").fit(Z, d.pay)
    &[("age", 3.433_124_877_563_693_6), ("colour=blue", -0.047_943_568_351_950_63), ("colour=green", 1.045_661_205_258_485), ("colour=red", -0.790_877_602_333_497_8), ("smokes", 2.129_075_014_240_668_5)]
)]
#[case::lasso(
    "--estimator lasso --alpha 0.3",
    // Lasso(0.3, tol=1e-14).fit(Z, d.pay)
    &[("age", 3.178_039_804_793_331), ("colour=blue", 0.0), ("colour=green", 0.834_569_492_878_714_6), ("colour=red", -0.551_286_973_636_411_1), ("smokes", 1.878_418_456_131_074)]
)]
#[case::elastic_net(
    "--estimator elastic-net --alpha 0.3 --l1-ratio 0.25",
    // ElasticNet(0.3, l1_ratio=0.25, tol=1e-14).fit(Z, d.pay)
    &[("age", 2.745_053_603_169_332_7), ("colour=blue", 0.0), ("colour=green", 0.794_252_183_731_988_6), ("colour=red", -0.657_211_939_458_562_5), ("smokes", 1.664_340_447_089_657)]
)]
fn every_estimator_finds_what_scikit_learn_finds(#[case] arguments: &str, #[case] expected: &[(&str, f64)]) {
    let folder = folder_with(staff());
    let excluded = if arguments.contains("--weights") { "quit" } else { "w,quit" };
    let file = model(folder.path(), &format!("--target pay --exclude {excluded} {FILLED} {arguments}"));
    assert_coefficients(&file, expected);
}

#[test]
fn logistic_regression_equals_that_of_scikit_learn() {
    let folder = folder_with(staff());
    let file = model(folder.path(), &format!("--target quit --exclude w,pay {FILLED} --c 0.7"));
    // LogisticRegression(C=0.7, tol=1e-12, solver="newton-cholesky").fit(Z, d.quit)
    assert_coefficients(
        &file,
        &[
            ("age", 0.543_685_957_208_903),
            ("colour=blue", -0.021_005_914_440_008_582),
            ("colour=green", 0.087_482_672_624_790_01),
            ("colour=red", -0.047_220_083_908_263_37),
            ("smokes", 0.420_926_792_074_247_55),
        ],
    );
    assert_eq!((&file["task"], &file["estimator"]["classes"]), (&json!("classification"), &json!(["no", "yes"])));
    assert_eq!(file["signature"]["target"], json!({"name": "quit", "type": "string"}));
    assert_eq!(file["training"]["parameters"]["c"], json!(0.7));
}

#[test]
fn powers_and_products_are_columns_like_any_other() {
    let folder = folder_with(staff());
    let file = model(folder.path(), &format!("--target pay --exclude w,quit {FILLED} --degree 2 --interactions"));
    // LinearRegression(tol=1e-14) on the same columns, centred.
    assert_coefficients(
        &file,
        &[
            ("age", 0.246_334_391_275_846_2),
            ("age^2", 4.099_609_828_308_117_6e-5),
            ("colour=green", 4.293_319_402_406_555_5),
            ("colour=red", -4.501_540_859_474_017),
            ("smokes", 4.353_882_571_494_497),
            ("age:colour=green", -0.014_435_703_099_753_323),
            ("age:colour=red", 0.052_316_537_131_922_27),
            ("age:smokes", 0.004_997_580_873_858_83),
            ("colour=green:smokes", -1.315_538_943_600_785_4),
            ("colour=red:smokes", 1.350_753_424_020_031),
        ],
    );
}

#[test]
fn columns_of_the_model_can_be_left_out_by_their_names() {
    let folder = folder_with(staff());
    let arguments = format!("--target pay {FILLED} --interactions --exclude w,quit");
    let all = model(folder.path(), &arguments);
    let without = model(folder.path(), &format!("{arguments},age^2 --degree 2"));
    assert_eq!((&without["estimator"], &without["inference"]), (&all["estimator"], &all["inference"]));
    let left = |file: &Value| -> Vec<String> {
        let columns = file["preprocess"]["columns"].as_array().unwrap();
        columns.iter().map(|column| column["name"].as_str().unwrap().to_owned()).collect()
    };
    let fewer = model(folder.path(), &format!("{arguments},colour=red,age:smokes"));
    let expected: Vec<String> =
        left(&all).into_iter().filter(|name| name != "colour=red" && name != "age:smokes").collect();
    assert_eq!(left(&fewer), expected);
    assert_eq!(fewer["training"]["parameters"]["exclude"], json!(["w", "quit", "colour=red", "age:smokes"]));
}

#[test]
fn the_advice_about_a_dependent_column_can_be_followed() {
    // All that is red is 30 years old: the product is 30 times the level.
    let mut data = "age,colour,y\n".to_owned();
    for i in 0..30_u32 {
        let (age, colour) = if i % 3 == 0 { (30, "red") } else { (20 + i * i % 17, ["blue", "green"][i as usize % 2]) };
        writeln!(data, "{age},{colour},{}", (i * 7) % 11).unwrap();
    }
    let folder = folder_with(data);
    let arguments = "data.csv --target y --interactions --test-fraction 0";
    let output = train(folder.path(), arguments);
    let said = text(&output.stderr);
    assert!(said.contains("linearly dependent"), "{said}");
    let advised = said.rsplit_once("--exclude \"").unwrap().1.split('"').next().unwrap();
    succeeded(&train(folder.path(), &format!("{arguments} --exclude {advised}")));
}

#[test]
fn the_logarithm_of_the_target_is_fitted_and_predictions_come_back() {
    let folder = folder_with(staff());
    let file = model(folder.path(), &format!("--target pay --exclude w,quit {FILLED} --target-transform log"));
    // LinearRegression().fit(X(["green", "red"]), np.log(d.pay))
    assert_coefficients(
        &file,
        &[
            ("age", 0.010_994_920_758_435_505),
            ("colour=green", 0.135_874_611_994_771_66),
            ("colour=red", -0.075_074_240_844_722_25),
            ("smokes", 0.192_339_913_469_830_43),
        ],
    );
    assert_eq!(file["preprocess"]["target_transform"], "log");
    // Pay is between 12 and 36; its logarithm is below 4.
    assert!(file["golden"]["y"].as_array().unwrap().iter().all(|y| y.as_f64().unwrap() > 10.0));
}

#[test]
fn a_row_of_weight_two_is_two_rows() {
    let weighted = folder_with("x,z,y,w\n1,0,3,2\n2,1,4,1\n3,0,8,3\n4,1,9,1\n5,5,6,2\n");
    let repeated = folder_with("x,z,y\n1,0,3\n1,0,3\n2,1,4\n3,0,8\n3,0,8\n3,0,8\n4,1,9\n5,5,6\n5,5,6\n");
    for estimator in ["linear", "ridge --alpha 1", "lasso --alpha 0.1"] {
        let arguments = format!("--target y --test-fraction 0 --estimator {estimator}");
        let one = model(weighted.path(), &format!("{arguments} --weights w"));
        let other = model(repeated.path(), &arguments);
        for pointer in [
            "/estimator/intercept",
            "/estimator/coefficients/x",
            "/estimator/coefficients/z",
            "/training/metrics/train/rmse",
        ] {
            let [one, other] = [&one, &other].map(|file| file.pointer(pointer).unwrap().as_f64().unwrap());
            assert_close(one, other, &format!("{estimator} {pointer}"));
        }
    }
}

/// The application answers JSON and CSV with the product of the coefficients and the design that training makes of a row.
#[rstest]
#[case::linear("", false)]
#[case::every_level("--estimator ridge --alpha 1", true)]
#[tokio::test]
async fn serving_encodes_rows_as_training_does(#[case] estimator: &str, #[case] every_level: bool) {
    let folder = folder_with(staff());
    let rules = "--missing median --missing colour=constant=none";
    let file =
        model(folder.path(), &format!("--target pay --exclude w,quit --degree 2 --interactions {rules} {estimator}"));

    let origin = Origin { paths: vec![folder.path().join("data.csv")], ..Origin::default() };
    let exclude = ["w", "quit"].map(str::to_owned).to_vec();
    let selection = Selection { target: "pay".into(), exclude, ..Selection::default() };
    let preparation = Preparation {
        missing: vec!["median".parse().unwrap(), "colour=constant=none".parse().unwrap()],
        degree: 2,
        interactions: true,
        ..Preparation::default()
    };
    let surveyed = SurveyedTable::new(Source::open(&origin, &selection).unwrap(), &preparation).unwrap();
    let table = surveyed.table(&preparation, false, every_level).unwrap();
    let columns = file["preprocess"]["columns"].as_array().unwrap();
    let mut expected = Vec::new();
    table
        .scan::<ordinate_train::TrainError>(&mut |row| {
            let mut prediction = file["estimator"]["intercept"].as_f64().unwrap();
            for column in columns {
                let name = column["name"].as_str().unwrap();
                let raw = row.design[table.names().iter().position(|one| one == name).unwrap()];
                let unit = (raw - column["mean"].as_f64().unwrap()) / column["scale"].as_f64().unwrap();
                prediction += file["estimator"]["coefficients"][name].as_f64().unwrap() * unit;
            }
            expected.push(prediction);
            Ok(())
        })
        .unwrap();

    let catalog = Catalog::single(Box::new(FileSource::new(folder.path().join("m.json"))), None, None);
    let limits = Limits { max_rows: 100, max_body_bytes: 1 << 20 };
    let application = router(Arc::new(catalog), Settings::new(limits));
    let data = staff();
    let rows: Vec<Vec<&str>> = data.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let objects: Vec<Value> = rows
        .iter()
        .map(|row| {
            let age = row[0].parse::<f64>().map_or(Value::Null, Value::from);
            let colour = if row[1] == "NA" { Value::Null } else { row[1].into() };
            json!({"smokes": row[2] == "true", "colour": colour, "age": age})
        })
        .collect();
    let lines: Vec<String> =
        rows.iter().map(|row| format!("{},{},{}\n", row[0], row[1].replace("NA", ""), row[2])).collect();
    for (kind, body) in [
        ("application/json", json!({"X": objects}).to_string()),
        ("text/csv", format!("age,colour,smokes\n{}", lines.concat())),
    ] {
        let request = Request::post("/predict").header("content-type", kind).body(Body::from(body)).unwrap();
        let answer = application.clone().oneshot(request).await.unwrap();
        let answer = answer.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let served: Vec<f64> =
            answer["y"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(|y| y.as_f64().unwrap()).collect();
        assert_eq!(served.len(), expected.len());
        for (served, expected) in served.iter().zip(&expected) {
            assert_close(*served, *expected, kind);
        }
    }
}

#[test]
fn an_unknown_category_is_refused_or_ignored() {
    let data = "colour,y\nred,1\nblue,2\nred,1.5\nblue,2.5\n";
    let folder = folder_with(data);
    let feature = |arguments: &str| {
        model(folder.path(), &format!("--target y --test-fraction 0 --estimator ridge --alpha 1 {arguments}"))["signature"]["features"][0].clone()
    };
    assert_eq!(feature("--unknown ignore")["unknown"], "ignore");
    assert_eq!(feature("").get("unknown"), None);
}

#[rstest]
#[case("mean", json!(2.5))]
#[case("median", json!(1.5))]
#[case("most-frequent", json!(1.0))]
#[case("constant=7", json!(7.0))]
#[case("x=constant=-1e3", json!(-1000.0))]
fn imputed_values_are_computed_from_the_other_rows(#[case] rule: &str, #[case] expected: Value) {
    let folder = folder_with("x,y\n1,1\n,2\n1,3\n2,5\nnan,5\n6,8\n");
    let file = model(folder.path(), &format!("--target y --test-fraction 0 --missing {rule}"));
    assert_eq!(file["signature"]["features"][0]["missing"], json!({"impute": expected}));
}

/// A row of weight 3 is three rows, wherever rows are counted.
#[rstest]
#[case("mean")]
#[case("median")]
#[case("most-frequent")]
fn weights_count_in_imputation_as_repeated_rows(#[case] policy: &str) {
    let rows = [("0", "b", 2, 1), ("", "", 1, 4), ("10", "a", 3, 20), ("5", "b", 2, 11), ("7", "c", 4, 9)];
    let mut weighted = "x,g,w,y\n".to_owned();
    let mut repeated = weighted.clone();
    for (x, g, weight, y) in rows {
        writeln!(weighted, "{x},{g},{weight},{y}").unwrap();
        for _ in 0..weight {
            writeln!(repeated, "{x},{g},1,{y}").unwrap();
        }
    }
    let options = format!("--target y --weights w --missing {policy} --missing g=most-frequent --test-fraction 0");
    let of = |data: String| model(folder_with(data).path(), &format!("{options} --estimator ridge"));
    let (weighted, repeated) = (of(weighted), of(repeated));
    assert_eq!(weighted["signature"], repeated["signature"]);
    let expected = match policy {
        // (2·0 + 3·10 + 2·5 + 4·7) / 11
        "mean" => 68.0 / 11.0,
        _ => 7.0,
    };
    assert_eq!(weighted["signature"]["features"][0]["missing"], json!({"impute": expected}));
    assert_eq!(weighted["signature"]["features"][1]["missing"], json!({"impute": "b"}));
}

/// The level `r` occurs once, in one fold: in the others its column has no length, and rounding must not give it one.
#[test]
fn a_level_that_occurs_in_one_fold_does_not_mislead_a_weighted_cross_validation() {
    let mut data = "x,g,w,y\n0,r,3.9,3.6\n".to_owned();
    for i in 0..40 {
        let x = f64::from(i * 17 % 41) / 10.0 - 2.0;
        writeln!(
            data,
            "{x},{},{},{}",
            if i % 2 == 0 { "a" } else { "b" },
            1.1 + f64::from(i * 7 % 10) / 3.0,
            2.0 * x + f64::from(i % 2)
        )
        .unwrap();
    }
    for estimator in ["ridge", "lasso", "elastic-net"] {
        let arguments = format!("--target y --weights w --estimator {estimator} --alpha auto --test-fraction 0");
        let file = model(folder_with(&data).path(), &arguments);
        let r2 = file["training"]["metrics"]["train"]["r2"].as_f64().unwrap();
        assert!(r2 > 0.99, "{estimator}: {r2}");
    }
}

/// A column of 10⁻²⁰⁰ varies, though the squares of its values are zero as doubles.
#[rstest]
#[case("linear")]
#[case("ridge")]
#[case("lasso")]
#[case("logistic")]
fn a_column_of_tiny_numbers_is_not_constant(#[case] estimator: &str) {
    let table = |unit: f64| -> String {
        let rows = (1..20_u32).map(|i| {
            let y = if estimator == "logistic" {
                ["no", "yes"][(i * i % 7 % 2) as usize].to_owned()
            } else {
                (i * i % 7).to_string()
            };
            format!("{},{y}\n", f64::from(i) * unit)
        });
        format!("x,y\n{}", rows.collect::<String>())
    };
    let scores = |unit: f64| {
        let folder = folder_with(table(unit));
        model(folder.path(), &format!("--target y --estimator {estimator} --test-fraction 0"));
        succeeded(&run(folder.path(), "predict m.json data.csv"))
            .lines()
            .map(|line| line.rsplit(',').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // A power of two changes no digit.
    assert_eq!(scores(2.0_f64.powi(-664)), scores(1.0));
}

/// The logarithm of the prediction is −800 or 800; doubles with all their digits reach from e^−708 to e^709.
#[rstest]
#[case(-800, "prediction_underflow")]
#[case(800, "prediction_overflow")]
#[tokio::test]
async fn a_logged_prediction_outside_the_doubles_is_refused_not_zero_or_infinite(#[case] x: i32, #[case] code: &str) {
    let rows: Vec<String> = (0..10).map(|i| format!("{i},{}\n", f64::from(i).exp())).collect();
    let folder = folder_with(format!("x,y\n{}", rows.concat()));
    model(folder.path(), "--target y --target-transform log --test-fraction 0");
    let catalog = Catalog::single(Box::new(FileSource::new(folder.path().join("m.json"))), None, None);
    let application = router(Arc::new(catalog), Settings::new(Limits { max_rows: 100, max_body_bytes: 1 << 20 }));
    let request = Request::post("/predict").body(Body::from(json!({"X": [1, x]}).to_string())).unwrap();
    let (parts, body) = application.oneshot(request).await.unwrap().into_parts();
    let answer: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!((parts.status.as_u16(), &answer["code"]), (422, &json!(code)));
    assert!(answer["detail"].as_str().unwrap().starts_with("row 1:"), "{answer}");
    fs::write(folder.path().join("data.csv"), format!("x\n1\n{x}\n")).unwrap();
    assert!(complained(&run(folder.path(), "predict m.json data.csv")).contains("line 3: the prediction is too "));
}

/// The median by sorting, of numbers of both signs and all sizes.
#[rstest]
#[case::odd(101)]
#[case::even(100)]
fn medians_are_exact(#[case] rows: usize) {
    let values: Vec<f64> = (0..rows).map(|i| ((i * 7919 % 1009) as f64 - 500.0).powi(3) * 1e-4).collect();
    let mut data = "x,y\n,1\n".to_owned();
    for (i, value) in values.iter().enumerate() {
        writeln!(data, "{value:?},{}", i * i % 13).unwrap();
    }
    let folder = folder_with(data);
    let file = model(folder.path(), "--target y --test-fraction 0 --missing median");
    let mut sorted = values;
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[(rows - 1) / 2], sorted[rows / 2]);
    assert_eq!(file["signature"]["features"][0]["missing"]["impute"].as_f64(), Some(median));
}

#[test]
fn a_category_of_one_row_is_fine_wherever_it_falls_and_is_noted() {
    for seed in 0..8 {
        let folder = folder_with(staff().replacen("21,green", "21,violet", 1).replacen(",red,", ",violet,", 1));
        let said = train(
            folder.path(),
            &format!(
                "data.csv --target pay --exclude w,quit --missing median --missing colour=most-frequent --test-fraction 0.5 --seed {seed}"
            ),
        );
        assert!(succeeded(&said).contains("the category \"violet\" has only one row"), "{}", text(&said.stdout));
    }
}

#[rstest]
#[case::words("--target y", "b")]
#[case::booleans("--target flag", "true")]
#[case::declared_booleans("--target flag --types flag=boolean", "true")]
#[case::numbers("--target n --estimator logistic", "7")]
fn a_class_of_one_row_is_noted(#[case] arguments: &str, #[case] class: &str) {
    let folder = folder_with("x,y,flag,n\n1,a,false,3\n2,b,true,7\n3,a,false,3\n4,a,false,3\n5,a,false,3\n");
    let output = train(folder.path(), &format!("data.csv --features x {arguments}"));
    let said = succeeded(&output);
    assert!(said.contains(&format!(": the class {class} has only one row.")), "{said}");
}

#[test]
fn a_decimal_comma_among_words_is_noted() {
    let folder = folder_with("x;y\n3,5;1\nunknown;2\n3,5;4\nunknown;3\n");
    let output = train(folder.path(), "data.csv --target y --test-fraction 0");
    let said = succeeded(&output);
    assert!(said.contains("Note: x: \"3,5\" looks like a number with a decimal comma"), "{said}");
}

#[test]
fn types_can_be_declared() {
    let folder = folder_with(
        "zip,n,flag,y\n1000,1,true,1\n2000,2,false,2\n1000,3,true,4\n2000,5,true,3\n3000,8,false,1\n3000,1,false,5\n",
    );
    let file = model(
        folder.path(),
        "--target y --test-fraction 0 --categorical zip --types n=long,flag=string --estimator ridge --alpha 1",
    );
    let features = file["signature"]["features"].as_array().unwrap();
    let kinds: Vec<&str> = features.iter().map(|feature| feature["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["string", "long", "string"]);
    assert_eq!(features[0]["levels"], json!(["1000", "2000", "3000"]));
    assert_eq!(features[2]["levels"], json!(["false", "true"]));
}

#[rstest]
#[case::integers("0", "1", json!([0, 1]), "long")]
#[case::fractions("0.5", "1", json!([0.5, 1.0]), "double")]
#[case::booleans("false", "true", json!([false, true]), "boolean")]
#[case::words("ham", "spam", json!(["ham", "spam"]), "string")]
fn classes_keep_the_notation_of_the_data(
    #[case] one: &str,
    #[case] other: &str,
    #[case] classes: Value,
    #[case] kind: &str,
) {
    let data = format!("x,y\n1,{one}\n2,{other}\n3,{one}\n4,{other}\n5,{other}\n6,{one}\n");
    let folder = folder_with(data);
    let file = model(folder.path(), "--target y --test-fraction 0 --estimator logistic");
    assert_eq!((&file["estimator"]["classes"], &file["signature"]["target"]["type"]), (&classes, &json!(kind)));
}

#[test]
fn the_regularization_strength_is_chosen_by_cross_validation_and_stored() {
    let folder = folder_with(staff());
    let arguments = format!("--target pay --exclude w,quit {FILLED} --estimator lasso");
    let best = model(folder.path(), &format!("{arguments} --cross-validate 4 --seed 3"));
    assert_eq!(best, {
        let mut again = model(folder.path(), &format!("{arguments} --cross-validate 4 --seed 3"));
        again["created"] = best["created"].clone();
        again
    });
    let simple = model(folder.path(), &format!("{arguments} --cross-validate 4 --seed 3 --one-standard-error"));
    let alpha = |file: &Value| file["training"]["parameters"]["alpha"].as_f64().unwrap();
    assert!(alpha(&simple) > alpha(&best) && alpha(&best) > 0.0);
    assert_eq!(best["training"]["parameters"]["cross_validate"], 4);
    let fixed = model(folder.path(), &format!("{arguments} --alpha {}", alpha(&best)));
    assert_eq!(fixed["estimator"], best["estimator"]);
}

#[rstest]
#[case(";")]
#[case("\t")]
#[case("|")]
fn delimiters_are_found_in_the_header(#[case] delimiter: &str) {
    let commas = folder_with(staff());
    let other = folder_with(staff().replace(',', delimiter));
    let arguments = format!("--target pay --exclude w,quit {FILLED}");
    assert_eq!(model(commas.path(), &arguments)["estimator"], model(other.path(), &arguments)["estimator"]);
}

#[test]
fn several_files_patterns_and_standard_input_give_the_same_model() {
    let data = staff();
    let folder = folder_with(&data);
    let arguments = format!("--target pay --exclude w,quit --name staff {FILLED} --out m.json");
    let whole = model(folder.path(), &arguments.replace("--out m.json", ""));
    let lines: Vec<&str> = data.lines().collect();
    for (name, rows) in [("part-1.csv", &lines[1..30]), ("part-2.csv", &lines[30..])] {
        fs::write(folder.path().join(name), format!("{}\n{}\n", lines[0], rows.join("\n"))).unwrap();
    }
    for source in ["part-1.csv part-2.csv", "part-*.csv"] {
        succeeded(&train(folder.path(), &format!("{source} {arguments}")));
        assert_eq!(json_of(folder.path().join("m.json"))["estimator"], whole["estimator"], "{source}");
    }
    let mut piped = command(folder.path(), &format!("train - {arguments}"));
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(data.as_bytes()).unwrap();
    assert!(piped.wait().unwrap().success());
    let piped = json_of(folder.path().join("m.json"));
    assert_eq!(
        (&piped["estimator"], &piped["training"]["data_sha256"]),
        (&whole["estimator"], &whole["training"]["data_sha256"])
    );
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
    let folder = folder_with(data);
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
    let folder = folder_with(data);
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
    let folder = folder_with(data);
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
    let folder = folder_with(&data);
    fs::write(folder.path().join("more.csv"), &data).unwrap();
    let output = train(folder.path(), "data.csv more.csv --target y --interactions");
    let said = complained(&output);
    assert!(said.contains("data.csv and 1 more: the model would have 6399 columns"), "{said}");
}

#[test]
fn files_of_different_kinds_are_not_joined() {
    let folder = folder_with("x,y\n1,1\n2,2\n");
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
    let folder = folder_with("x,y\n1,3\n2,5\n3,7\n");
    let output = train(folder.path(), &format!("data.csv --target y {arguments}"));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(named), "{said}");
}
