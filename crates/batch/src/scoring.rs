//! Predictions for the rows of files, in batches, as the service computes them.

use thiserror::Error;

use super::skipped::RowError;
use ordinate_model::answer::{MAX_EXPLANATION_VALUES, WarningScope};
use ordinate_model::frame::{FaultKind, RowsBuilder};
use ordinate_model::scalar::Scalar;
use ordinate_model::{Answer, AnswerError, Model, Predictor, Wanted};
use ordinate_table::{DataError, Header, Row, RowNumber, TableReader};

/// Rows of a batch. Only one batch is in memory.
const BATCH_ROWS: usize = 1024;

/// Bytes after which a batch is full with fewer rows.
pub(crate) const BATCH_BYTES: usize = 4 << 20;

/// Why the rows of files cannot be predicted.
#[derive(Debug, Error)]
pub enum ScoringError {
    /// The files cannot be read or do not have the columns.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Files with columns of different types, which cannot be written to one Parquet file.
    #[error(
        "{file}: the column types differ from those of the previous files, and a Parquet file has one type per column\n\
         help: write CSV with --format csv"
    )]
    OtherTypes {
        /// The file.
        file: String,
    },
    /// A column of the file has the name of an added one.
    #[error(
        "{header}: a column {name:?} exists already\nhelp: {}",
        rename(*.is_of_prediction)
    )]
    ColumnExists {
        /// The header.
        header: Header,
        /// The name.
        name: String,
        /// Whether the name begins with that of the predictions.
        is_of_prediction: bool,
    },
    /// A row that cannot be used.
    #[error("{file}: {error}\nhelp: correct the row, or skip such rows with --on-error skip")]
    Row {
        /// The file.
        file: String,
        /// The row, and why it cannot be used.
        error: RowError,
    },
    /// No row that can be used.
    #[error("{label}: none of the {rows} rows can be used; the first error is: {first}")]
    AllRows {
        /// The files.
        label: String,
        /// The number of rows.
        rows: u64,
        /// The first row, and why it cannot be used.
        first: String,
    },
}

fn rename(is_of_prediction: bool) -> &'static str {
    if is_of_prediction { "rename it, or give the predictions another name with --column" } else { "rename it" }
}

/// A batch of rows with their predictions.
#[derive(Debug)]
pub struct Batch<'b> {
    /// The reader, at the file of the rows.
    pub reader: &'b TableReader,
    /// The rows.
    pub rows: &'b [Row],
    /// For each row, why it cannot be used, if it cannot.
    pub errors: Vec<Option<RowError>>,
    /// The answer to the other rows; `None` without other rows.
    pub answer: Option<Answer<'b>>,
    /// For each feature, the number of these rows in which it is missing and imputed.
    pub imputed: Vec<u64>,
    /// The exposure of each of these rows; 1 without an offset.
    pub exposures: Vec<f64>,
}

/// The answer to rows, with the number of imputed values of each feature and the exposure of each row.
struct Answered<'m> {
    answer: Answer<'m>,
    imputed: Vec<u64>,
    exposures: Vec<f64>,
}

/// The rows of a batch, limited by the size of their explanations.
pub(crate) fn batch_rows(model: &Model, wanted: Wanted) -> usize {
    let scores = model.classes().map_or(1, <[Scalar]>::len);
    let explained = MAX_EXPLANATION_VALUES / (model.signature().width() * scores).max(1);
    if wanted.explanation { BATCH_ROWS.min(explained).max(1) } else { BATCH_ROWS }
}

/// A model, and the positions of its features in a row.
#[derive(Debug)]
pub struct Scorer<'m> {
    model: &'m Model,
    /// For each feature, its position.
    positions: Vec<usize>,
    /// Fields of the header.
    width: usize,
    wanted: Wanted,
    predictor: Predictor<'m>,
}

impl<'m> Scorer<'m> {
    /// Finds the features in the header.
    ///
    /// # Errors
    /// [`DataError`] when a feature has no column, or several.
    pub fn new(
        model: &'m Model,
        reader: &TableReader,
        wanted: Wanted,
        predictor: Predictor<'m>,
    ) -> Result<Self, DataError> {
        let features: Vec<&str> = model.signature().features().iter().map(|feature| feature.name.as_str()).collect();
        let needed_by = format!("the model {}", model.name());
        let positions = reader.find(&features, &needed_by)?;
        let signature = model.signature();
        let is_known = |name: &str| signature.position(name).is_some() || signature.ignores(name);
        reader.check_once(&features, &needed_by, is_known)?;
        Ok(Self { model, positions, width: reader.header().len(), wanted, predictor })
    }

    /// Hands all rows to `each` in batches, and returns their number. `others` are further columns that are used.
    ///
    /// # Errors
    /// [`ScoringError`] when there are no rows or they cannot be read. An error of `each` ends the pass.
    pub fn score<E: From<ScoringError>>(
        &self,
        reader: &mut TableReader,
        others: &[usize],
        mut each: impl FnMut(Batch<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut rows = vec![Row::default(); batch_rows(self.model, self.wanted)];
        let mut total = 0;
        loop {
            for position in self.positions.iter().chain(others) {
                reader.check_column(*position).map_err(ScoringError::from)?;
            }
            total += self.score_file(reader, &mut rows, &mut each)?;
            if !reader.next_file().map_err(ScoringError::from)? {
                break;
            }
        }
        if total == 0 {
            return Err(ScoringError::from(DataError::HeaderOnly { path: reader.label().into() }).into());
        }
        Ok(total)
    }

    fn score_file<E: From<ScoringError>>(
        &self,
        reader: &mut TableReader,
        rows: &mut [Row],
        each: &mut impl FnMut(Batch<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut total = 0;
        loop {
            let (mut count, mut bytes, mut outcome) = (0, 0, Ok(true));
            for row in rows.iter_mut() {
                outcome = reader.next(row);
                if !matches!(outcome, Ok(true)) {
                    break;
                }
                count += 1;
                bytes += row.bytes();
                if bytes > BATCH_BYTES {
                    break;
                }
            }
            // The rows before a reading error first: an error in one of them comes earlier in the file.
            let batch = rows.get(..count).unwrap_or_default();
            if !batch.is_empty() {
                total += u64::try_from(count).unwrap_or(0);
                each(self.batch(reader, batch))?;
            }
            if !outcome.map_err(ScoringError::from)? {
                return Ok(total);
            }
        }
    }

    fn batch<'b>(&self, reader: &'b TableReader, rows: &'b [Row]) -> Batch<'b>
    where
        'm: 'b,
    {
        // All rows together, as errors are rare; then one by one, to find those with errors.
        let answered = |Answered { answer, imputed, exposures }: Answered<'m>, errors| Batch {
            reader,
            rows,
            errors,
            answer: Some(answer),
            imputed,
            exposures,
        };
        if let Ok(answer) = self.answer(rows.iter()) {
            return answered(answer, vec![None; rows.len()]);
        }
        let errors: Vec<_> = rows.iter().map(|row| self.answer([row].into_iter()).err()).collect();
        let good: Vec<&Row> =
            rows.iter().zip(&errors).filter(|(_, error)| error.is_none()).map(|(row, _)| row).collect();
        match if good.is_empty() { None } else { self.answer(good.into_iter()).ok() } {
            Some(answer) => answered(answer, errors),
            None => Batch { reader, rows, errors, answer: None, imputed: Vec::new(), exposures: Vec::new() },
        }
    }

    fn answer<'r>(&self, rows: impl ExactSizeIterator<Item = &'r Row>) -> Result<Answered<'m>, RowError> {
        let mut frame = RowsBuilder::new(self.model.signature(), rows.len());
        if self.wanted.warnings == WarningScope::All {
            frame = frame.listing_all_unknown_categories();
        }
        let mut number = RowNumber::default();
        for row in rows {
            number = row.number();
            // The frame has room for all rows.
            let _ = frame.start_row();
            if row.width() == self.width {
                for position in &self.positions {
                    frame.push(row.cell(*position));
                }
                frame.end_positional_row();
            } else {
                let hint = if row.has_several_lines() { "; look for a quote that is not closed" } else { "" };
                let detail = format!("expected {} fields as in the header, got {}{hint}", self.width, row.width());
                frame.wrong_row(FaultKind::WrongWidth, detail);
            }
        }
        let frame = frame.finish().map_err(|faults| RowError::new(number, faults))?;
        let unanswered = |error: AnswerError| RowError { row: number, column: None, detail: error.to_string() };
        let answer = self.predictor.answer(&frame).map_err(unanswered)?;
        let exposures = frame.iter().map(|row| self.model.design().exposure(row)).collect();
        Ok(Answered { answer, imputed: frame.count_imputed(), exposures })
    }
}
