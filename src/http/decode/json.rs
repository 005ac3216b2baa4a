//! Bodies that are one JSON object: a key with the rows, and options beside it. Each protocol says which keys those are.

mod members;
mod reader;
mod split;

use jiter::Peek;
use serde::de::DeserializeOwned;

use super::pointer::Pointer;
use super::{Layout, complain, utf8};
use crate::http::server::error::{ApiError, Complaint, ErrorCode};
pub(in crate::http) use members::{LEVEL, once, unknown};
use ordinate_model::frame::Frame;
use ordinate_model::frame::{FaultKind, MAX_LISTED_FAULTS};
use ordinate_model::wording::shorten;
pub(in crate::http) use reader::{Reader, RowsReader, Terms};

/// What a protocol's object may hold.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Keys {
    /// The keys that can hold the rows; exactly one of them is there.
    pub(in crate::http) tables: &'static [(&'static str, Form)],
    /// The keys that may stand beside it.
    pub(in crate::http) options: &'static [&'static str],
}

/// How rows stand under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Form {
    /// A list of rows, or an object of columns.
    Any,
    /// A list of rows: single values, lists, or objects.
    Rows,
    /// A list of rows, where `{"features": […]}` is one too.
    WrappedRows,
    /// A list of objects.
    Records,
    /// `{"columns": […], "data": [[…]]}`, as pandas splits a frame.
    Split,
}

/// What came of a body.
#[derive(Debug)]
pub(in crate::http) struct Decoded<'s, 'j> {
    /// The rows.
    pub(in crate::http) frame: Frame<'s>,
    /// The key they stood under.
    pub(in crate::http) key: &'static str,
    /// How they were laid out.
    pub(in crate::http) layout: Layout,
    options: Vec<(&'static str, &'j str)>,
}

impl<'j> Decoded<'_, 'j> {
    /// The value of an option that is there; `null`, as many clients write what they leave out, is none.
    ///
    /// # Errors
    /// 422 when it is not of the type; `expected` says in words what is.
    pub(in crate::http) fn option<T: DeserializeOwned>(
        &self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, ApiError> {
        let Some((name, text)) = self.options.iter().find(|(known, _)| *known == name) else { return Ok(None) };
        Reader::new(text).option(name, expected).map_err(|error| error.of_key(name))
    }

    /// Goes through the members of an option that is an object; `null`, and one that is not there, has none.
    ///
    /// # Errors
    /// 422 when it is something else, and what `each` refuses.
    pub(in crate::http) fn members(
        &self,
        name: &str,
        example: &str,
        each: impl FnMut(&mut Reader<'j>, &str) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        match self.options.iter().find(|(known, _)| *known == name) {
            Some((name, text)) => Reader::new(text).members(name, example, each),
            None => Ok(()),
        }
    }
}

/// Reads a body. All that is wrong with the rows and the keys is reported together.
///
/// # Errors
/// 400 when it is not JSON, 413 past the limit of rows, 422 when it does not fit keys or signature.
pub(in crate::http) fn read<'s, 'j>(
    body: &'j [u8],
    wanted: &Keys,
    terms: Terms<'s>,
) -> Result<Decoded<'s, 'j>, ApiError> {
    let text = utf8(body)?;
    not_empty(text, &wanted.example())?;
    let mut reader = Reader::new(text);
    let mut rows: Option<(&'static str, Rows<'s>)> = None;
    let mut options: Vec<(&'static str, &'j str)> = Vec::new();
    let mut keys = Complaints::default();

    if reader.peek()? != Peek::Object {
        let got = reader.cell()?;
        let detail = format!("expected an object such as {}, got {got}", wanted.example());
        let complaint = Complaint { code: ErrorCode::InvalidBody, pointer: Some(Pointer::root().into()), detail };
        reader.finish()?;
        return Err(ApiError::complaints(vec![complaint], 1));
    }
    let mut key = reader.first_key()?;
    while let Some(name) = key {
        let twice = || key_complaint(ErrorCode::DuplicateKey, &name, format!("the key {name:?} is there twice"));
        if let Some((table, form)) = wanted.tables.iter().find(|(table, _)| *table == name) {
            match &rows {
                None => rows = Some((*table, reader.table(table, *form, terms)?)),
                Some((other, _)) => {
                    keys.add(|| {
                        if other == table {
                            return twice();
                        }
                        let detail = format!("the rows are under {other:?} and under {table:?}; send one of them");
                        key_complaint(ErrorCode::ConflictingKeys, table, detail)
                    });
                    reader.skip()?;
                }
            }
        } else if let Some(option) = wanted.options.iter().find(|option| **option == name) {
            let text = reader.raw()?;
            if options.iter().any(|(known, _)| known == option) {
                keys.add(twice);
            } else {
                options.push((*option, text));
            }
        } else {
            keys.add(|| {
                let detail = format!("the key {:?} is not understood; {}", shorten(&name), wanted.known());
                key_complaint(ErrorCode::UnknownKey, &name, detail)
            });
            reader.skip()?;
        }
        key = reader.next_key()?;
    }
    reader.finish()?;

    let faults = match rows {
        Some((key, Ok((frame, layout)))) if keys.total == 0 => return Ok(Decoded { frame, key, layout, options }),
        Some((_, Ok(_))) => (Vec::new(), 0),
        Some((_, Err(faults))) => faults,
        None => {
            let detail = wanted.missing();
            let pointer = Some(Pointer::root().into());
            (vec![Complaint { code: ErrorCode::MissingKey, pointer, detail }], 1)
        }
    };
    let Complaints { mut told, total } = keys;
    told.extend(faults.0);
    told.truncate(MAX_LISTED_FAULTS);
    Err(ApiError::complaints(told, total + faults.1))
}

/// A body that has nothing in it is no JSON, and told in plainer words.
///
/// # Errors
/// 400 when the text is nothing but white space.
pub(in crate::http::decode) fn not_empty(text: &str, example: &str) -> Result<(), ApiError> {
    if text.trim().is_empty() {
        let detail = format!("the body is empty; send an object such as {example}");
        return Err(ApiError::new(ErrorCode::InvalidJson, detail));
    }
    Ok(())
}

impl Keys {
    fn example(&self) -> String {
        match self.tables.first() {
            Some((name, Form::Split)) => format!("{{{name:?}: {{\"columns\": […], \"data\": [[…]]}}}}"),
            Some((name, _)) => format!("{{{name:?}: [[…]]}}"),
            None => "{}".into(),
        }
    }

    fn missing(&self) -> String {
        match self.tables {
            [(name, _)] => format!("the key {name:?} with the rows is missing"),
            several => {
                let names = several.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(", ");
                format!("the rows are missing: one of the keys {names} must be there")
            }
        }
    }

    fn known(&self) -> String {
        let tables = self.tables.iter().map(|(name, _)| *name);
        let names: Vec<String> = tables.chain(self.options.iter().copied()).map(|name| format!("{name:?}")).collect();
        match names.as_slice() {
            [only] => format!("the only one is {only}"),
            several => format!("there are {}", several.join(", ")),
        }
    }
}

/// Complaints about keys: the first of them, and how many there are.
#[derive(Default)]
struct Complaints {
    told: Vec<Complaint>,
    total: usize,
}

impl Complaints {
    /// Notes a complaint; its words are only made when they will be told.
    fn add(&mut self, tell: impl FnOnce() -> Complaint) {
        self.total += 1;
        if self.told.len() < MAX_LISTED_FAULTS {
            self.told.push(tell());
        }
    }
}

fn key_complaint(code: ErrorCode, name: &str, detail: String) -> Complaint {
    Complaint { code, pointer: Some(Pointer::root().key(shorten(name)).into()), detail }
}

/// What came of the rows: a frame and its layout, or the complaints about them and their number.
type Rows<'s> = Result<(Frame<'s>, Layout), (Vec<Complaint>, usize)>;

impl Reader<'_> {
    /// The rows under a key.
    fn table<'s>(&mut self, key: &'static str, form: Form, terms: Terms<'s>) -> Result<Rows<'s>, ApiError> {
        let (outcome, layout) = match (self.peek()?, form) {
            (Peek::Array, Form::Any | Form::Rows) => self.list_of_rows(RowsReader::new(terms, false))?,
            (Peek::Array, Form::WrappedRows) => self.list_of_rows(RowsReader::new(terms, true))?,
            (Peek::Array, Form::Records) => self.list_of_rows(RowsReader::of_objects(terms))?,
            (Peek::Object, Form::Any) => self.columns(terms)?,
            (Peek::Object, Form::Split) => return self.split(key, terms),
            _ => {
                let got = self.cell()?;
                let detail = format!("{key:?} must be {}, got {got}", form.noun());
                let code = ErrorCode::Rows(FaultKind::InvalidValue);
                return Ok(Err((vec![key_complaint(code, key, detail)], 1)));
            }
        };
        Ok(match outcome {
            Ok(frame) => Ok((frame, layout)),
            Err(faults) => Err(complain(faults, layout, key)),
        })
    }
}

impl Form {
    fn noun(self) -> &'static str {
        match self {
            Self::Any => "a list of rows or an object of columns",
            Self::Rows | Self::WrappedRows => "a list of rows",
            Self::Records => "a list of objects",
            Self::Split => "an object with \"columns\" and \"data\"",
        }
    }
}

#[cfg(test)]
mod tests;
