//! Errors of the SDK and of S3 as [`SourceError`].

use std::error::Error;
use std::path::Path;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStreamError;
use aws_smithy_checksums::body::validate::Error as ChecksumError;

use crate::source::SourceError;

/// The permission for reading an object.
pub(super) const GET: &str = "s3:GetObject";

/// The error of a request that failed. `permission` is the one that it needs, such as `s3:GetObject`.
pub fn from_sdk<E>(location: String, permission: &str, error: SdkError<E, HttpResponse>) -> SourceError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match &error {
        SdkError::TimeoutError(_) => SourceError::Timeout { location, limit: None, source: Some(error.into()) },
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            SourceError::Timeout { location, limit: None, source: Some(error.into()) }
        }
        _ if caused_by::<CredentialsError>(&error) => {
            let reason = "no valid credentials: set AWS_PROFILE (after `aws sso login`, if it uses SSO), \
                          or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
            SourceError::AccessDenied { location, reason: reason.into(), source: error.into() }
        }
        _ if lacks_region(&error) => {
            let reason = "no S3 region: set AWS_REGION, or a region of the profile that AWS_PROFILE names";
            SourceError::Misconfigured { location, reason: reason.into() }
        }
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
            SourceError::Unreachable { location, source: error.into() }
        }
        SdkError::ServiceError(response) => {
            let status = response.raw().status().as_u16();
            let code = error.code().unwrap_or("no code").to_owned();
            let region = response.raw().headers().get("x-amz-bucket-region").map(str::to_owned);
            from_service(location, permission, status, code, region, error)
        }
        _ => SourceError::Interrupted { location, source: error.into() },
    }
}

/// The error of a body that was cut off or corrupted.
pub(super) fn from_body(location: String, error: ByteStreamError) -> SourceError {
    if caused_by::<ChecksumError>(&error) {
        SourceError::Corrupt { location, source: error.into() }
    } else {
        SourceError::Interrupted { location, source: error.into() }
    }
}

fn from_service(
    location: String,
    permission: &str,
    status: u16,
    code: String,
    region: Option<String>,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> SourceError {
    let source = source.into();
    match (status, code.as_str()) {
        (_, "NoSuchBucket") => {
            SourceError::NotFound { location, reason: "no such bucket".into(), source: Some(source) }
        }
        (
            _,
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException",
        )
        | (301 | 302 | 307 | 308, _) => SourceError::WrongRegion { location, region, source },
        // Before the 403 below: S3 uses this status for it.
        (_, "InvalidObjectState") => SourceError::Service { location, status, code, source },
        (_, "ExpiredToken" | "InvalidToken") | (401 | 403, _) => {
            let reason = denied(permission, &code);
            SourceError::AccessDenied { location, reason, source }
        }
        (404, _) => {
            let is_file = Path::new(&location).extension().is_some();
            let reason =
                if is_file { "no such object" } else { "no such object; the address of a catalog ends with /" };
            SourceError::NotFound { location, reason: reason.into(), source: Some(source) }
        }
        _ => SourceError::Service { location, status, code, source },
    }
}

fn denied(permission: &str, code: &str) -> String {
    let reason = match code {
        "InvalidAccessKeyId" => "unknown access key",
        "SignatureDoesNotMatch" => "the secret key does not match the access key",
        "ExpiredToken" | "InvalidToken" => "the session token has expired or is invalid",
        "RequestTimeTooSkewed" => "the clock of this machine is wrong",
        _ if permission == GET => {
            "the permission s3:GetObject is missing for this object, or the object does not exist and the permission \
             s3:ListBucket is missing"
        }
        _ => return format!("the permission {permission} is missing ({code})"),
    };
    format!("{reason} ({code})")
}

/// Whether the error or one of its causes has this type.
/// The SDK does not export the type of this error.
fn lacks_region(error: &(dyn Error + 'static)) -> bool {
    error.to_string().starts_with("A region must be set") || error.source().is_some_and(lacks_region)
}

fn caused_by<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    error.is::<E>() || error.source().is_some_and(caused_by::<E>)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn error_response(status: u16, code: &str) -> SourceError {
        from_service("s3://models/line.json".into(), GET, status, code.into(), Some("eu-west-1".into()), "cause")
    }

    #[rstest]
    #[case(404, "NoSuchKey", "no such object")]
    #[case(404, "NoSuchBucket", "no such bucket")]
    #[case(404, "no code", "no such object")]
    fn a_missing_object_or_bucket_is_not_found(#[case] status: u16, #[case] code: &str, #[case] reason: &str) {
        let error = error_response(status, code);
        assert!(matches!(error, SourceError::NotFound { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!error.is_transient());
    }

    #[rstest]
    #[case(403, "AccessDenied", "s3:ListBucket")]
    #[case(403, "no code", "s3:GetObject")]
    #[case(403, "InvalidAccessKeyId", "unknown access key")]
    #[case(403, "SignatureDoesNotMatch", "secret key")]
    #[case(403, "RequestTimeTooSkewed", "clock")]
    #[case(400, "ExpiredToken", "expired")]
    fn access_denied_names_the_reason(#[case] status: u16, #[case] code: &str, #[case] reason: &str) {
        let error = error_response(status, code);
        assert!(matches!(error, SourceError::AccessDenied { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!error.is_transient());
    }

    #[rstest]
    #[case(301, "PermanentRedirect")]
    #[case(307, "TemporaryRedirect")]
    #[case(400, "AuthorizationHeaderMalformed")]
    fn the_region_of_the_bucket_is_reported(#[case] status: u16, #[case] code: &str) {
        let error = error_response(status, code);
        assert!(matches!(&error, SourceError::WrongRegion { .. }), "{error:?}");
        assert!(error.to_string().contains("eu-west-1"), "{error}");
        assert!(!error.is_transient());
    }

    #[rstest]
    #[case(503, "SlowDown", true)]
    #[case(500, "InternalError", true)]
    #[case(429, "no code", true)]
    #[case(403, "InvalidObjectState", false)]
    #[case(400, "InvalidRequest", false)]
    fn other_errors_keep_status_and_code(#[case] status: u16, #[case] code: &str, #[case] transient: bool) {
        let error = error_response(status, code);
        assert!(matches!(error, SourceError::Service { .. }), "{error:?}");
        assert!(error.to_string().contains(code), "{error}");
        assert_eq!(error.is_transient(), transient);
    }
}
