//! Files that are given as CSV and are no text, told by their first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use memchr::memchr_iter;

/// First bytes that are looked at.
const LOOKED_AT: usize = 1 << 10;

/// The first bytes of a file.
///
/// # Errors
/// Those of reading.
pub(super) fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LOOKED_AT as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What files begin with, as their formats define it, what they are then and what to do about it.
const KINDS: [(&[u8], &str, &str); 12] = [
    (b"\x1f\x8b", "is compressed with gzip", "Unpack it first (gunzip), or pipe it in: zcat FILE | ordinate … -"),
    (
        b"\x28\xb5\x2f\xfd",
        "is compressed with Zstandard",
        "Unpack it first (unzstd), or pipe it in: zstdcat FILE | ordinate … -",
    ),
    (b"BZh91AY&SY", "is compressed with bzip2", "Unpack it first (bunzip2), or pipe it in: bzcat FILE | ordinate … -"),
    (b"\xfd7zXZ\0", "is compressed with xz", "Unpack it first (unxz), or pipe it in: xzcat FILE | ordinate … -"),
    (b"PK\x03\x04", "is a zip archive or a workbook (.xlsx, .ods)", "Unpack it first, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "is a workbook of an old Excel (.xls)", "Save the sheet as CSV"),
    (b"\xff\xfe", UTF_16, TO_UTF_8),
    (b"\xfe\xff", UTF_16, TO_UTF_8),
    (b"%PDF-", "is a PDF document", "Take the table from where the document was made, and save it as CSV"),
    (b"ARROW1", "is an Arrow (Feather) file", "Write it as Parquet or CSV"),
    (b"SQLite format 3\0", "is an SQLite database", "Export the table as CSV"),
    (b"\x89HDF\r\n\x1a\n", "is an HDF5 file", "Write the table as Parquet or CSV"),
];

const UTF_16: &str = "is text in UTF-16";
const TO_UTF_8: &str = "Convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW";

/// What a file with these first bytes is that is no text in UTF-8, and what to do about it.
#[must_use]
pub fn foreign(begin: &[u8]) -> Option<(&'static str, &'static str)> {
    let begin = begin.get(..LOOKED_AT).unwrap_or(begin);
    let known = KINDS.iter().find(|(start, ..)| begin.starts_with(start));
    if let Some((_, what, advice)) = known {
        return Some((what, advice));
    }
    // Text has no zero bytes; that of UTF-16 without a mark has one in every character of English.
    let zeros = memchr_iter(0, begin).count();
    match zeros {
        0 => None,
        _ if zeros * 3 > begin.len() => Some((UTF_16, TO_UTF_8)),
        _ => Some((
            "holds bytes that are not text",
            "Check that this is the right file; CSV in UTF-8 and Parquet are read",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_what_only_ends_in_csv() {
        for text in ["", "x,y\n1,2\n", "\u{feff}x,y\n", "BZh,y\n1,2\n", "PK,%PDF-\n", "größe;naïve\n1;2\n"] {
            assert_eq!(foreign(text.as_bytes()), None, "{text:?}");
        }
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for (begin, named) in [
            (b"\x1f\x8b\x08\0\0".to_vec(), "gzip"),
            (b"PK\x03\x04\x14\0".to_vec(), ".xlsx"),
            (utf_16("\u{feff}x,y\n"), "UTF-16"),
            (utf_16("x,y\n1,2\n"), "UTF-16"),
            (b"%PDF-1.7\n".to_vec(), "PDF"),
            (b"\x7fELF\x02\x01\x01\0some other bytes".to_vec(), "not text"),
        ] {
            let (what, _) = foreign(&begin).unwrap();
            assert!(what.contains(named), "{what}");
        }
    }
}
