//! Lambda events to requests and responses to Lambda: `lambda_http` converts them, and this module prepares the events.
//! Some headers, paths and bodies that a client can send would make `lambda_http` panic, which is a 502 without a
//! message.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

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
use lambda_runtime::{Context, Diagnostic};
use serde::Deserialize;
use tower::{Service, ServiceExt, service_fn};
use url::{Url, form_urlencoded};

use super::error::ErrorCode;
pub use super::event::Event;
use super::headers::REQUEST_ID;
use super::path;
use super::query::{LIST_PARAMETERS, PARAMETERS};

/// A fault of an event, in the extensions of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventFault {
    /// The event cannot be read, for this reason.
    Unreadable(String),
    /// The body is not base64, although the event declares it as such.
    UndecodableBody,
}

/// A prefix of an event's path that may not belong to the route, such as a stage, in the extensions of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventPrefix(pub(crate) String);

/// A prefix of the path in the client's URL that the path of the event does not have: the stage of a REST API. In the
/// extensions of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HiddenPrefix(pub(crate) String);

/// An invocation, for all lines that it writes to the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Invocation {
    /// Lambda's id of the invocation.
    pub(crate) request_id: String,
    /// The X-Ray trace header.
    pub(crate) trace: Option<String>,
    /// The id of the request in the service in front, as in its own log.
    pub(crate) correlation_id: Option<String>,
    /// Whether the process was started for this invocation.
    pub(crate) cold_start: bool,
}

impl Invocation {
    fn new(event: &Event, context: &Context) -> Self {
        /// Whether there was an invocation before.
        static WARM: AtomicBool = AtomicBool::new(false);
        let correlation_id = match event {
            Event::Http(request) => correlation_id(request),
            _ => None,
        };
        Self {
            request_id: context.request_id.clone(),
            trace: context.xray_trace_id.clone(),
            correlation_id,
            cold_start: !WARM.load(Ordering::Relaxed) && !WARM.swap(true, Ordering::Relaxed),
        }
    }
}

/// The id of a request in the log of API Gateway, and in that of a load balancer.
fn correlation_id(request: &LambdaRequest) -> Option<String> {
    let trace = |headers: &HeaderMap| headers.get("x-amzn-trace-id")?.to_str().ok().map(str::to_owned);
    match request {
        LambdaRequest::ApiGatewayV1(event) => event.request_context.request_id.clone(),
        LambdaRequest::ApiGatewayV2(event) => event.request_context.request_id.clone(),
        LambdaRequest::Alb(event) => trace(&event.headers).or_else(|| trace(&event.multi_value_headers)),
        LambdaRequest::VpcLatticeV2(event) => trace(&event.headers),
        _ => None,
    }
}

tokio::task_local! {
    /// The invocation in progress.
    pub(crate) static INVOCATION: Invocation;
}

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The application as a handler of Lambda events: REST API, HTTP API, function URL, load balancer, VPC Lattice, or a
/// direct invocation, whose event is a body for the default model.
///
/// Requests of HTTP services always have a response. An event of another service fails the invocation, so that its
/// service repeats it or moves it to a dead-letter queue; so does a direct invocation with an error, whose code is the
/// type of the error.
#[must_use]
pub fn handler(
    router: Router,
) -> impl Service<
    LambdaEvent<Event>,
    Response: serde::Serialize + std::fmt::Debug + Send + 'static,
    Error = Diagnostic,
    Future: Send + 'static,
> + Clone
+ Send
+ 'static {
    service_fn(move |LambdaEvent { payload, context }: LambdaEvent<Event>| {
        let router = router.clone();
        let invocation = Invocation::new(&payload, &context);
        INVOCATION.scope(invocation, async move {
            let (payload, extras, is_direct) = match payload {
                Event::Unsupported(service) => return Err(unsupported(service)),
                Event::Invalid(reason) => return Err(invalid(&reason)),
                Event::Unreadable(reason) => (unreadable(), Extras::from(EventFault::Unreadable(reason)), false),
                Event::Direct(body) => (LambdaRequest::PassThrough(body), Extras::default(), true),
                Event::Http(request) => {
                    let (request, extras) = convertible(*request);
                    (request, extras, false)
                }
            };
            let application = service_fn(move |mut request: Request| {
                extras.clone().add_to(&mut request);
                let response = respond(router.clone(), request);
                async move {
                    let (parts, body) = response.await.into_parts();
                    if is_direct && !parts.status.is_success() {
                        return Err(failed(&body));
                    }
                    Ok(Response::from_parts(parts, Full::new(body)))
                }
            });
            Adapter::from(application).call(LambdaEvent { payload, context }).await
        })
    })
}

/// The error of an event of another service.
fn unsupported(service: &str) -> Diagnostic {
    let error_message = format!(
        "this function answers HTTP requests and direct invocations with a body such as {{\"X\": [[1, 2]]}}, not events \
         of {service}; remove the trigger, or send the event to another function"
    );
    tracing::error!(event_source = service, "an event of another service failed the invocation");
    Diagnostic { error_type: format!("UnsupportedEvent.{service}"), error_message }
}

/// The error of an event that no service sends.
fn invalid(reason: &str) -> Diagnostic {
    tracing::error!(reason, "an event that is not a request failed the invocation");
    Diagnostic {
        error_type: ErrorCode::InvalidEvent.as_str().to_owned(),
        error_message: format!("the event cannot be read: {reason}"),
    }
}

/// The error of a direct invocation, from the problem document.
fn failed(problem: &[u8]) -> Diagnostic {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Problem {
        code: String,
        detail: String,
    }
    let Problem { code, detail } = serde_json::from_slice(problem).unwrap_or_default();
    Diagnostic { error_type: code, error_message: detail }
}

/// Facts of an event for the extensions of its request.
#[derive(Debug, Clone, Default)]
struct Extras {
    fault: Option<EventFault>,
    prefix: Option<EventPrefix>,
    hidden_prefix: Option<HiddenPrefix>,
}

impl From<EventFault> for Extras {
    fn from(fault: EventFault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }
}

impl Extras {
    fn add_to(self, request: &mut Request) {
        if let Some(fault) = self.fault {
            request.extensions_mut().insert(fault);
        }
        if let Some(prefix) = self.prefix {
            request.extensions_mut().insert(prefix);
        }
        if let Some(prefix) = self.hidden_prefix {
            request.extensions_mut().insert(prefix);
        }
    }
}

/// Collects the response in memory, as Lambda requires.
async fn respond(router: Router, request: Request) -> Response<Bytes> {
    let Ok(response) = router.oneshot(request).await;
    let (mut parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => {
            tracing::error!(%error, "a response could not be read completely");
            parts.status = StatusCode::INTERNAL_SERVER_ERROR;
            Bytes::new()
        }
    };
    Response::from_parts(parts, body)
}

/// A request in place of an unreadable one. All HTTP services can read the form of its response.
fn unreadable() -> LambdaRequest {
    let mut unreadable = ApiGatewayV2httpRequest::default();
    unreadable.raw_path = Some("/".into());
    LambdaRequest::ApiGatewayV2(unreadable)
}

/// Makes an event safe for `lambda_http`, and finds the prefix of its path.
fn convertible(mut request: LambdaRequest) -> (LambdaRequest, Extras) {
    let mut extras = Extras::default();
    match &mut request {
        LambdaRequest::ApiGatewayV1(event) => {
            // REST APIs decode binary responses only for configured media types; they compress by themselves.
            event.headers.remove(ACCEPT_ENCODING);
            event.multi_value_headers.remove(ACCEPT_ENCODING);
            clean_headers(&mut event.multi_value_headers);
            clean(&mut event.path, &mut event.headers);
            extras.fault = check_base64(&mut event.is_base64_encoded, event.body.as_deref());
            clean_query(&mut event.multi_value_query_string_parameters, &mut event.query_string_parameters);
            let stage = event.request_context.stage.take();
            let path = event.path.as_deref().unwrap_or_default();
            extras.prefix = prefix(path, event.resource.as_deref(), &event.path_parameters, stage.as_deref());
            let hidden = event.request_context.path.as_deref().and_then(|client_path| client_path.strip_suffix(path));
            extras.hidden_prefix =
                hidden.filter(|hidden| is_path(hidden)).map(|hidden| HiddenPrefix(hidden.to_owned()));
            event.request_context.domain_name = None;
        }
        LambdaRequest::ApiGatewayV2(event) => {
            clean(&mut event.raw_path, &mut event.headers);
            extras.fault = check_base64(&mut event.is_base64_encoded, event.body.as_deref());
            let query = event.raw_query_string.take().unwrap_or_default();
            event.query_string_parameters = bounded_parameters(form_urlencoded::parse(query.as_bytes()));
            event.raw_query_string = Some(event.query_string_parameters.to_query_string());
            let stage = event.request_context.stage.take();
            let path = event.raw_path.as_deref().unwrap_or_default();
            // `ANY /{proxy+}`, or `$default`.
            let resource = event.route_key.as_deref().and_then(|key| key.split_once(' ')).map(|(_, resource)| resource);
            extras.prefix = prefix(path, resource, &event.path_parameters, stage.as_deref());
            event.request_context.domain_name = None;
        }
        LambdaRequest::Alb(event) => {
            clean_headers(&mut event.multi_value_headers);
            clean(&mut event.path, &mut event.headers);
            extras.fault = check_base64(&mut event.is_base64_encoded, event.body.as_deref());
            clean_query(&mut event.multi_value_query_string_parameters, &mut event.query_string_parameters);
        }
        LambdaRequest::VpcLatticeV2(event) => {
            clean(&mut event.path, &mut event.headers);
            extras.fault = check_base64(&mut event.is_base64_encoded, event.body.as_deref());
            let query = event.query_string_parameters.to_query_string();
            event.query_string_parameters = bounded_parameters(form_urlencoded::parse(query.as_bytes()));
        }
        _ => {}
    }
    (request, extras)
}

/// The prefix of a path that is a stage or the mapping of a custom domain. If the resource that API Gateway matched is
/// known, with the values of its parameters if it has any, the path ends with it, and the rest is the prefix. Otherwise it
/// can be the stage only.
fn prefix(
    path: &str,
    resource: Option<&str>,
    parameters: &HashMap<String, String>,
    stage: Option<&str>,
) -> Option<EventPrefix> {
    let is_known = |resource: &&str| resource.starts_with('/') && (!resource.contains('{') || !parameters.is_empty());
    let path = path::normalize(path);
    if let Some(resource) = resource.filter(is_known) {
        let matched = parameters.iter().fold(resource.to_owned(), |matched, (name, value)| {
            matched.replace(&format!("{{{name}+}}"), value).replace(&format!("{{{name}}}"), value)
        });
        // The path of an event can be percent-encoded, while the values of its parameters are decoded.
        let matched = path::normalize(&matched);
        if let Some(prefix) = path.strip_suffix(matched.trim_end_matches('/')) {
            return (!prefix.trim_end_matches('/').is_empty()).then(|| EventPrefix(prefix.to_owned()));
        }
    }
    let stage = stage.filter(|stage| !stage.is_empty())?;
    let rest = path.strip_prefix('/')?.strip_prefix(stage)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| EventPrefix(format!("/{stage}")))
}

/// Whether a text is a path of unreserved characters, which is the same in a URL, in JSON and in HTML.
fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte))
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

/// Keeps the first parameters. Events with all values of a parameter also have a map with the last value of each.
fn clean_query(all: &mut QueryMap, last: &mut QueryMap) {
    *all = bounded_parameters(
        if all.is_empty() { last.iter() } else { all.iter() }.map(|(key, value)| (key.into(), value.into())),
    );
    *last = QueryMap::default();
}

/// The beginning of a text, of which each byte needs at most three in a URL.
fn truncate(text: &str) -> String {
    const LONGEST: usize = 500;
    let end = text.char_indices().map(|(start, char)| start + char.len_utf8()).take_while(|end| *end <= LONGEST).last();
    text.get(..end.unwrap_or_default()).unwrap_or_default().to_owned()
}

/// The parameters that a route reads ([`PARAMETERS`], [`LIST_PARAMETERS`]), and a few others for the error about them. All
/// are truncated: `lambda_http` makes a URI of them, which must be valid.
fn bounded_parameters<'q>(query: impl Iterator<Item = (Cow<'q, str>, Cow<'q, str>)>) -> QueryMap {
    const MAX_UNKNOWN: usize = 3;
    let mut kept = HashMap::<String, Vec<String>>::new();
    let mut unknown = 0;
    for (key, value) in query {
        if !PARAMETERS.contains(&&*key) && !LIST_PARAMETERS.contains(&&*key) {
            unknown += 1;
            if unknown > MAX_UNKNOWN {
                continue;
            }
        }
        let values = kept.entry(truncate(&key)).or_default();
        // Two values are enough for the error about a repeated parameter.
        if values.len() < 2 {
            values.push(truncate(&value));
        }
    }
    kept.into()
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
    const LONGEST: usize = 300;
    // lambda_http passes it to both parsers.
    host.len() <= LONGEST
        && host.parse::<Authority>().is_ok()
        && !host.contains(['/', '?', '#', '@', '\\'])
        && Url::parse(&format!("{scheme}://{host}/")).is_ok()
}
