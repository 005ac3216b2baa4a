//! The keys of a protocol's object, and what messages say of them.

use jiter::Peek;

use super::{Complaint, Complaints, Pointer};
use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::frame::MAX_LISTED_FAULTS;
use ordinate_model::suggestion::most_similar;
use ordinate_model::wording::shorten;

/// The keys of a protocol's object.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Keys {
    /// The keys for the rows; a body has exactly one of them.
    pub(in crate::http) tables: &'static [(&'static str, Form)],
    /// Further keys for the rows, of other protocols, which messages do not name.
    pub(in crate::http) foreign_tables: &'static [(&'static str, Form)],
    /// The keys of options.
    pub(in crate::http) options: &'static [&'static str],
    /// Whether a body may also be a list of rows without a key, or a single row.
    pub(in crate::http) bare_rows: bool,
}

/// The forms of rows that a key accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Form {
    /// A list of rows, or an object of columns.
    Any,
    /// A list of rows: single values, lists, or objects.
    Rows,
    /// A list of rows, which may also be written as `{"features": […]}`.
    WrappedRows,
    /// A list of objects.
    Records,
    /// `{"features": {"values": […]}}`: one row in `SageMaker`'s long form.
    LongRow,
    /// `{"columns": […], "data": [[…]]}`, as pandas writes a frame with `orient="split"`.
    Split,
}

impl Keys {
    /// The keys of a protocol with one form of a body: an object.
    pub(in crate::http) const fn new(
        tables: &'static [(&'static str, Form)],
        options: &'static [&'static str],
    ) -> Self {
        Self { tables, foreign_tables: &[], options, bare_rows: false }
    }

    pub(super) fn table(&self, name: &str) -> Option<&'static (&'static str, Form)> {
        self.tables.iter().chain(self.foreign_tables).find(|(table, _)| *table == name)
    }

    /// The error of a body that does not begin like JSON, extended by an example.
    pub(super) fn advise(&self, error: ApiError) -> ApiError {
        ApiError { detail: format!("{}; send an object such as {}", error.detail, self.example()), ..error }
    }

    pub(super) fn example(&self) -> String {
        match self.tables.first() {
            Some((name, Form::Split)) => format!("{{{name:?}: {{\"columns\": […], \"data\": [[…]]}}}}"),
            Some((name, Form::WrappedRows)) => format!("{{{name:?}: [{{\"features\": […]}}]}}"),
            Some((name, Form::LongRow)) => format!("{{{name:?}: {{\"features\": {{\"values\": […]}}}}}}"),
            Some((name, Form::Records)) => format!("{{{name:?}: [{{…}}]}}"),
            Some((name, _)) => format!("{{{name:?}: [[…]]}}"),
            None => "{}".into(),
        }
    }

    fn missing(&self) -> String {
        match self.tables {
            [(name, _)] => format!("missing key {name:?} with the rows"),
            _ => format!("missing rows; send them under {}", self.row_keys()),
        }
    }

    /// `"X"`, or `one of the keys "instances", "inputs"`.
    fn row_keys(&self) -> String {
        match self.tables {
            [(name, _)] => format!("{name:?}"),
            several => {
                let names = several.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(", ");
                format!("one of the keys {names}")
            }
        }
    }

    /// An example of a body with rows by name, or with columns if they are requested and supported.
    fn example_by_name(&self, columns: bool) -> Option<String> {
        let of_form = |is: fn(Form) -> bool| self.tables.iter().find(|(_, form)| is(*form)).map(|(name, _)| name);
        let columns = of_form(|form| form == Form::Any).filter(|_| columns).map(|name| format!("{{{name:?}: {{…}}}}"));
        let has_names = |form| matches!(form, Form::Any | Form::Rows | Form::WrappedRows | Form::Records);
        columns.or_else(|| of_form(has_names).map(|name| format!("{{{name:?}: [{{…}}]}}")))
    }

    /// The key that was meant by an unknown key, whose value was peeked.
    fn similar(&self, name: &str, value: Peek) -> Option<&'static str> {
        // No option is a list.
        let options = if value == Peek::Array { &[][..] } else { self.options };
        most_similar(name, self.tables.iter().map(|(name, _)| *name).chain(options.iter().copied()))
    }

    /// The description of an unknown key, whose value was peeked.
    pub(super) fn unknown(&self, name: &str, value: Peek) -> String {
        let suggestion = self.similar(name, value).map(|similar| format!("; did you mean {similar:?}?"));
        format!("unknown key {:?}; {}{}", shorten(name), self.listed(), suggestion.unwrap_or_default())
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.tables.iter().map(|(name, _)| *name).chain(self.options.iter().copied())
    }

    fn listed(&self) -> String {
        let names: Vec<String> = self.names().map(|name| format!("{name:?}")).collect();
        match names.as_slice() {
            [only] => format!("the only key is {only}"),
            several => format!("the keys are {}", several.join(", ")),
        }
    }
}

impl Form {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Any => "a list of rows or an object of columns",
            Self::Rows | Self::WrappedRows => "a list of rows",
            Self::Records => "a list of objects",
            Self::LongRow => "an object such as {\"features\": {\"values\": […]}}",
            Self::Split => "an object with \"columns\" and \"data\"",
        }
    }
}

/// The unknown keys of a body: their numbers by kind.
#[derive(Debug, Default)]
pub(super) struct UnknownKeys {
    total: usize,
    /// Those whose value is a list or an object, as rows are.
    tables: usize,
    /// Those that are the name of a feature, and those of them whose value is a list.
    features: usize,
    columns: usize,
    /// Whether the first one is similar to a known key.
    is_similar: bool,
}

impl UnknownKeys {
    /// Counts a key by its value, which was peeked.
    pub(super) fn add(&mut self, known: &Keys, name: &str, value: Peek, is_feature: bool) {
        if self.total == 0 {
            self.is_similar = known.similar(name, value).is_some();
        }
        self.total += 1;
        self.tables += usize::from(matches!(value, Peek::Array | Peek::Object));
        self.features += usize::from(is_feature);
        self.columns += usize::from(is_feature && value == Peek::Array);
    }

    /// The error of a body without rows. Unknown keys can be the reason: a row without a key, or rows under another key.
    pub(super) fn without_rows(&self, known: &Keys, keys: Complaints) -> ApiError {
        let Complaints { first: mut complaints, total } = keys;
        let root = |code, detail| Complaint { code, pointer: Some(Pointer::root().into()), detail };
        let is_table = (self.total, self.tables, total) == (1, 1, 1);
        // `x` for `X`, although it may be a feature, too.
        if is_table && self.is_similar {
            return ApiError::complaints(complaints, 1);
        }
        if self.features > 0
            && self.features == total
            && let Some(example) = known.example_by_name(self.columns == self.features)
        {
            let detail = format!("the features are keys of the body itself; send them as {example}");
            return ApiError::complaints(vec![root(ErrorCode::UnknownKey, detail)], 1);
        }
        if is_table && let Some(complaint) = complaints.first_mut() {
            complaint.detail = format!("{}; send the rows under {}", complaint.detail, known.row_keys());
            return ApiError::complaints(complaints, 1);
        }
        complaints.push(root(ErrorCode::MissingKey, known.missing()));
        complaints.truncate(MAX_LISTED_FAULTS);
        ApiError::complaints(complaints, total + 1)
    }
}
