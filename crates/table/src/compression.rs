//! Compressed files, which are read as their content.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// gzip, of one part or several.
    Gzip,
    /// Zstandard, of one part or several.
    Zstandard,
}

/// Bytes of a compressed file that are read at a time.
const BUFFER: usize = 1 << 17;

impl Compression {
    /// The compression of a file with these first bytes.
    #[must_use]
    pub fn of(begin: &[u8]) -> Option<Self> {
        // The third byte of gzip is its only method.
        if begin.starts_with(b"\x1f\x8b\x08") {
            Some(Self::Gzip)
        } else if begin.starts_with(b"\x28\xb5\x2f\xfd") {
            Some(Self::Zstandard)
        } else {
            None
        }
    }

    /// The content of a file. Files of several parts, such as those that were appended to, are read to the end.
    ///
    /// # Errors
    /// If there is no memory for a decoder.
    pub fn decompressed<'r>(self, file: impl Read + Send + 'r) -> io::Result<Box<dyn Read + Send + 'r>> {
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file))),
            Self::Zstandard => Box::new(zstd::Decoder::with_buffer(BufReader::with_capacity(BUFFER, file))?),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn all_parts_of_a_file_are_read() {
        let part = |text: &str| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            gzip.write_all(text.as_bytes()).unwrap();
            [gzip.finish().unwrap(), zstd::encode_all(text.as_bytes(), 0).unwrap()]
        };
        for (one, other) in part("x,y\n1,").into_iter().zip(part("2\n")) {
            let file = [one, other].concat();
            let mut text = String::new();
            let compression = Compression::of(&file).unwrap();
            compression.decompressed(file.as_slice()).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "x,y\n1,2\n");
            let cut = file.get(..file.len() - 3).unwrap();
            assert!(compression.decompressed(cut).unwrap().read_to_string(&mut text).is_err());
        }
    }
}
