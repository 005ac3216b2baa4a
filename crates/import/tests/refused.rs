//! Models that were changed after the fit, and columns that a model file cannot express: predicted as by
//! scikit-learn, or refused by name.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::needless_pass_by_value)]

mod cases;

use ordinate_import::{Column, Facts, Value, sklearn};
use ordinate_model::artifact::Document;
use ordinate_model::signature::{FeatureType, MissingPolicy};
use serde_json::{Value as Json, json};

fn object(class: &str, state: Json) -> Json {
    let (module, name) = class.rsplit_once('.').unwrap();
    json!({"object": {"module": format!("sklearn.{module}"), "name": name, "state": state}})
}

fn floats(values: &[f64]) -> Json {
    json!({"array": {"shape": [values.len()], "kind": "float", "data": values}})
}

fn objects(values: &Json) -> Json {
    json!({"array": {"shape": [values.as_array().unwrap().len()], "kind": "object", "data": values}})
}

fn ridge(coefficients: &[f64]) -> Json {
    object("linear_model.Ridge", json!({"coef_": floats(coefficients), "intercept_": 1.0}))
}

fn pipeline(step: Json, coefficients: &[f64]) -> Json {
    object("pipeline.Pipeline", json!({"steps": [["step", step], ["ridge", ridge(coefficients)]]}))
}

/// The model file of an estimator of so many columns, without a sample of the table.
fn import(estimator: &Json, columns: usize) -> Result<Document, String> {
    let facts = cases::cases(cases::paths("states").last().unwrap()).remove(0).facts;
    let columns = facts.columns[..columns].iter().map(|column| Column::new(&column.name)).collect();
    let value = Value::from_json(estimator.to_string().as_bytes()).unwrap();
    let draft = sklearn::draft(&value, &Facts { columns, ..facts }).map_err(|error| error.to_string())?;
    draft.seal_without_data().map_err(|error| error.to_string())
}

fn message(estimator: &Json, columns: usize) -> String {
    let message = import(estimator, columns).unwrap_err();
    assert!(message.contains("\nhelp: "), "{message}");
    message
}

#[test]
#[allow(clippy::float_cmp)]
fn scalers_obey_parameters_that_were_changed_after_the_fit() {
    let standard = ("preprocessing.StandardScaler", "mean_", "with_mean", "with_std");
    let robust = ("preprocessing.RobustScaler", "center_", "with_centering", "with_scaling");
    for (class, mean, with_mean, with_scale) in [standard, robust] {
        for (centres, scales) in [(true, true), (true, false), (false, true), (false, false)] {
            let state =
                json!({mean: floats(&[40.0]), "scale_": floats(&[8.0]), with_mean: centres, with_scale: scales});
            let scaler = object(class, state);
            let imported = import(&pipeline(scaler.clone(), &[2.0]), 1).unwrap();
            let column = &imported.preprocess.columns[0];
            let expected = (if centres { 40.0 } else { 0.0 }, if scales { 8.0 } else { 1.0 });
            assert_eq!((column.mean, column.scale), expected, "{class}");
            let target = json!({"regressor_": ridge(&[1.0]), "transformer_": scaler});
            let imported = import(&object("compose.TransformedTargetRegressor", target), 1).unwrap();
            let text = serde_json::to_value(&imported.estimator).unwrap().to_string();
            let intercept = expected.1 + expected.0;
            assert!(text.contains(&format!("\"intercept\":{intercept:?}")), "{text}");
        }
    }
}

#[test]
fn parameters_have_the_truth_of_python() {
    let scaler = |clip: Json| {
        let state = json!({"scale_": floats(&[2.0]), "min_": floats(&[0.5]), "clip": clip});
        pipeline(object("preprocessing.MinMaxScaler", state), &[2.0])
    };
    for on in [json!(true), json!(1), json!(1.0)] {
        assert!(message(&scaler(on), 1).contains("it clips values"));
    }
    for off in [json!(false), json!(0), json!(0.0), json!(null)] {
        import(&scaler(off), 1).unwrap();
    }
    assert!(message(&scaler(json!("no")), 1).contains("clip is not what this class has"));
    let mean = json!({"mean_": floats(&[40.0]), "scale_": floats(&[8.0]), "with_mean": 1, "with_std": 1});
    let imported = import(&pipeline(object("preprocessing.StandardScaler", mean), &[2.0]), 1).unwrap();
    assert!(imported.preprocess.columns[0].mean > 39.0);
}

#[test]
fn a_tweedie_regressor_has_the_link_of_its_fit() {
    let tweedie = |link: &str, power: f64, loss: &str| {
        let loss = object(&format!("_loss.loss.{loss}"), json!({}));
        let state = json!({
            "coef_": floats(&[0.1]), "intercept_": 1.0, "link": link, "power": power, "_base_loss": loss
        });
        object("linear_model._glm.glm.TweedieRegressor", state)
    };
    import(&tweedie("auto", 1.5, "HalfTweedieLoss"), 1).unwrap();
    import(&tweedie("identity", 1.5, "HalfTweedieLossIdentity"), 1).unwrap();
    for changed in [
        tweedie("identity", 1.5, "HalfTweedieLoss"),
        tweedie("auto", 0.0, "HalfTweedieLoss"),
        tweedie("log", 1.5, "HalfTweedieLossIdentity"),
    ] {
        assert!(message(&changed, 1).contains("its link or power is not that of the fit"));
    }
}

#[test]
fn scalers_that_are_not_fitted_are_refused() {
    for (class, attribute) in [("StandardScaler", "mean_"), ("RobustScaler", "center_")] {
        let scaler = object(&format!("preprocessing.{class}"), json!({"with_mean": false, "with_std": true}));
        let message = message(&pipeline(scaler, &[2.0]), 1);
        assert!(message.contains(&format!("it has no attribute {attribute}")), "{message}");
    }
}

fn encoder(categories: &Json, handle_unknown: &str) -> Json {
    let state = json!({"categories_": [objects(categories)], "handle_unknown": handle_unknown});
    object("preprocessing.OneHotEncoder", state)
}

/// The first column, imputed and encoded in one branch and encoded in the other one.
fn twice(handle_unknown: &str) -> Json {
    let encoder = encoder(&json!(["a", "b"]), handle_unknown);
    let imputer = object("impute.SimpleImputer", json!({"statistics_": objects(&json!(["a"]))}));
    let branch = object("pipeline.Pipeline", json!({"steps": [["impute", imputer], ["encode", encoder]]}));
    let parts = json!([["imputed", branch, [0]], ["plain", encoder, [0]]]);
    pipeline(object("compose.ColumnTransformer", json!({"transformers_": parts})), &[1.0, 2.0, 3.0, 4.0])
}

#[test]
fn a_column_that_is_encoded_with_and_without_imputed_values_is_refused() {
    let message = message(&twice("ignore"), 1);
    assert!(message.starts_with("feature \"a\": one step replaces its missing values"), "{message}");
    // The second encoder refuses missing values.
    let imported = import(&twice("error"), 1).unwrap();
    assert_eq!(imported.signature.features()[0].missing, MissingPolicy::Reject);
}

#[test]
fn a_column_that_is_encoded_as_false_and_true_is_boolean_without_a_sample() {
    let imported = import(&pipeline(encoder(&json!([false, true]), "error"), &[1.0, 2.0]), 1).unwrap();
    assert_eq!(imported.signature.features()[0].kind, FeatureType::Boolean);
}

#[test]
fn more_degrees_than_columns_without_repetition_make_no_columns() {
    let state = json!({"_min_degree": 32, "_max_degree": 32, "n_output_features_": 1, "interaction_only": true, "include_bias": true});
    let union: Vec<Json> = (0..4)
        .map(|position| json!([position.to_string(), object("preprocessing.PolynomialFeatures", state.clone())]))
        .collect();
    let union = object("pipeline.FeatureUnion", json!({"transformer_list": union}));
    import(&pipeline(union, &[1.0, 2.0, 3.0, 4.0]), 4).unwrap_err();
}

#[test]
fn a_model_of_many_features_takes_no_time_for_made_up_rows() {
    let count = 20_000;
    let facts = cases::cases(cases::paths("states").last().unwrap()).remove(0).facts;
    let columns = (0..count).map(|position| Column::new(&format!("x{position}"))).collect();
    let estimator = Value::from_json(ridge(&vec![1.0; count]).to_string().as_bytes()).unwrap();
    let start = std::time::Instant::now();
    sklearn::draft(&estimator, &Facts { columns, ..facts }).unwrap().seal_without_data().unwrap();
    // Two seconds on an idle machine; a minute if the work were quadratic.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
