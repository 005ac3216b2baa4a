//! The columns of a table by their names.

use std::collections::HashMap;

use csv::StringRecord;

use super::records::Records;
use super::scoring::ScoringError;

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

    /// How many there are.
    pub(super) fn width(&self) -> usize {
        self.header.len()
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
