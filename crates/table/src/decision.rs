//! Decisions of reading and training that no option made.

/// A decision that no option made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The decision as one clause, without a full stop.
    pub text: String,
    /// The words of the command line that make the same decision, such as `["--encoding", "windows-1252"]`.
    pub options: Vec<String>,
    /// Whether rows of the data are lost that no option makes usable.
    pub loses_rows: bool,
}

impl Decision {
    /// A decision, and the words of the command line that make the same one.
    #[must_use]
    pub fn new(text: impl Into<String>, options: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { text: text.into(), options: options.into_iter().map(Into::into).collect(), loses_rows: false }
    }

    /// A decision that the command line has no words for.
    #[must_use]
    pub fn without_options(text: impl Into<String>) -> Self {
        Self { text: text.into(), options: Vec::new(), loses_rows: false }
    }
}
