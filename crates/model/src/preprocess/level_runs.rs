//! The levels of a category in a row of the design: at most one of their columns is not that of an absent level.

use super::{Column, Resolved};

/// The fewest columns in a run.
const FEWEST: usize = 8;

/// Consecutive columns of the design.
#[derive(Debug, Clone)]
pub(super) enum Run {
    /// Columns that are computed one by one, from this one to before that one.
    Columns(usize, usize),
    /// Columns of levels of one category.
    Levels(LevelRun),
}

/// Consecutive columns of levels of one category.
#[derive(Debug, Clone)]
pub(super) struct LevelRun {
    /// The position of the feature.
    pub(super) position: usize,
    /// The first column.
    first: usize,
    /// The level of each column, ascending.
    levels: Vec<f64>,
    /// The centred and scaled value of each column without its level.
    absent: Vec<f64>,
}

impl Run {
    /// The columns of levels of one category; none for others.
    pub(super) fn level_columns(&self) -> std::ops::Range<usize> {
        match self {
            Self::Columns(..) => 0..0,
            Self::Levels(run) => run.first..run.first + run.len(),
        }
    }
}

impl LevelRun {
    /// The number of columns.
    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    /// The place of a level in the run. Adding zero makes -0 equal to 0.
    pub(super) fn place(&self, level: f64) -> Option<usize> {
        self.levels.binary_search_by(|own| own.total_cmp(&(level + 0.0))).ok()
    }

    /// Appends the columns before centring and scaling.
    pub(super) fn extend_raw(&self, level: f64, to: &mut Vec<f64>) {
        let start = to.len();
        to.resize(start + self.len(), 0.0);
        if let Some(value) = self.place(level).and_then(|place| to.get_mut(start + place)) {
            *value = 1.0;
        }
    }

    /// Appends the columns as the estimator sees them.
    pub(super) fn extend_row(&self, level: f64, columns: &[Column], row: &[f64], to: &mut Vec<f64>) {
        let start = to.len();
        to.extend_from_slice(&self.absent);
        if let Some(place) = self.place(level)
            && let (Some(column), Some(value)) = (columns.get(self.first + place), to.get_mut(start + place))
        {
            *value = column.standardised(row);
        }
    }
}

/// Divides columns into runs.
pub(super) fn runs(columns: &[Column]) -> Vec<Run> {
    let level = |column: &Column| match column.product.as_slice() {
        [Resolved::Level(position, level)] => Some((*position, *level)),
        _ => None,
    };
    let mut runs: Vec<Run> = Vec::new();
    let mut first = 0;
    while let Some(start) = columns.get(first) {
        let mut levels: Vec<f64> = Vec::new();
        if let Some((position, _)) = level(start) {
            let own = columns.iter().skip(first).map_while(|column| level(column).filter(|(of, _)| *of == position));
            for (_, next) in own {
                if levels.last().is_some_and(|last| *last >= next) {
                    break;
                }
                levels.push(next);
            }
        }
        let count = levels.len();
        let end = first + count.max(1);
        if let Some((position, _)) = level(start).filter(|_| count >= FEWEST) {
            let absent = columns.iter().skip(first).take(count).map(|column| (0.0 - column.mean) / column.scale);
            runs.push(Run::Levels(LevelRun { position, first, levels, absent: absent.collect() }));
        } else if let Some(Run::Columns(_, last)) = runs.last_mut() {
            *last = end;
        } else {
            runs.push(Run::Columns(first, end));
        }
        first = end;
    }
    runs
}
