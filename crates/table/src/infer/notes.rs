//! The decisions about columns, one for each kind.

use super::ReadingOptions;
use crate::decision::Decision;
use ordinate_model::wording::{NAMED, counted, listed, shorten};

/// A decision about one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// A decimal mark other than the point.
    Decimal {
        mark: char,
        example: String,
    },
    Thousands {
        separator: char,
        example: String,
    },
    Currency(String),
    Percent,
    /// Negative numbers in parentheses.
    Parentheses,
    /// A word that stands for a missing value.
    Marker {
        word: String,
        rows: u64,
    },
    /// Words among numbers.
    Unreadable {
        words: Vec<String>,
        rows: u64,
    },
    LeadingZeros(String),
    /// Numbers and text.
    Mixed(String),
    Units(String),
    Boolean([String; 2]),
    /// The format, unless it is ISO 8601.
    Dates(Option<String>),
    AmbiguousDates(String),
    /// A whole number with more digits than a double.
    Inexact(String),
}

impl Note {
    /// The order of the kinds.
    fn kind(&self) -> usize {
        match self {
            Self::Decimal { .. } => 0,
            Self::Thousands { .. } => 1,
            Self::Currency(_) => 2,
            Self::Percent => 3,
            Self::Marker { .. } => 4,
            Self::Unreadable { .. } => 5,
            Self::Dates(_) => 6,
            Self::Boolean(_) => 7,
            Self::LeadingZeros(_) => 8,
            Self::Mixed(_) => 9,
            Self::Units(_) => 10,
            Self::AmbiguousDates(_) => 11,
            Self::Inexact(_) => 12,
            Self::Parentheses => 13,
        }
    }

    /// The detail in which columns with the same kind of note differ.
    fn detail(&self) -> String {
        let words = |words: &[String], rows: u64| {
            let named: Vec<String> = words.iter().take(3).map(|word| format!("{:?}", shorten(word))).collect();
            let more = if words.len() > named.len() { ", …" } else { "" };
            format!("{}{more}: {}", named.join(", "), counted(rows, "row", "rows"))
        };
        match self {
            Self::Decimal { example, .. }
            | Self::LeadingZeros(example)
            | Self::AmbiguousDates(example)
            | Self::Inexact(example) => example.clone(),
            Self::Thousands { separator, example } => {
                let digits = example.replace(|c: char| c == *separator || c.is_whitespace(), "");
                format!("{example} is {}", digits.trim_matches(|c: char| !c.is_ascii_digit()))
            }
            Self::Currency(sign) => sign.clone(),
            Self::Percent => "12% is 12".to_owned(),
            Self::Parentheses => "(5) is -5".to_owned(),
            Self::Marker { word, rows } => words(std::slice::from_ref(word), *rows),
            Self::Unreadable { words: unreadable, rows } => words(unreadable, *rows),
            Self::Mixed(word) => format!("{:?}", shorten(word)),
            Self::Units(unit) => shorten(unit),
            Self::Boolean([no, yes]) => format!("{no}, {yes}"),
            Self::Dates(format) => format.clone().unwrap_or_else(|| "ISO 8601".to_owned()),
        }
    }

    /// The decision about all columns with this kind of note.
    fn text(&self, columns: &str) -> String {
        match self {
            Self::Decimal { mark, .. } => format!("the decimal mark is {mark:?} in {columns}"),
            Self::Thousands { separator, .. } => format!("{separator:?} separates thousands in {columns}"),
            Self::Currency(_) => format!("numbers with a currency sign: {columns}"),
            Self::Percent => format!("numbers with a percent sign: {columns}"),
            Self::Parentheses => format!("numbers in parentheses are negative: {columns}"),
            Self::Marker { .. } => format!("missing-value markers in {columns}"),
            Self::Unreadable { .. } => format!("values that are not numbers or dates count as missing in {columns}"),
            Self::LeadingZeros(_) => {
                format!("numbers with leading zeros are categories: {columns} (--types NAME=double reads numbers)")
            }
            Self::Mixed(_) => format!("columns of numbers and text are categories: {columns}"),
            Self::Units(_) => {
                format!(
                    "numbers with units are categories: {columns}; remove the unit from the data to use the numbers"
                )
            }
            Self::Boolean(_) => format!("false and true: {columns}"),
            Self::Dates(_) => format!("dates: {columns}"),
            Self::AmbiguousDates(_) => format!(
                "dates that may be day/month or month/day are categories: {columns} (--date-format %d/%m/%Y or \
                 --date-format %m/%d/%Y reads dates)"
            ),
            Self::Inexact(_) => {
                format!("whole numbers with more digits than a double holds are categories: {columns}")
            }
        }
    }

    /// Whether an option made the decision.
    fn is_given(&self, name: &str, options: &ReadingOptions) -> bool {
        match self {
            Self::Decimal { .. } => options.decimal(name).is_some(),
            Self::Thousands { .. } => options.thousands(name).is_some(),
            _ => false,
        }
    }
}

/// One decision for each kind of note.
pub(super) fn decisions<'n>(
    columns: impl Iterator<Item = (&'n str, &'n [Note])>,
    options: &ReadingOptions,
) -> Vec<Decision> {
    let mut kinds: Vec<Vec<(&str, &Note)>> = vec![Vec::new(); 14];
    for (name, notes) in columns {
        for note in notes.iter().filter(|note| !note.is_given(name, options)) {
            if let Some(kind) = kinds.get_mut(note.kind()) {
                kind.push((name, note));
            }
        }
    }
    kinds.iter().filter_map(|notes| decision(notes)).collect()
}

fn decision(notes: &[(&str, &Note)]) -> Option<Decision> {
    let (_, first) = notes.first()?;
    let columns = notes.iter().map(|(name, note)| format!("{} ({})", shown(name), note.detail()));
    Some(Decision::new(first.text(&listed(columns, NAMED)), option_words(notes)))
}

/// The words of the command line that make the decision.
fn option_words(notes: &[(&str, &Note)]) -> Vec<String> {
    let typed = |name: &str, kind: &str| vec!["--types".to_owned(), name_option(&format!("{name}={kind}"))];
    let mut words = Vec::new();
    for (name, note) in notes {
        let of_note = match note {
            Note::Decimal { mark, .. } => vec!["--decimal".to_owned(), format!("{name}={mark}")],
            Note::Thousands { separator, .. } => vec!["--thousands".to_owned(), format!("{name}={separator}")],
            Note::Currency(_) | Note::Percent | Note::Parentheses => typed(name, "double"),
            Note::Boolean(_) => typed(name, "boolean"),
            Note::Dates(Some(format)) => vec!["--date-format".to_owned(), format!("{name}={format}")],
            Note::Dates(None) => typed(name, "date"),
            Note::Marker { word, .. } => markers(name, std::slice::from_ref(word)),
            Note::Unreadable { words, .. } => markers(name, words),
            _ => typed(name, "string"),
        };
        words.extend(of_note);
    }
    words
}

/// `--missing-values` with a list, quoted as a record of CSV.
#[must_use]
pub fn markers(name: &str, words: &[String]) -> Vec<String> {
    let words: Vec<String> = words.iter().map(|word| name_option(word)).collect();
    vec!["--missing-values".to_owned(), format!("{name}={}", words.join(","))]
}

/// A name in a note: as it is, if that is clear.
#[must_use]
pub fn shown(name: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "._-".contains(character);
    if !name.is_empty() && name.chars().all(is_plain) { name.to_owned() } else { format!("{:?}", shorten(name)) }
}

/// A name in an option that takes a list of names: quoted as in a record of CSV where that is necessary.
#[must_use]
pub fn name_option(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

/// The names in an option that takes a list of names: a record of CSV.
#[must_use]
pub fn names(text: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let record = reader.records().next().and_then(Result::ok);
    record.map(|record| record.iter().map(str::to_owned).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_and_quotes_are_those_of_an_option() {
        for name in ["a", "a,b", "say \"x\"", " a", "a=b"] {
            assert_eq!(names(&name_option(name)), [name], "{name}");
        }
        assert_eq!(names("a,\"b,c\""), ["a", "b,c"]);
    }
}
