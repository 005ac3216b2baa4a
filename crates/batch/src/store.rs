//! Where outputs are written: a folder, or a prefix in S3.

mod folder;
mod prefix;

use std::io::Write;

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
        /// The identity of what it was made of, if it was written by this program.
        identity: Option<String>,
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

    /// Removes an output, if it exists.
    ///
    /// # Errors
    /// [`BatchError`] if it cannot be removed.
    fn remove(&self, name: &str) -> Result<(), BatchError>;

    /// Removes what attempts that were interrupted left of an output that is complete.
    fn sweep(&self, name: &str);
}
