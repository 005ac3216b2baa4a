//! Coefficients in comparable units.

use super::chart::{ForestRow, shortened};
use super::input::ReportInput;
use ordinate_model::estimator::Coefficients;

/// The coefficients of one column: one for each class, or one for a regression or two classes.
#[derive(Debug, Clone)]
pub(super) struct Effect {
    pub(super) name: String,
    /// For one unit of the column.
    pub(super) per_unit: Vec<f64>,
    /// For one standard deviation of the column, or without an intercept its root mean square, if that is known.
    pub(super) per_deviation: Option<Vec<f64>>,
    /// The confidence interval of the coefficient for one standard deviation.
    pub(super) interval: Option<[f64; 2]>,
}

/// The most lines of a chart.
const SHOWN: usize = 40;

/// The effects of all columns, in the order of the design.
pub(super) fn effects(input: &ReportInput<'_>) -> Vec<Effect> {
    let document = input.document;
    // Penalised fits divide each column by its standard deviation. For least squares it follows from the factor R.
    let standardised = !matches!(document.estimator, Coefficients::Linear(_));
    let columns = document.preprocess.columns.iter();
    let values = columns.clone().filter_map(|column| document.estimator.get(&column.name)).map(<[f64]>::to_vec);
    columns
        .zip(values)
        .enumerate()
        .map(|(i, (column, values))| {
            let term = input.summary.and_then(|summary| summary.terms.get(i));
            let deviation = if standardised {
                Some(column.scale)
            } else {
                term.and_then(|term| term.standard_deviation).or_else(|| from_triangle(input, i))
            };
            let per_unit: Vec<f64> = values.iter().map(|value| value / column.scale).collect();
            Effect {
                name: column.name.clone(),
                per_deviation: deviation.map(|sd| per_unit.iter().map(|value| value * sd).collect()),
                interval: term.and_then(|term| Some(term.interval?.map(|end| end * deviation.unwrap_or(1.0)))),
                per_unit,
            }
        })
        .collect()
}

fn from_triangle(input: &ReportInput<'_>, column: usize) -> Option<f64> {
    let inference = input.document.inference.as_ref()?;
    let rows = inference.weight.unwrap_or(input.document.training.rows as f64);
    let entries = inference.r.iter().take(column + 1).enumerate().filter_map(|(i, row)| row.get(column - i));
    Some((entries.map(|value| value * value).sum::<f64>() / rows).sqrt())
}

/// The columns with the largest effects as rows of a forest plot, and the number of those that are left out.
pub(super) fn forest_rows(effects: &[Effect]) -> (Vec<ForestRow>, usize) {
    let comparable = |effect: &Effect| effect.per_deviation.clone().unwrap_or_else(|| effect.per_unit.clone());
    let size = |effect: &Effect| comparable(effect).iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let mut sorted: Vec<&Effect> = effects.iter().collect();
    sorted.sort_by(|one, other| size(other).total_cmp(&size(one)));
    let scores = effects.first().map_or(1, |effect| effect.per_unit.len()).max(1);
    let shown = SHOWN / scores;
    let left_out = sorted.len().saturating_sub(shown);
    // The lines of one column are adjacent, with a gap to the next column, and the name is next to the middle one.
    let gap = if scores > 1 { 0.8 } else { 0.0 };
    let line = |(group, effect): (usize, &&Effect)| {
        let interval = effect.interval;
        let name = shortened(&effect.name);
        let first = group as f64 * (scores as f64 + gap);
        let values = comparable(effect).into_iter().enumerate();
        values
            .map(|(series, value)| ForestRow {
                name: if series == (scores - 1) / 2 { name.clone() } else { String::new() },
                value,
                interval,
                series,
                line: first + series as f64,
            })
            .collect::<Vec<_>>()
    };
    (sorted.iter().take(shown).enumerate().flat_map(line).collect(), left_out)
}
