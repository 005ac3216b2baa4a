//! The charts of a report, from what was observed.

use super::chart::{Chart, Layer, shortened};
use super::{Observed, ReportInput, ValidationPath};
use crate::evaluate::Evaluation;
use ordinate_model::estimator::Coefficients;
use ordinate_model::quantile::normal_quantile;

/// A chart and what to look for in it.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) heading: &'static str,
    pub(super) svg: String,
    pub(super) caption: String,
}

fn figure(heading: &'static str, chart: &Chart<'_>, caption: impl Into<String>) -> Option<Figure> {
    Some(Figure { heading, svg: chart.svg()?, caption: caption.into() })
}

/// Number of the series of fitted rows, and of those held out.
const FITTED: usize = 0;
const HELD_OUT: usize = 1;

/// Observed against predicted; of a classifier its curves.
pub(super) fn predictions(input: &ReportInput<'_>, observed: &Observed) -> Vec<Figure> {
    match &observed.evaluation {
        Evaluation::Regression(_) => observed_predicted(input, observed).into_iter().collect(),
        Evaluation::Classification(_) => curves(input, observed),
    }
}

fn observed_predicted(input: &ReportInput<'_>, observed: &Observed) -> Option<Figure> {
    let side = |held_out| {
        let points = observed.points.iter().filter(move |point| point.held_out == held_out);
        points.map(|point| (point.predicted, point.actual)).collect::<Vec<_>>()
    };
    let (fitted, held_out) = (side(false), side(true));
    let ends = observed.points.iter().map(|point| point.predicted);
    let ends = [ends.clone().fold(f64::INFINITY, f64::min), ends.fold(f64::NEG_INFINITY, f64::max)];
    let target = &input.document.signature.target().name;
    let caption = if held_out.is_empty() {
        "Each dot is a row the model was fitted to; on the dashed line the prediction is exact."
    } else {
        "Each dot is a row: blue ones the model was fitted to, orange ones it had not seen. On the dashed line the \
         prediction is exact."
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

fn curves(input: &ReportInput<'_>, observed: &Observed) -> Vec<Figure> {
    let Evaluation::Classification(evaluation) = &observed.evaluation else { return Vec::new() };
    let classes = input.document.estimator.classes().unwrap_or_default();
    let asked = if classes.len() == 2 { 1..2 } else { 0..classes.len() };
    let lines = asked.filter_map(|class| {
        let curve = evaluation.roc(class)?;
        let name = classes.get(class)?;
        let series = if classes.len() == 2 { 0 } else { class };
        Some(Layer::Line(series, thinned(curve.points), format!("{name}: {:.3}", curve.area)))
    });
    let mut layers = vec![Layer::Reference(vec![(0.0, 0.0), (1.0, 1.0)])];
    layers.extend(lines);
    let title = "Receiver operating characteristic: hits against false alarms";
    let roc = Chart { title, x: "share of false alarms", y: "share of hits", layers, unit: true, ..Chart::default() };
    let caption = "How many rows of a class are found for how many false alarms, over all thresholds; the number is \
                   the area. The dashed line is guessing.";
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
        title: "Calibration: how often what is predicted comes true",
        x: &x,
        y: "share that came true",
        layers,
        unit: true,
        ..Chart::default()
    };
    if !bins.is_empty() {
        let caption = "Rows in bins of equal size by their probability. On the dashed line the probabilities can be \
                       taken at their word.";
        figures.extend(figure("Calibration", &chart, caption));
    }
    figures
}

/// A curve of at most about a thousand points, its ends among them.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let step = points.len() / 1000 + 1;
    let last = points.last().copied();
    points.into_iter().step_by(step).chain(last).collect()
}

/// What the residuals of the fitted rows look like.
pub(super) fn residuals(input: &ReportInput<'_>, observed: &Observed) -> Vec<Figure> {
    let points: Vec<_> = observed.points.iter().filter(|point| !point.held_out).collect();
    if points.len() < 3 {
        return Vec::new();
    }
    let variance = points.iter().map(|point| point.weight * point.residual.powi(2)).sum::<f64>() / points.len() as f64;
    let noise = input.document.inference.as_ref().and_then(|inference| inference.residual_variance);
    let sd = match (&input.document.estimator, noise) {
        (Coefficients::Linear(_), Some(noise)) => noise.sqrt(),
        _ => variance.sqrt(),
    };
    // Differences of rounding are no residuals.
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
    let fitted = Chart {
        title: "Residuals against predicted values",
        x: "predicted",
        y: "residual",
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
            "A cloud without shape is good. A bend says that something is missing from the model, a funnel that the \
             noise grows.",
        ),
        figure(
            "Normal Q–Q",
            &normal,
            "On the dashed line the residuals are normally distributed, as intervals and p-values suppose.",
        ),
    ]
    .into_iter()
    .flatten()
    .collect();

    let pulls: Vec<(f64, f64)> =
        points.iter().zip(&standardised).filter_map(|(point, value)| Some((point.leverage?, *value))).collect();
    if !pulls.is_empty() {
        let preprocess = &input.document.preprocess;
        let parameters = preprocess.columns.len() as f64 + if preprocess.through_origin { 0.0 } else { 1.0 };
        let all = (observed.rows - observed.held_out) as f64;
        let ends = pulls.iter().map(|(x, _)| *x).fold(0.0, f64::max);
        let twice = 2.0 * parameters / all;
        let mut layers = vec![Layer::Points(FITTED, pulls), Layer::Reference(vec![(0.0, 0.0), (ends, 0.0)])];
        if twice < ends {
            layers.push(Layer::Mark(twice));
        }
        let title = "Standardised residuals against leverage";
        let chart = Chart { title, x: "leverage", y: "standardised residual", layers, ..Chart::default() };
        let caption = "Rows to the right of the dotted line pull the fit more than twice as much as the average row; \
                       those that are also far from zero deserve a look.";
        figures.extend(figure("Leverage", &chart, caption));
    }
    figures
}

/// The scores of a cross-validation over its path.
pub(super) fn path(path: &ValidationPath) -> Option<Figure> {
    let points: Vec<_> = path.points.iter().filter(|point| point.value > 0.0 && point.mean.is_finite()).collect();
    let bars = points.iter().map(|point| (point.value.log10(), point.mean, point.standard_error)).collect();
    let layers = vec![Layer::Bars(0, bars), Layer::Mark(path.chosen.log10())];
    let title = format!("Cross-validation: {} over {}", path.score, path.parameter);
    let chart = Chart { title: &title, x: &path.parameter, y: &path.score, layers, log_x: true, ..Chart::default() };
    let caption = format!(
        "Mean over {} folds with its standard error; smaller is better. The dotted line is the choice.",
        path.folds
    );
    figure("Cross-validation", &chart, caption)
}
