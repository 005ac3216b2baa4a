//! Coefficients in comparable units.

use super::chart::{COLOURS, ForestLine, ForestRow};
use super::input::ReportInput;
use crate::summary::Term;
use ordinate_model::estimator::Coefficients;

/// The coefficients of one column: one for each score.
#[derive(Debug, Clone)]
pub(super) struct Effect {
    pub(super) name: String,
    /// For one unit of the column.
    pub(super) per_unit: Vec<f64>,
    /// For one standard deviation of the column, or without an intercept its root mean square, if that is known.
    pub(super) per_deviation: Option<Vec<f64>>,
    /// The confidence intervals of the coefficients for one standard deviation, if they are known.
    pub(super) intervals: Vec<Option<[f64; 2]>>,
}

/// The most lines of a chart.
const SHOWN: usize = 40;

/// The classes of the scores of a classifier with more than two: all classes, or with a summary those that are compared
/// with the reference class.
pub(super) fn score_classes(input: &ReportInput<'_>) -> Vec<String> {
    let classes = input.document.estimator.classes().unwrap_or_default();
    if classes.len() < 3 {
        return Vec::new();
    }
    let Some(summary) = input.summary else { return classes.iter().map(ToString::to_string).collect() };
    let mut names: Vec<String> = summary.terms.iter().filter_map(|term| term.class.clone()).collect();
    names.dedup();
    names
}

/// The effects of all columns, in the order of the design.
pub(super) fn effects(input: &ReportInput<'_>) -> Vec<Effect> {
    let document = input.document;
    // Solvers other than least squares divide each column by its standard deviation. For least squares it follows from
    // R.
    let standardised = !matches!(document.estimator, Coefficients::Linear(_));
    let columns = &document.preprocess.columns;
    let effect = |(i, column): (usize, &ordinate_model::preprocess::DesignColumn)| {
        // The terms of each class follow each other.
        let terms: Vec<&Term> = input
            .summary
            .map(|summary| summary.terms.iter().skip(i).step_by(columns.len().max(1)).collect())
            .unwrap_or_default();
        let deviation = if standardised {
            Some(column.scale)
        } else {
            terms.first().and_then(|term| term.standard_deviation).or_else(|| from_triangle(input, i))
        };
        let stored = document.estimator.get(&column.name).unwrap_or_default();
        let per_unit: Vec<f64> = if terms.is_empty() {
            stored.iter().map(|value| value / column.scale).collect()
        } else {
            terms.iter().map(|term| term.estimate).collect()
        };
        let interval = |term: &&Term| Some(term.interval?.map(|end| end * deviation.unwrap_or(1.0)));
        let mut intervals: Vec<Option<[f64; 2]>> = terms.iter().map(interval).collect();
        intervals.resize(per_unit.len(), None);
        Effect {
            name: column.name.clone(),
            per_deviation: deviation.map(|sd| per_unit.iter().map(|value| value * sd).collect()),
            intervals,
            per_unit,
        }
    };
    columns.iter().enumerate().map(effect).collect()
}

fn from_triangle(input: &ReportInput<'_>, column: usize) -> Option<f64> {
    let inference = input.document.inference.as_ref()?;
    let rows = inference.weight.unwrap_or(input.document.training.rows.unwrap_or_default() as f64);
    let entries = inference.r.iter().take(column + 1).enumerate().filter_map(|(i, row)| row.get(column - i));
    Some((entries.map(|value| value * value).sum::<f64>() / rows).sqrt())
}

/// The rows of a forest plot.
pub(super) struct ForestRows {
    /// The columns with the largest effects, or the largest effects on any class.
    pub(super) rows: Vec<ForestRow>,
    /// The number of columns or effects that are left out.
    pub(super) left_out: usize,
    /// The number of columns without intervals, which are not drawn among others that have them: they may be of any
    /// size.
    pub(super) undetermined: usize,
    /// Whether each line names its class; otherwise each class has a colour.
    pub(super) names_classes: bool,
}

/// The largest effects as rows of a forest plot, in units of `unit`. A few classes are lines of one column in different
/// colours; for more classes than colours, each line has the name of the class.
pub(super) fn forest_rows(effects: &[Effect], classes: &[String], unit: f64) -> ForestRows {
    let has_interval = |effect: &&Effect| effect.intervals.iter().any(Option::is_some);
    let drawn: Vec<&Effect> = effects.iter().filter(has_interval).collect();
    let drawn = if drawn.is_empty() { effects.iter().collect() } else { drawn };
    let undetermined = effects.len() - drawn.len();
    ForestRows { undetermined, ..largest_rows(&drawn, classes, unit) }
}

fn largest_rows(effects: &[&Effect], classes: &[String], unit: f64) -> ForestRows {
    if classes.len() > COLOURS {
        return rows_of_classes(effects, classes, unit);
    }
    let size = |effect: &Effect| comparable(effect).iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let mut sorted = effects.to_vec();
    sorted.sort_by(|one, other| size(other).total_cmp(&size(one)));
    let scores = effects.first().map_or(1, |effect| effect.per_unit.len()).max(1);
    let shown = SHOWN / scores;
    let row = |effect: &&Effect| {
        let lines = comparable(effect).iter().zip(&effect.intervals);
        let lines = lines.map(|(value, interval)| line(*value, *interval, unit)).collect();
        ForestRow { name: effect.name.clone(), lines }
    };
    ForestRows {
        rows: sorted.iter().take(shown).map(row).collect(),
        left_out: sorted.len().saturating_sub(shown),
        undetermined: 0,
        names_classes: false,
    }
}

fn rows_of_classes(effects: &[&Effect], classes: &[String], unit: f64) -> ForestRows {
    let of_effect = |effect: &Effect| -> Vec<(String, f64, Option<[f64; 2]>)> {
        let values = comparable(effect).iter().zip(&effect.intervals).zip(classes);
        let named = values.map(|((value, interval), class)| (format!("{class}: {}", effect.name), *value, *interval));
        named.collect()
    };
    let mut all: Vec<_> = effects.iter().copied().flat_map(of_effect).collect();
    all.sort_by(|(_, one, _), (_, other, _)| other.abs().total_cmp(&one.abs()));
    let left_out = all.len().saturating_sub(SHOWN);
    let row = |(name, value, interval)| ForestRow { name, lines: vec![line(value, interval, unit)] };
    let rows = all.into_iter().take(SHOWN).map(row).collect();
    ForestRows { rows, left_out, undetermined: 0, names_classes: true }
}

fn line(value: f64, interval: Option<[f64; 2]>, unit: f64) -> ForestLine {
    ForestLine { value: value / unit, interval: interval.map(|ends| ends.map(|end| end / unit)) }
}

fn comparable(effect: &Effect) -> &[f64] {
    effect.per_deviation.as_ref().unwrap_or(&effect.per_unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(number: u32, intervals: Vec<Option<[f64; 2]>>) -> Effect {
        Effect {
            name: format!("x{number}"),
            per_unit: vec![f64::from(number); intervals.len()],
            per_deviation: Some(vec![-2.0 * f64::from(number); intervals.len()]),
            intervals,
        }
    }

    #[test]
    fn effects_without_intervals_are_drawn_by_their_size() {
        let effects: Vec<Effect> = (0..50).map(|number| effect(number, vec![None])).collect();
        let ForestRows { rows, left_out, undetermined, names_classes } = forest_rows(&effects, &[], 4.0);
        assert_eq!((rows.len(), left_out, undetermined, names_classes), (40, 10, 0, false));
        let row =
            |name: &str, value| ForestRow { name: name.into(), lines: vec![ForestLine { value, interval: None }] };
        assert_eq!(rows[..2], [row("x49", -24.5), row("x48", -24.0)]);
    }

    #[test]
    fn effects_without_intervals_are_not_drawn_among_others() {
        let effects = [effect(9, vec![None]), effect(1, vec![Some([-3.0, -1.0])]), effect(8, vec![None])];
        let ForestRows { rows, left_out, undetermined, .. } = forest_rows(&effects, &[], 1.0);
        let lines = vec![ForestLine { value: -2.0, interval: Some([-3.0, -1.0]) }];
        assert_eq!((rows, left_out, undetermined), (vec![ForestRow { name: "x1".to_owned(), lines }], 0, 2));
    }

    #[test]
    fn more_classes_than_colours_have_a_line_for_each_class() {
        let classes: Vec<String> = (0..9).map(|class| format!("c{class}")).collect();
        let effects = [effect(1, vec![None; 9]), effect(2, vec![None; 9])];
        let ForestRows { rows, left_out, names_classes, .. } = forest_rows(&effects, &classes, 1.0);
        assert_eq!((rows.len(), left_out, names_classes), (18, 0, true));
        assert_eq!((rows[0].name.as_str(), rows[9].name.as_str()), ("c0: x2", "c0: x1"));
    }
}
