//! The service prepares rows as training does.

use std::fs;
use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::Catalog;
use ordinate::source::file::FileSource;
use ordinate_table::{Origin, Selection, Source};
use ordinate_train::preparation::Preparation;
use ordinate_train::surveyed_table::SurveyedTable;
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{assert_close, model, staff};
use crate::support::{complained, folder_with_data, run};

/// The application answers JSON and CSV with the product of the coefficients and the design that training makes of a row.
#[rstest]
#[case::linear("", false)]
#[case::every_level("--estimator ridge --alpha 1", true)]
#[tokio::test]
async fn serving_encodes_rows_as_training_does(#[case] estimator: &str, #[case] every_level: bool) {
    let folder = folder_with_data(staff());
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
    let limits = Limits { max_rows: 100, max_body_bytes: 1 << 20, ..Limits::DEFAULT };
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
    let folder = folder_with_data(data);
    let feature = |arguments: &str| {
        model(folder.path(), &format!("--target y --test-fraction 0 --estimator ridge --alpha 1 {arguments}"))["signature"]["features"][0].clone()
    };
    assert_eq!(feature("--unknown ignore")["unknown"], "ignore");
    assert_eq!(feature("").get("unknown"), None);
}

/// The logarithm of the prediction is −800 or 800; doubles with all their digits reach from e^−708 to e^709.
#[rstest]
#[case(-800, "prediction_underflow")]
#[case(800, "prediction_overflow")]
#[tokio::test]
async fn a_logged_prediction_outside_the_doubles_is_refused_not_zero_or_infinite(#[case] x: i32, #[case] code: &str) {
    let rows: Vec<String> = (0..10).map(|i| format!("{i},{}\n", f64::from(i).exp())).collect();
    let folder = folder_with_data(format!("x,y\n{}", rows.concat()));
    model(folder.path(), "--target y --target-transform log --test-fraction 0");
    let catalog = Catalog::single(Box::new(FileSource::new(folder.path().join("m.json"))), None, None);
    let application =
        router(Arc::new(catalog), Settings::new(Limits { max_rows: 100, max_body_bytes: 1 << 20, ..Limits::DEFAULT }));
    let request = Request::post("/predict").body(Body::from(json!({"X": [1, x]}).to_string())).unwrap();
    let (parts, body) = application.oneshot(request).await.unwrap().into_parts();
    let answer: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!((parts.status.as_u16(), &answer["code"]), (422, &json!(code)));
    assert!(answer["detail"].as_str().unwrap().starts_with("row 1:"), "{answer}");
    fs::write(folder.path().join("data.csv"), format!("x\n1\n{x}\n")).unwrap();
    assert!(complained(&run(folder.path(), "predict m.json data.csv")).contains("line 3: the prediction is too "));
}
