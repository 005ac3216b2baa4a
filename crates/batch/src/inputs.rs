//! The files and objects that are scored, and the names of their outputs.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use ordinate::source::ObjectLocation;
use ordinate_table::DataError;

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
    File(PathBuf),
    /// In S3.
    Object(ObjectLocation),
}

/// A file, or the files with rows in a folder and the folders in it, in the order of their names.
///
/// # Errors
/// [`BatchError`] if one of them cannot be examined, or there is no file with rows.
pub fn files(path: &Path) -> Result<Vec<Input>, BatchError> {
    let unreadable = |path: &Path, source| ScoringError::from(DataError::Unreadable { path: path.to_owned(), source });
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
    if !metadata.is_dir() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let layout = layout_of_given(&name);
        return Ok(vec![Input { name, layout, size: metadata.len(), etag: None, place: Place::File(path.to_owned()) }]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, error))? {
            let file = entry.map_err(|error| unreadable(&folder, error))?.path();
            let Some(name) = file.strip_prefix(path).ok().and_then(Path::to_str) else { continue };
            // A link to a folder could lead back to it.
            let is_folder = fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_dir());
            if is_folder {
                folders.push(file);
            } else if let Some(layout) = layout_of(name) {
                let size = fs::metadata(&file).map_err(|error| unreadable(&file, error))?.len();
                found.push(Input { name: name.to_owned(), layout, size, etag: None, place: Place::File(file) });
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    if found.is_empty() { Err(no_files(&path.display().to_string())) } else { Ok(found) }
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
            Self::File(path) => write!(out, "{}", path.display()),
            Self::Object(location) => write!(out, "{location}"),
        }
    }
}

impl Place {
    /// The path of a file.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Object(_) => None,
        }
    }

    /// The key of an object.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Object(location) => Some(location.key()),
        }
    }

    /// The file or object as it is now. `s3` is the client for objects.
    ///
    /// # Errors
    /// [`BatchError`] if an object does not exist or cannot be examined.
    pub fn source(&self, s3: Option<&S3>, spool_limit: u64) -> Result<Source, BatchError> {
        match (self, s3) {
            (Self::File(path), _) => Ok(Source::File(path.clone())),
            (Self::Object(location), Some(s3)) => {
                let missing = || BatchError::Missing { place: location.to_string() };
                Ok(Source::Object { s3: s3.clone(), object: s3.head(location)?.ok_or_else(missing)?, spool_limit })
            }
            (Self::Object(location), None) => Err(BatchError::Missing { place: location.to_string() }),
        }
    }
}
