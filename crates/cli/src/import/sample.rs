//! A sample of the training data: types and ranges of its columns, and rows.

use std::error::Error;
use std::path::Path;

use ordinate_import::Column;
use ordinate_model::cell::Cell;
use ordinate_model::field;
use ordinate_model::number::parse_double;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, Signature};
use ordinate_model::wording::counted;
use ordinate_table::{DataError, FileOptions, Row, TableReader};

/// The golden rows, and further ones with missing values.
const GOLDEN_ROWS: usize = 5;
const MISSING_ROWS: usize = 2;

/// The most rows that are kept to choose from.
const MAX_KEPT: usize = 1024;

/// The columns and rows of a sample that the model accepts.
pub(super) struct Sample {
    /// The file.
    pub(super) label: String,
    pub(super) columns: Vec<Column>,
    pub(super) rejected: Option<Rejected>,
    /// Evenly spread rows.
    rows: Vec<Vec<Value>>,
    /// The number of rows that the model accepts.
    accepted: u64,
}

/// The rows that the model rejects.
pub(super) struct Rejected {
    count: u64,
    /// The place of the first one, and why.
    first: String,
}

/// A value by its looks, with its text.
#[derive(Clone)]
struct Value {
    text: String,
    scalar: Scalar,
}

/// The contents of a column so far.
#[derive(Default)]
struct Contents {
    texts: bool,
    booleans: bool,
    has_fraction: bool,
    /// The smallest and largest number.
    range: Option<[f64; 2]>,
}

impl Sample {
    /// Reads the columns of these names, in rows that the model accepts.
    ///
    /// # Errors
    /// A message for the user when the file cannot be read, or the model accepts no row.
    pub(super) fn read(
        path: &Path,
        options: FileOptions,
        names: &[String],
        signature: &Signature,
    ) -> Result<Self, Box<dyn Error>> {
        let mut reader = TableReader::open(vec![path.to_owned()], options, names.to_vec(), None)?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let positions = reader.find(&names, "the imported model")?;
        for position in &positions {
            reader.check_column(*position)?;
        }
        let features = features(&names, signature);
        let mut contents: Vec<Contents> = names.iter().map(|_| Contents::default()).collect();
        let mut sample =
            Self { label: reader.file_name(), columns: Vec::new(), rejected: None, rows: Vec::new(), accepted: 0 };
        let (mut row, mut stride) = (Row::default(), 1);
        while reader.next(&mut row)? {
            let values: Vec<Value> = positions.iter().map(|position| Value::new(&row, *position)).collect();
            let mut cells = positions.iter().zip(&features).zip(&values);
            let fault = cells.find_map(|((position, feature), value)| {
                let feature = (*feature)?;
                Some((feature, value.fault(feature, row.cell(*position))?))
            });
            if let Some((feature, reason)) = fault {
                sample.reject(|| format!("{}, column {:?}: {reason}", row.number(), feature.name));
                continue;
            }
            for (contents, value) in contents.iter_mut().zip(&values) {
                contents.add(&value.scalar);
            }
            if sample.accepted.is_multiple_of(stride) {
                sample.rows.push(values);
            }
            sample.accepted += 1;
            if sample.rows.len() > MAX_KEPT {
                sample.rows = sample.rows.into_iter().step_by(2).collect();
                stride *= 2;
            }
        }
        if sample.rows.is_empty() {
            return Err(sample.without_rows(reader.label()));
        }
        sample.columns = names.iter().zip(&contents).map(|(name, contents)| contents.column(name)).collect();
        Ok(sample)
    }

    /// The error of a sample without a row that the model accepts.
    fn without_rows(self, label: &str) -> Box<dyn Error> {
        match self.rejected {
            None => DataError::HeaderOnly { path: label.into() }.into(),
            Some(Rejected { first, .. }) => format!(
                "{label}: the model rejects all rows; {first}\n\
                 help: name a sample of the training data in which each column has values that the model accepts"
            )
            .into(),
        }
    }

    fn reject(&mut self, describe: impl FnOnce() -> String) {
        self.rejected.get_or_insert_with(|| Rejected { count: 0, first: describe() }).count += 1;
    }

    /// A line about the rows that the model rejects.
    pub(super) fn rejected_note(&self) -> Option<String> {
        let Rejected { count, first } = self.rejected.as_ref()?;
        let rows = counted(count + self.accepted, "row", "rows");
        Some(format!("left out {count} of {rows} of {}, which the model rejects; the first: {first}", self.label))
    }

    /// A few rows, all of their columns: rows with missing values are among them.
    pub(super) fn golden_rows(&self, signature: &Signature) -> Vec<Vec<Scalar>> {
        let last = self.rows.len().saturating_sub(1);
        let count = GOLDEN_ROWS.min(self.rows.len());
        let mut chosen: Vec<usize> = (0..count).map(|rank| rank * last / count.saturating_sub(1).max(1)).collect();
        let has_missing = |row: &[Value]| row.iter().any(|value| value.scalar == Scalar::Missing);
        let missing = self.rows.iter().enumerate().filter(|(_, row)| has_missing(row)).map(|(position, _)| position);
        chosen.extend(missing.take(MISSING_ROWS));
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let features = features(&names, signature);
        let row = |row: &Vec<Value>| row.iter().zip(&features).map(|(value, feature)| value.scalar(*feature)).collect();
        chosen.iter().filter_map(|position| self.rows.get(*position)).map(row).collect()
    }
}

/// The feature of each column, if the model uses it.
fn features<'s>(names: &[&str], signature: &'s Signature) -> Vec<Option<&'s Feature>> {
    let feature = |name: &&str| signature.position(name).and_then(|position| signature.features().get(position));
    names.iter().map(feature).collect()
}

impl Value {
    fn new(row: &Row, position: usize) -> Self {
        let scalar = match row.cell(position) {
            Cell::Field(text) if field::is_missing(text) => Scalar::Missing,
            Cell::Field(text) => match (parse_double(text), field::boolean(text)) {
                (Ok(number), _) => Scalar::Number(number),
                (Err(_), Some(boolean)) => Scalar::Boolean(boolean),
                (Err(_), None) => Scalar::Text(text.to_owned()),
            },
            Cell::Boolean(value) => Scalar::Boolean(value),
            Cell::Double(value) if value.is_nan() => Scalar::Missing,
            Cell::Double(value) => Scalar::Number(value),
            // Up to 2^53, exactly.
            #[allow(clippy::cast_precision_loss)]
            Cell::Integer(value) => Scalar::Number(value as f64),
            Cell::Number(digits) => parse_double(digits).map_or(Scalar::Missing, Scalar::Number),
            Cell::Missing => Scalar::Missing,
            _ => Scalar::Text(row.text(position).into_owned()),
        };
        Self { text: row.text(position).into_owned(), scalar }
    }

    /// Why the feature does not accept the value of a cell.
    fn fault(&self, feature: &Feature, cell: Cell<'_>) -> Option<String> {
        let error = feature.accept(self.scalar(Some(feature)).cell()).err()?;
        // The notation of the file.
        let error = feature.accept(cell).err().unwrap_or(error);
        Some(feature.explain(&error, cell))
    }

    /// The value as the type of its feature; any value of a column that no feature uses.
    fn scalar(&self, feature: Option<&Feature>) -> Scalar {
        match (feature.map(|feature| feature.kind), &self.scalar) {
            // A missing-value marker can be a level.
            (Some(FeatureType::String), _) if !self.text.is_empty() => Scalar::Text(self.text.clone()),
            (_, Scalar::Missing) => Scalar::Missing,
            (Some(FeatureType::Double), Scalar::Boolean(value)) => Scalar::Number(f64::from(u8::from(*value))),
            (_, scalar) => scalar.clone(),
        }
    }
}

impl Contents {
    fn add(&mut self, scalar: &Scalar) {
        match scalar {
            Scalar::Boolean(_) => self.booleans = true,
            Scalar::Number(number) => {
                self.has_fraction |= number.fract() != 0.0;
                let [low, high] = self.range.unwrap_or([*number; 2]);
                self.range = Some([low.min(*number), high.max(*number)]);
            }
            Scalar::Missing => {}
            _ => self.texts = true,
        }
    }

    fn column(&self, name: &str) -> Column {
        let column = Column::new(name);
        match (self.texts, self.range.is_some(), self.booleans) {
            (true, ..) => Column { kind: Some(FeatureType::String), ..column },
            (false, false, true) => Column { kind: Some(FeatureType::Boolean), ..column },
            (false, true, false) => {
                let (range, whole) = (self.range, !self.has_fraction);
                Column { kind: Some(FeatureType::Double), range, whole, ..column }
            }
            _ => Column { kind: Some(FeatureType::Double), ..column },
        }
    }
}
