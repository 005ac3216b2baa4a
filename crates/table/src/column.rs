//! Statistics of a column: enough to infer its type and levels and to impute missing values.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::block::Cells;
use super::missing::Policy;
use super::source::{RowId, Source};
use super::tally::Tally;
use super::{DataError, MAX_CLASSES, MAX_LEVELS, NamedColumn, Purpose};
use ordinate_model::cell::Cell;
use ordinate_model::field;
use ordinate_model::number;
use ordinate_model::number::{NumberError, has_decimal_comma, parse_double};
use ordinate_model::signature::{CellError, Feature, FeatureType};

/// The role of a column in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// To predict from.
    Feature,
    /// To predict.
    Target {
        /// Whether the logarithm is fitted.
        log: bool,
    },
    /// The weights of the rows.
    Weight,
}

/// The statistics of a column after the rows so far.
#[derive(Debug)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// The column's role.
    pub role: Role,
    /// The type, unless it is inferred.
    pub declared: Option<Feature>,
    /// The treatment of missing values.
    pub policy: Policy,
    /// The number of missing values.
    pub missing: u64,
    /// The number of numbers.
    pub numbers: u64,
    /// The first boolean.
    first_boolean: Option<(RowId, String)>,
    /// A number, for messages.
    first_number: Option<String>,
    /// The first word.
    first_text: Option<(RowId, String)>,
    /// The first value that looks like a number and cannot be used as one.
    first_unusable: Option<(RowId, String, NumberError)>,
    /// Smallest and largest number.
    pub range: [f64; 2],
    /// The number of rows of each word, in the order of their first row.
    words: IndexMap<String, u64>,
    /// The number of rows of each number, up to a limit of numbers.
    pub values: Tally,
}

/// A cell as it looks before the type of its column is known.
pub(crate) enum Seen {
    Missing,
    Boolean,
    Number(f64),
    /// Text that looks like a number.
    Unusable(NumberError),
    Text,
}

impl Column {
    /// A column without rows.
    #[must_use]
    pub fn new(name: &str, role: Role, declared: Option<FeatureType>, policy: Policy) -> Self {
        let counted = if matches!(role, Role::Target { .. }) { MAX_CLASSES } else { 0 };
        Self {
            name: name.to_owned(),
            role,
            declared: declared.map(|kind| Feature::new(name, kind)),
            policy,
            missing: 0,
            numbers: 0,
            first_boolean: None,
            first_number: None,
            first_text: None,
            first_unusable: None,
            range: [f64::INFINITY, f64::NEG_INFINITY],
            words: IndexMap::new(),
            values: Tally::new(counted),
        }
    }

    /// Adds the next cell of the column, and returns its encoded value: a number, the position of a word, or NaN for a
    /// missing value.
    ///
    /// # Errors
    /// [`DataError`] at a value that is not allowed in the column.
    pub fn push(&mut self, cell: Cell<'_>, row: RowId, source: &Source) -> Result<f64, DataError> {
        let seen = see(cell);
        let declared = self.declared.as_ref().map(|feature| feature.kind);
        // A Parquet text is neither a number nor a boolean, even if it is a word for a missing value.
        let is_mistaken = matches!(cell, Cell::Text(_)) && declared.is_some_and(|kind| kind != FeatureType::String);
        if matches!(seen, Seen::Missing) && !is_mistaken {
            return self.push_missing(row, source);
        }
        match declared {
            None => self.push_inferred(cell, &seen, row, source),
            Some(FeatureType::String) => self.push_word(cell, row, source),
            Some(_) => self.push_declared(cell, &seen, row, source),
        }
    }

    /// Whether these next cells can be added together; otherwise one of them may be an error.
    pub(crate) fn suits(&self, cells: &Cells) -> bool {
        let inferred = self.declared.is_none();
        let new = || cells.words.keys().filter(|word| !self.words.contains_key(*word)).count();
        let refuses_missing = self.role != Role::Feature || matches!(self.policy, Policy::Reject);
        let needs_positive = matches!(self.role, Role::Weight | Role::Target { log: true });
        let (numbers, words) = (cells.numbers > 0, !cells.words.is_empty());
        !(cells.missing > 0 && refuses_missing
            || numbers && needs_positive && cells.range[0] <= 0.0
            || inferred && numbers && (words || !self.words.is_empty())
            || inferred && words && self.numbers > 0
            || words && self.words.len() + new() > MAX_LEVELS)
    }

    /// Adds cells that suit. In their encoded `values`, positions among the words of these cells are replaced by positions
    /// among the words of the column.
    pub(crate) fn take<'v>(
        &mut self,
        cells: Cells,
        values: impl Iterator<Item = &'v mut f64>,
        row: impl Fn(u64) -> RowId,
    ) {
        self.missing += cells.missing;
        if cells.numbers > 0 {
            self.first_number = self.first_number.take().or(cells.first_number);
            self.numbers += cells.numbers;
            let ([low, high], [lowest, highest]) = (&mut self.range, cells.range);
            *low = low.min(lowest);
            *high = high.max(highest);
            if self.values.is_open() {
                values.filter(|value| !value.is_nan()).for_each(|value| self.values.push(*value));
            }
        } else if !cells.words.is_empty() {
            let first = |(line, text)| (row(line), text);
            self.first_boolean = self.first_boolean.take().or(cells.first_boolean.map(first));
            self.first_text = self.first_text.take().or(cells.first_text.map(first));
            let mut positions = Vec::with_capacity(cells.words.len());
            for (word, count) in cells.words {
                let entry = self.words.entry(word);
                positions.push(entry.index() as f64);
                *entry.or_default() += count;
            }
            // Positions of words are exact.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            for value in values.filter(|value| !value.is_nan()) {
                *value = positions.get(*value as usize).copied().unwrap_or(f64::NAN);
            }
        }
    }

    fn push_missing(&mut self, row: RowId, source: &Source) -> Result<f64, DataError> {
        self.missing += 1;
        let location = || source.location(row);
        match (self.role, &self.policy) {
            (Role::Feature, Policy::Reject) => {
                Err(DataError::Missing { location: location(), column: self.name.clone() })
            }
            (Role::Feature, _) => Ok(f64::NAN),
            _ => Err(DataError::MissingAnswer { location: location(), column: self.named() }),
        }
    }

    fn push_inferred(&mut self, cell: Cell<'_>, seen: &Seen, row: RowId, source: &Source) -> Result<f64, DataError> {
        let kept = match *seen {
            Seen::Number(value) => self.push_number(value, cell, row, source)?,
            // A value of a numeric Parquet column is never a word.
            Seen::Unusable(why) if !matches!(cell, Cell::Field(_)) => {
                let (column, value) = (self.named(), shown(cell));
                return Err(DataError::NotANumber { location: source.location(row), column, value, why });
            }
            Seen::Unusable(why) => {
                self.first_unusable.get_or_insert_with(|| (row, shown(cell), why));
                // Among numbers it is an error, which is returned below.
                if self.numbers == 0 { self.push_word(cell, row, source)? } else { f64::NAN }
            }
            Seen::Boolean => {
                self.first_boolean.get_or_insert_with(|| (row, shown(cell)));
                self.push_word(cell, row, source)?
            }
            Seen::Text | Seen::Missing => {
                self.first_text.get_or_insert_with(|| (row, shown(cell)));
                self.push_word(cell, row, source)?
            }
        };
        // Numbers and other values: no need to continue.
        if self.numbers > 0 && (!self.words.is_empty() || self.first_unusable.is_some()) {
            self.kind(source)?;
        }
        Ok(kept)
    }

    fn push_declared(&mut self, cell: Cell<'_>, seen: &Seen, row: RowId, source: &Source) -> Result<f64, DataError> {
        let location = || source.location(row);
        let column = || self.named();
        if let Seen::Unusable(why) = *seen {
            let value = shown(cell);
            return Err(DataError::NotANumber { location: location(), column: column(), value, why });
        }
        match self.declared.as_ref().map_or(Err(CellError::Missing), |feature| feature.accept(cell)) {
            Ok(value) => self.push_number(value, cell, row, source),
            Err(error) => Err(DataError::Value { location: location(), column: column(), source: error }),
        }
    }

    fn push_number(&mut self, value: f64, cell: Cell<'_>, row: RowId, source: &Source) -> Result<f64, DataError> {
        let reason = match self.role {
            Role::Weight => Some("correct the weight, or remove the row"),
            Role::Target { log: true } => {
                Some("correct it, or remove --target-transform log, because it has no logarithm")
            }
            _ => None,
        };
        if let Some(reason) = reason.filter(|_| value <= 0.0) {
            let location = source.location(row);
            return Err(DataError::NotPositive { location, column: self.named(), value, reason });
        }
        if self.numbers == 0 {
            self.first_number = Some(shown(cell));
        }
        self.numbers += 1;
        let [low, high] = &mut self.range;
        *low = low.min(value);
        *high = high.max(value);
        self.values.push(value);
        Ok(value)
    }

    fn push_word(&mut self, cell: Cell<'_>, row: RowId, source: &Source) -> Result<f64, DataError> {
        let location = || source.location(row);
        let text = match cell {
            Cell::Field(text) | Cell::Text(text) => text,
            Cell::Boolean(true) => "true",
            Cell::Boolean(false) => "false",
            other => {
                let error = Feature::new(&self.name, FeatureType::String).accept(other);
                let source = error.err().unwrap_or(CellError::Missing);
                return Err(DataError::Value { location: location(), column: self.named(), source });
            }
        };
        if let Some((at, _, count)) = self.words.get_full_mut(text) {
            *count += 1;
            return Ok(at as f64);
        }
        if self.words.len() == MAX_LEVELS {
            let column = self.name.clone();
            return Err(match self.role {
                Role::Target { .. } => DataError::TooManyClasses { column }.in_data(source.label()),
                _ => DataError::TooManyLevels { location: location(), column },
            });
        }
        let (at, _) = self.words.insert_full(text.to_owned(), 1);
        Ok(at as f64)
    }

    /// The type of the column.
    ///
    /// # Errors
    /// [`DataError`] when its values are of several types.
    pub fn kind(&self, source: &Source) -> Result<FeatureType, DataError> {
        if let Some(feature) = &self.declared {
            return Ok(feature.kind);
        }
        let column = || self.named();
        if let (Some((row, value, why)), true) = (&self.first_unusable, self.numbers > 0 || self.first_text.is_none()) {
            let location = source.location(*row);
            return Err(DataError::NotANumber { location, column: column(), value: value.clone(), why: *why });
        }
        let word = self.first_text.as_ref().or(self.first_boolean.as_ref());
        if let (Some((row, value)), Some(number)) = (word, &self.first_number) {
            let (value, number) = (value.clone(), number.clone());
            return Err(DataError::Mixed { location: source.location(*row), column: column(), value, number });
        }
        Ok(match (self.numbers > 0, self.first_text.is_some()) {
            (true, _) => FeatureType::Double,
            (false, true) => FeatureType::String,
            (false, false) => FeatureType::Boolean,
        })
    }

    /// The column in messages.
    fn named(&self) -> NamedColumn {
        let purpose = match self.role {
            Role::Feature => Purpose::Feature,
            Role::Target { .. } => Purpose::Target,
            Role::Weight => Purpose::Weight,
        };
        NamedColumn { name: self.name.as_str().into(), purpose }
    }

    /// The first value that cannot be used as a number, if it is one with a decimal comma.
    pub fn decimal_comma(&self) -> Option<&str> {
        let (_, value, _) = self.first_unusable.as_ref()?;
        has_decimal_comma(value.trim_matches('"')).then_some(value)
    }

    /// Whether the column has no values.
    pub fn is_empty(&self) -> bool {
        self.numbers == 0 && self.words.is_empty()
    }

    /// The words in ascending order, and the number of rows of each.
    pub fn levels(&self) -> BTreeMap<&str, u64> {
        self.words.iter().map(|(word, count)| (word.as_str(), *count)).collect()
    }

    /// The words in the order of their first row: a cell is encoded as the position of its word here.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.keys().map(String::as_str)
    }

    /// The number of rows that are `false` and `true`, if they are words.
    pub fn booleans(&self) -> [(bool, u64); 2] {
        [false, true].map(|value| {
            let same = self.words.iter().filter(|(word, _)| field::boolean(word) == Some(value));
            (value, same.map(|(_, count)| count).sum())
        })
    }

    /// The number of different booleans.
    pub fn distinct_booleans(&self) -> usize {
        let [low, high] = self.range;
        // Inferred booleans are counted as words, declared ones as 1 and 0.
        if self.numbers == 0 {
            self.booleans().iter().filter(|(_, count)| *count > 0).count()
        } else {
            1 + usize::from(low < high)
        }
    }
}

/// Classifies a cell.
pub(crate) fn see(cell: Cell<'_>) -> Seen {
    match cell {
        Cell::Missing => Seen::Missing,
        Cell::Boolean(_) => Seen::Boolean,
        Cell::Double(value) if value.is_nan() => Seen::Missing,
        Cell::Double(value) if value.is_infinite() => Seen::Unusable(NumberError::NotFinite),
        Cell::Double(value) => Seen::Number(value),
        Cell::Integer(value) => match number::integer(value) {
            Ok(value) => Seen::Number(value),
            Err(why) => Seen::Unusable(why),
        },
        Cell::Number(text) | Cell::Field(text) => match parse_double(text.trim_ascii()) {
            Ok(value) => Seen::Number(value),
            Err(_) if field::is_missing(text) => Seen::Missing,
            Err(_) if field::boolean(text).is_some() => Seen::Boolean,
            Err(NumberError::Malformed) if !looks_numeric(text.trim_ascii()) => Seen::Text,
            Err(why) => Seen::Unusable(why),
        },
        Cell::Text(text) if field::is_missing(text) => Seen::Missing,
        Cell::Text(_) | Cell::Date(_) | Cell::Array | Cell::Object => Seen::Text,
    }
}

/// A cell in messages; a field without the spaces around it, which most types ignore.
pub(super) fn shown(cell: Cell<'_>) -> String {
    match cell {
        Cell::Field(text) => Cell::Field(text.trim_ascii()).to_string(),
        other => other.to_string(),
    }
}

/// Whether a text is a number as people write it: `1,5`, `1'000`, `12%`. A column of such texts is not a category.
fn looks_numeric(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    unsigned.starts_with(|first: char| first.is_ascii_digit())
        && unsigned.chars().all(|character| character.is_ascii_digit() || ".,'_% ".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them_are_not_words() {
        for number in ["1,5", "-1.000,5", "1'000", "12%", "1_000", "12 000"] {
            assert!(looks_numeric(number), "{number}");
        }
        for word in ["high", "", "-", "2024-01-05", "3rd", "A1", "10-20"] {
            assert!(!looks_numeric(word), "{word}");
        }
    }
}
