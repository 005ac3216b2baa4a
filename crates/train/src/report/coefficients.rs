//! The section on coefficients.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::card::code;
use super::chart::{forest, legend};
use super::effects::{Effect, ForestRows, effects, forest_rows, score_classes};
use super::figure::Figure;
use super::input::ReportInput;
use super::table::{DASH, ReportTable, TABLE_ROWS, TableCell};
use super::value_axis::ValueAxis;
use crate::intercept::intercepts;
use crate::summary::{Summary, rounded, significant};
use ordinate_model::artifact::Document;
use ordinate_model::estimator::Coefficients;
use ordinate_model::wording::counted;

/// The effect of each column on a prediction: a chart and a table.
pub(super) fn coefficients(input: &ReportInput<'_>) -> Markup {
    let effects = effects(input);
    html! {
        @if let Some(figure) = chart(input, &effects) { (figure) }
        @match input.summary {
            Some(summary) => { (summary_table(summary)) (statistics_table(summary)) }
            None => {
                (coefficient_table(input, &effects))
                @if let Some(reason) = no_standard_errors(input.document) { p { (reason) } }
            }
        }
    }
}

/// Why a model without a summary has no standard errors, in sentences; none for a fit without a penalty, whose notes
/// say it.
#[must_use]
pub fn no_standard_errors(document: &Document) -> Option<String> {
    let option = match &document.estimator {
        Coefficients::Logistic(_) => {
            let is_penalised = document.training.parameters.get("c").is_none_or(|c| c != "inf");
            is_penalised.then_some("--c inf")?
        }
        Coefficients::Ridge(_) | Coefficients::Lasso(_) | Coefficients::ElasticNet(_) => "--estimator linear",
        Coefficients::Poisson(_) | Coefficients::Gamma(_) => {
            let alpha = document.training.parameters.get("alpha").and_then(serde_json::Value::as_f64);
            alpha.is_some_and(|alpha| alpha > 0.0).then_some("Training with --alpha 0")?
        }
        Coefficients::Linear(_) => return None,
    };
    Some(format!(
        "Standard errors are not available: a penalty biases the coefficients towards zero. {option} fits without a \
         penalty."
    ))
}

/// The statistics of the fit for a model card; without statistics the coefficients, and the reason.
pub(super) fn card_section(input: &ReportInput<'_>) -> String {
    let Some(summary) = input.summary else { return card_coefficients(input) };
    let mut text = "\n## Statistics of the fit\n\n| | |\n|---|---|\n".to_owned();
    for (name, value) in summary.statistics() {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text
}

/// The most coefficients of a model card.
const CARD_ROWS: usize = 30;

/// The coefficients of each score, the intercept first.
fn card_coefficients(input: &ReportInput<'_>) -> String {
    let effects = effects(input);
    let classes = score_classes(input);
    let intercepts = if input.document.preprocess.through_origin { Vec::new() } else { intercepts(input.document) };
    let scores = effects.first().map_or(intercepts.len(), |effect| effect.per_unit.len());
    let rows = (0..scores).flat_map(|score| {
        let prefix = classes.get(score).map_or_else(String::new, |class| format!("{class}: "));
        let row = move |name: &str, per_unit: f64, per_deviation: Option<f64>| {
            let deviation = per_deviation.map_or_else(|| DASH.to_owned(), significant);
            format!("| `{}` | {} | {deviation} |\n", code(&format!("{prefix}{name}")), significant(per_unit))
        };
        let intercept = intercepts.get(score).map(|value| row("(intercept)", *value, None));
        let of_columns = effects.iter().filter_map(move |effect| {
            let per_deviation = effect.per_deviation.as_ref().and_then(|values| values.get(score)).copied();
            Some(row(&effect.name, *effect.per_unit.get(score)?, per_deviation))
        });
        intercept.into_iter().chain(of_columns)
    });
    let rows: Vec<String> = rows.collect();
    let deviation = per_deviation(input);
    let mut text = format!("\n## Coefficients\n\n| column | per unit | {deviation} |\n|---|---|---|\n");
    text.extend(rows.iter().take(CARD_ROWS).map(String::as_str));
    if rows.len() > CARD_ROWS {
        let _ = writeln!(text, "\nand {} more.", rows.len() - CARD_ROWS);
    }
    if let Some(reason) = no_standard_errors(input.document) {
        let _ = writeln!(text, "\n{reason}");
    }
    text
}

/// The heading of comparable coefficients.
fn per_deviation(input: &ReportInput<'_>) -> &'static str {
    if input.document.preprocess.through_origin { "per root mean square" } else { "per std. dev." }
}

fn chart(input: &ReportInput<'_>, effects: &[Effect]) -> Option<Figure> {
    let classes = score_classes(input);
    let ratio = input.summary.and_then(Summary::ratio_name);
    let ratio = ratio.or_else(|| input.document.estimator.classes().map(|_| "odds ratio"));
    let axis = if ratio.is_some() { ValueAxis::Ratio } else { ValueAxis::Linear };
    let ForestRows { rows, left_out, undetermined, names_classes } = forest_rows(effects, &classes, axis.unit());
    let is_standardised = effects.iter().all(|effect| effect.per_deviation.is_some());
    let target = &input.document.signature.target().name;
    let step = match is_standardised {
        true if input.document.preprocess.through_origin => "root mean square",
        true => "standard deviation",
        false => "unit",
    };
    let x = match ratio {
        Some(ratio) => format!("{ratio} per {step}, logarithmic axis"),
        None => format!("change of {} per {step}", input.document.preprocess.target_transform.describe(target)),
    };
    let chart = forest(&x, &rows, axis)?;
    let level = input.summary.map(|summary| rounded(summary.level * 100.0, 4));
    let no_effect = if ratio.is_some() { "1" } else { "zero" };
    let has_colours = !names_classes && !classes.is_empty();
    let caption = html! {
        @if has_colours { (legend(&classes.iter().map(String::as_str).collect::<Vec<_>>())) }
        "The largest effects first, for one " (step) " of each column, so that they can be compared."
        @if has_colours { " Each class has a line, in the order of the legend." }
        @if let Some(ratio) = ratio { " " (compared(input, ratio)) }
        @if let Some(level) = level {
            " Bars are " (level) " % confidence intervals; where one crosses " (no_effect)
            ", the sign of the effect is uncertain."
        }
        @if left_out > 0 { " The " (left_out) " smallest are not shown." }
        @if undetermined > 0 {
            " " (counted(undetermined, "coefficient", "coefficients"))
            " that the data do not determine " (if undetermined == 1 { "is" } else { "are" }) " not drawn."
        }
    };
    Some(Figure { heading: "Effects", chart, caption })
}

/// The two quantities that a ratio compares.
fn compared(input: &ReportInput<'_>, ratio: &str) -> String {
    match input.document.estimator.classes() {
        Some([_, second]) => format!("Odds are those of the class {second}; 1 is no effect."),
        Some(_) => match input.summary.and_then(|summary| summary.reference.as_ref()) {
            Some(reference) => format!("Odds compare each class with {reference}; 1 is no effect."),
            None => "Odds compare each class with the geometric mean of all classes; 1 is no effect.".to_owned(),
        },
        None => format!("A {ratio} of 1 is no effect."),
    }
}

fn summary_table(summary: &Summary) -> ReportTable {
    let percent = rounded(summary.level * 100.0, 4);
    let caption = format!("Estimates: change of {} for one unit of the column", summary.target);
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
    let deviation = per_deviation(input);
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
