//! Fitted estimators of unusual kinds, or changed after the fit, in files of scikit-learn 1.9.1: each row has scikit-learn's
//! prediction to 1e-12, or both refuse it, or the estimator is refused with an advice that another file follows.
//! `unusual_files.py` of the Python package wrote them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod cases;

use std::fs;
use std::path::{Path, PathBuf};

use ordinate_import::file::{Fitted, read};
use ordinate_import::{Column, Facts, ImportError, sklearn};
use ordinate_model::Model;
use ordinate_model::answer::Wanted;
use ordinate_model::frame::RowsBuilder;
use ordinate_model::scalar::Scalar;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    columns: Vec<String>,
    rows: Vec<Vec<Scalar>>,
    /// A part of the message of an estimator that is refused.
    error: Option<String>,
    /// The prediction for each row; nothing where scikit-learn refuses it.
    #[serde(default)]
    predictions: Vec<Option<Scalar>>,
    #[serde(default)]
    probabilities: Vec<Option<Vec<f64>>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/unusual")
}

fn unusual() -> Vec<Case> {
    serde_json::from_slice(&fs::read(folder().join("cases.json")).unwrap()).unwrap()
}

fn case(name: &str) -> Case {
    unusual().into_iter().find(|case| case.name == name).unwrap()
}

impl Case {
    fn fitted(&self) -> Result<Fitted, String> {
        read(&fs::read(folder().join(&self.file)).unwrap()).map_err(|error| error.to_string())
    }

    /// The model of the file, without a sample of the table.
    fn import(&self) -> Result<Model, String> {
        let fitted = self.fitted()?;
        let facts = cases::cases(cases::paths("states").last().unwrap()).remove(0).facts;
        let columns = self.columns.iter().map(|name| Column::new(name)).collect();
        let drafted = sklearn::draft(&fitted.estimator, &Facts { columns, ..facts });
        let sealed = drafted.and_then(ordinate_import::Draft::seal_without_data);
        let document = sealed.map_err(|error: ImportError| error.to_string())?;
        Ok(Model::from_json(document.to_json().unwrap().as_bytes()).unwrap())
    }

    /// The prediction for a row and the probabilities of the classes; `None` if the model refuses the row.
    fn predict(&self, model: &Model, row: &[Scalar]) -> Option<(Scalar, Option<Vec<f64>>)> {
        let mut builder = RowsBuilder::new(model.signature(), 1);
        builder.start_row().unwrap();
        for feature in model.signature().features() {
            let position = self.columns.iter().position(|column| *column == feature.name).unwrap();
            builder.push(row[position].cell());
        }
        builder.end_positional_row();
        let answer = model.answer(&builder.finish().ok()?, &Wanted::default()).ok()?;
        let probabilities = answer.probabilities.as_ref().map(|all| all.rows().next().unwrap().to_vec());
        Some((answer.prediction.scalars().next().unwrap(), probabilities))
    }
}

fn number(scalar: &Scalar) -> Option<f64> {
    match scalar {
        Scalar::Number(value) => Some(*value),
        #[allow(clippy::cast_precision_loss)]
        Scalar::Integer(value) => Some(*value as f64),
        _ => None,
    }
}

fn is_near(got: f64, expected: f64) -> bool {
    (got - expected).abs() <= 1e-12 * expected.abs().max(1.0)
}

#[test]
fn each_row_is_predicted_as_by_scikit_learn_or_refused_by_both() {
    let mut checked = 0;
    for case in unusual().into_iter().filter(|case| case.error.is_none()) {
        let model = case.import().unwrap_or_else(|error| panic!("{} ({}): {error}", case.name, case.file));
        assert_eq!(case.predictions.len(), case.rows.len(), "{}", case.name);
        for (position, (row, expected)) in case.rows.iter().zip(&case.predictions).enumerate() {
            let place = format!("{} ({}): {row:?}", case.name, case.file);
            let got = case.predict(&model, row);
            let (Some((got, probabilities)), Some(expected)) = (&got, expected) else {
                assert!(got.is_none() && expected.is_none(), "{place}: expected {expected:?}, got {got:?}");
                continue;
            };
            let is_same = match (number(got), number(expected)) {
                (Some(got), Some(expected)) => is_near(got, expected),
                _ => got == expected,
            };
            assert!(is_same, "{place}: expected {expected:?}, got {got:?}");
            if let (Some(got), Some(Some(expected))) = (probabilities, case.probabilities.get(position)) {
                let are_near = got.iter().zip(expected).all(|(got, expected)| is_near(*got, *expected));
                assert!(got.len() == expected.len() && are_near, "{place}: expected {expected:?}, got {got:?}");
            }
            checked += 1;
        }
    }
    assert!(checked >= 200, "{checked}");
}

#[test]
fn refused_estimators_are_named_with_an_advice() {
    for case in unusual() {
        let Some(expected) = &case.error else { continue };
        let message = case.import().map(drop).expect_err(&case.name);
        let place = format!("{} ({}): {message}", case.name, case.file);
        assert!(message.contains(expected.as_str()) && message.contains("\nhelp: "), "{place}");
    }
}

#[test]
fn objects_that_are_not_used_are_named_and_not_read() {
    for (name, expected) in [
        ("memory of a pipeline", "joblib.memory.Memory"),
        ("own scorer", "unusual_files.worst_error"),
        ("own callable as scoring", "unusual_files.score_of_nothing"),
        ("own scorer of a search", "unusual_files.worst_error"),
        ("search over distributions", "scipy.stats._distn_infrastructure.rv_continuous_frozen"),
    ] {
        let unused = case(name).fitted().unwrap().unused;
        assert!(unused.iter().any(|unused| unused == expected), "{name}: {unused:?}");
    }
    assert!(
        case("own function that is used").fitted().unwrap_err().contains("unusual_files.worst_error is not part of")
    );
    assert_eq!(case("fitted again").fitted().unwrap().unused, [""; 0]);
}

#[test]
fn names_and_width_are_those_of_the_first_step_that_does_not_pass_columns_through() {
    let fitted = case("pipeline of passthrough steps").fitted().unwrap();
    assert_eq!((fitted.names, fitted.width), (Some(vec!["a".to_owned(), "b".to_owned()]), Some(2)));
    let fitted = case("pipeline of one passthrough step, array").fitted().unwrap();
    assert_eq!((fitted.names, fitted.width), (None, Some(2)));
}
