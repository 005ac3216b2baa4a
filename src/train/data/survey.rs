//! The first pass: what each column holds, so that its type, its levels and what stands in for missing values can be told.

use std::collections::BTreeMap;

use super::missing::Policy;
use super::source::{Place, Record, Source};
use super::{DataError, MAX_CLASSES, MAX_LEVELS};
use crate::model::frame::Cell;
use crate::model::number::{self, NumberError, parse_double};
use crate::model::signature::{CellError, Feature, FeatureType};
use crate::train::double_double::DoubleDouble;

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Feature,
    /// A number to be predicted, whose logarithm may be wanted.
    Target {
        log: bool,
    },
    Weight,
}

/// What is known of a column after the rows so far.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) role: Role,
    /// The type, where it is not to be inferred.
    declared: Option<Feature>,
    pub(super) policy: Policy,
    pub(super) missing: u64,
    pub(super) numbers: u64,
    booleans: u64,
    /// A number, for messages.
    first_number: Option<String>,
    /// The first word.
    first_text: Option<(Place, String)>,
    /// The first that looks like a number and cannot be used as one.
    first_unusable: Option<(Place, String, NumberError)>,
    /// Smallest and largest number.
    pub(super) range: [f64; 2],
    sum: DoubleDouble,
    /// How often each word is there.
    pub(super) levels: BTreeMap<String, u64>,
    /// How often each number is there, up to a limit.
    pub(super) values: Tally,
}

/// A cell, before the type of its column is known.
enum Seen {
    Missing,
    Boolean,
    Number(f64),
    /// It looks like a number.
    Unusable(NumberError),
    Text,
}

impl Column {
    pub(super) fn new(name: &str, role: Role, declared: Option<FeatureType>, policy: Policy) -> Self {
        let counted = match (role, &policy) {
            (Role::Target { .. }, _) => MAX_CLASSES,
            (_, Policy::MostFrequent) => Tally::MOST,
            _ => 0,
        };
        Self {
            name: name.to_owned(),
            role,
            declared: declared.map(|kind| Feature::new(name, kind)),
            policy,
            missing: 0,
            numbers: 0,
            booleans: 0,
            first_number: None,
            first_text: None,
            first_unusable: None,
            range: [f64::INFINITY, f64::NEG_INFINITY],
            sum: DoubleDouble::default(),
            levels: BTreeMap::new(),
            values: Tally::new(counted),
        }
    }

    /// Takes the next cell of the column.
    pub(super) fn push(&mut self, cell: Cell<'_>, record: &dyn Record, source: &Source) -> Result<(), DataError> {
        let seen = see(cell);
        if matches!(seen, Seen::Missing) {
            return self.push_missing(record, source);
        }
        match self.declared.as_ref().map(|feature| feature.kind) {
            None => self.push_inferred(cell, &seen, record, source),
            Some(FeatureType::String) => self.push_level(cell, record, source),
            Some(_) => self.push_declared(cell, &seen, record, source),
        }
    }

    fn push_missing(&mut self, record: &dyn Record, source: &Source) -> Result<(), DataError> {
        self.missing += 1;
        let column = self.name.clone();
        let location = || source.location(record.place());
        match (self.role, &self.policy) {
            (Role::Feature, Policy::Reject) => Err(DataError::Missing { location: location(), column }),
            (Role::Feature, _) => Ok(()),
            (Role::Target { .. }, _) => {
                Err(DataError::MissingAnswer { location: location(), column, role: "the target" })
            }
            (Role::Weight, _) => Err(DataError::MissingAnswer { location: location(), column, role: "the weight" }),
        }
    }

    fn push_inferred(
        &mut self,
        cell: Cell<'_>,
        seen: &Seen,
        record: &dyn Record,
        source: &Source,
    ) -> Result<(), DataError> {
        match *seen {
            Seen::Number(value) => {
                self.push_number(value, cell, record, source)?;
            }
            Seen::Unusable(why) => {
                self.first_unusable.get_or_insert_with(|| (record.place(), cell.to_string(), why));
                if self.numbers == 0 {
                    self.push_level(cell, record, source)?;
                }
            }
            Seen::Boolean => {
                self.booleans += 1;
                self.push_level(cell, record, source)?;
            }
            Seen::Text | Seen::Missing => {
                self.first_text.get_or_insert_with(|| (record.place(), cell.to_string()));
                self.push_level(cell, record, source)?;
            }
        }
        // Numbers and anything else: no need to read on.
        if self.numbers > 0 && !self.levels.is_empty() {
            self.kind(source)?;
        }
        Ok(())
    }

    fn push_declared(
        &mut self,
        cell: Cell<'_>,
        seen: &Seen,
        record: &dyn Record,
        source: &Source,
    ) -> Result<(), DataError> {
        let location = || source.location(record.place());
        let column = || self.name.clone();
        if let Seen::Unusable(why) = *seen {
            let value = cell.to_string();
            return Err(DataError::NotANumber { location: location(), column: column(), value, why });
        }
        match self.declared.as_ref().map_or(Err(CellError::Missing), |feature| feature.accept(cell)) {
            Ok(value) => self.push_number(value, cell, record, source),
            Err(error) => Err(DataError::Value { location: location(), column: column(), source: error }),
        }
    }

    fn push_number(
        &mut self,
        value: f64,
        cell: Cell<'_>,
        record: &dyn Record,
        source: &Source,
    ) -> Result<(), DataError> {
        let reason = match self.role {
            Role::Weight => Some("weights must be. Correct it, or remove the row"),
            Role::Target { log: true } => Some("has no logarithm. Correct it, or leave out --target-transform log"),
            _ => None,
        };
        if let Some(reason) = reason.filter(|_| value <= 0.0) {
            let location = source.location(record.place());
            return Err(DataError::NotPositive { location, column: self.name.clone(), value, reason });
        }
        if self.numbers == 0 {
            self.first_number = Some(cell.to_string());
        }
        self.numbers += 1;
        let [low, high] = &mut self.range;
        *low = low.min(value);
        *high = high.max(value);
        if !matches!(self.policy, Policy::Reject) {
            self.sum = self.sum + DoubleDouble::from(value);
        }
        self.values.push(value);
        Ok(())
    }

    fn push_level(&mut self, cell: Cell<'_>, record: &dyn Record, source: &Source) -> Result<(), DataError> {
        let location = || source.location(record.place());
        let text = match cell {
            Cell::Field(text) | Cell::Text(text) => text.trim_ascii(),
            Cell::Boolean(true) => "true",
            Cell::Boolean(false) => "false",
            other => {
                let error = Feature::new(&self.name, FeatureType::String).accept(other);
                let source = error.err().unwrap_or(CellError::Missing);
                return Err(DataError::Value { location: location(), column: self.name.clone(), source });
            }
        };
        if let Some(count) = self.levels.get_mut(text) {
            *count += 1;
            return Ok(());
        }
        if self.levels.len() == MAX_LEVELS {
            let column = self.name.clone();
            return Err(match self.role {
                Role::Target { .. } => DataError::TooManyClasses { column },
                _ => DataError::TooManyLevels { location: location(), column },
            });
        }
        self.levels.insert(text.to_owned(), 1);
        Ok(())
    }

    /// What the column is, by all that was seen of it.
    pub(super) fn kind(&self, source: &Source) -> Result<FeatureType, DataError> {
        if let Some(feature) = &self.declared {
            return Ok(feature.kind);
        }
        let column = || self.name.clone();
        let words = self.first_text.is_some() || self.booleans > 0;
        if let (Some((place, value, why)), true) = (&self.first_unusable, self.numbers > 0 || !words) {
            let location = source.location(*place);
            return Err(DataError::NotANumber { location, column: column(), value: value.clone(), why: *why });
        }
        if let (Some((place, value)), Some(number)) = (&self.first_text, &self.first_number) {
            let (value, number) = (value.clone(), number.clone());
            return Err(DataError::Mixed { location: source.location(*place), column: column(), value, number });
        }
        Ok(match (self.numbers > 0, self.first_text.is_some()) {
            (true, _) => FeatureType::Double,
            (false, true) => FeatureType::String,
            (false, false) => FeatureType::Boolean,
        })
    }

    /// Whether there is any value at all.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers == 0 && self.levels.is_empty()
    }

    /// How many of `true` and `false` there are.
    pub(super) fn distinct_booleans(&self) -> usize {
        let [low, high] = self.range;
        // Inferred ones are counted as words, declared ones as 1 and 0.
        if self.numbers == 0 { self.levels.len() } else { 1 + usize::from(low < high) }
    }

    /// The mean of the numbers.
    pub(super) fn mean(&self) -> f64 {
        self.sum.to_f64() / self.numbers as f64
    }
}

/// What a cell looks like.
fn see(cell: Cell<'_>) -> Seen {
    match cell {
        Cell::Missing => Seen::Missing,
        Cell::Boolean(_) => Seen::Boolean,
        Cell::Double(value) if value.is_nan() => Seen::Missing,
        Cell::Double(value) if value.is_infinite() => Seen::Unusable(NumberError::NotFinite),
        Cell::Double(value) => Seen::Number(value),
        Cell::Integer(value) => number::integer(value).map_or_else(Seen::Unusable, Seen::Number),
        Cell::Number(text) | Cell::Field(text) => match text.trim_ascii() {
            "" => Seen::Missing,
            "true" | "false" => Seen::Boolean,
            text => match parse_double(text) {
                Ok(value) => Seen::Number(value),
                Err(NumberError::Malformed) if !looks_numeric(text) => Seen::Text,
                Err(why) => Seen::Unusable(why),
            },
        },
        Cell::Text(_) | Cell::Array | Cell::Object => Seen::Text,
    }
}

/// A number as people write it and programs do not: `1,5`, `1'000`, `12%`. A column of those is no category.
fn looks_numeric(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    unsigned.starts_with(|first: char| first.is_ascii_digit())
        && unsigned.chars().all(|character| character.is_ascii_digit() || ".,'_% ".contains(character))
}

/// Numbers counted by value; gives up beyond a limit.
#[derive(Debug)]
pub(super) struct Tally {
    limit: usize,
    counts: BTreeMap<u64, u64>,
    overflown: bool,
}

impl Tally {
    /// The most different values that are counted: a few megabytes.
    const MOST: usize = 100_000;

    fn new(limit: usize) -> Self {
        Self { limit, counts: BTreeMap::new(), overflown: false }
    }

    fn push(&mut self, value: f64) {
        if self.limit == 0 || self.overflown {
            return;
        }
        *self.counts.entry(ordered(value)).or_default() += 1;
        self.overflown = self.counts.len() > self.limit;
    }

    /// Each value, ascending, and how often it is there; none when there were too many.
    pub(super) fn counts(&self) -> Option<impl Iterator<Item = (f64, u64)>> {
        (!self.overflown).then(|| self.counts.iter().map(|(bits, count)| (unordered(*bits), *count)))
    }
}

/// The bits of a number, so turned that they ascend with it; −0 is 0.
pub(super) fn ordered(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | (1 << 63) } else { !bits }
}

/// The inverse of [`ordered`].
pub(super) fn unordered(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ordered_bits_ascend_with_the_numbers_and_lead_back(one: f64, other: f64) {
            prop_assume!(one.is_finite() && other.is_finite());
            prop_assert!(unordered(ordered(one)).total_cmp(&(one + 0.0)).is_eq());
            prop_assert_eq!(one.partial_cmp(&other), Some(ordered(one).cmp(&ordered(other))));
        }
    }

    #[test]
    fn what_people_write_as_numbers_is_told_from_words() {
        for number in ["1,5", "-1.000,5", "1'000", "12%", "1_000", "12 000"] {
            assert!(looks_numeric(number), "{number}");
        }
        for word in ["high", "", "-", "2024-01-05", "3rd", "A1", "10-20"] {
            assert!(!looks_numeric(word), "{word}");
        }
    }
}
