//! Progress of work on a table.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// Progress of work on a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A stage begins that has so many bytes or rows; 0 if that is not known.
    Stage(&'static str, u64),
    /// So many more bytes or rows are done.
    Done(u64),
}

/// A callback for progress.
#[derive(Clone)]
pub struct Watch(pub Arc<dyn Fn(Step) + Send + Sync>);

impl Watch {
    /// Begins a stage.
    pub fn stage(&self, name: &'static str, total: u64) {
        (self.0)(Step::Stage(name, total));
    }

    /// Adds bytes or rows.
    pub fn report(&self, done: u64) {
        (self.0)(Step::Done(done));
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Watch")
    }
}

/// A reader that reports the bytes read.
#[derive(Debug)]
pub struct Watched<R> {
    inner: R,
    watch: Option<Watch>,
}

impl<R: Read> Watched<R> {
    /// Reports the bytes of `inner` to `watch`, if there is one.
    pub fn new(inner: R, watch: Option<Watch>) -> Self {
        Self { inner, watch }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(watch) = &self.watch {
            watch.report(count as u64);
        }
        Ok(count)
    }
}

/// A file that is added to a digest, and whose progress is reported, as it is read.
#[derive(Debug)]
pub(super) struct Hashed<'d> {
    pub(super) inner: File,
    pub(super) digest: &'d mut Sha256,
    pub(super) watch: Option<&'d Watch>,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        if let Some(watch) = self.watch {
            watch.report(count as u64);
        }
        Ok(count)
    }
}
