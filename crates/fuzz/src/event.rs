//! Lambda events: a response in the form of the service, an error of the caller, or a failed invocation with a type;
//! never an error of the function.

use lambda_http::{Context, LambdaEvent};
use ordinate::http::server::lambda;
use ordinate_test_support::in_process::{application, settings};
use serde_json::Value;
use tower::ServiceExt;

use crate::service::wait;

/// Checks an event.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let Ok(payload) = serde_json::from_slice::<lambda::Event>(bytes) else {
        // The runtime reports what is not JSON; Lambda does not send it.
        assert!(serde_json::from_slice::<&serde_json::value::RawValue>(bytes).is_err());
        return false;
    };
    let handler = SERVICE.with(Clone::clone);
    let text = String::from_utf8_lossy(bytes);
    match wait(lambda::handler(handler).oneshot(LambdaEvent { payload, context: Context::default() })) {
        Ok(response) => {
            let response = serde_json::to_value(response).unwrap();
            let status = response["statusCode"].as_u64();
            // The answer to a direct invocation is the body.
            assert!(status.is_none_or(|status| (200..500).contains(&status) || status == 501), "{response}\n{text}");
            if status.is_some_and(|status| status >= 400) && response["isBase64Encoded"] == false {
                let body = response["body"].as_str().unwrap_or_default();
                let is_html = body.starts_with('<');
                assert!(is_html || body.is_empty() || serde_json::from_str::<Value>(body).is_ok(), "{response}");
            }
            status.is_none_or(|status| status < 300)
        }
        Err(error) => {
            assert!(!error.error_type.is_empty() && error.error_type != "internal", "{error:?}\n{text}");
            false
        }
    }
}

thread_local! {
    static SERVICE: axum::Router = application(settings());
}
