//! Model names, versions and checksums: they occur in URLs, headers and logs, and their types prove that they were
//! checked.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A model's name: 1 to 64 of `A–Z a–z 0–9 . _ -`, beginning with a letter or digit, without two dots in a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName(String);

impl ModelName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text with each other character replaced by a hyphen, or `model` if nothing is left.
    #[must_use]
    pub fn from_text_lossy(text: &str) -> Self {
        let kept = |letter: char| u8::try_from(letter).is_ok_and(is_allowed);
        let name: String =
            text.chars().map(|letter| if kept(letter) { letter } else { '-' }).take(MAX_LENGTH).collect();
        let mut name = name.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()).to_owned();
        while name.contains(PARENT) {
            name = name.replace(PARENT, ".");
        }
        Self(if name.is_empty() { "model".to_owned() } else { name })
    }
}

/// Which names are allowed, for errors.
pub const MODEL_NAME_RULE: &str = "1 to 64 letters, digits, dots, hyphens and underscores, \
beginning with a letter or digit, without two dots in a row";

/// The most bytes of a name.
const MAX_LENGTH: usize = 64;

/// The name of the folder above, which no name contains.
const PARENT: &str = "..";

/// Whether a name may contain this byte.
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

impl TryFrom<String> for ModelName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let begins_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if begins_well && name.len() <= MAX_LENGTH && name.bytes().all(is_allowed) && !name.contains(PARENT) {
            Ok(Self(name))
        } else {
            Err(format!("expected a model name, {MODEL_NAME_RULE}, got {:?}", crate::wording::shorten(&name)))
        }
    }
}

impl From<ModelName> for String {
    fn from(name: ModelName) -> Self {
        name.0
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The number of characters of a [`short_digest`].
pub const SHORT_DIGEST: usize = 8;

/// The start of the SHA-256 of a text, which makes a name unique that is derived from the text.
#[must_use]
pub fn short_digest(text: &str) -> String {
    Checksum::compute(text.as_bytes()).as_str().chars().take(SHORT_DIGEST).collect()
}

/// A model's version: a whole number from 1 in decimal digits without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

impl Version {
    /// The first version.
    #[must_use]
    pub fn first() -> Self {
        Self("1".into())
    }

    /// The version as a number.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.0.parse().unwrap_or(u32::MAX)
    }

    /// The version after this one; `None` after the last number.
    #[must_use]
    pub fn next(&self) -> Option<Self> {
        self.number().checked_add(1).map(|number| Self(number.to_string()))
    }

    /// The version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(version: String) -> Result<Self, String> {
        match version.parse::<u32>() {
            Ok(number) if number > 0 && number.to_string() == version => Ok(Self(version)),
            _ => Err(format!("expected a version, a whole number from 1, got {:?}", crate::wording::shorten(&version))),
        }
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A SHA-256, as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Checksum(String);

impl Checksum {
    /// The checksum of these bytes.
    #[must_use]
    pub fn compute(bytes: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        Self::from_digest(Sha256::digest(bytes).as_ref())
    }

    /// The checksum from the 32 bytes of a digest.
    #[must_use]
    pub fn from_digest(digest: &[u8]) -> Self {
        let mut digits = String::with_capacity(2 * digest.len());
        for nibble in digest.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
            digits.extend(char::from_digit(nibble.into(), 16));
        }
        Self(digits)
    }

    /// The checksum as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Checksum {
    type Error = String;

    fn try_from(digits: String) -> Result<Self, String> {
        let lower = digits.to_ascii_lowercase();
        if lower.len() == 64 && lower.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(lower))
        } else {
            Err(format!("expected a SHA-256 of 64 hexadecimal digits, got {:?}", crate::wording::shorten(&digits)))
        }
    }
}

impl From<Checksum> for String {
    fn from(checksum: Checksum) -> Self {
        checksum.0
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_valid_name() {
        for (text, name) in [
            ("churn", "churn"),
            ("my data", "my-data"),
            ("goo*", "goo"),
            ("modèle", "mod-le"),
            ("-", "model"),
            ("", "model"),
            ("..a_b.", "a_b"),
            ("a....b..c", "a.b.c"),
        ] {
            assert_eq!(ModelName::from_text_lossy(text).as_str(), name, "{text:?}");
        }
        for text in ["é".repeat(300), "x".repeat(300), format!("{}é", "x".repeat(63))] {
            let name = ModelName::from_text_lossy(&text);
            assert_eq!(ModelName::try_from(name.as_str().to_owned()), Ok(name));
        }
    }

    #[test]
    fn names_are_safe_in_a_url_a_header_and_a_log() {
        for good in ["line", "breast-cancer", "v2.1_final", "9"] {
            assert!(ModelName::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a..b", "a..", "-x", "a/b", "a b", "é", "a\n", &"x".repeat(65)] {
            assert!(ModelName::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_are_whole_numbers_from_one_without_signs_or_leading_zeros() {
        assert!(Version::try_from("17".to_owned()).is_ok());
        for bad in ["", "0", "01", "-1", "+1", "1.0", "latest", "99999999999"] {
            assert!(Version::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_checksum_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            Checksum::compute(b"abc").as_str(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(Checksum::try_from("BA".repeat(32)).is_ok_and(|sum| sum.as_str() == "ba".repeat(32)));
        assert!(Checksum::try_from("xy".repeat(32)).is_err());
    }
}
