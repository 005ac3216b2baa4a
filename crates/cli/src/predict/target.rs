//! Where predictions are written.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::output::{OutputFile, is_standard_output};

/// A file or standard output.
pub(super) enum Target {
    File(OutputFile),
    Stdout(BufWriter<io::Stdout>),
}

impl Target {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if is_standard_output(path) {
            return Ok(Self::Stdout(BufWriter::with_capacity(1 << 16, io::stdout())));
        }
        OutputFile::create(path).map(Self::File)
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}
