//! The decisions about columns, one for each kind.

use super::ReadingOptions;
use crate::decision::Decision;
use crate::error::shell_word;
use ordinate_model::wording::{counted, shorten};

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
        }
    }
}

/// One decision for each kind of note.
pub(crate) fn decisions<'n>(
    columns: impl Iterator<Item = (&'n str, &'n [Note])>,
    options: &ReadingOptions,
) -> Vec<Decision> {
    let mut kinds: Vec<Vec<(&str, &Note)>> = vec![Vec::new(); 13];
    for (name, notes) in columns {
        for note in notes {
            if let Some(kind) = kinds.get_mut(note.kind()) {
                kind.push((name, note));
            }
        }
    }
    kinds.iter().filter_map(|notes| decision(notes, options)).collect()
}

fn decision(notes: &[(&str, &Note)], options: &ReadingOptions) -> Option<Decision> {
    let (_, first) = notes.first()?;
    let names: Vec<&str> = notes.iter().map(|(name, _)| *name).collect();
    let columns = columns(&names);
    let each = |describe: &dyn Fn(&Note) -> String| {
        let described = notes.iter().map(|(name, note)| format!("{} ({})", shown(name), describe(note)));
        listed(described.collect())
    };
    let option = |name: &str, kind: &str| {
        names.iter().flat_map(|column| [name.to_owned(), name_option(&format!("{column}={kind}"))]).collect::<Vec<_>>()
    };
    Some(match first {
        Note::Decimal { mark, .. } => {
            if options.decimal.is_some() {
                return None;
            }
            let example = |note: &Note| match note {
                Note::Decimal { example, .. } => example.clone(),
                _ => String::new(),
            };
            Decision::new(
                format!("the decimal mark is {mark:?} in {}", each(&example)),
                ["--decimal".to_owned(), mark.to_string()],
            )
        }
        Note::Thousands { separator, .. } => {
            if options.thousands.is_some() {
                return None;
            }
            let example = |note: &Note| match note {
                Note::Thousands { separator, example } => {
                    format!("{example} is {}", example.replace(|c: char| c == *separator || c.is_whitespace(), ""))
                }
                _ => String::new(),
            };
            let words = ["--thousands".to_owned(), separator.to_string()];
            Decision::new(format!("{separator:?} separates thousands in {}", each(&example)), words)
        }
        Note::Currency(_) => {
            let sign = |note: &Note| if let Note::Currency(sign) = note { sign.clone() } else { String::new() };
            Decision::new(format!("numbers with a currency sign: {}", each(&sign)), option("--types", "double"))
        }
        Note::Percent => {
            Decision::new(format!("numbers with a percent sign, 12% is 12: {columns}"), option("--types", "double"))
        }
        Note::Marker { .. } => {
            let word = |note: &Note| match note {
                Note::Marker { word, rows } => format!("{word:?}: {}", counted(*rows, "row", "rows")),
                _ => String::new(),
            };
            let mut words: Vec<&str> = notes
                .iter()
                .filter_map(|(_, note)| if let Note::Marker { word, .. } = note { Some(word.as_str()) } else { None })
                .collect();
            words.sort_unstable();
            words.dedup();
            Decision::new(format!("missing-value markers in {}", each(&word)), markers(&words))
        }
        Note::Unreadable { .. } => {
            let word = |note: &Note| match note {
                Note::Unreadable { words, rows } => {
                    let named: Vec<String> = words.iter().take(3).map(|word| format!("{:?}", shorten(word))).collect();
                    let more = if words.len() > named.len() { ", …" } else { "" };
                    format!("{}{more}: {}", named.join(", "), counted(*rows, "row", "rows"))
                }
                _ => String::new(),
            };
            let words: Vec<&str> = notes
                .iter()
                .filter_map(|(_, note)| if let Note::Unreadable { words, .. } = note { Some(words) } else { None })
                .flatten()
                .map(String::as_str)
                .collect();
            Decision::new(format!("values that are not numbers count as missing in {}", each(&word)), markers(&words))
        }
        Note::LeadingZeros(_) => {
            let example =
                |note: &Note| if let Note::LeadingZeros(example) = note { example.clone() } else { String::new() };
            Decision::new(
                format!(
                    "numbers with leading zeros are categories: {} (--types NAME=double reads numbers)",
                    each(&example)
                ),
                option("--types", "string"),
            )
        }
        Note::Mixed(_) => {
            let word =
                |note: &Note| if let Note::Mixed(word) = note { format!("{:?}", shorten(word)) } else { String::new() };
            Decision::new(
                format!("columns of numbers and text are categories: {}", each(&word)),
                option("--types", "string"),
            )
        }
        Note::Units(_) => {
            let unit = |note: &Note| if let Note::Units(unit) = note { shorten(unit) } else { String::new() };
            Decision::new(
                format!(
                    "numbers with units are categories: {}; remove the unit from the data to use the numbers",
                    each(&unit)
                ),
                option("--types", "string"),
            )
        }
        Note::Boolean(_) => {
            let pair =
                |note: &Note| if let Note::Boolean([no, yes]) = note { format!("{no}, {yes}") } else { String::new() };
            Decision::new(format!("false and true: {}", each(&pair)), option("--types", "boolean"))
        }
        Note::Dates(_) => {
            let format =
                |note: &Note| if let Note::Dates(Some(format)) = note { format.clone() } else { "ISO 8601".to_owned() };
            let words = notes.iter().flat_map(|(name, note)| match note {
                Note::Dates(Some(format)) => ["--date-format".to_owned(), format!("{name}={format}")],
                _ => ["--types".to_owned(), name_option(&format!("{name}=date"))],
            });
            Decision::new(format!("dates: {}", each(&format)), words.collect::<Vec<_>>())
        }
        Note::AmbiguousDates(_) => {
            let example =
                |note: &Note| if let Note::AmbiguousDates(example) = note { example.clone() } else { String::new() };
            let name = names.first().copied().unwrap_or_default();
            let way_out = shell_word(&format!("{name}=%d/%m/%Y"));
            Decision::new(
                format!(
                    "dates that may be day/month or month/day are categories: {} (use --date-format {way_out} or the like)",
                    each(&example)
                ),
                option("--types", "string"),
            )
        }
        Note::Inexact(_) => {
            let example = |note: &Note| if let Note::Inexact(example) = note { example.clone() } else { String::new() };
            Decision::new(
                format!("whole numbers with more digits than a double holds are categories: {}", each(&example)),
                option("--types", "string"),
            )
        }
    })
}

/// `--missing-values` with a list, quoted as a record of CSV.
fn markers(words: &[&str]) -> [String; 2] {
    ["--missing-values".to_owned(), words.iter().map(|word| name_option(word)).collect::<Vec<_>>().join(",")]
}

fn columns(names: &[&str]) -> String {
    listed(names.iter().map(|name| shown(name)).collect())
}

/// A name in a note: as it is, if that is clear.
#[must_use]
pub fn shown(name: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "._-".contains(character);
    if !name.is_empty() && name.chars().all(is_plain) { name.to_owned() } else { format!("{:?}", shorten(name)) }
}

/// The first of some descriptions, and how many more there are.
#[must_use]
pub fn listed(mut all: Vec<String>) -> String {
    const NAMED: usize = 10;
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    all.join(", ")
}

/// A name in an option that takes a list of names: quoted as in a record of CSV where that is necessary.
#[must_use]
pub fn name_option(name: &str) -> String {
    if name.contains([',', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
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
