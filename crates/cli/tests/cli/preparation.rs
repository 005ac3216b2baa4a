//! `ordinate train` on categories, missing values, powers, products, weights and logarithms, with penalized estimators and
//! classifiers.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ordinate_model::Model;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{folder_with_data, json_of, run, succeeded, text, train};

mod decisions;
mod errors;
mod missing_values;
mod scikit_learn;
mod serving;
mod tables;

/// Trains on `data.csv` in the folder and returns the model file.
fn model(folder: &Path, arguments: &str) -> Value {
    succeeded(&train(folder, &format!("data.csv --out m.json {arguments}")));
    Model::from_json(fs::read(folder.join("m.json")).unwrap()).unwrap();
    json_of(folder.join("m.json"))
}

/// Year and its square are one line to ten digits, and centred they are not.
#[test]
fn nearly_dependent_powers_far_from_zero_are_noted() {
    let rows = |shift: f64| -> String {
        let row = |i: u32| format!("{},{}\n", shift + f64::from(i), f64::from(i * i % 17));
        (0..30).map(row).collect::<Vec<_>>().concat()
    };
    let options = "data.csv --target y --degree 3 --test-fraction 0";
    let far = folder_with_data(format!("x,y\n{}", rows(200_000.0)));
    let output = train(far.path(), options);
    assert!(
        succeeded(&output).contains("\"x^3\" is nearly a linear combination of the columns before it"),
        "{}",
        text(&output.stdout)
    );
    let near = folder_with_data(format!("x,y\n{}", rows(-15.0)));
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
fn columns_of_the_model_can_be_left_out_by_their_names() {
    let folder = folder_with_data(staff());
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
fn a_row_of_weight_two_is_two_rows() {
    let weighted = folder_with_data("x,z,y,w\n1,0,3,2\n2,1,4,1\n3,0,8,3\n4,1,9,1\n5,5,6,2\n");
    let repeated = folder_with_data("x,z,y\n1,0,3\n1,0,3\n2,1,4\n3,0,8\n3,0,8\n3,0,8\n4,1,9\n5,5,6\n5,5,6\n");
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
        let file = model(folder_with_data(&data).path(), &arguments);
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
        let folder = folder_with_data(table(unit));
        model(folder.path(), &format!("--target y --estimator {estimator} --test-fraction 0"));
        succeeded(&run(folder.path(), "predict m.json data.csv"))
            .lines()
            .map(|line| line.rsplit(',').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // A power of two changes no digit.
    assert_eq!(scores(2.0_f64.powi(-664)), scores(1.0));
}

#[test]
fn a_category_of_one_row_is_fine_wherever_it_falls_and_is_noted() {
    for seed in 0..8 {
        let folder = folder_with_data(staff().replacen("21,green", "21,violet", 1).replacen(",red,", ",violet,", 1));
        let said = train(
            folder.path(),
            &format!(
                "data.csv --target pay --exclude w,quit --missing median --missing colour=most-frequent --test-fraction 0.5 --seed {seed}"
            ),
        );
        assert!(
            succeeded(&said).contains("categories with only one row: colour (\"violet\")"),
            "{}",
            text(&said.stdout)
        );
    }
}

#[rstest]
#[case::words("--target y", "b")]
#[case::booleans("--target flag", "true")]
#[case::declared_booleans("--target flag --types flag=boolean", "true")]
#[case::numbers("--target n --estimator logistic", "7")]
fn a_class_of_one_row_is_noted(#[case] arguments: &str, #[case] class: &str) {
    let folder = folder_with_data("x,y,flag,n\n1,a,false,3\n2,b,true,7\n3,a,false,3\n4,a,false,3\n5,a,false,3\n");
    let output = train(folder.path(), &format!("data.csv --features x {arguments}"));
    let said = succeeded(&output);
    assert!(said.contains(&format!(" with only one row: {class}.")), "{said}");
}

#[test]
fn a_word_among_decimal_commas_is_a_missing_value() {
    let mut data = "x;y\n".to_owned();
    (0..40).for_each(|row| writeln!(data, "{},5;{}", row * row % 17, row % 5).unwrap());
    data.push_str("unknown;2\n");
    let folder = folder_with_data(data);
    let output = train(folder.path(), "data.csv --target y --test-fraction 0");
    let said = succeeded(&output);
    assert!(said.contains("Note: the decimal mark is ',' in x (0,5)"), "{said}");
    assert!(
        said.contains("Note: values that are not numbers or dates count as missing in x (\"unknown\": 1 row)"),
        "{said}"
    );
}

#[test]
fn the_regularization_strength_is_chosen_by_cross_validation_and_stored() {
    let folder = folder_with_data(staff());
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
