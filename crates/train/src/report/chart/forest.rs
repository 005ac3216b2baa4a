//! Forest plots: values with their intervals, one below the other.

use maud::{Markup, html};

use super::{Area, Extent, percent, series_class, shortened};
use crate::report::value_axis::{Tick, ValueAxis};

/// One row of a forest plot: a name and one line for each score.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct ForestRow {
    pub(in crate::report) name: String,
    pub(in crate::report) lines: Vec<ForestLine>,
}

/// A value and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report) struct ForestLine {
    pub(in crate::report) value: f64,
    pub(in crate::report) interval: Option<[f64; 2]>,
}

/// The most characters of a name.
const NAME: usize = 100;
/// From this number of rows on, the axis is above the rows too.
const TALL: usize = 12;

/// A forest plot: names as text, which wraps, and next to each the lines of its row; below it on a narrow screen.
pub(in crate::report) fn forest(x: &str, rows: &[ForestRow], axis: ValueAxis) -> Option<Markup> {
    let mut extent = Extent::default();
    extent.include(0.0);
    for line in rows.iter().flat_map(|row| &row.lines) {
        extent.include(line.value);
        line.interval.into_iter().flatten().for_each(|end| extent.include(end));
    }
    let area = Area { x: extent.padded()?, y: [0.0, 1.0] };
    let ticks = axis.across(area.x);
    let names = shortened(&rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), NAME);
    let labels = html! {
        div class="axis" aria-hidden="true" {
            dt {}
            dd {
                svg {
                    @for Tick { position, label, class } in &ticks {
                        text class=[class] x=(percent(area.across(*position))) y="1em" { (label) }
                    }
                }
            }
        }
    };
    Some(html! {
        dl class="forest" {
            @if rows.len() > TALL { (labels) }
            @for (row, name) in rows.iter().zip(&names) {
                dt title=[(*name != row.name).then_some(&row.name)] { (name) }
                dd style={ "--lines:" (row.lines.len()) } { (lines(row, area, &ticks, axis)) }
            }
            (labels)
        }
        p class="x" { (x) }
    })
    .filter(|_| !rows.is_empty())
}

/// The lines of a row, with the grid behind them.
fn lines(row: &ForestRow, area: Area, ticks: &[Tick], axis: ValueAxis) -> Markup {
    let zero = percent(area.across(0.0));
    let values: Vec<String> = row.lines.iter().map(|line| numbers(*line, axis)).collect();
    html! {
        svg role="img" {
            title { (row.name) ": " (values.join("; ")) }
            @for Tick { position, class, .. } in ticks {
                @let x = percent(area.across(*position));
                g class=[class] { line class="grid" x1=(x) x2=(x) y2="100%" {} }
            }
            line class="zero" x1=(zero) x2=(zero) y2="100%" {}
            @for (series, line) in row.lines.iter().enumerate() {
                @let y = percent((series as f64 + 1.0) / (row.lines.len() as f64 + 1.0));
                @let [from, to] = line.interval.unwrap_or([0.0, line.value]).map(|end| percent(area.across(end)));
                g class=(series_class(series)) {
                    line class=(if line.interval.is_some() { "interval" } else { "bar" }) x1=(from) x2=(to) y1=(y) y2=(y) {}
                    circle cx=(percent(area.across(line.value))) cy=(y) r="4" {}
                }
            }
        }
    }
}

/// A value and its interval as text.
fn numbers(line: ForestLine, axis: ValueAxis) -> String {
    let value = axis.label(line.value);
    match line.interval {
        Some([low, high]) => format!("{value}, from {} to {}", axis.label(low), axis.label(high)),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_an_interval_is_a_bar_from_zero() {
        let row = |value, interval| ForestRow { name: "x".to_owned(), lines: vec![ForestLine { value, interval }] };
        let rows = [row(-1.0, None), row(2.0, Some([1.5, 2.5]))];
        let svg = forest("x", &rows, ValueAxis::Linear).unwrap().into_string();
        let ends = |class: &str| -> [f64; 2] {
            let line = svg.split(&format!("<line class=\"{class}\"")).nth(1).unwrap();
            let end = |name: &str| line.split(name).nth(1).unwrap().split('%').next().unwrap().parse().unwrap();
            [end("x1=\""), end("x2=\"")]
        };
        let (zero, bar, interval) = (ends("zero"), ends("bar"), ends("interval"));
        assert!((bar[0] - zero[0]).abs() < 1e-9 && bar[1] < bar[0], "{svg}");
        assert!(interval[0] > zero[0] && interval[1] > interval[0], "{svg}");
        assert!(svg.contains("<title>x: 2, from 1.5 to 2.5</title>"), "{svg}");
    }

    #[test]
    fn a_plot_without_rows_is_not_drawn() {
        assert!(forest("x", &[], ValueAxis::Linear).is_none());
    }
}
