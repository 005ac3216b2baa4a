//! Errors of the syntax of JSON.

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType};

use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::frame::FaultKind;

/// The error at a place of a text that follows `lines_before` lines of the body.
pub(super) fn syntax(text: &str, lines_before: usize, error: &JiterError) -> ApiError {
    let position = Jiter::new(text.as_bytes()).error_position(error.index);
    let line = lines_before + position.line;
    let place = format!("line {line}, column {}", position.column);
    if error.error_type == JiterErrorType::JsonError(JsonErrorType::NumberOutOfRange) {
        let detail = format!("{place}: a number with too many digits for a double");
        return ApiError::new(ErrorCode::Rows(FaultKind::LossyNumber), detail);
    }
    let advice = advice(text, error.index);
    ApiError::new(ErrorCode::InvalidJson, format!("the body is not valid JSON: {place}: {}{advice}", error.error_type))
}

/// The JSON for the text at an error, if it is Python or JavaScript.
fn advice(text: &str, index: usize) -> &'static str {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic();
    let before = text.as_bytes().get(..index).unwrap_or_default();
    let start = index.saturating_sub(before.iter().rev().take_while(|byte| is_letter(byte)).count());
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let word = rest.iter().position(|byte| !is_letter(byte)).map_or(rest, |end| rest.get(..end).unwrap_or_default());
    match (word, rest.first()) {
        (b"None" | b"undefined", _) => "; write null",
        (b"True", _) => "; write true",
        (b"False", _) => "; write false",
        (b"nan", _) => "; write NaN or null",
        (_, Some(b'\'')) => "; strings have double quotes in JSON",
        _ => "",
    }
}
