//! The texts of catalogs: `MODEL_URI` and the files of aliases.

use ordinate::source::ModelUri;
use ordinate::source::catalog::CatalogError;
use ordinate::source::catalog::alias_file::parse_alias;
use ordinate::source::file::FileSource;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that are encoded in a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');

/// A location that is accepted, written again, is the same; an error has the text and a reason.
pub(crate) fn check_uri(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let uri = match text.parse::<ModelUri>() {
        Ok(uri) => uri,
        Err(error) => {
            assert!(error.to_string().starts_with(&format!("{text:?}: ")), "{error}");
            assert!(error.problem().contains("; expected a path"), "{error}");
            return false;
        }
    };
    match &uri {
        ModelUri::Bundled => assert_eq!(text, ""),
        ModelUri::S3(location) | ModelUri::S3Folder(location) => {
            assert_eq!(location.to_string(), text);
            assert_eq!(matches!(uri, ModelUri::S3Folder(_)), text.ends_with('/'));
        }
        ModelUri::File(path) | ModelUri::Folder(path) => {
            let path = path.to_str().unwrap();
            assert!(!path.contains('\0'), "{text:?}");
            if !text.starts_with("file://") {
                assert_eq!(path, text);
            }
            if path.starts_with('/') {
                let encoded = utf8_percent_encode(path, ENCODED).to_string();
                assert_eq!(format!("file://{encoded}").parse(), Ok(uri.clone()), "{text:?}");
            }
        }
    }
    true
}

/// The file of an alias that is accepted, written again, is the same; an error has the location, and a line and a column or
/// the versions that disagree.
pub(crate) fn check_alias(bytes: &[u8]) -> bool {
    let source = FileSource::new("/models/price/aliases/live.json");
    match parse_alias(&source, bytes) {
        Ok(file) => {
            let text = serde_json::to_vec(&file).unwrap();
            assert_eq!(parse_alias(&source, &text).unwrap(), file);
            assert!(file.version().number() > 0);
            assert_eq!(file.releases().last().map(|release| &release.version), Some(file.version()));
            true
        }
        Err(CatalogError::Unavailable(error)) => {
            let message = ordinate::source::Causes(&*error).to_string();
            assert!(message.starts_with("file:///models/price/aliases/live.json: not an alias file"), "{message}");
            let has_place = message.contains("line ") && message.contains("column ");
            assert!(has_place || message.contains("history is"), "{message}");
            false
        }
        Err(other) => panic!("{other:?}"),
    }
}
