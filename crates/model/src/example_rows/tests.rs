use serde_json::{Value, json};

use super::*;
use crate::test_models::assembled;
use ordinate_test_support::{ModelDocument, column, feature};

const DIABETES: &[u8] = include_bytes!("../../../../model/diabetes.json");

fn diabetes(change: impl FnOnce(&mut Value)) -> Model {
    let mut document: Value = serde_json::from_slice(DIABETES).unwrap();
    change(&mut document);
    assembled(document)
}

#[test]
fn columns_have_the_covariances_of_the_training_data() {
    let model = diabetes(|_| {});
    let mut random = SplitMix(1);
    let draws: Vec<Vec<f64>> = (0..20_000).map(|_| model.deviations(&mut random).unwrap()).collect();
    let r = &model.document.inference.as_ref().unwrap().r;
    let entry = |row: usize, column: usize| if column < row { 0.0 } else { r[row][column - row] };
    let covariance =
        |one: usize, other: usize| (0..r.len()).map(|row| entry(row, one) * entry(row, other)).sum::<f64>() / 442.0;
    for one in 0..r.len() {
        for other in 0..=one {
            let got = draws.iter().map(|draw| draw[one] * draw[other]).sum::<f64>() / 20_000.0;
            let spread = (covariance(one, one) * covariance(other, other)).sqrt();
            // Four standard errors of a covariance.
            let error = (got - covariance(one, other)).abs() / spread;
            assert!(error < 4.0 * (2.0_f64 / 20_000.0).sqrt(), "{one}, {other}: {error}");
        }
    }
}

#[test]
fn examples_are_within_the_ranges_and_have_no_warnings() {
    let model = diabetes(|_| {});
    let examples = model.examples();
    assert_eq!((examples.len(), model.examples()), (EXAMPLES, examples.clone()));
    for example in &examples {
        let values: Vec<f64> = model
            .signature()
            .features()
            .iter()
            .map(|feature| feature.accept(example[feature.name.as_str()].cell()).unwrap())
            .collect();
        let warnings = model.warnings(&Frame::from_accepted(model.signature(), values)).unwrap();
        assert_eq!(warnings.listed, []);
    }
    let ages: Vec<String> = examples.iter().map(|example| example["age"].to_string()).collect();
    assert!(ages.iter().all(|age| age.len() == 2), "rounded: {ages:?}");
}

#[test]
fn without_r_numbers_are_drawn_independently() {
    let model = diabetes(|document| document["inference"] = Value::Null);
    let age = model.signature().features()[0].clone();
    let ages: Vec<f64> = model.examples().iter().map(|example| age.accept(example["age"].cell()).unwrap()).collect();
    assert!(ages.iter().all(|age| (19.0..=79.0).contains(age)), "{ages:?}");
    assert!(ages.iter().any(|age| (age - ages[0]).abs() > 5.0), "{ages:?}");
}

/// A number from 1 to 7, a boolean, a category, a square and a constant; 40 training rows.
fn mixed(change: impl FnOnce(&mut Value)) -> Model {
    let mut features = json!([
        feature("rooms", "long"),
        feature("garden", "boolean"),
        feature("colour", "string"),
        feature("squared", "double"),
        feature("constant", "double"),
    ]);
    features[0]["range"] = json!([1.0, 7.0]);
    features[2]["levels"] = json!(["blue", "green", "red"]);
    features[3]["range"] = json!([1e9, 3e9]);
    features[4]["range"] = json!([0.1, 0.1]);
    let draft = ModelDocument::regression("mixed", 0.0)
        .features(features)
        .column(column("rooms", json!({"feature": "rooms"}), 3.6, 1.0), 1.0)
        .column(column("garden", json!({"feature": "garden"}), 1.0, 1.0), 1.0)
        .column(column("colour=green", json!({"feature": "colour", "level": "green"}), 0.0, 1.0), 1.0)
        .column(column("colour=red", json!({"feature": "colour", "level": "red"}), 1.0, 1.0), 1.0)
        .column(column("squared^2", json!({"feature": "squared", "power": 2}), 7.0, 1.0), 1.0)
        .column(column("constant", json!({"feature": "constant"}), 0.1, 1.0), 1.0)
        .set("/training/rows", 40);
    let mut draft = draft.json();
    change(&mut draft);
    assembled(draft)
}

#[test]
fn every_type_is_drawn_as_callers_write_it() {
    for example in mixed(|_| {}).examples() {
        assert!(matches!(example["rooms"], Scalar::Integer(1..=7)), "{example:?}");
        assert_eq!(example["garden"], Scalar::Boolean(true));
        assert_eq!(example["colour"], Scalar::Text("red".into()));
        assert_eq!(example["squared"], Scalar::Number(2e9));
        assert_eq!(example["constant"], Scalar::Number(0.1));
    }
}

/// Its means are 0 and its R is about zero: drawn from them, numbers would be at an end of their range, booleans false
/// and categories the last one.
#[test]
fn without_an_intercept_rows_are_drawn_from_ranges_and_levels() {
    let model = mixed(|document| {
        document["preprocess"]["through_origin"] = json!(true);
        for column in document["preprocess"]["columns"].as_array_mut().unwrap() {
            column["mean"] = json!(0.0);
        }
        document["preprocess"]["columns"][4]["scale"] = json!(4e18);
        let row = |row: usize| (row..6).map(|place| if place == row { 25.0 } else { 0.0 }).collect();
        document["inference"] = json!({"r": (0..6).map(row).collect::<Vec<Vec<f64>>>()});
    });
    let mut random = SplitMix(0);
    let drawn: Vec<_> = (0..500).map(|_| model.draw_row(&mut random)).collect();
    let feature = &model.signature().features()[0];
    let rooms: Vec<f64> = drawn.iter().map(|example| feature.accept(example["rooms"].cell()).unwrap()).collect();
    // Four standard errors of 500 numbers with a standard deviation of 1; rounding adds 1/12 to the variance.
    let (mean, expected) = (rooms.iter().sum::<f64>() / 500.0, 13.0 / 12.0);
    assert!((mean - 4.0).abs() < 4.0 * (expected / 500.0_f64).sqrt(), "{mean}");
    let variance = rooms.iter().map(|rooms| (rooms - mean).powi(2)).sum::<f64>() / 500.0;
    assert!((variance - expected).abs() < 4.0 * expected * (2.0 / 500.0_f64).sqrt(), "{variance}");
    let frequency = |name: &str, value: &Scalar| {
        count_to_f64(drawn.iter().filter(|example| &example[name] == value).count() as u64) / 500.0
    };
    let all = [
        ("garden", Scalar::Boolean(true), 0.5),
        ("colour", Scalar::Text("blue".into()), 1.0 / 3.0),
        ("colour", Scalar::Text("green".into()), 1.0 / 3.0),
    ];
    for (name, value, expected) in all {
        let frequency = frequency(name, &value);
        assert!((frequency - expected).abs() < 4.0 * (0.25_f64 / 500.0).sqrt(), "{name} {value}: {frequency}");
    }
    assert_eq!(drawn[0]["constant"], Scalar::Number(0.1));
}

#[test]
fn the_typical_row_has_means_and_the_most_frequent_categories() {
    let mut features = json!([
        feature("x", "double"),
        feature("rooms", "long"),
        feature("garden", "boolean"),
        feature("colour", "string"),
        feature("side", "string"),
        feature("squared", "double"),
    ]);
    features[3]["levels"] = json!(["blue", "green", "red"]);
    features[4]["levels"] = json!(["left", "right"]);
    let draft = ModelDocument::regression("typical", 0.0)
        .features(features)
        .column(column("x^2", json!({"feature": "x", "power": 2}), 9.0, 1.0), 1.0)
        .column(column("x", json!({"feature": "x"}), 2.25, 1.0), 1.0)
        .column(column("rooms", json!({"feature": "rooms"}), 3.6, 1.0), 1.0)
        .column(column("garden", json!({"feature": "garden"}), 0.4, 1.0), 1.0)
        .column(column("colour=green", json!({"feature": "colour", "level": "green"}), 0.3, 1.0), 1.0)
        .column(column("colour=red", json!({"feature": "colour", "level": "red"}), 0.2, 1.0), 1.0)
        .column(column("side=left", json!({"feature": "side", "level": "left"}), 0.4, 1.0), 1.0)
        .column(column("side=right", json!({"feature": "side", "level": "right"}), 0.6, 1.0), 1.0)
        .column(column("squared^2", json!({"feature": "squared", "power": 2}), 7.0, 1.0), 1.0);
    let model = assembled(draft.json());
    let typical = serde_json::to_value(model.typical()).unwrap();
    assert_eq!(typical, json!({"x": 2.25, "rooms": 4.0, "garden": false, "colour": "blue", "side": "right"}));
}

/// A whole number, a date with parts, and a category with levels of missing and rare values.
fn with_dates(change: impl FnOnce(&mut Value)) -> Model {
    let mut features = json!([feature("year", "double"), feature("sold", "date"), feature("deck", "string")]);
    features[0]["range"] = json!([1900.0, 2020.0]);
    features[0]["whole"] = json!(true);
    features[1]["range"] = json!(["2024-01-01", "2024-12-31"]);
    features[2]["missing"] = json!({"category": "(missing)"});
    features[2]["unknown"] = json!("other");
    features[2]["levels"] = json!(["(missing)", "(other)", "A", "B"]);
    let deck = |level: &str, mean: f64| {
        column(&format!("deck={level}"), json!({"feature": "deck", "level": level}), mean, 1.0)
    };
    let draft = ModelDocument::regression("sales", 0.0)
        .features(features)
        .column(column("year", json!({"feature": "year"}), 1996.7, 1.0), 1.0)
        .column(column("sold year", json!({"feature": "sold", "part": "year"}), 2024.0, 1.0), 1.0)
        .column(column("sold days", json!({"feature": "sold", "part": "days"}), 100.0, 1.0), 1.0)
        .column(deck("(other)", 0.3), 1.0)
        .column(deck("A", 0.05), 1.0)
        .column(deck("B", 0.05), 1.0);
    let mut draft = draft.json();
    change(&mut draft);
    assembled(draft)
}

#[test]
fn whole_numbers_stay_whole_and_dates_are_days() {
    let model = with_dates(|_| {});
    let examples = model.examples();
    for example in &examples {
        assert!(matches!(example["year"], Scalar::Integer(1900..=2020)), "{example:?}");
        let Scalar::Text(sold) = &example["sold"] else { panic!("{example:?}") };
        assert!(sold.starts_with("2024-") && sold.len() == 10, "{example:?}");
        assert!(["A", "B"].contains(&example["deck"].to_string().as_str()), "{example:?}");
    }
    assert!(examples.iter().any(|example| example["sold"] != examples[0]["sold"]));
    assert_eq!(serde_json::to_value(&examples[0]["year"]).unwrap().to_string().len(), 4, "without a fraction");
    let typical = serde_json::to_value(model.typical()).unwrap();
    assert_eq!(typical, json!({"year": 1997.0, "sold": "2024-04-10", "deck": "A"}));
}

#[test]
fn dates_of_a_few_days_have_hours_and_levels_of_missing_values_are_shown_if_there_are_no_others() {
    let model = with_dates(|draft| {
        let features = &mut draft["signature"]["features"];
        features[1]["range"] = json!(["2024-01-01T06:00:00Z", "2024-01-02T18:00:00Z"]);
        features[2]["levels"] = json!(["(missing)", "(other)"]);
        draft["preprocess"]["columns"].as_array_mut().unwrap().truncate(2);
        draft["estimator"]["coefficients"] = json!({"year": 1.0, "sold year": 1.0});
    });
    for example in model.examples() {
        let Scalar::Text(sold) = &example["sold"] else { panic!("{example:?}") };
        assert!(sold.ends_with(":00:00Z") || sold.len() == 10, "{example:?}");
        assert!(["(missing)", "(other)"].contains(&example["deck"].to_string().as_str()), "{example:?}");
    }
}
