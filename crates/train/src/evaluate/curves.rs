//! The curves of a classifier: receiver operating characteristic and calibration.

/// One row: a score, whether the row is of the class, and the weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Score {
    pub(super) value: f64,
    pub(super) positive: bool,
    pub(super) weight: f64,
}

/// The receiver operating characteristic of one class against the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// False positive rate and true positive rate, from (0, 0) to (1, 1), with a point for each score.
    pub points: Vec<(f64, f64)>,
    /// The area under the curve.
    pub area: f64,
}

impl Curve {
    /// None without rows of the class, or without other rows.
    pub(super) fn new(mut scores: Vec<Score>) -> Option<Self> {
        scores.sort_by(|one, other| other.value.total_cmp(&one.value));
        let weight =
            |positive: bool| scores.iter().filter(|row| row.positive == positive).map(|row| row.weight).sum::<f64>();
        let (own, others) = (weight(true), weight(false));
        if own <= 0.0 || others <= 0.0 {
            return None;
        }
        let mut points = vec![(0.0, 0.0)];
        let (mut true_positives, mut false_positives, mut area) = (0.0, 0.0, 0.0);
        // Rows with the same score are one straight segment.
        for ties in scores.chunk_by(|one, other| one.value.total_cmp(&other.value).is_eq()) {
            let (from, start) = (false_positives, true_positives);
            for row in ties {
                *(if row.positive { &mut true_positives } else { &mut false_positives }) += row.weight;
            }
            area += (false_positives - from) * f64::midpoint(start, true_positives);
            points.push((false_positives / others, true_positives / own));
        }
        Some(Self { points, area: area / own / others })
    }
}

/// Rows with similar probabilities.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Bin {
    /// The number of rows.
    pub rows: u64,
    /// The mean predicted probability.
    pub predicted: f64,
    /// The observed frequency: the fraction of rows for which the prediction was correct.
    pub share: f64,
}

/// The most bins.
const BINS: usize = 10;

/// At most [`BINS`] bins between the deciles of the scores, without empty ones.
pub(super) fn calibration_bins(mut scores: Vec<Score>) -> Vec<Bin> {
    scores.sort_by(|one, other| one.value.total_cmp(&other.value));
    let edges: Vec<f64> = (1..BINS).filter_map(|edge| quantile(&scores, edge)).collect();
    scores
        .chunk_by(|one, other| bin_of(&edges, one.value) == bin_of(&edges, other.value))
        .filter_map(|rows| {
            let weight: f64 = rows.iter().map(|row| row.weight).sum();
            let predicted: f64 = rows.iter().map(|row| row.weight * row.value).sum();
            let positive: f64 = rows.iter().filter(|row| row.positive).map(|row| row.weight).sum();
            (weight > 0.0).then(|| Bin {
                rows: rows.len() as u64,
                predicted: predicted / weight,
                share: positive / weight,
            })
        })
        .collect()
}

fn bin_of(edges: &[f64], score: f64) -> usize {
    edges.iter().filter(|edge| **edge < score).count()
}

/// The quantile `edge / BINS`, interpolated between two rows.
fn quantile(sorted: &[Score], edge: usize) -> Option<f64> {
    let steps = (sorted.len().checked_sub(1)?) * edge;
    let low = sorted.get(steps / BINS)?.value;
    let high = sorted.get(steps / BINS + 1).map_or(low, |row| row.value);
    let fraction = (steps % BINS) as f64 / BINS as f64;
    Some(if fraction < 0.5 { low + (high - low) * fraction } else { high - (high - low) * (1.0 - fraction) })
}
