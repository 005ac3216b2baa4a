//! Reads cells, rows and columns from JSON token by token, directly into the frame's builders.

use std::collections::BTreeSet;

use jiter::{Jiter, JiterError, Peek};

use super::other_keys::OtherKeys;
use super::syntax::syntax;
use crate::http::decode::Layout;
use crate::http::server::error::ApiError;
use ordinate_model::cell::Cell;
use ordinate_model::frame::{ColumnsBuilder, Frame, RowsBuilder, expected_values};
use ordinate_model::frame::{Fault, FaultKind, Faults, Place};
use ordinate_model::signature::Signature;

/// The signature and the limits that rows must fit.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Terms<'s> {
    /// The features of the model.
    pub(in crate::http) signature: &'s Signature,
    /// The maximum number of rows.
    pub(in crate::http) max_rows: usize,
    pub(in crate::http) names: Names,
}

/// The treatment of names in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Names {
    /// A name that is not a feature is an error, and so is an absent feature.
    Exact,
    /// Names that are not features are ignored.
    IgnoreUnknown,
    /// A feature that is absent from an object counts as missing, if missing values of it are accepted.
    ImputeAbsent,
}

impl<'s> Terms<'s> {
    pub(in crate::http) fn rows(self) -> RowsBuilder<'s> {
        let rows = RowsBuilder::new(self.signature, self.max_rows);
        match self.names {
            Names::Exact => rows,
            Names::IgnoreUnknown => rows.ignoring_unknown_features(),
            Names::ImputeAbsent => rows.imputing_absent_features(),
        }
    }

    pub(in crate::http) fn columns(self) -> ColumnsBuilder<'s> {
        let columns = ColumnsBuilder::new(self.signature, self.max_rows);
        if self.names == Names::IgnoreUnknown { columns.ignoring_unknown_features() } else { columns }
    }
}

/// A frame, or the faults of its rows; and their layout.
pub(super) type Table<'s> = (Result<Frame<'s>, Faults>, Layout);

/// Reads rows into a frame. All rows must have the layout of the first.
#[derive(Debug)]
pub(in crate::http) struct RowsReader<'s> {
    rows: RowsBuilder<'s>,
    width: usize,
    layout: Option<Layout>,
    /// Whether `{"features": […]}` and `{"data": {"features": {"values": […]}}}` are positional rows, which needs a model
    /// without a feature of the name of the first key.
    unwraps: bool,
    /// The number of rows so far, with the current one.
    started: usize,
    /// Whether rows may have another layout than the first.
    is_mixed: bool,
    /// For lines of a file, whose other keys are copied: the keys of the current row that are not features.
    other_keys: Option<OtherKeys<'s>>,
}

impl<'s> RowsReader<'s> {
    /// A reader without rows. With `unwraps`, it accepts the forms of `SageMaker`, too: `{"features": […]}` and
    /// `{"data": {"features": {"values": […]}}}`, unless the model has a feature of the name of the first key.
    pub(in crate::http) fn new(terms: Terms<'s>, unwraps: bool) -> Self {
        Self {
            rows: terms.rows(),
            width: terms.signature.width(),
            layout: None,
            unwraps,
            started: 0,
            is_mixed: false,
            other_keys: None,
        }
    }

    /// A reader without rows for lines of a file, each of any layout. An object may not have a reserved key, or a key
    /// twice.
    pub(in crate::http::decode) fn for_lines(terms: Terms<'s>, reserved: &'s BTreeSet<String>) -> Self {
        let other_keys = Some(OtherKeys::new(reserved));
        let rows = terms.rows().listing_all_unknown_categories();
        Self { rows, is_mixed: true, other_keys, ..Self::new(terms, true) }
    }

    /// A reader without rows that accepts objects only.
    pub(super) fn for_objects(terms: Terms<'s>) -> Self {
        Self { layout: Some(Layout::Named), ..Self::new(terms, false) }
    }

    /// Reads the next value of `reader` as the next row.
    ///
    /// # Errors
    /// 400 if it is not JSON, 413 above the limit of rows. [`finish`](Self::finish) returns the faults of values.
    pub(in crate::http) fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), ApiError> {
        self.rows.start_row()?;
        self.started += 1;
        let found = match reader.peek()? {
            Peek::Array => Layout::Positional,
            Peek::Object if self.unwraps => return self.object(reader),
            Peek::Object => Layout::Named,
            _ => Layout::Flat,
        };
        if self.matches_first(found) {
            match found {
                Layout::Positional => reader.positional_row(&mut self.rows)?,
                Layout::Named => reader.named_row(&mut self.rows)?,
                _ if self.width == 1 => self.rows.push(reader.cell()?),
                _ => {
                    let got = reader.cell()?.to_string();
                    let expected = expected_values(self.rows.signature());
                    self.rows.wrong_row(FaultKind::WrongWidth, format!("expected a list of {expected}, got {got}"));
                }
            }
        } else {
            let got = reader.cell()?.to_string();
            self.wrong_layout(&got);
        }
        Ok(())
    }

    /// Reads an object: a row by name, `{"features": […]}`, or `{"data": …}`.
    fn object(&mut self, reader: &mut Reader<'_>) -> Result<(), ApiError> {
        let first = reader.first_key()?;
        let is = |name: &str| first.as_deref() == Some(name) && self.rows.signature().position(name).is_none();
        let wrapped = is(FEATURES) && reader.peek()? == Peek::Array;
        let long = is(DATA) && reader.peek()? == Peek::Object;
        if !self.matches_first(if wrapped || long { Layout::Wrapped } else { Layout::Named }) {
            let mut key = first;
            while key.is_some() {
                reader.skip()?;
                key = reader.next_key()?;
            }
            self.wrong_layout("an object of another form");
        } else if wrapped {
            self.other_key(FEATURES.to_owned());
            reader.positional_row(&mut self.rows)?;
            reader.expect_no_key(FEATURES, &mut self.rows)?;
        } else if long {
            self.other_key(DATA.to_owned());
            reader.long_row(&mut self.rows)?;
            reader.expect_no_key(DATA, &mut self.rows)?;
        } else {
            let mut key = first;
            while let Some(name) = key {
                let position = self.rows.position(&name);
                if position.is_none() {
                    self.other_key(name);
                }
                reader.named_value(&mut self.rows, position)?;
                key = reader.next_key()?;
            }
            self.rows.end_named_row();
        }
        if let Some(keys) = &mut self.other_keys {
            keys.end_row();
        }
        Ok(())
    }

    /// Checks a key that is not a feature.
    fn other_key(&mut self, name: String) {
        if let Some(detail) = self.other_keys.as_mut().and_then(|keys| keys.fault(name)) {
            self.rows.wrong_row(FaultKind::DuplicateFeature, detail);
        }
    }

    fn matches_first(&mut self, found: Layout) -> bool {
        *self.layout.get_or_insert(found) == found || self.is_mixed
    }

    fn wrong_layout(&mut self, got: &str) {
        let expected = self.layout.unwrap_or(Layout::Flat).noun();
        let example = if self.started > 1 { " as in row 0" } else { "" };
        self.rows.wrong_row(FaultKind::Ragged, format!("expected {expected}{example}, got {got}"));
    }

    /// Reads the value of `data`, the only row, in the long form of `SageMaker`.
    pub(super) fn read_long(mut self, reader: &mut Reader<'_>) -> Result<Table<'s>, ApiError> {
        self.rows.start_row()?;
        self.layout = Some(Layout::Wrapped);
        reader.long_row(&mut self.rows)?;
        Ok(self.finish())
    }

    /// Reads the values of a list that has begun as one row; `first` is the peeked kind of the first value.
    fn read_flat(mut self, reader: &mut Reader<'_>, first: Option<Peek>) -> Result<Table<'s>, ApiError> {
        self.rows.start_row()?;
        self.layout = Some(Layout::Flat);
        reader.values(&mut self.rows, first)?;
        Ok(self.finish())
    }

    /// The frame, or the faults of the rows; and their layout.
    pub(in crate::http) fn finish(self) -> Table<'s> {
        let layout = self.layout.unwrap_or(Layout::Flat);
        let is_one_row = layout == Layout::Flat && self.width > 1 && self.started == self.width;
        let signature = self.rows.signature();
        let outcome = self.rows.finish().map_err(|faults| {
            if !is_one_row {
                return faults;
            }
            let expected = expected_values(signature);
            one_fault(
                FaultKind::WrongWidth,
                format!("expected a list of {expected} per row, got single values; write one row as [[…]]"),
            )
        });
        (outcome, layout)
    }
}

/// The key of a row in the JSON of `SageMaker`.
const FEATURES: &str = "features";

/// The key of a row in its long form.
const DATA: &str = "data";

/// Reads JSON from start to end.
#[derive(Debug)]
pub(in crate::http) struct Reader<'j> {
    text: &'j str,
    json: Jiter<'j>,
    /// The number of lines of the body before the text.
    lines_before: usize,
}

impl<'j> Reader<'j> {
    /// A reader at the start of a text.
    pub(in crate::http) fn new(text: &'j str) -> Self {
        Self::after(0, text)
    }

    /// A reader at the start of a text that follows `lines_before` lines of the body.
    pub(in crate::http) fn after(lines_before: usize, text: &'j str) -> Self {
        Self { text, json: Jiter::new(text.as_bytes()).with_allow_inf_nan(), lines_before }
    }

    /// A list of rows.
    ///
    /// With `or_row`, single values are one row of a model with several features.
    pub(super) fn list_of_rows<'s>(&mut self, mut rows: RowsReader<'s>, or_row: bool) -> Result<Table<'s>, ApiError> {
        let mut element = self.step(jiter::Jiter::known_array)?;
        let is_row = element.is_some_and(|first| !matches!(first, Peek::Array | Peek::Object)) && rows.width > 1;
        if or_row && is_row {
            return rows.read_flat(self, element);
        }
        while element.is_some() {
            rows.read(self)?;
            element = self.step(jiter::Jiter::array_step)?;
        }
        Ok(rows.finish())
    }

    pub(super) fn positional_row(&mut self, rows: &mut RowsBuilder<'_>) -> Result<(), ApiError> {
        let first = self.step(jiter::Jiter::known_array)?;
        self.values(rows, first)
    }

    /// The values of a list that has begun, as a positional row.
    fn values(&mut self, rows: &mut RowsBuilder<'_>, first: Option<Peek>) -> Result<(), ApiError> {
        let mut element = first;
        while element.is_some() {
            rows.push(self.cell()?);
            element = self.step(jiter::Jiter::array_step)?;
        }
        rows.end_positional_row();
        Ok(())
    }

    fn named_row(&mut self, rows: &mut RowsBuilder<'_>) -> Result<(), ApiError> {
        let mut name = self.step(|json| Ok(json.known_object()?.map(|name| rows.position(name).ok_or(()))))?;
        while let Some(position) = name {
            self.named_value(rows, position.ok())?;
            name = self.step(|json| Ok(json.next_key()?.map(|name| rows.position(name).ok_or(()))))?;
        }
        rows.end_named_row();
        Ok(())
    }

    fn named_value(&mut self, rows: &mut RowsBuilder<'_>, position: Option<usize>) -> Result<(), ApiError> {
        match position {
            Some(position) => rows.set(position, self.cell()?),
            None => self.skip()?,
        }
        Ok(())
    }

    /// An object of columns.
    pub(super) fn columns<'s>(&mut self, terms: Terms<'s>) -> Result<Table<'s>, ApiError> {
        let mut columns = terms.columns();
        let (mut lists, mut others) = (0, 0);
        let mut name = self.first_key()?;
        while let Some(column) = name {
            match columns.start_column(&column) {
                Some(position) if self.peek()? == Peek::Array => {
                    lists += 1;
                    self.each(|reader| Ok(columns.push(position, reader.cell()?)?))?;
                }
                Some(position) => {
                    others += 1;
                    columns.wrong_column(position, self.cell()?);
                }
                None => self.skip()?,
            }
            name = self.next_key()?;
        }
        let outcome = columns.finish().map_err(|faults| {
            if lists > 0 || others != terms.signature.width() {
                return faults;
            }
            one_fault(
                FaultKind::InvalidValue,
                "expected a list of values per feature, got single values; write one row as [{…}]",
            )
        });
        Ok((outcome, Layout::Columns))
    }

    /// Calls `each` for every element of the next value, which must be a list; `each` reads the element.
    pub(in crate::http) fn each(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let mut element = self.step(jiter::Jiter::known_array)?;
        while element.is_some() {
            each(self)?;
            element = self.step(jiter::Jiter::array_step)?;
        }
        Ok(())
    }

    /// The next value as a cell; the content of a list or an object is skipped.
    pub(in crate::http) fn cell(&mut self) -> Result<Cell<'_>, ApiError> {
        let peek = self.peek()?;
        let start = self.json.current_index();
        Ok(match peek {
            Peek::Null => {
                self.step(jiter::Jiter::known_null)?;
                Cell::Missing
            }
            Peek::True | Peek::False => Cell::Boolean(self.step(|json| json.known_bool(peek))?),
            Peek::Array => {
                self.skip()?;
                Cell::Array
            }
            Peek::Object => {
                self.skip()?;
                Cell::Object
            }
            Peek::String => {
                // Not with `step`, since the string borrows the reader.
                match self.json.known_str() {
                    Ok(text) => Cell::Text(text),
                    Err(error) => return Err(syntax(self.text, self.lines_before, &error)),
                }
            }
            _ => {
                self.step(|json| json.known_number_bytes(peek).map(|_| ()))?;
                match self.text.get(start..self.json.current_index()).unwrap_or_default() {
                    "NaN" | "Infinity" | "-Infinity" => Cell::Missing,
                    digits => Cell::Number(digits),
                }
            }
        })
    }

    /// Skips the next value and returns its text.
    pub(in crate::http) fn raw(&mut self) -> Result<&'j str, ApiError> {
        self.peek()?;
        let start = self.json.current_index();
        self.skip()?;
        Ok(self.text.get(start..self.json.current_index()).unwrap_or_default())
    }

    /// The kind of the next value.
    pub(in crate::http) fn peek(&mut self) -> Result<Peek, ApiError> {
        self.step(Jiter::peek)
    }

    /// Skips the next value.
    pub(in crate::http) fn skip(&mut self) -> Result<(), ApiError> {
        self.step(Jiter::next_skip)
    }

    /// Checks that only white space follows.
    pub(in crate::http) fn finish(&mut self) -> Result<(), ApiError> {
        self.step(Jiter::finish)
    }

    /// The first key of the next value, which must be an object.
    pub(in crate::http) fn first_key(&mut self) -> Result<Option<String>, ApiError> {
        self.step(|json| Ok(json.known_object()?.map(str::to_owned)))
    }

    /// The next key of the current object.
    pub(in crate::http) fn next_key(&mut self) -> Result<Option<String>, ApiError> {
        self.step(|json| Ok(json.next_key()?.map(str::to_owned)))
    }

    /// One step of the iterator; a syntax error becomes an [`ApiError`] with line and column.
    fn step<T>(&mut self, step: impl FnOnce(&mut Jiter<'j>) -> Result<T, JiterError>) -> Result<T, ApiError> {
        step(&mut self.json).map_err(|error| syntax(self.text, self.lines_before, &error))
    }
}

/// The fault of a whole table that has one row in the form of another.
fn one_fault(kind: FaultKind, detail: impl Into<String>) -> Faults {
    let fault = Fault { kind, place: Place::default(), detail: detail.into() };
    Faults { listed: vec![fault], total: 1 }
}

impl Layout {
    fn noun(self) -> &'static str {
        match self {
            Self::Positional => "a list",
            Self::Named => "an object",
            Self::Wrapped => "an object with \"features\"",
            _ => "a single value",
        }
    }
}
