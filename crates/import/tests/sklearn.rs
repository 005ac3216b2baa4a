//! Real objects of four versions of scikit-learn, with its own predictions as golden rows. `make_states.py` of the Python
//! package writes the files; its matrix has many more pipelines.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod cases;

use cases::{Case, cases};
use ordinate_import::{ImportError, Value, sklearn};
use ordinate_model::Model;

fn files() -> Vec<std::path::PathBuf> {
    cases::paths("states")
}

fn case(name: &str) -> Case {
    cases(files().last().unwrap()).into_iter().find(|case| case.name == name).unwrap()
}

#[test]
fn pipelines_of_all_versions_are_imported_or_refused_by_name() {
    assert_eq!(files().len(), 4);
    for file in files() {
        for case in cases(&file) {
            let place = format!("{}: {}", file.display(), case.name);
            match (case.import(), &case.error) {
                (Ok(document), None) => {
                    Model::from_json(document.to_json().unwrap().as_bytes()).unwrap();
                }
                (Err(error), Some(text)) => {
                    let message = error.to_string();
                    assert!(message.contains(text.as_str()) && message.contains("\nhelp: "), "{place}: {message}");
                }
                (imported, _) => panic!("{place}: {:?}", imported.map(|_| ()).map_err(|error| error.to_string())),
            }
        }
    }
}

#[test]
fn other_predictions_than_those_of_the_library_are_an_error() {
    let mut wrong = case("Lasso");
    wrong.golden.y[0] = ordinate_model::scalar::Scalar::Number(1.5);
    assert!(wrong.import().unwrap_err().to_string().starts_with("golden row 0: expected 1.5"));
}

#[test]
fn columns_keep_their_means_and_scales_and_unused_ones_are_ignored() {
    let document = case("infrequent categories").import().unwrap();
    let age = document.preprocess.columns.iter().find(|column| column.name == "age").unwrap();
    assert!(age.mean > 40.0 && age.scale > 10.0, "{age:?}");
    let city = document.signature.features().iter().find(|feature| feature.name == "city").unwrap();
    assert!(city.levels.contains(&"(other)".to_owned()) && city.levels.contains(&"Ulm".to_owned()));
    assert!(document.signature.ignores("height"));
    assert!(document.training.rows.is_none() && document.training.smartcore.is_none());
    assert_eq!(document.training.parameters["imported_from"], "scikit-learn 1.9.1");
}

#[test]
fn text_that_is_not_the_form_of_a_value_is_an_error() {
    let array = r#"{"array": {"shape": [2, 2], "kind": "float", "data": [1.0, "nan", 2.0]}}"#;
    for text in ["", "{}", r#"{"float": "high"}"#, r#"{"object": {"name": "Ridge"}}"#, array] {
        assert!(matches!(Value::from_json(text.as_bytes()), Err(ImportError::Malformed(_))), "{text}");
    }
}

#[test]
fn objects_of_other_libraries_and_unfitted_ones_are_errors() {
    let facts = case("Lasso").facts;
    let import = |module: &str, name: &str| {
        let text = serde_json::json!({"object": {"module": module, "name": name, "state": {}}}).to_string();
        sklearn::draft(&Value::from_json(text.as_bytes()).unwrap(), &facts).unwrap_err().to_string()
    };
    assert!(
        import("xgboost.sklearn", "XGBRegressor").starts_with("XGBRegressor: xgboost.sklearn.XGBRegressor is unknown")
    );
    assert!(import("sklearn.linear_model._ridge", "Ridge").contains("it is not fitted: it has no attribute coef_"));
    assert!(import("sklearnex.linear_model", "Ridge").contains("use estimators and transformers of scikit-learn"));
}
