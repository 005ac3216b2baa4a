//! The encoding of a text file: given, or detected from all its bytes.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use memchr::{memchr, memchr_iter};

/// The encoding of a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

/// The mark that begins some files in UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes that are decoded at a time.
const BLOCK: usize = 1 << 16;

/// Bytes in which UTF-16 is looked for.
const EXAMINED: usize = 1 << 10;

impl Encoding {
    /// UTF-8.
    pub const UTF_8: Self = Self(UTF_8);

    /// Windows-1252, in which Excel and older programs write Western languages.
    pub(super) const WINDOWS_1252: Self = Self(WINDOWS_1252);

    /// Reads the name of an encoding from the command line, such as `windows-1252`, `latin1`, `utf-16le` or `shift_jis`.
    ///
    /// # Errors
    /// A message for other names.
    pub fn parse(name: &str) -> Result<Self, String> {
        let is_usable = |encoding: &&encoding_rs::Encoding| *encoding != encoding_rs::REPLACEMENT;
        let encoding = encoding_rs::Encoding::for_label(name.as_bytes()).filter(is_usable);
        encoding.map(Self).ok_or_else(|| {
            "expected the name of an encoding, such as utf-8, windows-1252, utf-16le or shift_jis".to_owned()
        })
    }

    /// Its name for the command line.
    #[must_use]
    pub fn name(self) -> String {
        self.0.name().to_ascii_lowercase()
    }

    /// Whether text can be decoded from the beginning of any line: bytes of ASCII are never parts of other characters.
    pub(super) fn has_independent_lines(self) -> bool {
        self == Self::UTF_8 || self.0.is_single_byte() && self.0.is_ascii_compatible()
    }

    pub(super) fn is_utf_16(self) -> bool {
        self.0 == UTF_16LE || self.0 == UTF_16BE
    }

    /// The encoding of text that begins with these bytes, if the beginning shows it: UTF-16 has a mark or a zero in every
    /// second byte of English.
    pub(super) fn of_beginning(begin: &[u8]) -> Option<Self> {
        match begin {
            [0xff, 0xfe, ..] => return Some(Self(UTF_16LE)),
            [0xfe, 0xff, ..] => return Some(Self(UTF_16BE)),
            _ if begin.starts_with(BYTE_ORDER_MARK) => return Some(Self(UTF_8)),
            _ => {}
        }
        let examined = begin.get(..EXAMINED).unwrap_or(begin);
        let zeros = |odd: usize| memchr_iter(0, examined).filter(|at| at % 2 == odd).count();
        let [even, odd] = [zeros(0), zeros(1)];
        let is_most = |zeros: usize| zeros * 3 > examined.len();
        match (is_most(even), is_most(odd)) {
            (true, false) if odd == 0 => Some(Self(UTF_16BE)),
            (false, true) if even == 0 => Some(Self(UTF_16LE)),
            _ => None,
        }
    }

    /// The text of a file, in UTF-8 and without its mark. Text in UTF-8 is not checked.
    pub(super) fn decoded<'r>(self, file: impl Read + Send + 'r) -> Box<dyn Read + Send + 'r> {
        if self == Self::UTF_8 {
            return Box::new(Unmarked { inner: file, begin: None });
        }
        let decoder = self.0.new_decoder_with_bom_removal();
        let (undecoded, text) = (Vec::new(), Vec::new());
        Box::new(Decoded { inner: file, encoding: self, decoder, undecoded, text, at: 0, line: 1, is_done: false })
    }

    /// The text of the beginning of a file, which may end within a character.
    pub(super) fn text_of(self, begin: &[u8]) -> String {
        self.0.decode_with_bom_removal(begin).0.into_owned()
    }

    /// Whether a file that begins with these bytes cannot be in this encoding: text in UTF-16 has zero bytes, and no other has.
    pub(super) fn contradicts(self, begin: &[u8]) -> bool {
        match Self::of_beginning(begin).filter(|found| found.is_utf_16()) {
            Some(found) => found != self,
            None => self.is_utf_16() && memchr(0, begin).is_none() && !begin.is_empty(),
        }
    }
}

/// Bytes that are not text in the encoding of their file.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: the text is not in {}", encoding.name())]
pub(super) struct NotInEncoding {
    pub(super) encoding: Encoding,
    pub(super) line: u64,
}

/// The evidence for an encoding in the bytes of a file so far.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// The bytes of a character that is not complete yet.
    open: Vec<u8>,
    /// Characters of several bytes, and bytes that are not UTF-8.
    characters: u64,
    invalid: u64,
}

impl Evidence {
    /// Adds bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // Most text is, and is recognized several times as fast.
        if self.open.is_empty() && bytes.is_ascii() {
            return;
        }
        let joined;
        let mut rest = bytes;
        if !self.open.is_empty() {
            self.open.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.open);
            rest = &joined;
        }
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.count(text.as_bytes());
                    return;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    self.count(valid);
                    let Some(length) = error.error_len() else {
                        self.open = after.to_vec();
                        return;
                    };
                    self.invalid += 1;
                    rest = after.get(length..).unwrap_or_default();
                }
            }
        }
    }

    fn count(&mut self, valid: &[u8]) {
        // Only needed once there are other bytes, but those may come later.
        if !valid.is_ascii() {
            self.characters += valid.iter().filter(|byte| **byte >= 0xc0).count() as u64;
        }
    }

    /// The encoding. A few bytes that are not UTF-8 among many characters that are damage, not another encoding.
    pub(super) fn encoding(&self) -> Encoding {
        const MANY: u64 = 20;
        let invalid = self.invalid + u64::from(!self.open.is_empty());
        if invalid == 0 || self.characters > MANY * invalid { Encoding::UTF_8 } else { Encoding::WINDOWS_1252 }
    }
}

/// A file without the mark at its beginning.
struct Unmarked<R> {
    inner: R,
    /// The first bytes, once they are read.
    begin: Option<Vec<u8>>,
}

impl<R: Read> Read for Unmarked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.begin.is_none() {
            let mut begin = Vec::new();
            self.inner.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut begin)?;
            self.begin = Some(if begin == BYTE_ORDER_MARK { Vec::new() } else { begin });
        }
        match &mut self.begin {
            Some(begin) if !begin.is_empty() => {
                let mut rest = begin.as_slice();
                let count = rest.read(buffer)?;
                *begin = rest.to_vec();
                Ok(count)
            }
            _ => self.inner.read(buffer),
        }
    }
}

/// A file whose bytes are decoded.
struct Decoded<R> {
    inner: R,
    encoding: Encoding,
    decoder: Decoder,
    /// Bytes that were read and not decoded.
    undecoded: Vec<u8>,
    /// Decoded text; the bytes from `at` on are still to be read.
    text: Vec<u8>,
    at: usize,
    /// The line of the next decoded text.
    line: u64,
    is_done: bool,
}

impl<R: Read> Decoded<R> {
    fn fill(&mut self) -> io::Result<()> {
        let mut block = vec![0; BLOCK];
        let count = self.inner.read(&mut block)?;
        block.truncate(count);
        self.is_done = count == 0;
        self.undecoded.append(&mut block);
        let room = self.decoder.max_utf8_buffer_length_without_replacement(self.undecoded.len()).unwrap_or(BLOCK);
        self.text.clear();
        self.text.resize(room, 0);
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(&self.undecoded, &mut self.text, self.is_done);
        self.text.truncate(written);
        self.line += memchr_iter(b'\n', &self.text).count() as u64;
        if let DecoderResult::Malformed(..) = result {
            return Err(io::Error::other(NotInEncoding { encoding: self.encoding, line: self.line }));
        }
        self.undecoded.drain(..read);
        self.at = 0;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.text.len() {
            if self.is_done {
                return Ok(0);
            }
            match self.fill() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => outcome?,
            }
        }
        let mut rest = self.text.get(self.at..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(encoding: Encoding, bytes: &[u8]) -> String {
        let mut text = String::new();
        encoding.decoded(bytes).read_to_string(&mut text).unwrap();
        text
    }

    fn detected(bytes: &[u8]) -> Encoding {
        let mut evidence = Evidence::default();
        // A character may be cut.
        bytes.chunks(3).for_each(|bytes| evidence.push(bytes));
        evidence.encoding()
    }

    #[test]
    fn names_are_those_of_the_web() {
        for (name, expected) in [("UTF-8", "utf-8"), ("latin1", "windows-1252"), ("utf-16", "utf-16le")] {
            assert_eq!(Encoding::parse(name).unwrap().name(), expected);
        }
        assert!(Encoding::parse("klingon").is_err());
        assert!(Encoding::parse("iso-2022-kr").is_err());
    }

    #[test]
    fn text_that_is_not_utf_8_is_windows_1252_unless_it_is_damaged() {
        assert_eq!(detected("größe;1 €\n".as_bytes()), Encoding::UTF_8);
        assert_eq!(detected(b"gr\xf6\xdfe;\x80\n"), Encoding::WINDOWS_1252);
        assert_eq!(detected(b"gr\xf6\xdfe;caf\xe9"), Encoding::WINDOWS_1252);
        let damaged = ["größe;caf".repeat(50).as_bytes(), b"\xc3"].concat();
        assert_eq!(detected(&damaged), Encoding::UTF_8);
        assert_eq!(text(Encoding::WINDOWS_1252, b"10 \x80 \x96 l\x92\xe9t\xe9"), "10 € – l’été");
    }

    #[test]
    fn utf_16_is_recognized_with_a_mark_or_without() {
        let bytes = |text: &str, to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        for content in ["x,y\n1,2\n", "\u{feff}x,y\n1,ä\n"] {
            for to in [u16::to_le_bytes, u16::to_be_bytes] {
                let file = bytes(content, to);
                let encoding = Encoding::of_beginning(&file).unwrap();
                assert_eq!(text(encoding, &file), content.trim_start_matches('\u{feff}'));
            }
        }
        assert_eq!(Encoding::of_beginning(b"x,y\n1,2\n"), None);
        assert_eq!(Encoding::of_beginning(b"x\0\0\0y\0\0\0,\0\0\0z\0\0\0"), None);
    }

    proptest! {
        #[test]
        fn text_in_utf_8_is_unchanged(content in "\u{feff}?[a-zäß€,\n]{0,50}", size in 1_usize..9) {
            let mut evidence = Evidence::default();
            content.as_bytes().chunks(size).for_each(|bytes| evidence.push(bytes));
            prop_assert_eq!(evidence.encoding(), Encoding::UTF_8);
            prop_assert_eq!(text(Encoding::UTF_8, content.as_bytes()), content.trim_start_matches('\u{feff}'));
        }
    }
}
