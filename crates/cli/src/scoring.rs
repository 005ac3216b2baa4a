//! The rows of a table through a model, a batch at a time, exactly as it is served.

use thiserror::Error;

use super::columns::Columns;
use super::records::{Place, Records, RecordsError, Row};
use super::skipped::Complaint;
use ordinate_model::cell::Cell;
use ordinate_model::explanation;
use ordinate_model::fault::FaultKind;
use ordinate_model::frame::RowsBuilder;
use ordinate_model::scalar::Scalar;
use ordinate_model::warning::WarningScope;
use ordinate_model::wording::shorten;
use ordinate_model::{Answer, AnswerError, Model, Predictor, Wanted};

/// Rows predicted at a time: all that is held of a table.
const BATCH_ROWS: usize = 1024;

/// Bytes after which a batch is full with fewer rows.
const BATCH_BYTES: usize = 4 << 20;

/// Why a table cannot be scored.
#[derive(Debug, Error)]
pub(super) enum ScoringError {
    /// It cannot be read.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// Columns the model or the command needs are not there.
    #[error("{name}: {needed_by} needs {}. {}", wanted(missing), present(columns))]
    NoSuchColumns {
        /// The file and the place of its header.
        name: String,
        /// Who needs them.
        needed_by: String,
        /// What is not there, with the most similar of what is, if one is similar.
        missing: Vec<(String, Option<String>)>,
        /// All names that are there.
        columns: Vec<String>,
    },
    /// A column that is needed is there twice.
    #[error("{name}: the column {column:?} appears twice. Rename one of them")]
    DuplicateColumn {
        /// The file and the place of its header.
        name: String,
        /// The column.
        column: String,
    },
    /// Files whose columns are not of one type.
    #[error(
        "{name}: its columns are not of the types of the files before it, so that they cannot be one Parquet file. \
         Write CSV (--format csv), or give files of one type"
    )]
    OtherTypes {
        /// The file.
        name: String,
    },
    /// No row below the header.
    #[error("{name}: there is a header and no row to predict. Add at least one row below it")]
    NoRows {
        /// The file.
        name: String,
    },
    /// A row that cannot be used.
    #[error("{name}: {complaint}. Correct it, or pass over such rows with --on-error skip")]
    Row {
        /// The file.
        name: String,
        /// Which row and why.
        complaint: Complaint,
    },
    /// Not one row could be used.
    #[error("{name}: none of the {rows} rows can be used. The first: {complaint}")]
    AllRows {
        /// The file.
        name: String,
        /// How many there are.
        rows: u64,
        /// Which row came first and why it cannot be used.
        complaint: String,
    },
}

fn wanted(missing: &[(String, Option<String>)]) -> String {
    let names: Vec<String> = missing
        .iter()
        .map(|(name, nearest)| match nearest {
            Some(nearest) => format!("{name:?} (did you mean {nearest:?}?)"),
            None => format!("{name:?}"),
        })
        .collect();
    match names.as_slice() {
        [one] => format!("the column {one}, which is not there"),
        many => format!("the columns {}, which are not there", listed(many)),
    }
}

fn present(columns: &[String]) -> String {
    let names: Vec<String> = columns.iter().map(|name| format!("{:?}", shorten(name))).collect();
    format!("The columns are {}", listed(&names))
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown = names.get(..SHOWN).unwrap_or(names).join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

/// A batch of rows and what the model says to them.
pub(super) struct Scored<'b> {
    /// The table they come from, at the file in which they stand.
    pub(super) records: &'b Records,
    /// The rows.
    pub(super) rows: &'b [Row],
    /// For each row, why it cannot be answered, if so.
    pub(super) complaints: Vec<Option<Complaint>>,
    /// The answer to the rows that can be answered; `None` when there are none.
    pub(super) answer: Option<Answer<'b>>,
}

/// A model that knows where in a row its features stand.
#[derive(Debug)]
pub(super) struct Scorer<'m> {
    model: &'m Model,
    /// For each feature, its place in a row.
    places: Vec<usize>,
    /// Fields of a row.
    width: usize,
    wanted: Wanted,
    answering: Predictor<'m>,
}

impl<'m> Scorer<'m> {
    /// Finds the features in the header.
    ///
    /// # Errors
    /// [`ScoringError::NoSuchColumns`], [`ScoringError::DuplicateColumn`].
    pub(super) fn new(
        model: &'m Model,
        columns: &Columns<'_>,
        wanted: Wanted,
        answering: Predictor<'m>,
    ) -> Result<Self, ScoringError> {
        let features: Vec<&str> = model.signature().features().iter().map(|feature| feature.name.as_str()).collect();
        let needed_by = format!("the model {}", model.name());
        let places = columns.find(&features, &needed_by)?;
        Ok(Self { model, places, width: columns.width(), wanted, answering })
    }

    /// Rows predicted at a time: no more than can be explained at once.
    fn batch_rows(&self) -> usize {
        let scores = self.model.classes().map_or(1, <[Scalar]>::len);
        let explained = explanation::MAX_VALUES / (self.model.signature().width() * scores).max(1);
        if self.wanted.explanation { BATCH_ROWS.min(explained).max(1) } else { BATCH_ROWS }
    }

    /// Hands all rows to `each`, a batch at a time; how many there were.
    ///
    /// # Errors
    /// [`ScoringError`] when there are no rows or they cannot be read; whatever `each` fails with ends it.
    pub(super) fn score<E: From<ScoringError>>(
        &self,
        records: &mut Records,
        mut each: impl FnMut(Scored<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut rows = vec![Row::default(); self.batch_rows()];
        let mut total = 0;
        loop {
            let (mut count, mut bytes, mut outcome) = (0, 0, Ok(true));
            for row in &mut rows {
                outcome = records.next(row);
                if !matches!(outcome, Ok(true)) {
                    break;
                }
                count += 1;
                bytes += row.fields.as_slice().len();
                if bytes > BATCH_BYTES {
                    break;
                }
            }
            // The rows before a fault first: they may have one of their own, and it stands further up in the file.
            let batch = rows.get(..count).unwrap_or_default();
            if !batch.is_empty() {
                total += u64::try_from(count).unwrap_or(0);
                each(self.batch(records, batch))?;
            }
            if !outcome.map_err(ScoringError::from)? && !records.next_file().map_err(ScoringError::from)? {
                break;
            }
        }
        if total == 0 {
            return Err(ScoringError::NoRows { name: records.label().to_owned() }.into());
        }
        Ok(total)
    }

    fn batch<'b>(&self, records: &'b Records, rows: &'b [Row]) -> Scored<'b>
    where
        'm: 'b,
    {
        // All at once, as there is usually nothing wrong; otherwise one by one, to know which.
        if let Ok(answer) = self.answer(records, rows.iter()) {
            return Scored { records, rows, complaints: vec![None; rows.len()], answer: Some(answer) };
        }
        let complaints: Vec<_> = rows.iter().map(|row| self.answer(records, [row].into_iter()).err()).collect();
        let good = rows.iter().zip(&complaints).filter(|(_, complaint)| complaint.is_none());
        let good: Vec<&Row> = good.map(|(row, _)| row).collect();
        // Rows that can be answered each can be answered together.
        let answer = if good.is_empty() { None } else { self.answer(records, good.into_iter()).ok() };
        Scored { records, rows, complaints, answer }
    }

    fn answer<'r>(
        &self,
        records: &Records,
        rows: impl ExactSizeIterator<Item = &'r Row>,
    ) -> Result<Answer<'m>, Complaint> {
        let mut frame = RowsBuilder::new(self.model.signature(), rows.len());
        if self.wanted.warnings == WarningScope::All {
            frame = frame.listing_all_unknown_categories();
        }
        let mut place = Place::default();
        for row in rows {
            place = row.place;
            // Room was made for all of them.
            let _ = frame.start_row();
            if row.fields.len() == self.width {
                for field in &self.places {
                    frame.push(cell(row.fields.get(*field).unwrap_or_default(), records.is_integer(*field)));
                }
                frame.end_positional_row();
            } else {
                let (expected, got) = (self.width, row.fields.len());
                let hint = if row.fields.iter().any(|field| field.contains('\n')) {
                    ". The row goes over several lines: look for a quote that is not closed"
                } else {
                    ""
                };
                let detail = format!("expected {expected} fields as in the header, got {got}{hint}");
                frame.wrong_row(FaultKind::WrongWidth, detail);
            }
        }
        let frame = frame.finish().map_err(|faults| Complaint::of(place, faults))?;
        let unanswered = |error: AnswerError| Complaint { place, column: None, detail: error.to_string() };
        self.answering.answer(&frame).map_err(unanswered)
    }
}

/// A field as a cell: an integer by its type stays one, and is not taken for a double that was printed in digits.
fn cell(text: &str, is_integer: bool) -> Cell<'_> {
    let integer = if is_integer { text.parse().ok() } else { None };
    integer.map_or(Cell::Field(text), Cell::Integer)
}
