//! How each column goes with the target, whether one of them explains it exactly, and whether its values repeat.

use std::collections::HashSet;

use ordinate_model::signature::FeatureType;
use ordinate_table::column::Column;
use ordinate_table::spool::{Spool, SpoolError};

/// A correlation that no measurement has by chance.
const EXACT: f64 = 1e-12;

/// A column in which so many values differ is taken to have no two rows with the same, to bound memory.
const COUNTED: usize = 1 << 20;

/// The association of a column with the target.
#[derive(Debug, Clone, Default)]
pub(super) struct Association {
    /// The correlation of two numeric columns; with classes, with the position of the class.
    pub(super) correlation: f64,
    /// Whether rows with the same value have the same target, and values repeat.
    pub(super) is_exact: bool,
    /// Whether the values of a column of whole numbers without missing values all differ.
    pub(super) all_differ: bool,
}

/// Sums over the rows in which a column has a value.
#[derive(Debug, Default, Clone)]
struct Sums {
    rows: f64,
    means: [f64; 2],
    squares: [f64; 2],
    products: f64,
}

impl Sums {
    fn push(&mut self, x: f64, y: f64) {
        self.rows += 1.0;
        let [from_x, from_y] = [x - self.means[0], y - self.means[1]];
        self.means[0] += from_x / self.rows;
        self.means[1] += from_y / self.rows;
        self.squares[0] += from_x * (x - self.means[0]);
        self.squares[1] += from_y * (y - self.means[1]);
        self.products += from_x * (y - self.means[1]);
    }

    fn correlation(&self) -> f64 {
        let lengths = self.squares[0].sqrt() * self.squares[1].sqrt();
        if lengths > 0.0 { self.products / lengths } else { 0.0 }
    }
}

/// The targets of each level: one value as long as they are the same.
type Targets = Vec<Option<f64>>;

/// A feature during the pass.
#[derive(Debug)]
struct Progress {
    sums: Sums,
    /// The targets of the levels of a category, and of all words that were not kept.
    targets: Option<Targets>,
    /// The different whole numbers, as long as none repeats.
    seen: Option<HashSet<u64>>,
}

impl Progress {
    fn new(column: &Column) -> Self {
        let (is_text, is_number) =
            (column.feature.kind == FeatureType::String, column.feature.kind == FeatureType::Double);
        Self {
            sums: Sums::default(),
            targets: is_text.then(|| vec![None; column.words().count() + 1]),
            seen: (is_number && column.is_whole && column.missing == 0).then(HashSet::new),
        }
    }

    fn push(&mut self, value: f64, y: f64) {
        let Some(targets) = &mut self.targets else {
            self.sums.push(value, y);
            let repeats = |seen: &mut HashSet<u64>| seen.len() < COUNTED && !seen.insert((value + 0.0).to_bits());
            if self.seen.as_mut().is_some_and(repeats) {
                self.seen = None;
            }
            return;
        };
        // A position of a word.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let target = targets.get_mut(value as usize);
        if target.is_some_and(|target| target.replace(y).is_some_and(|before| before.total_cmp(&y).is_ne())) {
            // Nothing is exact any more.
            targets.clear();
        }
    }

    fn finish(self, column: &Column) -> Association {
        if let Some(targets) = self.targets {
            let used = targets.iter().flatten().count() as u64;
            let is_exact = used > 1 && 2 * used <= column.present && column.missing == 0;
            return Association { is_exact, ..Association::default() };
        }
        let correlation = self.sums.correlation();
        let is_exact = 1.0 - correlation.abs() < EXACT && column.missing == 0 && self.sums.rows > 2.0;
        Association { correlation, is_exact, all_differ: self.seen.is_some() }
    }
}

/// The association of every feature with the target, in one pass.
pub(super) fn associations(spool: &Spool, columns: &[Column], target: usize) -> Result<Vec<Association>, SpoolError> {
    let features = columns.get(..target).unwrap_or_default();
    let mut progress: Vec<Progress> = features.iter().map(Progress::new).collect();
    spool.scan(|row| {
        let y = row.get(target).copied().unwrap_or(f64::NAN);
        for (value, progress) in row.iter().zip(&mut progress).filter(|(value, _)| !value.is_nan()) {
            progress.push(*value, y);
        }
    })?;
    Ok(progress.into_iter().zip(features).map(|(progress, column)| progress.finish(column)).collect())
}
