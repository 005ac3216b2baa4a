//! From a Lambda event to the application and back: `lambda_http` does it, and this module hands it only events that it can
//! convert. What a caller can put into a header, a path or a body would otherwise make it panic (a 502 without a word).

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HOST};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, LambdaEvent};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tower::{Service, ServiceExt, service_fn};
use url::{Url, form_urlencoded};

use super::predict;

/// Set by this module alone, on a body that says it is base64 and is not.
const UNDECODABLE: HeaderName = HeaderName::from_static("x-ordinate-undecodable-body");
/// Set by this module alone, on an event that could not be read.
const UNREADABLE: HeaderName = HeaderName::from_static("x-ordinate-unreadable-event");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The application as a function of Lambda events: REST API, HTTP API, function URL, load balancer, or a direct invoke, whose
/// event is the body for the default model.
#[must_use]
pub fn handler(
    router: Router,
) -> impl Service<
    LambdaEvent<LambdaRequest>,
    Response: serde::Serialize + std::fmt::Debug + Send + 'static,
    Error = Infallible,
    Future: Send + 'static,
> + Clone
+ Send
+ 'static {
    let application = service_fn(move |request| answer(router.clone(), request));
    let convertible = |LambdaEvent { payload, context }| LambdaEvent { payload: convertible(payload), context };
    ServiceExt::<LambdaEvent<LambdaRequest>>::map_request(Adapter::from(application), convertible)
}

/// The whole answer in memory: a Lambda response has no other form.
async fn answer(router: Router, request: lambda_http::Request) -> Result<Response<Full<Bytes>>, Infallible> {
    let response = router.oneshot(request).await?;
    let (mut parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be read to its end");
            parts.status = StatusCode::INTERNAL_SERVER_ERROR;
            Bytes::new()
        }
    };
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// Whether there was no reading the event at all.
pub(super) fn is_unreadable(headers: &HeaderMap) -> bool {
    headers.contains_key(UNREADABLE)
}

/// Whether the body was left as it came because it is not the base64 it says it is.
pub(super) fn body_is_undecodable(headers: &HeaderMap) -> bool {
    headers.contains_key(UNDECODABLE)
}

/// Makes an event one that `lambda_http` converts without panicking, and whose path is without its stage.
fn convertible(mut request: LambdaRequest) -> LambdaRequest {
    match &mut request {
        LambdaRequest::ApiGatewayV1(event) => {
            // REST APIs decode a binary answer only for media types that were configured; they compress by themselves.
            event.headers.remove(ACCEPT_ENCODING);
            event.multi_value_headers.remove(ACCEPT_ENCODING);
            clean_headers(&mut event.multi_value_headers);
            clean(&mut event.path, &mut event.headers, &mut event.is_base64_encoded, event.body.as_deref());
            clean_query(&mut event.multi_value_query_string_parameters, &mut event.query_string_parameters);
            event.request_context.stage = None;
            event.request_context.domain_name = None;
        }
        LambdaRequest::ApiGatewayV2(event) => {
            if let (Some(path), Some(stage)) = (&mut event.raw_path, event.request_context.stage.take()) {
                strip_stage(path, &stage);
            }
            clean(&mut event.raw_path, &mut event.headers, &mut event.is_base64_encoded, event.body.as_deref());
            let query = event.raw_query_string.take().unwrap_or_default();
            event.query_string_parameters = asked(form_urlencoded::parse(query.as_bytes()));
            event.raw_query_string = Some(event.query_string_parameters.to_query_string());
            event.request_context.domain_name = None;
        }
        LambdaRequest::Alb(event) => {
            clean_headers(&mut event.multi_value_headers);
            clean(&mut event.path, &mut event.headers, &mut event.is_base64_encoded, event.body.as_deref());
            clean_query(&mut event.multi_value_query_string_parameters, &mut event.query_string_parameters);
        }
        LambdaRequest::PassThrough(event) if is_http(event) => {
            // An event of HTTP with a header that is none. Its sender expects an answer in an envelope; all read this one.
            let mut unreadable = ApiGatewayV2httpRequest::default();
            unreadable.raw_path = Some("/".into());
            unreadable.headers.insert(UNREADABLE, HeaderValue::from_static("event"));
            request = LambdaRequest::ApiGatewayV2(unreadable);
        }
        _ => {}
    }
    request
}

/// Whether an event that no front of Lambda is known to send came from one all the same.
fn is_http(event: &str) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "requestContext")]
        _request_context: IgnoredAny,
    }
    serde_json::from_str::<Envelope>(event).is_ok()
}

/// `/prod/predict` → `/predict`: an HTTP API puts a named stage in front of the path.
fn strip_stage(path: &mut String, stage: &str) {
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
    if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        *path = rest.to_owned();
    }
}

fn clean(path: &mut Option<String>, headers: &mut HeaderMap, is_base64: &mut bool, body: Option<&str>) {
    clean_headers(headers);
    let path = path.get_or_insert_default();
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    if *is_base64 && body.is_some_and(|body| STANDARD.decode(body).is_err()) {
        *is_base64 = false;
        headers.insert(UNDECODABLE, HeaderValue::from_static("base64"));
    }
}

/// Keeps of a query what can be asked in it. Events with all values of a parameter have the last of each beside them.
fn clean_query(all: &mut QueryMap, last: &mut QueryMap) {
    *all = asked(if all.is_empty() { last.iter() } else { all.iter() }.map(|(key, value)| (key.into(), value.into())));
    *last = QueryMap::default();
}

/// The parameters that [`OPTIONS`](predict::OPTIONS) names, as much of each as can be needed: what `lambda_http` makes of them must be
/// a URI.
fn asked<'q>(query: impl Iterator<Item = (Cow<'q, str>, Cow<'q, str>)>) -> QueryMap {
    const LONGEST: usize = 100;
    let mut asked = HashMap::<String, Vec<String>>::new();
    for (key, value) in query.filter(|(key, _)| predict::OPTIONS.contains(&&**key)) {
        let values = asked.entry(key.into_owned()).or_default();
        // Two are one too many already.
        if values.len() < 2 {
            values.push(value.chars().take(LONGEST).collect());
        }
    }
    asked.into()
}

/// Removes what a caller must not set (marks of this module, the request's id: it is Lambda's), and a host that is none.
fn clean_headers(headers: &mut HeaderMap) {
    headers.remove(UNDECODABLE);
    headers.remove(UNREADABLE);
    headers.remove(REQUEST_ID);
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let scheme = text(FORWARDED_PROTO).unwrap_or("https");
    let usable = matches!(scheme, "http" | "https") && text(HOST).is_none_or(|host| is_host(scheme, host));
    if !usable {
        headers.remove(HOST);
        headers.remove(FORWARDED_PROTO);
    }
}

fn is_host(scheme: &str, host: &str) -> bool {
    // Both parsers that lambda_http hands it to must take it.
    host.parse::<Authority>().is_ok()
        && !host.contains(['/', '?', '#', '@', '\\'])
        && Url::parse(&format!("{scheme}://{host}/")).is_ok()
}
