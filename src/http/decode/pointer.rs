//! JSON pointers in their URI fragment form: RFC 6901 §6.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a fragment may hold as it is (RFC 3986 §3.5), less `/`, which separates.
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

/// A pointer under construction.
#[derive(Debug)]
pub(super) struct Pointer(String);

impl Pointer {
    /// The whole document: `#`.
    pub(super) fn root() -> Self {
        Self("#".into())
    }

    /// Goes on to a member or an element.
    pub(super) fn key(mut self, key: impl Display) -> Self {
        let token = key.to_string().replace('~', "~0").replace('/', "~1");
        self.0.push('/');
        self.0.extend(utf8_percent_encode(&token, ESCAPED));
        self
    }

    /// Goes on where there is something to go on to.
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
    fn every_name_has_a_pointer_that_finds_it() {
        let of = |name: &str| String::from(Pointer::root().key("X").key(3).key(name));
        assert_eq!(of("bmi"), "#/X/3/bmi");
        assert_eq!(of("a/b"), "#/X/3/a~1b");
        assert_eq!(of("m~n"), "#/X/3/m~0n");
        assert_eq!(of("c%d e\"é"), "#/X/3/c%25d%20e%22%C3%A9");
        assert_eq!(of(""), "#/X/3/");
    }
}
