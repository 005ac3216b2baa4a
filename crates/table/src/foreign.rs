//! Files that are neither CSV nor Parquet, recognized by their first bytes.

use memchr::memchr_iter;

/// The number of first bytes that are examined.
const EXAMINED: usize = 1 << 10;

/// The first bytes of common formats, with a description and how to convert them.
const KINDS: [(&[u8], &str, &str); 12] = [
    (b"\x1f\x8b", "gzip", "decompress it with gunzip, or pipe it: zcat FILE | ordinate … -"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "decompress it with unzstd, or pipe it: zstdcat FILE | ordinate … -"),
    (b"BZh91AY&SY", "bzip2", "decompress it with bunzip2, or pipe it: bzcat FILE | ordinate … -"),
    (b"\xfd7zXZ\0", "xz", "decompress it with unxz, or pipe it: xzcat FILE | ordinate … -"),
    (b"PK\x03\x04", "a zip archive or a workbook (.xlsx, .ods)", "unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "save the sheet as CSV"),
    (b"\xff\xfe", UTF_16, TO_UTF_8),
    (b"\xfe\xff", UTF_16, TO_UTF_8),
    (b"%PDF-", "PDF", "export the table as CSV from the program that made the document"),
    (b"ARROW1", "Arrow (Feather)", "convert it to Parquet or CSV"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"\x89HDF\r\n\x1a\n", "HDF5", "convert the table to Parquet or CSV"),
];

const UTF_16: &str = "text in UTF-16";
const TO_UTF_8: &str = "convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW";

/// The format of a file with these first bytes and how to convert it, unless it can be text in UTF-8.
pub(super) fn foreign(begin: &[u8]) -> Option<(&'static str, &'static str)> {
    let begin = begin.get(..EXAMINED).unwrap_or(begin);
    let known = KINDS.iter().find(|(start, ..)| begin.starts_with(start));
    if let Some((_, what, advice)) = known {
        return Some((what, advice));
    }
    // Text has no zero bytes, and UTF-16 without a byte-order mark has one for every character of English.
    let zeros = memchr_iter(0, begin).count();
    match zeros {
        0 => None,
        _ if zeros * 3 > begin.len() => Some((UTF_16, TO_UTF_8)),
        _ => Some(("bytes that are not text", "check that this is the right file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_recognized_by_their_first_bytes() {
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
