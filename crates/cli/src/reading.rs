//! Options that say how files are read, of all commands that read data.

use clap::Args;

use ordinate_table::{Encoding, FileOptions, HeaderOption, delimiter};

/// How files are read.
#[derive(Debug, Args)]
pub(super) struct ReadingArguments {
    /// Field separator of CSV files: one character, tab or space; by default detected
    ///
    /// Detection chooses , ; tab | or spaces: the separator with which most rows have the same number of fields.
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter::parse)]
    delimiter: Option<u8>,
    /// Encoding of CSV files, such as utf-8, windows-1252 or utf-16le; by default detected
    ///
    /// Detection chooses UTF-16 if the first bytes show it, UTF-8 if all bytes of the file are UTF-8, and otherwise
    /// windows-1252.
    #[arg(long, value_name = "NAME", value_parser = Encoding::parse)]
    encoding: Option<Encoding>,
    /// Beginning of lines that are comments, such as #; by default detected
    ///
    /// Lines that begin with #, % or // are comments if they do not have the number of fields of the other lines.
    #[arg(long, value_name = "CHARACTER", value_parser = comment)]
    comment: Option<String>,
    /// Number of lines before the header; by default detected
    ///
    /// The header is the first line with the needed columns, or with as many fields as most rows.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..1_000_000))]
    skip_lines: Option<u64>,
    /// Names of the columns of files without a header, separated by commas, or none for `column_1`, `column_2` …
    ///
    /// To replace the header of a file, skip it with --skip-lines.
    #[arg(long, value_name = "NAMES|none", value_parser = HeaderOption::parse)]
    header: Option<HeaderOption>,
}

impl ReadingArguments {
    /// The first of these options that is given.
    pub(super) fn first_given(&self) -> Option<&'static str> {
        let Self { delimiter, encoding, comment, skip_lines, header } = self;
        let given = [
            ("--delimiter", delimiter.is_some()),
            ("--encoding", encoding.is_some()),
            ("--comment", comment.is_some()),
            ("--skip-lines", skip_lines.is_some()),
            ("--header", header.is_some()),
        ];
        given.into_iter().find(|(_, is_given)| *is_given).map(|(name, _)| name)
    }

    /// The same for a reader of files.
    pub(super) fn options(&self) -> FileOptions {
        FileOptions {
            delimiter: self.delimiter,
            encoding: self.encoding,
            comment: self.comment.clone(),
            skip_lines: self.skip_lines,
            header: self.header.clone(),
        }
    }
}

fn comment(text: &str) -> Result<String, String> {
    let is_mark = !text.is_empty() && !text.contains(['\n', '\r', '"']);
    if is_mark { Ok(text.to_owned()) } else { Err("expected the beginning of comments, such as #".to_owned()) }
}
