//! What the probabilities of all rows draw: the receiver operating characteristic and calibration.

/// One row: a score, whether it is the class in question, and how much it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Score {
    pub(super) value: f64,
    pub(super) positive: bool,
    pub(super) weight: f64,
}

/// The receiver operating characteristic of one class against the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Share of the others called the class, share of the class called so; from (0, 0) to (1, 1), a point a score.
    pub points: Vec<(f64, f64)>,
    /// The area under it.
    pub area: f64,
}

impl Curve {
    /// None without rows of the class, or without others.
    pub(super) fn new(mut scores: Vec<Score>) -> Option<Self> {
        scores.sort_by(|one, other| other.value.total_cmp(&one.value));
        let weight =
            |positive: bool| scores.iter().filter(|row| row.positive == positive).map(|row| row.weight).sum::<f64>();
        let (own, others) = (weight(true), weight(false));
        if own <= 0.0 || others <= 0.0 {
            return None;
        }
        let mut points = vec![(0.0, 0.0)];
        let (mut hits, mut alarms, mut area) = (0.0, 0.0, 0.0);
        // Rows of one score are called together: the curve goes straight through them.
        for ties in scores.chunk_by(|one, other| one.value.total_cmp(&other.value).is_eq()) {
            let (from, start) = (alarms, hits);
            for row in ties {
                *(if row.positive { &mut hits } else { &mut alarms }) += row.weight;
            }
            area += (alarms - from) * f64::midpoint(start, hits);
            points.push((alarms / others, hits / own));
        }
        Some(Self { points, area: area / own / others })
    }
}

/// Rows whose probabilities are alike.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Bin {
    /// Rows in it.
    pub rows: u64,
    /// The mean of the probabilities.
    pub predicted: f64,
    /// The share of the rows for which the prediction came true.
    pub share: f64,
}

/// Bins of equally many rows.
const BINS: usize = 10;

/// At most [`BINS`] bins between the deciles of the scores, none of them empty.
pub(super) fn calibrate(mut scores: Vec<Score>) -> Vec<Bin> {
    scores.sort_by(|one, other| one.value.total_cmp(&other.value));
    let edges: Vec<f64> = (1..BINS).filter_map(|edge| quantile(&scores, edge)).collect();
    scores
        .chunk_by(|one, other| bin_of(&edges, one.value) == bin_of(&edges, other.value))
        .filter_map(|rows| {
            let weight: f64 = rows.iter().map(|row| row.weight).sum();
            let predicted: f64 = rows.iter().map(|row| row.weight * row.value).sum();
            let came_true: f64 = rows.iter().filter(|row| row.positive).map(|row| row.weight).sum();
            (weight > 0.0).then(|| Bin {
                rows: rows.len() as u64,
                predicted: predicted / weight,
                share: came_true / weight,
            })
        })
        .collect()
}

fn bin_of(edges: &[f64], score: f64) -> usize {
    edges.iter().filter(|edge| **edge < score).count()
}

/// The quantile `edge / BINS`, between two rows in proportion.
fn quantile(sorted: &[Score], edge: usize) -> Option<f64> {
    let steps = (sorted.len().checked_sub(1)?) * edge;
    let low = sorted.get(steps / BINS)?.value;
    let high = sorted.get(steps / BINS + 1).map_or(low, |row| row.value);
    let share = (steps % BINS) as f64 / BINS as f64;
    Some(if share < 0.5 { low + (high - low) * share } else { high - (high - low) * (1.0 - share) })
}
