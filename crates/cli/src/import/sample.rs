//! A sample of the training data: types and ranges of its columns, and rows.

use std::path::Path;

use ordinate_import::Column;
use ordinate_model::cell::Cell;
use ordinate_model::field;
use ordinate_model::number::parse_double;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, Signature};
use ordinate_table::{DataError, FileOptions, Row, TableReader};

/// The golden rows, and further ones with missing values.
const GOLDEN_ROWS: usize = 5;
const MISSING_ROWS: usize = 2;

/// The most rows that are kept to choose from.
const MAX_KEPT: usize = 1024;

/// The columns and rows of a sample.
pub(super) struct Sample {
    /// The file.
    pub(super) label: String,
    pub(super) columns: Vec<Column>,
    /// Evenly spread rows.
    rows: Vec<Vec<Value>>,
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
    /// Reads the columns of these names.
    pub(super) fn read(path: &Path, options: FileOptions, names: &[String]) -> Result<Self, DataError> {
        let mut reader = TableReader::open(vec![path.to_owned()], options, names.to_vec(), None)?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let positions = reader.find(&names, "the imported model")?;
        for position in &positions {
            reader.check_column(*position)?;
        }
        let mut contents: Vec<Contents> = names.iter().map(|_| Contents::default()).collect();
        let (mut rows, mut row) = (Vec::new(), Row::default());
        let (mut stride, mut number) = (1, 0);
        while reader.next(&mut row)? {
            let values: Vec<Value> = positions.iter().map(|position| Value::new(&row, *position)).collect();
            for (contents, value) in contents.iter_mut().zip(&values) {
                contents.add(&value.scalar);
            }
            if number % stride == 0 {
                rows.push(values);
            }
            number += 1;
            if rows.len() > MAX_KEPT {
                rows = rows.into_iter().step_by(2).collect();
                stride *= 2;
            }
        }
        if rows.is_empty() {
            return Err(DataError::HeaderOnly { path: reader.label().into() });
        }
        let columns = names.iter().zip(&contents).map(|(name, contents)| contents.column(name)).collect();
        Ok(Self { label: reader.file_name(), columns, rows })
    }

    /// A few rows, all of their columns: rows with missing values are among them.
    pub(super) fn golden_rows(&self, signature: &Signature) -> Vec<Vec<Scalar>> {
        let last = self.rows.len().saturating_sub(1);
        let count = GOLDEN_ROWS.min(self.rows.len());
        let mut chosen: Vec<usize> = (0..count).map(|rank| rank * last / count.saturating_sub(1).max(1)).collect();
        let has_missing = |row: &[Value]| row.iter().any(|value| value.scalar == Scalar::Missing);
        let missing = self.rows.iter().enumerate().filter(|(_, row)| has_missing(row)).map(|(position, _)| position);
        chosen.extend(missing.take(MISSING_ROWS));
        let features: Vec<Option<&Feature>> = self
            .columns
            .iter()
            .map(|column| signature.features().iter().find(|feature| feature.name == column.name))
            .collect();
        let row = |row: &Vec<Value>| row.iter().zip(&features).map(|(value, feature)| value.scalar(*feature)).collect();
        chosen.iter().filter_map(|position| self.rows.get(*position)).map(row).collect()
    }
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

    /// The value as the type of its feature; any value of a column that no feature uses.
    fn scalar(&self, feature: Option<&Feature>) -> Scalar {
        match (feature.map(|feature| feature.kind), &self.scalar) {
            (_, Scalar::Missing) => Scalar::Missing,
            (Some(FeatureType::String), _) => Scalar::Text(self.text.clone()),
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
