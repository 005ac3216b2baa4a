//! Outputs in a folder, with a journal of what they were made of.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Existing, Output, Store};
use crate::error::BatchError;
use crate::identity::Identity;
use crate::output_file::OutputFile;

/// The journal of a folder: one JSON object a line, the last one of a name counts.
const JOURNAL: &str = ".ordinate-batch.jsonl";

/// A folder for outputs.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    journal: Arc<Mutex<Journal>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(expecting = "an object")]
struct Entry {
    output: String,
    identity: String,
    model: String,
    source_version: String,
    /// The size of the output.
    bytes: u64,
}

#[derive(Debug)]
struct Journal {
    path: PathBuf,
    /// The identity and size of each output.
    entries: HashMap<String, (String, u64)>,
}

impl Folder {
    /// A folder, which is created if it does not exist.
    ///
    /// # Errors
    /// [`BatchError::Write`] if it cannot be created, or its journal cannot be read.
    pub fn open(path: &Path) -> Result<Self, BatchError> {
        let error = |source| BatchError::Write { place: path.display().to_string(), source };
        fs::create_dir_all(path).map_err(error)?;
        let journal = Journal::read(path.join(JOURNAL)).map_err(error)?;
        Ok(Self { path: path.to_owned(), journal: Arc::new(Mutex::new(journal)) })
    }
}

impl Folder {
    /// The path of an output.
    ///
    /// # Errors
    /// [`BatchError::Write`] for a name that leads out of the folder, as a key of S3 may.
    fn path_of(&self, name: &str) -> Result<PathBuf, BatchError> {
        let is_below = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if is_below {
            return Ok(self.path.join(name));
        }
        let source = io::Error::new(io::ErrorKind::InvalidInput, "the key leads out of the folder");
        Err(BatchError::Write { place: format!("{name:?} in {}", self.path.display()), source })
    }
}

impl Journal {
    fn read(path: PathBuf) -> io::Result<Self> {
        let mut entries = HashMap::new();
        match File::open(&path) {
            Ok(file) => {
                for line in BufReader::new(file).split(b'\n') {
                    // A line that was interrupted is not an entry.
                    if let Ok(Entry { output, identity, bytes, .. }) = serde_json::from_slice(&line?) {
                        entries.insert(output, (identity, bytes));
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Self { path, entries })
    }

    fn add(&mut self, entry: &Entry) -> io::Result<()> {
        // After a line that was interrupted, a new one begins.
        let mut line = b"\n".to_vec();
        serde_json::to_writer(&mut line, entry)?;
        line.push(b'\n');
        OpenOptions::new().create(true).append(true).open(&self.path)?.write_all(&line)?;
        self.entries.insert(entry.output.clone(), (entry.identity.clone(), entry.bytes));
        Ok(())
    }
}

impl Store for Folder {
    fn place(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    fn existing(&self, name: &str) -> Result<Existing, BatchError> {
        let Ok(metadata) = fs::metadata(self.path_of(name)?) else { return Ok(Existing::Absent) };
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = journal.entries.get(name).filter(|(_, bytes)| *bytes == metadata.len());
        Ok(Existing::Present { identity: entry.map(|(identity, _)| identity.clone()), tag: None })
    }

    fn create(
        &self,
        name: &str,
        identity: &Identity,
        _replaces: Option<Existing>,
    ) -> Result<Box<dyn Output>, BatchError> {
        let path = self.path_of(name)?;
        let error = |source| BatchError::Write { place: path.display().to_string(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(error)?;
        }
        let file = OutputFile::create(&path).map_err(error)?;
        let entry = Entry {
            output: name.to_owned(),
            identity: identity.as_str().to_owned(),
            model: identity.model.clone(),
            source_version: identity.source_version.clone(),
            bytes: 0,
        };
        Ok(Box::new(FolderOutput { file, path, entry, journal: Arc::clone(&self.journal) }))
    }

    fn remove(&self, name: &str) -> Result<(), BatchError> {
        match fs::remove_file(self.path_of(name)?) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(BatchError::Write { place: self.place(name), source })
            }
            _ => Ok(()),
        }
    }

    fn sweep(&self, _name: &str) {}
}

struct FolderOutput {
    file: OutputFile,
    path: PathBuf,
    entry: Entry,
    journal: Arc<Mutex<Journal>>,
}

impl Write for FolderOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.entry.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Output for FolderOutput {
    fn commit(self: Box<Self>) -> Result<(), BatchError> {
        let Self { file, path, entry, journal } = *self;
        let error = |source| BatchError::Write { place: path.display().to_string(), source };
        file.keep().map_err(error)?;
        journal.lock().unwrap_or_else(PoisonError::into_inner).add(&entry).map_err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    /// Keys of S3 have any text.
    #[test]
    fn a_name_that_leads_out_of_the_folder_is_an_error() {
        let folder = tempdir().unwrap();
        let store = Folder::open(&folder.path().join("out")).unwrap();
        for name in ["/tmp/a.csv", "../a.csv", "a/../../b.csv"] {
            let Err(error) = store.existing(name) else { panic!("{name} is accepted") };
            assert!(error.to_string().contains(name), "{error}");
            assert!(store.remove(name).is_err(), "{name}");
        }
        assert!(store.existing("a/b..csv").is_ok());
    }
}
