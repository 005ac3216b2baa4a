//! Poisson and gamma regression of tables whose means reach the ends of the doubles.

use super::inference::{Options, e, table, trained, u, v};
use ordinate_model::answer::WarningScope;
use ordinate_model::artifact::Document;
use ordinate_model::frame::Frame;
use ordinate_model::{Model, Wanted};
use ordinate_train::Trained;
use ordinate_train::plan::{EstimatorKind, PenaltyStrength};
use ordinate_train::summary::{FitStatistics, Summary};

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

/// Counts by two categories, whose given cells have none.
fn counts_by_group(is_empty: impl Fn(u32, u32) -> bool) -> String {
    table("g,h,y", 240, |i| {
        let (g, h) = (i % 3, i / 3 % 2);
        let count = if is_empty(g, h) { 0.0 } else { (4.0 * e(i)).floor() };
        format!("g{g},h{h},{count}")
    })
}

fn without_errors(summary: &Summary) -> Vec<&str> {
    let terms = summary.all_terms().filter(|term| term.standard_error.is_none());
    terms.map(|term| term.name.as_str()).collect()
}

/// Without the cells, no row says anything about these coefficients.
#[test]
fn coefficients_that_only_rows_without_counts_determine_have_no_standard_errors() {
    let options = Options { estimator: Some(EstimatorKind::Poisson), ..Options::default() };
    let of = |data: &str, interactions: bool| {
        let options = Options { interactions, ..options };
        let trained = trained(data, &options).unwrap();
        let summary = trained.summary.unwrap();
        let names: Vec<String> = without_errors(&summary).into_iter().map(str::to_owned).collect();
        let note = trained.notes.iter().find(|note| note.starts_with("the target is 0 in all rows that")).unwrap();
        for name in &names {
            let name = if name == "(intercept)" { "the intercept" } else { name };
            assert!(note.contains(name), "{name}: {note}");
        }
        assert!(summary.all_terms().filter_map(|term| term.standard_error).all(|error| error < 10.0), "{summary}");
        names
    };
    assert_eq!(of(&counts_by_group(|g, _| g == 2), false), ["g=g2"]);
    // The reference level is empty.
    assert_eq!(of(&counts_by_group(|g, _| g == 0), false), ["(intercept)", "g=g1", "g=g2"]);
    let advice = "the reference level of \"g\" has no count above 0: choose another with --reference g=LEVEL";
    let notes = |empty: u32| trained(&counts_by_group(|g, _| g == empty), &options).unwrap().notes;
    assert!(notes(0).iter().any(|note| note.contains(advice)), "{:#?}", notes(0));
    assert!(notes(2).iter().all(|note| !note.contains("reference level")), "{:#?}", notes(2));
    // Two empty cells of the reference level's row and of another, with interactions.
    let names = of(&counts_by_group(|g, h| g == 1 && h == 1), true);
    assert_eq!(names, ["g=g1:h=h1"]);
    let names = of(&counts_by_group(|g, h| g == 0 || (g == 1 && h == 1)), true);
    assert_eq!(names, ["(intercept)", "g=g1", "g=g2", "h=h1", "g=g1:h=h1", "g=g2:h=h1"]);
}

#[test]
fn rows_of_a_group_without_counts_have_predictions_but_no_intervals_of_the_mean() {
    let trained = fitted(&counts_by_group(|g, _| g == 2), EstimatorKind::Poisson, 0.3, 0);
    let model = model(&trained.document);
    let frame =
        Frame::from_accepted(model.signature(), (0..6).flat_map(|i| [f64::from(i % 3), f64::from(i / 3)]).collect());
    let wanted =
        Wanted { interval: Some(0.8), mean_interval: Some(0.8), warnings: WarningScope::First, ..Wanted::default() };
    let answer = model.answer(&frame, &wanted).unwrap();
    let has_mean: Vec<bool> = answer.mean_intervals.unwrap().iter().map(Option::is_some).collect();
    assert_eq!(has_mean, [true, true, false, true, true, false]);
    assert_eq!((answer.warnings.counts.leverage, answer.warnings.counts.no_mean_interval), (0, 2));
    assert!(answer.intervals.unwrap().as_flattened().iter().all(|end| *end < 20.0));
}

/// 80 decades: the weights of one step from the mean of all rows would hide all rows but the largest.
#[test]
fn a_gamma_fit_of_amounts_over_many_decades_converges() {
    let data = table("a,b,y", 150, |i| {
        let predictor = 2.0 + 120.0 * (u(i) - 0.5) + 60.0 * (v(i) - 0.5);
        format!("{},{},{:e}", u(i), v(i), predictor.exp() * (0.2 + 1.6 * e(i)))
    });
    let trained = fitted(&data, EstimatorKind::Gamma, 0.0, 0);
    assert!(trained.notes.iter().all(|note| !note.contains("converge")), "{:#?}", trained.notes);
    let estimates: Vec<f64> = trained.summary.unwrap().terms.iter().map(|term| term.estimate).collect();
    assert!((estimates[0] - 120.0).abs() < 2.0 && (estimates[1] - 60.0).abs() < 2.0, "{estimates:?}");
}

/// The maximum of the likelihood by mpmath, with 50 digits. Sums of `y η − μ − ln y!`, of terms near 2·10¹⁰, have 6 of
/// them.
#[test]
fn log_likelihoods_of_large_counts_keep_their_digits() {
    let counts = [1000012345, 1105175239, 1221382758, 1349890222, 1491797515, 1648721369_u32];
    let data = table("x,y", 6, |i| format!("{i},{}", counts[i as usize]));
    let summary = fitted(&data, EstimatorKind::Poisson, 0.0, 0).summary.unwrap();
    let FitStatistics::Likelihood(statistics) = &summary.fit else { panic!("{summary}") };
    let near = |got: Option<f64>, expected: f64| assert!((got.unwrap() / expected - 1.0).abs() < 1e-9, "{got:?}");
    near(statistics.log_likelihood, -69.233498416013038);
    near(statistics.null_log_likelihood, -112947919.02997527);
    near(statistics.deviance, 1.6001344208379822);
    near(Some(summary.terms[0].estimate), 0.099997656620955774);
}

#[test]
fn weights_that_are_not_whole_numbers_are_noted_where_they_count_observations() {
    let data = |weight: f64| table("x,w,y", 60, |i| format!("{},{},{}", u(i), weight + f64::from(i % 3), i % 7));
    let notes = |weight: f64, estimator: EstimatorKind| {
        let options = Options { weights: true, estimator: Some(estimator), ..Options::default() };
        trained(&data(weight), &options).unwrap().notes
    };
    let note = "some weights are not whole numbers: standard errors, degrees of freedom and BIC take their sum, 75, \
                for the number of observations";
    let is_noted = |notes: Vec<String>| notes.iter().any(|found| found == note);
    assert!(is_noted(notes(0.25, EstimatorKind::Poisson)));
    assert!(!is_noted(notes(1.0, EstimatorKind::Poisson)) && !is_noted(notes(0.25, EstimatorKind::Linear)));
}

/// statsmodels 0.15.0: `GLM(y, add_constant(X), Poisson()).fit()` of three rows and three coefficients.
#[test]
fn counts_without_residual_degrees_of_freedom_have_standard_errors() {
    let data = "x,z,y\n1,1,2\n2,0,5\n4,5,3\n";
    let options = Options { alpha: Some(PenaltyStrength::Fixed(0.0)), ..Options::default() };
    let fit = |estimator| trained(data, &Options { estimator: Some(estimator), ..options }).unwrap();
    let poisson = fit(EstimatorKind::Poisson);
    let errors: Vec<f64> = poisson.summary.unwrap().all_terms().map(|term| term.standard_error.unwrap()).collect();
    for (got, expected) in
        errors.into_iter().zip([1.025_524_587_843_742_5, 0.572_023_499_826_479, 0.290_437_155_847_177])
    {
        assert!((got / expected - 1.0).abs() < 1e-9, "{got} {expected}");
    }
    let note = "no residual degrees of freedom; standard errors are not available".to_owned();
    assert!(!poisson.notes.contains(&note) && fit(EstimatorKind::Gamma).notes.contains(&note));
}
