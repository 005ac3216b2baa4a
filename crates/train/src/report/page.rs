//! The report as one HTML page: no scripts, no fonts, nothing that is fetched.

use std::fmt::Write as _;

use super::chart::spark;
use super::coefficients::coefficients;
use super::diagnostics::{self, Figure};
use super::table::{Cell, Table};
use super::{MeasuredOn, ReportInput, counted, escape, family, tested_apart, told};
use crate::evaluate::{Evaluation, title};
use crate::summary::{rounded, significant};
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, UnknownPolicy};

/// Rows of a table of columns at most; a page is for reading.
pub(super) const TABLE_ROWS: usize = 200;

/// The whole page.
#[must_use]
pub fn html(input: &ReportInput<'_>) -> String {
    let document = input.document;
    let name = format!("{}@{}", document.name, document.version);
    let mut sections = vec![Section { id: "data", heading: "Data", body: data(input) }];
    let figures = input.observed.map_or_else(Vec::new, |observed| diagnostics::predictions(input, observed));
    sections.push(Section {
        id: "quality",
        heading: "How well it predicts",
        body: metrics(input) + &figured(&figures) + &confusion(input),
    });
    sections.push(Section { id: "coefficients", heading: "Coefficients", body: coefficients(input) });
    let residuals = input.observed.map_or_else(Vec::new, |observed| diagnostics::residuals(input, observed));
    sections.push(Section { id: "residuals", heading: "Residuals", body: figured(&residuals) });
    sections.push(Section { id: "choice", heading: "Choice of the penalty", body: choice(input) });
    sections.push(Section { id: "making", heading: "How it was made", body: making(input) });
    sections.retain(|section| !section.body.is_empty());

    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}: model report</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<p class=\"kicker\">Model report</p>\n<h1>{0}</h1>\n{1}</header>\n",
        escape(&name),
        lead(input)
    );
    page += "<nav aria-label=\"Sections\"><ul>";
    for Section { id, heading, .. } in &sections {
        let _ = write!(page, "<li><a href=\"#{id}\">{heading}</a></li>");
    }
    page += "</ul></nav>\n<main>\n";
    for Section { id, heading, body } in &sections {
        let _ = write!(
            page,
            "<section id=\"{id}\" aria-labelledby=\"{id}-heading\">\n<h2 id=\"{id}-heading\">{heading}</h2>\n{body}</section>\n"
        );
    }
    let _ = write!(
        page,
        "</main>\n<footer><p>Made by {}.</p></footer>\n</body>\n</html>\n",
        escape(&document.training.tool)
    );
    page
}

const STYLE: &str = include_str!("style.css");

struct Section {
    id: &'static str,
    heading: &'static str,
    body: String,
}

/// What the model is, in a sentence and a few large numbers.
fn lead(input: &ReportInput<'_>) -> String {
    let document = input.document;
    let signature = &document.signature;
    let goal = match document.estimator.classes() {
        Some(classes) => {
            format!("tells {} classes of <strong>{}</strong> apart", classes.len(), escape(&signature.target().name))
        }
        None => format!("predicts <strong>{}</strong>", escape(&signature.target().name)),
    };
    let from = counted(signature.width(), "feature", "features");
    let mut text = format!("<p class=\"lead\">This model {goal} from {from} by {}.", family(document));
    if document.preprocess.target_transform == TargetTransform::Log {
        text += " It was fitted to the logarithm of the target; predictions are medians.";
    }
    text += "</p>\n<dl class=\"tiles\">";
    let mut tile = |name: &str, value: &str| {
        let _ = write!(text, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    };
    tile("rows", &document.training.rows.to_string());
    if let Some(MeasuredOn { side, values, .. }) = input.metrics().last() {
        for (name, value) in
            values.iter().filter(|(name, _)| ["r2", "rmse", "accuracy", "roc_auc", "log_loss"].contains(&name.as_str()))
        {
            tile(&format!("{}, {side}", title(name)), &rounded(*value, 3));
        }
    }
    text += "</dl>\n";
    if !input.notes.is_empty() {
        text += "<ul class=\"notes\">";
        for note in input.notes {
            let _ = write!(text, "<li>{}</li>", escape(note));
        }
        text += "</ul>\n";
    }
    text
}

fn data(input: &ReportInput<'_>) -> String {
    let document = input.document;
    let features = document.signature.features();
    let mut body = String::new();
    if let Some(observed) = input.observed {
        let name =
            if input.data.is_empty() { String::new() } else { format!(" of <code>{}</code>", escape(input.data)) };
        let held_out = match (observed.held_out, observed.unseen) {
            (0, _) => "none of them held out".to_owned(),
            (held_out, 0) => format!("{held_out} of them held out of the fit that was measured"),
            (_, unseen) => format!("and {unseen} rows of other data to measure on"),
        };
        let _ = writeln!(body, "<p>{} rows{name}, {held_out}.</p>", observed.rows - observed.unseen);
    }
    let mut table = Table::new(
        "Features and target",
        &["column", "type", "missing", "smallest", "mean", "largest", "std. dev.", "distribution"],
    );
    for (i, feature) in features.iter().enumerate().take(TABLE_ROWS) {
        let column = input.observed.and_then(|observed| observed.columns.get(i));
        let numeric = matches!(feature.kind, FeatureType::Double | FeatureType::Long);
        let number =
            |value: Option<f64>| value.filter(|v| numeric && v.is_finite()).map_or_else(dash, |v| rounded(v, 4));
        let range = column.and_then(|column| column.range).or(feature.range);
        let missing = column.map_or_else(dash, |column| column.missing.to_string());
        let counts = column.map(|column| column.counts.as_slice()).unwrap_or_default();
        let spark = spark(&format!("Distribution of {}", feature.name), counts).unwrap_or_default();
        table.row(
            &feature.name,
            &[
                Cell::Text(kind(feature)),
                Cell::Number(missing + &imputed(feature)),
                Cell::Number(number(range.map(|[low, _]| low))),
                Cell::Number(number(column.filter(|column| column.present > 0).map(|column| column.mean))),
                Cell::Number(number(range.map(|[_, high]| high))),
                Cell::Number(number(column.and_then(super::Column::standard_deviation))),
                Cell::Html(spark),
            ],
        );
    }
    let target = document.signature.target();
    if let Some(column) = input.observed.map(|observed| &observed.target).filter(|column| column.present > 0) {
        table.row(
            &format!("{} (target)", target.name),
            &[
                Cell::Text("number".into()),
                Cell::Number("0".into()),
                Cell::Number(column.range.map_or_else(dash, |[low, _]| rounded(low, 4))),
                Cell::Number(rounded(column.mean, 4)),
                Cell::Number(column.range.map_or_else(dash, |[_, high]| rounded(high, 4))),
                Cell::Number(column.standard_deviation().map_or_else(dash, |sd| rounded(sd, 4))),
                Cell::Html(String::new()),
            ],
        );
    }
    body += &table.html();
    if features.len() > TABLE_ROWS {
        let _ = writeln!(body, "<p>{} more features are not shown.</p>", features.len() - TABLE_ROWS);
    }
    body + &class_counts(input)
}

fn class_counts(input: &ReportInput<'_>) -> String {
    let (Some(classes), Some(observed)) = (input.document.estimator.classes(), input.observed) else {
        return String::new();
    };
    let target = &input.document.signature.target().name;
    let mut table = Table::new("Classes", &[target, "rows", "share"]);
    for (class, count) in classes.iter().zip(&observed.classes) {
        let share = *count as f64 / (observed.rows - observed.unseen).max(1) as f64;
        table.row(&class.to_string(), &[Cell::Number(count.to_string()), Cell::Number(percent(share))]);
    }
    table.html()
}

fn kind(feature: &Feature) -> String {
    match feature.kind {
        FeatureType::Double => "number".into(),
        FeatureType::Long => "whole number".into(),
        FeatureType::Boolean => "true or false".into(),
        FeatureType::String => {
            let others = if feature.unknown == UnknownPolicy::Ignore { ", others allowed" } else { "" };
            format!("{}{others}", counted(feature.levels.len(), "category", "categories"))
        }
    }
}

fn imputed(feature: &Feature) -> String {
    match &feature.missing {
        MissingPolicy::Impute(Scalar::Number(value)) => format!(" → {}", rounded(*value, 4)),
        MissingPolicy::Impute(value) => format!(" → {value}"),
        MissingPolicy::Reject => String::new(),
    }
}

fn metrics(input: &ReportInput<'_>) -> String {
    let sides = input.metrics();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in sides.iter().flat_map(|measured| &measured.values) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return String::new();
    }
    let mut headings = vec!["metric".to_owned()];
    headings.extend(sides.iter().map(|MeasuredOn { side, rows, .. }| match rows {
        Some(rows) => format!("{side} ({rows})"),
        None => side.clone(),
    }));
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let mut table = Table::new("Metrics", &headings);
    for name in names {
        let cell = |measured: &MeasuredOn| Cell::Number(measured.get(name).map_or_else(dash, significant));
        table.row(title(name), &sides.iter().map(cell).collect::<Vec<_>>());
    }
    let held_out = sides.iter().any(|measured| measured.side == "held out");
    let note = if held_out && tested_apart(input) {
        "<p>The column <em>held out</em> counts: it is measured on other data, which the model has not seen.</p>\n"
    } else if held_out {
        "<p>The column <em>held out</em> counts: the fit that is measured had not seen those rows. The model itself is then fitted to all rows.</p>\n"
    } else {
        "<p>No rows were held out: this is how well the model fits, not how well it predicts.</p>\n"
    };
    note.to_owned() + &table.html()
}

/// Actual classes by predicted ones, shaded by their share of the actual class.
fn confusion(input: &ReportInput<'_>) -> String {
    let (Some(classes), Some(observed)) = (input.document.estimator.classes(), input.observed) else {
        return String::new();
    };
    let Evaluation::Classification(evaluation) = &observed.evaluation else { return String::new() };
    let names: Vec<String> = classes.iter().map(ToString::to_string).collect();
    let mut headings = vec!["actual"];
    headings.extend(names.iter().map(String::as_str));
    let of = if observed.held_out > 0 {
        "Confusion matrix of the rows held out: a column for each predicted class"
    } else {
        "Confusion matrix: a column for each predicted class"
    };
    let mut table = Table::new(of, &headings);
    for (name, counts) in names.iter().zip(evaluation.confusion()) {
        let total: f64 = counts.iter().sum();
        let cells: Vec<Cell> = counts
            .iter()
            .map(|count| Cell::Shaded(rounded(*count, 6), if total > 0.0 { count / total } else { 0.0 }))
            .collect();
        table.row(name, &cells);
    }
    table.html()
}

fn choice(input: &ReportInput<'_>) -> String {
    let Some(path) = input.path else { return String::new() };
    let chosen = path.points.iter().find(|point| point.value.total_cmp(&path.chosen).is_eq());
    let kept = chosen
        .and_then(|point| point.nonzero)
        .map_or_else(String::new, |count| format!(", which keeps {}", counted(count, "coefficient", "coefficients")));
    let intro = format!(
        "<p>{} = {} was chosen by the rule “{}” among {} candidates{kept}.</p>\n",
        escape(&path.parameter),
        rounded(path.chosen, 4),
        escape(&path.rule),
        path.points.len()
    );
    let figures: Vec<Figure> = diagnostics::path(path).into_iter().collect();
    intro + &figured(&figures)
}

fn making(input: &ReportInput<'_>) -> String {
    let training = &input.document.training;
    let mut table = Table::new("What is needed to make it again", &["item", "value"]);
    table.row("trained", &[Cell::Text(input.document.created.clone())]);
    for (name, value) in &training.parameters {
        table.row(&name.replace('_', " "), &[Cell::Text(told(value))]);
    }
    table.row("seed", &[Cell::Text(training.seed.to_string())]);
    table.row("SHA-256 of the data", &[Cell::Html(format!("<code>{}</code>", training.data_sha256))]);
    if let Some(sum) = &input.document.sha256 {
        table.row("SHA-256 of the model", &[Cell::Html(format!("<code>{sum}</code>"))]);
    }
    table.row("tool", &[Cell::Text(format!("{}, smartcore {}", training.tool, training.smartcore))]);
    let outside = "<p>A linear model says something about every row it is given. Outside the ranges above nobody has checked what it says.</p>\n";
    table.html() + outside
}

fn figured(figures: &[Figure]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let body: String = figures.iter().map(wide).collect();
    format!("<div class=\"figures\">\n{body}</div>\n")
}

pub(super) fn wide(figure: &Figure) -> String {
    let Figure { heading, svg, caption } = figure;
    format!("<figure>\n<h3>{heading}</h3>\n{svg}\n<figcaption>{caption}</figcaption>\n</figure>\n")
}

pub(super) fn dash() -> String {
    "–".to_owned()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
