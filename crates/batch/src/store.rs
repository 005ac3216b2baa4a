//! Where outputs are written: a folder, or a prefix in S3.

mod folder;
mod prefix;

use std::io::{Read, Write};

use crate::error::BatchError;
use crate::identity::Identity;
pub use folder::Folder;
pub use prefix::Prefix;

/// The state of an output before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existing {
    /// It does not exist.
    Absent,
    /// It exists. `tag` is that of this very content.
    Present {
        /// The identity of what it was made of, if a batch wrote this very content.
        identity: Option<String>,
        /// Whether a batch wrote it, although it may have been changed since.
        is_of_batch: bool,
        /// The tag of an object.
        tag: Option<String>,
    },
}

impl Existing {
    /// Whether the output was made of this already.
    #[must_use]
    pub fn is(&self, identity: &Identity) -> bool {
        matches!(self, Self::Present { identity: Some(found), .. } if found == identity.as_str())
    }

    /// Whether a batch wrote it.
    #[must_use]
    pub fn is_of_batch(&self) -> bool {
        matches!(self, Self::Present { is_of_batch: true, .. })
    }
}

/// The state of an output that is to be written.
///
/// # Errors
/// [`BatchError::Foreign`] if it exists and no batch wrote it, unless that is forced.
pub(crate) fn replaceable(store: &dyn Store, name: &str, force: bool) -> Result<Existing, BatchError> {
    let existing = store.existing(name)?;
    if existing == Existing::Absent || existing.is_of_batch() || force {
        return Ok(existing);
    }
    Err(BatchError::Foreign { place: store.place(name) })
}

/// An output that is written. It exists after [`commit`](Self::commit); dropped before, it leaves nothing.
pub trait Output: Write + Send {
    /// Ends the output.
    ///
    /// # Errors
    /// [`BatchError`] if it cannot be written, or was written by another process meanwhile.
    fn commit(self: Box<Self>) -> Result<(), BatchError>;
}

/// A place for outputs.
pub trait Store: Send + Sync {
    /// The place of an output in messages.
    fn place(&self, name: &str) -> String;

    /// The state of an output.
    ///
    /// # Errors
    /// [`BatchError`] if it cannot be found out.
    fn existing(&self, name: &str) -> Result<Existing, BatchError>;

    /// Begins an output. If `replaces` is given, the output is written only if its state is still this one.
    ///
    /// # Errors
    /// [`BatchError`] if it cannot be written.
    fn create(
        &self,
        name: &str,
        identity: &Identity,
        replaces: Option<Existing>,
    ) -> Result<Box<dyn Output>, BatchError>;

    /// The content of an output; `None` if it does not exist.
    ///
    /// # Errors
    /// [`BatchError`] if it cannot be read.
    fn open(&self, name: &str) -> Result<Option<Box<dyn Read + Send>>, BatchError>;

    /// Removes an output, if it exists and a batch wrote it.
    ///
    /// # Errors
    /// [`BatchError`] if it cannot be removed.
    fn remove(&self, name: &str) -> Result<(), BatchError>;

    /// Removes what attempts that were interrupted left of an output that is complete.
    fn sweep(&self, name: &str);
}
