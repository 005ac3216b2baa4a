//! How text files are read, where options say it.

use csv::{ReaderBuilder, StringRecord};

use super::delimiter::delimiter_name;
use super::encoding::Encoding;

/// How text files are read, where options say it. The rest is detected in each file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileOptions {
    /// The delimiter of the fields.
    pub delimiter: Option<u8>,
    /// The encoding of the text.
    pub encoding: Option<Encoding>,
    /// The beginning of lines that are comments.
    pub comment: Option<String>,
    /// Lines before the header.
    pub skip_lines: Option<u64>,
    /// The names of the columns, if the files have no header.
    pub header: Option<HeaderOption>,
}

/// The names of the columns of files without a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderOption {
    /// `column_1`, `column_2` and so on.
    Numbered,
    /// These names.
    Names(Vec<String>),
}

impl HeaderOption {
    /// Reads `none`, or names as a record of CSV.
    ///
    /// # Errors
    /// A message when there is not exactly one record, or a name is empty.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::Numbered);
        }
        let mut records = ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        let is_read = records.read_record(&mut record).unwrap_or(false);
        let is_named = record.iter().all(|name| !name.trim().is_empty());
        if !is_read || !is_named || records.read_record(&mut StringRecord::new()).unwrap_or(true) {
            return Err("expected names separated by commas, such as age,city,price, or none".to_owned());
        }
        Ok(Self::Names(record.iter().map(|name| name.trim().to_owned()).collect()))
    }

    /// The names of this many columns.
    pub(super) fn names(&self, columns: usize) -> Vec<String> {
        match self {
            Self::Numbered => (1..=columns).map(|column| format!("column_{column}")).collect(),
            Self::Names(names) => names.clone(),
        }
    }
}

impl FileOptions {
    /// The options that are given, as names and values for the file of a model.
    #[must_use]
    pub fn given(&self) -> Vec<(&'static str, serde_json::Value)> {
        let Self { delimiter, encoding, comment, skip_lines, header } = self;
        let header = header.as_ref().map(|header| match header {
            HeaderOption::Numbered => "none".into(),
            HeaderOption::Names(names) => serde_json::Value::from(names.clone()),
        });
        let given = [
            ("delimiter", delimiter.map(|delimiter| delimiter_name(delimiter).into())),
            ("encoding", encoding.map(|encoding| encoding.name().into())),
            ("comment", comment.clone().map(Into::into)),
            ("skip_lines", skip_lines.map(Into::into)),
            ("header", header),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_record_of_csv() {
        let names = |names: &[&str]| Ok(HeaderOption::Names(names.iter().map(ToString::to_string).collect()));
        assert_eq!(HeaderOption::parse("none"), Ok(HeaderOption::Numbered));
        assert_eq!(HeaderOption::parse("a, \"b,c\""), names(&["a", " \"b", "c\""].map(str::trim)));
        assert_eq!(HeaderOption::parse("a,\"b,c\""), names(&["a", "b,c"]));
        for text in ["", "a,,b", "a\nb"] {
            assert!(HeaderOption::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(HeaderOption::Numbered.names(2), ["column_1", "column_2"]);
    }
}
