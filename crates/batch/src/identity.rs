//! The origin of an output, so that the same work is not done twice.

use ordinate_model::Model;
use ordinate_model::identity::Checksum;

use crate::score::Task;

/// The key of the identity in the metadata of objects.
pub(crate) const IDENTITY: &str = "ordinate-identity";
/// The keys of the model and of the version of the input, for people.
pub(crate) const MODEL: &str = "ordinate-model";
pub(crate) const SOURCE_VERSION: &str = "ordinate-source-version";

/// The format of outputs, which changes when the same input gives another content: other rows, columns, types or
/// values. Other bytes of the same content, such as the compression or the indexes of a Parquet file, are no reason to
/// score everything again.
const FORMAT: &str = "ordinate.batch/2";

/// A model, as `name@version`.
pub(crate) fn model_name(model: &Model) -> String {
    format!("{}@{}", model.name(), model.version())
}

/// The origin of an output: the version of the input, the model, and the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    digest: String,
    /// The model, as `name@version`.
    pub model: String,
    /// The version of the input: the tag of an object, or size and time of a file.
    pub source_version: String,
}

impl Identity {
    /// The identity of the output for a version of an input.
    pub fn new(source: &str, source_version: &str, task: &Task) -> Self {
        let model: &Model = &task.model;
        let text = format!(
            "{FORMAT}\n{source}\n{source_version}\n{}\n{:?}\n{:?}",
            model.checksum(),
            task.columns,
            task.options.given()
        );
        Self {
            digest: Checksum::compute(text.as_bytes()).as_str().to_owned(),
            model: model_name(model),
            source_version: source_version.to_owned(),
        }
    }

    /// The identity of a part of the output.
    pub(crate) fn of_part(&self, start: u64, end: u64) -> Self {
        let text = format!("{}\n{start}\n{end}", self.digest);
        Self { digest: Checksum::compute(text.as_bytes()).as_str().to_owned(), ..self.clone() }
    }

    /// The identity as a text of hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.digest
    }

    /// The first digits, for names.
    pub(crate) fn short(&self) -> &str {
        self.digest.get(..16).unwrap_or(&self.digest)
    }
}
