//! Standard errors of metrics by the delta method.
//!
//! A metric is a function of the weights of its rows. With its derivative by each weight,
//! `√(n/(n − 1) · Σ(wᵢ ∂m/∂wᵢ)²)` is its standard error for rows drawn at random (the infinitesimal jackknife; Efron,
//! 1982). For a mean that is `s/√n`, and for the area under the ROC curve that of its structural components (Sen, 1960)
//! up to `n/(n − 1)`.

use indexmap::IndexMap;

use super::class_metrics::{ClassWeights, by_class};
use super::classification::{brier, log_loss};
use super::curves::Score;
use super::deviance::DevianceSums;
use super::kept_rows::{KeptRow, KeptRows};
use super::metrics::defined;
use super::regression::RegressionRow;

/// The sum of squares of one metric.
#[derive(Default)]
struct Squares(f64);

impl Squares {
    /// Adds `wᵢ ∂m/∂wᵢ`.
    fn push(&mut self, influence: f64) {
        self.0 += influence * influence;
    }

    /// None where the rows do not vary.
    fn finish(&self, rows: usize) -> Option<f64> {
        let rows = rows as f64;
        let error = (self.0 * (rows / (rows - 1.0))).sqrt();
        (error > 0.0 && error.is_finite()).then_some(error)
    }
}

fn of_influences(influences: impl Iterator<Item = f64>, rows: usize) -> Option<f64> {
    let mut squares = Squares::default();
    influences.for_each(|influence| squares.push(influence));
    squares.finish(rows)
}

/// The standard error of a weighted mean of a quantity of the rows.
fn of_mean(values: impl Iterator<Item = (f64, f64)> + Clone, rows: usize) -> Option<f64> {
    let (sum, total) =
        values.clone().fold((0.0, 0.0), |(sum, total), (value, weight)| (sum + weight * value, total + weight));
    let mean = sum / total;
    // The rounding of the mean is no variation.
    let is_variation = |error: &f64| *error > 8.0 * f64::EPSILON * mean.abs();
    of_influences(values.map(|(value, weight)| weight * (value - mean) / total), rows).filter(is_variation)
}

/// The standard errors of a classifier's metrics.
pub(super) fn classification(rows: &KeptRows, confusion: &[Vec<f64>]) -> IndexMap<&'static str, f64> {
    let (count, classes) = (rows.len(), confusion.len());
    let weights: Vec<ClassWeights> = by_class(confusion).collect();
    let of_class = |class: u32| weights.get(class as usize).copied();
    let number = |is: bool| f64::from(u8::from(is));
    let of_rows = |influence: &dyn Fn(&KeptRow) -> f64| of_influences(rows.rows().iter().map(influence), count);

    let correct = rows.rows().iter().map(|row| (number(row.is_correct()), row.weight));
    let losses = rows.iter().map(|(row, p)| (p.get(row.actual as usize).map_or(0.0, |p| log_loss(*p)), row.weight));
    let distances = rows.iter().map(|(row, p)| (brier(p, row.actual as usize), row.weight));

    let present = weights.iter().filter(|class| class.actual > 0.0).count() as f64;
    let of_recalls = |row: &KeptRow| {
        let recall = of_class(row.actual).and_then(|class| Some((class.recall()?, class.actual)));
        recall.map_or(0.0, |(recall, actual)| row.weight * (number(row.is_correct()) - recall) / actual / present)
    };
    let f1 = |row: &KeptRow, class: u32| {
        let of = of_class(class).and_then(|weights| Some((weights.f1()?, weights.actual + weights.predicted)));
        let (own, called) = (row.actual == class, row.predicted == class);
        of.map_or(0.0, |(f1, total)| {
            row.weight * (2.0 * number(own && called) - f1 * (number(own) + number(called))) / total
        })
    };
    let classes_with_f1 = weights.iter().filter(|class| class.f1().is_some()).count() as f64;
    let of_f1 = |row: &KeptRow| match (classes, row.is_correct()) {
        (2, _) => f1(row, 1),
        (_, true) => f1(row, row.actual) / classes_with_f1,
        (_, false) => (f1(row, row.actual) + f1(row, row.predicted)) / classes_with_f1,
    };
    let second = weights.get(1).copied().filter(|_| classes == 2);
    let of_second = |total: f64, ratio: Option<f64>, counts: fn(&KeptRow) -> bool| {
        let ratio = ratio?;
        of_rows(&|row| {
            let own = if counts(row) { row.weight * (number(row.is_correct()) - ratio) } else { 0.0 };
            own / total
        })
    };
    defined([
        ("accuracy", of_mean(correct, count)),
        ("balanced_accuracy", of_rows(&of_recalls)),
        ("log_loss", of_mean(losses, count)),
        ("brier", of_mean(distances, count)),
        ("roc_auc", of_areas(rows, classes)),
        ("precision", second.and_then(|class| of_second(class.predicted, class.precision(), |row| row.predicted == 1))),
        ("recall", second.and_then(|class| of_second(class.actual, class.recall(), |row| row.actual == 1))),
        ("f1", of_rows(&of_f1)),
    ])
    .collect()
}

/// The standard error of the area under the ROC curve, or of its mean over more than two classes.
fn of_areas(rows: &KeptRows, classes: usize) -> Option<f64> {
    let shown = if classes == 2 { 1..2 } else { 0..classes };
    let count = shown.len() as f64;
    let mut influences = vec![0.0; rows.len()];
    for class in shown {
        for (sum, influence) in influences.iter_mut().zip(area_influences(&rows.scores(class))?) {
            *sum += influence / count;
        }
    }
    of_influences(influences.into_iter(), rows.len())
}

/// `wᵢ ∂A/∂wᵢ` of the area under the ROC curve, for each row: the fraction of the rows of the other kind that are on
/// the right side of it, less the area.
fn area_influences(scores: &[Score]) -> Option<Vec<f64>> {
    let total =
        |positive: bool| scores.iter().filter(|row| row.positive == positive).map(|row| row.weight).sum::<f64>();
    let (own, others) = (total(true), total(false));
    if own <= 0.0 || others <= 0.0 {
        return None;
    }
    let mut order: Vec<(usize, &Score)> = scores.iter().enumerate().collect();
    order.sort_by(|(_, one), (_, other)| other.value.total_cmp(&one.value));
    // For each row, the weight of the rows of the other kind above it, those with its score by half.
    let mut above_rows = vec![0.0; scores.len()];
    let (mut own_above, mut others_above) = (0.0, 0.0);
    for ties in order.chunk_by(|(_, one), (_, other)| one.value.total_cmp(&other.value).is_eq()) {
        let tied = |positive: bool| {
            ties.iter().filter(|(_, row)| row.positive == positive).map(|(_, row)| row.weight).sum::<f64>()
        };
        let (own_tied, others_tied) = (tied(true), tied(false));
        for (at, row) in ties {
            let above = if row.positive { others_above + others_tied / 2.0 } else { own_above + own_tied / 2.0 };
            above_rows.get_mut(*at).into_iter().for_each(|place| *place = above);
        }
        own_above += own_tied;
        others_above += others_tied;
    }
    let right = |(row, above): (&Score, &f64)| if row.positive { 1.0 - above / others } else { above / own };
    let rows = || scores.iter().zip(&above_rows);
    let area = rows().filter(|(row, _)| row.positive).map(|pair| pair.0.weight * right(pair)).sum::<f64>() / own;
    let side = |row: &Score| if row.positive { own } else { others };
    Some(rows().map(|(row, above)| row.weight * (right((row, above)) - area) / side(row)).collect())
}

/// The standard errors of a regression's metrics. `deviance`: its sums, for a generalised linear model.
pub(super) fn regression(
    rows: &(impl ExactSizeIterator<Item = RegressionRow> + Clone),
    deviance: Option<&DevianceSums>,
) -> IndexMap<&'static str, f64> {
    let count = rows.len();
    let of = |value: &dyn Fn(&RegressionRow) -> f64| of_mean(rows.clone().map(|row| (value(&row), row.weight)), count);
    let total: f64 = rows.clone().map(|row| row.weight).sum();
    let centre = rows.clone().map(|row| row.weight * row.actual).sum::<f64>() / total;
    let error = |row: &RegressionRow| (row.actual - row.predicted).powi(2);
    let distance = |row: &RegressionRow| (row.actual - centre).powi(2);
    let r2 = of_ratio(rows.clone().map(|row| (error(&row), distance(&row), row.weight)));
    let root = (rows.clone().map(|row| row.weight * error(&row)).sum::<f64>() / total).sqrt();
    let relative = |row: &RegressionRow| 100.0 * ((row.actual - row.predicted) / row.actual).abs();
    let of_family = |sums: &DevianceSums| {
        let (family, rate) = (sums.family, sums.compared().map(|compared| compared.rate));
        let own = move |row: &RegressionRow| family.deviance(row.actual, row.predicted);
        // The constant rate minimises its deviance, which therefore changes with a weight by the deviance of the row
        // alone.
        let d2 = rate.and_then(|rate| {
            of_ratio(rows.clone().map(|row| (own(&row), family.deviance(row.actual, rate * row.exposure), row.weight)))
        });
        (d2, of(&own))
    };
    let (d2, mean_deviance) = deviance.map(of_family).unwrap_or_default();
    defined([
        ("d2", d2),
        ("mean_deviance", mean_deviance),
        ("r2", r2),
        ("rmse", of(&error).map(|error| error / (2.0 * root))),
        ("mae", of(&|row| (row.actual - row.predicted).abs())),
        ("mape_percent", of(&relative)),
    ])
    .collect()
}

/// The standard error of the ratio of two weighted sums: two terms of each row, and its weight.
fn of_ratio(rows: impl ExactSizeIterator<Item = (f64, f64, f64)> + Clone) -> Option<f64> {
    let count = rows.len();
    let (above, below) = rows
        .clone()
        .fold((0.0, 0.0), |(above, below), (own, of_mean, weight)| (above + weight * own, below + weight * of_mean));
    of_influences(rows.map(|(own, of_mean, weight)| weight * (own - above / below * of_mean) / below), count)
}

#[cfg(test)]
mod tests {
    use super::super::Regression;
    use super::super::classification::Classification;
    use super::*;
    use crate::evaluate::classification::tests::{three_classes, two_classes, uv, weight};

    fn assert_close(got: &IndexMap<&'static str, f64>, expected: &[(&'static str, f64)]) {
        for (name, expected) in expected {
            let got = got[name];
            assert!((got / expected - 1.0).abs() < 1e-6, "{name}: {got} is not {expected}");
        }
        assert_eq!(got.len(), expected.len(), "{got:?}");
    }

    /// The data of the tests of `classification` and `regression`; the derivatives of the metrics of scikit-learn 1.9.1
    /// by each `sample_weight`, by central differences of fourth order.
    #[test]
    fn standard_errors_agree_with_the_derivatives_of_scikit_learns_metrics() {
        let two = |weighted| two_classes(weighted).measure(None).unwrap().standard_errors;
        let names = ["accuracy", "balanced_accuracy", "log_loss", "brier", "roc_auc", "precision", "recall", "f1"];
        for (weighted, expected) in [
            (
                false,
                [
                    0.032_166_339_03,
                    0.032_271_096_28,
                    0.044_523_568_76,
                    0.015_949_670_26,
                    0.033_099_262_43,
                    0.049_568_714_41,
                    0.048_724_721_1,
                    0.040_956_803_37,
                ],
            ),
            (
                true,
                [
                    0.035_680_500_05,
                    0.035_436_377_89,
                    0.044_222_886_35,
                    0.016_951_206_06,
                    0.034_849_142_08,
                    0.054_922_215_91,
                    0.052_677_002_02,
                    0.045_097_697_74,
                ],
            ),
        ] {
            let expected: Vec<_> = names.into_iter().zip(expected).collect();
            assert_close(&two(weighted), &expected);
        }
        let three = |weighted| three_classes(weighted).measure(None).unwrap().standard_errors;
        let names = ["accuracy", "balanced_accuracy", "log_loss", "brier", "roc_auc", "f1"];
        for (weighted, expected) in [
            (
                false,
                [
                    0.034_928_138_72,
                    0.035_974_433_85,
                    0.033_030_316_05,
                    0.019_703_387_22,
                    0.029_149_572_65,
                    0.034_707_440_14,
                ],
            ),
            (
                true,
                [
                    0.039_255_904_32,
                    0.040_288_034_87,
                    0.037_100_501_55,
                    0.022_373_012_89,
                    0.031_772_413_05,
                    0.038_789_864_52,
                ],
            ),
        ] {
            let expected: Vec<_> = names.into_iter().zip(expected).collect();
            assert_close(&three(weighted), &expected);
        }
        let numbers = |weighted| {
            let mut rows = Regression::default();
            for i in 0..200 {
                let (u, v) = uv(i);
                let y = 10.0 * u - 3.0 + 0.5;
                rows.push(y, y + (v - 0.5) * 4.0, weight(i, weighted));
            }
            rows.measure(None).unwrap().standard_errors
        };
        let names = ["r2", "rmse", "mae", "mape_percent"];
        for (weighted, expected) in [
            (false, [0.013_690_259_35, 0.036_867_907_83, 0.040_911_505_24, 78.636_840_2]),
            (true, [0.015_330_986_56, 0.040_906_718_59, 0.045_757_858_28, 76.228_985_1]),
        ] {
            let expected: Vec<_> = names.into_iter().zip(expected).collect();
            assert_close(&numbers(weighted), &expected);
        }
    }

    #[test]
    fn rows_that_do_not_vary_have_no_standard_error() {
        let mut certain = Classification::new(2);
        for i in 0..10 {
            certain.push(i % 2, i % 2, if i.is_multiple_of(2) { &[0.9, 0.1] } else { &[0.1, 0.9] }, 1.0);
        }
        assert_eq!(certain.measure(None).unwrap().standard_errors.len(), 0);
        let errors = |rows: &[(f64, f64)]| {
            let mut regression = Regression::default();
            for (actual, predicted) in rows {
                regression.push(*actual, *predicted, 1.0);
            }
            regression.measure(None).unwrap().standard_errors
        };
        assert_eq!(errors(&[(1.0, 2.0)]).len(), 0);
        assert_eq!(errors(&[(0.0, 1.0), (2.0, 4.0)]).get("mape_percent"), None);
    }
}
