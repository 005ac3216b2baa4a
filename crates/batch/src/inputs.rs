//! The files and objects that are scored, and the names of their outputs.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ordinate::source::ObjectLocation;
use ordinate_table::{DataError, is_hidden};

use crate::error::BatchError;
use crate::kind::{layout_of, layout_of_given};
use crate::run::Source;
use crate::s3::S3;
use crate::score::Layout;
use crate::scoring::ScoringError;

/// An input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The name of its output: its path below the folder or prefix.
    pub name: String,
    /// How its rows are written.
    pub layout: Layout,
    /// Its size in bytes.
    pub size: u64,
    /// The tag of the content of an object.
    pub etag: Option<String>,
    /// Where it is.
    pub place: Place,
}

/// Where an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine.
    File {
        /// The path as it was given, or below the folder that was given.
        path: PathBuf,
        /// The path without links, from the root.
        real: PathBuf,
    },
    /// In S3.
    Object(ObjectLocation),
}

/// The files of a folder.
#[derive(Debug, Default)]
pub struct Files {
    /// The files with rows.
    pub inputs: Vec<Input>,
    /// The files and folders that may have rows and cannot be scored, with the reason.
    pub unusable: Vec<(PathBuf, BatchError)>,
    /// Links to folders, which are not followed, since they could lead back, or to the same files twice.
    pub linked_folders: Vec<PathBuf>,
}

/// A file, or the files with rows in a folder and the folders in it, in the order of their names.
///
/// # Errors
/// [`BatchError`] if it cannot be examined, or there is no file with rows.
pub fn files(path: &Path) -> Result<Files, BatchError> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
    let real = fs::canonicalize(path).map_err(|error| unreadable(path, error))?;
    let mut found = Files::default();
    if metadata.is_dir() {
        found.add_folder(path, &real)?;
        if found.inputs.is_empty() && found.unusable.is_empty() {
            return Err(no_files(&path.display().to_string()));
        }
        found.inputs.sort_by(|one, other| one.name.cmp(&other.name));
        found.unusable.sort_by(|(one, _), (other, _)| one.cmp(other));
        found.linked_folders.sort();
    } else {
        let name = Path::new(path.file_name().unwrap_or_default());
        found.inputs.push(input(name, path, real, &metadata, layout_of_given)?);
    }
    Ok(found)
}

impl Files {
    /// Adds the files in a folder and the folders in it.
    fn add_folder(&mut self, root: &Path, real_root: &Path) -> Result<(), BatchError> {
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let path = root.join(&folder);
            let entries = match fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<fs::DirEntry>>>) {
                Ok(entries) => entries,
                Err(error) if folder.as_os_str().is_empty() => return Err(unreadable(&path, error)),
                Err(error) => {
                    self.unusable.push((path.clone(), unreadable(&path, error)));
                    continue;
                }
            };
            for entry in entries.iter().filter(|entry| !is_hidden(entry.file_name().as_encoded_bytes())) {
                let name = folder.join(entry.file_name());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(name);
                } else {
                    self.add_file(entry, &name, real_root.join(&name));
                }
            }
        }
        Ok(())
    }

    /// Adds a file, if its name is that of a file with rows, or a link.
    fn add_file(&mut self, entry: &fs::DirEntry, name: &Path, mut real: PathBuf) {
        let path = entry.path();
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let metadata = if is_link { fs::metadata(&path) } else { entry.metadata() };
        if is_link && metadata.as_ref().is_ok_and(fs::Metadata::is_dir) {
            self.linked_folders.push(path);
            return;
        }
        let Some(layout) = layout_of(&name.to_string_lossy()) else { return };
        let added = metadata.map_err(|error| unreadable(&path, error)).and_then(|metadata| {
            if is_link {
                real = fs::canonicalize(&path).map_err(|error| unreadable(&path, error))?;
            }
            input(name, &path, real, &metadata, |_| layout)
        });
        match added {
            Ok(input) => self.inputs.push(input),
            Err(error) => self.unusable.push((path, error)),
        }
    }
}

fn input(
    name: &Path,
    path: &Path,
    real: PathBuf,
    metadata: &fs::Metadata,
    layout: impl Fn(&str) -> Layout,
) -> Result<Input, BatchError> {
    let place = || path.display().to_string();
    if !metadata.is_file() {
        return Err(BatchError::NotAFile { place: place() });
    }
    let name = name.to_str().ok_or_else(|| BatchError::NotUtf8 { place: place() })?.to_owned();
    let (layout, size) = (layout(&name), metadata.len());
    Ok(Input { name, layout, size, etag: None, place: Place::File { path: path.to_owned(), real } })
}

fn unreadable(path: &Path, source: io::Error) -> BatchError {
    ScoringError::from(DataError::Unreadable { path: path.to_owned(), source }).into()
}

/// An object, or the objects with rows whose keys begin with a prefix that ends with a slash, in the order of their
/// keys.
///
/// # Errors
/// [`BatchError`] if they cannot be listed, or no object has rows.
pub fn objects(s3: &S3, location: &ObjectLocation) -> Result<Vec<Input>, BatchError> {
    let prefix = location.key();
    if !prefix.is_empty() && !prefix.ends_with('/') {
        let object = s3.head(location)?.ok_or_else(|| BatchError::Missing { place: location.to_string() })?;
        let name = prefix.rsplit('/').next().unwrap_or(prefix).to_owned();
        let (layout, place) = (layout_of_given(&name), Place::Object(location.clone()));
        return Ok(vec![Input { name, layout, size: object.size, etag: Some(object.etag), place }]);
    }
    let listed = s3.list(location)?;
    let found = listed.into_iter().filter_map(|object| {
        let name = object.location.key().strip_prefix(prefix)?.to_owned();
        let layout = layout_of(&name)?;
        let place = Place::Object(object.location);
        Some(Input { name, layout, size: object.size, etag: Some(object.etag), place })
    });
    let found: Vec<Input> = found.collect();
    if found.is_empty() { Err(no_files(&location.to_string())) } else { Ok(found) }
}

fn no_files(place: &str) -> BatchError {
    BatchError::NoFiles { place: place.to_owned() }
}

/// The path, or `s3://bucket/key`.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(out, "{}", path.display()),
            Self::Object(location) => write!(out, "{location}"),
        }
    }
}

impl Place {
    /// The path of a file without links, from the root.
    #[must_use]
    pub fn real_path(&self) -> Option<&Path> {
        match self {
            Self::File { real, .. } => Some(real),
            Self::Object(_) => None,
        }
    }

    /// The key of an object.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::File { .. } => None,
            Self::Object(location) => Some(location.key()),
        }
    }

    /// The file or object as it is now. `s3` is the client for objects.
    ///
    /// # Errors
    /// [`BatchError`] if an object does not exist or cannot be examined.
    pub fn source(&self, s3: Option<&S3>, spool_limit: u64) -> Result<Source, BatchError> {
        match (self, s3) {
            (Self::File { path, real }, _) => Ok(Source::File { path: path.clone(), real: real.clone() }),
            (Self::Object(location), Some(s3)) => {
                let missing = || BatchError::Missing { place: location.to_string() };
                Ok(Source::Object { s3: s3.clone(), object: s3.head(location)?.ok_or_else(missing)?, spool_limit })
            }
            (Self::Object(location), None) => Err(BatchError::Missing { place: location.to_string() }),
        }
    }
}
