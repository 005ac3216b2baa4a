//! The four JSON forms of our own contract, in one pass, without a tree.

use jiter::{Jiter, JiterError, Peek};

use super::pointer::Pointer;
use super::{Layout, complain, utf8};
use crate::http::error::{ApiError, Complaint, ErrorCode};
use crate::model::fault::{FAULTS_TOLD, FaultKind, Faults};
use crate::model::frame::{Cell, ColumnsBuilder, Frame, RowsBuilder, shorten, values_wanted};
use crate::model::signature::Signature;

/// Reads `{"X": …}`. All that is wrong with the rows and the keys is reported together.
///
/// # Errors
/// 400 when it is not JSON, 413 past `max_rows`, 422 when it does not fit the signature.
pub(in crate::http) fn read<'s>(body: &[u8], signature: &'s Signature, max_rows: usize) -> Result<Frame<'s>, ApiError> {
    let text = utf8(body)?;
    let mut reader = Reader { text, json: Jiter::new(body).with_allow_inf_nan() };
    let mut frame: Option<Rows<'s>> = None;
    let mut keys = Complaints::default();

    if reader.peek()? != Peek::Object {
        let got = reader.cell()?;
        let detail = format!("expected an object such as {{\"X\": [[…]]}}, got {got}");
        let complaint = Complaint { code: ErrorCode::InvalidBody, pointer: Some(Pointer::root().into()), detail };
        reader.finish()?;
        return Err(ApiError::complaints(vec![complaint], 1));
    }
    let mut key = reader.first_key()?;
    while let Some(name) = key {
        if name != "X" {
            let detail = format!("the key {:?} is not understood; the only one is \"X\"", shorten(&name));
            keys.add(key_complaint(ErrorCode::UnknownKey, &name, detail));
            reader.skip()?;
        } else if frame.is_some() {
            keys.add(key_complaint(ErrorCode::DuplicateKey, "X", "the key \"X\" is there twice".into()));
            reader.skip()?;
        } else {
            frame = Some(reader.rows(signature, max_rows)?);
        }
        key = reader.next_key()?;
    }
    reader.finish()?;

    let rows = match frame {
        Some(Ok(frame)) if keys.total == 0 => return Ok(frame),
        Some(Ok(_)) => (Vec::new(), 0),
        Some(Err(faults)) => faults,
        None => {
            let detail = "the key \"X\" with the rows is missing".into();
            let pointer = Some(Pointer::root().into());
            (vec![Complaint { code: ErrorCode::MissingKey, pointer, detail }], 1)
        }
    };
    let Complaints { mut told, total } = keys;
    told.extend(rows.0);
    told.truncate(FAULTS_TOLD);
    Err(ApiError::complaints(told, total + rows.1))
}

/// Complaints about keys: the first of them, and how many there are.
#[derive(Default)]
struct Complaints {
    told: Vec<Complaint>,
    total: usize,
}

impl Complaints {
    fn add(&mut self, complaint: Complaint) {
        self.total += 1;
        if self.told.len() < FAULTS_TOLD {
            self.told.push(complaint);
        }
    }
}

fn key_complaint(code: ErrorCode, name: &str, detail: String) -> Complaint {
    Complaint { code, pointer: Some(Pointer::root().key(shorten(name)).into()), detail }
}

/// What came of the rows: a frame, or the complaints about them and their number.
type Rows<'s> = Result<Frame<'s>, (Vec<Complaint>, usize)>;

struct Reader<'j> {
    text: &'j str,
    json: Jiter<'j>,
}

impl<'j> Reader<'j> {
    fn rows<'s>(&mut self, signature: &'s Signature, max_rows: usize) -> Result<Rows<'s>, ApiError> {
        match self.peek()? {
            Peek::Array => self.list_of_rows(signature, max_rows),
            Peek::Object => self.columns(signature, max_rows),
            _ => {
                let got = self.cell()?;
                let detail = format!("\"X\" must be a list of rows or an object of columns, got {got}");
                let complaint = key_complaint(ErrorCode::Rows(FaultKind::InvalidValue), "X", detail);
                Ok(Err((vec![complaint], 1)))
            }
        }
    }

    /// Flat, positional or named rows: the first decides which, and all must be alike.
    fn list_of_rows<'s>(&mut self, signature: &'s Signature, max_rows: usize) -> Result<Rows<'s>, ApiError> {
        let mut rows = RowsBuilder::new(signature, max_rows);
        let first = self.step(jiter::Jiter::known_array)?;
        let layout = first.map_or(Layout::Flat, layout_of);
        let mut element = first;
        while let Some(peek) = element {
            rows.start_row()?;
            if layout_of(peek) == layout {
                match layout {
                    Layout::Positional => self.positional_row(&mut rows)?,
                    Layout::Named => self.named_row(&mut rows)?,
                    _ if signature.width() == 1 => rows.push(self.cell()?),
                    _ => {
                        let got = self.cell()?;
                        let wanted = values_wanted(signature);
                        rows.wrong_row(FaultKind::WrongWidth, format!("expected a list of {wanted}, got {got}"));
                    }
                }
            } else {
                let got = self.cell()?;
                rows.wrong_row(FaultKind::Ragged, format!("expected {} as in row 0, got {got}", layout.noun()));
            }
            element = self.step(jiter::Jiter::array_step)?;
        }
        Ok(rows.finish().map_err(|faults: Faults| complain(faults, layout)))
    }

    fn positional_row(&mut self, rows: &mut RowsBuilder<'_>) -> Result<(), ApiError> {
        let mut element = self.step(jiter::Jiter::known_array)?;
        while element.is_some() {
            rows.push(self.cell()?);
            element = self.step(jiter::Jiter::array_step)?;
        }
        rows.end_positional_row();
        Ok(())
    }

    fn named_row(&mut self, rows: &mut RowsBuilder<'_>) -> Result<(), ApiError> {
        let mut position = self.step(|json| Ok(json.known_object()?.map(|name| rows.position(name))))?;
        while let Some(known) = position {
            match known {
                Some(position) => rows.set(position, self.cell()?),
                None => self.skip()?,
            }
            position = self.step(|json| Ok(json.next_key()?.map(|name| rows.position(name))))?;
        }
        rows.end_named_row();
        Ok(())
    }

    fn columns<'s>(&mut self, signature: &'s Signature, max_rows: usize) -> Result<Rows<'s>, ApiError> {
        let mut columns = ColumnsBuilder::new(signature, max_rows);
        let mut name = self.first_key()?;
        while let Some(column) = name {
            match columns.start_column(&column) {
                Some(position) if self.peek()? == Peek::Array => {
                    let mut element = self.step(jiter::Jiter::known_array)?;
                    while element.is_some() {
                        columns.push(position, self.cell()?)?;
                        element = self.step(jiter::Jiter::array_step)?;
                    }
                }
                Some(position) => columns.wrong_column(position, self.cell()?),
                None => self.skip()?,
            }
            name = self.next_key()?;
        }
        Ok(columns.finish().map_err(|faults| complain(faults, Layout::Columns)))
    }

    /// The next value as a cell; what is in a list or an object where a value was due is passed over.
    fn cell(&mut self) -> Result<Cell<'_>, ApiError> {
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
                // Two looks at the same error: a string borrows the reader, an error needs it.
                match self.json.known_str() {
                    Ok(text) => Cell::Text(text),
                    Err(error) => return Err(syntax(self.text, &error)),
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

    fn peek(&mut self) -> Result<Peek, ApiError> {
        self.step(Jiter::peek)
    }

    fn skip(&mut self) -> Result<(), ApiError> {
        self.step(Jiter::next_skip)
    }

    fn finish(&mut self) -> Result<(), ApiError> {
        self.step(Jiter::finish)
    }

    fn first_key(&mut self) -> Result<Option<String>, ApiError> {
        self.step(|json| Ok(json.known_object()?.map(str::to_owned)))
    }

    fn next_key(&mut self) -> Result<Option<String>, ApiError> {
        self.step(|json| Ok(json.next_key()?.map(str::to_owned)))
    }

    /// One step of the iterator; a syntax error becomes an answer with line and column.
    fn step<T>(&mut self, step: impl FnOnce(&mut Jiter<'j>) -> Result<T, JiterError>) -> Result<T, ApiError> {
        step(&mut self.json).map_err(|error| syntax(self.text, &error))
    }
}

fn syntax(text: &str, error: &JiterError) -> ApiError {
    let position = Jiter::new(text.as_bytes()).error_position(error.index);
    let detail = format!("line {}, column {}: {}", position.line, position.column, error.error_type);
    ApiError::new(ErrorCode::InvalidJson, detail)
}

fn layout_of(peek: Peek) -> Layout {
    match peek {
        Peek::Array => Layout::Positional,
        Peek::Object => Layout::Named,
        _ => Layout::Flat,
    }
}

impl Layout {
    fn noun(self) -> &'static str {
        match self {
            Self::Positional => "a list",
            Self::Named => "an object",
            _ => "a single value",
        }
    }
}

#[cfg(test)]
mod tests;
