//! Bodies that are a JSON object with the rows under one key and options under others. Each protocol has its own
//! [`Keys`].

mod keys;
mod long_form;
mod members;
mod other_keys;
mod reader;
mod split;
mod syntax;

use jiter::Peek;
use serde::de::DeserializeOwned;

use super::pointer::Pointer;
use super::{Layout, complain, refuse, utf8};
use crate::http::server::error::{ApiError, Complaint, ErrorCode};
use keys::UnknownKeys;
pub(in crate::http) use keys::{Form, Keys};
pub(in crate::http) use members::{LEVEL, once, unknown};
use ordinate_model::cell::Cell;
use ordinate_model::frame::Frame;
use ordinate_model::frame::{FaultKind, MAX_LISTED_FAULTS};
use ordinate_model::wording::shorten;
pub(in crate::http) use reader::{Names, Reader, RowsReader, Terms};

/// A decoded body.
#[derive(Debug)]
pub(in crate::http) struct Decoded<'s, 'j> {
    /// The rows.
    pub(in crate::http) frame: Frame<'s>,
    /// The key of the rows; empty for rows without a key.
    pub(in crate::http) key: &'static str,
    /// The layout of the rows.
    pub(in crate::http) layout: Layout,
    options: Vec<(&'static str, &'j str)>,
}

impl<'j> Decoded<'_, 'j> {
    /// The value of an option. `null` counts as absent, since many clients write it for an option without a value.
    ///
    /// # Errors
    /// 422 if the value is not of the type, which `expected` describes.
    pub(in crate::http) fn option<T: DeserializeOwned>(
        &self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, ApiError> {
        let Some((name, text)) = self.options.iter().find(|(known, _)| *known == name) else { return Ok(None) };
        Reader::new(text).option(name, expected).map_err(|error| error.of_key(name))
    }

    /// Calls `each` for the members of an option that is an object, unless it is absent or `null`.
    ///
    /// # Errors
    /// 422 if the option is not an object; errors of `each`.
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

/// Reads a body. All faults of keys and rows are reported together.
///
/// # Errors
/// 400 if it is not JSON, 413 above the limit of rows, 422 if it does not fit the keys or the signature.
pub(in crate::http) fn read<'s, 'j>(
    body: &'j [u8],
    known: &Keys,
    terms: Terms<'s>,
) -> Result<Decoded<'s, 'j>, ApiError> {
    let text = utf8(body)?;
    not_empty(text, &known.example())?;
    let mut reader = Reader::new(text);
    match reader.peek()? {
        Peek::Object => {
            let mut members = Members::default();
            let mut key = reader.first_key()?;
            while let Some(name) = key {
                members.read(&mut reader, known, terms, &name)?;
                key = reader.next_key()?;
            }
            reader.finish()?;
            members.decoded(known)
        }
        Peek::Array if known.bare_rows => {
            let (outcome, layout) = reader.list_of_rows(RowsReader::new(terms, true), true)?;
            reader.finish()?;
            match outcome {
                Ok(frame) => Ok(Decoded { frame, key: "", layout, options: Vec::new() }),
                Err(faults) => Err(refuse(faults, layout)),
            }
        }
        _ => {
            let complaint = not_an_object(&mut reader, known)?;
            reader.finish()?;
            Err(ApiError::complaints(vec![complaint], 1))
        }
    }
}

/// The complaint about a body that is another value than an object.
///
/// # Errors
/// 400 if it is not JSON.
fn not_an_object(reader: &mut Reader<'_>, known: &Keys) -> Result<Complaint, ApiError> {
    let got = reader.cell().map_err(|error| known.advise(error))?;
    let twice = matches!(got, Cell::Text(text) if text.trim_start().starts_with(['{', '[']));
    let advice = if twice { "; the body is JSON within a JSON string: encode it only once" } else { "" };
    let detail = format!("expected an object such as {}, got {got}{advice}", known.example());
    Ok(Complaint { code: ErrorCode::InvalidBody, pointer: Some(Pointer::root().into()), detail })
}

/// The members of a body, as far as they were read.
#[derive(Default)]
struct Members<'s, 'j> {
    /// The key of the rows, and the rows or their faults.
    rows: Option<(&'static str, Rows<'s>)>,
    options: Vec<(&'static str, &'j str)>,
    keys: Complaints,
    unknown: UnknownKeys,
}

impl<'s, 'j> Members<'s, 'j> {
    /// Reads the value of a key.
    ///
    /// # Errors
    /// 400 if it is not JSON, 413 above the limit of rows.
    fn read(&mut self, reader: &mut Reader<'j>, known: &Keys, terms: Terms<'s>, name: &str) -> Result<(), ApiError> {
        let twice = || key_complaint(ErrorCode::DuplicateKey, name, format!("duplicate key {name:?}"));
        if let Some((table, form)) = known.table(name) {
            let Some((other, _)) = &self.rows else {
                self.rows = Some((*table, reader.table(table, *form, terms)?));
                return Ok(());
            };
            self.keys.add(|| {
                if other == table {
                    return twice();
                }
                let detail = format!("{other:?} and {table:?} both contain rows; send one of them");
                key_complaint(ErrorCode::ConflictingKeys, table, detail)
            });
            return reader.skip();
        }
        if let Some(option) = known.options.iter().find(|option| **option == name) {
            let text = reader.raw()?;
            if self.options.iter().any(|(earlier, _)| earlier == option) {
                self.keys.add(twice);
            } else {
                self.options.push((*option, text));
            }
            return Ok(());
        }
        let value = reader.peek()?;
        self.unknown.add(known, name, value, terms.signature.position(name).is_some());
        self.keys.add(|| key_complaint(ErrorCode::UnknownKey, name, known.unknown(name, value)));
        reader.skip()
    }

    /// The decoded body.
    ///
    /// # Errors
    /// 422 with the faults of keys and rows.
    fn decoded(self, known: &Keys) -> Result<Decoded<'s, 'j>, ApiError> {
        let Self { rows, options, keys, unknown } = self;
        let faults = match rows {
            Some((key, Ok((frame, layout)))) if keys.total == 0 => return Ok(Decoded { frame, key, layout, options }),
            Some((_, Ok(_))) => (Vec::new(), 0),
            Some((_, Err(faults))) => faults,
            None => return Err(unknown.without_rows(known, keys)),
        };
        let Complaints { mut first, total } = keys;
        first.extend(faults.0);
        first.truncate(MAX_LISTED_FAULTS);
        Err(ApiError::complaints(first, total + faults.1))
    }
}

/// Checks for an empty body, which would otherwise be reported as a syntax error.
///
/// # Errors
/// 400 if the text is empty or white space.
pub(in crate::http::decode) fn not_empty(text: &str, example: &str) -> Result<(), ApiError> {
    if text.trim().is_empty() {
        let detail = format!("the body is empty; send an object such as {example}");
        return Err(ApiError::new(ErrorCode::InvalidJson, detail));
    }
    Ok(())
}

/// The first complaints about keys, and the number of all.
#[derive(Default)]
struct Complaints {
    first: Vec<Complaint>,
    total: usize,
}

impl Complaints {
    /// Adds a complaint, which is formatted only if it will be reported.
    fn add(&mut self, complaint: impl FnOnce() -> Complaint) {
        self.total += 1;
        if self.first.len() < MAX_LISTED_FAULTS {
            self.first.push(complaint());
        }
    }
}

fn key_complaint(code: ErrorCode, name: &str, detail: String) -> Complaint {
    Complaint { code, pointer: Some(Pointer::root().key(shorten(name)).into()), detail }
}

/// A frame and its layout, or the first complaints about the rows and the number of all.
type Rows<'s> = Result<(Frame<'s>, Layout), (Vec<Complaint>, usize)>;

impl Reader<'_> {
    /// The rows under a key.
    fn table<'s>(&mut self, key: &'static str, form: Form, terms: Terms<'s>) -> Result<Rows<'s>, ApiError> {
        let (outcome, layout) = match (self.peek()?, form) {
            (Peek::Array, Form::Any | Form::Rows) => self.list_of_rows(RowsReader::new(terms, false), false)?,
            (Peek::Array, Form::WrappedRows) => self.list_of_rows(RowsReader::new(terms, true), false)?,
            (Peek::Array, Form::Records) => self.list_of_rows(RowsReader::for_objects(terms), false)?,
            (Peek::Object, Form::Any) => self.columns(terms)?,
            (Peek::Object, Form::LongRow) => RowsReader::new(terms, true).read_long(self)?,
            (Peek::Object, Form::Split) => return self.split(key, terms),
            _ => {
                let got = self.cell()?;
                let is_value =
                    terms.signature.width() == 1 && matches!(form, Form::Any | Form::Rows | Form::WrappedRows);
                let advice = if is_value { "; write a single value as […]" } else { "" };
                let detail = format!("{key:?} must be {}, got {got}{advice}", form.noun());
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

#[cfg(test)]
mod tests;
