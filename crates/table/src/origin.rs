//! The data files of a table, and how they are read.

use std::path::PathBuf;

use super::DataError;
use super::file_options::FileOptions;
use super::paths::{STANDARD_INPUT, each_once, expanded, is_standard_input};
use super::progress::Watch;
use super::standard_input::StandardInput;

/// Data files and how they are read.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Files, patterns such as `part-*.csv`, or `-` for standard input; read one after the other.
    pub paths: Vec<PathBuf>,
    /// How text files are read.
    pub options: FileOptions,
    /// A callback for progress.
    pub watch: Option<Watch>,
}

/// Files, each with its path and its name in messages, and the file that standard input was copied to.
pub(super) type Files = (Vec<(PathBuf, PathBuf)>, Option<StandardInput>);

impl Origin {
    pub(super) fn files(&self) -> Result<Files, DataError> {
        let mut files = Vec::new();
        let mut input = None;
        for path in each_once(expanded(&self.paths)?)? {
            if is_standard_input(&path) {
                let name = PathBuf::from(STANDARD_INPUT);
                let file = StandardInput::read().map_err(|source| DataError::unreadable(&name, source))?;
                files.push((file.path().to_owned(), name));
                input = Some(file);
            } else {
                files.push((path.clone(), path));
            }
        }
        Ok((files, input))
    }
}
