//! What training writes: all of it is begun before the fit, so that a folder that is not there costs no fit, and put into its
//! place after it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::output::{WholeFile, is_standard_output, one_place};

/// A file in the making, or standard output.
#[derive(Debug)]
pub(super) struct Document {
    option: &'static str,
    path: PathBuf,
    /// None for standard output.
    file: Option<WholeFile>,
}

impl Document {
    /// Begins what an option asks for.
    ///
    /// # Errors
    /// A sentence when it cannot be written there.
    pub(super) fn begin(option: &'static str, path: &Path) -> Result<Self, String> {
        let file = if is_standard_output(path) { None } else { Some(WholeFile::create(path)) };
        let file = file.transpose().map_err(|error| unwritable(option, path, &error))?;
        Ok(Self { option, path: path.to_owned(), file })
    }

    /// Writes all of it, and gives back where.
    ///
    /// # Errors
    /// A sentence when it cannot be written; there is no file then, or the one that was there before.
    pub(super) fn write(self, text: &str) -> Result<PathBuf, String> {
        let written = if let Some(mut file) = self.file {
            file.write_all(text.as_bytes()).and_then(|()| file.keep())
        } else {
            let mut out = io::stdout().lock();
            match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                // A reader that has seen enough (`| head`) is no failure.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                outcome => outcome,
            }
        };
        written.map(|()| self.path.clone()).map_err(|error| unwritable(self.option, &self.path, &error))
    }
}

fn unwritable(option: &str, path: &Path, error: &io::Error) -> String {
    let place = if is_standard_output(path) { "standard output".into() } else { path.display().to_string() };
    format!("{place}: cannot be written: {error}. Choose another {option}")
}

/// What is wrong with writing all of these: two of them would be one file.
pub(super) fn clash(written: &[(&str, &Path)]) -> Option<String> {
    let mut pairs =
        written.iter().enumerate().flat_map(|(at, one)| written.iter().skip(at + 1).map(move |two| (one, two)));
    pairs.find(|(one, two)| one_place(one.1, two.1)).map(|((one, path), (two, _))| {
        format!("{one} and {two} both name {}: one would overwrite the other. Name two files", path.display())
    })
}
