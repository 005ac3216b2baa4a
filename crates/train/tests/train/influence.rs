//! The influence of rows on fits of generalised linear models, as reports list it.

use super::inference::{Options, table, trained};
use ordinate_model::Model;
use ordinate_train::plan::EstimatorKind;
use ordinate_train::report::ReportDataCollector;

/// Rows, from 0, with their Cook's distances.
type Distances = [(u64, f64); 4];

/// statsmodels 0.15.0, `r = GLM(y, add_constant(X), family=...).fit(tol=1e-14)`: the largest values of
/// `r.resid_pearson**2 * h / ((1 - h)**2 * 3 * r.scale)` with `h = r.get_hat_matrix_diag(observed=False)`.
const POISSON: Distances =
    [(0, 0.07762357343158782), (13, 0.05989833268330187), (21, 0.05359638517051629), (42, 0.04977210054747237)];
const GAMMA: Distances =
    [(0, 0.15624884328721447), (13, 0.12738145040144738), (26, 0.06764753150126798), (49, 0.045804391684762774)];

/// As above with their hat values, by `GLMInfluence` of `GLM(y, add_constant(X), Binomial()).fit(tol=1e-14)`.
const BINOMIAL: [(u64, f64, f64); 3] = [
    (13, 0.12852402713521704, 0.04410213758363919),
    (21, 0.11139149973474195, 0.05395345189116985),
    (42, 0.10866238571693775, 0.06796607445088211),
];

#[test]
fn cooks_distances_of_counts_and_amounts_use_working_weights_and_pearson_residuals() {
    for (estimator, more, expected) in [(EstimatorKind::Poisson, 0.0, POISSON), (EstimatorKind::Gamma, 0.5, GAMMA)] {
        let row = |i: u32| {
            let (x1, x2) = (f64::from(i * 37 % 60) / 10.0, f64::from(i * i * 13 % 17));
            [x1, x2, f64::from(i * 29 % 7 + i * 37 % 60 / 12) + more]
        };
        let data = table("x1,x2,y", 60, |i| row(i).map(|value| value.to_string()).join(","));
        let trained = trained(&data, &Options { estimator: Some(estimator), ..Options::default() }).unwrap();
        let model = Model::from_json(trained.document.to_json().unwrap().as_bytes()).unwrap();
        let mut collector = ReportDataCollector::new(&model);
        for i in 0..60 {
            collector.push(&row(i), false).unwrap();
        }
        let influential = collector.finish().unwrap().influential;
        for ((row, distance), got) in expected.into_iter().zip(&influential) {
            assert_eq!(got.row, row, "{influential:?}");
            assert!((got.distance / distance - 1.0).abs() < 1e-8, "{} {distance}", got.distance);
        }
        assert_eq!(influential.len(), 10);
    }
}

#[test]
fn cooks_distances_of_two_classes_without_a_penalty_are_those_of_statsmodels() {
    let row = |i: u32| {
        let (x1, x2) = (f64::from(i * 37 % 60) / 10.0, f64::from(i * i * 13 % 17));
        let class = if f64::from(i * 29 % 7) + x1 > 6.0 { "yes" } else { "no" };
        format!("{x1},{x2},{class}")
    };
    let data = table("x1,x2,y", 60, row);
    let unpenalised = trained(&data, &Options { report: true, ..Options::default() }).unwrap();
    let influential = unpenalised.report.unwrap().influential;
    for ((row, distance, leverage), got) in BINOMIAL.into_iter().zip(&influential) {
        assert_eq!(got.row, row, "{influential:?}");
        assert!((got.distance / distance - 1.0).abs() < 1e-8, "{} {distance}", got.distance);
        assert!((got.leverage.unwrap() / leverage - 1.0).abs() < 1e-8, "{got:?} {leverage}");
    }
    let penalised = trained(&data, &Options { report: true, penalised: true, ..Options::default() }).unwrap();
    assert!(penalised.report.unwrap().influential.iter().all(|row| row.leverage.is_none()));
}
