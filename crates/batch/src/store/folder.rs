//! Outputs in a folder, with a journal of what they were made of.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ordinate_table::remove_leftovers;
use serde::{Deserialize, Serialize};

use super::{Existing, Output, Store};
use crate::error::BatchError;
use crate::identity::Identity;
use crate::output_file::OutputFile;

/// The journal of a folder: one JSON object a line, the last one of a name counts. An output has a line without an
/// identity before it is renamed: if the process ends then, the file is known as one of a batch.
const JOURNAL: &str = ".ordinate-batch.jsonl";

/// A folder for outputs.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    journal: Arc<Mutex<Journal>>,
    /// The folders from which leftovers were removed.
    swept: Mutex<HashSet<PathBuf>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
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
        Ok(Self { path: path.to_owned(), journal: Arc::new(Mutex::new(journal)), swept: Mutex::default() })
    }
}

impl Folder {
    /// The path of an output.
    ///
    /// # Errors
    /// [`BatchError::Write`] for a name that leads out of the folder, as a key of S3 may, or that of the journal.
    fn path_of(&self, name: &str) -> Result<PathBuf, BatchError> {
        let is_below = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if is_below && name != JOURNAL {
            return Ok(self.path.join(name));
        }
        let reason = if is_below { "the journal has this name" } else { "the key leads out of the folder" };
        let source = io::Error::new(io::ErrorKind::InvalidInput, reason);
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
        let path = self.path_of(name)?;
        if fs::symlink_metadata(&path).is_err() {
            return Ok(Existing::Absent);
        }
        let bytes = fs::metadata(&path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len());
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = journal.entries.get(name);
        let unchanged = entry.filter(|(identity, of_entry)| !identity.is_empty() && Some(*of_entry) == bytes);
        let identity = unchanged.map(|(identity, _)| identity.clone());
        Ok(Existing::Present { identity, is_of_batch: entry.is_some(), tag: None })
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
        self.sweep(name);
        let file = OutputFile::begin(&path).map_err(error)?;
        let entry = Entry {
            output: name.to_owned(),
            identity: identity.as_str().to_owned(),
            model: identity.model.clone(),
            source_version: identity.source_version.clone(),
            bytes: 0,
        };
        Ok(Box::new(FolderOutput { file, path, entry, journal: Arc::clone(&self.journal) }))
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn Read + Send>>, BatchError> {
        match File::open(self.path_of(name)?) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BatchError::Reading { place: self.place(name), source }),
        }
    }

    fn remove(&self, name: &str) -> Result<(), BatchError> {
        if !self.existing(name)?.is_of_batch() {
            return Ok(());
        }
        match fs::remove_file(self.path_of(name)?) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(BatchError::Write { place: self.place(name), source })
            }
            _ => Ok(()),
        }
    }

    /// Leftovers do not have the name of their output, so those of all outputs in a folder are removed together.
    fn sweep(&self, name: &str) {
        let Ok(path) = self.path_of(name) else { return };
        let folder = path.parent().unwrap_or(&self.path);
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if !swept.contains(folder) {
            remove_leftovers(folder);
            swept.insert(folder.to_owned());
        }
    }
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
        let note = |entry: &Entry| journal.lock().unwrap_or_else(PoisonError::into_inner).add(entry).map_err(error);
        note(&Entry { identity: String::new(), bytes: 0, ..entry.clone() })?;
        file.keep().map_err(error)?;
        note(&entry)
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
        for name in ["/tmp/a.csv", "../a.csv", "a/../../b.csv", JOURNAL] {
            let Err(error) = store.existing(name) else { panic!("{name} is accepted") };
            assert!(error.to_string().contains(name), "{error}");
            assert!(store.remove(name).is_err(), "{name}");
        }
        assert!(store.existing("a/b..csv").is_ok());
    }
}
