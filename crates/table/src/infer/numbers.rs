//! Numbers as people write them: decimal commas, thousands separators, currency and percent signs.

use super::notes::Note;
use super::{ReadingOptions, Surveyed, Words};
use crate::contents::Contents;
use ordinate_model::number::{NumberError, parse_double};
use ordinate_model::reading::Reading;

/// Currency signs and codes that numbers may have.
const CURRENCIES: [&str; 24] = [
    "$", "€", "£", "¥", "₹", "₽", "₩", "₺", "US$", "C$", "A$", "R$", "USD", "EUR", "GBP", "CHF", "JPY", "CAD", "AUD",
    "kr", "zł", "Kč", "Fr.", "Rs.",
];

/// The separators of thousands that are tried with each decimal mark, after none at all.
const WITH_POINT: [Option<char>; 5] = [None, Some(','), Some(' '), Some('\''), Some('_')];
const WITH_COMMA: [Option<char>; 4] = [None, Some('.'), Some(' '), Some('\'')];

/// A column is not one of numbers if a larger fraction of its words does not begin like a number.
const MOST_OTHER: f64 = 0.5;

/// The decimal mark of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Point,
    Comma,
}

impl Mark {
    pub(super) fn from_option(mark: char) -> Self {
        if mark == ',' { Self::Comma } else { Self::Point }
    }

    /// The mark of columns that can be read with either: that of the columns that can be read in one way only. Without
    /// such columns, files that are separated by semicolons have commas, as spreadsheets write them in most of Europe.
    pub(super) fn of_table(forms: &[NumberForms], delimiter: Option<u8>) -> Self {
        let comma = forms.iter().any(|form| form.comma.is_some() && form.point.is_none());
        // Whole numbers say nothing about the mark.
        let separates = |form: &NumberForms| {
            let notes = form.point.iter().flat_map(|point| &point.notes);
            form.comma.is_none() && notes.into_iter().any(|note| matches!(note, Note::Thousands { separator: ',', .. }))
        };
        let point = forms.iter().any(|form| form.has_point || separates(form));
        match (comma, point) {
            (true, false) => Self::Comma,
            (false, false) if delimiter == Some(b';') => Self::Comma,
            _ => Self::Point,
        }
    }
}

/// A way to read the numbers of a column.
#[derive(Debug, Clone)]
pub(super) struct NumberForm {
    pub(super) reading: Reading,
    pub(super) notes: Vec<Note>,
    /// Words that cannot be read in this way, at most as many as a message names, and their rows.
    pub(super) unreadable: Vec<String>,
    pub(super) unreadable_rows: u64,
    /// Whether one of them is a whole number with more digits than a double.
    pub(super) has_inexact: bool,
    /// Whether numbers were read in another way.
    pub(super) again: bool,
}

/// The ways to read the numbers of a column.
#[derive(Debug)]
pub(super) struct NumberForms {
    point: Option<NumberForm>,
    comma: Option<NumberForm>,
    /// Whether a number has a point that can only be a decimal mark.
    has_point: bool,
    /// Whether anything has a point.
    has_any_point: bool,
    /// The text after all numbers, if it is neither a currency nor a percent sign.
    pub(super) unit: Option<String>,
    /// The number of different words that begin like a number.
    pub(super) distinct: u64,
}

impl NumberForms {
    pub(super) fn new(column: &Surveyed<'_>, words: &Words<'_>, options: &ReadingOptions) -> Self {
        let contents = column.contents;
        let has_point = contents.numerals.decimal_point().is_some();
        let has_any_point =
            contents.numerals.pointed.is_some() || words.others.iter().any(|(word, _)| word.contains('.'));
        let mut forms = Self { point: None, comma: None, has_point, has_any_point, unit: None, distinct: 0 };
        if contents.texts > 0 || contents.dates > 0 {
            return forms;
        }
        let affixes: Vec<(&str, u64)> =
            words.others.iter().filter_map(|(word, rows)| Some((affix(word)?, *rows))).collect();
        forms.distinct = affixes.len() as u64;
        let numeric: u64 = affixes.iter().map(|(_, rows)| rows).sum();
        let other = words.rows.saturating_sub(numeric) as f64;
        if contents.numbers == 0 && (numeric == 0 || other > MOST_OTHER * words.rows as f64) {
            return forms;
        }
        let own = || affixes.iter().map(|(affix, _)| *affix).filter(|affix| !affix.is_empty());
        let currency = own().find(|affix| CURRENCIES.contains(affix)).map(str::to_owned);
        let percent = own().any(|affix| affix == "%");
        forms.unit = unit(words).filter(|_| currency.is_none() && !percent);
        let is_negative = |(word, _): &(&str, u64)| word.trim().starts_with('(') && affix(word).is_some();
        let parentheses = words.others.iter().any(is_negative);
        let base = Reading { currency, percent, parentheses, ..Reading::default() };
        let best = |decimal: Option<char>, separators: &[Option<char>]| {
            let given = options.thousands(&column.named.name).map(|separator| [Some(separator)]);
            let separators = given.as_ref().map_or(separators, <[_; 1]>::as_slice);
            // A mark separates either thousands or decimals.
            let tried = separators.iter().filter(|separator| **separator != Some(decimal.unwrap_or('.')));
            let form = |thousands: &Option<char>| {
                NumberForm::new(Reading { decimal, thousands: *thousands, ..base.clone() }, contents, words)
            };
            tried.map(form).filter(|form| !form.contradicts(contents)).min_by_key(|form| form.unreadable_rows)
        };
        forms.point = best(None, &WITH_POINT);
        forms.comma = best(Some(','), &WITH_COMMA).filter(|_| NumberForm::has_commas(contents, words));
        if let (Some(point), Some(comma)) = (&forms.point, &forms.comma) {
            match point.unreadable_rows.cmp(&comma.unreadable_rows) {
                std::cmp::Ordering::Less => forms.comma = None,
                std::cmp::Ordering::Greater => forms.point = None,
                std::cmp::Ordering::Equal => {}
            }
        }
        forms
    }

    /// The way in a table with this decimal mark.
    pub(super) fn choose(&self, mark: Mark, is_given: bool) -> Option<&NumberForm> {
        let (first, second) = match mark {
            Mark::Point => (&self.point, &self.comma),
            Mark::Comma => (&self.comma, &self.point),
        };
        // Whole numbers have no mark.
        first
            .as_ref()
            .or(second.as_ref().filter(|form| !is_given || (form.reading.decimal.is_none() && !self.has_any_point)))
    }
}

impl NumberForm {
    fn new(reading: Reading, contents: &Contents, words: &Words<'_>) -> Self {
        const NAMED: usize = 1000;
        let mut form = Self {
            notes: Vec::new(),
            unreadable: Vec::new(),
            unreadable_rows: contents.other_words.min(u64::from(contents.other_words > 0 && words.others.is_empty())),
            has_inexact: contents.numerals.inexact.is_some(),
            again: false,
            reading,
        };
        let (mut uses_thousands, mut uses_decimal) = (None, None);
        for (word, rows) in &words.others {
            match form.reading.number(word, parse_double) {
                Ok(_) => {
                    let has = |mark: Option<char>| {
                        mark.is_some_and(|mark| {
                            word.contains(|character: char| {
                                character == mark || (mark == ' ' && character.is_whitespace())
                            })
                        })
                    };
                    if uses_thousands.is_none() && has(form.reading.thousands) {
                        uses_thousands = Some(word.trim().to_owned());
                    }
                    if uses_decimal.is_none() && has(form.reading.decimal) {
                        uses_decimal = Some(word.trim().to_owned());
                    }
                }
                Err(error) => {
                    form.has_inexact |= error == NumberError::Inexact;
                    form.unreadable_rows += rows;
                    if form.unreadable.len() < NAMED {
                        form.unreadable.push((*word).to_owned());
                    }
                }
            }
        }
        // Numbers that were read with a decimal point, and whose point separates thousands.
        if form.reading.thousands == Some('.') && contents.numerals.grouped.is_some() {
            form.again = true;
            uses_thousands = uses_thousands.or_else(|| contents.numerals.grouped.clone());
        }
        match (form.reading.thousands, uses_thousands) {
            (Some(separator), Some(example)) => form.notes.push(Note::Thousands { separator, example }),
            _ => form.reading.thousands = None,
        }
        if let (Some(mark), Some(example)) = (form.reading.decimal, uses_decimal) {
            form.notes.push(Note::Decimal { mark, example });
        }
        form.notes.extend(form.reading.currency.clone().map(Note::Currency));
        form.notes.extend(form.reading.percent.then_some(Note::Percent));
        form.notes.extend(form.reading.parentheses.then_some(Note::Parentheses));
        form
    }

    /// Whether numbers of the column are written in another way: with a point that is no separator.
    fn contradicts(&self, contents: &Contents) -> bool {
        let has_point = contents.numerals.pointed.is_some();
        self.reading.decimal == Some(',')
            && has_point
            && !(self.reading.thousands == Some('.') && contents.numerals.may_be_grouped)
    }

    /// Whether something in the column is read by a decimal comma, or by points that separate thousands.
    fn has_commas(contents: &Contents, words: &Words<'_>) -> bool {
        contents.numerals.grouped.is_some() || words.others.iter().any(|(word, _)| word.contains([',', '.']))
    }
}

/// The unit of a column of measurements: all words are a number followed by the same text, which begins like a unit.
fn unit(words: &Words<'_>) -> Option<String> {
    let split = |word: &str| {
        let word = word.trim();
        let (number, unit) = word.split_at_checked(word.rfind(|c: char| c.is_ascii_digit())? + 1)?;
        let digits = number.trim_start_matches(['-', '+', '\u{2212}']);
        let is_number = digits.chars().all(|c| c.is_ascii_digit() || ".,' \u{a0}\u{202f}".contains(c));
        is_number.then(|| unit.trim().to_owned())
    };
    let first = split(words.others.first()?.0)?;
    let begins = first.starts_with(|c: char| c.is_alphabetic() || "°µ\"'".contains(c));
    let are_measurements =
        words.others.len() > 1 && words.others.iter().all(|(word, _)| split(word).as_ref() == Some(&first));
    (begins && are_measurements).then_some(first)
}

/// The text before or after the number of a word; `None` for a word without a number.
fn affix(word: &str) -> Option<&str> {
    let word = word.trim().trim_start_matches(['-', '+', '(', '\u{2212}', '\u{2013}']).trim_end_matches(')').trim();
    let is_digit = |character: char| character.is_ascii_digit();
    let (first, last) = (word.find(is_digit)?, word.rfind(is_digit)?);
    let before = word.get(..first)?.trim_end_matches(['.', ',', '-']).trim();
    let after = word.get(last + 1..)?.trim_start_matches(['.', ',']).trim();
    let number = word.get(first..=last)?;
    let is_number = number
        .chars()
        .all(|character| character.is_ascii_digit() || ".,'_ \u{a0}\u{202f}\u{2009}eE+-".contains(character));
    match (is_number, before, after) {
        (true, affix, "") | (true, "", affix) => Some(affix),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_follows_every_number() {
        let unit = |words: &[&'static str]| {
            let others = words.iter().map(|word| (*word, 1)).collect();
            unit(&Words { missing: Vec::new(), markers: Vec::new(), others, rows: words.len() as u64 })
        };
        assert_eq!(unit(&["5 kg", "12,5 kg"]).as_deref(), Some("kg"));
        for words in [
            &["15-24", "75+"][..],
            &["1. north", "2. north"],
            &["a.jpg", "1.jpg"],
            &["1.jpg", "2.jpg"],
            &["5 kg"],
            &["<20"],
        ] {
            assert_eq!(unit(words), None, "{words:?}");
        }
    }

    #[test]
    fn an_affix_is_what_surrounds_a_number() {
        for (word, expected) in [
            ("$1,037", Some("$")),
            ("-$5", Some("$")),
            ("7,50 €", Some("€")),
            ("(1,037)", Some("")),
            ("12%", Some("%")),
            ("5 kg", Some("kg")),
            ("1,5", Some("")),
            (".5", Some("")),
            ("high", None),
            ("A1B", None),
            ("2024/01/02", None),
        ] {
            assert_eq!(affix(word), expected, "{word}");
        }
    }
}
