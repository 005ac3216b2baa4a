//! A column whose type is known: enough to make a feature of it.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::contents::{Contents, Stored};
use super::tally::Tally;
use super::{MAX_CLASSES, NamedColumn, Purpose};
use ordinate_model::cell::Cell;
use ordinate_model::date::DatePart;
use ordinate_model::signature::{Feature, FeatureType};

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
    /// A term of the score without a coefficient.
    Offset {
        /// Whether its logarithm is added.
        log: bool,
    },
}

impl Role {
    /// The use of the column in messages.
    #[must_use]
    pub fn purpose(self) -> Purpose {
        match self {
            Self::Feature => Purpose::Feature,
            Self::Target { .. } => Purpose::Target,
            Self::Weight => Purpose::Weight,
            Self::Offset { log: false } => Purpose::Offset,
            Self::Offset { log: true } => Purpose::Exposure,
        }
    }
}

/// A column after its type is known, and its statistics over the rows that are used.
///
/// Its values are numbers, 0 and 1, or positions of words; NaN for missing values. The position after the last word is that of
/// all words that were not kept.
#[derive(Debug)]
pub struct Column {
    /// The column as messages name it.
    pub named: NamedColumn,
    /// Its type, and how text is read as its values. Levels and policies are not known yet.
    pub feature: Feature,
    /// The number of missing values.
    pub missing: u64,
    /// The number of other values.
    pub present: u64,
    /// Smallest and largest number.
    pub range: [f64; 2],
    /// Whether all numbers are whole.
    pub is_whole: bool,
    /// The number of rows of each word of a string, in the order of their first row.
    words: IndexMap<String, u64>,
    /// The number of rows of each number, up to a limit of numbers.
    pub values: Tally,
    /// The number of rows of a string whose words were not kept.
    pub other_words: u64,
    /// Whether a number is written with a decimal point.
    pub has_point: bool,
    /// For each word of the survey, its value.
    decoded: Vec<f64>,
    /// For each part of a date, its first value, until another is found.
    parts: Vec<(DatePart, Option<f64>, bool)>,
}

impl Column {
    /// A column without rows, for the contents that the survey found.
    #[must_use]
    pub fn new(role: Role, feature: Feature, contents: Contents) -> Self {
        let named = NamedColumn { name: feature.name.as_str().into(), purpose: role.purpose() };
        // The survey has one string for each level, in the order of the rows.
        let (mut words, is_string) = (IndexMap::new(), feature.kind == FeatureType::String);
        let decode = |word: String| {
            if feature.is_missing(Cell::Field(&word)) {
                f64::NAN
            } else if is_string {
                words.insert_full(word, 0).0 as f64
            } else {
                feature.accept(Cell::Field(&word)).unwrap_or(f64::NAN)
            }
        };
        let decoded = contents.words.into_keys().map(decode).collect();
        Self {
            named,
            missing: 0,
            present: 0,
            range: [f64::INFINITY, f64::NEG_INFINITY],
            is_whole: true,
            words,
            values: Tally::new(if matches!(role, Role::Target { .. }) { MAX_CLASSES } else { 2 }),
            other_words: 0,
            has_point: contents.numerals.pointed.is_some(),
            decoded,
            parts: DatePart::ALL.map(|part| (part, None, false)).to_vec(),
            feature,
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.feature.name
    }

    /// The value of a stored value; NaN for a missing value.
    #[must_use]
    pub fn decode(&self, stored: f64) -> f64 {
        match Stored::from_f64(stored) {
            Stored::Number(value) => value,
            Stored::Word(position) => self.decoded.get(position).copied().unwrap_or_else(|| self.other_word()),
            Stored::Missing => f64::NAN,
        }
    }

    /// The value of a word that was not kept.
    fn other_word(&self) -> f64 {
        if self.feature.kind == FeatureType::String { self.words.len() as f64 } else { f64::NAN }
    }

    /// Adds the next value.
    pub(crate) fn push(&mut self, value: f64) {
        if value.is_nan() {
            self.missing += 1;
            return;
        }
        self.present += 1;
        if self.feature.kind == FeatureType::String {
            // A position of a word.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            match self.words.get_index_mut(value as usize) {
                Some((_, count)) => *count += 1,
                None => self.other_words += 1,
            }
            return;
        }
        let [low, high] = &mut self.range;
        *low = low.min(value);
        *high = high.max(value);
        self.is_whole &= value.fract() == 0.0;
        if self.feature.kind == FeatureType::Date {
            self.compare_parts(value);
        }
        self.values.push(value);
    }

    fn compare_parts(&mut self, value: f64) {
        for (part, first, varies) in self.parts.iter_mut().filter(|(_, _, varies)| !varies) {
            let found = part.of(value, 0.0);
            *varies = first.get_or_insert(found).total_cmp(&found).is_ne();
        }
    }

    /// The parts of its dates that vary. Without different years, the day of the year says the same as the days.
    #[must_use]
    pub fn date_parts(&self) -> Vec<DatePart> {
        let varies = |part: DatePart| self.parts.iter().any(|(other, _, varies)| *other == part && *varies);
        let is_used = |part: &DatePart| varies(*part) && (*part != DatePart::DayOfYear || varies(DatePart::Year));
        DatePart::ALL.into_iter().filter(is_used).collect()
    }

    /// Whether all of its values are stored as numbers.
    pub(crate) fn has_no_words(&self) -> bool {
        self.decoded.is_empty()
    }

    /// Whether the column has no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// Whether all values are the same.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        match self.feature.kind {
            FeatureType::String => self.levels().len() < 2 && self.other_words == 0,
            _ => self.range[0] >= self.range[1],
        }
    }

    /// The words in ascending order, and the number of rows of each.
    #[must_use]
    pub fn levels(&self) -> BTreeMap<&str, u64> {
        let used = self.words.iter().filter(|(_, count)| **count > 0);
        used.map(|(word, count)| (word.as_str(), *count)).collect()
    }

    /// The words in the order of their first row: a value is the position of its word here.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.keys().map(String::as_str)
    }

    /// Checks that all numbers are positive, as weights or numbers to be logged must be.
    ///
    /// # Errors
    /// The smallest number.
    pub fn check_positive(&self) -> Result<(), f64> {
        if self.present == 0 || self.range[0] > 0.0 { Ok(()) } else { Err(self.range[0]) }
    }
}
