//! Ordinary least squares over a stream: one pass, memory that does not grow with the rows, digits that last.
//!
//! What is kept of any number of rows is a [`Moments`]: how many, their mean, and a factor `F` with
//! `Fᵀ F` = the scatter of the columns `[X y]` about that mean. A block of centred rows is such a factor as it stands;
//! two factors become one triangle by
//!
//! ```text
//! R = QR([ F₁ ; F₂ ; √(n₁n₂/(n₁+n₂)) · (mean₂ − mean₁)ᵀ ])
//! ```
//!
//! which is the tall-skinny QR of Demmel, Grigori, Hoemmen and Langou (2012) with the update of the mean of Chan,
//! Golub and `LeVeque` (1983). `XᵀX` is never formed, so the digits of ill-conditioned data survive: squaring the
//! condition number is what ruins the normal equations. [`Refinement`](super::refinement::Refinement) gives the last
//! digits back.

use faer::Mat;
use thiserror::Error;

/// Rows that are reduced together. Large enough for the factorisation to run at speed; small because faer takes a
/// column for dependent on those before it when what is left of it is below `16 · rows · ε`, here 10⁻¹² of its length.
const BLOCK_ROWS: usize = 256;

/// A column counts as a combination of others when less than this share of its length is its own. Above what
/// rounding leaves of an exact combination (faer's threshold, see [`BLOCK_ROWS`]), far below any honest measurement.
const RANK_TOLERANCE: f64 = 1e-11;

/// A combination names a column when the column's part in it is at least this, all columns having length one.
const INVOLVED: f64 = 1e-6;

/// Why no coefficients can be had.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum LeastSquaresError {
    /// An intercept and one coefficient a feature need at least as many rows.
    #[error(
        "{rows} rows cannot determine an intercept and {features} coefficients: at least {} rows are needed. \
         Give more rows or fewer features (--features)",
        features + 1
    )]
    TooFewRows {
        /// Rows that were there.
        rows: u64,
        /// Features that were to be fitted.
        features: usize,
    },
    /// The target never changes: there is nothing to explain.
    #[error(
        "the target {name:?} has the same value in every row, so there is nothing to learn. Choose another --target"
    )]
    ConstantTarget {
        /// The target's name.
        name: String,
    },
    /// A feature never changes: its coefficient could be anything.
    #[error(
        "the feature {name:?} has the same value in every row, so it has no coefficient. Leave it out with --exclude {name:?}"
    )]
    ConstantFeature {
        /// The feature's name.
        name: String,
    },
    /// Some features are a combination of each other: infinitely many coefficients fit equally well.
    #[error(
        "the features {} are linearly dependent: infinitely many coefficients fit equally well. \
         Leave one of them out, for example with --exclude {:?}",
        quoted(names), names.last().map_or("", String::as_str)
    )]
    Dependent {
        /// The features that take part in the combination.
        names: Vec<String>,
    },
    /// A number is not finite, or makes the answer so.
    #[error(
        "the column {name:?} holds numbers that are not finite, or too large or too small to be fitted in double precision. Rescale the column"
    )]
    NotFinite {
        /// The column's name.
        name: String,
    },
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

/// Collects rows into blocks and blocks into a [`Moments`].
#[derive(Debug, Clone)]
pub struct Accumulator {
    moments: Moments,
    /// Rows still to be reduced, row-major, the shift already taken off.
    block: Vec<f64>,
}

impl Accumulator {
    /// Nothing yet. `shift` is any point near the data, one value a column (features, then target); a stream uses
    /// its first row. It costs nothing and saves the digits of columns that sit far from zero, such as timestamps.
    #[must_use]
    pub fn new(shift: Vec<f64>) -> Self {
        Self { moments: Moments::empty(shift), block: Vec::new() }
    }

    /// Takes one row: the features, then the target.
    pub fn push(&mut self, row: &[f64]) {
        debug_assert_eq!(row.len(), self.moments.shift.len(), "a row has one value a column");
        self.block.extend(row.iter().zip(&self.moments.shift).map(|(value, shift)| value - shift));
        if self.block.len() >= BLOCK_ROWS * self.moments.shift.len() {
            self.reduce();
        }
    }

    /// What is known of all rows so far.
    #[must_use]
    pub fn finish(mut self) -> Moments {
        self.reduce();
        self.moments
    }

    fn reduce(&mut self) {
        let block = Moments::of_block(&self.block, self.moments.shift.clone());
        self.moments = self.moments.merge(&block);
        self.block.clear();
    }
}

/// Row count, mean and scatter of the columns `[X y]`: everything least squares needs to know of the data.
#[derive(Debug, Clone)]
pub struct Moments {
    rows: u64,
    /// Subtracted from every row before anything else.
    shift: Vec<f64>,
    /// Mean of each column, less the shift.
    mean: Vec<f64>,
    /// `F` with `Fᵀ F` = the scatter about the mean.
    factor: Mat<f64>,
}

impl Moments {
    fn empty(shift: Vec<f64>) -> Self {
        let columns = shift.len();
        Self { rows: 0, shift, mean: vec![0.0; columns], factor: Mat::zeros(0, columns) }
    }

    fn of_block(block: &[f64], shift: Vec<f64>) -> Self {
        let columns = shift.len();
        let rows = block.len().checked_div(columns).unwrap_or(0);
        if rows == 0 {
            return Self::empty(shift);
        }
        let mut mean = vec![0.0; columns];
        for row in block.chunks_exact(columns) {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        for sum in &mut mean {
            *sum /= rows as f64;
        }
        let mut factor = Mat::zeros(rows, columns);
        for (i, row) in block.chunks_exact(columns).enumerate() {
            for (j, (value, mean)) in row.iter().zip(&mean).enumerate() {
                factor[(i, j)] = value - mean;
            }
        }
        Self { rows: rows as u64, shift, mean, factor }
    }

    /// Rows seen.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What is known of the rows of both, as if they had been one stream.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        if other.rows == 0 {
            return self.clone();
        }
        let rows = self.rows + other.rows;
        let share = other.rows as f64 / rows as f64;
        let apart: Vec<f64> = other
            .mean
            .iter()
            .zip(&self.mean)
            .zip(other.shift.iter().zip(&self.shift))
            .map(|((theirs, ours), (their_shift, our_shift))| (theirs - ours) + (their_shift - our_shift))
            .collect();
        let weight = (self.rows as f64 * share).sqrt();

        let (above, below) = (self.factor.nrows(), other.factor.nrows());
        let stacked = Mat::from_fn(above + below + 1, self.shift.len(), |i, j| {
            if i < above {
                self.factor[(i, j)]
            } else if i < above + below {
                other.factor[(i - above, j)]
            } else {
                apart.get(j).map_or(0.0, |distance| weight * distance)
            }
        });
        Self {
            rows,
            shift: self.shift.clone(),
            mean: self.mean.iter().zip(&apart).map(|(ours, distance)| ours + share * distance).collect(),
            factor: triangle(&stacked),
        }
    }

    /// The coefficients that minimise the sum of squared residuals. `names`: the features, then the target.
    ///
    /// # Errors
    /// [`LeastSquaresError`], naming the columns, when there is no single finite answer.
    pub fn solve(&self, names: &[String]) -> Result<LeastSquares, LeastSquaresError> {
        let features = self.shift.len().saturating_sub(1);
        let name = |column: usize| names.get(column).cloned().unwrap_or_default();
        if self.rows < features as u64 + 1 {
            return Err(LeastSquaresError::TooFewRows { rows: self.rows, features });
        }
        let lengths: Vec<f64> = self.factor.col_iter().map(|column| column.norm_l2()).collect();
        for (column, length) in lengths.iter().enumerate() {
            if !length.is_finite() {
                return Err(LeastSquaresError::NotFinite { name: name(column) });
            }
            if *length == 0.0 && column == features {
                return Err(LeastSquaresError::ConstantTarget { name: name(column) });
            }
            if *length == 0.0 {
                return Err(LeastSquaresError::ConstantFeature { name: name(column) });
            }
        }
        if let Some(involved) = self.dependency(&lengths) {
            return Err(LeastSquaresError::Dependent { names: involved.into_iter().map(name).collect() });
        }

        let design =
            Triangle::new((0..features).map(|i| (i..features).map(|j| self.factor[(i, j)]).collect()).collect());
        let projection: Vec<f64> = (0..features).map(|i| self.factor[(i, features)]).collect();
        let mean: Vec<f64> = self.mean.iter().zip(&self.shift).map(|(mean, shift)| mean + shift).collect();
        let residual = if self.factor.nrows() > features { self.factor[(features, features)] } else { 0.0 };
        let (target_mean, means) = mean.split_last().map_or((0.0, &[][..]), |(last, rest)| (*last, rest));
        let coefficients = design.solve(&projection);
        if let Some(column) = coefficients.iter().position(|coefficient| !coefficient.is_finite()) {
            return Err(LeastSquaresError::NotFinite { name: name(column) });
        }
        Ok(LeastSquares {
            rows: self.rows,
            means: means.to_vec(),
            intercept: target_mean,
            coefficients,
            triangle: design,
            residual_sum_of_squares: residual * residual,
        })
    }

    /// The first feature that the features before it make up, and which of them do; columns are compared at unit
    /// length, so that units of measurement play no part.
    fn dependency(&self, lengths: &[f64]) -> Option<Vec<usize>> {
        let features = lengths.len().saturating_sub(1);
        let own = |column: usize| if column < self.factor.nrows() { self.factor[(column, column)].abs() } else { 0.0 };
        let (dependent, _) = lengths
            .iter()
            .enumerate()
            .take(features)
            .find(|(column, length)| own(*column) <= RANK_TOLERANCE * **length)?;
        let before =
            Triangle::new((0..dependent).map(|i| (i..dependent).map(|j| self.factor[(i, j)]).collect()).collect());
        let above: Vec<f64> = (0..dependent).map(|i| self.factor[(i, dependent)]).collect();
        let involved = before
            .solve(&above)
            .into_iter()
            .zip(lengths)
            .enumerate()
            .filter(|(_, (part, length))| {
                (part * **length).abs() > INVOLVED * lengths.get(dependent).copied().unwrap_or(0.0)
            })
            .map(|(column, _)| column);
        Some(involved.chain([dependent]).collect())
    }
}

/// The R of a QR factorisation, with a diagonal that is not negative, so that there is only one.
fn triangle(stacked: &Mat<f64>) -> Mat<f64> {
    let factorisation = stacked.qr();
    let upper = factorisation.thin_R();
    Mat::from_fn(upper.nrows(), upper.ncols(), |i, j| {
        if j < i {
            0.0
        } else if upper[(i, i)] < 0.0 {
            -upper[(i, j)]
        } else {
            upper[(i, j)]
        }
    })
}

/// A fitted plane in centred form: `y = intercept + Σ coefficientⱼ · (xⱼ − meanⱼ)`.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastSquares {
    /// Rows it was fitted to.
    pub rows: u64,
    /// Where each feature is centred: its mean, rounded to a double.
    pub means: Vec<f64>,
    /// The prediction at the means.
    pub intercept: f64,
    /// One a feature, in units of the target for a unit of the feature.
    pub coefficients: Vec<f64>,
    /// R of the centred features: `RᵀR = (X − mean)ᵀ(X − mean)`.
    pub triangle: Triangle,
    /// `Σ (y − ŷ)²` over the rows it was fitted to.
    pub residual_sum_of_squares: f64,
}

impl LeastSquares {
    /// Rows that are left after an intercept and one coefficient a feature have been paid for.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> u64 {
        self.rows.saturating_sub(self.means.len() as u64 + 1)
    }

    /// The estimate of the noise's variance, `residual sum of squares / degrees of freedom`; none when no degree of
    /// freedom is left.
    #[must_use]
    pub fn residual_variance(&self) -> Option<f64> {
        let freedom = self.degrees_of_freedom();
        (freedom > 0).then(|| self.residual_sum_of_squares / freedom as f64)
    }
}

/// An upper triangular matrix of full rank: row `i` holds the entries from the diagonal on.
#[derive(Debug, Clone, PartialEq)]
pub struct Triangle(Vec<Vec<f64>>);

impl Triangle {
    fn new(rows: Vec<Vec<f64>>) -> Self {
        Self(rows)
    }

    /// Row `i`: `p − i` numbers, the diagonal first.
    #[must_use]
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.0
    }

    /// `R v`.
    pub(super) fn times(&self, vector: &[f64]) -> Vec<f64> {
        self.0.iter().enumerate().map(|(i, row)| dot(row, vector.get(i..).unwrap_or_default())).collect()
    }

    /// `v` of `R v = right`, from the last row up.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        for (i, row) in self.0.iter().enumerate().rev() {
            let Some((diagonal, rest)) = row.split_first() else { continue };
            let Some((current, known)) = solution.get_mut(i..).and_then(<[f64]>::split_first_mut) else { continue };
            *current = (*current - dot(rest, known)) / diagonal;
        }
        solution
    }

    /// `v` of `Rᵀ v = right`, from the first row down.
    pub(super) fn solve_transposed(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        for (i, row) in self.0.iter().enumerate() {
            let Some((diagonal, rest)) = row.split_first() else { continue };
            let Some((current, unknown)) = solution.get_mut(i..).and_then(<[f64]>::split_first_mut) else { continue };
            *current /= diagonal;
            unknown.iter_mut().zip(rest).for_each(|(value, entry)| *value -= entry * *current);
        }
        solution
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests;
