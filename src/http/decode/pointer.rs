//! JSON pointers as URI fragments (RFC 6901 §6).

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All characters except those that a fragment may contain unescaped (RFC 3986 §3.5); `/` separates the tokens.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// A JSON pointer.
#[derive(Debug)]
pub(super) struct Pointer(String);

impl Pointer {
    /// The whole document: `#`.
    pub(super) fn root() -> Self {
        Self("#".into())
    }

    /// Appends the name of a member or the index of an element.
    pub(super) fn key(mut self, key: impl Display) -> Self {
        let token = key.to_string().replace('~', "~0").replace('/', "~1");
        self.0.push('/');
        self.0.extend(utf8_percent_encode(&token, ESCAPED));
        self
    }

    /// Appends a name or an index, if there is one.
    pub(super) fn maybe(self, key: Option<impl Display>) -> Self {
        match key {
            Some(key) => self.key(key),
            None => self,
        }
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        let pointer_to = |name: &str| String::from(Pointer::root().key("X").key(3).key(name));
        assert_eq!(pointer_to("bmi"), "#/X/3/bmi");
        assert_eq!(pointer_to("a/b"), "#/X/3/a~1b");
        assert_eq!(pointer_to("m~n"), "#/X/3/m~0n");
        assert_eq!(pointer_to("c%d e\"é"), "#/X/3/c%25d%20e%22%C3%A9");
        assert_eq!(pointer_to(""), "#/X/3/");
    }
}
