//! The layout of rows, as the names of files show it.

use ordinate_table::is_hidden;

use crate::rejected;
use crate::score::Layout;

/// The ends of the names of files with rows, without those of compression.
const TABLES: [&str; 5] = ["csv", "tsv", "tab", "parquet", "pq"];
const LINES: [&str; 3] = ["jsonl", "ndjson", "jsonlines"];
const COMPRESSED: [&str; 4] = ["gz", "gzip", "zst", "zstd"];

/// How the rows of a file are written, by its name; `None` for files that are not scored in a folder: notes, outputs of
/// rejected rows, names that begin with a dot or an underscore.
#[must_use]
pub fn layout_of(name: &str) -> Option<Layout> {
    if name.split('/').any(|part| is_hidden(part.as_bytes())) || name.ends_with(rejected::SUFFIX) {
        return None;
    }
    let extension = extension(name)?;
    if LINES.contains(&extension.as_str()) {
        Some(Layout::JsonLines)
    } else {
        TABLES.contains(&extension.as_str()).then_some(Layout::Table)
    }
}

/// How the rows of a file are written that was given by its name: unless the name says JSON Lines, as a table.
#[must_use]
pub fn layout_of_given(name: &str) -> Layout {
    let is_lines = extension(name).is_some_and(|extension| LINES.contains(&extension.as_str()));
    if is_lines { Layout::JsonLines } else { Layout::Table }
}

/// The media type of an output.
pub(crate) fn content_type(name: &str) -> Option<&'static str> {
    let extension = extension(name)?;
    let last = name.rsplit('.').next().unwrap_or_default();
    match (last, extension.as_str()) {
        ("gz" | "gzip", _) => Some("application/gzip"),
        ("zst" | "zstd", _) => Some("application/zstd"),
        (_, "csv") => Some("text/csv"),
        (_, "tsv" | "tab") => Some("text/tab-separated-values"),
        (_, "parquet" | "pq") => Some("application/vnd.apache.parquet"),
        (_, "json") => Some("application/json"),
        (_, extension) if LINES.contains(&extension) => Some("application/jsonl"),
        _ => None,
    }
}

/// The end of a name, without that of compression, in lower case.
fn extension(name: &str) -> Option<String> {
    let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let mut parts = file.rsplit('.');
    let last = parts.next()?;
    let extension = if COMPRESSED.contains(&last) { parts.next()? } else { last };
    // A name without a dot has no end.
    parts.next().map(|_| extension.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_how_rows_are_written() {
        for name in ["a.csv", "x/a.CSV.gz", "a.b.parquet", "year=2024/a.tsv.zst"] {
            assert_eq!(layout_of(name), Some(Layout::Table), "{name}");
        }
        for name in ["a.jsonl", "a.ndjson.gz"] {
            assert_eq!(layout_of(name), Some(Layout::JsonLines), "{name}");
        }
        for name in ["csv", "csv.gz", "a.txt", "_SUCCESS", ".a.csv", "_parts/a.csv", "a.csv.rejected.jsonl", "a.json"] {
            assert_eq!(layout_of(name), None, "{name}");
        }
        assert_eq!(layout_of_given("data.txt"), Layout::Table);
        assert_eq!(content_type("a.csv"), Some("text/csv"));
        assert_eq!(content_type("a.csv.gz"), Some("application/gzip"));
    }
}
