//! Rows of files of their own, for a model that was fitted to others: read as the model will read requests.

use super::table::Table;
use crate::evaluate::Label;
use ordinate_model::cell::Cell;
use ordinate_model::signature::{CellError, Feature, FeatureType};
use ordinate_table::{DataError, NamedColumn, Purpose, Selection};
use ordinate_table::{Origin, Record, RowId, Scan, Source};

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
                self.accepted(feature, *cell, &named(&feature.name, Purpose::Feature), record.id())?;
            }
            let target = self.target(record, features.len())?;
            let weight = if self.table.source.has_weights { self.weight(record, features.len() + 1)? } else { 1.0 };
            each(&cells, Label { target, weight, held_out: true })
        })
    }

    /// The target in its own unit, or the position of the class.
    fn target(&self, record: &Record<'_>, place: usize) -> Result<f64, DataError> {
        let Table { target, classes, class_values, .. } = self.table;
        let column = named(&target.name, Purpose::Target);
        if classes.is_empty() || !class_values.is_empty() {
            // Booleans are classes of the values 0 and 1.
            let kind = if target.kind == FeatureType::Boolean { target.kind } else { FeatureType::Double };
            let value = self.number(kind, &column, record, place)?;
            if classes.is_empty() {
                return Ok(value);
            }
            let position = class_values.iter().position(|class| class.total_cmp(&(value + 0.0)).is_eq());
            let named: Vec<String> = classes.iter().map(ToString::to_string).collect();
            return position.map(|position| position as f64).ok_or_else(|| {
                let reason = CellError::UnknownCategory { expected: named.join(" or "), got: value.to_string() };
                self.unanswerable(&column, record.id(), reason.to_string())
            });
        }
        self.present(target, &column, record, place)?;
        self.accepted(target, record.cell(place), &column, record.id())
    }

    fn weight(&self, record: &Record<'_>, place: usize) -> Result<f64, DataError> {
        let column = named(self.source.names().get(place).map_or("", String::as_str), Purpose::Weight);
        let value = self.number(FeatureType::Double, &column, record, place)?;
        let location = || self.source.location(record.id());
        let reason = "correct the weight, or remove the row";
        if value > 0.0 {
            Ok(value)
        } else {
            Err(DataError::NotPositive { location: location(), column, value, reason })
        }
    }

    fn number(
        &self,
        kind: FeatureType,
        column: &NamedColumn,
        record: &Record<'_>,
        place: usize,
    ) -> Result<f64, DataError> {
        let number = Feature::new(&*column.name, kind);
        self.present(&number, column, record, place)?;
        self.accepted(&number, record.cell(place), column, record.id())
    }

    fn present(
        &self,
        feature: &Feature,
        column: &NamedColumn,
        record: &Record<'_>,
        place: usize,
    ) -> Result<(), DataError> {
        if feature.is_missing(record.cell(place)) {
            let location = self.source.location(record.id());
            return Err(DataError::MissingAnswer { location, column: column.clone() });
        }
        Ok(())
    }

    fn accepted(&self, feature: &Feature, cell: Cell<'_>, column: &NamedColumn, row: RowId) -> Result<f64, DataError> {
        feature.accept(cell).map_err(|error| {
            let reason = match error {
                CellError::Missing => format!("the value {error}"),
                other => feature.explain(&other, cell),
            };
            self.unanswerable(column, row, reason)
        })
    }

    fn unanswerable(&self, column: &NamedColumn, row: RowId, reason: String) -> DataError {
        DataError::Unanswerable { location: self.source.location(row), column: column.clone(), reason }
    }
}

fn named(name: &str, purpose: Purpose) -> NamedColumn {
    NamedColumn { name: name.into(), purpose }
}
