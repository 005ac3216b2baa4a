//! The fitted rows with the largest influence on the fit.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use maud::{Markup, html};

use super::input::ReportInput;
use super::report_data::{ReportData, distance_by};
use super::table::{ReportTable, TableCell};
use crate::evaluate::Label;
use crate::solver::leverage::WorkingInformation;
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
    /// Target − prediction, of the logarithms if those were fitted; for a generalised linear model, and for two classes
    /// without a penalty, the Pearson residual; or the length of the differences between the probabilities and those of
    /// the class.
    pub residual: f64,
    /// The weight.
    pub weight: f64,
    /// The leverage, between 0 and 1, of a fit whose hat matrix is known.
    pub leverage: Option<f64>,
    /// Cook's distance: `r²h/((1 − h)p)` for the standardised residual r, leverage h and p coefficients. Without a
    /// leverage or a dispersion its analogue, by the distance of the row from the others and the mean square of the
    /// residuals.
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
    /// The factor R and the centre of the scaled columns.
    r: Vec<Vec<f64>>,
    center: Vec<f64>,
    /// The sum of the working weights of a generalised linear model.
    working_weight: Option<f64>,
    /// Whether the model is one of two classes without a penalty.
    is_binomial: bool,
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
            r: inference.map(|inference| inference.r.clone()).unwrap_or_default(),
            center: inference.map(|inference| inference.center.clone()).unwrap_or_default(),
            is_binomial: false,
            working_weight: inference.filter(|_| family.is_some()).and_then(|inference| inference.weight),
            through_origin,
            weight: 0.0,
            squares: 0.0,
            fitted: 0,
            kept: BinaryHeap::new(),
        }
    }

    /// For a model of two classes with this information about its coefficients.
    pub(super) fn of_information(self, information: &WorkingInformation) -> Self {
        let columns = information.center.len() as f64;
        Self {
            is_possible: self.rows * columns * columns <= MOST_WORK,
            r: information.triangle.rows().to_vec(),
            center: information.center.clone(),
            working_weight: Some(information.weight),
            variance: Some(1.0),
            is_binomial: true,
            ..self
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
        let (predicted, residual, working) = match (answer, residual) {
            (PredictedRow::Value(value), Some(residual)) => {
                (value, residual, self.family.map_or(1.0, |family| family.working_weight(value)))
            }
            (PredictedRow::Class { probabilities, .. }, _) => {
                let own = label.class();
                let probability = probabilities.get(own).copied().unwrap_or(0.0);
                let off = |(class, p): (usize, &f64)| if class == own { (1.0 - p).powi(2) } else { p * p };
                let squares = probabilities.iter().enumerate().map(off).sum::<f64>();
                match probabilities {
                    [first, second] if self.is_binomial => {
                        let working = first * second;
                        let difference = if own == 1 { *first } else { -second };
                        (probability, difference / working.sqrt(), working)
                    }
                    _ => (probability, squares.sqrt(), 1.0),
                }
            }
            _ => return,
        };
        self.fitted += 1;
        self.weight += label.weight;
        self.squares += label.weight * residual * residual;
        let distance = distance_by(&self.r, &self.center, model, row).filter(|distance| distance.is_finite());
        let Some(distance) = distance else { return };
        let working = label.weight * working;
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
            let leverage = self.variance.map(|_| leverage);
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
    let has_leverages = data.influential.iter().all(|row| row.leverage.is_some());
    let is_pearson = input.document.estimator.glm_family().is_some() || (classes.is_some() && has_leverages);
    let residual = if is_pearson { "Pearson residual" } else { "residual" };
    let mut headings = match classes {
        Some(_) if has_leverages => vec!["row", target, "its probability", residual],
        Some(_) => vec!["row", target, "its probability"],
        None => vec!["row", target, "predicted", residual],
    };
    headings.extend(if has_leverages { ["leverage", "Cook's distance"].as_slice() } else { &["influence"] });
    let headings: Vec<String> = headings.into_iter().map(str::to_owned).collect();
    let mut table = ReportTable::new("The fitted rows with the largest influence on the fit", headings);
    let number = |value: f64, digits| TableCell::Number(rounded(value, digits));
    for row in &data.influential {
        let mut cells = match classes {
            Some(classes) => {
                let class = classes.iter().enumerate().find(|(at, _)| (*at as f64 - row.actual).abs() < 0.5);
                let class = class.map(|(_, class)| class.label()).unwrap_or_default();
                vec![TableCell::Text(class), number(row.predicted, 3)]
            }
            None => vec![number(row.actual, 5), number(row.predicted, 5)],
        };
        if classes.is_none() || has_leverages {
            cells.push(number(row.residual, 5));
        }
        cells.extend(row.leverage.filter(|_| has_leverages).map(|leverage| number(leverage, 3)));
        cells.push(number(row.distance, 3));
        table.row((row.row + 1).to_string(), cells);
    }
    Some(html! {
        (table)
        p {
            "Rows are counted from 1, without those that were left out. "
            @if has_leverages {
                "Cook's distance is large for rows far from the others with large residuals: it measures how far all predictions \
                 move if the row is left out."
            } @else if classes.is_some() {
                "Influence is the analogue of Cook's distance for probabilities: it is large for rows far from the others whose \
                 class is improbable to the model."
            } @else {
                "Influence is the analogue of Cook's distance for a fit with a penalty: it is large for rows far from the others \
                 with large residuals."
            }
            " Check these rows for errors in the data."
        }
    })
}
