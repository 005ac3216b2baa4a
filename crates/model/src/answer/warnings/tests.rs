use serde_json::{Value, json};

use super::*;
use crate::cell::Cell;
use crate::frame::{ColumnsBuilder, RowsBuilder};
use crate::test_models::{assembled, loaded};
use crate::{PredictError, Wanted};
use ordinate_test_support::{ModelDocument, column, feature};

/// Two numbers from 0 to 10 in 50 rows that are highly correlated: x − y is small in all of them. And a colour.
fn draft(inference: &Value) -> ModelDocument {
    let mut features = json!([feature("x", "double"), feature("y", "double"), feature("colour", "string")]);
    features[0]["missing"] = json!({"impute": -1.0});
    features[0]["range"] = json!([0.0, 10.0]);
    features[1]["range"] = json!([0.0, 10.0]);
    features[2]["missing"] = json!({"impute": "grey"});
    features[2]["levels"] = json!(["blue", "red"]);
    features[2]["unknown"] = json!("ignore");
    ModelDocument::regression("two", 4.0)
        .features(features)
        .column(column("x", json!({"feature": "x"}), 5.0, 1.0), 0.6)
        .column(column("y", json!({"feature": "y"}), 5.0, 1.0), 0.5)
        .set("/training/rows", 50)
        .set("/inference", inference.clone())
}

fn model(inference: &Value) -> Model {
    loaded(draft(inference), &json!([1.0, 1.0, "red"]))
}

/// The triangle of `RᵀR = [[500, 490], [490, 500]]`.
fn r() -> Value {
    let first = 500.0_f64.sqrt();
    json!({"r": [[first, 490.0 / first], [(500.0 - 490.0 * 490.0 / 500.0_f64).sqrt()]]})
}

fn frame<'m>(model: &'m Model, rows: &[(f64, f64, &str)]) -> Frame<'m> {
    let mut builder = RowsBuilder::new(model.signature(), rows.len());
    for (x, y, colour) in rows {
        builder.start_row().unwrap();
        builder.push(Cell::Double(*x));
        builder.push(Cell::Double(*y));
        builder.push(if colour.is_empty() { Cell::Missing } else { Cell::Text(colour) });
        builder.end_positional_row();
    }
    builder.finish().unwrap()
}

fn listed_warnings(model: &Model, rows: &[(f64, f64, &str)]) -> Value {
    serde_json::to_value(model.warnings(&frame(model, rows)).unwrap().listed).unwrap()
}

#[test]
fn a_value_outside_its_range_has_a_warning() {
    let rows = [(0.0, 10.0, "red"), (10.5, 5.0, "red"), (5.0, -1.0, "blue")];
    let message = "outside the training range";
    let expected = json!([
        {"row": 1, "code": "outside_range", "feature": "x", "value": 10.5, "range": [0.0, 10.0], "message": message},
        {"row": 2, "code": "outside_range", "feature": "y", "value": -1.0, "range": [0.0, 10.0], "message": message},
    ]);
    assert_eq!(listed_warnings(&model(&json!({})), &rows), expected);
}

#[test]
fn an_unknown_category_has_a_warning_with_its_text() {
    let model = model(&json!({}));
    let expected = json!([{
        "row": 1, "code": "unknown_category", "feature": "colour", "value": " violet ",
        "message": "a category that is not in the training data",
    }]);
    assert_eq!(listed_warnings(&model, &[(1.0, 1.0, "red"), (1.0, 1.0, " violet ")]), expected);

    let mut columns = ColumnsBuilder::new(model.signature(), 2);
    for (name, cells) in [("colour", ["blue", " violet "]), ("y", ["1", "1"]), ("x", ["1", "1"])] {
        let position = columns.start_column(name).unwrap();
        for cell in cells {
            columns.push(position, Cell::Field(cell)).unwrap();
        }
    }
    let by_columns = model.warnings(&columns.finish().unwrap()).unwrap().listed;
    assert_eq!(serde_json::to_value(by_columns).unwrap(), expected);
}

#[test]
fn an_imputed_value_has_a_warning_and_none_of_range_or_category() {
    // The imputed values are −1 for x and grey for the colour, which are not in the training data.
    let imputed = |row: usize, feature: &str, value: Value, message: &str| json!({"row": row, "code": "imputed", "feature": feature, "value": value, "message": message});
    let x = || imputed(0, "x", json!(-1.0), "missing, replaced by -1");
    let grey = || imputed(1, "colour", json!("grey"), "missing, replaced by grey");
    let rows = [(f64::NAN, 0.0, "red"), (1.0, 1.0, "")];
    assert_eq!(listed_warnings(&model(&r()), &rows), json!([x(), grey()]));
    // The same value in a request is outside the range, and an unusual combination stays one.
    let warnings = listed_warnings(&model(&r()), &[(-1.0, 0.0, "red"), (9.0, 1.0, "")]);
    let codes: Vec<_> = warnings.as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert_eq!(codes, ["outside_range", "imputed"]);

    let model = model(&json!({}));
    let mut columns = ColumnsBuilder::new(model.signature(), 2);
    for (name, cells) in [("colour", ["red", "NA"]), ("y", ["0", "1"]), ("x", ["", "1"])] {
        let position = columns.start_column(name).unwrap();
        for cell in cells {
            columns.push(position, Cell::Field(cell)).unwrap();
        }
    }
    let by_columns = model.warnings(&columns.finish().unwrap()).unwrap().listed;
    assert_eq!(serde_json::to_value(by_columns).unwrap(), json!([x(), grey()]));
}

#[test]
fn imputed_values_are_all_counted() {
    let model = model(&json!({}));
    let warnings = model.warnings(&frame(&model, &[(f64::NAN, 1.0, ""); 150])).unwrap();
    assert_eq!((warnings.listed.len(), warnings.counts.total()), (100, 300));
    let all = Wanted { warnings: WarningScope::All, ..Wanted::default() };
    assert_eq!(model.answer(&frame(&model, &[(f64::NAN, 1.0, ""); 150]), &all).unwrap().warnings.listed.len(), 300);
}

#[test]
fn grouped_categories_and_dates_have_warnings() {
    let mut features = json!([feature("x", "date"), feature("y", "double"), feature("colour", "string")]);
    features[0]["range"] = json!(["2024-01-01", "2024-12-31"]);
    features[0]["missing"] = json!({"impute": "2024-07-01"});
    features[2]["missing"] = json!({"category": "(missing)"});
    features[2]["levels"] = json!(["(missing)", "(other)", "red"]);
    features[2]["unknown"] = json!("other");
    let days = json!([{"feature": "x", "part": "days"}]);
    let draft = draft(&json!({})).features(features).set("/preprocess/columns/0/product", days);
    let model = loaded(draft, &json!(["2024-02-01", 1.0, "red"]));
    let mut rows = RowsBuilder::new(model.signature(), 3);
    for cells in [
        [Cell::Text("2023-12-31"), Cell::Double(1.0), Cell::Text("red")],
        [Cell::Text("2024-12-31"), Cell::Double(1.0), Cell::Text("mauve")],
        [Cell::Missing, Cell::Double(1.0), Cell::Missing],
    ] {
        rows.start_row().unwrap();
        for cell in cells {
            rows.push(cell);
        }
        rows.end_positional_row();
    }
    let listed = model.warnings(&rows.finish().unwrap()).unwrap().listed;
    let expected = json!([
        {"row": 0, "code": "outside_range", "feature": "x", "value": "2023-12-31",
         "range": ["2024-01-01", "2024-12-31"], "message": "outside the training range"},
        {"row": 1, "code": "unknown_category", "feature": "colour", "value": "mauve",
         "message": "a category that is not in the training data"},
        {"row": 2, "code": "imputed", "feature": "x", "value": "2024-07-01", "message": "missing, replaced by 2024-07-01"},
        {"row": 2, "code": "imputed", "feature": "colour", "value": "(missing)",
         "message": "missing, replaced by (missing)"},
    ]);
    assert_eq!(serde_json::to_value(listed).unwrap(), expected);
}

#[test]
fn an_unusual_combination_of_usual_values_has_a_warning() {
    // (9 − 5, 1 − 5)ᵀ (RᵀR)⁻¹ (4, −4) = 32 / 10, the mean leverage is 3 / 50.
    let warnings = listed_warnings(&model(&r()), &[(9.0, 9.0, "red"), (9.0, 1.0, "red")]);
    assert_eq!(warnings.as_array().unwrap().len(), 1, "{warnings}");
    let warning = &warnings[0];
    assert_eq!((&warning["row"], &warning["code"], warning.get("feature")), (&json!(1), &json!("leverage"), None));
    let close =
        |name: &str, expected: f64| assert!((warning[name].as_f64().unwrap() - expected).abs() < 1e-12, "{warning}");
    close("leverage", 0.02 + 3.2);
    close("limit", 0.18);
    // With the trace of the hat matrix (ridge) instead of the number of columns.
    let mut ridge = r();
    ridge["degrees_of_freedom"] = json!(48);
    ridge["residual_variance"] = json!(1.0);
    let limit = listed_warnings(&model(&ridge), &[(9.0, 1.0, "red")])[0]["limit"].as_f64().unwrap();
    assert!((limit - 3.0 * 2.0 / 50.0).abs() < 1e-12);
}

#[test]
fn a_row_with_another_warning_has_none_for_its_leverage() {
    let model = model(&r());
    let warnings = listed_warnings(&model, &[(90.0, 1.0, "red"), (9.0, 1.0, "violet")]);
    let codes: Vec<_> = warnings.as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert_eq!(codes, ["outside_range", "unknown_category"]);
}

#[test]
fn a_hundred_warnings_are_listed_and_all_are_counted() {
    let model = model(&r());
    let rows: Vec<_> = (0..150).flat_map(|_| [(-5.0, 11.0, "violet"), (9.0, 1.0, "red"), (5.0, 5.0, "red")]).collect();
    let warnings = model.warnings(&frame(&model, &rows)).unwrap();
    assert_eq!(
        (warnings.listed.len(), warnings.counts.total(), warnings.rows_with_leverage),
        (100, 150 * 4, Some(450))
    );
    // Three of row 0, one of row 1, none of row 2, three of row 3, …
    let of_rows: Vec<_> = warnings.listed.iter().take(8).map(|warning| warning.row).collect();
    assert_eq!(of_rows, [0, 0, 0, 1, 3, 3, 3, 4]);
}

#[test]
fn without_r_no_leverage_is_computed() {
    let model = model(&json!({}));
    let warnings = model.warnings(&frame(&model, &[(9.0, 1.0, "red")])).unwrap();
    assert_eq!(warnings, Warnings::default());
}

#[test]
fn a_frame_of_another_model_is_rejected() {
    let (model, other) = (model(&r()), model(&r()));
    assert_eq!(model.warnings(&frame(&other, &[(1.0, 1.0, "red")])), Err(PredictError::ForeignFrame.into()));
}

#[test]
fn leverages_of_a_large_frame_are_computed_within_a_budget() {
    const COLUMNS: usize = 600;
    let powers = (1..=25).flat_map(|x| (1..=24).map(move |y| (x, y)));
    let column = |(x, y): (u32, u32)| {
        let product = json!([{"feature": "x", "power": x}, {"feature": "y", "power": y}]);
        json!({"name": format!("{x} {y}"), "product": product, "mean": 0.0, "scale": 1.0})
    };
    let columns: Value = powers.clone().map(column).collect();
    let coefficients: Value = powers.map(|(x, y)| (format!("{x} {y}"), json!(0.0))).collect();
    let identity = |row: usize| (row..COLUMNS).map(|place| if place == row { 1.0 } else { 0.0 }).collect();
    let inference = json!({"r": (0..COLUMNS).map(identity).collect::<Vec<Vec<f64>>>()});
    let model = assembled(draft(&inference).columns(columns).set("/estimator/coefficients", coefficients).json());
    let warnings = model.warnings(&frame(&model, &vec![(1.0, 1.0, "red"); 200])).unwrap();
    // 186 · 600² is just below 2²⁶.
    assert_eq!(warnings.rows_with_leverage, Some(186));
    // Each has a leverage of 600 and a fiftieth, the limit is 3 · 601 / 50.
    assert_eq!((warnings.counts.total(), warnings.listed.len()), (186, 100));
}
