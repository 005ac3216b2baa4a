//! Why a file cannot be read.

use thiserror::Error;

use super::globals::is_former;

/// Why a file cannot be read. The place is a byte of the (decompressed) pickle, or a member of a skops file.
#[derive(Debug, Error)]
pub enum FileError {
    /// A file of another format.
    #[error("expected a pickle, joblib or skops file of a fitted scikit-learn model, got {found}\nhelp: {help}")]
    Format {
        /// The format.
        found: String,
        /// The advice.
        help: &'static str,
    },
    /// A file that ends early or is not in its format.
    #[error("{place}: {reason}\nhelp: the file is damaged or incomplete; save the model again")]
    Damaged {
        /// The byte or member.
        place: String,
        /// The fault.
        reason: String,
    },
    /// A class or function that is not in the closed list.
    #[error("{place}: {name} is not part of a scikit-learn model that can be imported; nothing was run\nhelp: {help}")]
    Global {
        /// The byte or member.
        place: String,
        /// The module and the name.
        name: String,
        /// The advice.
        help: &'static str,
    },
    /// Content that a file of a fitted model can have and that is not read.
    #[error("{place}: {reason}\nhelp: {help}")]
    Unsupported {
        /// The byte or member.
        place: String,
        /// The content.
        reason: String,
        /// The advice.
        help: &'static str,
    },
    /// More content than a model file can have.
    #[error("the file has more than {limit}\nhelp: use ordinate.from_sklearn in Python")]
    TooLarge {
        /// The limit.
        limit: String,
    },
}

/// Advice where Python can do it.
pub(super) const IN_PYTHON: &str = "use ordinate.from_sklearn in Python, where the model was fitted";

impl FileError {
    pub(super) fn damaged(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged { place: printable(&place.into()), reason: reason.into() }
    }

    pub(super) fn unsupported(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Unsupported { place: place.into(), reason: reason.into(), help: IN_PYTHON }
    }

    pub(super) fn global(place: impl Into<String>, module: &str, name: &str) -> Self {
        let help = match module.split('.').next() {
            Some("sklearn") if is_former(module) => {
                "the file is from a scikit-learn older than 0.22; fit the model with 1.1 or later, and save it again"
            }
            Some("sklearn") => {
                "fit a linear model; if this class only selects columns, use ordinate.from_sklearn in Python"
            }
            Some("scipy") if module.starts_with("scipy.stats") => {
                "save the fitted pipeline without the search: joblib.dump(search.best_estimator_, \"model.joblib\")"
            }
            Some("statsmodels") => "use ordinate.from_statsmodels in Python",
            _ => {
                "do not load the file unless you trust its author; with a class of your own, use ordinate.from_sklearn"
            }
        };
        Self::Global { place: place.into(), name: format!("{}.{}", printable(module), printable(name)), help }
    }
}

/// The beginning of a text of a file, which has any length and may contain control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}
