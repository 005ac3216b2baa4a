//! Golden rows: a model file has a few training rows with their predictions, and is refused where a build predicts
//! otherwise.

use crate::answer::{AnswerError, Wanted};
use crate::artifact::{ArtifactError, Document, FORMAT, Golden};
use crate::cell::Cell;
use crate::distribution::TrainingDistribution;
use crate::frame::{Faults, Frame, RowsBuilder};
use crate::model::Model;
use crate::scalar::Scalar;
use crate::signature::Signature;

/// The most values that the golden rows may have in the design: the check takes milliseconds.
const MAX_GOLDEN_VALUES: usize = 1 << 22;

/// The relative tolerance of golden predictions.
const GOLDEN_TOLERANCE: f64 = 1e-9;

impl Model {
    /// Reads a model file and checks format, checksum, consistency and golden rows. Bytes that are owned are dropped as
    /// soon as they are parsed.
    ///
    /// # Errors
    /// See [`ArtifactError`].
    pub fn from_json(bytes: impl AsRef<[u8]>) -> Result<Self, ArtifactError> {
        let model = Self::assemble(Document::from_json(bytes)?)?;
        check(&model)?;
        Ok(model)
    }
}

impl Document {
    /// Completes a draft to a model file: predicts the golden rows with smartcore, then computes the checksum.
    ///
    /// `golden_rows` are rows in positional order; at least one.
    ///
    /// # Errors
    /// [`ArtifactError::Inconsistent`] or [`ArtifactError::GoldenRefused`] when the parts do not make a model.
    pub fn seal(self, golden_rows: Vec<Vec<Scalar>>) -> Result<Self, ArtifactError> {
        self.seal_with_distribution(golden_rows, |_| None)
    }

    /// The same as [`seal`](Self::seal), with the distribution that the function returns for the model.
    ///
    /// # Errors
    /// Those of [`seal`](Self::seal).
    pub fn seal_with_distribution(
        mut self,
        golden_rows: Vec<Vec<Scalar>>,
        distribution: impl FnOnce(&Model) -> Option<TrainingDistribution>,
    ) -> Result<Self, ArtifactError> {
        FORMAT.clone_into(&mut self.format);
        self.golden.x = golden_rows;
        let model = Model::assemble(self)?;
        let (y, probabilities) = predict(&model)?;
        let distribution = distribution(&model);
        let mut sealed = model.document;
        sealed.distribution = distribution;
        sealed.golden.y = y;
        sealed.golden.probabilities = probabilities;
        sealed.sha256 = Some(sealed.checksum()?);
        Ok(sealed)
    }

    /// Completes a draft to a model file with the golden rows and predictions of another program, which this build must
    /// reproduce.
    ///
    /// # Errors
    /// [`ArtifactError::Inconsistent`] when the parts do not make a model, [`ArtifactError::GoldenMismatch`] when it
    /// predicts otherwise, [`ArtifactError::GoldenRefused`] when it cannot predict the rows.
    pub fn seal_with(mut self, golden: Golden) -> Result<Self, ArtifactError> {
        FORMAT.clone_into(&mut self.format);
        self.golden = golden;
        let model = Model::assemble(self)?;
        check(&model)?;
        let mut sealed = model.document;
        sealed.sha256 = Some(sealed.checksum()?);
        Ok(sealed)
    }
}

/// Predicts the golden rows and compares the predictions with those in the file.
fn check(model: &Model) -> Result<(), ArtifactError> {
    let golden = &model.document.golden;
    let (y, probabilities) = predict(model)?;
    if (y.len(), probabilities.len()) != (golden.y.len(), golden.probabilities.len()) {
        return Err(ArtifactError::Inconsistent("golden: X, y and probabilities must have the same length".into()));
    }
    for (row, (expected, got)) in golden.y.iter().zip(&y).enumerate() {
        let same = match (expected, got) {
            (Scalar::Number(expected), Scalar::Number(got)) => reproduces(*expected, *got),
            // A whole number may be written without a fraction.
            (Scalar::Integer(_), Scalar::Number(got)) => expected.cell() == Cell::Double(*got),
            (expected, got) => expected == got,
        };
        if !same {
            let (expected, got) = (expected.to_string(), got.to_string());
            return Err(ArtifactError::GoldenMismatch { row, expected, got });
        }
    }
    for (row, (expected, got)) in golden.probabilities.iter().zip(&probabilities).enumerate() {
        let same = expected.len() == got.len() && expected.iter().zip(got).all(|(one, other)| reproduces(*one, *other));
        if !same {
            let (expected, got) = (format!("{expected:?}"), format!("{got:?}"));
            return Err(ArtifactError::GoldenMismatch { row, expected, got });
        }
    }
    Ok(())
}

fn reproduces(expected: f64, got: f64) -> bool {
    (got - expected).abs() <= GOLDEN_TOLERANCE * expected.abs().max(f64::MIN_POSITIVE)
}

/// The values or labels of the golden rows, and for a classifier their probabilities.
fn predict(model: &Model) -> Result<(Vec<Scalar>, Vec<Vec<f64>>), ArtifactError> {
    let refused = |error: AnswerError| ArtifactError::GoldenRefused(error.to_string());
    let golden_rows = model.document.golden.x.len();
    if golden_rows.saturating_mul(model.design.width()) > MAX_GOLDEN_VALUES {
        return Err(ArtifactError::GoldenRefused(format!("{golden_rows} rows are too many")));
    }
    let frame = frame(model.signature(), &model.document.golden.x).map_err(|faults| {
        let first = faults.listed.first().map(|fault| fault.detail.clone());
        ArtifactError::GoldenRefused(first.unwrap_or_default())
    })?;
    let answer = model.answer(&frame, &Wanted::default()).map_err(refused)?;
    let by_row = answer.probabilities.map(|all| all.rows().map(<[f64]>::to_vec).collect());
    Ok((answer.prediction.scalars().collect(), by_row.unwrap_or_default()))
}

fn frame<'s>(signature: &'s Signature, rows: &[Vec<Scalar>]) -> Result<Frame<'s>, Faults> {
    let mut builder = RowsBuilder::new(signature, rows.len());
    for row in rows {
        if builder.start_row().is_err() {
            break;
        }
        for scalar in row {
            builder.push(scalar.cell());
        }
        builder.end_positional_row();
    }
    builder.finish()
}
