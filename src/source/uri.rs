//! `MODEL_URI`: from text to the location of a model.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ordinate_model::wording::is_text_control;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use thiserror::Error;

/// The location of a model or of many: the bundled models, a folder, or a prefix in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelUri {
    /// The models compiled into the program; written as an empty text.
    Bundled,
    /// A path, or `file:///absolute/path.json`.
    File(PathBuf),
    /// `s3://bucket/key.json`.
    S3(ObjectLocation),
    /// A folder with a catalog: a path or `file:///absolute/path/` with a slash at the end.
    Folder(PathBuf),
    /// A catalog in S3: `s3://bucket/prefix/` or `s3://bucket/`, whose key is the prefix.
    S3Folder(ObjectLocation),
}

/// An object in S3. `Display` writes `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectLocation {
    bucket: String,
    key: String,
}

impl ObjectLocation {
    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The object's key as in S3: `s3://` URIs are not percent-encoded.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The object whose key is this one followed by `path`.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        Self { bucket: self.bucket.clone(), key: format!("{}{path}", self.key) }
    }
}

impl fmt::Display for ObjectLocation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Why a text is not the location of a model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{value:?}: {}", self.problem())]
pub struct UriError {
    /// The whole text.
    value: String,
    reason: &'static str,
}

impl UriError {
    /// The reason and the supported forms, without the text itself.
    #[must_use]
    pub fn problem(&self) -> String {
        format!(
            "{}; expected a path, file:///absolute/path.json or s3://bucket/key.json, or one that ends with / for the models \
             of a catalog",
            self.reason
        )
    }
}

impl ModelUri {
    /// The location that a user means: as [`str::parse`], but a folder that exists is a catalog also without a slash at
    /// its end.
    ///
    /// # Errors
    /// [`UriError`] if it is not a location.
    pub fn locate(value: &str) -> Result<Self, UriError> {
        Ok(match value.parse()? {
            Self::File(path) if path.is_dir() => Self::Folder(path),
            uri => uri,
        })
    }

    /// Whether it is the location of a catalog.
    #[must_use]
    pub fn is_catalog(&self) -> bool {
        matches!(self, Self::Folder(_) | Self::S3Folder(_))
    }
}

/// The URI of a path, which names the same file when it is parsed. Characters without a meaning in a URI and without an
/// effect on a terminal are left as they are, for readers.
pub(super) fn file_uri(path: &Path) -> String {
    let mut uri = "file://".to_owned();
    for character in path.display().to_string().chars() {
        if matches!(character, '%' | '?' | '#') || is_text_control(character) {
            uri.extend(utf8_percent_encode(character.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC));
        } else {
            uri.push(character);
        }
    }
    uri
}

impl FromStr for ModelUri {
    type Err = UriError;

    fn from_str(value: &str) -> Result<Self, UriError> {
        if value.is_empty() {
            return Ok(Self::Bundled);
        }
        let is_folder = value.ends_with('/');
        let local = if is_folder { Self::Folder } else { Self::File };
        let location = if let Some(rest) = value.strip_prefix("file://") {
            // The last slash may be encoded.
            file(rest)
                .map(|path| if path.to_string_lossy().ends_with('/') { Self::Folder(path) } else { Self::File(path) })
        } else if let Some(rest) = value.strip_prefix("s3://") {
            object(rest).map(if is_folder { Self::S3Folder } else { Self::S3 })
        } else if value.contains("://") {
            Err("unknown scheme")
        } else if ["file:", "s3:"].iter().any(|scheme| value.starts_with(scheme)) {
            Err("the scheme must be followed by //")
        } else if value.contains('\0') {
            Err("a path cannot contain a zero byte")
        } else {
            Ok(local(value.into()))
        };
        location.map_err(|reason| UriError { value: value.to_owned(), reason })
    }
}

/// The part after `file://`: an absolute path, percent-encoded.
fn file(encoded: &str) -> Result<PathBuf, &'static str> {
    if !encoded.starts_with('/') {
        return Err("the path must be absolute, after a third slash");
    }
    if encoded.contains(['?', '#']) {
        return Err("a file URI has no query and no fragment (in a path, write ? as %3F and # as %23)");
    }
    let escape_is_whole = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !encoded.split('%').skip(1).all(escape_is_whole) {
        return Err("two hexadecimal digits must follow each % (in a path, write % as %25)");
    }
    let path = percent_decode_str(encoded).decode_utf8().map_err(|_| "the decoded path is not UTF-8")?;
    if path.contains('\0') {
        return Err("a path cannot contain a zero byte");
    }
    Ok(PathBuf::from(path.into_owned()))
}

/// The part after `s3://`: a bucket and a key, not percent-encoded.
fn object(rest: &str) -> Result<ObjectLocation, &'static str> {
    let (bucket, key) = rest.split_once('/').ok_or("no key after the bucket")?;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let bounded = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !(3..=63).contains(&bucket.len())
        || !bucket.bytes().all(allowed)
        || !bounded(bucket.bytes().next())
        || !bounded(bucket.bytes().last())
    {
        return Err(
            "a bucket name has 3 to 63 lower-case letters, digits, dots and hyphens, and starts and ends with a letter or \
             digit",
        );
    }
    if key.len() > 1024 {
        return Err("the key exceeds 1024 bytes");
    }
    if key.chars().any(char::is_control) {
        return Err("the key contains a control character");
    }
    Ok(ObjectLocation { bucket: bucket.to_owned(), key: key.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", ModelUri::Bundled)]
    #[case("file:///models/line.json", ModelUri::File("/models/line.json".into()))]
    #[case("file:///my%20models/100%25/%C3%A9.json", ModelUri::File("/my models/100%/é.json".into()))]
    #[case("file:///a b/line.json", ModelUri::File("/a b/line.json".into()))]
    #[case("line.json", ModelUri::File("line.json".into()))]
    #[case("../models/it's 100%.json", ModelUri::File("../models/it's 100%.json".into()))]
    #[case("/models/line.json", ModelUri::File("/models/line.json".into()))]
    #[case("models/", ModelUri::Folder("models/".into()))]
    #[case("file:///my%20models/", ModelUri::Folder("/my models/".into()))]
    fn bundled_models_files_and_folders(#[case] text: &str, #[case] uri: ModelUri) {
        assert_eq!(text.parse(), Ok(uri));
    }

    #[rstest]
    #[case("s3://models/line.json", "models", "line.json")]
    #[case("s3://my.models-1/a/b/c%20d#e?.json", "my.models-1", "a/b/c%20d#e?.json")]
    fn an_object_is_a_bucket_and_a_key_without_percent_encoding(
        #[case] text: &str,
        #[case] bucket: &str,
        #[case] key: &str,
    ) {
        let Ok(ModelUri::S3(location)) = text.parse() else { panic!("{text}") };
        assert_eq!((location.bucket(), location.key()), (bucket, key));
        assert_eq!(location.to_string(), text);
    }

    #[rstest]
    #[case("s3://models/", "")]
    #[case("s3://models/team/", "team/")]
    fn a_catalog_in_s3_is_a_prefix_that_ends_with_a_slash(#[case] text: &str, #[case] prefix: &str) {
        let Ok(ModelUri::S3Folder(location)) = text.parse() else { panic!("{text}") };
        assert_eq!((location.bucket(), location.key()), ("models", prefix));
        assert_eq!(location.join("price/1.json").to_string(), format!("{text}price/1.json"));
    }

    #[test]
    fn a_folder_that_exists_is_a_catalog_with_and_without_a_slash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        for (text, is_catalog) in [
            (path.to_owned(), true),
            (format!("{path}/"), true),
            (format!("file://{path}"), true),
            (format!("{path}/absent"), false),
            (format!("{path}/absent/"), true),
            ("s3://models/team".to_owned(), false),
            ("s3://models/team/".to_owned(), true),
        ] {
            assert_eq!(ModelUri::locate(&text).unwrap().is_catalog(), is_catalog, "{text}");
        }
    }

    #[rstest]
    #[case("line\0.json", "zero byte")]
    #[case("https://example.com/line.json", "unknown scheme")]
    #[case("S3://models/line.json", "unknown scheme")]
    #[case("file:/models/line.json", "must be followed by //")]
    #[case("s3:models/line.json", "must be followed by //")]
    #[case("file://models/line.json", "third slash")]
    #[case("file:///models/50%/line.json", "two hexadecimal digits")]
    #[case("file:///models/%2", "two hexadecimal digits")]
    #[case("file:///models/%ff.json", "not UTF-8")]
    #[case("file:///models/%00.json", "zero byte")]
    #[case("file:///models/line.json?v=1", "%3F")]
    #[case("s3://models", "no key")]
    #[case("s3:///line.json", "3 to 63")]
    #[case("s3://Models/line.json", "3 to 63")]
    #[case("s3://-models/line.json", "3 to 63")]
    #[case("s3://user:secret@models/line.json", "3 to 63")]
    fn an_error_names_the_text_the_reason_and_the_supported_forms(#[case] text: &str, #[case] reason: &str) {
        let message = text.parse::<ModelUri>().unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
        assert!(message.contains(&format!("{text:?}")), "{message}");
        assert!(message.contains("file:///absolute/path.json or s3://bucket/key.json"), "{message}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", scheme in prop::sample::select(vec!["", "file:///", "s3://", "s3://models/"])) {
            let _ = format!("{scheme}{text}").parse::<ModelUri>();
        }

        #[test]
        fn the_uri_of_a_path_is_that_of_the_same_path(path in "/[^/\0]([^\0]{0,40}[^/\0])?") {
            let uri = file_uri(Path::new(&path));
            prop_assert!(!uri.contains(is_text_control));
            prop_assert_eq!(uri.parse(), Ok(ModelUri::File(path.into())));
        }

        #[test]
        fn a_percent_encoded_path_is_decoded(path in "/[^/\0]([^\0]{0,40}[^/\0])?") {
            let encoded = percent_encoding::utf8_percent_encode(&path, percent_encoding::NON_ALPHANUMERIC).to_string();
            let uri = format!("file://{}", encoded.replace("%2F", "/"));
            prop_assert_eq!(uri.parse(), Ok(ModelUri::File(path.into())));
        }
    }
}
