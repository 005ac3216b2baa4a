//! The charts of the predictions, the residuals and the regularization path.

use maud::html;

use super::chart::{Chart, Layer, shortened};
use super::figure::Figure;
use super::input::{RegularizationPath, ReportInput};
use super::report_data::ReportData;
use crate::evaluate::Evaluation;
use ordinate_model::estimator::Coefficients;
use ordinate_model::quantile::normal_quantile;

fn figure(heading: &'static str, chart: &Chart<'_>, caption: impl Into<String>) -> Option<Figure> {
    let caption = caption.into();
    Some(Figure { heading, svg: chart.svg()?, caption: html! { (caption) } })
}

/// The series of fitted and of held-out rows.
const FITTED: usize = 0;
const HELD_OUT: usize = 1;

/// Observed against predicted values, or the curves of a classifier.
pub(super) fn predictions(input: &ReportInput<'_>, data: &ReportData) -> Vec<Figure> {
    match &data.evaluation {
        Evaluation::Regression(_) => observed_predicted(input, data).into_iter().collect(),
        Evaluation::Classification(_) => curves(input, data),
    }
}

fn observed_predicted(input: &ReportInput<'_>, data: &ReportData) -> Option<Figure> {
    let side = |held_out| {
        let points = data.sample.iter().filter(move |point| point.held_out == held_out);
        points.map(|point| (point.predicted, point.actual)).collect::<Vec<_>>()
    };
    let (fitted, held_out) = (side(false), side(true));
    let ends = data.sample.iter().map(|point| point.predicted);
    let ends = [ends.clone().fold(f64::INFINITY, f64::min), ends.fold(f64::NEG_INFINITY, f64::max)];
    let target = &input.document.signature.target().name;
    let caption = if held_out.is_empty() {
        "Each dot is a row. On the dashed line, predictions are exact."
    } else {
        "Each dot is a row: blue if the evaluated fit used it, orange if not. On the dashed line, predictions are exact."
    };
    let layers = vec![
        Layer::Points(FITTED, fitted),
        Layer::Points(HELD_OUT, held_out),
        Layer::Reference(ends.map(|end| (end, end)).to_vec()),
    ];
    let y = format!("observed {}", shortened(target));
    let chart = Chart { title: "Observed against predicted values", x: "predicted", y: &y, layers, ..Chart::default() };
    figure("Observed and predicted", &chart, caption)
}

fn curves(input: &ReportInput<'_>, data: &ReportData) -> Vec<Figure> {
    let Evaluation::Classification(evaluation) = &data.evaluation else { return Vec::new() };
    let classes = input.document.estimator.classes().unwrap_or_default();
    let shown = if classes.len() == 2 { 1..2 } else { 0..classes.len() };
    let lines = shown.filter_map(|class| {
        let curve = evaluation.roc(class)?;
        let name = classes.get(class)?;
        let series = if classes.len() == 2 { 0 } else { class };
        Some(Layer::Line(series, thinned(curve.points), format!("{name}: {:.3}", curve.area)))
    });
    let mut layers = vec![Layer::Reference(vec![(0.0, 0.0), (1.0, 1.0)])];
    layers.extend(lines);
    let title = "Receiver operating characteristic: true against false positive rate";
    let roc =
        Chart { title, x: "false positive rate", y: "true positive rate", layers, unit: true, ..Chart::default() };
    let caption = "Receiver operating characteristic over all thresholds, with the area under the curve. The dashed line \
                   is random guessing.";
    let drawn = roc.layers.len() > 1;
    let mut figures: Vec<Figure> = figure("ROC", &roc, caption).filter(|_| drawn).into_iter().collect();

    let bins: Vec<(f64, f64)> = evaluation.calibration().iter().map(|bin| (bin.predicted, bin.share)).collect();
    let dots = bins.iter().map(|(x, y)| (*x, *y, 0.0)).collect();
    let layers = vec![
        Layer::Reference(vec![(0.0, 0.0), (1.0, 1.0)]),
        Layer::Line(0, bins.clone(), String::new()),
        Layer::Bars(0, dots),
    ];
    let x = match classes.get(1) {
        Some(second) if classes.len() == 2 => format!("predicted probability of {}", shortened(&second.to_string())),
        _ => "probability of the predicted class".to_owned(),
    };
    let chart = Chart {
        title: "Calibration: observed frequency against predicted probability",
        x: &x,
        y: "observed frequency",
        layers,
        unit: true,
        ..Chart::default()
    };
    if !bins.is_empty() {
        let caption = "Rows in bins of equal size by predicted probability. On the dashed line, probabilities equal \
                       observed frequencies.";
        figures.extend(figure("Calibration", &chart, caption));
    }
    figures
}

/// At most about a thousand points of a curve, including its ends.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let step = points.len() / 1000 + 1;
    let last = points.last().copied();
    points.into_iter().step_by(step).chain(last).collect()
}

/// The residuals of the fitted rows.
pub(super) fn residuals(input: &ReportInput<'_>, data: &ReportData) -> Vec<Figure> {
    let points: Vec<_> = data.sample.iter().filter(|point| !point.held_out).collect();
    if points.len() < 3 {
        return Vec::new();
    }
    let variance = points.iter().map(|point| point.weight * point.residual.powi(2)).sum::<f64>() / points.len() as f64;
    let noise = input.document.inference.as_ref().and_then(|inference| inference.residual_variance);
    let sd = match (&input.document.estimator, noise) {
        (Coefficients::Linear(_), Some(noise)) => noise.sqrt(),
        _ => variance.sqrt(),
    };
    // Rounding errors are not residuals.
    let size = points.iter().map(|point| point.actual.abs()).fold(0.0, f64::max);
    if variance.sqrt() <= size * 1e-12 || sd <= 0.0 {
        return Vec::new();
    }
    let standardised: Vec<f64> = points
        .iter()
        .map(|point| {
            point.weight.sqrt() * point.residual / (sd * (1.0 - point.leverage.unwrap_or(0.0)).max(1e-12).sqrt())
        })
        .collect();

    let fitted = points.iter().map(|point| (point.predicted, point.residual)).collect::<Vec<_>>();
    let ends = fitted.iter().map(|(x, _)| *x);
    let ends = [ends.clone().fold(f64::INFINITY, f64::min), ends.fold(f64::NEG_INFINITY, f64::max)];
    let layers = vec![Layer::Points(FITTED, fitted), Layer::Reference(ends.map(|end| (end, 0.0)).to_vec())];
    // The residuals of other distributions are not normal.
    let family = input.document.estimator.log_link();
    let fitted = Chart {
        title: "Residuals against predicted values",
        x: "predicted",
        y: if family.is_some() { "Pearson residual" } else { "residual" },
        layers,
        ..Chart::default()
    };

    let mut sorted = standardised.clone();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let quantile = |i: usize| normal_quantile((i as f64 + 0.5) / count).unwrap_or(0.0);
    let quantiles: Vec<(f64, f64)> = sorted.iter().enumerate().map(|(i, value)| (quantile(i), *value)).collect();
    let ends = [quantile(0), quantile(sorted.len() - 1)];
    let layers = vec![Layer::Points(FITTED, quantiles), Layer::Reference(ends.map(|end| (end, end)).to_vec())];
    let title = "Quantiles of the standardised residuals against those of a normal distribution";
    let (x, y) = ("normal quantile", "standardised residual");
    let normal = Chart { title, x, y, layers, ..Chart::default() };

    let mut figures: Vec<Figure> = [
        figure(
            "Residuals and predictions",
            &fitted,
            "Residuals should show no pattern. A curve means that the model lacks a term, a funnel that the variance \
             is not constant.",
        ),
        figure(
            "Normal Q–Q",
            &normal,
            "On the dashed line, residuals are normally distributed, as intervals and p-values assume.",
        )
        .filter(|_| family.is_none()),
    ]
    .into_iter()
    .flatten()
    .collect();

    let leverages: Vec<(f64, f64)> =
        points.iter().zip(&standardised).filter_map(|(point, value)| Some((point.leverage?, *value))).collect();
    if !leverages.is_empty() {
        let preprocess = &input.document.preprocess;
        let parameters = preprocess.columns.len() as f64 + if preprocess.through_origin { 0.0 } else { 1.0 };
        let rows = (data.rows - data.held_out) as f64;
        let ends = leverages.iter().map(|(x, _)| *x).fold(0.0, f64::max);
        let twice = 2.0 * parameters / rows;
        let mut layers = vec![Layer::Points(FITTED, leverages), Layer::Reference(vec![(0.0, 0.0), (ends, 0.0)])];
        if twice < ends {
            layers.push(Layer::Mark(twice));
        }
        let title = "Standardised residuals against leverage";
        let chart = Chart { title, x: "leverage", y: "standardised residual", layers, ..Chart::default() };
        let caption = "Rows to the right of the dotted line have more than twice the average leverage. If their residuals \
                       are large too, they influence the fit strongly.";
        figures.extend(figure("Leverage", &chart, caption));
    }
    figures
}

/// The scores of a cross-validation along the regularization path.
pub(super) fn path(path: &RegularizationPath) -> Option<Figure> {
    let points: Vec<_> = path.points.iter().filter(|point| point.value > 0.0 && point.mean.is_finite()).collect();
    let bars = points.iter().map(|point| (point.value.log10(), point.mean, point.standard_error)).collect();
    let layers = vec![Layer::Bars(0, bars), Layer::Mark(path.selected.log10())];
    let title = format!("Cross-validation: {} over {}", path.score, path.parameter);
    let chart = Chart { title: &title, x: &path.parameter, y: &path.score, layers, log_x: true, ..Chart::default() };
    let caption = format!(
        "Mean over {} folds with its standard error; smaller is better. The dotted line is the selected value.",
        path.folds
    );
    figure("Cross-validation", &chart, caption)
}
