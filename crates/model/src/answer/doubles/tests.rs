use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::cell::Cell;
use crate::frame::ColumnsBuilder;
use crate::test_models::assembled;
use crate::{Prediction, Wanted};
use ordinate_test_support::{ModelDocument, column, feature};

/// A column of a design: a feature, a mean, a scale and a coefficient.
type Summand = (usize, f64, f64, f64);

/// A regression of features x0, x1, … of this type.
fn regression(family: &str, width: usize, kind: &str, columns: &[Summand]) -> ModelDocument {
    let estimator = json!({"family": family, "intercept": 0.25, "coefficients": {}});
    let features = (0..width).map(|at| feature(&format!("x{at}"), kind)).collect();
    let draft = ModelDocument::new("plain", estimator).features(Value::Array(features));
    columns.iter().enumerate().fold(draft, |draft, (place, (at, mean, scale, coefficient))| {
        let factor = json!({"feature": format!("x{at}")});
        draft.column(column(&format!("column {place}"), factor, *mean, *scale), *coefficient)
    })
}

/// The bits of the predictions for columns by way of a frame; `None` for a fault or an error.
fn ordinary(model: &Model, columns: &[Vec<f64>]) -> Option<Vec<u64>> {
    let mut builder = ColumnsBuilder::new(model.signature(), usize::MAX);
    for (at, values) in columns.iter().enumerate() {
        let position = builder.start_column(&format!("x{at}")).unwrap();
        for value in values {
            builder.push(position, Cell::Double(*value)).unwrap();
        }
    }
    let frame = builder.finish().ok()?;
    match model.answer(&frame, &Wanted::default()).ok()?.prediction {
        Prediction::Values(values) => Some(values.iter().map(|value| value.to_bits()).collect()),
        Prediction::Classes { .. } => unreachable!(),
    }
}

/// The bits of the predictions by columns and by rows, which must agree.
fn direct(model: &Model, columns: &[Vec<f64>]) -> Option<Vec<u64>> {
    let bits = |values: Vec<f64>| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let rows: Vec<f64> = (0..columns[0].len()).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
    let of_columns = model.predict_doubles(Doubles::Columns(&slices)).map(bits);
    let of_rows = model.predict_doubles(Doubles::Rows(&rows)).map(bits);
    assert_eq!(of_columns, of_rows);
    of_columns
}

/// Checks that both ways have the same bits. Where a sum exceeds a double, the direct way may leave the rows to the
/// ordinary one, which has an answer if e to the power of minus infinity is 0.
fn check(model: &Model, table: &[Vec<f64>]) -> Result<(), TestCaseError> {
    let direct = direct(model, table);
    if direct.is_some() || table.iter().flatten().all(|value| value.abs() < 1e12) {
        prop_assert_eq!(direct, ordinary(model, table));
    }
    Ok(())
}

/// Numbers of all magnitudes, zeros of both signs, and a few that are missing.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        40 => -1e3..1e3_f64,
        10 => proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL,
        2 => prop_oneof![Just(0.0), Just(-0.0), Just(1.7e12), Just(f64::MAX), Just(f64::MIN)],
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
    ]
}

/// A width, columns of the design in any order, with some features left out or repeated, and as many table columns.
fn case() -> impl Strategy<Value = (usize, Vec<Summand>, Vec<Vec<f64>>)> {
    (1..7_usize, 1..11_usize).prop_flat_map(|(width, rows)| {
        let mean = prop_oneof![Just(0.0), -1e3..1e3_f64];
        let scale = prop_oneof![Just(1.0), 1e-3..1e3_f64];
        let coefficient = prop_oneof![Just(0.0), Just(-0.0), -10.0..10.0_f64];
        let in_order = vec((mean.clone(), scale.clone(), coefficient.clone()), width);
        let in_order =
            in_order.prop_map(|of| of.into_iter().enumerate().map(|(at, (m, s, c))| (at, m, s, c)).collect());
        let any = vec((0..width, mean, scale, coefficient), 1..8);
        (Just(width), prop_oneof![in_order, any], vec(vec(value(), rows), width))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn predictions_have_the_bits_of_those_by_a_frame((width, design, table) in case(), log in any::<bool>()) {
        let transform = if log { "log" } else { "identity" };
        let draft = regression("ridge", width, "double", &design).set("/preprocess/target_transform", transform);
        let model = assembled(draft.json());
        prop_assert!(model.linear_score.is_some());
        check(&model, &table)?;
    }

    #[test]
    fn all_families_have_the_bits_of_those_by_a_frame((width, design, table) in case()) {
        for family in ["linear", "lasso", "elastic-net", "poisson", "gamma"] {
            let model = assembled(regression(family, width, "double", &design).json());
            check(&model, &table)?;
        }
    }
}

#[test]
fn more_rows_than_a_block_are_predicted() {
    let model = assembled(regression("ridge", 2, "double", &[(0, 1.5, 2.0, 3.0), (1, -1.0, 0.5, 0.7)]).json());
    let column = |scale: f64| (0..3_101_u32).map(|row| scale * f64::from(row).sin()).collect::<Vec<_>>();
    let table = [column(3.0), column(-8.0)];
    assert!(table[0].len() > 3 * BLOCK_ROWS && table[0].len() % 4 == 1);
    let direct = direct(&model, &table);
    assert!(direct.is_some() && direct == ordinary(&model, &table));
}

#[test]
fn missing_values_are_left_to_the_ordinary_way() {
    let draft = regression("poisson", 2, "double", &[(0, 0.0, 1.0, 1.0)]);
    let model = assembled(draft.set("/signature/features/1/missing", json!({"impute": 2.0})).json());
    for missing in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        // e to the power of minus infinity is finite; the second feature has no column.
        assert_eq!(direct(&model, &[vec![1.0, missing], vec![1.0, 1.0]]), None);
        assert_eq!(direct(&model, &[vec![1.0, 2.0], vec![1.0, missing]]), None);
    }
}

#[test]
fn other_models_and_shapes_are_left_to_the_ordinary_way() {
    let columns = [(0, 0.0, 1.0, 1.0), (1, 0.0, 1.0, 1.0)];
    let plain = || regression("linear", 2, "double", &columns);
    let long = regression("linear", 2, "long", &columns);
    let of_square = plain().set("/preprocess/columns/0/product/0/power", 2);
    let positive = plain().set("/signature/features/0/positive", true);
    let with_offset =
        regression("poisson", 3, "double", &columns).set("/preprocess/offset", json!({"feature": "x2", "mean": 0.0}));
    for draft in [long, of_square, positive, with_offset] {
        assert!(assembled(draft.json()).linear_score.is_none());
    }
    let model = assembled(plain().json());
    assert_eq!(model.predict_doubles(Doubles::Rows(&[1.0, 2.0, 3.0])), None);
    assert_eq!(model.predict_doubles(Doubles::Rows(&[])), None);
    assert_eq!(model.predict_doubles(Doubles::Columns(&[])), None);
    assert_eq!(model.predict_doubles(Doubles::Columns(&[&[1.0], &[1.0, 2.0]])), None);
    assert_eq!(model.predict_doubles(Doubles::Columns(&[&[], &[]])), None);
}
