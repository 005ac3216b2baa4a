//! Errors in the document, from the table of codes, in the form of each protocol.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::schema::{list, object, one_of, text};
use crate::http::server::envelope::Envelope;
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::path::Prefix;

/// The facts of an operation that decide which errors it can return.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Risks {
    /// It loads a model.
    pub(crate) model: bool,
    /// Its path names a model or a version.
    pub(crate) named: bool,
    /// It is not supported.
    pub(crate) not_supported: bool,
    pub(crate) rows: RowFormats,
}

/// The formats of rows that an operation reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RowFormats {
    #[default]
    None,
    Json,
    JsonOrCsv,
    Tensors,
    /// The arguments of a tool in JSON, from allowed origins only.
    Arguments,
}

impl Risks {
    fn include(self, code: ErrorCode) -> bool {
        match code {
            // Each operation of a path documents the error of other methods.
            ErrorCode::InvalidEvent | ErrorCode::Internal | ErrorCode::MethodNotAllowed | ErrorCode::Overloaded => true,
            // A misconfigured service has no document.
            ErrorCode::Misconfigured => false,
            ErrorCode::ForbiddenOrigin => self.rows == RowFormats::Arguments,
            // A name with a slash makes it another path.
            ErrorCode::UnknownRoute | ErrorCode::UnknownModel | ErrorCode::UnknownVersion => self.named,
            ErrorCode::ModelUnavailable => self.model,
            ErrorCode::NotSupported => self.not_supported || self.rows == RowFormats::Tensors,
            ErrorCode::InvalidCsv | ErrorCode::InvalidNpy => self.rows == RowFormats::JsonOrCsv,
            _ => self.rows != RowFormats::None,
        }
    }
}

/// The error responses by status.
pub(crate) fn responses(envelope: Envelope, risks: Risks) -> BTreeMap<String, Response> {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in ErrorCode::ALL.iter().copied().filter(|code| risks.include(*code)) {
        by_status.entry(envelope.status(code).as_u16()).or_default().push(code);
    }
    by_status.into_iter().map(|(status, codes)| (status.to_string(), response(envelope, &codes))).collect()
}

fn response(envelope: Envelope, codes: &[ErrorCode]) -> Response {
    let names = codes.iter().map(|code| format!("`{}`", code.as_str())).collect::<Vec<_>>().join(" ");
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema_name(envelope))));
    let content = content.example(codes.first().map(|code| example(envelope, *code)));
    let mut response = ResponseBuilder::new().description(names).content(envelope.media_type(), content.build());
    response = with_request_id(response);
    if codes.contains(&ErrorCode::MethodNotAllowed) {
        let methods = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String)));
        response = response.header("allow", methods.description(Some("The supported methods")).build());
    }
    if codes.contains(&ErrorCode::ModelUnavailable) {
        let seconds = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::Integer)));
        response = response.header("retry-after", seconds.description(Some("Seconds to wait before retrying")).build());
    }
    if envelope == Envelope::Aws {
        let name = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String)));
        response = response.header("x-amzn-errortype", name.description(Some("The name of the error")).build());
    }
    response.build()
}

/// The header of all responses, and its description.
const REQUEST_ID: (&str, &str) = ("x-request-id", "The id of the request in the service's log");

/// Adds the header of all responses.
pub(crate) fn with_request_id(response: ResponseBuilder) -> ResponseBuilder {
    let text = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String)));
    response.header(REQUEST_ID.0, text.description(Some(REQUEST_ID.1)).build())
}

/// The body of an error whose detail is its title.
fn example(envelope: Envelope, code: ErrorCode) -> Value {
    let error = ApiError::new(code, code.title());
    serde_json::from_slice(&envelope.body(&error, &Prefix::default(), "8476a536-e9f4-11e8-9739-2dfe598c3fcd"))
        .unwrap_or_default()
}

fn schema_name(envelope: Envelope) -> &'static str {
    match envelope {
        Envelope::Problem => "Problem",
        Envelope::Mlflow => "MlflowError",
        Envelope::Error => "Error",
        Envelope::Aws => "AwsError",
        Envelope::JsonRpc => "JsonRpcError",
    }
}

/// Adds the schema of each form of errors.
pub(crate) fn define(components: ComponentsBuilder) -> ComponentsBuilder {
    let described = |key| (key, text("A description of the error"));
    let mlflow = object([("error_code", text("The name of an error of MLflow")), described("message")]);
    let fault = object([
        ("code", ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).into()),
        described("message"),
        ("data", object([]).into()),
    ]);
    let id = SchemaType::Array(vec![Type::String, Type::Number, Type::Null]);
    let id = ObjectBuilder::new().schema_type(id).description(Some("The id of the request, if it has a valid one"));
    let json_rpc = object([("jsonrpc", one_of(["2.0"]).into()), ("id", id.into()), ("error", fault.into())]);
    let schemas: [(Envelope, RefOr<Schema>); 5] = [
        (Envelope::Problem, problem()),
        (Envelope::Mlflow, mlflow.into()),
        (Envelope::Error, object([described("error")]).into()),
        (Envelope::Aws, object([described("Message")]).into()),
        (Envelope::JsonRpc, json_rpc.into()),
    ];
    let add = |components: ComponentsBuilder, (envelope, schema)| components.schema(schema_name(envelope), schema);
    schemas.into_iter().fold(components, add)
}

fn problem() -> RefOr<Schema> {
    let codes = || RefOr::from(one_of(ErrorCode::ALL.iter().map(|code| code.as_str())));
    let fault = object([
        ("code", codes()),
        ("detail", text("A description of the fault: place, expected value, actual value")),
    ])
    .property("pointer", text("The place of the fault: a JSON pointer as a URI fragment (RFC 6901)"));
    object([
        ("type", text("The path of the description of the code, such as /docs/errors#invalid-value")),
        ("title", text("The title of the code")),
        ("status", ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).into()),
        ("detail", text("A description of this occurrence")),
        ("code", codes()),
        ("request_id", text(REQUEST_ID.1)),
    ])
    .property("errors", list(fault))
    .description(Some("A problem document (RFC 9457). `errors` lists the first 20 faults of the rows"))
    .into()
}

/// All codes as a list in Markdown; a table would be too wide for a phone.
pub(crate) fn all() -> String {
    let mut list = String::new();
    for code in ErrorCode::ALL {
        let (name, status, title) = (code.as_str(), code.status().as_u16(), code.title());
        let _ = writeln!(list, "- [`{name}`](docs/errors#{}) {status}: {title}", code.anchor());
    }
    list
}
