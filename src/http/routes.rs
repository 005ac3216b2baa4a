//! All routes, and everything that is derived from their list: the router, the error envelope of a path, the
//! suggestions of a 404, the paths that `BASE_PATH` cannot have, the `OpenAPI` document.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use http::Method;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ALLOW};
use ordinate_model::identity::ModelName;
use ordinate_model::suggestion::by_similarity;
use ordinate_model::wording::shorten;
use tower::ServiceExt;
use utoipa::openapi::path::HttpMethod;

use super::application::{App, Application};
use super::docs::{openapi, reader};
use super::page;
use super::protocols::{kserve_v1, mcp, mlflow, native, open_inference, sagemaker, vertex};
use super::route::{Protocol, Route};
use super::server::envelope::Envelope;
use super::server::error::{ApiError, ErrorCode, wrong_method};
use super::server::fault::RequestFault;
use super::server::lambda::EventFault;
use super::server::middleware::RoutePath;
use super::server::path::{self, Verb};

/// The number of similar routes in the error of an unknown path.
const MAX_SUGGESTED_ROUTES: usize = 3;

/// The protocols in the order of the `OpenAPI` document.
pub(crate) const PROTOCOLS: [Protocol; 8] = [
    native::PROTOCOL,
    open_inference::PROTOCOL,
    kserve_v1::PROTOCOL,
    vertex::PROTOCOL,
    mlflow::PROTOCOL,
    sagemaker::PROTOCOL,
    mcp::PROTOCOL,
    PAGES,
];

/// The page, the `OpenAPI` document and the pages that show it, and the metrics of the plain server.
const PAGES: Protocol = Protocol { routes: pages, tags: &[], schemas: page::define };

/// All routes.
static ROUTES: LazyLock<Vec<Route>> =
    LazyLock::new(|| PROTOCOLS.iter().flat_map(|protocol| (protocol.routes)()).collect());

fn pages() -> Vec<Route> {
    vec![
        // Its path is so short that it is similar to every other short path.
        Route::get("/", page::show)
            .other_methods(native::wrong_method::lead_to_predictions)
            .operation(page::operation)
            .not_suggested()
            .always_answered(),
        Route::get("/metrics", metrics).not_suggested().always_answered(),
        Route::get(openapi::PATH, |application| openapi::document(application, &PROTOCOLS, routes)),
        Route::get(reader::PAGE, reader::page),
        Route::get(reader::ERRORS, reader::errors),
    ]
}

/// `GET /metrics`, where the service has an observer that keeps them.
async fn metrics(State(application): App, request: Request) -> Response {
    match application.observer.as_ref().and_then(|observer| observer.metrics()) {
        Some(metrics) => metrics,
        None => unknown_route(request).await.into_response(),
    }
}

/// The first route that begins with a path.
pub(crate) fn route_below(path: &str) -> Option<&'static str> {
    ROUTES.iter().map(|route| route.path).find(|route| path::is_prefix(route, path))
}

/// The methods of the routes that a normalized path belongs to.
fn methods(path: &str) -> Vec<HttpMethod> {
    let matches = |route: &&Route| {
        let (pattern, verb) = route.split_verb();
        let (mut parts, mut found) = (path.split('/'), pattern.split('/'));
        loop {
            match (parts.next(), found.next()) {
                (None, None) => return true,
                (Some(part), Some(pattern)) if pattern.starts_with('{') => {
                    // The verb is at the end of the last segment; its colon may be percent-encoded.
                    let ends =
                        |verb: &str| part.ends_with(&format!(":{verb}")) || part.ends_with(&format!("%3A{verb}"));
                    if part.is_empty() || (found.clone().next().is_none() && !verb.is_none_or(ends)) {
                        return false;
                    }
                }
                (Some(part), Some(pattern)) if part == pattern => {}
                _ => return false,
            }
        }
    };
    let found: Vec<_> = ROUTES.iter().filter(matches).collect();
    // A verb belongs to the name of a model only if no route has this verb, as in `by_verb`.
    let has_verb = |route: &&&Route| route.split_verb().1.is_some();
    let is_verb = found.iter().any(|route| has_verb(&route));
    found.iter().filter(|route| !is_verb || has_verb(route)).map(|route| route.method.clone()).collect()
}

/// Whether a normalized path belongs to a route.
pub(crate) fn is_route(path: &str) -> bool {
    !methods(path).is_empty()
}

/// Answers `OPTIONS` unless it is a preflight request (Fetch standard §3.2.2) for a method of an existing route.
pub(crate) async fn preflight(request: Request, next: Next) -> Response {
    if request.method() != Method::OPTIONS {
        return next.run(request).await;
    }
    let path = request.uri().path();
    let methods = methods(path);
    if methods.is_empty() {
        return unknown_route(request).await.into_response();
    }
    let Some(wanted) = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD) else {
        let allowed = if methods.contains(&HttpMethod::Get) { ["GET", "HEAD"].as_slice() } else { &[] };
        let post = methods.contains(&HttpMethod::Post).then_some("POST");
        let allowed: Vec<_> = allowed.iter().copied().chain(post).collect();
        return ([(ALLOW, allowed.join(","))], wrong_method(Method::OPTIONS).await).into_response();
    };
    let is = |method: &HttpMethod| match method {
        HttpMethod::Get => wanted == "GET" || wanted == "HEAD",
        _ => wanted == "POST",
    };
    if !methods.iter().any(is) {
        let detail = format!("{path} does not support {}", shorten(&String::from_utf8_lossy(wanted.as_bytes())));
        return ApiError::new(ErrorCode::MethodNotAllowed, detail).into_response();
    }
    next.run(request).await
}

/// Answers requests that their event or their connection has found to be invalid, or too many. Routes about the state of
/// the server are answered also if it is at its limits.
pub(crate) async fn reject_faults(request: Request, next: Next) -> Response {
    if let Some(EventFault::Unreadable(reason)) = request.extensions().get() {
        return ApiError::new(ErrorCode::InvalidEvent, format!("the event cannot be read: {reason}")).into_response();
    }
    let path = request.uri().path();
    let is_always_answered = || ROUTES.iter().any(|route| route.always_answered && route.path == path);
    match request.extensions().get::<RequestFault>() {
        Some(fault) if !(fault.is_overload() && is_always_answered()) => ApiError::from(fault).into_response(),
        _ => next.run(request).await,
    }
}

/// The form of the errors that the client of a normalized path can read.
pub(crate) fn envelope_of(path: &str) -> Envelope {
    let first = |route: &Route| path::segments(route.path).next();
    // The path may have a prefix that this service does not know: skip it.
    let mut segments =
        path::segments(path).skip_while(|segment| !ROUTES.iter().any(|route| first(route) == Some(segment)));
    let Some(start) = segments.next() else { return Envelope::Problem };
    let nested = segments.next().is_some();
    let mut same_start = ROUTES.iter().filter(|route| first(route) == Some(start));
    let exact = same_start.clone().find(|route| !nested && route.path.strip_prefix('/') == Some(start));
    let envelope = exact.or_else(|| same_start.find(|route| path::segments(route.path).count() > 1));
    envelope.map_or(Envelope::Problem, |route| route.envelope)
}

/// A router with all routes.
pub(crate) fn routes(application: Arc<Application>) -> Router {
    let mut by_path: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
    for route in ROUTES.iter() {
        by_path.entry(route.split_verb().0).or_default().push(route);
    }
    let mut router = Router::new();
    for (path, routes) in by_path {
        router = if routes.iter().any(|route| route.split_verb().1.is_some()) {
            router.route(path, by_verb(&routes, &application))
        } else {
            routes.into_iter().fold(router, |router, route| router.route(path, route.handler.clone()))
        };
    }
    router.fallback(unknown_route).method_not_allowed_fallback(wrong_method).with_state(application)
}

/// Chooses among routes that differ in their verbs: axum does not match `{model}:predict`.
fn by_verb(routes: &[&Route], application: &Arc<Application>) -> MethodRouter<Arc<Application>> {
    let with_handler = |route: &&Route| {
        let handler = route.handler.clone().fallback(wrong_method).with_state(application.clone());
        (route.path, route.split_verb().1, handler)
    };
    let choices: Vec<_> = routes.iter().map(with_handler).collect();
    any(move |params: Result<RawPathParams, RawPathParamsRejection>, mut request: Request| {
        // The parameter is decoded: the colon may be percent-encoded.
        let decoded = params.map(|params| params.iter().last().map(|(_, value)| value.to_owned()).unwrap_or_default());
        let verb = decoded.as_ref().ok().and_then(|last| last.rsplit_once(':')).map(|(_, verb)| verb.to_owned());
        let with = |verb: Option<&str>| choices.iter().find(|(_, choice, _)| *choice == verb).cloned();
        // To a reader, what follows an unknown colon is part of the model's name.
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let without = || with(None).filter(|_| reads || verb.is_none());
        let choice = verb.as_deref().and_then(|verb| with(Some(verb))).or_else(without);
        let alternatives: Vec<_> =
            choices.iter().filter(|(_, verb, _)| verb.is_some()).map(|(path, ..)| *path).collect();
        async move {
            if let Err(rejection) = decoded {
                return ApiError::from(rejection).into_response();
            }
            let Some((path, verb, handler)) = choice else {
                return no_route(request.uri().path(), &alternatives).into_response();
            };
            if let Some(verb) = verb {
                request.extensions_mut().insert(Verb(verb));
            }
            let mut response: Response = handler.oneshot(request).await.into_response();
            response.extensions_mut().insert(RoutePath(path));
            response
        }
    })
}

async fn unknown_route(request: Request) -> ApiError {
    let path = request.uri().path();
    let routes = ROUTES.iter().filter(|route| route.suggested).map(|route| route.path);
    let mut similar = by_similarity(path, routes);
    let of_model = prediction_of_model(path);
    similar.extend(of_model.as_deref());
    similar.rotate_right(usize::from(of_model.is_some()));
    similar.truncate(MAX_SUGGESTED_ROUTES);
    no_route(path, &similar)
}

/// The route of a model's predictions for `/{name}/predict`.
fn prediction_of_model(path: &str) -> Option<String> {
    let mut segments = path::segments(path);
    let name = ModelName::try_from(segments.next()?.to_owned()).ok()?;
    let is_prediction = segments.next() == Some("predict") && segments.next().is_none();
    is_prediction.then(|| format!("/models/{name}/predict"))
}

fn no_route(path: &str, similar: &[&str]) -> ApiError {
    let detail = format!("unknown route {:?}; similar routes: {}", shorten(path), similar.join(", "));
    ApiError::new(ErrorCode::UnknownRoute, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_unique() {
        for (position, route) in ROUTES.iter().enumerate() {
            let same = |other: &&Route| other.path == route.path && other.method == route.method;
            assert_eq!(ROUTES.iter().position(|other| same(&other)), Some(position), "{}", route.path);
        }
    }

    #[test]
    fn the_form_of_errors_depends_on_the_path() {
        for (path, envelope) in [
            ("/predict", Envelope::Problem),
            ("/health", Envelope::Mlflow),
            ("/health/ready", Envelope::Problem),
            ("/health/x", Envelope::Problem),
            ("/invocations", Envelope::Mlflow),
            ("/invocations/x", Envelope::Problem),
            ("/ping", Envelope::Mlflow),
            ("/version", Envelope::Mlflow),
            ("/v1", Envelope::Error),
            ("/v1/models/line:predict", Envelope::Error),
            ("/v2", Envelope::Error),
            ("/v2/models/none/infer", Envelope::Error),
            ("/v2/x", Envelope::Error),
            ("/vertex", Envelope::Error),
            ("/vertex/predict", Envelope::Error),
            ("/endpoints", Envelope::Aws),
            ("/endpoints/line/invocations", Envelope::Aws),
            ("/v2x", Envelope::Problem),
            ("/mcp", Envelope::JsonRpc),
            ("/stage/mcp", Envelope::JsonRpc),
            ("/models/v2/predict", Envelope::Problem),
            ("/stage/v2/models/line/infer", Envelope::Error),
            ("/stage/invocations", Envelope::Mlflow),
            ("/stage/health/live", Envelope::Problem),
            ("/", Envelope::Problem),
        ] {
            assert_eq!(envelope_of(path), envelope, "{path}");
        }
    }

    #[test]
    fn a_verb_is_separated_from_the_path() {
        let split = |path| Route::get(path, reader::errors).split_verb();
        assert_eq!(split("/v1/models/{model}:predict"), ("/v1/models/{model}", Some("predict")));
        assert_eq!(split("/v1/models/{model}"), ("/v1/models/{model}", None));
    }
}
