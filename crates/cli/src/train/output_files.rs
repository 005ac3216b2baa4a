//! The output files and catalog of training. They are created before the fit, so that a path that cannot be written is
//! reported at once.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ordinate_model::artifact::Document;
use ordinate_model::identity::ModelName;
use ordinate_releases::{Published, ReleaseCatalog};

use crate::catalog::{create, message, wait};
use crate::output::{OutputFile, is_standard_output, one_place};

/// The file of an option, or standard output.
#[derive(Debug)]
pub(super) struct OptionFile {
    option: &'static str,
    path: PathBuf,
    /// `None` for standard output.
    file: Option<OutputFile>,
}

impl OptionFile {
    /// Creates the file.
    ///
    /// # Errors
    /// A message when it cannot be written.
    pub(super) fn create(option: &'static str, path: &Path) -> Result<Self, String> {
        let file = if is_standard_output(path) { None } else { Some(OutputFile::create(path)) };
        let file = file.transpose().map_err(|error| unwritable(option, path, &error))?;
        Ok(Self { option, path: path.to_owned(), file })
    }

    /// Writes the file and returns its path.
    ///
    /// # Errors
    /// A message when it cannot be written; an existing file is unchanged then.
    pub(super) fn write(self, text: &str) -> Result<PathBuf, String> {
        let written = if let Some(mut file) = self.file {
            file.write_all(text.as_bytes()).and_then(|()| file.keep())
        } else {
            let mut out = io::stdout().lock();
            match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                // A closed pipe (`| head`) is not a failure.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                outcome => outcome,
            }
        };
        written.map(|()| self.path.clone()).map_err(|error| unwritable(self.option, &self.path, &error))
    }
}

fn unwritable(option: &str, path: &Path, error: &io::Error) -> String {
    let place = if is_standard_output(path) { "standard output".into() } else { path.display().to_string() };
    format!("{place}: cannot be written: {error}\nhelp: choose another {option}")
}

/// The catalog of `--out`, which exists and can be written, as far as that is known before something is written.
///
/// # Errors
/// A message when it cannot be written.
pub(super) fn writable_catalog(place: &str, name: &ModelName) -> Result<ReleaseCatalog, String> {
    let catalog = create(place).map_err(|reason| unpublished(&reason))?;
    catalog.check_writable(name).map_err(|error| unpublished(&message(&error)))?;
    Ok(catalog)
}

/// Publishes a model.
///
/// # Errors
/// A message when it cannot be published; the catalog is unchanged then.
pub(super) fn publish(catalog: &ReleaseCatalog, document: &Document) -> Result<Published, String> {
    wait(catalog.publish(document)).map_err(|error| unpublished(&error.to_string()))
}

fn unpublished(reason: &str) -> String {
    let help = if reason.contains("\nhelp: ") { "" } else { "\nhelp: choose another --out" };
    format!("{reason}{help}")
}

/// A message if two options name one file.
pub(super) fn clash(written: &[(&str, &Path)]) -> Option<String> {
    let mut pairs =
        written.iter().enumerate().flat_map(|(at, one)| written.iter().skip(at + 1).map(move |two| (one, two)));
    pairs
        .find(|(one, two)| one_place(one.1, two.1))
        .map(|((one, path), (two, _))| format!("{one} and {two} both name {}", path.display()))
}
