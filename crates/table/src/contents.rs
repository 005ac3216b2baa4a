//! The contents of a column before its type is known: numbers, and all other text as words.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use memchr::memchr;

use ordinate_model::cell::Cell;
use ordinate_model::date;
use ordinate_model::number::{self, parse_double};
use ordinate_model::signature::{Feature, FeatureType};

/// The most different words of a column that are kept. Further ones are only counted.
pub(crate) const MAX_WORDS: usize = 1 << 17;

/// The most bytes of the words of all columns together. Each column may use its part of them.
const MAX_WORD_BYTES: usize = 1 << 28;

/// The bytes of words that every column may keep, however many columns there are: enough for the levels of a category.
const LEAST_WORD_BYTES: usize = 1 << 16;

/// The most different numbers of a column, or of a block of it, that are kept.
const MOST_DISTINCT: usize = 16;

/// Bits of a NaN that is a missing value; the payload of other NaNs is the position of a word plus one.
const MISSING_BITS: u64 = 0x7ff8_0000_0000_0000;

/// The position of words that are not kept.
const OTHER_WORD: u64 = u32::MAX as u64;

/// A value as the survey stores it in 64 bits: a number, a word, or nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stored {
    /// A number, a date, or 0 and 1.
    Number(f64),
    /// The position of a word among the words of the column; beyond the last for words that are not kept.
    Word(usize),
    /// A blank field, or null.
    Missing,
}

impl Stored {
    /// The stored value as a double: words and missing values are NaNs with different payloads.
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Number(value) => value,
            Self::Word(position) => f64::from_bits(MISSING_BITS | ((position as u64).min(OTHER_WORD) + 1)),
            Self::Missing => f64::from_bits(MISSING_BITS),
        }
    }

    /// The stored value of a double.
    pub(crate) fn from_f64(value: f64) -> Self {
        if !value.is_nan() {
            return Self::Number(value);
        }
        match value.to_bits() & !MISSING_BITS {
            0 => Self::Missing,
            position => Self::Word(usize::try_from(position - 1).unwrap_or(usize::MAX)),
        }
    }
}

/// How the cells of a column are read.
#[derive(Debug, Clone, PartialEq)]
// There is one for each column.
#[allow(clippy::large_enum_variant)]
pub enum Reader {
    /// Numbers as numbers, anything else as words: the type is inferred afterwards. Fields with one of these texts are
    /// words, too, although they are numbers: missing values.
    Infer(Vec<String>),
    /// As values of this feature; what it does not accept is a word. Of a string only its type counts: all text is words.
    Typed(Feature),
}

/// The contents of a column, or of the part of it that is in one block of rows.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The number of blank fields.
    pub missing: u64,
    /// The number of numbers, dates included.
    pub numbers: u64,
    /// The number of values that are dates by their type.
    pub dates: u64,
    /// The number of values that are text by their type, as in Parquet.
    pub texts: u64,
    /// The number of rows of each word, in the order of their first row.
    pub words: IndexMap<String, u64>,
    /// The number of rows whose words are not kept.
    pub other_words: u64,
    /// The bytes that the words may still have.
    room: usize,
    /// The first few different numbers.
    pub distinct: BTreeSet<u64>,
    /// How the numbers are written.
    pub numerals: Numerals,
}

/// How the numbers of a column are written.
#[derive(Debug, Clone)]
pub struct Numerals {
    /// An integer with leading zeros.
    pub leading_zeros: Option<String>,
    /// A number whose point may separate thousands, such as `4.902`.
    pub grouped: Option<String>,
    /// Whether the point of every number may separate thousands.
    pub may_be_grouped: bool,
    /// A number with a point.
    pub pointed: Option<String>,
    /// An integer by its type that no double represents.
    pub inexact: Option<String>,
    /// A date of eight digits, such as `20240131`, if all numbers are such.
    pub compact_date: Option<String>,
    are_compact_dates: bool,
}

impl Default for Numerals {
    fn default() -> Self {
        Self {
            leading_zeros: None,
            grouped: None,
            may_be_grouped: true,
            pointed: None,
            inexact: None,
            compact_date: None,
            are_compact_dates: true,
        }
    }
}

impl Numerals {
    #[inline]
    fn add(&mut self, text: &str, value: f64) {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
        if let [b'0', second, ..] = digits
            && second.is_ascii_digit()
            && self.leading_zeros.is_none()
            && digits.iter().all(u8::is_ascii_digit)
        {
            self.leading_zeros = Some(text.to_owned());
        }
        if self.are_compact_dates {
            self.are_compact_dates = is_compact_date(text);
            if !self.are_compact_dates {
                self.compact_date = None;
            } else if self.compact_date.is_none() {
                self.compact_date = Some(text.to_owned());
            }
        }
        if self.may_be_grouped {
            match memchr(b'.', digits) {
                None => self.may_be_grouped = value.abs() < 1000.0,
                Some(point) => {
                    let fraction = digits.get(point + 1..).unwrap_or_default();
                    self.may_be_grouped = (1..=3).contains(&point)
                        && digits.first() != Some(&b'0')
                        && fraction.len() == 3
                        && fraction.iter().all(u8::is_ascii_digit);
                    if self.may_be_grouped && self.grouped.is_none() {
                        self.grouped = Some(text.to_owned());
                    }
                    self.note_point(text);
                }
            }
        } else if self.pointed.is_none() && memchr(b'.', digits).is_some() {
            // Whether there is a point still matters.
            self.note_point(text);
        }
    }

    fn note_point(&mut self, text: &str) {
        if self.pointed.is_none() {
            self.pointed = Some(text.to_owned());
        }
    }

    /// A number whose point is a decimal mark and nothing else.
    #[must_use]
    pub fn decimal_point(&self) -> Option<&str> {
        self.pointed.as_deref().filter(|_| !self.may_be_grouped)
    }

    fn merge(&mut self, other: Self) {
        self.pointed = self.pointed.take().or(other.pointed);
        self.inexact = self.inexact.take().or(other.inexact);
        self.leading_zeros = self.leading_zeros.take().or(other.leading_zeros);
        self.grouped = self.grouped.take().or(other.grouped);
        self.may_be_grouped &= other.may_be_grouped;
        self.are_compact_dates &= other.are_compact_dates;
        self.compact_date = self.compact_date.take().or(other.compact_date).filter(|_| self.are_compact_dates);
    }
}

/// Whether a number is a date such as `20240131`, in the years 1900 to 2099.
fn is_compact_date(text: &str) -> bool {
    text.len() == 8 && (text.starts_with("19") || text.starts_with("20")) && date::parse(text, date::COMPACT).is_some()
}

impl Contents {
    /// One of this many columns.
    pub(crate) fn new(columns: usize) -> Self {
        Self::with_room((MAX_WORD_BYTES / columns.max(1)).max(LEAST_WORD_BYTES))
    }

    /// The contents of a block of rows, which is never large.
    pub(crate) fn of_block() -> Self {
        Self::with_room(usize::MAX)
    }

    fn with_room(room: usize) -> Self {
        Self {
            room,
            missing: 0,
            numbers: 0,
            dates: 0,
            texts: 0,
            words: IndexMap::new(),
            other_words: 0,
            distinct: BTreeSet::new(),
            numerals: Numerals::default(),
        }
    }

    /// Adds a field of CSV.
    #[inline]
    pub(crate) fn push_field(&mut self, text: &str, reader: &Reader) -> Stored {
        let trimmed = text.trim_ascii();
        // A no-break space is blank, too.
        if trimmed.is_empty() || trimmed.trim().is_empty() {
            return self.push_missing();
        }
        match reader {
            Reader::Infer(markers) if markers.iter().any(|marker| marker == trimmed) => self.push_word(text),
            Reader::Infer(_) => match parse_double(trimmed) {
                Ok(value) => self.push_number(value, trimmed),
                Err(_) => self.push_word(text),
            },
            Reader::Typed(feature) if feature.kind == FeatureType::String => self.push_word(text),
            Reader::Typed(feature) if feature.is_missing(Cell::Field(text)) => self.push_word(text),
            Reader::Typed(feature) => match feature.accept(Cell::Field(text)) {
                Ok(value) => self.push_typed(value),
                Err(_) => self.push_word(text),
            },
        }
    }

    /// Adds any cell.
    pub(crate) fn push(&mut self, cell: Cell<'_>, reader: &Reader) -> Stored {
        match (cell, reader) {
            (Cell::Missing, _) => self.push_missing(),
            (Cell::Field(text), _) => self.push_field(text, reader),
            (Cell::Double(value), _) if value.is_nan() => self.push_missing(),
            (Cell::Text(text), _) if text.trim().is_empty() => self.push_missing(),
            (Cell::Boolean(value), Reader::Infer(_)) => self.push_word(if value { "true" } else { "false" }),
            (Cell::Date(days), Reader::Infer(_)) => {
                self.dates += 1;
                self.push_typed(days)
            }
            (Cell::Text(text), Reader::Infer(_)) => {
                self.texts += 1;
                self.push_word(text)
            }
            (Cell::Double(value), Reader::Infer(_)) if value.is_finite() => self.push_typed(value),
            (Cell::Integer(value), Reader::Infer(_)) => {
                if let Ok(value) = number::integer(value) {
                    self.push_typed(value)
                } else {
                    self.numerals.inexact.get_or_insert_with(|| value.to_string());
                    self.push_word(&value.to_string())
                }
            }
            (Cell::Number(text), Reader::Infer(_)) => match parse_double(text) {
                Ok(value) => self.push_typed(value),
                Err(_) => self.push_word(text),
            },
            (Cell::Text(text), Reader::Typed(feature)) if feature.kind == FeatureType::String => {
                self.texts += 1;
                self.push_word(text)
            }
            (cell, Reader::Typed(feature)) if feature.kind != FeatureType::String => match feature.accept(cell) {
                Ok(value) => self.push_typed(value),
                Err(_) => self.push_word(&plain(cell)),
            },
            (cell, _) => self.push_word(&plain(cell)),
        }
    }

    fn push_missing(&mut self) -> Stored {
        self.missing += 1;
        Stored::Missing
    }

    /// Adds a number that is written like this.
    #[inline]
    pub(crate) fn push_number(&mut self, value: f64, text: &str) -> Stored {
        self.numerals.add(text, value);
        self.push_typed(value)
    }

    #[inline]
    fn push_typed(&mut self, value: f64) -> Stored {
        self.numbers += 1;
        if self.distinct.len() < MOST_DISTINCT {
            self.distinct.insert(value.to_bits());
        }
        Stored::Number(value)
    }

    fn push_word(&mut self, text: &str) -> Stored {
        if let Some((position, _, count)) = self.words.get_full_mut(text) {
            *count += 1;
            return Stored::Word(position);
        }
        if let Some(position) = self.keep(text, 1) {
            return Stored::Word(position);
        }
        self.other_words += 1;
        Stored::Word(usize::MAX)
    }

    /// Keeps a new word of so many rows, if there is room, and returns its position.
    fn keep(&mut self, word: &str, rows: u64) -> Option<usize> {
        // A block has no limit, so that the words of the column do not depend on the blocks.
        let has_room = self.room == usize::MAX || (self.words.len() < MAX_WORDS && word.len() <= self.room);
        if !has_room {
            return None;
        }
        if self.room < usize::MAX {
            self.room -= word.len();
        }
        Some(self.words.insert_full(word.to_owned(), rows).0)
    }

    /// Adds the contents of the next block. In its stored `values`, positions among the words of the block are replaced by
    /// positions among the words of the column.
    pub(crate) fn merge<'v>(&mut self, block: Self, values: impl Iterator<Item = &'v mut f64>) {
        self.missing += block.missing;
        self.numbers += block.numbers;
        self.dates += block.dates;
        self.texts += block.texts;
        self.other_words += block.other_words;
        if self.distinct.len() < MOST_DISTINCT {
            self.distinct.extend(block.distinct);
        }
        self.numerals.merge(block.numerals);
        if block.words.is_empty() {
            return;
        }
        let mut positions = Vec::with_capacity(block.words.len());
        for (word, count) in block.words {
            let position = if let Some((position, _, total)) = self.words.get_full_mut(&word) {
                *total += count;
                position
            } else {
                self.keep(&word, count).unwrap_or_else(|| {
                    self.other_words += count;
                    usize::MAX
                })
            };
            positions.push(Stored::Word(position).to_f64());
        }
        for value in values {
            if let Stored::Word(position) = Stored::from_f64(*value)
                && let Some(position) = positions.get(position)
            {
                *value = *position;
            }
        }
    }
}

/// A cell as a word.
fn plain(cell: Cell<'_>) -> String {
    match cell {
        Cell::Field(text) | Cell::Text(text) | Cell::Number(text) => text.to_owned(),
        Cell::Boolean(value) => value.to_string(),
        Cell::Double(value) => value.to_string(),
        Cell::Integer(value) => value.to_string(),
        Cell::Date(days) => ordinate_model::date::to_iso(days),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_words_and_missing_values_are_stored_in_64_bits() {
        for stored in [
            Stored::Number(-0.5),
            Stored::Number(f64::INFINITY),
            Stored::Missing,
            Stored::Word(0),
            Stored::Word(MAX_WORDS),
        ] {
            let bytes = stored.to_f64().to_le_bytes();
            assert_eq!(Stored::from_f64(f64::from_le_bytes(bytes)), stored);
        }
        assert!(
            matches!(Stored::from_f64(Stored::Word(usize::MAX).to_f64()), Stored::Word(position) if position > MAX_WORDS)
        );
        assert_eq!(Stored::from_f64(f64::NAN), Stored::Missing);
    }

    fn contents(fields: &[&str]) -> Contents {
        let mut contents = Contents::of_block();
        for field in fields {
            contents.push_field(field, &Reader::Infer(Vec::new()));
        }
        contents
    }

    #[test]
    fn the_way_in_which_numbers_are_written_is_noted() {
        let grouped = |fields: &[&str]| {
            let numerals = contents(fields).numerals;
            numerals.may_be_grouped && numerals.grouped.is_some()
        };
        assert!(grouped(&["4.902", "-19.151", "7"]));
        for fields in [&["4.902", "4.9"][..], &["4.902", "0.512"], &["4.902", "1000"], &["4902.123"], &["4", "5"]] {
            assert!(!grouped(fields), "{fields:?}");
        }
        assert_eq!(contents(&["10", "02116"]).numerals.leading_zeros.as_deref(), Some("02116"));
        for field in ["0", "0.5", "10", "00.5", "-0"] {
            assert_eq!(contents(&[field]).numerals.leading_zeros, None, "{field}");
        }
    }

    #[test]
    fn words_beyond_the_room_of_a_column_are_counted() {
        let mut contents = Contents::with_room(5);
        let mut block = Contents::of_block();
        let mut values: Vec<f64> = ["four", "five", "x", "four"]
            .map(|field| block.push_field(field, &Reader::Infer(Vec::new())).to_f64())
            .to_vec();
        contents.merge(block, values.iter_mut());
        assert_eq!(contents.words.into_iter().collect::<Vec<_>>(), [("four".into(), 2), ("x".into(), 1)]);
        assert_eq!(contents.other_words, 1);
        let stored: Vec<bool> =
            values.into_iter().map(|value| matches!(Stored::from_f64(value), Stored::Word(0 | 1))).collect();
        assert_eq!(stored, [true, false, true, true]);
    }

    #[test]
    fn words_of_blocks_are_renumbered() {
        let mut all = contents(&["a", "b", "1"]);
        let mut block = Contents::of_block();
        let mut values: Vec<f64> =
            ["b", "c", "2", ""].map(|field| block.push_field(field, &Reader::Infer(Vec::new())).to_f64()).to_vec();
        all.merge(block, values.iter_mut());
        let stored: Vec<Stored> = values.into_iter().map(Stored::from_f64).collect();
        assert_eq!(stored, [Stored::Word(1), Stored::Word(2), Stored::Number(2.0), Stored::Missing]);
        assert_eq!(all.words.into_iter().collect::<Vec<_>>(), [("a".into(), 1), ("b".into(), 2), ("c".into(), 1)]);
    }
}
