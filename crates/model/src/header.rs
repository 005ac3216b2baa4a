//! Names of columns: one rule for training, prediction and CSV requests, which is that of pandas.

use std::collections::HashSet;

/// The names of the columns of a header, in its order: without the spaces around them, `Unnamed: 3` for a column without a
/// name (its position counts from 0), and `a.1`, `a.2` … for further columns named `a`. No two names are equal.
#[must_use]
pub fn column_names<S: AsRef<str>>(header: &[S]) -> Vec<String> {
    let given: HashSet<&str> = header.iter().map(|name| name.as_ref().trim()).collect();
    let mut used: HashSet<String> = HashSet::new();
    let mut names = Vec::with_capacity(header.len());
    for (position, name) in header.iter().enumerate() {
        let name = name.as_ref().trim();
        let is_unnamed = name.is_empty();
        let wanted = if is_unnamed { format!("Unnamed: {position}") } else { name.to_owned() };
        // A name that another column has by itself is that column's.
        let is_free = |name: &String| !used.contains(name) && !given.contains(name.as_str());
        let is_first = if is_unnamed { is_free(&wanted) } else { !used.contains(&wanted) };
        let name = if is_first {
            wanted
        } else {
            (1..=u64::MAX).map(|count| format!("{wanted}.{count}")).find(is_free).unwrap_or(wanted)
        };
        used.insert(name.clone());
        names.push(name);
    }
    names
}

/// The number of columns at the beginning that are an index of the rows: the column without a name that R and pandas write
/// first, which is `Unnamed: 0` after a round trip through pandas, and `Unnamed: 0.1` after another.
#[must_use]
pub fn index_columns(names: &[String]) -> usize {
    let is_count = |count: &str| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let is_index = |name: &&String| {
        let rest = name.strip_prefix("Unnamed: 0");
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix('.').is_some_and(|rest| rest.split('.').all(is_count))
        })
    };
    names.iter().take_while(is_index).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_of_pandas() {
        for (header, expected) in [
            (&["", "x", "y"][..], &["Unnamed: 0", "x", "y"][..]),
            (&[" x ", "", "y", ""], &["x", "Unnamed: 1", "y", "Unnamed: 3"]),
            (&["a", "a", "a"], &["a", "a.1", "a.2"]),
            (&["a", "a", "a.1"], &["a", "a.2", "a.1"]),
            (&["", "Unnamed: 0", "x"], &["Unnamed: 0.1", "Unnamed: 0", "x"]),
        ] {
            assert_eq!(column_names(header), expected, "{header:?}");
        }
    }

    #[test]
    fn the_index_of_the_rows_comes_first_and_has_no_name() {
        for (names, expected) in [
            (&["Unnamed: 0", "x"][..], 1),
            (&["Unnamed: 0.1", "Unnamed: 0", "x"], 2),
            (&["Unnamed: 0.1.1", "Unnamed: 0.1", "Unnamed: 0"], 3),
            (&["x", "Unnamed: 0"], 0),
            (&["Unnamed: 01", "x"], 0),
            (&["Unnamed: 1"], 0),
        ] {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            assert_eq!(index_columns(&names), expected, "{names:?}");
        }
    }

    proptest! {
        #[test]
        fn no_two_names_are_equal(header in prop::collection::vec("[a ]?(\\.1)?|Unnamed: [01](\\.1)?", 0..9)) {
            let names = column_names(&header);
            prop_assert_eq!(names.len(), header.len());
            prop_assert_eq!(names.iter().collect::<HashSet<_>>().len(), header.len());
        }
    }
}
