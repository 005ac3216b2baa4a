//! How each numeric column goes with the target, and whether one of them explains it exactly.

use ordinate_model::signature::FeatureType;
use ordinate_table::column::Column;
use ordinate_table::spool::{Spool, SpoolError};

/// A correlation that no measurement has by chance.
const EXACT: f64 = 1e-12;

/// The association of a column with the target.
#[derive(Debug, Clone, Default)]
pub(super) struct Association {
    /// The correlation of two numeric columns; with classes, with the position of the class.
    pub(super) correlation: f64,
    /// Whether rows with the same value have the same target, and values repeat.
    pub(super) is_exact: bool,
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

/// The association of every feature with the target, in one pass.
pub(super) fn associations(spool: &Spool, columns: &[Column], target: usize) -> Result<Vec<Association>, SpoolError> {
    let features = columns.get(..target).unwrap_or_default();
    let mut sums = vec![Sums::default(); features.len()];
    let mut levels: Vec<Option<Targets>> = features
        .iter()
        .map(|column| (column.feature.kind == FeatureType::String).then(|| vec![None; column.words().count()]))
        .collect();
    spool.scan(|row| {
        let y = row.get(target).copied().unwrap_or(f64::NAN);
        for ((value, sums), levels) in row.iter().zip(&mut sums).zip(&mut levels) {
            if value.is_nan() {
                continue;
            }
            match levels {
                None => sums.push(*value, y),
                Some(seen) => {
                    // A position of a word.
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    let slot = seen.get_mut(*value as usize);
                    let is_other =
                        slot.is_some_and(|slot| slot.replace(y).is_some_and(|before| before.total_cmp(&y).is_ne()));
                    if is_other {
                        // Nothing is exact any more.
                        seen.clear();
                    }
                }
            }
        }
    })?;
    let of = |((column, sums), levels): ((&Column, Sums), Option<Targets>)| match levels {
        None => {
            let correlation = sums.correlation();
            let is_exact = 1.0 - correlation.abs() < EXACT && column.missing == 0 && sums.rows > 2.0;
            Association { correlation, is_exact }
        }
        Some(seen) => {
            let used = seen.iter().flatten().count() as u64;
            Association { correlation: 0.0, is_exact: used > 1 && 2 * used <= column.present && column.missing == 0 }
        }
    };
    Ok(features.iter().zip(sums).zip(levels).map(of).collect())
}
