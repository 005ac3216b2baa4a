//! The section on coefficients.

use super::chart::{SERIES, forest, shortened};
use super::diagnostics::Figure;
use super::effects::{Effect, effects, twigs};
use super::page::{TABLE_ROWS, dash, wide};
use super::table::{Cell, Table};
use super::{ReportInput, escape};
use crate::intercept::intercepts;
use crate::summary::{probability, ratio, rounded, significant};
use ordinate_model::scalar::Scalar;

/// What each column does to a prediction: a chart and a table.
pub(super) fn coefficients(input: &ReportInput<'_>) -> String {
    let effects = effects(input);
    let (twigs, left_out) = twigs(&effects);
    let standardised = effects.iter().all(|effect| effect.per_deviation.is_some());
    let logistic = input.document.estimator.classes();
    let target = shortened(&input.document.signature.target().name);
    let transform = input.document.preprocess.target_transform;
    let what = logistic.map_or_else(|| transform.describe(&target), |_| "score".to_owned());
    let through_origin = input.document.preprocess.through_origin;
    let step = match standardised {
        true if through_origin => "root mean square",
        true => "standard deviation",
        false => "unit",
    };
    let x = format!("change of {what} per {step}");
    let mut body = String::new();
    if let Some(svg) = forest("Coefficients by size, with their intervals where there are any", &x, &twigs) {
        let level = input.summary.map(|summary| rounded(summary.level * 100.0, 4));
        let interval = level.map_or_else(String::new, |level| {
            format!(" Bars are {level} % confidence intervals; one that crosses zero leaves even the sign open.")
        });
        let colours = logistic.filter(|classes| classes.len() > 2).map_or_else(String::new, |classes| {
            let key = |(series, class): (usize, &Scalar)| {
                let class = escape(&class.to_string());
                format!(
                    "<span style=\"color:var(--series-{})\" aria-hidden=\"true\">●</span> {class}",
                    series % SERIES.len() + 1
                )
            };
            let names: Vec<String> = classes.iter().enumerate().map(key).collect();
            format!(" One line a class for each column, from the top: {}.", names.join(", "))
        });
        let more = if left_out > 0 { format!(" The {left_out} smallest are not shown.") } else { String::new() };
        let caption = format!(
            "Largest effects first, each for one {step} of its column so that they can be compared.{interval}{colours}{more}"
        );
        body += &wide(&Figure { heading: "Effects", svg, caption });
    }
    body + &coefficient_table(input, &effects)
}

fn coefficient_table(input: &ReportInput<'_>, effects: &[Effect]) -> String {
    if let Some(summary) = input.summary {
        let percent = rounded(summary.level * 100.0, 4);
        let (from, vif) = (format!("{percent} % from"), "VIF");
        let title = format!("Estimates: the change of {} for one unit of the column", summary.target);
        let mut table = Table::new(&title, &["column", "estimate", "std. error", "t", "p", &from, "to", vif]);
        let number = |value: Option<f64>| Cell::Number(value.map_or_else(dash, significant));
        for term in summary.intercept.iter().chain(&summary.terms).take(TABLE_ROWS) {
            table.row(
                &term.name,
                &[
                    Cell::Number(significant(term.estimate)),
                    number(term.standard_error),
                    Cell::Number(term.t.map_or_else(dash, ratio)),
                    Cell::Number(term.p.map_or_else(dash, probability)),
                    number(term.interval.map(|[low, _]| low)),
                    number(term.interval.map(|[_, high]| high)),
                    Cell::Number(term.vif.map_or_else(dash, |vif| rounded(vif, 4))),
                ],
            );
        }
        let mut whole = Table::new("The fit as a whole", &["measure", "value"]);
        for (name, value) in summary.whole() {
            whole.row(name, &[Cell::Text(value)]);
        }
        return table.html() + &whole.html();
    }
    let classes = input.document.estimator.classes().unwrap_or_default();
    let through_origin = input.document.preprocess.through_origin;
    let deviation = if through_origin { "per root mean square" } else { "per std. dev." };
    let names: Vec<String> = if classes.len() > 2 {
        classes.iter().flat_map(|class| [format!("{class}, per unit"), format!("{class}, {deviation}")]).collect()
    } else {
        ["per unit".to_owned(), deviation.to_owned()].to_vec()
    };
    let mut headings = vec!["column"];
    headings.extend(names.iter().map(String::as_str));
    let mut table = Table::new("Coefficients", &headings);
    for effect in effects.iter().take(TABLE_ROWS) {
        let cells = effect.per_unit.iter().enumerate().flat_map(|(i, value)| {
            let deviation = effect.per_deviation.as_ref().and_then(|values| values.get(i));
            [significant(*value), deviation.map_or_else(dash, |value| significant(*value))].map(Cell::Number)
        });
        table.row(&effect.name, &cells.collect::<Vec<_>>());
    }
    if !through_origin {
        let mut row = |name: &str, scores: &[f64]| {
            let cells = scores.iter().flat_map(|value| [significant(*value), dash()].map(Cell::Number));
            table.row(name, &cells.collect::<Vec<_>>());
        };
        row("(intercept)", &intercepts(input.document));
        row("(where every column is at its mean)", input.document.estimator.intercepts());
    }
    table.html()
}
