//! The text of a CSV file: its bytes are decompressed and decoded, and its lines filtered, as they are read.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::str;

use super::compression::Compression;
use super::csv::Stream;
use super::encoding::{Encoding, Evidence, NotInEncoding};
use super::file_options::{FileOptions, HeaderOption};
use super::foreign::foreign;
use super::layout::Layout;
use super::line_filter::LineFilter;
use super::partitions::Partition;
use super::{DataError, Decision};

/// Bytes at the beginning of a file in which its format is detected; of a pipe, which may be slow.
pub(super) const SAMPLE: u64 = 1 << 20;
pub(super) const PIPE_SAMPLE: u64 = 1 << 16;

/// Bytes that are examined at a time.
const BLOCK: usize = 1 << 18;

/// How the bytes of a file become text.
#[derive(Debug, Clone)]
pub(super) struct TextFormat {
    compression: Option<Compression>,
    encoding: Encoding,
    pub(super) filter: LineFilter,
}

impl TextFormat {
    /// The text of a file.
    pub(super) fn text<'r>(&self, file: impl Read + Send + 'r) -> io::Result<Box<dyn Read + Send + 'r>> {
        Ok(match self.compression {
            None => self.text_of(file),
            Some(compression) => self.text_of(compression.decompressed(file)?),
        })
    }

    /// The text of a part of an uncompressed file that begins where a row begins.
    pub(super) fn text_of_part<'r>(&self, part: impl Read + Send + 'r) -> Box<dyn Read + Send + 'r> {
        let filter = LineFilter { skip: 0, ..self.filter.clone() };
        // Only the beginning of a file can have a mark.
        filter.filtered(if self.encoding == Encoding::UTF_8 { Box::new(part) } else { self.encoding.decoded(part) })
    }

    /// Whether bytes of the file can be read as text from the beginning of any line.
    pub(super) fn has_independent_lines(&self) -> bool {
        self.compression.is_none() && self.encoding.has_independent_lines()
    }

    fn text_of<'r>(&self, content: impl Read + Send + 'r) -> Box<dyn Read + Send + 'r> {
        self.filter.filtered(self.encoding.decoded(content))
    }
}

/// A text file whose format is detected.
pub(super) struct TextFile {
    pub(super) format: TextFormat,
    pub(super) layout: Layout,
    /// The names of the columns, if the file has no header.
    pub(super) header: Option<HeaderOption>,
    /// The content of the file, decompressed and not decoded.
    content: Stream,
}

impl TextFile {
    /// Detects the format of a file, of which `begin` was read, in its first `size` bytes. `path` is a regular file, which
    /// can be read again.
    pub(super) fn open(
        begin: Vec<u8>,
        file: Stream,
        size: u64,
        path: Option<&Path>,
        name: &Path,
        options: &FileOptions,
        known: &[String],
    ) -> Result<Self, DataError> {
        let unreadable = |source| DataError::unreadable(name, source);
        let compression = Compression::of(&begin);
        let file: Stream = Box::new(Cursor::new(begin).chain(file));
        let mut content = match compression {
            None => file,
            Some(compression) => compression.decompressed(file).map_err(unreadable)?,
        };
        let mut sample = Vec::new();
        content.by_ref().take(size).read_to_end(&mut sample).map_err(unreadable)?;
        let is_cut = sample.len() as u64 == size;

        if let Some(encoding) = options.encoding.filter(|encoding| encoding.contradicts(&sample)) {
            return Err(unreadable(io::Error::other(NotInEncoding { encoding, line: 1 })));
        }
        let recognized = options.encoding.or_else(|| Encoding::of_beginning(&sample));
        if let Some((what, advice)) = foreign(&sample, recognized.is_some_and(Encoding::is_utf_16)) {
            return Err(DataError::Foreign { path: name.to_owned(), what, advice });
        }
        let encoding = match recognized {
            Some(encoding) => encoding,
            None => encoding(&sample, path.filter(|_| is_cut), compression).map_err(unreadable)?,
        };
        let text = encoding.text_of(&sample);
        let mut layout = Layout::new(&text, is_cut, options, known);
        let mut header = options.header.clone();
        if header.is_none() && layout.lacks_names(known) {
            header = Some(HeaderOption::Numbered);
            layout = Layout::new(&text, is_cut, &FileOptions { header: header.clone(), ..options.clone() }, known);
            let names = "the file has no header, and its columns are named column_1, column_2 and so on";
            layout.decisions.push(Decision::new(names, ["--header", "none"]));
        }
        if options.encoding.is_some() && encoding != Encoding::UTF_8 && is_utf_8(&sample) {
            let text = format!("the text looks like utf-8, and is read as {} as --encoding says", encoding.name());
            layout.decisions.push(Decision::without_options(text));
        }
        if options.encoding.is_none() && encoding != Encoding::UTF_8 {
            let encoding = encoding.name();
            layout
                .decisions
                .insert(0, Decision::new(format!("the text is encoded in {encoding}"), ["--encoding", &encoding]));
        }
        let format = TextFormat { compression, encoding, filter: layout.filter.clone() };
        Ok(Self { format, layout, header, content: Box::new(Cursor::new(sample).chain(content)) })
    }

    /// Adds columns that have one value in all rows.
    pub(super) fn add_columns(&mut self, columns: &[Partition]) {
        let LineFilter { delimiter, suffix, spaces, .. } = &mut self.format.filter;
        for Partition { value, .. } in columns {
            suffix.push(*delimiter);
            let is_special = |byte: u8| byte == *delimiter || matches!(byte, b'"' | b'\n' | b'\r');
            if value.bytes().any(is_special) || *spaces && value.is_empty() {
                suffix.extend(format!("\"{}\"", value.replace('"', "\"\"")).into_bytes());
            } else {
                suffix.extend_from_slice(value.as_bytes());
            }
        }
    }

    /// The text.
    pub(super) fn text(self) -> Stream {
        self.format.text_of(self.content)
    }
}

/// Whether bytes are text in UTF-8 and not in ASCII, up to a character that is cut.
fn is_utf_8(sample: &[u8]) -> bool {
    let valid = match str::from_utf8(sample) {
        Ok(_) => sample.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => 0,
    };
    sample.get(..valid).is_some_and(|valid| !valid.is_ascii())
}

/// The encoding of a regular file, as it is detected.
pub(super) fn fitting(path: &Path) -> Option<Encoding> {
    if !path.is_file() {
        return None;
    }
    let mut begin = Vec::new();
    File::open(path).ok()?.take(SAMPLE).read_to_end(&mut begin).ok()?;
    let compression = Compression::of(&begin);
    let mut sample = Vec::new();
    match compression {
        None => sample = begin,
        Some(compression) => {
            compression.decompressed(File::open(path).ok()?).ok()?.take(SAMPLE).read_to_end(&mut sample).ok()?;
        }
    }
    Encoding::of_beginning(&sample).or_else(|| encoding(&sample, Some(path), compression).ok())
}

/// The encoding of a file that begins with these bytes: of all its bytes, if it can be read again.
fn encoding(sample: &[u8], path: Option<&Path>, compression: Option<Compression>) -> io::Result<Encoding> {
    let mut evidence = Evidence::default();
    let Some(path) = path else {
        evidence.push(sample);
        return Ok(evidence.encoding());
    };
    let file = File::open(path)?;
    let mut content: Stream = match compression {
        None => Box::new(file),
        Some(compression) => compression.decompressed(file)?,
    };
    let mut block = vec![0; BLOCK];
    loop {
        match content.read(&mut block) {
            Ok(0) => return Ok(evidence.encoding()),
            Ok(count) => evidence.push(block.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
