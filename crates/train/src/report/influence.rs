//! The fitted rows with the largest influence on the fit.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use maud::{Markup, html};

use super::input::ReportInput;
use super::report_data::{ReportData, distance};
use super::table::{ReportTable, TableCell};
use crate::evaluate::Label;
use crate::summary::rounded;
use ordinate_model::family::Family;
use ordinate_model::{Model, PredictedRow};

/// Rows in the table.
const SHOWN: usize = 10;

/// Rows that are kept until the total weight, and so their leverage, is known.
const CANDIDATES: usize = 100;

/// The most multiplications for the leverages of all rows: about a second.
const MOST_WORK: f64 = 1e9;

/// A fitted row and its influence on the fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InfluentialRow {
    /// The number of the row, from 0.
    pub row: u64,
    /// The target, or the position of the class.
    pub actual: f64,
    /// The prediction, or the probability of the class.
    pub predicted: f64,
    /// Target − prediction, of the logarithms if those were fitted; for a generalised linear model the Pearson
    /// residual; or the length of the differences between the probabilities and those of the class.
    pub residual: f64,
    /// The weight.
    pub weight: f64,
    /// The leverage, between 0 and 1.
    pub leverage: f64,
    /// Cook's distance: `r²h/((1 − h)p)` for the standardised residual r, leverage h and p coefficients. For classes,
    /// and without a residual variance, its analogue with the mean square of the residuals.
    pub distance: f64,
}

/// Keeps the rows with the largest influence.
#[derive(Debug)]
pub(super) struct InfluenceCollector {
    is_possible: bool,
    rows: f64,
    parameters: f64,
    family: Option<Family>,
    variance: Option<f64>,
    /// The sum of the working weights of a generalised linear model.
    working_weight: Option<f64>,
    through_origin: bool,
    weight: f64,
    squares: f64,
    fitted: u64,
    /// By approximate influence, whose bits are ordered as the numbers are, and row.
    kept: BinaryHeap<Reverse<(u64, u64, Kept)>>,
}

/// The numbers of a row as bits, so that rows can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    actual: u64,
    predicted: u64,
    residual: u64,
    weight: u64,
    /// The weight times the working weight of a generalised linear model.
    working: u64,
    distance: u64,
}

impl InfluenceCollector {
    pub(super) fn new(model: &Model) -> Self {
        let document = model.document();
        let columns = model.design().width() as f64;
        let rows = document.training.rows.unwrap_or_default() as f64;
        let inference = document.inference.as_ref();
        let through_origin = document.preprocess.through_origin;
        let family = document.estimator.glm_family();
        Self {
            is_possible: inference.is_some_and(|inference| !inference.r.is_empty())
                && rows * columns * columns <= MOST_WORK,
            rows,
            parameters: columns + if through_origin { 0.0 } else { 1.0 },
            family,
            variance: inference.and_then(|inference| inference.residual_variance.or(inference.dispersion)),
            working_weight: inference.filter(|_| family.is_some()).and_then(|inference| inference.weight),
            through_origin,
            weight: 0.0,
            squares: 0.0,
            fitted: 0,
            kept: BinaryHeap::new(),
        }
    }

    /// Adds a fitted row. `residual`: that of a regression.
    pub(super) fn push(
        &mut self,
        model: &Model,
        number: u64,
        label: &Label,
        row: &[f64],
        answer: PredictedRow<'_>,
        residual: Option<f64>,
    ) {
        if !self.is_possible {
            return;
        }
        let (predicted, residual) = match (answer, residual) {
            (PredictedRow::Value(value), Some(residual)) => (value, residual),
            (PredictedRow::Class { probabilities, .. }, _) => {
                let own = label.class();
                let off = |(class, p): (usize, &f64)| if class == own { (1.0 - p).powi(2) } else { p * p };
                let length = probabilities.iter().enumerate().map(off).sum::<f64>().sqrt();
                (probabilities.get(own).copied().unwrap_or(0.0), length)
            }
            _ => return,
        };
        self.fitted += 1;
        self.weight += label.weight;
        self.squares += label.weight * residual * residual;
        let Some(distance) = distance(model, row).filter(|distance| distance.is_finite()) else { return };
        let working = label.weight * self.family.map_or(1.0, |family| family.working_weight(predicted));
        let least = 1.0 / self.working_weight.unwrap_or(self.rows);
        let influence = label.weight * residual * residual * working * (least + distance);
        if influence.is_nan() {
            return;
        }
        if self.kept.len() == CANDIDATES {
            if self.kept.peek().is_some_and(|Reverse((least, _, _))| *least >= influence.to_bits()) {
                return;
            }
            self.kept.pop();
        }
        let kept = Kept {
            actual: label.target.to_bits(),
            predicted: predicted.to_bits(),
            residual: residual.to_bits(),
            weight: label.weight.to_bits(),
            working: working.to_bits(),
            distance: distance.to_bits(),
        };
        self.kept.push(Reverse((influence.to_bits(), number, kept)));
    }

    /// The rows with the largest influence first; none if all residuals are zero.
    pub(super) fn finish(self) -> Vec<InfluentialRow> {
        let variance = self.variance.unwrap_or(self.squares / self.fitted as f64);
        let least = if self.through_origin { 0.0 } else { 1.0 / self.working_weight.unwrap_or(self.weight) };
        let row = |Reverse((_, row, kept)): Reverse<(u64, u64, Kept)>| {
            let Kept { actual, predicted, residual, weight, working, distance } = kept;
            let [actual, predicted, residual, weight, working, distance] =
                [actual, predicted, residual, weight, working, distance].map(f64::from_bits);
            let leverage = (working * (least + distance)).min(1.0);
            let square = weight * residual * residual / variance;
            let distance = square * leverage / (1.0 - leverage).powi(2) / self.parameters;
            InfluentialRow { row, actual, predicted, residual, weight, leverage, distance }
        };
        let mut rows: Vec<InfluentialRow> = self.kept.into_iter().map(row).collect();
        rows.retain(|row| row.distance.is_finite() && row.distance > 0.0);
        rows.sort_by(|one, other| other.distance.total_cmp(&one.distance).then(one.row.cmp(&other.row)));
        rows.truncate(SHOWN);
        rows
    }
}

/// The table of the most influential rows.
pub(super) fn influential_rows(input: &ReportInput<'_>, data: &ReportData) -> Option<Markup> {
    if data.influential.is_empty() {
        return None;
    }
    let classes = input.document.estimator.classes();
    let target = &input.document.signature.target().name;
    let headings = if classes.is_some() {
        ["row", target, "its probability", "leverage", "influence"].map(str::to_owned).to_vec()
    } else {
        let residual = if input.document.estimator.glm_family().is_some() { "Pearson residual" } else { "residual" };
        ["row", target, "predicted", residual, "leverage", "Cook's distance"].map(str::to_owned).to_vec()
    };
    let mut table = ReportTable::new("The fitted rows with the largest influence on the fit", headings);
    let number = |value: f64, digits| TableCell::Number(rounded(value, digits));
    for row in &data.influential {
        let mut cells = match classes {
            Some(classes) => {
                let class = classes.iter().enumerate().find(|(at, _)| (*at as f64 - row.actual).abs() < 0.5);
                let class = class.map(|(_, class)| class.label()).unwrap_or_default();
                vec![TableCell::Text(class), number(row.predicted, 3)]
            }
            None => vec![number(row.actual, 5), number(row.predicted, 5), number(row.residual, 5)],
        };
        cells.extend([number(row.leverage, 3), number(row.distance, 3)]);
        table.row((row.row + 1).to_string(), cells);
    }
    Some(html! {
        (table)
        p {
            "Rows are counted from 1, without those that were left out. "
            @if classes.is_some() {
                "Influence is the analogue of Cook's distance for probabilities: it is large for rows far from the others whose \
                 class is improbable to the model."
            } @else {
                "Cook's distance is large for rows far from the others with large residuals: it measures how far all predictions \
                 move if the row is left out."
            }
            " Check these rows for errors in the data."
        }
    })
}
