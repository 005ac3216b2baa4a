//! Lambda events to requests and responses to Lambda: `lambda_http` converts them, and this module prepares the events.
//! Some headers, paths and bodies that a client can send would make `lambda_http` panic, which is a 502 without a
//! message.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HOST};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, LambdaEvent, Request};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tower::{Service, ServiceExt, service_fn};
use url::{Url, form_urlencoded};

use super::query::PARAMETERS;

/// A fault of an event, in the extensions of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventFault {
    /// The event cannot be read.
    Unreadable,
    /// The body is not base64, although the event declares it as such.
    UndecodableBody,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The application as a handler of Lambda events: REST API, HTTP API, function URL, load balancer, or a direct
/// invocation, whose event is a body for the default model.
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
    service_fn(move |LambdaEvent { payload, context }: LambdaEvent<LambdaRequest>| {
        let (payload, fault) = convertible(payload);
        let router = router.clone();
        let application = service_fn(move |mut request: Request| {
            if let Some(fault) = fault {
                request.extensions_mut().insert(fault);
            }
            respond(router.clone(), request)
        });
        Adapter::from(application).call(LambdaEvent { payload, context })
    })
}

/// Collects the response in memory, as Lambda requires.
async fn respond(router: Router, request: Request) -> Result<Response<Full<Bytes>>, Infallible> {
    let response = router.oneshot(request).await?;
    let (mut parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => {
            tracing::error!(%error, "a response could not be read completely");
            parts.status = StatusCode::INTERNAL_SERVER_ERROR;
            Bytes::new()
        }
    };
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// Makes an event safe for `lambda_http` and removes the stage from its path.
fn convertible(mut request: LambdaRequest) -> (LambdaRequest, Option<EventFault>) {
    let mut fault = None;
    match &mut request {
        LambdaRequest::ApiGatewayV1(event) => {
            // REST APIs decode binary responses only for configured media types; they compress by themselves.
            event.headers.remove(ACCEPT_ENCODING);
            event.multi_value_headers.remove(ACCEPT_ENCODING);
            clean_headers(&mut event.multi_value_headers);
            clean(&mut event.path, &mut event.headers);
            fault = check_base64(&mut event.is_base64_encoded, event.body.as_deref());
            clean_query(&mut event.multi_value_query_string_parameters, &mut event.query_string_parameters);
            event.request_context.stage = None;
            event.request_context.domain_name = None;
        }
        LambdaRequest::ApiGatewayV2(event) => {
            if let (Some(path), Some(stage)) = (&mut event.raw_path, event.request_context.stage.take()) {
                strip_stage(path, &stage);
            }
            clean(&mut event.raw_path, &mut event.headers);
            fault = check_base64(&mut event.is_base64_encoded, event.body.as_deref());
            let query = event.raw_query_string.take().unwrap_or_default();
            event.query_string_parameters = known_parameters(form_urlencoded::parse(query.as_bytes()));
            event.raw_query_string = Some(event.query_string_parameters.to_query_string());
            event.request_context.domain_name = None;
        }
        LambdaRequest::Alb(event) => {
            clean_headers(&mut event.multi_value_headers);
            clean(&mut event.path, &mut event.headers);
            fault = check_base64(&mut event.is_base64_encoded, event.body.as_deref());
            clean_query(&mut event.multi_value_query_string_parameters, &mut event.query_string_parameters);
        }
        LambdaRequest::PassThrough(event) if is_http(event) => {
            // An HTTP event with an invalid header. Its sender expects an HTTP response, and all senders can read this
            // form.
            let mut unreadable = ApiGatewayV2httpRequest::default();
            unreadable.raw_path = Some("/".into());
            request = LambdaRequest::ApiGatewayV2(unreadable);
            fault = Some(EventFault::Unreadable);
        }
        _ => {}
    }
    (request, fault)
}

/// Whether an event of an unknown kind comes from an HTTP front end.
fn is_http(event: &str) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "requestContext")]
        _request_context: IgnoredAny,
    }
    serde_json::from_str::<Envelope>(event).is_ok()
}

/// `/prod/predict` → `/predict`: an HTTP API prefixes the path with a named stage.
fn strip_stage(path: &mut String, stage: &str) {
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
    if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        *path = rest.to_owned();
    }
}

fn clean(path: &mut Option<String>, headers: &mut HeaderMap) {
    clean_headers(headers);
    let path = path.get_or_insert_default();
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
}

/// Marks a body that is not base64 as plain text, so that it is not decoded.
fn check_base64(is_base64: &mut bool, body: Option<&str>) -> Option<EventFault> {
    if *is_base64 && body.is_some_and(|body| STANDARD.decode(body).is_err()) {
        *is_base64 = false;
        return Some(EventFault::UndecodableBody);
    }
    None
}

/// Keeps the known parameters. Events with all values of a parameter also have a map with the last value of each.
fn clean_query(all: &mut QueryMap, last: &mut QueryMap) {
    *all = known_parameters(
        if all.is_empty() { last.iter() } else { all.iter() }.map(|(key, value)| (key.into(), value.into())),
    );
    *last = QueryMap::default();
}

/// The parameters that a route reads ([`PARAMETERS`]), truncated: `lambda_http` makes a URI of them, which must be
/// valid.
fn known_parameters<'q>(query: impl Iterator<Item = (Cow<'q, str>, Cow<'q, str>)>) -> QueryMap {
    const LONGEST: usize = 100;
    let mut known = HashMap::<String, Vec<String>>::new();
    for (key, value) in query.filter(|(key, _)| PARAMETERS.contains(&&**key)) {
        let values = known.entry(key.into_owned()).or_default();
        // Two values are enough for the error about a repeated parameter.
        if values.len() < 2 {
            values.push(value.chars().take(LONGEST).collect());
        }
    }
    known.into()
}

/// Removes headers that clients must not set (the request id) and an invalid host.
fn clean_headers(headers: &mut HeaderMap) {
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
    // lambda_http passes it to both parsers.
    host.parse::<Authority>().is_ok()
        && !host.contains(['/', '?', '#', '@', '\\'])
        && Url::parse(&format!("{scheme}://{host}/")).is_ok()
}
