//! How callers talk. Knows nothing of S3.
//!
//! [`router`] is the whole application as an [`axum::Router`]; [`server::lambda`] puts it behind Lambda events. A request passes, from the
//! outside in: `path` (one spelling of each route) → request id → `middleware` (log line, error bodies) → CORS → compression →
//! panic guard → a route.

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
use server::headers::JSON_LENGTH;
use server::middleware::EnvelopeOf;
use server::{health, middleware, path};
pub use settings::{Alias, AllowedOrigins, Limits, Settings};

/// The application.
pub fn router(catalog: Arc<Catalog>, settings: Settings) -> Router {
    wrap(routes(Application::new(catalog, settings.limits)), settings)
}

/// What answers when the environment cannot be used: alive, and saying so, instead of crashing in a loop.
pub fn misconfigured() -> Router {
    let refuse = || async {
        ApiError::new(
            ErrorCode::Misconfigured,
            "the service was started with a setting it cannot use; its log says which",
        )
    };
    let settings = Settings::new(Limits { max_rows: 0, max_body_bytes: 0 });
    let routes = Router::new().route("/health/live", get(health::live)).fallback(refuse);
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
    let base_path = settings.base_path.map(|path| Arc::<str>::from(path::plain(&path, None)));
    let aliases: Arc<[Alias]> = settings.aliases.into();
    let one_spelling = MapRequestLayer::new(move |request| path::normalise(request, base_path.as_deref(), &aliases));
    // Around the router, not in it: a route is chosen after the path has its one spelling.
    Router::new().fallback_service(ServiceBuilder::new().layer(one_spelling).service(application))
}

fn cors(origins: AllowedOrigins) -> Option<CorsLayer> {
    let origins = match origins {
        AllowedOrigins::Off => return None,
        AllowedOrigins::Any => AllowOrigin::any(),
        AllowedOrigins::List(origins) => AllowOrigin::list(origins),
    };
    let told = ["x-ordinate-model", "x-ordinate-warnings", "x-request-id", "server-timing"]
        .map(HeaderName::from_static)
        .into_iter();
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::CONTENT_ENCODING, header::AUTHORIZATION, JSON_LENGTH])
        .expose_headers(told.chain([JSON_LENGTH]).collect::<Vec<_>>());
    Some(layer)
}

/// A panic was caught: the caller gets a 500, the panic hook has logged where it happened.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::internal("a panic").into_response()
}
