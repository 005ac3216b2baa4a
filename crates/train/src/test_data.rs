//! Test data: rows of other files, read as the model reads requests.

use super::training_table::TrainingTable;
use crate::evaluate::Label;
use ordinate_model::cell::Cell;
use ordinate_model::family::Family;
use ordinate_model::signature::{CellError, Feature, FeatureType};
use ordinate_table::{DataError, NamedColumn, Purpose, Selection};
use ordinate_table::{Origin, Record, RowId, Scan, Source};

/// Labelled rows that are not part of the training data.
#[derive(Debug)]
pub struct TestData<'t> {
    table: &'t TrainingTable,
    source: Source,
    /// The distribution of the target, which not all numbers have.
    family: Option<Family>,
}

impl<'t> TestData<'t> {
    /// Finds the columns of the training data by name.
    ///
    /// # Errors
    /// [`DataError`] when a file cannot be read or has no such column.
    pub fn open(origin: &Origin, table: &'t TrainingTable, family: Option<Family>) -> Result<Self, DataError> {
        let selection = Selection {
            target: table.target.name.clone(),
            features: table.signature.features().iter().map(|feature| feature.name.clone()).collect(),
            exclude: Vec::new(),
            weights: table.source.names().last().filter(|_| table.source.has_weights).cloned(),
            // An offset is one of the features.
            offset: None,
        };
        Ok(Self { table, source: Source::open(origin, &selection)?, family })
    }

    /// The name of the data in messages.
    #[must_use]
    pub fn label(&self) -> String {
        self.source.label()
    }

    /// Calls `each` with the features and the label of every row.
    ///
    /// # Errors
    /// [`DataError`] at the first row that the model would reject or that has no target, or the error of `each`, which ends
    /// the pass.
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
            // The exposure is one of the features.
            each(&cells, Label { weight, ..Label::new(target, true) })
        })
    }

    /// The target in its own unit, or the position of the class.
    fn target(&self, record: &Record<'_>, place: usize) -> Result<f64, DataError> {
        let TrainingTable { target, classes, class_values, .. } = self.table;
        let column = named(&target.name, Purpose::Target);
        if classes.is_empty() || !class_values.is_empty() {
            // Boolean classes have the values 0 and 1.
            let kind = if target.kind == FeatureType::Boolean { target.kind } else { FeatureType::Double };
            let value = self.number(kind, &column, record, place)?;
            if classes.is_empty() {
                let family = self.family.filter(|family| !family.has(value));
                return family.map_or(Ok(value), |family| {
                    let (location, expected) = (self.source.location(record.id()), family.targets());
                    let reason = "correct it, or remove the row";
                    Err(DataError::NotPositive { location, column, expected, value, reason })
                });
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
        if value >= 0.0 {
            Ok(value)
        } else {
            let expected = "a number of at least zero";
            Err(DataError::NotPositive { location: location(), column, expected, value, reason })
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
