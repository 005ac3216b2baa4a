//! Wrong methods: GET on the routes of predictions, most often from the address bar of a browser, and POST on the routes
//! of models.

use axum::extract::{Request, State};
use http::{HeaderMap, Method, header};
use ordinate_model::Model;

use crate::http::application::App;
use crate::http::protocols::model_path::ModelPath;
use crate::http::server::error::{ApiError, ErrorCode, wrong_method};
use crate::http::server::path::Prefix;

/// The largest command in an error, in bytes; models with many features have none.
const MAX_COMMAND: usize = 1000;

/// The longest route in an error.
const LONGEST_ROUTE: usize = 200;

/// The error, with a command that sends an example row.
pub(crate) async fn advise(State(application): App, path: ModelPath, request: Request) -> ApiError {
    let error = wrong_method(request.method().clone()).await;
    let Ok(model) = path.load(&application).await else { return error };
    let prefix = request.extensions().get::<Prefix>().map_or("", |Prefix(prefix)| prefix);
    let address = address(request.headers()).map(|origin| format!("{origin}{prefix}{}", request.uri().path()));
    let command = address.and_then(|address| command(&model, &address)).filter(|command| command.len() <= MAX_COMMAND);
    let command = command.map(|command| format!(", or for example with {command}")).unwrap_or_default();
    let detail = format!(
        "this route does not support {}; send rows with POST, such as {{\"X\": [[…]]}}{command}",
        request.method()
    );
    ApiError::new(ErrorCode::MethodNotAllowed, detail)
}

/// The error of a route that describes a model or the service, with the route to which rows are sent.
pub(crate) async fn lead_to_predictions(request: Request) -> ApiError {
    let mut error = wrong_method(request.method().clone()).await;
    let route = request.uri().path().trim_end_matches('/');
    if request.method() == Method::POST && route.len() <= LONGEST_ROUTE {
        let prefix = request.extensions().get::<Prefix>().map_or("", |Prefix(prefix)| prefix);
        error.detail = format!("this route does not support POST; send rows to {prefix}{route}/predict");
    }
    error
}

/// Scheme and host that the client called.
fn address(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    // Nothing that a shell or a page would read as more than a name.
    let is_plain =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]_".contains(&byte));
    let is_https = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    is_plain.then(|| format!("{}://{host}", if is_https { "https" } else { "http" }))
}

/// The command for an example row in CSV: unlike JSON, it is the same text in a shell and within the JSON of the error.
fn command(model: &Model, address: &str) -> Option<String> {
    let example = model.example();
    let fields = model.signature().features().iter().zip(example.values());
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(fields.map(|(feature, value)| feature.reading.field(value))).ok()?;
    let line = String::from_utf8(writer.into_inner().ok()?).ok()?;
    let line = line.trim_end().replace('\'', "'\\''");
    Some(format!("curl -s {address} -H 'content-type: text/csv; header=absent' --data-raw '{line}'"))
}
