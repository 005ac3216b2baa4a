//! Output that is compressed like its input.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use ordinate_table::Compression;

/// The level of gzip, between speed and size.
const GZIP: u32 = 5;

/// A target whose content is compressed, or not.
pub(crate) enum Encoder<W: Write> {
    Plain(W),
    Gzip(GzEncoder<W>),
    Zstandard(zstd::Encoder<'static, W>),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(target: W, compression: Option<Compression>) -> io::Result<Self> {
        Ok(match compression {
            None => Self::Plain(target),
            Some(Compression::Gzip) => Self::Gzip(GzEncoder::new(target, flate2::Compression::new(GZIP))),
            Some(Compression::Zstandard) => Self::Zstandard(zstd::Encoder::new(target, 0)?),
        })
    }

    /// Writes the end of the content, and returns the target.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(target) => Ok(target),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstandard(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(target) => target.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstandard(encoder) => encoder.write(bytes),
        }
    }

    // A compressor that is flushed writes an incomplete block, which a caller of this crate never needs.
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(target) => target.flush(),
            Self::Gzip(_) | Self::Zstandard(_) => Ok(()),
        }
    }
}
