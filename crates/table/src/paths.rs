//! Data as they are given on a command line: files, patterns, standard input.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::DataError;

/// The name of standard input in messages.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// Whether a path means standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Replaces patterns such as `part-*.csv` by the files that match, in the order of their names; `-` stays as it is.
///
/// # Errors
/// [`DataError`] when no file matches a pattern, or standard input is given twice.
pub fn expanded(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in paths {
        match path.to_str().filter(|text| text.contains(['*', '?', '[']) && !path.exists()) {
            Some(pattern) => files.extend(matching(pattern)?),
            None => files.push(path.clone()),
        }
    }
    if files.iter().filter(|path| is_standard_input(path)).count() > 1 {
        let reason = "standard input can be read only once".to_owned();
        return Err(DataError::Pattern { pattern: "-".to_owned(), reason });
    }
    Ok(files)
}

/// Checks that no file is given twice, under whatever name: its rows would count twice.
///
/// # Errors
/// [`DataError::NamedTwice`].
pub fn each_once(files: Vec<PathBuf>) -> Result<Vec<PathBuf>, DataError> {
    let mut seen = HashSet::new();
    // A missing file is reported when it is opened.
    let twice = files.iter().find(|path| fs::canonicalize(path).is_ok_and(|place| !seen.insert(place)));
    match twice {
        Some(path) => Err(DataError::NamedTwice { path: path.clone() }),
        None => Ok(files),
    }
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>, DataError> {
    let error = |reason: String| DataError::Pattern { pattern: pattern.to_owned(), reason };
    let found = glob::glob(pattern).map_err(|invalid| error(format!("the pattern is not valid: {}", invalid.msg)))?;
    let paths: Vec<PathBuf> = found
        .map(|path| path.map_err(|error| DataError::Unreadable { path: error.path().into(), source: error.into() }))
        .filter(|path| path.as_ref().map_or(true, |path| path.is_file()))
        .collect::<Result<_, _>>()?;
    if paths.is_empty() { Err(error("no file matches the pattern".into())) } else { Ok(paths) }
}
