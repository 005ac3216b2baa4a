//! What stands between the fields of a CSV file, told by its header.

use std::io::{self, BufRead};

/// The longest header in which the delimiter is looked for.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// What may stand between fields, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The first line that is not blank, with the blank ones before it.
///
/// # Errors
/// Those of reading.
pub fn header_line(bytes: impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut bytes = bytes.take(MAX_HEADER_BYTES);
    while bytes.read_until(b'\n', &mut line)? > 0 && line.trim_ascii().is_empty() {}
    Ok(line)
}

/// The delimiter that a header has most of, outside quotes; of several with as many, the first.
#[must_use]
pub fn most_frequent(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = DELIMITERS.map(|delimiter| (delimiter, 0_usize));
    for byte in header {
        quoted ^= *byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += usize::from(!quoted && byte == delimiter);
        }
    }
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(delimiter, _)| *delimiter)
}
