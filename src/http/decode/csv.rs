//! `text/csv` (RFC 4180): columns by name in any order, or values in the order of the signature without a header.
//!
//! If the content type does not have the parameter `header`, the first line is a header if it contains the name of a
//! feature, and a row otherwise. A line that could be both is an error. Fields are separated by commas, or by semicolons
//! or tabs if the header shows it: it then contains more names of features than with commas.

use super::json::Terms;
use super::{Layout, refuse, utf8};
use crate::http::server::body::Header;
use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::cell::Cell;
use ordinate_model::frame::Frame;
use ordinate_model::frame::{FaultKind, Faults};
use ordinate_model::header::column_names;
use ordinate_model::signature::{Accepted, Feature, Signature};

/// A frame and its layout: [`Layout::Csv`] with a header, [`Layout::Lines`] without.
type Table<'s> = (Frame<'s>, Layout);

/// The content type of CSV without a header (RFC 4180 §3).
const WITHOUT_HEADER: &str = "text/csv; header=absent";

type Reader<'t> = ::csv::Reader<&'t [u8]>;

/// Reads a table.
///
/// # Errors
/// 400 if it is not UTF-8 or not CSV, 413 above the limit of rows, 422 if it does not fit the signature.
pub(in crate::http) fn read<'s>(body: &[u8], terms: Terms<'s>, header: Header) -> Result<Table<'s>, ApiError> {
    let text = utf8(body)?;
    let delimiter = delimiter(text, terms.signature, header);
    check_quotes(text, delimiter)?;
    let mut reader = reader(text, delimiter);
    let mut first = ::csv::StringRecord::new();
    if !reader.read_record(&mut first).map_err(|error| invalid(&error))? {
        let detail = match header {
            Header::Present => "the body is empty; send a header with the names of the features, then one line per row",
            Header::Absent | Header::Undeclared => "the body is empty; send one line per row",
        };
        return Err(ApiError::new(ErrorCode::InvalidCsv, detail));
    }
    if first.len() == 1 {
        check_blank_lines(text)?;
    }
    let undeclared = header == Header::Undeclared;
    let names = has_names(&first, terms.signature);
    if undeclared && could_be_either(&first, names, terms.signature) {
        let detail = "the first line may be a header or a row: send Content-Type: text/csv; header=present, \
                      or header=absent";
        return Err(ApiError::new(ErrorCode::InvalidCsv, detail));
    }
    if header == Header::Present || (undeclared && names) {
        if !names && first.len() == terms.signature.width() && has_values(&first, terms.signature) {
            return Err(no_header(terms.signature));
        }
        let frame = named(&mut reader, first, terms)?.map_err(|faults| refuse(faults, Layout::Csv))?;
        return Ok((frame, Layout::Csv));
    }
    let frame = positional(&mut reader, first, terms)?.map_err(|mut faults| {
        if undeclared {
            explain_reading(&mut faults);
        }
        refuse(faults, Layout::Lines)
    })?;
    Ok((frame, Layout::Lines))
}

/// The error of a table that begins with a row in the place of a header.
fn no_header(signature: &Signature) -> ApiError {
    const LONGEST: usize = 500;
    let names = signature.features().iter().map(|feature| feature.name.as_str());
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let header = writer.write_record(names).ok().and_then(|()| String::from_utf8(writer.into_inner().ok()?).ok());
    let header = header.as_deref().map(str::trim_end).filter(|header| header.len() <= LONGEST);
    let header = header.map_or_else(|| "of the features".to_owned(), str::to_owned);
    let detail = format!(
        "the first line has no name of a feature; begin with the header {header}; for CSV without a header, send \
         Content-Type: {WITHOUT_HEADER}"
    );
    ApiError::new(ErrorCode::Rows(FaultKind::MissingFeature), detail)
}

/// The error of a body that was read as JSON, extended by the content type to send if the body is CSV.
pub(in crate::http) fn advise_content_type(mut error: ApiError, body: &[u8], signature: &Signature) -> ApiError {
    if matches!(error.code, ErrorCode::InvalidJson | ErrorCode::InvalidBody)
        && let Some(content_type) = utf8(body).ok().and_then(|text| content_type(text, signature))
    {
        let advice = format!("; for CSV, send Content-Type: {content_type}");
        error.detail.push_str(&advice);
        if let Some(complaint) = error.complaints.first_mut() {
            complaint.detail.push_str(&advice);
        }
    }
    error
}

/// The content type of a text whose first line is a header or a row of CSV, and which is not JSON or a form.
fn content_type(text: &str, signature: &Signature) -> Option<&'static str> {
    let is_json = text.trim_start().starts_with(['{', '[']) || serde_json::from_str::<String>(text).is_ok();
    if is_json || text.trim_start().starts_with("X=") {
        return None;
    }
    let mut first = ::csv::StringRecord::new();
    reader(text, delimiter(text, signature, Header::Undeclared)).read_record(&mut first).ok()?;
    if has_names(&first, signature) {
        Some("text/csv")
    } else {
        (first.len() == signature.width() && has_values(&first, signature)).then_some(WITHOUT_HEADER)
    }
}

/// Whether a line contains the name of a feature.
fn has_names(fields: &::csv::StringRecord, signature: &Signature) -> bool {
    fields.iter().any(|field| signature.position(field.trim()).is_some())
}

/// Whether a line contains a value of the feature in the same position.
fn has_values(fields: &::csv::StringRecord, signature: &Signature) -> bool {
    let mut cells = signature.features().iter().zip(fields);
    cells.any(|(feature, field)| matches!(feature.resolve(Cell::Field(field)), Ok(Accepted::Given(_))))
}

fn reader(text: &str, delimiter: u8) -> Reader<'_> {
    let mut builder = ::csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes())
}

/// The delimiter with which the first line contains the most names of features; a comma without any.
fn delimiter(text: &str, signature: &Signature, header: Header) -> u8 {
    const COMMA: u8 = b',';
    if header == Header::Absent {
        return COMMA;
    }
    let names = |delimiter: u8| {
        let mut first = ::csv::StringRecord::new();
        let is_read = reader(text, delimiter).read_record(&mut first).unwrap_or(false);
        first.iter().filter(|field| is_read && signature.position(field.trim()).is_some()).count()
    };
    let mut best = (COMMA, names(COMMA));
    // The names of a usual header need no other attempt.
    if best.1 < signature.width() {
        for other in [b';', b'\t'] {
            let found = names(other);
            if found > best.1 {
                best = (other, found);
            }
        }
    }
    best.0
}

/// Whether the first line could be both a header and a row; `names` is whether it contains the name of a feature.
fn could_be_either(fields: &::csv::StringRecord, names: bool, signature: &Signature) -> bool {
    let mut cells = signature.features().iter().zip(fields);
    fields.len() == signature.width()
        && if names {
            cells.all(|(feature, field)| feature.accept(Cell::Field(field)).is_ok() && !is_unknown(feature, field))
        } else {
            // Unknown categories only, which the model accepts: misspelt names would look the same.
            cells.all(|(feature, field)| is_unknown(feature, field))
        }
}

/// Whether a field is an unknown category of a feature that accepts them.
fn is_unknown(feature: &Feature, field: &str) -> bool {
    matches!(feature.resolve(Cell::Field(field)), Ok(Accepted::UnknownCategory(_)))
}

/// Extends the first fault if it is in the first line, which may have been meant as a header.
fn explain_reading(faults: &mut Faults) {
    let suspect = [FaultKind::InvalidValue, FaultKind::UnknownCategory, FaultKind::WrongWidth];
    if let Some(fault) = faults.listed.first_mut()
        && fault.place.row == Some(0)
        && suspect.contains(&fault.kind)
    {
        fault.detail.push_str("; the first line contains no name of a feature and was read as a row, not as a header");
    }
}

/// Reads the lines after a header.
fn named<'s>(
    reader: &mut Reader<'_>,
    header: ::csv::StringRecord,
    terms: Terms<'s>,
) -> Result<Result<Frame<'s>, Faults>, ApiError> {
    let mut rows = terms.rows();
    let width = header.len();
    let given: Vec<&str> = header.iter().map(str::trim).collect();
    // The names that training gives to columns without a name and to further columns of the same name.
    let names = column_names(&given);
    let is_known = |name: &str| terms.signature.position(name).is_some() || terms.signature.ignores(name);
    let names = names.iter().zip(given).map(|(name, given)| if is_known(name) { name.as_str() } else { given });
    let position = |(index, name): (usize, &str)| Some((index, rows.position(name)?));
    let columns: Vec<(usize, usize)> = names.enumerate().filter_map(position).collect();
    rows.end_named_row();

    let mut record = header;
    while reader.read_record(&mut record).map_err(|error| invalid(&error))? {
        rows.start_row()?;
        if record.len() == width {
            for (index, position) in &columns {
                rows.set(*position, Cell::Field(record.get(*index).unwrap_or_default()));
            }
        } else {
            let detail = format!("expected {width} fields as in the header, got {}", record.len());
            rows.wrong_row(FaultKind::WrongWidth, detail);
        }
    }
    Ok(rows.finish())
}

/// Reads lines without a header.
fn positional<'s>(
    reader: &mut Reader<'_>,
    first: ::csv::StringRecord,
    terms: Terms<'s>,
) -> Result<Result<Frame<'s>, Faults>, ApiError> {
    let mut rows = terms.rows();
    let mut record = first;
    loop {
        rows.start_row()?;
        for field in &record {
            rows.push(Cell::Field(field));
        }
        rows.end_positional_row();
        if !reader.read_record(&mut record).map_err(|error| invalid(&error))? {
            return Ok(rows.finish());
        }
    }
}

/// Checks that quotes enclose whole fields and are doubled in them (RFC 4180 §2). The CSV reader would read `"1"2` as
/// 12, and everything after an unclosed quote as one field.
fn check_quotes(text: &str, delimiter: u8) -> Result<(), ApiError> {
    #[derive(PartialEq)]
    enum At {
        FieldStart,
        Plain,
        Quoted,
        QuoteInQuoted,
    }
    if !text.contains('"') {
        return Ok(());
    }
    let wrong = |line: usize, what: &str| Err(ApiError::new(ErrorCode::InvalidCsv, format!("line {line}: {what}")));
    let (mut at, mut line, mut opened) = (At::FieldStart, 1, 1);
    for byte in text.bytes() {
        let ends_field = byte == delimiter || matches!(byte, b'\r' | b'\n');
        at = match (at, byte) {
            (At::FieldStart, b'"') => {
                opened = line;
                At::Quoted
            }
            (At::Plain, b'"') => return wrong(line, "a quote inside an unquoted field"),
            (At::Quoted, b'"') => At::QuoteInQuoted,
            (At::QuoteInQuoted, b'"') | (At::Quoted, _) => At::Quoted,
            _ if ends_field => At::FieldStart,
            (At::QuoteInQuoted, _) => return wrong(line, "text after a closing quote"),
            (At::FieldStart | At::Plain, _) => At::Plain,
        };
        line += usize::from(byte == b'\n');
    }
    if at == At::Quoted { wrong(opened, "an unclosed quote") } else { Ok(()) }
}

/// Checks for empty lines in a table of one column, where they may be meant as missing values. The CSV reader skips
/// them, which would change the positions of the rows after them.
fn check_blank_lines(text: &str) -> Result<(), ApiError> {
    let mut lines = text.trim_end_matches(['\r', '\n']).split('\n').flat_map(|line| {
        // A line ends with CR LF, LF or CR.
        line.strip_suffix('\r').unwrap_or(line).split('\r')
    });
    match lines.position(str::is_empty) {
        Some(blank) => {
            let detail = format!("line {} is empty: write \"\" for a missing value, or remove the line", blank + 1);
            Err(ApiError::new(ErrorCode::InvalidCsv, detail))
        }
        None => Ok(()),
    }
}

fn invalid(error: &::csv::Error) -> ApiError {
    let line = error.position().map(|position| format!("line {}: ", position.line())).unwrap_or_default();
    ApiError::new(ErrorCode::InvalidCsv, format!("{line}{error}"))
}

#[cfg(test)]
mod tests;
