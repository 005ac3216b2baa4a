//! Names of data on a command line: files, patterns, standard input.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::DataError;

/// What stands for standard input.
const DASH: &str = "-";

/// The files that are named: patterns such as `part-*.csv` become the files that match, in the order of their names; `-`
/// stays what it is.
///
/// # Errors
/// [`DataError`] when no file matches a pattern, or standard input is named twice.
pub fn expanded(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in paths {
        match path.to_str().filter(|text| text.contains(['*', '?', '[']) && !path.exists()) {
            Some(pattern) => files.extend(matching(pattern)?),
            None => files.push(path.clone()),
        }
    }
    if files.iter().filter(|path| *path == Path::new(DASH)).count() > 1 {
        let reason = "standard input can be read only once".to_owned();
        return Err(DataError::Pattern { pattern: DASH.to_owned(), reason });
    }
    Ok(files)
}

/// The same files, none of which is there twice under whatever names: its rows would count twice.
///
/// # Errors
/// [`DataError::NamedTwice`].
pub fn each_once(files: Vec<PathBuf>) -> Result<Vec<PathBuf>, DataError> {
    let mut seen = HashSet::new();
    // What cannot be found is told when it is opened.
    let twice = files.iter().find(|path| fs::canonicalize(path).is_ok_and(|place| !seen.insert(place)));
    match twice {
        Some(path) => Err(DataError::NamedTwice { path: path.clone() }),
        None => Ok(files),
    }
}

/// The files that match a pattern, in the order of their names.
fn matching(pattern: &str) -> Result<Vec<PathBuf>, DataError> {
    let refused = |reason: String| DataError::Pattern { pattern: pattern.to_owned(), reason };
    let found = glob::glob(pattern).map_err(|error| refused(format!("this is no pattern: {}", error.msg)))?;
    let paths: Vec<PathBuf> = found
        .map(|path| path.map_err(|error| DataError::Unreadable { path: error.path().into(), source: error.into() }))
        .filter(|path| path.as_ref().map_or(true, |path| path.is_file()))
        .collect::<Result<_, _>>()?;
    if paths.is_empty() { Err(refused("no file matches".into())) } else { Ok(paths) }
}
