//! The type of each column and how its text is read, decided from all of its values.

mod dates;
mod notes;
mod numbers;

use super::contents::Contents;
use super::decision::Decision;
use super::error::NamedColumn;
use numbers::{Mark, NumberForms};
use ordinate_model::cell::Cell;
use ordinate_model::date::COMPACT;
use ordinate_model::field;
use ordinate_model::number::{NumberError, parse_double};
use ordinate_model::reading::Reading;
use ordinate_model::signature::{Feature, FeatureType};

pub(crate) use notes::Note;
pub use notes::{markers, name_option, names, shown};

/// Words that stand for a missing value in a column that otherwise has numbers, dates or booleans.
const MARKERS: [&str; 22] = [
    "?", ".", "-", "--", "---", "*", "**", "...", "#N/A", "#NA", "#VALUE!", "#DIV/0!", "#REF!", "#NUM!", "#NAME?",
    "#NULL!", "\\N", "n.a.", "N.A.", "<NA>", "NaT", "-nan",
];

/// The words for `false` and `true` that are recognised, besides those of JSON, pandas and R.
const BOOLEANS: [[&str; 2]; 6] = [["no", "yes"], ["No", "Yes"], ["NO", "YES"], ["n", "y"], ["N", "Y"], ["F", "T"]];

/// The largest fraction of values that may be something else in a column of numbers or dates: they are then missing.
const MOST_UNREADABLE: f64 = 0.05;

/// The largest fraction of values that may be one and the same word among numbers.
const MOST_OF_ONE_WORD: f64 = 0.25;

/// With more different numbers than this, a single word among them is a missing-value marker.
const MANY_NUMBERS: u64 = 10;

/// The fewest different numbers of eight digits that are dates: one of 28 such numbers is a date by accident.
const LEAST_DATES: u64 = 3;

/// The smallest fraction of values from which on the word `none` is a category.
const FREQUENT: f64 = 0.05;

/// The options of reading; everything else is inferred.
#[derive(Debug, Clone, Default)]
pub struct ReadingOptions {
    /// Types by column.
    pub types: Vec<(String, FeatureType)>,
    /// Decimal marks, of one column or of all.
    pub decimal: Vec<(Option<String>, char)>,
    /// Thousands separators, of one column or of all.
    pub thousands: Vec<(Option<String>, char)>,
    /// Missing-value markers, of one column or of all.
    pub missing: Vec<(Option<String>, Vec<String>)>,
    /// Date formats, of one column or of all.
    pub dates: Vec<(Option<String>, String)>,
}

impl ReadingOptions {
    /// The type of a column, if an option sets it.
    #[must_use]
    pub fn declared(&self, name: &str) -> Option<FeatureType> {
        self.types.iter().find(|(column, _)| column == name).map(|(_, kind)| *kind)
    }

    fn decimal(&self, name: &str) -> Option<char> {
        setting(&self.decimal, name)
    }

    fn thousands(&self, name: &str) -> Option<char> {
        setting(&self.thousands, name)
    }

    /// The texts that are missing values of a column.
    #[must_use]
    pub fn missing(&self, name: &str) -> Vec<String> {
        let applies =
            |(column, _): &&(Option<String>, Vec<String>)| column.as_deref().is_none_or(|column| column == name);
        self.missing.iter().filter(applies).flat_map(|(_, words)| words.clone()).collect()
    }

    fn formats(&self, name: &str) -> Vec<String> {
        let applies = |(column, _): &&(Option<String>, String)| column.as_deref().is_none_or(|column| column == name);
        self.dates.iter().filter(applies).map(|(_, format)| format.clone()).collect()
    }
}

/// The last setting of a column, or else the last for all columns.
fn setting<T: Copy>(settings: &[(Option<String>, T)], name: &str) -> Option<T> {
    let last = |wanted: Option<&str>| settings.iter().rev().find(|(column, _)| column.as_deref() == wanted);
    last(Some(name)).or_else(|| last(None)).map(|(_, value)| *value)
}

/// A column after a survey.
#[derive(Debug)]
pub struct Surveyed<'c> {
    /// The column as messages name it.
    pub named: &'c NamedColumn,
    /// Its contents.
    pub contents: &'c Contents,
}

/// The type of a column.
#[derive(Debug, Clone)]
pub struct Inferred {
    /// The type, and how text is read. Levels, ranges and policies are not known yet.
    pub feature: Feature,
    /// Whether the survey must be repeated with this feature, because numbers were read in another way.
    pub again: bool,
    /// Words that are not of the declared type.
    pub unreadable: Vec<String>,
    /// The column as text.
    text: Feature,
    is_declared: bool,
    notes: Vec<Note>,
}

impl Inferred {
    /// Checks the words of the column after it was read by its type, which had been inferred from the words that were kept.
    /// Of a type that is not declared, few other words are missing values. With many, the column is text, and must be read once
    /// more: `true`.
    pub fn check(&mut self, contents: &Contents) -> bool {
        let others = contents.words.iter().filter(|(word, _)| !accepts(&self.feature, word));
        let (words, counts): (Vec<String>, Vec<u64>) =
            others.map(|(word, count)| (word.trim().to_owned(), *count)).unzip();
        if self.is_declared {
            self.unreadable = words;
            return false;
        }
        let rows = counts.iter().sum::<u64>() + contents.other_words;
        if rows == 0 {
            return false;
        }
        let example = words.first().cloned();
        self.feature.reading.missing.extend(words.iter().cloned());
        self.feature.reading.missing.sort_unstable();
        self.feature.reading.missing.dedup();
        let is_rare = rows as f64 <= MOST_UNREADABLE * (rows + contents.numbers) as f64;
        if is_rare && contents.other_words == 0 && self.feature.reading.check().is_ok() {
            self.note_unreadable(words, rows);
            return false;
        }
        self.feature = self.text.clone();
        self.notes = example.map(Note::Mixed).into_iter().collect();
        true
    }

    fn note_unreadable(&mut self, more: Vec<String>, more_rows: u64) {
        let noted = self.notes.iter_mut().find_map(|note| match note {
            Note::Unreadable { words, rows } => Some((words, rows)),
            _ => None,
        });
        match noted {
            Some((words, rows)) => {
                words.extend(more);
                *rows += more_rows;
            }
            None => self.notes.push(Note::Unreadable { words: more, rows: more_rows }),
        }
    }
}

/// Whether a word is a value of a feature, or a missing value.
fn accepts(feature: &Feature, word: &str) -> bool {
    let cell = Cell::Field(word);
    feature.kind == FeatureType::String || feature.is_missing(cell) || feature.accept(cell).is_ok()
}

/// The types of all columns of a table.
#[must_use]
pub fn infer(columns: &[Surveyed<'_>], options: &ReadingOptions, delimiter: Option<u8>) -> Vec<Inferred> {
    let parts: Vec<Words<'_>> = columns.iter().map(|column| Words::new(column, options)).collect();
    let forms: Vec<NumberForms> =
        columns.iter().zip(&parts).map(|(column, words)| NumberForms::new(column, words, options)).collect();
    let mark = Mark::of_table(&forms, delimiter);
    let columns = columns.iter().zip(&parts).zip(&forms);
    columns.map(|((column, words), forms)| Inference { column, words, options }.infer(forms, mark)).collect()
}

/// The decisions about all columns.
#[must_use]
pub fn decisions(inferred: &[Inferred], options: &ReadingOptions) -> Vec<Decision> {
    notes::decisions(inferred.iter().map(|column| (column.feature.name.as_str(), column.notes.as_slice())), options)
}

/// The words of a column.
#[derive(Debug)]
pub(crate) struct Words<'c> {
    /// Words that are missing values in any column.
    missing: Vec<&'c str>,
    /// Words that are missing values if other values are numbers, dates or booleans, and their rows.
    markers: Vec<(&'c str, u64)>,
    /// All other words, and their rows.
    others: Vec<(&'c str, u64)>,
    /// The number of rows of the other words.
    rows: u64,
}

impl<'c> Words<'c> {
    fn new(column: &Surveyed<'c>, options: &ReadingOptions) -> Self {
        let (contents, markers) = (column.contents, options.missing(&column.named.name));
        let mut words =
            Self { missing: Vec::new(), markers: Vec::new(), others: Vec::new(), rows: contents.other_words };
        for (word, count) in &contents.words {
            let trimmed = word.trim();
            if field::is_missing(word) || markers.iter().any(|marker| marker == trimmed) {
                words.missing.push(word);
            } else if MARKERS.contains(&trimmed) || parse_double(trimmed) == Err(NumberError::NotFinite) {
                words.markers.push((word, *count));
            } else {
                words.others.push((word, *count));
                words.rows += count;
            }
        }
        words
    }
}

/// The inference of one column.
struct Inference<'i> {
    column: &'i Surveyed<'i>,
    words: &'i Words<'i>,
    options: &'i ReadingOptions,
}

impl Inference<'_> {
    fn infer(&self, forms: &NumberForms, mark: Mark) -> Inferred {
        // A date format for a column makes it a date.
        let has_format = self.options.dates.iter().any(|(name, _)| name.as_deref() == Some(&*self.column.named.name));
        let declared = self.options.declared(&self.column.named.name);
        match declared.or(has_format.then_some(FeatureType::Date)) {
            Some(FeatureType::String) => self.category(Vec::new(), false),
            Some(FeatureType::Boolean) => self.declared(FeatureType::Boolean, self.boolean()),
            Some(FeatureType::Date) => self.declared(FeatureType::Date, self.date()),
            Some(kind) => self.declared(kind, self.number(forms, mark)),
            None => self.undeclared(forms, mark),
        }
    }

    fn undeclared(&self, forms: &NumberForms, mark: Mark) -> Inferred {
        let contents = self.column.contents;
        if contents.dates > 0 && contents.dates == contents.numbers {
            return self.typed(FeatureType::Date, Reading::default(), Vec::new());
        }
        if contents.texts > 0 {
            return self.date().unwrap_or_else(|| self.category(Vec::new(), false));
        }
        if self.words.others.is_empty() && contents.numbers == 0 {
            // No values at all: whatever the type is, the column will be left out.
            return self.typed(FeatureType::Double, Reading::default(), Vec::new());
        }
        let purpose = self.column.named.purpose;
        let is_target = purpose == super::Purpose::Target;
        let may_be_category = self.words.others.is_empty() && !purpose.needs_numbers();
        if let Some(zeros) = contents.numerals.leading_zeros.as_ref().filter(|_| may_be_category) {
            return self.category(vec![Note::LeadingZeros(zeros.clone())], true);
        }
        if let Some(date) = self.compact_date().filter(|_| !is_target && !purpose.needs_numbers()) {
            return date;
        }
        if let Some(numeric) = self.number(forms, mark) {
            return numeric;
        }
        if contents.numbers == 0 {
            // The labels of a target stay as they are: only JSON's own words are booleans.
            let is_json = || self.words.others.iter().all(|(word, _)| matches!(*word, "true" | "false"));
            let boolean = self.boolean().filter(|_| !is_target || is_json());
            if let Some(inferred) = boolean.or_else(|| self.date()) {
                return inferred;
            }
        }
        let mut notes = Vec::new();
        if let Some(example) = self.inexact() {
            notes.push(Note::Inexact(example));
        } else if contents.numbers > 0 {
            let word = self.words.others.first().map_or("", |(word, _)| word);
            notes.push(Note::Mixed(word.trim().to_owned()));
        } else if let Some(unit) = &forms.unit {
            notes.push(Note::Units(unit.clone()));
        } else if let Some(example) = dates::ambiguous(&self.words.others) {
            notes.push(Note::AmbiguousDates(example));
        }
        self.category(notes, contents.numbers > 0)
    }

    /// A declared type: as it was inferred, or with the first word that is not of the type.
    fn declared(&self, kind: FeatureType, inferred: Option<Inferred>) -> Inferred {
        let mut inferred = inferred.unwrap_or_else(|| self.typed(kind, self.reading(), Vec::new()));
        inferred.feature.kind = kind;
        // Words that would be missing values in an undeclared column contradict the type.
        for note in &inferred.notes {
            if let Note::Unreadable { words, .. } = note {
                inferred.feature.reading.missing.retain(|word| !words.contains(word));
            }
        }
        inferred.notes.retain(|note| {
            !matches!(
                note,
                Note::Currency(_)
                    | Note::Percent
                    | Note::Parentheses
                    | Note::Boolean(_)
                    | Note::Unreadable { .. }
                    | Note::Dates(None)
            )
        });
        let feature = &inferred.feature;
        let others = self.words.others.iter().map(|(word, _)| *word);
        inferred.unreadable = others.filter(|word| !accepts(feature, word)).map(str::to_owned).collect();
        inferred.is_declared = true;
        // Numbers were not read by the type.
        inferred.again |= kind != FeatureType::Double && self.column.contents.numbers > 0;
        inferred
    }

    /// The conventions that options set.
    fn reading(&self) -> Reading {
        Reading {
            missing: self.options.missing(&self.column.named.name),
            dates: self.options.formats(&self.column.named.name),
            ..Reading::default()
        }
    }

    fn typed(&self, kind: FeatureType, mut reading: Reading, mut notes: Vec<Note>) -> Inferred {
        if kind != FeatureType::Date {
            reading.dates.clear();
        }
        reading.missing = self.options.missing(&self.column.named.name);
        for (word, rows) in &self.words.markers {
            reading.missing.push(word.trim().to_owned());
            notes.push(Note::Marker { word: word.trim().to_owned(), rows: *rows });
        }
        reading.missing.sort_unstable();
        reading.missing.dedup();
        let feature = Feature { reading, ..Feature::new(&*self.column.named.name, kind) };
        Inferred { feature, again: false, unreadable: Vec::new(), text: self.text(), is_declared: false, notes }
    }

    /// Text: markers are categories like other words.
    fn category(&self, notes: Vec<Note>, again: bool) -> Inferred {
        let feature = self.text();
        Inferred { text: feature.clone(), feature, again, unreadable: Vec::new(), is_declared: false, notes }
    }

    fn text(&self) -> Feature {
        let reading = Reading { missing: self.options.missing(&self.column.named.name), ..Reading::default() };
        let mut feature = Feature { reading, ..Feature::new(&*self.column.named.name, FeatureType::String) };
        // A level is never a missing value. These levels are known now, all others after the rows are chosen.
        feature.levels = self.frequent_none();
        feature
    }

    /// `None` and its like, where it is so frequent that it is a category.
    fn frequent_none(&self) -> Vec<String> {
        let contents = self.column.contents;
        let markers = self.options.missing(&self.column.named.name);
        let is_none = |word: &&&str| word.trim().eq_ignore_ascii_case("none");
        let mut levels: Vec<String> = Vec::new();
        for word in self.words.missing.iter().filter(is_none) {
            let rows = contents.words.get(*word).copied().unwrap_or(0);
            let is_marker = markers.iter().any(|marker| marker == word.trim());
            // A single row is never frequent.
            if rows > 1 && rows as f64 >= FREQUENT * (self.words.rows + contents.numbers + rows) as f64 && !is_marker {
                levels.push((*word).to_owned());
            }
        }
        levels.sort_unstable();
        levels
    }

    fn number(&self, forms: &NumberForms, mark: Mark) -> Option<Inferred> {
        let contents = self.column.contents;
        let given = self.options.decimal(&self.column.named.name).map(Mark::from_option);
        let form = forms.choose(given.unwrap_or(mark), given.is_some())?;
        let present = contents.numbers + self.words.rows;
        let unreadable = form.unreadable_rows;
        // One number among words is a word, too.
        let distinct = (contents.distinct.len() as u64).max(forms.distinct);
        // The labels of a target are never taken for missing values because they are words.
        let is_target = self.column.named.purpose == super::Purpose::Target;
        let is_single = !is_target
            && form.unreadable.len() == 1
            && unreadable as f64 <= MOST_OF_ONE_WORD * present as f64
            && distinct > MANY_NUMBERS;
        let is_rare = distinct > 1 && unreadable as f64 <= MOST_UNREADABLE * present as f64;
        if present == unreadable || !(unreadable == 0 || is_rare || is_single) || form.has_inexact {
            return None;
        }
        let mut notes = form.notes.clone();
        let mut inferred = self.typed(FeatureType::Double, form.reading.clone(), Vec::new());
        if unreadable > 0 {
            let words: Vec<String> = form.unreadable.iter().map(|word| word.trim().to_owned()).collect();
            inferred.feature.reading.missing.extend(words.iter().cloned());
            inferred.feature.reading.missing.sort_unstable();
            inferred.feature.reading.missing.dedup();
            notes.push(Note::Unreadable { words, rows: unreadable });
        }
        // So many different words, or such long ones, are text and no markers.
        inferred.feature.reading.check().ok()?;
        inferred.notes.extend(notes);
        inferred.again = form.again || contents.other_words > 0;
        Some(inferred)
    }

    fn boolean(&self) -> Option<Inferred> {
        let others = &self.words.others;
        if others.is_empty() || self.column.contents.other_words > 0 {
            return None;
        }
        if others.iter().all(|(word, _)| field::boolean(word).is_some()) {
            return Some(self.typed(FeatureType::Boolean, Reading::default(), Vec::new()));
        }
        let mut words: Vec<&str> = others.iter().map(|(word, _)| word.trim()).collect();
        words.sort_unstable();
        words.dedup();
        let pair = BOOLEANS.iter().find(|pair| words == pair.as_slice())?;
        let pair = pair.map(str::to_owned);
        let reading = Reading { boolean: Some(pair.clone()), ..Reading::default() };
        Some(self.typed(FeatureType::Boolean, reading, vec![Note::Boolean(pair)]))
    }

    fn date(&self) -> Option<Inferred> {
        let formats = self.options.formats(&self.column.named.name);
        let most = MOST_UNREADABLE * (self.words.rows + self.column.contents.numbers) as f64;
        let (notation, unreadable) = dates::notation(&self.words.others, &formats, most)?;
        let found = notation.format();
        let mut notes = if formats.is_empty() { vec![Note::Dates(found.clone())] } else { Vec::new() };
        let words: Vec<String> = unreadable.iter().map(|(word, _)| word.trim().to_owned()).collect();
        if !words.is_empty() {
            let rows = unreadable.iter().map(|(_, rows)| rows).sum();
            notes.push(Note::Unreadable { words: words.clone(), rows });
        }
        let reading = Reading { dates: found.into_iter().chain(formats).collect(), ..Reading::default() };
        let mut inferred = self.typed(FeatureType::Date, reading, notes);
        inferred.feature.reading.missing.extend(words);
        inferred.feature.reading.missing.sort_unstable();
        inferred.feature.reading.missing.dedup();
        inferred.feature.reading.check().ok()?;
        inferred.again = self.column.contents.other_words > 0;
        Some(inferred)
    }

    /// Dates of eight digits, if there are enough of them to be no accident and there is no other text.
    fn compact_date(&self) -> Option<Inferred> {
        let contents = self.column.contents;
        contents.numerals.compact_date.as_ref()?;
        if !self.words.others.is_empty() || contents.other_words > 0 || (contents.distinct.len() as u64) < LEAST_DATES {
            return None;
        }
        let format = COMPACT.to_owned();
        let reading = Reading { dates: vec![format.clone()], ..Reading::default() };
        let inferred = self.typed(FeatureType::Date, reading, vec![Note::Dates(Some(format))]);
        Some(Inferred { again: true, ..inferred })
    }

    /// A whole number with more digits than a double.
    fn inexact(&self) -> Option<String> {
        let is_inexact = |word: &&str| parse_double(word.trim()) == Err(NumberError::Inexact);
        let typed = self.column.contents.numerals.inexact.clone();
        let text =
            || self.words.others.iter().map(|(word, _)| *word).find(is_inexact).map(|word| word.trim().to_owned());
        typed.or_else(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents::Reader;
    use crate::error::Purpose;

    /// The type of a column of which only the first words were kept, after the others were read by it.
    fn checked(first: &[&str], all: &[&str]) -> (Inferred, bool) {
        let read = |fields: &[&str], reader: &Reader| {
            let mut contents = Contents::of_block();
            for field in fields {
                contents.push_field(field, reader);
            }
            contents
        };
        let named = NamedColumn { name: "x".into(), purpose: Purpose::Feature };
        let mut contents = read(first, &Reader::Infer(Vec::new()));
        contents.other_words = 10;
        let mut inferred = infer(&[Surveyed { named: &named, contents: &contents }], &ReadingOptions::default(), None);
        let mut inferred = inferred.remove(0);
        assert!(inferred.again && inferred.feature.kind == FeatureType::Date, "{inferred:?}");
        let again = inferred.check(&read(all, &Reader::Typed(inferred.feature.clone())));
        (inferred, again)
    }

    #[test]
    fn words_that_were_not_kept_may_contradict_an_inferred_type() {
        let (inferred, again) = checked(&["2024-01-05", "2024-01-06"], &["2024-01-05", "2024-01-06", "2024-01-07"]);
        assert!(!again && inferred.feature.kind == FeatureType::Date && inferred.unreadable.is_empty());
        let few = [vec!["2024-01-05"; 30], vec!["soon"]].concat();
        let (inferred, again) = checked(&["2024-01-05", "2024-01-06"], &few);
        assert!(!again && inferred.feature.kind == FeatureType::Date);
        assert_eq!(inferred.feature.reading.missing, ["soon"]);
        let many = ["2024-01-05", "soon", "later"];
        let (inferred, again) = checked(&["2024-01-05", "2024-01-06"], &many);
        assert!(again && inferred.feature.kind == FeatureType::String && inferred.unreadable.is_empty());
    }
}
