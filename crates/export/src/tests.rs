use super::*;
use ordinate_test_support::{ModelDocument, column, feature};
use rstest::rstest;
use serde_json::{Value, json};

fn loaded(document: ModelDocument, golden: Value) -> Model {
    Model::from_json(document.file(golden)).unwrap()
}

/// A model with features of all types: imputed, an own category of missing values, rejected.
fn people() -> Model {
    let document = ModelDocument::regression("people", 12.5)
        .features(json!([
            {"name": "age", "type": "long", "missing": "reject", "range": [18.0, 80.0]},
            {"name": "income", "type": "double", "missing": {"impute": 50.0}, "missing_indicator": true},
            {"name": "smoker", "type": "boolean", "missing": "reject"},
            {"name": "city", "type": "string", "missing": {"category": "(missing)"}, "unknown": "other",
             "levels": ["(missing)", "(other)", "Bern", "Val d'Or"]},
            {"name": "since", "type": "date", "missing": {"impute": "2020-02-29"}, "range": ["2013-10-22", "2022-01-08"]},
        ]))
        .column(column("age", json!({"feature": "age"}), 40.0, 1.0), 0.5)
        .column(column("age^2", json!({"feature": "age", "power": 2}), 1700.0, 25.0), -0.125)
        .column(column("income missing", json!({"feature": "income", "missing": true}), 0.25, 1.0), 2.0)
        .column(column("smoker", json!({"feature": "smoker"}), 0.5, 0.5), 10.0)
        .column(column("city=Bern", json!({"feature": "city", "level": "Bern"}), 0.25, 1.0), 100.0)
        .column(column("city=(other)", json!({"feature": "city", "level": "(other)"}), 0.125, 1.0), -8.0)
        .column(
            json!({"name": "income:city=Bern", "mean": 20.0, "scale": 2.0,
                   "product": [{"feature": "income"}, {"feature": "city", "level": "Bern"}]}),
            0.5,
        )
        .column(column("since.month", json!({"feature": "since", "part": "month"}), 6.5, 1.0), 0.25)
        .column(column("since.days", json!({"feature": "since", "part": "days"}), 1500.0, 1.0), 0.0625);
    loaded(document, json!([[41, null, true, "Bern", null]]))
}

fn classifier(classes: &[&str], scores: usize) -> ModelDocument {
    ModelDocument::classification("kind", classes, &vec![0.5; scores])
        .features(json!([feature("x", "double")]))
        .column(column("x", json!({"feature": "x"}), 2.0, 4.0), vec![1.0; scores])
}

#[rstest]
fn a_model_in_all_dialects(#[values(0, 1, 2, 3, 4, 5, 6, 7)] place: usize) {
    let dialect = Dialect::ALL[place];
    insta::assert_snapshot!(dialect.name(), sql(&people(), dialect, Some("people")).unwrap());
}

#[test]
fn a_classifier_has_probabilities_and_labels() {
    let document = classifier(&["no", "yes"], 1).set("/inference", json!({"temperature": 1.5, "threshold": 0.25}));
    insta::assert_snapshot!("two_classes", sql(&loaded(document, json!([[1.0]])), Dialect::DuckDb, None).unwrap());
    let document = ModelDocument::classification("kind", &["a", "b", "c"], &[0.5, 0.25, -0.75])
        .features(json!([feature("x", "double")]))
        .column(column("x", json!({"feature": "x"}), 2.0, 4.0), json!([1.0, 2.0, -3.0]));
    insta::assert_snapshot!("three_classes", sql(&loaded(document, json!([[1.0]])), Dialect::DuckDb, None).unwrap());
}

#[test]
fn a_mean_that_is_too_small_is_zero_and_a_logged_target_has_none() {
    let estimator = |family: &str| json!({"family": family, "intercept": 1.0, "coefficients": {}});
    let with_feature = |document: ModelDocument| {
        let document = document.features(json!([feature("x", "double")]));
        loaded(document.column(column("x", json!({"feature": "x"}), 2.0, 1.0), 3.0), json!([[1.0]]))
    };
    let counts = sql(&with_feature(ModelDocument::new("counts", estimator("poisson"))), Dialect::DuckDb, None).unwrap();
    assert!(counts.contains("THEN 0E0 WHEN"), "{counts}");
    let logged = ModelDocument::new("logged", estimator("linear")).set("/preprocess/target_transform", "log");
    let logged = sql(&with_feature(logged), Dialect::DuckDb, None).unwrap();
    assert!(logged.contains("THEN NULL WHEN"), "{logged}");
}

fn line(name: &str) -> ModelDocument {
    ModelDocument::regression("line", 6.0)
        .features(json!([feature(name, "double")]))
        .column(column("x", json!({"feature": name}), 2.5, 1.0), 2.0)
}

fn error(document: ModelDocument, dialect: Dialect, table: Option<&str>) -> String {
    let golden = Model::from_json(document.file(json!([[1.0]]))).unwrap();
    sql(&golden, dialect, table).unwrap_err().to_string()
}

#[test]
fn names_that_a_dialect_cannot_write_are_errors() {
    assert_eq!(
        error(line("a.b"), Dialect::BigQuery, None),
        "feature \"a.b\": expected a text that bigquery can write, but it has '.'\n\
         help: rename the column in the training data, or choose another dialect"
    );
    assert_eq!(
        error(line("a\0b"), Dialect::Postgres, None),
        "feature \"a\\0b\": expected a text that postgres can write, but it has '\\0'\n\
         help: rename the column in the training data, or choose another dialect"
    );
    assert_eq!(
        error(classifier(&["a/b", "c"], 1), Dialect::BigQuery, None),
        "output column \"probability_a/b\": expected a text that bigquery can write, but it has '/'\n\
         help: rename the class in the training data, or choose another dialect"
    );
    assert!(sql(&loaded(line("a.b"), json!([[1.0]])), Dialect::Postgres, None).is_ok());
}

#[test]
fn names_that_a_dialect_does_not_distinguish_are_errors() {
    let document = || {
        ModelDocument::regression("line", 6.0)
            .features(json!([feature("x", "double"), feature("X", "double")]))
            .column(column("x", json!({"feature": "x"}), 2.5, 1.0), 2.0)
    };
    let model = || loaded(document(), json!([[1.0, 2.0]]));
    let reason = sql(&model(), Dialect::DuckDb, None).unwrap_err().to_string();
    assert!(
        reason.starts_with("columns \"x\" and \"X\": duckdb does not distinguish upper and lower case"),
        "{reason}"
    );
    assert!(sql(&model(), Dialect::Postgres, None).is_ok());
    assert!(
        error(line("Prediction"), Dialect::DuckDb, Some("rows")).starts_with("feature \"Prediction\": the statement")
    );
    assert!(sql(&loaded(line("Prediction"), json!([[1.0]])), Dialect::DuckDb, None).is_ok());
    assert_eq!(error(line("x"), Dialect::DuckDb, Some(" ")), "expected a table as in a FROM clause, got \" \"");
}

#[test]
fn a_model_of_too_many_classes_is_an_error() {
    let names: Vec<String> = (0..400).map(|class| format!("c{class}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let reason = error(classifier(&names, 400), Dialect::DuckDb, None);
    assert_eq!(
        reason,
        "the SQL would have 319200 terms, more than the limit of 262144\n\
         help: predict the rows of a file instead, with ordinate predict"
    );
}

/// As in SQLite and DuckDB, which distinguish upper and lower case beyond ASCII.
#[test]
fn names_that_differ_only_in_case_are_accepted_where_the_dialect_distinguishes_them() {
    let document = ModelDocument::regression("line", 6.0)
        .features(json!([feature("ä", "double"), feature("Ä", "double")]))
        .column(column("ä", json!({"feature": "ä"}), 2.5, 1.0), 2.0);
    let model = loaded(document, json!([[1.0, 2.0]]));
    for dialect in Dialect::ALL {
        let is_written = matches!(dialect, Dialect::DuckDb | Dialect::Sqlite | Dialect::Postgres | Dialect::Snowflake);
        assert_eq!(sql(&model, dialect, None).is_ok(), is_written, "{dialect}");
    }
}

#[rstest]
#[case(Dialect::DuckDb, "\"probability_A\" \"probability_A_2\" probability_a_3")]
#[case(Dialect::Postgres, "\"probability_A\" \"probability_A_2\" probability_a")]
fn classes_that_differ_in_case_have_columns_of_their_own(#[case] dialect: Dialect, #[case] expected: &str) {
    let document = classifier(&["A", "A_2", "a"], 3);
    let text = sql(&loaded(document, json!([[1.0]])), dialect, None).unwrap();
    let names: Vec<&str> = text
        .split(" AS ")
        .filter_map(|part| part.split([',', '\n']).next())
        .filter(|name| name.contains("probability_"))
        .collect();
    assert_eq!(names.join(" "), expected);
}

/// The list of all levels is in the condition of no product, unless the level stands for other texts.
#[test]
fn a_product_of_categories_compares_two_levels() {
    let levels: Vec<String> = (0..40).map(|level| format!("l{level:02}")).collect();
    let category = |name: &str| json!({"name": name, "type": "string", "missing": {"impute": "l07"}, "levels": levels});
    let mut document = ModelDocument::regression("pairs", 0.0).features(json!([category("a"), category("b")]));
    for (place, level) in levels.iter().enumerate() {
        let product = json!([{"feature": "a", "level": level}, {"feature": "b", "level": levels[39 - place]}]);
        document = document.column(json!({"name": level, "mean": 0.5, "scale": 1.0, "product": product}), 2.0);
    }
    let text = sql(&loaded(document, json!([["l00", "l01"]])), Dialect::DuckDb, None).unwrap();
    // In the two guards, and in the products of the imputed level of each.
    assert_eq!(text.matches(" IN ('l00'").count(), 4, "{text}");
}

/// A feature without a coefficient is still checked, as in answers.
#[test]
fn a_row_is_rejected_for_a_feature_without_a_coefficient() {
    let document = ModelDocument::regression("line", 6.0)
        .features(json!([
            feature("x", "double"),
            {"name": "colour", "type": "string", "missing": "reject", "levels": ["blue", "red"]},
        ]))
        .column(column("x", json!({"feature": "x"}), 2.5, 1.0), 2.0);
    let text = sql(&loaded(document, json!([[1.0, "red"]])), Dialect::DuckDb, None).unwrap();
    assert!(text.contains("AND \"colour\" IN ('blue', 'red')"), "{text}");
}

#[test]
fn a_long_sum_has_several_levels() {
    let features: Vec<Value> = (0..200).map(|place| feature(&format!("x{place}"), "double")).collect();
    let mut document = ModelDocument::regression("wide", 0.0).features(json!(features));
    for place in 0..200 {
        let name = format!("x{place}");
        document = document.column(column(&name, json!({"feature": name}), 0.5, 1.0), 2.0);
    }
    let text = sql(&loaded(document, json!([vec![1.0; 200]])), Dialect::Sqlite, None).unwrap();
    // Of the sum, and of the conditions.
    assert_eq!(text.matches("((CAST(`x64` AS REAL)").count() + text.matches("(typeof(`x64`)").count(), 2, "{text}");
}
