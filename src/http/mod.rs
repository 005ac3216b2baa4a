//! The HTTP interface: server, decoding, protocols, documentation. It does not depend on the kind of model source.
//!
//! [`router`] is the application as an [`axum::Router`]; [`server::lambda`] puts it behind Lambda events. A request
//! passes, from the outside in: `path` (normalized) → request id → `middleware` (log line, error bodies) → CORS →
//! compression → panic guard → faults of its event or connection → limit of the response → a route.

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
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};

use crate::source::catalog::Catalog;
use application::Application;
pub use decode::lines::{FileLine, LineError, frame_of_lines};
pub use protocols::vertex::{HEALTH as VERTEX_HEALTH, PREDICT as VERTEX_PREDICT};
pub(crate) use routes::route_below;
use routes::{envelope_of, is_route, preflight, reject_faults, routes};
use server::error::{ApiError, ErrorCode, wrong_method};
use server::headers::{JSON_LENGTH, REQUEST_ID, WARNINGS};
use server::middleware::Finish;
use server::observer::Observer;
use server::path::Paths;
use server::{health, middleware, path, response};
pub(crate) use settings::SHADOW_BUDGET;
pub use settings::{Alias, AllowedOrigins, Cors, Limits, LogRequests, Settings};

/// The application: all routes and their middleware.
pub fn router(catalog: Arc<Catalog>, settings: Settings) -> Router {
    wrap(routes(Application::new(catalog, &settings)), settings)
}

/// The application for an invalid configuration: it is alive and reports the error, instead of crashing in a loop.
/// `observer` keeps its metrics.
pub fn misconfigured(observer: Option<Arc<dyn Observer>>) -> Router {
    let error = || async {
        ApiError::new(
            ErrorCode::Misconfigured,
            "an environment variable has an invalid value; the service's log names it",
        )
    };
    let limits = Limits { max_rows: 0, max_body_bytes: 0, ..Limits::DEFAULT };
    let settings = Settings { observer, ..Settings::new(limits) };
    let routes = Router::new().route("/health/live", get(health::live)).fallback(error);
    wrap(routes.method_not_allowed_fallback(wrong_method), settings)
}

fn wrap(routes: Router, settings: Settings) -> Router {
    let finish = Finish {
        envelope_of,
        log: settings.log_requests,
        observer: settings.observer,
        capture: settings.capture.filter(|capture| capture.settings.fraction > 0.0),
    };
    let stack = ServiceBuilder::new()
        .layer(MapRequestLayer::new(middleware::without_invalid_request_id))
        .layer(SetRequestIdLayer::new(REQUEST_ID, middleware::RequestIds))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(axum::middleware::from_fn_with_state(Arc::new(finish), middleware::finish))
        .layer(axum::middleware::from_fn(preflight))
        .option_layer(cors(settings.cors))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn(reject_faults))
        .layer(axum::middleware::from_fn_with_state(settings.limits, response::check_length));
    let application = routes.layer(stack);
    let prefixes = settings.base_paths.iter().map(|path| path::normalize(path)).collect();
    let paths = Arc::new(Paths { prefixes, aliases: settings.aliases, is_route });
    let normalize = MapRequestLayer::new(move |request| paths.normalize_request(request));
    // Around the router, so that the path is normalized before a route is chosen.
    Router::new().fallback_service(ServiceBuilder::new().layer(normalize).service(application))
}

fn cors(settings: Cors) -> Option<CorsLayer> {
    let origins = match settings.origins {
        AllowedOrigins::Off => return None,
        AllowedOrigins::Any => AllowOrigin::any(),
        AllowedOrigins::List(origins) => AllowOrigin::list(origins),
    };
    let allowed = match settings.headers {
        Some(headers) => AllowHeaders::list(headers),
        None => AllowHeaders::mirror_request(),
    };
    let named = ["x-ordinate-model", "server-timing"].map(HeaderName::from_static);
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(allowed)
        .allow_credentials(settings.credentials)
        .max_age(settings.max_age)
        .expose_headers([&named[..], &[WARNINGS, REQUEST_ID, JSON_LENGTH, header::RETRY_AFTER]].concat());
    Some(layer)
}

/// A 500 after a panic; the panic hook has logged the place.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::internal("a panic").into_response()
}
