//! Poisson and gamma regression of tables whose means reach the ends of the doubles.

use super::inference::{Options, e, table, trained, u};
use ordinate_model::artifact::Document;
use ordinate_model::frame::Frame;
use ordinate_model::{Model, Wanted};
use ordinate_train::Trained;
use ordinate_train::plan::EstimatorKind;

fn fitted(data: &str, estimator: EstimatorKind, held_out: f64, seed: u64) -> Trained {
    trained(data, &Options { estimator: Some(estimator), held_out, seed, ..Options::default() }).unwrap()
}

fn model(document: &Document) -> Model {
    Model::from_json(document.to_json().unwrap().as_bytes()).unwrap()
}

/// A code for a missing temperature, with a count of 0: its mean is below the smallest double.
fn counts_by_temperature() -> String {
    table("temp,y", 101, |i| match i {
        100 => "-9999,0".to_owned(),
        _ => format!("{},{}", 15 + i % 10, i % 10 / 3 + i * 7 % 3),
    })
}

#[test]
fn a_mean_below_the_smallest_double_is_zero() {
    for held_out in [0.0, 0.25] {
        let trained = fitted(&counts_by_temperature(), EstimatorKind::Poisson, held_out, 0);
        assert!(trained.train.unwrap().values["d2"] > 0.1);
        let model = model(&trained.document);
        let frame = Frame::from_accepted(model.signature(), vec![-9999.0, 20.0]);
        let answer = model.answer(&frame, &Wanted::default()).unwrap();
        let values: Vec<f64> = answer.prediction.scalars().map(|value| value.to_string().parse().unwrap()).collect();
        assert!(values[0] == 0.0 && values[1] > 0.5, "{values:?}");
    }
}

/// One row alone has a count above 0 and is in the middle of the others.
#[test]
fn rows_of_nearly_zero_mean_do_not_widen_the_intervals_of_others() {
    for seed in 0..6 {
        let data = table("b,y", 60, |i| {
            let b = if i % 2 == 0 { 0.0 } else { u(i) };
            // The counts where `b` is above 0 are 0 but for one.
            let count = if i % 2 == 0 { (4.0 * e(i)).floor() } else { f64::from(u8::from(i == 31)) * 4.0 };
            format!("{b},{count}")
        });
        let trained = fitted(&data, EstimatorKind::Poisson, 0.4, seed);
        let inference = trained.document.inference.as_ref().unwrap();
        let scores = &inference.conformal.as_ref().unwrap().scores;
        assert!(scores.iter().all(|score| *score < 1e4), "{seed}: {scores:?}");
        let is_noted = trained.notes.iter().any(|note| note.contains("mean of nearly 0 by the fit to the other rows"));
        let is_separated =
            trained.notes.iter().any(|note| note.starts_with("without the held-out rows, the target is 0"));
        assert_eq!(is_noted, is_separated, "{seed}: {:#?}", trained.notes);
    }
}

/// If its only count above 0 is held out, the fit predicts 0.
#[test]
fn one_count_above_zero_is_enough() {
    let mut without_counts = 0;
    for seed in 0..6 {
        let data = table("x,y", 60, |i| format!("{},{}", f64::from(i * 37 % 60) / 10.0, if i == 1 { 3 } else { 0 }));
        let trained = fitted(&data, EstimatorKind::Poisson, 0.4, seed);
        let conformal = trained.document.inference.as_ref().and_then(|inference| inference.conformal.as_ref());
        let is_without = trained.notes.iter().any(|note| note.contains("the target is 0 in all rows"));
        assert!(trained.notes.iter().all(|note| !note.contains("converge")), "{:#?}", trained.notes);
        assert_eq!(conformal.is_none(), is_without);
        assert!(conformal.is_none_or(|conformal| conformal.scores.iter().all(|score| *score < 100.0)));
        without_counts += u32::from(is_without);
    }
    assert!(without_counts > 0 && without_counts < 6, "{without_counts}");
}
