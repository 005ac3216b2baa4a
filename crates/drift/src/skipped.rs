//! Counts of lines, rows and values that cannot be used, with the first of them.

use ordinate_model::wording::counted;

/// Lines, rows or values that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Their number.
    pub count: u64,
    /// Where the first is, and why it cannot be used.
    pub first: String,
}

impl Skipped {
    /// Adds one; `first` describes it.
    pub fn add(&mut self, first: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = first();
        }
        self.count += 1;
    }

    /// A remark such as `2 damaged lines skipped; first: rows.jsonl: line 3: …`; `None` for none.
    #[must_use]
    pub fn note(&self, one: &str, many: &str) -> Option<String> {
        (self.count > 0).then(|| format!("{}; first: {}", counted(self.count, one, many), self.first))
    }
}
