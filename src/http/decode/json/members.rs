//! Objects member by member. serde would take a list for an object too, its elements for the members in their order.

use jiter::Peek;
use serde::de::DeserializeOwned;

use super::Reader;
use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::wording::shorten;

impl Reader<'_> {
    /// Goes through the members of an object.
    ///
    /// # Errors
    /// 400 when it is not JSON, 422 when the next value is no object, and what `each` refuses.
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

    /// Goes through the members of what stands under a key and must be an object; `null` has none.
    ///
    /// # Errors
    /// 400 when it is not JSON, 422 when it is something else, and what `each` refuses.
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

    /// The value under a key; `null` is none.
    ///
    /// # Errors
    /// 400 when it is not JSON, 422 when it is not of the type; `expected` says in words what is.
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

    /// Passes over an option that is not served where it stands, if it is not wanted: `null` or `false`.
    ///
    /// # Errors
    /// 400 when it is not JSON, or wanted; `instead` says how to get it.
    pub(in crate::http) fn unless_wanted(&mut self, key: &str, instead: &str) -> Result<(), ApiError> {
        if matches!(self.raw()?, "null" | "false") {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::InvalidOption, format!("the parameter {key:?} is not served here; {instead}")))
    }

    /// Whether the next value, which is passed over, is anything but `null`.
    ///
    /// # Errors
    /// 400 when it is not JSON.
    pub(in crate::http) fn is_there(&mut self) -> Result<bool, ApiError> {
        let there = self.peek()? != Peek::Null;
        self.skip()?;
        Ok(there)
    }
}

/// What an interval's level must be, in words.
pub(in crate::http) const LEVEL: &str = "a level between 0 and 1, such as 0.95";

/// Keeps what stands under a key.
///
/// # Errors
/// 422 when it was there before.
pub(in crate::http) fn once<T>(slot: &mut Option<T>, key: &str, value: Option<T>) -> Result<(), ApiError> {
    if slot.is_some() {
        return Err(ApiError::new(ErrorCode::DuplicateKey, format!("the key {key:?} is there twice")));
    }
    *slot = value;
    Ok(())
}

/// A key that means nothing where it stands; `known` says which do.
pub(in crate::http) fn unknown(key: &str, known: &str) -> ApiError {
    let detail = format!("the key {:?} is not understood; {known}", shorten(key));
    ApiError::new(ErrorCode::UnknownKey, detail)
}
