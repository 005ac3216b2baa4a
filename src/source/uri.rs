//! `MODEL_URI`: text to a place, or one sentence that says what is allowed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use thiserror::Error;

/// Where the models come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelUri {
    /// The models compiled into the program: the empty text.
    Bundled,
    /// A path, or `file:///absolute/path.json`.
    File(PathBuf),
    /// `s3://bucket/key.json`.
    S3(ObjectLocation),
}

/// One object in S3. Its text is `s3://bucket/key`.
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

    /// The object's key, exactly as S3 knows it: S3 URIs are not percent-encoded.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for ObjectLocation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Why a text is no place for a model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UriError {
    /// It names many models.
    #[error("{value:?} ends in \"/\": catalogs of many models are not supported yet in this version; {ALLOWED}")]
    Catalog {
        /// The whole text.
        value: String,
    },
    /// It is none of the known forms.
    #[error("{value:?} is not a place for a model: {reason}; {ALLOWED}")]
    Invalid {
        /// The whole text.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// What every refusal ends in.
const ALLOWED: &str =
    "allowed are nothing (the bundled models), a path, file:///absolute/path.json and s3://bucket/key.json";

impl FromStr for ModelUri {
    type Err = UriError;

    fn from_str(value: &str) -> Result<Self, UriError> {
        if value.is_empty() {
            return Ok(Self::Bundled);
        }
        if value.ends_with('/') {
            return Err(UriError::Catalog { value: value.to_owned() });
        }
        let place = if let Some(rest) = value.strip_prefix("file://") {
            file(rest).map(Self::File)
        } else if let Some(rest) = value.strip_prefix("s3://") {
            object(rest).map(Self::S3)
        } else if value.contains("://") {
            Err("its scheme is unknown")
        } else if ["file:", "s3:"].iter().any(|scheme| value.starts_with(scheme)) {
            Err("its scheme is not followed by //")
        } else if value.contains('\0') {
            Err("a path cannot contain a zero byte")
        } else {
            Ok(Self::File(value.into()))
        };
        place.map_err(|reason| UriError::Invalid { value: value.to_owned(), reason })
    }
}

/// What follows `file://`: a path from the root, percent-decoded.
fn file(encoded: &str) -> Result<PathBuf, &'static str> {
    if !encoded.starts_with('/') {
        return Err("a file's path begins with a third slash, at the root");
    }
    if encoded.contains(['?', '#']) {
        return Err("a file has no query and no fragment (in a path write ? as %3F and # as %23)");
    }
    let escape_is_whole = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !encoded.split('%').skip(1).all(escape_is_whole) {
        return Err("a % is not followed by two hexadecimal digits (in a path write % as %25)");
    }
    let path = percent_decode_str(encoded).decode_utf8().map_err(|_| "the decoded path is not UTF-8")?;
    if path.contains('\0') {
        return Err("a path cannot contain a zero byte");
    }
    Ok(PathBuf::from(path.into_owned()))
}

/// What follows `s3://`: a bucket and a key, both as S3 knows them.
fn object(rest: &str) -> Result<ObjectLocation, &'static str> {
    let (bucket, key) = rest.split_once('/').ok_or("it has a bucket and no key")?;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let bounded = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !(3..=63).contains(&bucket.len())
        || !bucket.bytes().all(allowed)
        || !bounded(bucket.bytes().next())
        || !bounded(bucket.bytes().last())
    {
        return Err(
            "a bucket's name is 3 to 63 lower-case letters, digits, dots and hyphens, beginning and ending with a letter or digit",
        );
    }
    if key.len() > 1024 {
        return Err("a key has at most 1024 bytes");
    }
    if key.chars().any(char::is_control) {
        return Err("the key holds a control character");
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
    fn bundled_models_and_files(#[case] text: &str, #[case] place: ModelUri) {
        assert_eq!(text.parse(), Ok(place));
    }

    #[rstest]
    #[case("s3://models/line.json", "models", "line.json")]
    #[case("s3://my.models-1/a/b/c%20d#e?.json", "my.models-1", "a/b/c%20d#e?.json")]
    fn an_object_is_a_bucket_and_a_key_as_s3_knows_them(#[case] text: &str, #[case] bucket: &str, #[case] key: &str) {
        let Ok(ModelUri::S3(location)) = text.parse() else { panic!("{text}") };
        assert_eq!((location.bucket(), location.key()), (bucket, key));
        assert_eq!(location.to_string(), text);
    }

    #[rstest]
    #[case("s3://models/team/")]
    #[case("file:///models/")]
    fn a_catalog_is_not_supported_yet(#[case] text: &str) {
        assert_eq!(text.parse::<ModelUri>(), Err(UriError::Catalog { value: text.into() }));
        let message = text.parse::<ModelUri>().unwrap_err().to_string();
        assert!(message.contains("not supported yet"), "{message}");
    }

    #[rstest]
    #[case("line\0.json", "zero byte")]
    #[case("https://example.com/line.json", "scheme is unknown")]
    #[case("S3://models/line.json", "scheme is unknown")]
    #[case("file:/models/line.json", "not followed by //")]
    #[case("s3:models/line.json", "not followed by //")]
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
    fn anything_else_says_what_is_wrong_and_what_is_allowed(#[case] text: &str, #[case] reason: &str) {
        let message = text.parse::<ModelUri>().unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
        assert!(message.contains(&format!("{text:?}")), "{message}");
        assert!(message.contains("file:///absolute/path.json and s3://bucket/key.json"), "{message}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", scheme in prop::sample::select(vec!["", "file:///", "s3://", "s3://models/"])) {
            let _ = format!("{scheme}{text}").parse::<ModelUri>();
        }

        #[test]
        fn a_path_survives_its_encoding(path in "/[^/\0]([^\0]{0,40}[^/\0])?") {
            let encoded = percent_encoding::utf8_percent_encode(&path, percent_encoding::NON_ALPHANUMERIC).to_string();
            let uri = format!("file://{}", encoded.replace("%2F", "/"));
            prop_assert_eq!(uri.parse(), Ok(ModelUri::File(path.into())));
        }
    }
}
