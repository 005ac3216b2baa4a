//! "Did you mean": the known name that is most similar to an unknown one.

use crate::wording::shorten;

/// The smallest Jaro–Winkler similarity of a suggestion; that of "color" and "colour" is 0.97, of "age" and "sex" 0.56.
const MIN_SIMILARITY: f64 = 0.7;

/// The most characters of a name that are compared.
const MAX_CHARS: usize = 256;

/// The most pairs of characters that are compared for one name, about 3 ms: some 7,000 names of 12 characters. Later
/// names are never suggested.
const MAX_PAIRS: usize = 1 << 20;

/// The name that is most similar to this one, and the first of several; `None` if no name is similar. Case and spaces
/// around names are ignored.
pub fn most_similar<'n, N: AsRef<str> + ?Sized + 'n>(
    name: &str,
    names: impl IntoIterator<Item = &'n N>,
) -> Option<&'n str> {
    let mut best = None;
    for (similarity, known) in similarities(name, names) {
        if similarity > MIN_SIMILARITY && best.is_none_or(|(most, _)| similarity > most) {
            best = Some((similarity, known));
        }
    }
    best.map(|(_, known)| known)
}

/// All names, the most similar one first.
pub fn by_similarity<'n, N: AsRef<str> + ?Sized + 'n>(
    name: &str,
    names: impl IntoIterator<Item = &'n N>,
) -> Vec<&'n str> {
    let mut ranked: Vec<_> = similarities(name, names).collect();
    ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    ranked.into_iter().map(|(_, known)| known).collect()
}

/// `; did you mean "age"?`, or nothing without a similar name.
pub fn did_you_mean<'n, N: AsRef<str> + ?Sized + 'n>(name: &str, names: impl IntoIterator<Item = &'n N>) -> String {
    most_similar(name, names).map(|known| format!("; did you mean {:?}?", shorten(known))).unwrap_or_default()
}

fn similarities<'n, N: AsRef<str> + ?Sized + 'n>(
    name: &str,
    names: impl IntoIterator<Item = &'n N>,
) -> impl Iterator<Item = (f64, &'n str)> {
    let (name, length) = normalized(name);
    let mut pairs = 0;
    names.into_iter().map(move |known| {
        let known = known.as_ref();
        if pairs > MAX_PAIRS {
            return (0.0, known);
        }
        let (normalized, known_length) = normalized(known);
        pairs += length * known_length;
        (strsim::jaro_winkler(&normalized, &name), known)
    })
}

/// The characters that are compared, and their number.
fn normalized(name: &str) -> (String, usize) {
    let name: String = name.trim().chars().take(MAX_CHARS).flat_map(char::to_lowercase).collect();
    let length = name.chars().count().max(1);
    (name, length)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn typos_case_and_spaces_are_recognised() {
        let names = ["age", "sex", "bmi", "blood pressure"];
        for (name, expected) in [
            ("agf", Some("age")),
            ("Age", Some("age")),
            (" bmi ", Some("bmi")),
            ("bnni", Some("bmi")),
            ("blood_pressure", Some("blood pressure")),
            ("height", None),
            ("", None),
        ] {
            assert_eq!(most_similar(name, &names[..]), expected, "{name:?}");
        }
        assert_eq!(most_similar("a", &["A", "a "][..]), Some("A"), "the first of several");
        assert_eq!(did_you_mean("agf", &names[..]), "; did you mean \"age\"?");
        assert_eq!(did_you_mean("height", &names[..]), "");
    }

    #[test]
    fn all_names_are_ranked() {
        assert_eq!(by_similarity("/predcit", &["/models", "/health/live", "/predict"][..])[0], "/predict");
        assert_eq!(by_similarity("", &["b", "a"][..]), ["b", "a"]);
    }

    #[test]
    fn hostile_names_take_no_noticeable_time() {
        let long = "x".repeat(1 << 20);
        let names = vec![format!("{long}y"); 1000];
        let started = Instant::now();
        assert_eq!(most_similar(&long, &names), Some(names[0].as_str()));
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
}
