//! `{"data": {"features": {"values": [59, 32.1]}}}`: a row in the long form of `SageMaker`
//! (<https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html>).

use jiter::Peek;

use super::Reader;
use crate::http::server::error::ApiError;
use ordinate_model::frame::{FaultKind, RowsBuilder};
use ordinate_model::wording::shorten;

impl Reader<'_> {
    /// Reads the next value, the object of the key `data`, as a positional row.
    pub(super) fn long_row(&mut self, rows: &mut RowsBuilder<'_>) -> Result<(), ApiError> {
        let mut is_complete = false;
        let mut key = self.first_key()?;
        while let Some(name) = key {
            if name == "features" && !is_complete && self.peek()? == Peek::Object {
                is_complete = self.features(rows)?;
            } else {
                rows.wrong_row(FaultKind::UnknownFeature, unexpected(&name));
                self.skip()?;
            }
            key = self.next_key()?;
        }
        if !is_complete {
            let detail = "expected {\"features\": {\"values\": […]}} under \"data\"";
            rows.wrong_row(FaultKind::InvalidValue, detail);
        }
        Ok(())
    }

    /// Reads the object of the key `features`; returns whether it has values.
    fn features(&mut self, rows: &mut RowsBuilder<'_>) -> Result<bool, ApiError> {
        let mut has_values = false;
        let mut key = self.first_key()?;
        while let Some(name) = key {
            match name.as_str() {
                "values" if !has_values && self.peek()? == Peek::Array => {
                    self.positional_row(rows)?;
                    has_values = true;
                }
                // The number of values is checked.
                "shape" => self.skip()?,
                "keys" => {
                    let detail = "sparse rows (\"keys\") are not supported; send the values of all features";
                    rows.wrong_row(FaultKind::InvalidValue, detail);
                    self.skip()?;
                }
                other => {
                    rows.wrong_row(FaultKind::UnknownFeature, unexpected(other));
                    self.skip()?;
                }
            }
            key = self.next_key()?;
        }
        Ok(has_values)
    }

    /// Reads the keys after the only key of a row, which are errors.
    pub(super) fn expect_no_key(&mut self, only: &str, rows: &mut RowsBuilder<'_>) -> Result<(), ApiError> {
        while let Some(other) = self.next_key()? {
            let detail = format!("unknown key {:?}; the only key is {only:?}", shorten(&other));
            rows.wrong_row(FaultKind::UnknownFeature, detail);
            self.skip()?;
        }
        Ok(())
    }
}

fn unexpected(key: &str) -> String {
    format!("unexpected key {:?}; a row is {{\"data\": {{\"features\": {{\"values\": […]}}}}}}", shorten(key))
}
