//! The Model Context Protocol (MCP) for agents: `POST /mcp`, Streamable HTTP without sessions and without streams. Each
//! model is one tool.

mod call;
mod json_rpc;
mod openapi;
mod origin;
mod text;
mod tools;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::http::application::{App, Application};
use crate::http::route::{Protocol, Route};
use crate::http::server::body;
use crate::http::server::envelope::Envelope;
use crate::http::server::error::ApiError;
use crate::http::server::headers::MCP_VERSION;
use crate::http::server::middleware::ModelOfRequest;
use crate::http::server::response::AnswerLimit;
use crate::source::catalog::CatalogError;
use json_rpc::{Failure, Message, Params, RpcError};
use ordinate_model::wording::shorten;

pub(crate) const PROTOCOL: Protocol = Protocol { routes, tags: &[openapi::TAG], schemas: openapi::define };

/// The supported versions of the protocol. Clients that request another are offered the one before it, or else the last.
/// 2025-03-26 is not among them, because its servers must accept batches.
const VERSIONS: [&str; 3] = ["2024-11-05", "2025-06-18", LATEST];
const LATEST: &str = "2025-11-25";

/// The most tools of a page of `tools/list`; each loads its model.
const MAX_TOOLS: usize = 50;

/// Advice for the language model of an agent.
const INSTRUCTIONS: &str = "Each tool predicts with one model. Send all rows of a question in one call. Report the \
                            interval or the probability with a prediction, and its warnings.";

fn routes() -> Vec<Route> {
    vec![Route::post("/mcp", post).errors(Envelope::JsonRpc).operation_of_default_model(openapi::post)]
}

/// `POST /mcp`
async fn post(State(application): App, request: Request) -> Result<Response, ApiError> {
    origin::check(request.headers(), &application.origins)?;
    body::expect_json(request.headers(), "application/json")?;
    let limit = AnswerLimit::new(&request, application.limits.max_answer_bytes);
    let (parts, body) = request.into_parts();
    let body = body::read(&parts, body, application.limits.max_body_bytes).await?;
    let body = json_rpc::without_tokens(&body);
    let message = Message::parse(&body);
    if let Some(error) = unsupported_version(&parts.headers) {
        return error.respond(message.ok().and_then(|message| message.id()));
    }
    let Message::Request { id, method, params } = message? else {
        return Ok(StatusCode::ACCEPTED.into_response());
    };
    let model = parts.extensions.get().cloned().unwrap_or_default();
    let request = RpcRequest { id, params, headers: parts.headers, model, limit };
    match answer(&application, &method, request).await {
        Ok(response) => Ok(response),
        Err(Failure::Rpc(error)) => error.respond(Some(id)),
        Err(Failure::Service(error)) => Err(error.of_rpc(id)),
    }
}

/// A request of JSON-RPC, and the limit of its response in bytes.
struct RpcRequest<'a> {
    id: &'a RawValue,
    params: Option<&'a RawValue>,
    headers: HeaderMap,
    /// The model that the log line names.
    model: ModelOfRequest,
    limit: AnswerLimit,
}

impl RpcRequest<'_> {
    fn respond(&self, result: &impl Serialize) -> Result<Response, Failure> {
        Ok(json_rpc::respond(self.id, result, self.limit)?)
    }
}

async fn answer(application: &Application, method: &str, request: RpcRequest<'_>) -> Result<Response, Failure> {
    match method {
        "initialize" => request.respond(&initialize(request.params)?),
        "ping" => request.respond(&json!({})),
        "tools/list" => {
            let cursor = Params::read(request.params)?.text("cursor")?;
            request.respond(&list(application, cursor.as_deref()).await?)
        }
        "tools/call" => call::call(application, request).await,
        other => Err(RpcError::unknown_method(other).into()),
    }
}

/// `tools/list`: the tools of one page of models. The cursor is that of the page of models.
async fn list(application: &Application, cursor: Option<&str>) -> Result<serde_json::Value, Failure> {
    let (models, next) = application.catalog.page(cursor, MAX_TOOLS).await.map_err(|error| match error {
        CatalogError::UnknownPage { .. } => {
            RpcError::invalid_params("unknown cursor; send the nextCursor of a page").into()
        }
        error => Failure::from(ApiError::from(error)),
    })?;
    let tools = tools::list(&models, application.limits.max_rows);
    Ok(match next {
        Some(next) => json!({"tools": tools, "nextCursor": next}),
        None => json!({"tools": tools}),
    })
}

fn initialize(params: Option<&RawValue>) -> Result<serde_json::Value, Failure> {
    let requested = Params::read(params)?.text("protocolVersion")?.unwrap_or_default();
    let version = VERSIONS.iter().rev().find(|version| **version <= requested.as_str());
    Ok(json!({
        "protocolVersion": version.unwrap_or(&LATEST),
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "ordinate", "title": "Ordinate", "version": env!("CARGO_PKG_VERSION")},
        "instructions": INSTRUCTIONS,
    }))
}

/// The error for a version in the header that is not supported.
fn unsupported_version(headers: &HeaderMap) -> Option<RpcError> {
    let unsupported = |version: &&http::HeaderValue| !VERSIONS.iter().any(|known| *version == known);
    let version = headers.get_all(MCP_VERSION).iter().find(unsupported)?;
    Some(RpcError::unsupported_version(&shorten(&String::from_utf8_lossy(version.as_bytes())), &VERSIONS))
}
