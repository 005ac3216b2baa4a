//! Files that are neither text nor Parquet, recognized by their first bytes.

use memchr::memchr;

/// The number of first bytes that are examined.
const EXAMINED: usize = 1 << 10;

/// The first bytes of common formats, with a description and how to convert them.
const KINDS: [(&[u8], &str, &str); 9] = [
    (b"BZh91AY&SY", "bzip2", "decompress it with bunzip2, or pipe it: bzcat FILE | ordinate … -"),
    (b"\xfd7zXZ\0", "xz", "decompress it with unxz, or pipe it: xzcat FILE | ordinate … -"),
    (b"PK\x03\x04", "a zip archive or a workbook (.xlsx, .ods)", "unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "save the sheet as CSV"),
    (b"%PDF-", "PDF", "export the table as CSV from the program that made the document"),
    (b"ARROW1", "Arrow (Feather)", "convert it to Parquet or CSV"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"\x89HDF\r\n\x1a\n", "HDF5", "convert the table to Parquet or CSV"),
    (&super::parquet::MAGIC, "a compressed Parquet file", "decompress it"),
];

/// The format of a file with these first bytes and how to convert it, unless it can be text. Text in UTF-16 is text.
pub(super) fn foreign(begin: &[u8], is_utf_16: bool) -> Option<(&'static str, &'static str)> {
    let begin = begin.get(..EXAMINED).unwrap_or(begin);
    let known = KINDS.iter().find(|(start, ..)| begin.starts_with(start));
    if let Some((_, what, advice)) = known {
        return Some((what, advice));
    }
    let is_binary = !is_utf_16 && memchr(0, begin).is_some();
    is_binary.then_some(("bytes that are not text", "check that this is the right file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_recognized_by_their_first_bytes() {
        for text in ["", "x,y\n1,2\n", "\u{feff}x,y\n", "BZh,y\n1,2\n", "PK,%PDF-\n", "größe;naïve\n1;2\n"] {
            assert_eq!(foreign(text.as_bytes(), false), None, "{text:?}");
        }
        assert_eq!(foreign(b"x\0,\0y\0", true), None);
        for (begin, named) in [
            (b"PK\x03\x04\x14\0".to_vec(), ".xlsx"),
            (b"%PDF-1.7\n".to_vec(), "PDF"),
            (b"\x7fELF\x02\x01\x01\0some other bytes".to_vec(), "not text"),
            (b"PAR1".to_vec(), "compressed Parquet"),
        ] {
            let (what, _) = foreign(&begin, false).unwrap();
            assert!(what.contains(named), "{what}");
        }
    }
}
