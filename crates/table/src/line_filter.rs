//! Lines of a text file as a CSV reader expects them: without comments, preambles, delimiters at their ends and runs of
//! spaces. Every line keeps its number: a line that is left out becomes a blank one.

use std::io::{self, Read};

use memchr::memchr;

use super::MAX_ROW_BYTES;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 16;

/// Changes to the lines of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LineFilter {
    pub(super) delimiter: u8,
    /// Lines at the beginning that are left out.
    pub(super) skip: u64,
    /// The beginning of lines that are comments.
    pub(super) comment: Option<String>,
    /// Whether rows end with a delimiter.
    pub(super) trailing: bool,
    /// Whether a run of spaces or tabs separates fields.
    pub(super) spaces: bool,
    /// Bytes to add to each row.
    pub(super) suffix: Vec<u8>,
}

impl LineFilter {
    /// Whether it changes nothing.
    pub(super) fn is_idle(&self) -> bool {
        let Self { delimiter: _, skip, comment, trailing, spaces, suffix } = self;
        *skip == 0 && comment.is_none() && !trailing && !spaces && suffix.is_empty()
    }

    /// The lines of a text.
    pub(super) fn filtered<'r>(&self, text: Box<dyn Read + Send + 'r>) -> Box<dyn Read + Send + 'r> {
        if self.is_idle() {
            return text;
        }
        let lines = Lines::new(self.clone());
        Box::new(Filtered { inner: text, lines, pending: Vec::new(), at: 0, is_done: false })
    }

    /// The same for a text in memory.
    pub(super) fn apply(&self, text: &[u8]) -> Vec<u8> {
        let mut lines = Lines { filter: self.clone(), line: 0, quoted: false, out: Vec::with_capacity(text.len()) };
        text.split_inclusive(|byte| *byte == b'\n').for_each(|line| lines.push(line));
        lines.out
    }
}

/// The filter after some lines.
#[derive(Debug)]
pub(super) struct Lines {
    filter: LineFilter,
    /// The number of the line, from 1.
    line: u64,
    /// Whether the next line begins within quotes.
    quoted: bool,
    out: Vec<u8>,
}

impl Lines {
    /// The filter before the first line.
    pub(super) fn new(filter: LineFilter) -> Self {
        Self { filter, line: 0, quoted: false, out: Vec::new() }
    }

    /// Whether the next line begins a row, and not within quotes. Forgets the text so far.
    pub(super) fn begins_row(&mut self) -> bool {
        self.out.clear();
        !self.quoted
    }

    /// Adds the next line, with its end.
    pub(super) fn push(&mut self, line: &[u8]) {
        self.line += 1;
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let end = line.get(content.len()..).unwrap_or_default();
        let is_comment = |mark: &String| content.starts_with(mark.as_bytes());
        let is_skipped =
            self.line <= self.filter.skip || !self.quoted && self.filter.comment.as_ref().is_some_and(is_comment);
        if !is_skipped {
            let is_blank = content.trim_ascii().is_empty() && !content.contains(&self.filter.delimiter);
            if self.quoted || !is_blank {
                self.row(content);
            }
        }
        self.out.extend_from_slice(end);
    }

    /// Adds a line of a row, by the rules of the CSV reader: a quote opens a field only at its first byte, and a quote
    /// directly after a closing quote continues the field.
    fn row(&mut self, content: &[u8]) {
        let LineFilter { delimiter, trailing, spaces, suffix, .. } = &self.filter;
        let begin = self.out.len();
        let (mut at_start, mut has_closed) = (!self.quoted, false);
        for byte in content {
            let is_space = *spaces && matches!(byte, b' ' | b'\t');
            let closes = self.quoted && *byte == b'"';
            if self.quoted {
                self.quoted = !closes;
                self.out.push(*byte);
            } else if is_space {
                // The first of a run of spaces separates two fields.
                if !at_start {
                    self.out.push(*delimiter);
                }
                at_start = true;
            } else {
                self.quoted = *byte == b'"' && (at_start || has_closed);
                at_start = byte == delimiter;
                self.out.push(*byte);
            }
            has_closed = closes;
        }
        if !self.quoted {
            let ends_with_delimiter = self.out.len() > begin && at_start && self.out.last() == Some(delimiter);
            if ends_with_delimiter && (*trailing || *spaces) {
                self.out.pop();
            }
            self.out.extend_from_slice(suffix);
        }
    }
}

/// A text whose lines are changed as they are read.
struct Filtered<R> {
    inner: R,
    lines: Lines,
    /// The beginning of a line whose end is not read yet.
    pending: Vec<u8>,
    /// The bytes of `lines.out` that are handed out.
    at: usize,
    is_done: bool,
}

impl<R: Read> Filtered<R> {
    fn fill(&mut self) -> io::Result<()> {
        let before = self.pending.len();
        self.pending.resize(before + BLOCK, 0);
        let count = self.inner.read(self.pending.split_at_mut(before).1);
        self.pending.truncate(before + count.as_ref().map_or(0, |count| *count));
        self.is_done = count? == 0;
        self.lines.out.clear();
        self.at = 0;
        let mut rest = self.pending.as_slice();
        while let Some(end) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end + 1);
            self.lines.push(line);
            rest = after;
        }
        if !rest.is_empty() && (self.is_done || rest.len() as u64 > MAX_ROW_BYTES) {
            self.lines.push(rest);
            rest = &[];
        }
        self.pending = rest.to_vec();
        Ok(())
    }
}

impl<R: Read> Read for Filtered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.lines.out.len() {
            if self.is_done {
                return Ok(0);
            }
            match self.fill() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => outcome?,
            }
        }
        let mut rest = self.lines.out.get(self.at..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filtered(filter: &LineFilter, text: &str) -> String {
        let mut out = String::new();
        filter.filtered(Box::new(text.as_bytes())).read_to_string(&mut out).unwrap();
        assert_eq!(out.as_bytes(), filter.apply(text.as_bytes()));
        out
    }

    fn comma() -> LineFilter {
        LineFilter { delimiter: b',', ..LineFilter::default() }
    }

    #[test]
    fn lines_that_are_left_out_are_blank() {
        let filter = LineFilter { skip: 1, comment: Some("#".into()), ..comma() };
        let text = "a \"title\r\n# \"b\nx,y\n1,\"2\n# 3\"\n#4\n5,6";
        assert_eq!(filtered(&filter, text), "\r\n\nx,y\n1,\"2\n# 3\"\n\n5,6");
    }

    #[test]
    fn delimiters_at_the_end_of_rows_are_removed() {
        let filter = LineFilter { trailing: true, ..comma() };
        assert_eq!(filtered(&filter, "x,y,\r\n1,,\n\n2,\"3,\n,\",\n4,5\n,,"), "x,y\r\n1,\n\n2,\"3,\n,\"\n4,5\n,");
    }

    #[test]
    fn runs_of_spaces_are_one_delimiter() {
        let filter = LineFilter { delimiter: b' ', spaces: true, ..LineFilter::default() };
        assert_eq!(filtered(&filter, "  x \t y\n \n1   \"a  b\"  \n"), "x y\n\n1 \"a  b\"\n");
    }

    #[test]
    fn a_suffix_is_added_to_rows() {
        let filter = LineFilter { suffix: b",a".to_vec(), ..comma() };
        assert_eq!(filtered(&filter, "x\n\n\"1\n2\"\r\n3"), "x,a\n\n\"1\n2\",a\r\n3,a");
    }

    proptest! {
        #[test]
        fn rows_are_those_of_the_csv_reader(text in "[a,\"\n]{0,40}") {
            let records = |text: &str| {
                let mut builder = ::csv::ReaderBuilder::new();
                let mut reader = builder.has_headers(false).flexible(true).from_reader(text.as_bytes());
                reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect::<Vec<Vec<String>>>()
            };
            let filter = LineFilter { suffix: b",z".to_vec(), ..comma() };
            let with: Vec<Vec<String>> = records(&text).into_iter().map(|mut row| { row.push("z".into()); row }).collect();
            // A quote that is never closed includes the end of the text.
            let got = records(&filtered(&filter, &text));
            if got.len() == with.len() && got.last().is_some_and(|row| row.last().is_some_and(|last| last == "z")) {
                prop_assert_eq!(got, with);
            }
        }
    }
}
