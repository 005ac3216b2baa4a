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

/// A fault of an event, in the extensions of the request that was made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventFault {
    /// It could not be read at all.
    Unreadable,
    /// Its body was left as it came: it is not the base64 that the event says it is.
    UndecodableBody,
}

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
    service_fn(move |LambdaEvent { payload, context }: LambdaEvent<LambdaRequest>| {
        let (payload, fault) = convertible(payload);
        let router = router.clone();
        let application = service_fn(move |mut request: Request| {
            if let Some(fault) = fault {
                request.extensions_mut().insert(fault);
            }
            answer(router.clone(), request)
        });
        Adapter::from(application).call(LambdaEvent { payload, context })
    })
}

/// The whole answer in memory: a Lambda response has no other form.
async fn answer(router: Router, request: Request) -> Result<Response<Full<Bytes>>, Infallible> {
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

/// Makes an event one that `lambda_http` converts without panicking, and whose path is without its stage.
fn convertible(mut request: LambdaRequest) -> (LambdaRequest, Option<EventFault>) {
    let mut fault = None;
    match &mut request {
        LambdaRequest::ApiGatewayV1(event) => {
            // REST APIs decode a binary answer only for media types that were configured; they compress by themselves.
            event.headers.remove(ACCEPT_ENCODING);
            event.multi_value_headers.remove(ACCEPT_ENCODING);
            clean_headers(&mut event.multi_value_headers);
            clean(&mut event.path, &mut event.headers);
            fault = settle_base64(&mut event.is_base64_encoded, event.body.as_deref());
            clean_query(&mut event.multi_value_query_string_parameters, &mut event.query_string_parameters);
            event.request_context.stage = None;
            event.request_context.domain_name = None;
        }
        LambdaRequest::ApiGatewayV2(event) => {
            if let (Some(path), Some(stage)) = (&mut event.raw_path, event.request_context.stage.take()) {
                strip_stage(path, &stage);
            }
            clean(&mut event.raw_path, &mut event.headers);
            fault = settle_base64(&mut event.is_base64_encoded, event.body.as_deref());
            let query = event.raw_query_string.take().unwrap_or_default();
            event.query_string_parameters = asked(form_urlencoded::parse(query.as_bytes()));
            event.raw_query_string = Some(event.query_string_parameters.to_query_string());
            event.request_context.domain_name = None;
        }
        LambdaRequest::Alb(event) => {
            clean_headers(&mut event.multi_value_headers);
            clean(&mut event.path, &mut event.headers);
            fault = settle_base64(&mut event.is_base64_encoded, event.body.as_deref());
            clean_query(&mut event.multi_value_query_string_parameters, &mut event.query_string_parameters);
        }
        LambdaRequest::PassThrough(event) if is_http(event) => {
            // An event of HTTP with a header that is none. Its sender expects an answer in an envelope; all read this one.
            let mut unreadable = ApiGatewayV2httpRequest::default();
            unreadable.raw_path = Some("/".into());
            request = LambdaRequest::ApiGatewayV2(unreadable);
            fault = Some(EventFault::Unreadable);
        }
        _ => {}
    }
    (request, fault)
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

fn clean(path: &mut Option<String>, headers: &mut HeaderMap) {
    clean_headers(headers);
    let path = path.get_or_insert_default();
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
}

/// Leaves a body as it came that is not base64.
fn settle_base64(is_base64: &mut bool, body: Option<&str>) -> Option<EventFault> {
    if *is_base64 && body.is_some_and(|body| STANDARD.decode(body).is_err()) {
        *is_base64 = false;
        return Some(EventFault::UndecodableBody);
    }
    None
}

/// Keeps of a query what can be asked in it. Events with all values of a parameter have the last of each beside them.
fn clean_query(all: &mut QueryMap, last: &mut QueryMap) {
    *all = asked(if all.is_empty() { last.iter() } else { all.iter() }.map(|(key, value)| (key.into(), value.into())));
    *last = QueryMap::default();
}

/// The parameters that a route reads ([`PARAMETERS`]), as much of each as can be needed: what `lambda_http` makes of them must be
/// a URI.
fn asked<'q>(query: impl Iterator<Item = (Cow<'q, str>, Cow<'q, str>)>) -> QueryMap {
    const LONGEST: usize = 100;
    let mut asked = HashMap::<String, Vec<String>>::new();
    for (key, value) in query.filter(|(key, _)| PARAMETERS.contains(&&**key)) {
        let values = asked.entry(key.into_owned()).or_default();
        // Two are one too many already.
        if values.len() < 2 {
            values.push(value.chars().take(LONGEST).collect());
        }
    }
    asked.into()
}

/// Removes what a caller must not set (the request's id: it is Lambda's), and a host that is not one.
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
    // Both parsers that lambda_http hands it to must take it.
    host.parse::<Authority>().is_ok()
        && !host.contains(['/', '?', '#', '@', '\\'])
        && Url::parse(&format!("{scheme}://{host}/")).is_ok()
}
