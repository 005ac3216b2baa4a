//! The rows of a table through a model, a batch at a time, exactly as it is served.

use std::collections::HashMap;
use std::fmt;

use clap::ValueEnum;
use csv::StringRecord;
use thiserror::Error;

use super::records::{Place, Records, RecordsError, Row};
use crate::model::fault::{Fault, FaultKind, Faults};
use crate::model::frame::{Cell, RowsBuilder, shorten};
use crate::model::{Model, PredictError, Prediction, Probabilities};
use crate::train::interval::PredictionInterval;

/// Rows predicted at a time: all that is held of a table.
const BATCH_ROWS: usize = 1024;

/// Bytes after which a batch is full with fewer rows.
const BATCH_BYTES: usize = 4 << 20;

/// Complaints about rows that were passed over that are told word by word; the rest are counted.
const COMPLAINTS_TOLD: usize = 5;

/// What happens to a row that the model cannot answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum OnError {
    /// End with an error that says which row and why
    #[default]
    Stop,
    /// Leave the row out
    Skip,
    /// Keep the row, without a prediction
    Empty,
}

/// Why a table cannot be scored.
#[derive(Debug, Error)]
#[non_exhaustive]
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
        complaint: Complaint,
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

/// Why a row cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Where the row stands.
    pub(super) place: Place,
    /// The column, where it is one column's fault.
    pub(super) column: Option<String>,
    /// What was expected.
    pub(super) detail: String,
}

/// `line 3, column "bmi": expected a number, got "high"`.
impl fmt::Display for Complaint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.place)?;
        if let Some(column) = &self.column {
            write!(out, ", column {column:?}")?;
        }
        write!(out, ": {}", self.detail)
    }
}

impl Complaint {
    fn of(at: Place, faults: Faults) -> Self {
        let Some(Fault { kind, place, detail }) = faults.told.into_iter().next() else {
            return Self { place: at, column: None, detail: "cannot be used".into() };
        };
        let detail = if kind == FaultKind::MissingValue { format!("the value {detail}") } else { detail };
        Self { place: at, column: place.feature, detail }
    }
}

/// Finds a column by its exact name, spaces around it aside; the last of several.
#[derive(Debug)]
pub(super) struct Columns<'r> {
    name: String,
    header: &'r StringRecord,
    places: HashMap<&'r str, usize>,
}

impl<'r> Columns<'r> {
    /// The columns of these records.
    pub(super) fn of(records: &'r Records) -> Self {
        let header = records.header();
        let places = header.iter().enumerate().map(|(place, name)| (name.trim(), place)).collect();
        Self { name: records.header_name(), header, places }
    }

    /// Whether there is a column of this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The places of these names, each of which must be there exactly once.
    ///
    /// # Errors
    /// [`ScoringError::NoSuchColumns`] with all that are not there, or [`ScoringError::DuplicateColumn`].
    pub(super) fn find(&self, wanted: &[&str], needed_by: &str) -> Result<Vec<usize>, ScoringError> {
        let missing: Vec<(String, Option<String>)> =
            wanted.iter().filter(|name| !self.contains(name)).map(|name| self.near(name, wanted)).collect();
        if !missing.is_empty() {
            return Err(ScoringError::NoSuchColumns {
                name: self.name.clone(),
                needed_by: needed_by.to_owned(),
                missing,
                columns: self.header.iter().map(str::to_owned).collect(),
            });
        }
        let twice = |name: &&&str| self.header.iter().filter(|column| column.trim() == **name).count() > 1;
        if let Some(column) = wanted.iter().find(twice) {
            let column = (*column).to_owned();
            return Err(ScoringError::DuplicateColumn { name: self.name.clone(), column });
        }
        Ok(wanted.iter().filter_map(|name| self.places.get(name).copied()).collect())
    }

    /// The name with the most similar column that is not wanted under its own name.
    fn near(&self, name: &str, wanted: &[&str]) -> (String, Option<String>) {
        let free = self.header.iter().map(str::trim).filter(|column| !column.is_empty() && !wanted.contains(column));
        let similar = free.map(|column| (strsim::jaro_winkler(&column.to_lowercase(), &name.to_lowercase()), column));
        let nearest = similar.max_by(|one, other| one.0.total_cmp(&other.0)).filter(|(score, _)| *score > 0.7);
        (name.to_owned(), nearest.map(|(_, column)| column.to_owned()))
    }
}

/// A batch of rows and what the model says to them.
#[derive(Debug)]
pub(super) struct Scored<'b> {
    /// The rows.
    pub(super) rows: &'b [Row],
    /// For each row, why it cannot be answered, if so.
    pub(super) complaints: Vec<Option<Complaint>>,
    /// One answer for each row that can be.
    pub(super) answers: Answers<'b>,
}

/// What a model says to some rows, in their order.
#[derive(Debug, Default)]
pub(super) struct Answers<'m> {
    /// None when there are no rows.
    pub(super) prediction: Option<Prediction<'m>>,
    /// Of a classifier.
    pub(super) probabilities: Option<Probabilities<'m>>,
    /// Where they were asked for: the ends of an interval around each prediction.
    pub(super) intervals: Vec<[f64; 2]>,
}

/// A model that knows where in a row its features stand.
#[derive(Debug)]
pub(super) struct Scorer<'m> {
    model: &'m Model,
    /// For each feature, its place in a row.
    places: Vec<usize>,
    /// Fields of a row.
    width: usize,
    interval: Option<PredictionInterval<'m>>,
}

impl<'m> Scorer<'m> {
    /// Finds the features in the header.
    ///
    /// # Errors
    /// [`ScoringError::NoSuchColumns`], [`ScoringError::DuplicateColumn`].
    pub(super) fn new(model: &'m Model, columns: &Columns<'_>) -> Result<Self, ScoringError> {
        let features: Vec<&str> = model.signature().features().iter().map(|feature| feature.name.as_str()).collect();
        let needed_by = format!("the model {}", model.name());
        let places = columns.find(&features, &needed_by)?;
        Ok(Self { model, places, width: columns.header.len(), interval: None })
    }

    /// The same with intervals around the predictions.
    pub(super) fn with_interval(self, interval: Option<PredictionInterval<'m>>) -> Self {
        Self { interval, ..self }
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
        let mut rows = vec![Row::default(); BATCH_ROWS];
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
                each(self.batch(batch))?;
            }
            if !outcome.map_err(ScoringError::from)? {
                break;
            }
        }
        if total == 0 {
            return Err(ScoringError::NoRows { name: records.name().to_owned() }.into());
        }
        Ok(total)
    }

    fn batch<'b>(&self, rows: &'b [Row]) -> Scored<'b>
    where
        'm: 'b,
    {
        // All at once, as there is usually nothing wrong; otherwise one by one, to know which.
        if let Ok(answers) = self.answer(rows.iter()) {
            return Scored { rows, complaints: vec![None; rows.len()], answers };
        }
        let complaints: Vec<_> = rows.iter().map(|row| self.answer([row].into_iter()).err()).collect();
        let good = rows.iter().zip(&complaints).filter(|(_, complaint)| complaint.is_none());
        let good: Vec<&Row> = good.map(|(row, _)| row).collect();
        // Rows that can be answered each can be answered together.
        let answers = if good.is_empty() { Ok(Answers::default()) } else { self.answer(good.into_iter()) };
        Scored { rows, complaints, answers: answers.unwrap_or_default() }
    }

    fn answer<'r>(&self, rows: impl ExactSizeIterator<Item = &'r Row>) -> Result<Answers<'m>, Complaint> {
        let mut frame = RowsBuilder::new(self.model.signature(), rows.len());
        let mut place = Place::default();
        for row in rows {
            place = row.place;
            // Room was made for all of them.
            let _ = frame.start_row();
            if row.fields.len() == self.width {
                for field in &self.places {
                    frame.push(Cell::Field(row.fields.get(*field).unwrap_or_default()));
                }
                frame.end_positional_row();
            } else {
                let (expected, got) = (self.width, row.fields.len());
                let detail = format!("expected {expected} fields as in the header, got {got}");
                frame.wrong_row(FaultKind::WrongWidth, detail);
            }
        }
        let frame = frame.finish().map_err(|faults| Complaint::of(place, faults))?;
        let unanswered = |error: PredictError| Complaint { place, column: None, detail: error.to_string() };
        let prediction = self.model.predict(&frame).map_err(unanswered)?;
        let probabilities = self.model.probabilities(&frame).map_err(unanswered)?;
        let mut intervals = Vec::new();
        if let (Some(interval), Prediction::Values(values)) = (&self.interval, &prediction) {
            let ends = frame.iter().zip(values).map(|(row, value)| interval.around(row, *value));
            let too_large =
                || Complaint { place, column: None, detail: "the interval is too large for a double".into() };
            intervals = ends.collect::<Option<_>>().ok_or_else(too_large)?;
        }
        Ok(Answers { prediction: Some(prediction), probabilities, intervals })
    }
}

/// Rows that were passed over: the first few, and how many.
#[derive(Debug)]
pub(super) struct PassedOver {
    on_error: OnError,
    told: Vec<Complaint>,
    total: u64,
}

impl PassedOver {
    /// None yet.
    pub(super) fn new(on_error: OnError) -> Self {
        Self { on_error, told: Vec::new(), total: 0 }
    }

    /// Notes a row that cannot be used.
    ///
    /// # Errors
    /// [`ScoringError::Row`] when none may be passed over.
    pub(super) fn note(&mut self, name: &str, complaint: Complaint) -> Result<(), ScoringError> {
        if self.on_error == OnError::Stop {
            return Err(ScoringError::Row { name: name.to_owned(), complaint });
        }
        self.total += 1;
        if self.told.len() < COMPLAINTS_TOLD {
            self.told.push(complaint);
        }
        Ok(())
    }

    /// Rows that were passed over.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// What to tell about them, line by line; nothing when there were none.
    ///
    /// # Errors
    /// [`ScoringError::AllRows`] when they were all there are.
    pub(super) fn report(self, name: &str, rows: u64) -> Result<String, ScoringError> {
        let Some(first) = self.told.first() else { return Ok(String::new()) };
        if self.total == rows {
            return Err(ScoringError::AllRows { name: name.to_owned(), rows, complaint: first.clone() });
        }
        let what = if self.on_error == OnError::Empty { "without a prediction" } else { "left out" };
        let mut text = format!("{name}: {} of {rows} rows {what}:\n", self.total);
        for complaint in &self.told {
            text.extend(["  ", &complaint.to_string(), "\n"]);
        }
        let told = u64::try_from(self.told.len()).unwrap_or(0);
        if self.total > told {
            text.extend(["  and ", &(self.total - told).to_string(), " more\n"]);
        }
        Ok(text)
    }
}
