//! `tools/call`: a prediction, as text for the language model and as structured content.

use std::sync::Arc;

use axum::response::Response;
use serde::Serialize;
use serde_json::value::RawValue;

use super::json_rpc::{Failure, Params, RpcError, Success};
use super::{RpcRequest, text, tools};
use crate::http::application::Application;
use crate::http::decode::json::{self, Form, Keys, Names, Terms};
use crate::http::protocols::output::Output;
use crate::http::protocols::predicted::{Options, Predicted};
use crate::http::protocols::prediction_request::PredictionRequest;
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::query::PARAMETERS;
use crate::source::Listing;
use crate::source::catalog::{CatalogError, MAX_NAMES};
use ordinate_model::frame::Frame;
use ordinate_model::suggestion::did_you_mean;
use ordinate_model::wording::shorten;
use ordinate_model::{Answer, Model};

/// The arguments of a tool: `rows` and the options.
const KEYS: Keys = Keys::new(&[("rows", Form::Records)], &PARAMETERS);

/// The result of a call.
#[derive(Serialize)]
struct ToolResult<'a> {
    content: [Content; 1],
    #[serde(rename = "structuredContent", skip_serializing_if = "Option::is_none")]
    structured_content: Option<Predicted<'a>>,
    #[serde(rename = "isError", skip_serializing_if = "std::ops::Not::not")]
    is_error: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "text")]
struct Content {
    text: String,
}

/// `tools/call`. An invalid argument is the result of the tool, so that the language model can correct it.
pub(super) async fn call(application: &Application, mut request: RpcRequest<'_>) -> Result<Response, Failure> {
    let params = Params::read(request.params)?;
    let name = params.text("name")?;
    let name = name.ok_or_else(|| RpcError::invalid_params("missing key \"name\" with the name of a tool"))?;
    let model = find(application, &name).await?;
    let headers = std::mem::take(&mut request.headers);
    let (of_request, limit) = (&request.model, request.limit);
    let prediction = PredictionRequest::after_body(application, model.clone(), headers, of_request, limit).await;
    let arguments = params.get("arguments").map_or("{}", RawValue::get);
    match predict(prediction, &model, arguments, request.id) {
        Err(error) if error.code.status().is_client_error() => request.respond(&ToolResult {
            content: [Content { text: message(&error) }],
            structured_content: None,
            is_error: true,
        }),
        outcome => Ok(outcome?),
    }
}

/// The model of a tool. Its name is that of the model as a rule; others are looked for in the list of models.
async fn find(application: &Application, tool: &str) -> Result<Arc<Model>, Failure> {
    let catalog = &application.catalog;
    let model = match tools::model(tool) {
        Some(model) => Some(model.into()),
        None => search(application, tool).await?,
    };
    let unknown = |known: &[String]| {
        let names: Vec<_> = known.iter().map(|model| tools::name(model)).collect();
        RpcError::invalid_params(format!("unknown tool {:?}{}", shorten(tool), did_you_mean(tool, &names))).into()
    };
    let Some(model) = model else {
        return Err(unknown(&catalog.names(None, MAX_NAMES).await.map_err(ApiError::from)?.names));
    };
    match catalog.model(&model, None).await {
        Ok(model) => Ok(model),
        Err(CatalogError::UnknownModel { known, .. }) => Err(unknown(&known)),
        Err(error) => Err(ApiError::from(error).into()),
    }
}

async fn search(application: &Application, tool: &str) -> Result<Option<String>, ApiError> {
    let mut after = None;
    loop {
        let Listing { names, next } = application.catalog.names(after.as_deref(), MAX_NAMES).await?;
        let found = names.into_iter().find(|model| tools::name(model) == tool);
        if found.is_some() || next.is_none() {
            return Ok(found);
        }
        after = next;
    }
}

fn predict(
    mut prediction: PredictionRequest,
    model: &Model,
    arguments: &str,
    id: &RawValue,
) -> Result<Response, ApiError> {
    let max_rows = tools::max_rows(model, prediction.max_rows);
    let terms = Terms { names: Names::ImputeAbsent, max_rows, ..prediction.terms(model) };
    let decoded = json::read(arguments.as_bytes(), &KEYS, terms)?;
    let requested = Options::from_body(&decoded)?;
    prediction.end_stage("decode");
    let (options, answer) = answer(&mut prediction, model, &decoded.frame, requested)?;
    let text = text::of_answer(model, &answer, options.interval);
    let result = ToolResult {
        content: [Content { text }],
        structured_content: Some(Predicted::new(&answer, options)),
        is_error: false,
    };
    prediction.json(decoded.frame.rows(), &Success::new(id, &result))
}

/// The answer with an interval of the default level, unless another is requested. Rows whose default interval is too
/// large for a double are answered without intervals.
fn answer<'m>(
    prediction: &mut PredictionRequest,
    model: &'m Model,
    frame: &Frame<'_>,
    requested: Options,
) -> Result<(Options, Answer<'m>), ApiError> {
    let options = Options { interval: requested.interval.or(Output::default_level(model)), ..requested };
    match prediction.answer(model, frame, options.wanted(model)?) {
        Err(error) if error.code == ErrorCode::IntervalOverflow && requested.interval.is_none() => {
            Ok((requested, prediction.answer(model, frame, requested.wanted(model)?)?))
        }
        outcome => Ok((options, outcome?)),
    }
}

/// All listed faults, one on each line.
fn message(error: &ApiError) -> String {
    match error.complaints.as_slice() {
        [] | [_] => error.detail.clone(),
        several => several.iter().map(|complaint| complaint.detail.as_str()).collect::<Vec<_>>().join("\n"),
    }
}
