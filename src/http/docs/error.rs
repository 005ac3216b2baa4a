//! Errors in the document, from the table of codes, in the form of each protocol.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::schema::{list, object, one_of, text};
use super::shared::Shared;
use crate::http::server::envelope::Envelope;
use crate::http::server::error::{ApiError, Complaint, ErrorCode};
use crate::http::server::path::Prefix;
use ordinate_model::frame::FaultKind;

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
    /// None: it lists models in pages.
    Pages,
    Json,
    JsonOrCsv,
    Tensors,
    /// The arguments of a tool in JSON, from allowed origins only.
    Arguments,
}

impl RowFormats {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pages => "pages",
            Self::Json => "json",
            Self::JsonOrCsv => "csv",
            Self::Tensors => "tensors",
            Self::Arguments => "arguments",
        }
    }
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
            ErrorCode::UnknownRoute | ErrorCode::UnknownModel | ErrorCode::UnknownVersion | ErrorCode::UnknownAlias => {
                self.named
            }
            ErrorCode::NoDefaultModel => self.model && !self.named && self.rows != RowFormats::Pages,
            ErrorCode::ModelUnavailable => self.model,
            ErrorCode::InvalidOption | ErrorCode::UnknownKey if self.rows == RowFormats::Pages => true,
            ErrorCode::NotSupported => self.not_supported || self.rows == RowFormats::Tensors,
            ErrorCode::InvalidCsv | ErrorCode::InvalidNpy => self.rows == RowFormats::JsonOrCsv,
            _ => !matches!(self.rows, RowFormats::None | RowFormats::Pages),
        }
    }
}

/// The error responses by status.
pub(crate) fn responses(envelope: Envelope, risks: Risks, shared: &mut Shared) -> Vec<(String, RefOr<Response>)> {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in ErrorCode::ALL.iter().copied().filter(|code| risks.include(*code)) {
        by_status.entry(envelope.status(code).as_u16()).or_default().push(code);
    }
    let mut add = |(status, codes): (u16, Vec<ErrorCode>)| {
        let name = component(envelope, status, &codes, risks.rows);
        let response = response(envelope, &codes, shared);
        (status.to_string(), shared.response(&name, response))
    };
    by_status.into_iter().map(&mut add).collect()
}

/// The name of a response: its code, or its status and the formats of rows that the codes depend on.
fn component(envelope: Envelope, status: u16, codes: &[ErrorCode], rows: RowFormats) -> String {
    let schema = schema_name(envelope);
    match (codes, status) {
        ([only], _) => format!("{schema}.{}", only.as_str()),
        (_, 400 | 422) => format!("{schema}.{status}.{}", rows.name()),
        _ => format!("{schema}.{status}"),
    }
}

fn response(envelope: Envelope, codes: &[ErrorCode], shared: &mut Shared) -> Response {
    let names = codes.iter().map(|code| format!("`{}`", code.as_str())).collect::<Vec<_>>().join(" ");
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema_name(envelope)))).build();
    let mut response = ResponseBuilder::new().description(names).content(envelope.media_type(), content).build();
    add_request_id(&mut response, shared);
    if codes.contains(&ErrorCode::MethodNotAllowed) {
        add_header(&mut response, shared, "allow", Type::String, "The supported methods");
    }
    if codes.contains(&ErrorCode::ModelUnavailable) {
        add_header(&mut response, shared, "retry-after", Type::Integer, "Seconds to wait before retrying");
    }
    if envelope == Envelope::Aws {
        add_header(&mut response, shared, "x-amzn-errortype", Type::String, "The name of the error");
    }
    response
}

/// The header of all responses, and its description.
const REQUEST_ID: (&str, &str) = ("x-request-id", "The id of the request in the service's log");

/// Adds the header of all responses.
pub(crate) fn add_request_id(response: &mut Response, shared: &mut Shared) {
    add_header(response, shared, REQUEST_ID.0, Type::String, REQUEST_ID.1);
}

/// Adds a header.
pub(crate) fn add_header(response: &mut Response, shared: &mut Shared, name: &str, kind: Type, description: &str) {
    let schema = ObjectBuilder::new().schema_type(kind);
    let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build();
    response.headers.insert(name.to_owned(), shared.header(name, header));
}

/// The body of an error about a value.
fn example(envelope: Envelope) -> Value {
    let detail = "row 3: feature \"bmi\" expected a number, got the string \"high\"".to_owned();
    let code = ErrorCode::Rows(FaultKind::InvalidValue);
    let error = ApiError::complaints(vec![Complaint { code, pointer: Some("#/X/3/bmi".to_owned()), detail }], 1);
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
    let schemas = [
        (Envelope::Problem, problem()),
        (Envelope::Mlflow, mlflow),
        (Envelope::Error, object([described("error")])),
        (Envelope::Aws, object([described("Message")])),
        (Envelope::JsonRpc, json_rpc),
    ];
    let add = |components: ComponentsBuilder, (envelope, schema): (Envelope, ObjectBuilder)| {
        components.schema(schema_name(envelope), schema.examples([example(envelope)]))
    };
    let codes = one_of(ErrorCode::ALL.iter().map(|code| code.as_str()));
    schemas.into_iter().fold(components.schema("ErrorCode", codes), add)
}

fn problem() -> ObjectBuilder {
    let code = || Ref::from_schema_name("ErrorCode").into();
    let fault =
        object([("code", code()), ("detail", text("A description of the fault: place, expected value, actual value"))])
            .property("pointer", text("The place of the fault: a JSON pointer as a URI fragment (RFC 6901)"));
    object([
        ("type", text("The path of the description of the code, such as /docs/errors#invalid-value")),
        ("title", text("The title of the code")),
        ("status", ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).into()),
        ("detail", text("A description of this occurrence")),
        ("code", code()),
        ("request_id", text(REQUEST_ID.1)),
    ])
    .property("errors", list(fault))
    .description(Some("A problem document (RFC 9457). `errors` lists the first 20 faults of the rows"))
}
