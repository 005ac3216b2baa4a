//! Keys of lines of a file that are not features: the line is copied, so each may occur once.

use std::collections::{BTreeSet, HashSet};

use ordinate_model::wording::shorten;

/// The keys of a row that are not features. Each may occur once, and none may be reserved.
#[derive(Debug)]
pub(super) struct OtherKeys<'s> {
    reserved: &'s BTreeSet<String>,
    seen: HashSet<String>,
}

impl<'s> OtherKeys<'s> {
    /// Before the first row.
    pub(super) fn new(reserved: &'s BTreeSet<String>) -> Self {
        Self { reserved, seen: HashSet::new() }
    }

    /// Adds a key of the current row, and returns what is wrong with it.
    pub(super) fn fault(&mut self, name: String) -> Option<String> {
        if self.reserved.contains(&name) {
            Some(format!("the object has a key {:?} already", shorten(&name)))
        } else if self.seen.contains(&name) {
            Some(format!("the object has the key {:?} twice", shorten(&name)))
        } else {
            self.seen.insert(name);
            None
        }
    }

    /// Forgets the keys of a row.
    pub(super) fn end_row(&mut self) {
        self.seen.clear();
    }
}
