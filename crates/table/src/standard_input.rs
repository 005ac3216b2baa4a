//! A copy of standard input in a temporary file, because training reads its data more than once.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

/// Standard input in a file that is removed with this value.
#[derive(Debug)]
pub(super) struct StandardInput {
    path: PathBuf,
    content: File,
    /// The name of the file, if it has one, which is removed at the end.
    _name: Option<TempPath>,
}

impl StandardInput {
    /// Reads all of it.
    pub(super) fn read() -> io::Result<Self> {
        let mut input = Self::nameless().map_or_else(Self::named, Ok)?;
        io::copy(&mut io::stdin().lock(), &mut input.content)?;
        input.content.flush()?;
        Ok(input)
    }

    /// The path to open.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file without a name disappears with the process, however it ends. Linux has a path for open files.
    #[cfg(target_os = "linux")]
    fn nameless() -> Option<Self> {
        use std::os::fd::AsRawFd;

        let content = tempfile::tempfile().ok()?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", content.as_raw_fd()));
        path.is_file().then_some(Self { path, content, _name: None })
    }

    #[cfg(not(target_os = "linux"))]
    fn nameless() -> Option<Self> {
        None
    }

    fn named() -> io::Result<Self> {
        let (content, name) = NamedTempFile::new()?.into_parts();
        Ok(Self { path: name.to_path_buf(), content, _name: Some(name) })
    }
}
