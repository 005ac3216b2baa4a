//! Dates in text.

use ordinate_model::date::{FORMATS, parse, parse_iso};

/// Formats that read the same text as different dates.
const AMBIGUOUS: [[&str; 2]; 3] = [["%m/%d/%Y", "%d/%m/%Y"], ["%m-%d-%Y", "%d-%m-%Y"], ["%m/%d/%y", "%d/%m/%y"]];

/// How the dates of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// In ISO 8601, or in the formats that options give.
    Known,
    /// In one of [`FORMATS`].
    Format(&'static str),
}

impl Notation {
    /// The format, if it was found.
    pub(super) fn format(self) -> Option<String> {
        match self {
            Self::Known => None,
            Self::Format(format) => Some(format.to_owned()),
        }
    }
}

/// Words and their rows.
type Counted<'w> = Vec<(&'w str, u64)>;

/// The notation of the words, and the words that are no dates, which may have at most this many rows; `None` if they are not
/// dates or it is not clear which.
pub(super) fn notation<'w>(words: &[(&'w str, u64)], given: &[String], most: f64) -> Option<(Notation, Counted<'w>)> {
    let others = |is_date: &dyn Fn(&str) -> bool| -> Option<Counted<'w>> {
        let others: Counted<'w> = words.iter().filter(|(word, _)| !is_date(word.trim())).copied().collect();
        let rows: u64 = others.iter().map(|(_, rows)| rows).sum();
        (rows as f64 <= most && others.len() < words.len()).then_some(others)
    };
    if !given.is_empty() {
        let is_date =
            |text: &str| given.iter().any(|format| parse(text, format).is_some()) || parse_iso(text).is_some();
        return Some((Notation::Known, others(&is_date)?));
    }
    if let Some(others) = others(&|text| parse_iso(text).is_some()) {
        return Some((Notation::Known, others));
    }
    let fitting: Vec<(&'static str, Counted<'w>)> = FORMATS
        .into_iter()
        .filter_map(|format| Some((format, others(&|text| parse(text, format).is_some())?)))
        .collect();
    // Of several, the one that reads the most.
    let fewest = fitting.iter().map(|(_, others)| others.len()).min()?;
    let mut best = fitting.into_iter().filter(|(_, others)| others.len() == fewest);
    let (first, unreadable) = best.next()?;
    let format = match best.next() {
        Some((second, _)) if AMBIGUOUS.contains(&[first, second]) => in_order(words, [first, second])?,
        _ => first,
    };
    Some((Notation::Format(format), unreadable))
}

/// A word that is a date in two formats, if all words are.
pub(super) fn ambiguous(words: &[(&str, u64)]) -> Option<String> {
    if words.is_empty() || fitting(words).len() < 2 {
        return None;
    }
    words.first().map(|(word, _)| word.trim().to_owned())
}

fn fitting(words: &[(&str, u64)]) -> Vec<&'static str> {
    let fits = |format: &&str| words.iter().all(|(word, _)| parse(word.trim(), format).is_some());
    FORMATS.into_iter().filter(fits).collect()
}

/// Of two formats, the only one by which the dates are in ascending or descending order.
fn in_order(words: &[(&str, u64)], formats: [&'static str; 2]) -> Option<&'static str> {
    let is_ordered = |format: &&str| {
        let dates: Vec<f64> = words.iter().filter_map(|(word, _)| parse(word.trim(), format)).collect();
        dates.len() > 2 && (dates.is_sorted() || dates.is_sorted_by(|one, next| one >= next))
    };
    let mut ordered = formats.into_iter().filter(is_ordered);
    ordered.next().filter(|_| ordered.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Option<Notation> {
        let words: Vec<(&str, u64)> = words.iter().map(|word| (*word, 1)).collect();
        notation(&words, &[], 0.0).map(|(notation, _)| notation)
    }

    #[test]
    fn a_format_must_read_all_words() {
        assert_eq!(of(&["2024-01-02", "2024-01-03T10:00"]), Some(Notation::Known));
        assert_eq!(of(&["1/13/2024", "2/1/2024"]), Some(Notation::Format("%m/%d/%Y")));
        assert_eq!(of(&["13/1/2024", "2/1/2024"]), Some(Notation::Format("%d/%m/%Y")));
        assert_eq!(of(&["1.2.2024"]), Some(Notation::Format("%d.%m.%Y")));
        assert_eq!(of(&["05-Mar-2024"]), Some(Notation::Format("%d-%b-%Y")));
        assert_eq!(of(&["13/1/2024", "1/13/2024"]), None);
        assert_eq!(of(&["high", "2024-01-02"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn ambiguous_dates_are_not_guessed_unless_only_one_format_has_them_in_order() {
        assert_eq!(of(&["1/2/2024", "3/1/2024", "2/3/2024"]), None);
        assert_eq!(of(&["1/1/2024", "1/2/2024", "1/3/2024", "2/1/2024"]), Some(Notation::Format("%m/%d/%Y")));
        assert_eq!(ambiguous(&[("1/2/2024", 1)]), Some("1/2/2024".into()));
        assert_eq!(ambiguous(&[("1/13/2024", 1)]), None);
    }
}
