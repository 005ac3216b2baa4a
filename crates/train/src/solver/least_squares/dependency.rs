//! Whether features are combinations of others, and how that is told.

use super::{LeastSquaresError, Moments};

/// A column counts as a combination of others when less than this share of its length is its own: well above what
/// rounding leaves of an exact combination, far below any honest measurement. Or when what is its own is no longer than what it
/// takes to round the values, its own and the others': of numbers far from zero that can be more.
const RANK_TOLERANCE: f64 = 1e-11;

/// A column with more than this share of its length to its own is no combination, wherever its values lie.
const SUSPECT: f64 = 1e-3;

/// A combination names a column when the column's part in it is at least this, all columns having length one.
const INVOLVED: f64 = 1e-6;

/// A combination of these features, in words.
pub(super) fn told(names: &[String]) -> String {
    let quoted = quoted(names);
    if are_powers(names) {
        return format!(
            "the powers {quoted} of one feature cannot be told apart in double precision: it lies far from zero, or has too few \
             different values. Subtract its mean from the column, or lower --degree"
        );
    }
    let last = names.last().map_or("", String::as_str);
    if is_product(names) {
        return format!(
            "the features {quoted} are linearly dependent as far as doubles can tell: what the product is made of lies far from zero, \
             has few different values, or depends on the others. Subtract the means from the columns, or leave the product out with \
             --exclude {last:?}"
        );
    }
    format!(
        "the features {quoted} are linearly dependent: infinitely many coefficients fit equally well. \
         Leave one of them out, for example with --exclude {last:?}"
    )
}

/// Whether the last of these is a product, such as `age:height`, of which a factor is among the others.
fn is_product(names: &[String]) -> bool {
    let Some((last, others)) = names.split_last() else { return false };
    last.contains(':') && last.split(':').any(|factor| others.iter().any(|name| name == factor))
}

/// Whether these are a feature and powers of it, such as `age` and `age^2`.
fn are_powers(names: &[String]) -> bool {
    let base = |name: &str| match name.rsplit_once('^') {
        Some((base, exponent)) if exponent.parse::<u32>().is_ok() => Some(base.to_owned()),
        _ => None,
    };
    let Some(feature) = names.last().and_then(|name| base(name)) else { return false };
    names.len() > 1 && names.iter().all(|name| *name == feature || base(name).as_deref() == Some(&feature))
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

impl Moments {
    /// Makes sure that no feature is a combination of others.
    pub(crate) fn independent(&self, lengths: &[f64], names: &[String]) -> Result<(), LeastSquaresError> {
        let name = |column: usize| names.get(column).cloned().unwrap_or_default();
        match self.dependency(lengths) {
            Some(involved) => Err(LeastSquaresError::Dependent { names: involved.into_iter().map(name).collect() }),
            None => Ok(()),
        }
    }

    /// The first feature that the features before it make up, and which of them do; columns are compared at unit
    /// length, so that units of measurement play no part.
    fn dependency(&self, lengths: &[f64]) -> Option<Vec<usize>> {
        let features = lengths.len().saturating_sub(1);
        let means = self.means();
        // The square of the length that a relative error of 1 in every value would have.
        let spread = |mean: &f64, length: &f64| self.weight * mean * mean + length * length;
        let spreads: Vec<f64> = means.iter().zip(lengths).map(|(mean, length)| spread(mean, length)).collect();
        self.triangle.rows().iter().zip(lengths).take(features).enumerate().find_map(|(column, (row, length))| {
            let own = row.first().copied().unwrap_or(0.0);
            if own > SUSPECT * length {
                return None;
            }
            let parts = self.triangle.leading(column).solve(self.triangle.column(column).get(..column)?);
            let of_others: f64 = parts.iter().zip(&spreads).map(|(part, spread)| part * part * spread).sum();
            let rounding = f64::EPSILON * (of_others + spreads.get(column)?).sqrt();
            if own > f64::max(RANK_TOLERANCE * length, rounding) {
                return None;
            }
            let involved = parts.iter().zip(lengths).enumerate();
            let involved = involved.filter(|(_, (part, of))| (*part * **of).abs() > INVOLVED * length);
            Some(involved.map(|(other, _)| other).chain([column]).collect())
        })
    }
}
