//! The parameters of a URL.

use http::Uri;
use ordinate_model::suggestion::did_you_mean;
use ordinate_model::wording::shorten;
use url::form_urlencoded;

use super::error::{ApiError, ErrorCode};

/// The parameters of the service's own routes for predictions: the options of a body.
pub(crate) const PARAMETERS: [&str; 3] = ["interval", "explain", "probabilities"];

/// The error for a parameter that is not one of [`PARAMETERS`].
pub(crate) fn unknown(key: &str) -> ApiError {
    let [first, second, third] = PARAMETERS;
    let suggestion = did_you_mean(key, PARAMETERS.iter().copied());
    let detail = format!(
        "unknown URL parameter {:?}; the parameters are {first:?}, {second:?} and {third:?}{suggestion}",
        shorten(key)
    );
    ApiError::new(ErrorCode::UnknownKey, detail)
}

/// Checks that a request of another protocol has none of [`PARAMETERS`], which would have no effect. Parameters that are
/// not of this service are ignored, as by the servers of these protocols.
///
/// # Errors
/// 422 for the first of them.
pub(crate) fn expect_no_options(uri: &Uri) -> Result<(), ApiError> {
    let query = uri.query().unwrap_or_default();
    let option =
        form_urlencoded::parse(query.as_bytes()).find_map(|(key, _)| PARAMETERS.into_iter().find(|name| *name == key));
    match option {
        None => Ok(()),
        Some(name) => {
            let detail =
                format!("the URL parameter {name:?} is not supported here; use POST /models/{{name}}/predict?{name}=…");
            Err(ApiError::new(ErrorCode::InvalidOption, detail))
        }
    }
}
