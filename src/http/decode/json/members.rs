//! Reads objects member by member. Unlike `serde`, it does not accept a list in place of an object.

use jiter::Peek;
use serde::de::DeserializeOwned;

use super::Reader;
use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::wording::shorten;

impl Reader<'_> {
    /// Calls `each` for the members of the next value, an object.
    ///
    /// # Errors
    /// 400 if it is not JSON, 422 if it is not an object; errors of `each`.
    pub(in crate::http) fn object(
        &mut self,
        what: &str,
        each: impl FnMut(&mut Self, &str) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        if self.peek()? == Peek::Object {
            return self.each_member(each);
        }
        let got = self.cell()?;
        Err(ApiError::new(ErrorCode::InvalidBody, format!("expected {what}, an object, got {got}")))
    }

    /// Calls `each` for the members of the value of a key, an object or `null`.
    ///
    /// # Errors
    /// 400 if it is not JSON, 422 if it is another value; errors of `each`.
    pub(in crate::http) fn members(
        &mut self,
        key: &str,
        example: &str,
        each: impl FnMut(&mut Self, &str) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        match self.peek()? {
            Peek::Object => self.each_member(each),
            Peek::Null => self.skip(),
            _ => {
                let got = self.cell()?;
                let detail = format!("{key:?} must be an object such as {example}, got {got}");
                Err(ApiError::new(ErrorCode::InvalidOption, detail))
            }
        }
    }

    fn each_member(&mut self, mut each: impl FnMut(&mut Self, &str) -> Result<(), ApiError>) -> Result<(), ApiError> {
        let mut key = self.first_key()?;
        while let Some(name) = key {
            each(self, &name)?;
            key = self.next_key()?;
        }
        Ok(())
    }

    /// The value of a key; `null` counts as absent.
    ///
    /// # Errors
    /// 400 if it is not JSON, 422 if it is not of the type, which `expected` describes.
    pub(in crate::http) fn option<T: DeserializeOwned>(
        &mut self,
        key: &str,
        expected: &str,
    ) -> Result<Option<T>, ApiError> {
        let text = self.raw()?;
        serde_json::from_str(text).map_err(|_| {
            let detail = format!("{key:?} must be {expected}, got {}", shorten(text));
            ApiError::new(ErrorCode::InvalidOption, detail)
        })
    }

    /// Skips an option that is not supported here, if it is `null` or `false`.
    ///
    /// # Errors
    /// 400 if it is not JSON, 422 if it has another value; `instead` names the alternative.
    pub(in crate::http) fn unsupported(&mut self, key: &str, instead: &str) -> Result<(), ApiError> {
        if matches!(self.raw()?, "null" | "false") {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::InvalidOption, format!("the parameter {key:?} is not supported here; {instead}")))
    }

    /// Skips the next value, and returns whether it is not `null`.
    ///
    /// # Errors
    /// 400 if it is not JSON.
    pub(in crate::http) fn is_present(&mut self) -> Result<bool, ApiError> {
        let present = self.peek()? != Peek::Null;
        self.skip()?;
        Ok(present)
    }
}

/// A description of the valid levels of an interval.
pub(in crate::http) const LEVEL: &str = "a level between 0 and 1, such as 0.95";

/// Stores the value of a key.
///
/// # Errors
/// 422 if the key occurred before.
pub(in crate::http) fn once<T>(slot: &mut Option<T>, key: &str, value: Option<T>) -> Result<(), ApiError> {
    if slot.is_some() {
        return Err(ApiError::new(ErrorCode::DuplicateKey, format!("duplicate key {key:?}")));
    }
    *slot = value;
    Ok(())
}

/// The error for an unknown key; `known` lists the known ones.
pub(in crate::http) fn unknown(key: &str, known: &str) -> ApiError {
    let detail = format!("unknown key {:?}; {known}", shorten(key));
    ApiError::new(ErrorCode::UnknownKey, detail)
}
