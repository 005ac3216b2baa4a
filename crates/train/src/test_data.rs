//! Rows of files of their own, for a model that was fitted to others: read as the model will read requests.

use super::table::Table;
use crate::evaluate::Label;
use ordinate_model::cell::Cell;
use ordinate_model::field;
use ordinate_model::signature::{CellError, Feature, FeatureType};
use ordinate_table::{DataError, NamedColumn, Purpose, Selection};
use ordinate_table::{Origin, Place, Record, Scan, Source};

/// Labelled rows that no fit sees.
#[derive(Debug)]
pub struct Unseen<'t> {
    table: &'t Table,
    source: Source,
}

impl<'t> Unseen<'t> {
    /// Finds the columns of the table by their names.
    ///
    /// # Errors
    /// [`DataError`] when a file cannot be read or a column is not there.
    pub fn open(origin: &Origin, table: &'t Table) -> Result<Self, DataError> {
        let selection = Selection {
            target: table.target.name.clone(),
            features: table.signature.features().iter().map(|feature| feature.name.clone()).collect(),
            exclude: Vec::new(),
            weights: table.source.names().last().filter(|_| table.source.has_weights).cloned(),
        };
        Ok(Self { table, source: Source::open(origin, &selection)? })
    }

    /// What to call the data in a message.
    #[must_use]
    pub fn label(&self) -> String {
        self.source.label()
    }

    /// Hands every row to `each`: the features as they stand there, and what is known of the row.
    ///
    /// # Errors
    /// [`DataError`] at the first row that the model would not answer or that has no answer to compare with. Whatever
    /// `each` fails with ends the pass.
    pub fn scan<E: From<DataError>>(
        &self,
        mut each: impl FnMut(&[Cell<'_>], Label) -> Result<(), E>,
    ) -> Result<Scan, E> {
        let features = self.table.signature.features();
        self.source.scan(&mut |record| {
            let cells: Vec<Cell<'_>> = (0..features.len()).map(|place| record.cell(place)).collect();
            for (feature, cell) in features.iter().zip(&cells) {
                self.told(feature.accept(*cell), &named(&feature.name, Purpose::Feature), record.place())?;
            }
            let target = self.target(record, features.len())?;
            let weight = if self.table.source.has_weights { self.weight(record, features.len() + 1)? } else { 1.0 };
            each(&cells, Label { target, weight, held_out: true })
        })
    }

    /// The target in its own unit, or the position of the class.
    fn target(&self, record: &dyn Record, place: usize) -> Result<f64, DataError> {
        let Table { target, classes, class_values, .. } = self.table;
        let column = named(&target.name, Purpose::Target);
        if classes.is_empty() || !class_values.is_empty() {
            let value = self.number(&column, record, place)?;
            if classes.is_empty() {
                return Ok(value);
            }
            let position = class_values.iter().position(|class| class.total_cmp(&(value + 0.0)).is_eq());
            let named: Vec<String> = classes.iter().map(ToString::to_string).collect();
            let unknown = CellError::UnknownCategory { expected: named.join(" or "), got: value.to_string() };
            return self.told(position.map(|position| position as f64).ok_or(unknown), &column, record.place());
        }
        self.present(&column, record, place)?;
        self.told(target.accept(record.cell(place)), &column, record.place())
    }

    fn weight(&self, record: &dyn Record, place: usize) -> Result<f64, DataError> {
        let column = named(self.source.names().get(place).map_or("", String::as_str), Purpose::Weight);
        let value = self.number(&column, record, place)?;
        let location = || self.source.location(record.place());
        let reason = "a weight says how much a row counts";
        if value > 0.0 {
            Ok(value)
        } else {
            Err(DataError::NotPositive { location: location(), column, value, reason })
        }
    }

    fn number(&self, column: &NamedColumn, record: &dyn Record, place: usize) -> Result<f64, DataError> {
        self.present(column, record, place)?;
        let number = Feature::new(&*column.name, FeatureType::Double);
        self.told(number.accept(record.cell(place)), column, record.place())
    }

    fn present(&self, column: &NamedColumn, record: &dyn Record, place: usize) -> Result<(), DataError> {
        let missing = match record.cell(place) {
            Cell::Missing => true,
            Cell::Field(text) => field::is_missing(text),
            _ => false,
        };
        if missing {
            let location = self.source.location(record.place());
            return Err(DataError::MissingAnswer { location, column: column.clone() });
        }
        Ok(())
    }

    fn told(&self, value: Result<f64, CellError>, column: &NamedColumn, place: Place) -> Result<f64, DataError> {
        value.map_err(|error| DataError::Unanswerable {
            location: self.source.location(place),
            column: column.clone(),
            reason: match error {
                CellError::Missing => format!("the value {error}"),
                other => other.to_string(),
            },
        })
    }
}

fn named(name: &str, purpose: Purpose) -> NamedColumn {
    NamedColumn { name: name.into(), purpose }
}
