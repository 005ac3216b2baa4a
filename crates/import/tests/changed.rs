//! Attributes that were changed after the fit: each is refused by its step and its name, with an advice, and the same
//! estimator without the change is imported.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::needless_pass_by_value)]

mod cases;

use ordinate_import::{Column, Facts, Value, sklearn};
use ordinate_model::artifact::Document;
use serde_json::{Value as Json, json};

fn object(class: &str, state: Json) -> Json {
    let (module, name) = class.rsplit_once('.').unwrap();
    json!({"object": {"module": format!("sklearn.{module}"), "name": name, "state": state}})
}

fn array(shape: &[usize], data: Json) -> Json {
    json!({"array": {"shape": shape, "kind": "float", "data": data}})
}

fn floats(data: Json) -> Json {
    array(&[data.as_array().unwrap().len()], data)
}

/// The model file of an estimator of so many columns, without a sample of the table.
fn import(estimator: &Json, columns: usize) -> Result<Document, String> {
    let facts = cases::cases(cases::paths("states").last().unwrap()).remove(0).facts;
    let columns = (0..columns).map(|position| Column::new(&format!("x{position}"))).collect();
    let value = Value::from_json(estimator.to_string().as_bytes()).unwrap();
    let draft = sklearn::draft(&value, &Facts { columns, ..facts }).map_err(|error| error.to_string())?;
    draft.seal_without_data().map_err(|error| error.to_string())
}

/// A part of an estimator with other attributes; `path` leads to its state.
fn changed(estimator: &Json, path: &str, attributes: &Json) -> Json {
    let mut other = estimator.clone();
    let state = other.pointer_mut(path).unwrap_or_else(|| panic!("{path}")).as_object_mut().unwrap();
    state.extend(attributes.as_object().unwrap().clone());
    other
}

fn ridge(coefficients: Json) -> Json {
    object("linear_model.Ridge", json!({"coef_": floats(coefficients), "intercept_": 1.0}))
}

fn after(step: Json) -> Json {
    object("pipeline.Pipeline", json!({"steps": [["step", step], ["ridge", ridge(json!([1.0, 2.0]))]]}))
}

fn logistic() -> Json {
    let classes = json!({"array": {"shape": [2], "kind": "text", "data": ["no", "yes"]}});
    let state =
        json!({"coef_": array(&[1, 2], json!([1.0, 2.0])), "intercept_": floats(json!([0.5])), "classes_": classes});
    object("linear_model.LogisticRegression", state)
}

/// The state of an estimator itself, and of the first step of a pipeline.
const OWN: &str = "/object/state";
const STEP: &str = "/object/state/steps/0/1/object/state";

/// Each change is refused with this message, and the estimator without it is imported.
fn assert_refused(estimator: &Json, path: &str, changes: &[(Json, &str)]) {
    import(estimator, 2).unwrap_or_else(|error| panic!("{error}: {estimator}"));
    for (attributes, expected) in changes {
        let message = import(&changed(estimator, path, attributes), 2).map(drop).unwrap_err();
        assert!(message.contains(expected) && message.contains("\nhelp: "), "{attributes}: {message}");
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused_by_name() {
    let help = |attribute: &str| format!("{attribute} is not finite\nhelp: fit it again");
    let all = |attribute: &str, shape: &[usize]| -> Vec<(Json, String)> {
        let length = shape.iter().product::<usize>();
        let value = |number: &str| {
            let mut data = vec![json!(1.0); length];
            data[length - 1] = json!(number);
            json!({attribute: array(shape, json!(data))})
        };
        ["nan", "inf", "-inf"].map(|number| (value(number), help(attribute))).to_vec()
    };
    let check = |estimator: Json, path: &str, attributes: &[(&str, &[usize])]| {
        for (attribute, shape) in attributes {
            let changes = all(attribute, shape);
            let changes: Vec<(Json, &str)> =
                changes.iter().map(|(change, help)| (change.clone(), help.as_str())).collect();
            assert_refused(&estimator, path, &changes);
        }
    };
    check(ridge(json!([1.0, 2.0])), OWN, &[("coef_", &[2]), ("intercept_", &[1])]);
    check(logistic(), OWN, &[("coef_", &[1, 2]), ("intercept_", &[1])]);
    let scale = json!({"mean_": floats(json!([1.0, 2.0])), "scale_": floats(json!([1.0, 2.0]))});
    check(after(object("preprocessing.StandardScaler", scale)), STEP, &[("mean_", &[2]), ("scale_", &[2])]);
    let robust = json!({"center_": floats(json!([1.0, 2.0])), "scale_": floats(json!([1.0, 2.0]))});
    check(after(object("preprocessing.RobustScaler", robust)), STEP, &[("center_", &[2]), ("scale_", &[2])]);
    let range = json!({"min_": floats(json!([1.0, 2.0])), "scale_": floats(json!([1.0, 2.0]))});
    check(after(object("preprocessing.MinMaxScaler", range)), STEP, &[("min_", &[2]), ("scale_", &[2])]);
    let pca = json!({
        "components_": array(&[2, 2], json!([1.0, 0.0, 0.0, 1.0])), "mean_": floats(json!([1.0, 2.0])), "whiten": true,
        "explained_variance_": floats(json!([1.0, 2.0]))
    });
    let attributes: [(&str, &[usize]); 3] = [("components_", &[2, 2]), ("mean_", &[2]), ("explained_variance_", &[2])];
    check(after(object("decomposition.PCA", pca)), STEP, &attributes);
    let infinite =
        [(json!({"statistics_": floats(json!([1.0, "inf"]))}), "statistics_ is not finite\nhelp: fit it again")];
    let imputer = object("impute.SimpleImputer", json!({"statistics_": floats(json!([1.0, 2.0]))}));
    assert_refused(&after(imputer), STEP, &infinite);
}

#[test]
fn classes_are_distinct_values() {
    let classes = |kind: &str, data: Json| json!({"classes_": {"array": {"shape": [2], "kind": kind, "data": data}}});
    let repeated = "classes_ has the class yes twice\nhelp: fit it again";
    let unusable = "classes_ is not what this class has";
    assert_refused(
        &logistic(),
        OWN,
        &[
            (classes("text", json!(["yes", "yes"])), repeated),
            (classes("object", json!(["yes", "yes"])), repeated),
            (classes("float", json!([1.0, 1.0])), "classes_ has the class 1 twice"),
            (classes("object", json!([1, 1.0])), "classes_ has values of several types"),
            (classes("object", json!([0, "yes"])), "classes_ has values of several types"),
            (classes("float", json!([1.0, "nan"])), unusable),
            (classes("object", json!([null, "yes"])), unusable),
        ],
    );
    // In any order, as in scikit-learn: the score is that of the second one.
    import(&changed(&logistic(), OWN, &classes("text", json!(["yes", "no"]))), 2).unwrap();
}

#[test]
fn coefficients_that_are_not_finite_multiplied_out_are_refused() {
    let pca = |size: f64| {
        let components = array(&[1, 2], json!([size, 0.0]));
        let pca = object("decomposition.TruncatedSVD", json!({"components_": components}));
        object("pipeline.Pipeline", json!({"steps": [["pca", pca], ["ridge", ridge(json!([size]))]]}))
    };
    let message = import(&pca(1e200), 2).unwrap_err();
    assert!(message.contains("multiplied out over the steps, are not finite\nhelp: fit it again"), "{message}");
    import(&pca(1e2), 2).unwrap();
}

#[test]
fn attributes_of_another_shape_are_refused() {
    let unlike = |attribute: &str| format!("{attribute} is not what this class has\nhelp: ");
    let intercept = unlike("intercept_");
    let intercepts = [
        (json!({"intercept_": floats(json!([1.0, 2.0]))}), intercept.as_str()),
        (json!({"intercept_": floats(json!([]))}), intercept.as_str()),
        (json!({"intercept_": array(&[1, 1], json!([1.0]))}), intercept.as_str()),
        (json!({"intercept_": null}), intercept.as_str()),
        (json!({"coef_": array(&[1, 1, 2], json!([1.0, 2.0]))}), "coef_ is not what this class has"),
    ];
    assert_refused(&ridge(json!([1.0, 2.0])), OWN, &intercepts);
    assert_refused(&logistic(), OWN, &intercepts);
    let scale = json!({"mean_": floats(json!([1.0, 2.0])), "scale_": floats(json!([1.0, 2.0]))});
    let column = array(&[2, 1], json!([1.0, 2.0]));
    let (mean, scale_) = (unlike("mean_"), unlike("scale_"));
    let columns = [(json!({"mean_": column}), mean.as_str()), (json!({"scale_": column}), scale_.as_str())];
    assert_refused(&after(object("preprocessing.StandardScaler", scale)), STEP, &columns);
}

#[test]
fn the_number_of_features_is_that_of_the_input() {
    let more = json!({"n_features_in_": 3});
    let expected = "it was fitted to another number of columns: n_features_in_ is 3, and its input has 2\nhelp: ";
    let scale = json!({"mean_": floats(json!([1.0, 2.0])), "scale_": floats(json!([1.0, 2.0])), "n_features_in_": 2});
    let scaled = after(object("preprocessing.StandardScaler", scale));
    assert_refused(&scaled, STEP, &[(more.clone(), expected)]);
    assert_refused(&scaled, "/object/state/steps/1/1/object/state", &[(more.clone(), expected)]);
    let other = "n_features_in_ is not what this class has";
    assert_refused(
        &ridge(json!([1.0, 2.0])),
        OWN,
        &[(more, expected), (json!({"n_features_in_": "2"}), other), (json!({"n_features_in_": null}), other)],
    );
}

#[test]
fn the_groups_of_infrequent_categories_are_those_of_the_fit() {
    let ints = |data: Json| json!({"array": {"shape": [data.as_array().unwrap().len()], "kind": "int", "data": data}});
    let levels = json!({"array": {"shape": [3], "kind": "object", "data": ["a", "b", "c"]}});
    let state = json!({
        "categories_": [levels], "handle_unknown": "infrequent_if_exist", "_infrequent_enabled": true,
        "_infrequent_indices": [ints(json!([0, 2]))], "_default_to_infrequent_mappings": [ints(json!([1, 0, 1]))]
    });
    let encoder = object("preprocessing.OneHotEncoder", state);
    let first = json!([["first", encoder, [0]]]);
    let columns = object("compose.ColumnTransformer", json!({"transformers_": first}));
    let estimator = after(columns);
    let mapping = |value: Json| json!({"_default_to_infrequent_mappings": value});
    let expected = "_default_to_infrequent_mappings is not what this class has";
    assert_refused(
        &estimator,
        "/object/state/steps/0/1/object/state/transformers_/0/1/object/state",
        &[
            (mapping(json!([])), expected),
            (mapping(json!([null])), expected),
            (mapping(json!([ints(json!([0, 1, 1]))])), expected),
            (json!({"_infrequent_indices": [null]}), expected),
        ],
    );
}

#[test]
fn an_encoder_drops_the_categories_of_its_fit() {
    let levels = json!({"array": {"shape": [3], "kind": "object", "data": ["a", "b", "c"]}});
    let first = json!({"array": {"shape": [1], "kind": "object", "data": [0]}});
    let state = json!({
        "categories_": [levels], "handle_unknown": "error", "drop_idx_": first, "_drop_idx_after_grouping": first
    });
    let parts = json!([["first", object("preprocessing.OneHotEncoder", state), [0]]]);
    let estimator = after(object("compose.ColumnTransformer", json!({"transformers_": parts})));
    let expected = "_drop_idx_after_grouping is not what this class has";
    assert_refused(
        &estimator,
        "/object/state/steps/0/1/object/state/transformers_/0/1/object/state",
        &[(json!({"_drop_idx_after_grouping": null}), expected), (json!({"drop_idx_": null}), expected)],
    );
}

fn calibrated() -> Json {
    let Json::Object(inner) = &logistic()["object"]["state"] else { panic!() };
    let classes = inner["classes_"].clone();
    let sigmoid = object("calibration._SigmoidCalibration", json!({"a_": -1.0, "b_": 0.5}));
    let only = json!({"estimator": logistic(), "calibrators": [sigmoid], "classes": classes, "method": "sigmoid"});
    let only = object("calibration._CalibratedClassifier", only);
    object("calibration.CalibratedClassifierCV", json!({"calibrated_classifiers_": [only], "classes_": classes}))
}

#[test]
fn a_calibrated_classifier_has_a_sigmoid_and_the_same_classes_in_all_its_parts() {
    let only = "/object/state/calibrated_classifiers_/0/object/state";
    let text = |data: Json| json!({"array": {"shape": [2], "kind": "text", "data": data}});
    let other = "its parts have other classes than the whole, or another order\nhelp: fit it again";
    let reversed = text(json!(["yes", "no"]));
    let method = "it is not calibrated by a sigmoid\nhelp: fit it with method=\"sigmoid\"";
    let temperature = object("calibration._TemperatureScaling", json!({"beta_": 1.0}));
    assert_refused(
        &calibrated(),
        only,
        &[
            (json!({"classes": reversed}), other),
            (json!({"classes": null}), "it has no attribute classes"),
            (json!({"method": "isotonic"}), method),
            (json!({"method": "temperature", "calibrators": [temperature]}), method),
        ],
    );
    assert_refused(&calibrated(), &format!("{only}/estimator/object/state"), &[(json!({"classes_": reversed}), other)]);
    assert_refused(&calibrated(), OWN, &[(json!({"classes_": reversed}), other)]);
    let mut all = changed(&calibrated(), OWN, &json!({"classes_": reversed}));
    all = changed(&all, only, &json!({"classes": reversed}));
    all = changed(&all, &format!("{only}/estimator/object/state"), &json!({"classes_": reversed}));
    assert!(import(&all, 2).unwrap_err().contains(other));
}

#[test]
fn a_frozen_transformer_is_the_transformer() {
    let scale = json!({"mean_": floats(json!([1.0, 2.0])), "scale_": floats(json!([1.0, 2.0]))});
    let scaler = object("preprocessing.StandardScaler", scale);
    let frozen = object("frozen.FrozenEstimator", json!({"estimator": scaler}));
    let [one, other] = [frozen, scaler].map(|step| import(&after(step), 2).unwrap());
    assert_eq!(one.preprocess, other.preprocess);
    assert_eq!(one.estimator, other.estimator);
}

#[test]
fn a_model_of_no_feature_is_refused() {
    let polynomial = |degree: usize, count: usize| {
        let state = json!({"_min_degree": 0, "_max_degree": degree, "n_output_features_": count});
        let coefficients: Vec<f64> = (0..count).map(|_| 1.0).collect();
        let last = object("linear_model.Ridge", json!({"coef_": floats(json!(coefficients)), "intercept_": 1.0}));
        let polynomial = object("preprocessing.PolynomialFeatures", state);
        object("pipeline.Pipeline", json!({"steps": [["polynomial", polynomial], ["ridge", last]]}))
    };
    let message = import(&polynomial(0, 1), 2).unwrap_err();
    assert!(message.starts_with("Pipeline: its predictions depend on no feature\nhelp: "), "{message}");
    import(&polynomial(1, 3), 2).unwrap();
}

#[test]
fn a_range_that_is_far_smaller_than_its_values_is_noted() {
    let range = |shift: f64| {
        let state = json!({"min_": floats(json!([-0.5, shift])), "scale_": floats(json!([1.0, 166.0]))});
        import(&after(object("preprocessing.MinMaxScaler", state)), 2).unwrap().training.notes
    };
    assert_eq!(
        range(-8660.0),
        [
            "step \"step\" (MinMaxScaler): a column is 8660 times as large as its range, so that x · scale_ + min_ loses its \
         last digits: predictions can differ from scikit-learn's from the 12th digit on; StandardScaler keeps the digits"
        ]
    );
    assert!(range(-60.0).is_empty());
    let scale = json!({"mean_": floats(json!([0.5, 52.0])), "scale_": floats(json!([1.0, 0.001]))});
    assert!(import(&after(object("preprocessing.StandardScaler", scale)), 2).unwrap().training.notes.is_empty());
}
