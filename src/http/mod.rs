//! How callers talk. Knows nothing of S3.
//!
//! [`router`] is the whole application as an [`axum::Router`]; [`event`] puts it behind Lambda events. A request passes, from the
//! outside in: `path` (one spelling of each route) → request id → `front` (log line, error bodies) → CORS → compression →
//! panic guard → a route.

mod answer;
mod body;
mod decode;
mod docs;
mod envelope;
pub mod error;
pub mod event;
mod exchange;
mod front;
mod health;
mod invocations;
mod mlflow;
mod models;
mod open_inference;
mod openapi;
mod output;
mod page;
mod path;
mod predict;
mod query;
mod sagemaker;
mod statistics;
mod tensorflow;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::{HeaderName, HeaderValue, Method, header};
use tower::ServiceBuilder;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};

use crate::source::catalog::Catalog;
use error::{ApiError, ErrorCode};

/// What one request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows a request.
    pub max_rows: usize,
    /// Bytes of a body, after base64 and gzip decoding.
    pub max_body_bytes: usize,
}

/// What the application is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What one request may cost.
    pub limits: Limits,
    /// A prefix that is stripped from paths, such as `/models-api`; without a trailing slash.
    pub base_path: Option<String>,
    /// Which pages may call; off when empty.
    pub cors: AllowedOrigins,
    /// Paths that a platform chose, and the routes they stand for.
    pub aliases: Vec<Alias>,
}

impl Settings {
    /// No prefix, no other origins, no aliases.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, base_path: None, cors: AllowedOrigins::Off, aliases: Vec::new() }
    }
}

/// A path that stands for a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// As requests have it; with a leading slash, without a trailing one but for the root's.
    pub path: String,
    /// The route.
    pub route: &'static str,
}

/// Where Vertex AI's requests are answered.
pub const VERTEX_PREDICT: &str = "/vertex/predict";

/// Where Vertex AI's health checks are answered.
pub const VERTEX_HEALTH: &str = "/vertex/health";

/// Which origins CORS admits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// None: no CORS headers at all.
    #[default]
    Off,
    /// Every origin.
    Any,
    /// These.
    List(Vec<HeaderValue>),
}

/// What handlers share.
#[derive(Debug)]
struct Application {
    catalog: Arc<Catalog>,
    limits: Limits,
    statistics: Arc<statistics::Statistics>,
    openapi: openapi::Kept,
}

/// The routes, as 404 answers suggest them.
const ROUTES: [&str; 35] = [
    "/predict",
    "/models",
    "/models/{name}",
    "/models/{name}/predict",
    "/models/{name}/versions/{version}",
    "/models/{name}/versions/{version}/predict",
    "/v1/models",
    "/v1/models/{model}",
    "/v1/models/{model}:predict",
    "/v1/models/{model}:explain",
    "/v1/models/{model}/versions/{version}:predict",
    "/v1/models/{model}/versions/{version}:explain",
    "/v2",
    "/v2/models/{model}",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/repository/index",
    "/v2/models/stats",
    "/v2/models/{model}/ready",
    "/v2/models/{model}/config",
    "/v2/models/{model}/stats",
    "/v2/models/{model}/infer",
    "/v2/models/{model}/versions/{version}/infer",
    "/vertex/predict",
    "/vertex/health",
    "/invocations",
    "/endpoints/{name}/invocations",
    "/ping",
    "/health",
    "/version",
    "/health/live",
    "/health/ready",
    openapi::PATH,
    docs::PAGE,
    docs::ERRORS,
];

/// The route that begins with this path, if one does.
pub(crate) fn route_below(path: &str) -> Option<&'static str> {
    ROUTES.into_iter().find(|route| path::begins(route, path))
}

/// The application.
pub fn router(catalog: Arc<Catalog>, settings: Settings) -> Router {
    wrap(routes(Application::new(catalog, settings.limits)), settings)
}

impl Application {
    /// Nothing was asked yet.
    fn new(catalog: Arc<Catalog>, limits: Limits) -> Arc<Self> {
        Arc::new(Self { catalog, limits, statistics: Arc::default(), openapi: openapi::Kept::new() })
    }
}

fn routes(application: Arc<Application>) -> Router {
    Router::new()
        .route("/", get(page::show))
        .route("/predict", post(predict::with_default))
        .route("/models", get(models::list))
        .route("/models/{name}", get(models::show))
        .route("/models/{name}/predict", post(predict::with_named))
        .route("/models/{name}/versions/{version}", get(models::show_version))
        .route("/models/{name}/versions/{version}/predict", post(predict::with_version))
        .route("/v1/models", get(tensorflow::list))
        .route("/v1/models/{model}", any(tensorflow::model))
        .route("/v1/models/{model}/versions/{version}", any(tensorflow::version))
        .merge(open_inference::routes())
        .route(VERTEX_PREDICT, post(tensorflow::vertex))
        .route(VERTEX_HEALTH, get(health::ready))
        .route("/invocations", post(invocations::default_model))
        .route("/endpoints/{name}/invocations", post(invocations::endpoint))
        .route("/ping", get(health::ready))
        .route("/health", get(health::ready))
        .route("/version", get(mlflow::version))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route(openapi::PATH, get(openapi::document))
        .route(docs::PAGE, get(docs::page))
        .route(docs::ERRORS, get(docs::errors))
        .route(docs::READER, get(docs::reader))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(application)
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
        .layer(SetRequestIdLayer::new(request_id.clone(), front::RequestIds))
        .layer(PropagateRequestIdLayer::new(request_id))
        .layer(axum::middleware::from_fn(front::answer))
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
        .allow_headers([
            header::CONTENT_TYPE,
            header::CONTENT_ENCODING,
            header::AUTHORIZATION,
            open_inference::JSON_LENGTH,
        ])
        .expose_headers(told.chain([open_inference::JSON_LENGTH]).collect::<Vec<_>>());
    Some(layer)
}

/// A panic was caught: the caller gets a 500, the panic hook has logged where it happened.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::internal("a panic").into_response()
}

async fn unknown_route(request: Request) -> ApiError {
    let path = request.uri().path();
    let near = path::nearest(path, &ROUTES);
    let detail = format!("there is no {:?}; near to it: {}", ordinate_model::wording::shorten(path), near.join(", "));
    ApiError::new(ErrorCode::UnknownRoute, detail)
}

async fn wrong_method(method: Method) -> ApiError {
    let detail = format!("{method} is not answered here; the Allow header lists what is");
    ApiError::new(ErrorCode::MethodNotAllowed, detail)
}

type App = State<Arc<Application>>;
