//! The format of a file by its first bytes, and compressed files of joblib.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::MAX_BYTES;
use super::error::{FileError, IN_PYTHON};

/// The content of a file.
pub(super) enum Content<'f> {
    /// A pickle, perhaps with the arrays of joblib.
    Pickle(Cow<'f, [u8]>),
    /// An archive of skops.
    Skops,
}

const COMPRESS: &str = "load it in Python and save it with joblib.dump(model, \"model.joblib\", compress=3)";

pub(super) fn content(file: &[u8]) -> Result<Content<'_>, FileError> {
    if file.len() > MAX_BYTES {
        return Err(FileError::TooLarge { limit: format!("{} MiB", MAX_BYTES >> 20) });
    }
    let decompressed = match file {
        [b'P', b'K', 3 | 5, ..] => return Ok(Content::Skops),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => read(ZlibDecoder::new(file), "zlib")?,
        [0x1f, 0x8b, ..] => read(MultiGzDecoder::new(file), "gzip")?,
        _ => return pickle(Cow::Borrowed(file)),
    };
    pickle(Cow::Owned(decompressed))
}

/// Content that begins as a pickle does.
fn pickle(content: Cow<'_, [u8]>) -> Result<Content<'_>, FileError> {
    let found = match &*content {
        [0x5d, 0, 0, ..] => return Err(format("a file compressed with lzma", COMPRESS)),
        // A protocol, or the first opcode of protocol 0 or 1.
        [0x80, 0..=5, ..] | [b'(' | b'c' | b']' | b'}' | b')', ..] => return Ok(Content::Pickle(content)),
        [0x80, protocol, ..] => return Err(format(&format!("a pickle of protocol {protocol}"), IN_PYTHON)),
        [b'B', b'Z', b'h', ..] => return Err(format("a file compressed with bzip2", COMPRESS)),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => return Err(format("a file compressed with xz", COMPRESS)),
        [0x04, 0x22, 0x4d, 0x18, ..] => return Err(format("a file compressed with lz4", COMPRESS)),
        [b'Z', b'F', ..] => return Err(format("a file of joblib before 0.10", COMPRESS)),
        [b'P', b'K', ..] | [0x78, ..] | [0x1f, 0x8b, ..] => "an archive in an archive",
        [b'{', ..] => "JSON",
        [] => "an empty file",
        _ => "other content",
    };
    Err(format(found, "name a file that pickle.dump, joblib.dump or skops.io.dump wrote"))
}

fn format(found: &str, help: &'static str) -> FileError {
    FileError::Format { found: found.to_owned(), help }
}

fn read(decoder: impl Read, name: &str) -> Result<Vec<u8>, FileError> {
    let mut content = Vec::new();
    // One byte more than is allowed.
    let limit = MAX_BYTES as u64 + 1;
    decoder.take(limit).read_to_end(&mut content).map_err(|error| FileError::damaged(name, error.to_string()))?;
    if content.len() > MAX_BYTES {
        return Err(FileError::TooLarge { limit: format!("{} MiB after decompression", MAX_BYTES >> 20) });
    }
    Ok(content)
}
