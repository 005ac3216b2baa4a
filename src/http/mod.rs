//! The HTTP interface: server, decoding, protocols, documentation. It does not depend on the kind of model source.
//!
//! [`router`] is the application as an [`axum::Router`]; [`server::lambda`] puts it behind Lambda events. A request
//! passes, from the outside in: `path` (normalized) → request id → `middleware` (log line, error bodies) → CORS →
//! compression → panic guard → a route.

mod application;
mod decode;
mod docs;
mod page;
mod protocols;
mod route;
mod routes;
pub mod server;
mod settings;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderName, Method, header};
use tower::ServiceBuilder;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};

use crate::source::catalog::Catalog;
use application::Application;
pub use protocols::vertex::{HEALTH as VERTEX_HEALTH, PREDICT as VERTEX_PREDICT};
pub(crate) use routes::route_below;
use routes::{envelope_of, routes};
use server::error::{ApiError, ErrorCode, wrong_method};
use server::headers::{JSON_LENGTH, MCP_HEADERS};
use server::middleware::EnvelopeOf;
use server::{health, middleware, path};
pub use settings::{Alias, AllowedOrigins, Limits, Settings};

/// The application: all routes and their middleware.
pub fn router(catalog: Arc<Catalog>, settings: Settings) -> Router {
    wrap(routes(Application::new(catalog, settings.limits, settings.cors.clone())), settings)
}

/// The application for an invalid configuration: it is alive and reports the error, instead of crashing in a loop.
pub fn misconfigured() -> Router {
    let error = || async {
        ApiError::new(
            ErrorCode::Misconfigured,
            "an environment variable has an invalid value; the service's log names it",
        )
    };
    let settings = Settings::new(Limits { max_rows: 0, max_body_bytes: 0 });
    let routes = Router::new().route("/health/live", get(health::live)).fallback(error);
    wrap(routes.method_not_allowed_fallback(wrong_method), settings)
}

fn wrap(routes: Router, settings: Settings) -> Router {
    let request_id = HeaderName::from_static("x-request-id");
    let stack = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(request_id.clone(), middleware::RequestIds))
        .layer(PropagateRequestIdLayer::new(request_id))
        .layer(axum::middleware::from_fn_with_state(envelope_of as EnvelopeOf, middleware::finish))
        .option_layer(cors(settings.cors))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(panicked));
    let application = routes.layer(stack);
    let base_path = settings.base_path.map(|path| Arc::<str>::from(path::normalize(&path, None)));
    let aliases: Arc<[Alias]> = settings.aliases.into();
    let normalize =
        MapRequestLayer::new(move |request| path::normalize_request(request, base_path.as_deref(), &aliases));
    // Around the router, so that the path is normalized before a route is chosen.
    Router::new().fallback_service(ServiceBuilder::new().layer(normalize).service(application))
}

fn cors(origins: AllowedOrigins) -> Option<CorsLayer> {
    let origins = match origins {
        AllowedOrigins::Off => return None,
        AllowedOrigins::Any => AllowOrigin::any(),
        AllowedOrigins::List(origins) => AllowOrigin::list(origins),
    };
    let headers = ["x-ordinate-model", "x-ordinate-warnings", "x-request-id", "server-timing"]
        .map(HeaderName::from_static)
        .into_iter();
    let accepted = [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::AUTHORIZATION, JSON_LENGTH];
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(accepted.into_iter().chain(MCP_HEADERS).collect::<Vec<_>>())
        .expose_headers(headers.chain([JSON_LENGTH]).collect::<Vec<_>>());
    Some(layer)
}

/// A 500 after a panic; the panic hook has logged the place.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::internal("a panic").into_response()
}
