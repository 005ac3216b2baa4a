//! Zip archives as Python's `zipfile` writes them: members that are stored or deflated, of less than 4 GiB.
//!
//! The directory counts, not the headers of the members. The crate `zip` needs three further crates for encryption and
//! writing, and allocates the directory before its size can be limited.

use std::collections::HashMap;
use std::io::Read;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use crate::file::error::FileError;

/// The most members of an archive.
const MAX_MEMBERS: usize = 10_000;

/// The signatures of a member, of its entry in the directory, and of the end of the directory.
const MEMBER: &[u8] = b"PK\x03\x04";
const ENTRY: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

/// The bytes of the end without its comment, and the most bytes of the comment.
const END_BYTES: usize = 22;
const MAX_COMMENT: usize = 0xffff;

/// An archive in memory.
pub(super) struct Archive<'f> {
    file: &'f [u8],
    members: HashMap<&'f str, Entry>,
}

/// An entry of the directory.
struct Entry {
    is_deflated: bool,
    crc: u32,
    compressed: usize,
    start: usize,
}

impl<'f> Archive<'f> {
    /// Reads the directory.
    pub(super) fn open(file: &'f [u8]) -> Result<Self, FileError> {
        let damaged = || FileError::damaged("zip", "the archive has no directory");
        let tail = file.get(file.len().saturating_sub(END_BYTES + MAX_COMMENT)..).unwrap_or_default();
        let end = tail.windows(END.len()).rposition(|window| window == END).and_then(|at| tail.get(at..));
        let end = end.ok_or_else(damaged)?;
        let count = short(end, 10).ok_or_else(damaged)?;
        if count > MAX_MEMBERS {
            return Err(FileError::TooLarge { limit: format!("{MAX_MEMBERS} members") });
        }
        let mut directory = long(end, 16).and_then(|start| file.get(start..)).ok_or_else(damaged)?;
        let mut members = HashMap::new();
        for _ in 0..count {
            let (name, entry, rest) = entry(directory).ok_or_else(damaged)?;
            if name.contains(['/', '\\', '\0']) || name.contains("..") {
                let name: String = name.chars().take(80).collect();
                return Err(FileError::damaged(
                    "zip",
                    format!("the member {name:?} has a path, which skops does not write"),
                ));
            }
            if members.insert(name, entry).is_some() {
                return Err(FileError::damaged("zip", format!("two members have the name {name:?}")));
            }
            directory = rest;
        }
        Ok(Self { file, members })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// The content of a member, if it is not longer than the limit.
    pub(super) fn read(&self, name: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        let damaged = |reason: &str| FileError::damaged(name, reason);
        let entry = self.members.get(name).ok_or_else(|| damaged("the archive has no such member"))?;
        let data = self.data(entry).ok_or_else(|| damaged("it is not where the directory has it"))?;
        let mut content = Vec::new();
        // One byte more than is allowed.
        let most = limit as u64 + 1;
        let read = if entry.is_deflated {
            DeflateDecoder::new(data).take(most).read_to_end(&mut content)
        } else {
            data.take(most).read_to_end(&mut content)
        };
        read.map_err(|error| damaged(&error.to_string()))?;
        if content.len() > limit {
            return Err(FileError::TooLarge { limit: format!("{} MiB after decompression", limit >> 20) });
        }
        let mut crc = Crc::new();
        crc.update(&content);
        if crc.sum() == entry.crc { Ok(content) } else { Err(damaged("its checksum is wrong")) }
    }

    /// The compressed bytes of a member, after its header, name and extra field.
    fn data(&self, entry: &Entry) -> Option<&'f [u8]> {
        let header = self.file.get(entry.start..)?;
        header.strip_prefix(MEMBER)?;
        let start = 30 + short(header, 26)? + short(header, 28)?;
        header.get(start..start.checked_add(entry.compressed)?)
    }
}

/// The first entry of a directory with its name, and the rest of the directory.
fn entry(directory: &[u8]) -> Option<(&str, Entry, &[u8])> {
    directory.strip_prefix(ENTRY)?;
    let is_encrypted = short(directory, 8)? & 1 != 0;
    let method = short(directory, 10)?;
    let (name, extra, comment) = (short(directory, 28)?, short(directory, 30)?, short(directory, 32)?);
    let entry = Entry {
        is_deflated: method == 8,
        crc: u32::try_from(long(directory, 16)?).ok()?,
        compressed: long(directory, 20)?,
        start: long(directory, 42)?,
    };
    let (name, rest) = directory.get(46..)?.split_at_checked(name)?;
    let is_read = matches!(method, 0 | 8) && !is_encrypted;
    is_read.then_some((std::str::from_utf8(name).ok()?, entry, rest.get(extra + comment..)?))
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?).into())
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}
