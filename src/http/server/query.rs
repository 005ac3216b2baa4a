//! The parameters of a URL.

use http::Uri;
use ordinate_model::suggestion::{did_you_mean, most_similar};
use ordinate_model::wording::shorten;
use url::form_urlencoded;

use super::error::{ApiError, ErrorCode};

/// The parameters of the service's own routes for predictions: the options of a body.
pub(crate) const PARAMETERS: [&str; 3] = ["interval", "explain", "probabilities"];

/// The parameters of the list of models.
pub(crate) const LIST_PARAMETERS: [&str; 2] = ["after", "limit"];

/// The error for a parameter that is not one of these.
pub(crate) fn unknown<const N: usize>(key: &str, parameters: [&str; N]) -> ApiError {
    let quoted = parameters.map(|name| format!("{name:?}"));
    let known = quoted.split_last().map(|(last, others)| format!("{} and {last}", others.join(", ")));
    let detail = format!(
        "unknown URL parameter {:?}; the parameters are {}{}",
        shorten(key),
        known.unwrap_or_default(),
        did_you_mean(key, parameters)
    );
    ApiError::new(ErrorCode::UnknownKey, detail)
}

/// Checks that a request to a route without parameters has none.
///
/// # Errors
/// 422 for the first of them.
pub(crate) fn expect_none(uri: &Uri) -> Result<(), ApiError> {
    let query = uri.query().unwrap_or_default();
    match form_urlencoded::parse(query.as_bytes()).next() {
        None => Ok(()),
        Some((key, _)) => {
            let advice = match most_similar(&key, &["version", "alias"]) {
                Some("version") => "; versions are in the path: /models/{name}/versions/{version}",
                Some(_) => "; aliases are in the path: /models/{name}@{alias}",
                None => "",
            };
            let detail = format!("unknown URL parameter {:?}; this route has no parameters{advice}", shorten(&key));
            Err(ApiError::new(ErrorCode::UnknownKey, detail))
        }
    }
}

/// Sets a parameter.
///
/// # Errors
/// 422 if it was set before.
pub(crate) fn put<T>(slot: &mut Option<T>, key: &str, value: T) -> Result<(), ApiError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ApiError::new(ErrorCode::DuplicateKey, format!("URL parameter {key:?}: given more than once"))),
    }
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
