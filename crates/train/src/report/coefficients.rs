//! The section on coefficients.

use maud::{Markup, html};

use super::chart::{SERIES, forest, shortened};
use super::effects::{Effect, effects, forest_rows};
use super::figure::Figure;
use super::input::ReportInput;
use super::table::{DASH, ReportTable, TABLE_ROWS, TableCell};
use crate::intercept::intercepts;
use crate::summary::{Summary, rounded, significant};

/// The effect of each column on a prediction: a chart and a table.
pub(super) fn coefficients(input: &ReportInput<'_>) -> Markup {
    let effects = effects(input);
    html! {
        @if let Some(figure) = chart(input, &effects) { (figure) }
        @match input.summary {
            Some(summary) => { (summary_table(summary)) (statistics_table(summary)) }
            None => (coefficient_table(input, &effects)),
        }
    }
}

fn chart(input: &ReportInput<'_>, effects: &[Effect]) -> Option<Figure> {
    let (rows, left_out) = forest_rows(effects);
    let is_standardised = effects.iter().all(|effect| effect.per_deviation.is_some());
    let classes = input.document.estimator.classes();
    let target = shortened(&input.document.signature.target().name);
    let transform = input.document.scale();
    let quantity = classes.map_or_else(|| transform.describe(&target), |_| "score".to_owned());
    let step = match is_standardised {
        true if input.document.preprocess.through_origin => "root mean square",
        true => "standard deviation",
        false => "unit",
    };
    let x = format!("change of {quantity} per {step}");
    let svg = forest("Coefficients by size, with confidence intervals if available", &x, &rows)?;
    let level = input.summary.map(|summary| rounded(summary.level * 100.0, 4));
    let caption = html! {
        "The largest effects first, for one " (step) " of each column, so that they can be compared."
        @if let Some(level) = level {
            " Bars are " (level) " % confidence intervals; where one crosses zero, the sign of the effect is uncertain."
        }
        @if let Some(classes) = classes.filter(|classes| classes.len() > 2) {
            " One line for each class, from the top: "
            @for (series, class) in classes.iter().enumerate() {
                @if series > 0 { ", " }
                span style={ "color:var(--series-" (series % SERIES.len() + 1) ")" } aria-hidden="true" { "●" }
                " " (class.to_string())
            }
            "."
        }
        @if left_out > 0 { " The " (left_out) " smallest are not shown." }
    };
    Some(Figure { heading: "Effects", svg, caption })
}

fn summary_table(summary: &Summary) -> ReportTable {
    let percent = rounded(summary.level * 100.0, 4);
    let mut caption = format!("Estimates: change of {} for one unit of the column", summary.target);
    if let Some(reference) = &summary.reference {
        caption += &format!(", against the class {reference}");
    }
    let from = format!("{percent} % from");
    let headings = ["column", "estimate", "std. error", summary.statistic_name(), "p", &from, "to"];
    let ratios = summary.ratio_name().map(|name| [name, &from, "to"]);
    let vif = summary.has_vif().then_some("VIF");
    let mut table = ReportTable::new(caption, headings.into_iter().chain(ratios.into_iter().flatten()).chain(vif));
    for term in summary.all_terms().take(TABLE_ROWS) {
        let cells = summary.cells(term).into_iter();
        let cells = cells.map(|cell| TableCell::Number(cell.unwrap_or_else(|| DASH.to_owned())));
        let name = term.class.as_ref().map_or_else(|| term.name.clone(), |class| format!("{class}: {}", term.name));
        table.row(&name, cells.collect());
    }
    table
}

fn statistics_table(summary: &Summary) -> ReportTable {
    let mut table = ReportTable::new("Statistics of the fit", ["statistic", "value"]);
    for (name, value) in summary.statistics() {
        table.row(name, vec![TableCell::Text(value)]);
    }
    table
}

fn coefficient_table(input: &ReportInput<'_>, effects: &[Effect]) -> ReportTable {
    let classes = input.document.estimator.classes().unwrap_or_default();
    let through_origin = input.document.preprocess.through_origin;
    let deviation = if through_origin { "per root mean square" } else { "per std. dev." };
    let names: Vec<String> = if classes.len() > 2 {
        classes.iter().flat_map(|class| [format!("{class}, per unit"), format!("{class}, {deviation}")]).collect()
    } else {
        ["per unit".to_owned(), deviation.to_owned()].to_vec()
    };
    let mut table = ReportTable::new("Coefficients", ["column".to_owned()].into_iter().chain(names));
    for effect in effects.iter().take(TABLE_ROWS) {
        let cells = effect.per_unit.iter().enumerate().flat_map(|(i, value)| {
            let deviation = effect.per_deviation.as_ref().and_then(|values| values.get(i)).copied();
            [TableCell::Number(significant(*value)), TableCell::number(deviation, significant)]
        });
        table.row(&effect.name, cells.collect());
    }
    if !through_origin {
        let mut row = |name: &str, scores: &[f64]| {
            let cells = scores.iter().flat_map(|value| [significant(*value), DASH.to_owned()].map(TableCell::Number));
            table.row(name, cells.collect());
        };
        row("(intercept)", &intercepts(input.document));
        row("(at the means of all columns)", input.document.estimator.intercepts());
    }
    table
}
