//! The charts of the predictions, the residuals and the regularization path.

use super::chart::{Chart, Dot, Layer};
use super::curves::curves;
use super::figure::{Figure, figure};
use super::input::{RegularizationPath, ReportInput};
use super::report_data::{ReportData, SampledRow};
use super::value_axis::ValueAxis;
use crate::evaluate::Evaluation;
use crate::summary::rounded;
use ordinate_model::estimator::Coefficients;
use ordinate_model::quantile::normal_quantile;

/// The series of fitted and of held-out rows.
const FITTED: usize = 0;
pub(super) const HELD_OUT: usize = 1;

/// Observed against predicted values, or the curves of a classifier.
pub(super) fn predictions(input: &ReportInput<'_>, data: &ReportData) -> Vec<Figure> {
    match &data.measured.evaluation {
        Evaluation::Regression(_) => observed_predicted(input, data).into_iter().collect(),
        Evaluation::Classification(evaluation) => curves(input, evaluation),
    }
}

fn observed_predicted(input: &ReportInput<'_>, data: &ReportData) -> Option<Figure> {
    let side = |held_out| {
        let points = data.sample.iter().filter(move |point| point.held_out == held_out);
        points.map(|point| Dot { at: (point.predicted, point.actual), tooltip: tooltip(point) }).collect::<Vec<_>>()
    };
    let (fitted, held_out) = (side(false), side(true));
    let ends = data.sample.iter().map(|point| point.predicted);
    let ends = [ends.clone().fold(f64::INFINITY, f64::min), ends.fold(f64::NEG_INFINITY, f64::max)];
    let target = &input.document.signature.target().name;
    let caption = if held_out.is_empty() {
        "Each dot is a row; the pointer shows its number and values. On the dashed line, predictions are exact."
    } else {
        "Each dot is a row: blue if the evaluated fit used it, orange if not. The pointer shows its number and values. On the \
         dashed line, predictions are exact."
    };
    let layers = vec![
        Layer::Reference(ends.map(|end| (end, end))),
        Layer::Points(FITTED, fitted),
        Layer::Points(HELD_OUT, held_out),
    ];
    let y = format!("observed {target}");
    let title = "Observed against predicted values";
    let chart = Chart { title, x: "predicted", y: &y, layers, ..Chart::default() };
    figure("Observed and predicted", &chart, caption)
}

/// The text of a point. Rows are counted from 1.
fn tooltip(point: &SampledRow) -> String {
    let SampledRow { row, actual, predicted, .. } = point;
    format!("row {}: observed {}, predicted {}", row + 1, rounded(*actual, 5), rounded(*predicted, 5))
}

/// The residuals of the fitted rows.
pub(super) fn residuals(input: &ReportInput<'_>, data: &ReportData) -> Vec<Figure> {
    let points: Vec<_> = data.sample.iter().filter(|point| !point.held_out).collect();
    let Some(standardised) = standardised(input, &points) else { return Vec::new() };
    // The residuals of other distributions are not normal.
    let is_normal = input.document.estimator.glm_family().is_none();
    let normal = if is_normal { normal_quantiles(&points, &standardised) } else { None };
    let figures =
        [against_predictions(&points, is_normal), normal, against_leverage(input, data, &points, &standardised)];
    figures.into_iter().flatten().collect()
}

/// The standardised residuals; none for few rows, or if the residuals are rounding errors.
fn standardised(input: &ReportInput<'_>, points: &[&SampledRow]) -> Option<Vec<f64>> {
    if points.len() < 3 {
        return None;
    }
    let variance = points.iter().map(|point| point.weight * point.residual.powi(2)).sum::<f64>() / points.len() as f64;
    let noise = input.document.inference.as_ref().and_then(|inference| inference.residual_variance);
    let sd = match (&input.document.estimator, noise) {
        (Coefficients::Linear(_), Some(noise)) => noise.sqrt(),
        _ => variance.sqrt(),
    };
    let size = points.iter().map(|point| point.actual.abs()).fold(0.0, f64::max);
    if variance.sqrt() <= size * 1e-12 || sd <= 0.0 {
        return None;
    }
    let standardise = |point: &&SampledRow| {
        point.weight.sqrt() * point.residual / (sd * (1.0 - point.leverage.unwrap_or(0.0)).max(1e-12).sqrt())
    };
    Some(points.iter().map(standardise).collect())
}

fn dot(point: &SampledRow, at: (f64, f64)) -> Dot {
    Dot { at, tooltip: tooltip(point) }
}

fn against_predictions(points: &[&SampledRow], is_normal: bool) -> Option<Figure> {
    let fitted: Vec<Dot> = points.iter().map(|point| dot(point, (point.predicted, point.residual))).collect();
    let ends = points.iter().map(|point| point.predicted);
    let ends = [ends.clone().fold(f64::INFINITY, f64::min), ends.fold(f64::NEG_INFINITY, f64::max)];
    let chart = Chart {
        title: "Residuals against predicted values",
        x: "predicted",
        y: if is_normal { "residual" } else { "Pearson residual" },
        layers: vec![Layer::Reference(ends.map(|end| (end, 0.0))), Layer::Points(FITTED, fitted)],
        ..Chart::default()
    };
    figure(
        "Residuals and predictions",
        &chart,
        "Residuals should show no pattern. A curve means that the model lacks a term, a funnel that the variance \
         is not constant.",
    )
}

fn normal_quantiles(points: &[&SampledRow], standardised: &[f64]) -> Option<Figure> {
    let mut sorted: Vec<(f64, &SampledRow)> = standardised.iter().copied().zip(points.iter().copied()).collect();
    sorted.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let count = sorted.len() as f64;
    let quantile = |i: usize| normal_quantile((i as f64 + 0.5) / count).unwrap_or(0.0);
    let quantiles = sorted.iter().enumerate().map(|(i, (value, point))| dot(point, (quantile(i), *value))).collect();
    let ends = [quantile(0), quantile(sorted.len().saturating_sub(1))];
    let layers = vec![Layer::Reference(ends.map(|end| (end, end))), Layer::Points(FITTED, quantiles)];
    let title = "Quantiles of the standardised residuals against those of a normal distribution";
    let (x, y) = ("normal quantile", "standardised residual");
    let caption = "On the dashed line, residuals are normally distributed, as intervals and p-values assume.";
    figure("Normal Q–Q", &Chart { title, x, y, layers, ..Chart::default() }, caption)
}

fn against_leverage(
    input: &ReportInput<'_>,
    data: &ReportData,
    points: &[&SampledRow],
    standardised: &[f64],
) -> Option<Figure> {
    let with_leverage = points.iter().zip(standardised);
    let leverages: Vec<Dot> =
        with_leverage.filter_map(|(point, value)| Some(dot(point, (point.leverage?, *value)))).collect();
    if leverages.is_empty() {
        return None;
    }
    let preprocess = &input.document.preprocess;
    let parameters = preprocess.columns.len() as f64 + if preprocess.through_origin { 0.0 } else { 1.0 };
    let rows = (data.rows - data.held_out) as f64;
    let ends = leverages.iter().map(|dot| dot.at.0).fold(0.0, f64::max);
    let twice = 2.0 * parameters / rows;
    let mut layers = vec![Layer::Reference([(0.0, 0.0), (ends, 0.0)]), Layer::Points(FITTED, leverages)];
    if twice < ends {
        layers.push(Layer::Mark(twice));
    }
    let title = "Standardised residuals against leverage";
    let (x, y) = ("leverage", "standardised residual");
    let caption = "Rows to the right of the dotted line have more than twice the average leverage. If their residuals \
                   are large too, they influence the fit strongly.";
    figure("Leverage", &Chart { title, x, y, layers, ..Chart::default() }, caption)
}

/// The scores of a cross-validation along the regularization path.
pub(super) fn path(path: &RegularizationPath) -> Option<Figure> {
    let points: Vec<_> = path.points.iter().filter(|point| point.value > 0.0 && point.mean.is_finite()).collect();
    let bars = points.iter().map(|point| (libm::log2(point.value), point.mean, point.standard_error)).collect();
    let layers = vec![Layer::Bars(0, bars), Layer::Mark(libm::log2(path.selected))];
    let title = format!("Cross-validation: {} over {}", path.score, path.parameter);
    let (x, y) = (&path.parameter, &path.score);
    let chart = Chart { title: &title, x, y, layers, x_axis: ValueAxis::Ratio, ..Chart::default() };
    let caption = format!(
        "Mean over {} folds with its standard error; smaller is better. The dotted line is the selected value.",
        path.folds
    );
    figure("Cross-validation", &chart, caption)
}
