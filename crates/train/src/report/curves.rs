//! The charts of a classifier.

use maud::{Markup, html};

use super::chart::{Chart, Layer, legend, shortened};
use super::diagnostics::HELD_OUT;
use super::figure::{Figure, figure};
use super::input::ReportInput;
use super::report_data::ReportData;
use crate::evaluate::{Classification, Curve, Evaluation, ThresholdPoint, class_metrics};
use crate::summary::rounded;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::counted;

/// The curves of a classifier, of the probabilities that are served.
pub(super) fn curves(input: &ReportInput<'_>, evaluation: &Classification) -> Vec<Figure> {
    let classes = input.document.estimator.classes().unwrap_or_default();
    let mut figures = Vec::new();
    if let [_, second] = classes {
        figures.extend(roc(evaluation));
        figures.extend(precision_recall(input, evaluation, second));
        figures.extend(thresholds(input, evaluation, second));
    }
    figures.extend(calibration(evaluation, classes));
    figures
}

fn roc(evaluation: &Classification) -> Option<Figure> {
    let curve = evaluation.roc(1)?;
    let caption = format!(
        "Receiver operating characteristic over all thresholds. The area under the curve is {:.3}. The dashed line is random \
         guessing.",
        curve.area
    );
    let layers = vec![Layer::Reference([(0.0, 0.0), (1.0, 1.0)]), Layer::Line(0, thinned(curve.points, 1000))];
    let title = "Receiver operating characteristic: true against false positive rate";
    let (x, y) = ("false positive rate", "true positive rate");
    figure("ROC", &Chart { title, x, y, layers, unit: true, ..Chart::default() }, caption)
}

fn precision_recall(input: &ReportInput<'_>, evaluation: &Classification, class: &Scalar) -> Option<Figure> {
    let curve = evaluation.thresholds()?;
    let points = curve.points.iter().map(|point| (point.recall, point.precision)).collect();
    let mut layers =
        vec![Layer::Reference([(0.0, curve.frequency), (1.0, curve.frequency)]), Layer::Line(0, thinned(points, 1000))];
    let own = class_metrics(evaluation.confusion()).get(1).copied();
    let served = own.and_then(|own| Some((own.recall?, own.precision?)));
    if let Some((recall, precision)) = served {
        layers.push(Layer::Bars(HELD_OUT, vec![(recall, precision, 0.0)]));
    }
    let class = class.label();
    let caption = format!(
        "Precision and recall of {class} over all thresholds; the orange dot is the {}. The average precision is {:.3}. The \
         dashed line is random guessing.",
        if input.threshold().is_some() { "chosen threshold" } else { "more probable class" },
        curve.average_precision
    );
    let title = "Precision against recall";
    let chart = Chart { title, x: "recall", y: "precision", layers, unit: true, ..Chart::default() };
    figure("Precision and recall", &chart, caption)
}

fn thresholds(input: &ReportInput<'_>, evaluation: &Classification, class: &Scalar) -> Option<Figure> {
    let curve = evaluation.thresholds()?;
    let series = |value: fn(&ThresholdPoint) -> f64| {
        thinned(curve.points.iter().map(|point| (point.threshold, value(point))).collect(), 500)
    };
    let chosen = input.threshold().unwrap_or(0.5);
    let layers = vec![
        Layer::Line(0, series(|point| point.precision)),
        Layer::Line(1, series(|point| point.recall)),
        Layer::Line(2, series(|point| point.f1)),
        Layer::Mark(chosen),
    ];
    let x = format!("threshold on the probability of {}", class.label());
    let title = "Precision, recall and F1 by threshold";
    let chart = Chart { title, x: &x, y: "precision, recall, F1", layers, unit: true, ..Chart::default() };
    let best = curve.best();
    let caption = html! {
        (legend(&["precision", "recall", "F1"]))
        "The dotted line is the threshold that the model uses, " (rounded(chosen, 3)) "."
        @if let Some(best) = best { " F1 is largest (" (rounded(best.f1, 3)) ") from " (rounded(best.threshold, 3)) " on." }
        " " code { "--threshold" } " chooses another."
    };
    Some(Figure { heading: "Thresholds", chart: chart.markup()?, caption })
}

fn calibration(evaluation: &Classification, classes: &[Scalar]) -> Option<Figure> {
    let bins: Vec<(f64, f64)> = evaluation.calibration_bins().iter().map(|bin| (bin.predicted, bin.share)).collect();
    let dots = bins.iter().map(|(x, y)| (*x, *y, 0.0)).collect();
    let is_empty = bins.is_empty();
    let layers = vec![Layer::Reference([(0.0, 0.0), (1.0, 1.0)]), Layer::Line(0, bins), Layer::Bars(0, dots)];
    let x = match classes {
        [_, second] => format!("predicted probability of {}", second.label()),
        _ => "probability of the predicted class".to_owned(),
    };
    let title = "Calibration: observed frequency against predicted probability";
    let chart = Chart { title, x: &x, y: "observed frequency", layers, unit: true, ..Chart::default() };
    let caption = "Rows in bins of equal size by predicted probability. On the dashed line, probabilities equal observed \
                   frequencies.";
    figure("Calibration", &chart, caption).filter(|_| !is_empty)
}

/// The most ROC curves of classes: rows of six, four, three and two charts are then full.
const SMALL_CHARTS: usize = 12;
/// The most characters of the name of a small chart.
const NAME: usize = 100;

/// The ROC curve of each of more than two classes against the rest, those with the smallest area first.
pub(super) fn class_curves(input: &ReportInput<'_>, data: &ReportData) -> Option<Markup> {
    let Evaluation::Classification(evaluation) = &data.measured.evaluation else { return None };
    let classes = input.document.estimator.classes().filter(|classes| classes.len() > 2)?;
    let curves = classes.iter().enumerate().filter_map(|(at, class)| Some((class, evaluation.roc(at)?)));
    let mut curves: Vec<(&Scalar, Curve)> = curves.collect();
    curves.sort_by(|(_, one), (_, other)| one.area.total_cmp(&other.area));
    let left_out = curves.len().saturating_sub(SMALL_CHARTS);
    let drawn: Vec<(String, f64, Markup)> = curves
        .into_iter()
        .take(SMALL_CHARTS)
        .filter_map(|(class, curve)| {
            let name = class.label();
            let title = format!("Receiver operating characteristic of {name}");
            let line = Layer::Line(0, thinned(curve.points, 150));
            let layers = vec![Layer::Reference([(0.0, 0.0), (1.0, 1.0)]), line];
            let chart = Chart { title: &title, layers, unit: true, ..Chart::default() };
            Some((name, curve.area, chart.small()?))
        })
        .collect();
    let names = shortened(&drawn.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), NAME);
    (!drawn.is_empty()).then(|| {
        html! {
            h3 { "ROC" }
            ul class="small" style=(columns(drawn.len())) {
                @for ((name, area, svg), short) in drawn.iter().zip(&names) {
                    li { strong title=[(short != name).then_some(name)] { (short) } (format!("area {area:.3}")) (svg) }
                }
            }
            p {
                "True against false positive rate of each class against the rest, over all thresholds; the classes with the \
                 smallest area under the curve come first. The dashed line is random guessing."
                @if left_out > 0 { " " (counted(left_out, "more class is", "more classes are")) " not shown." }
            }
        }
    })
}

/// The numbers of columns in which charts fill a wide, a medium and a narrow page evenly.
fn columns(charts: usize) -> String {
    let [wide, medium, narrow] = [6, 4, 2].map(|most: usize| charts.div_ceil(charts.div_ceil(most)));
    format!("--wide:{wide};--medium:{medium};--narrow:{narrow}")
}

/// At most about so many points of a curve, including its ends.
fn thinned(points: Vec<(f64, f64)>, most: usize) -> Vec<(f64, f64)> {
    let step = points.len() / most + 1;
    let last = points.last().copied();
    points.into_iter().step_by(step).chain(last).collect()
}
