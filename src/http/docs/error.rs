//! Errors in the document: from the table of codes itself, in the form each protocol gives them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::schema::{list, object, one_of, text};
use crate::http::server::envelope::Envelope;
use crate::http::server::error::{ApiError, ErrorCode};

/// What an operation does, and so what can go wrong with it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Risks {
    /// It needs a model.
    pub(crate) model: bool,
    /// Its path names a model or a version.
    pub(crate) named: bool,
    /// It is never served.
    pub(crate) refused: bool,
    /// The rows that it reads.
    pub(crate) rows: Rows,
}

/// What rows an operation reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Rows {
    /// None.
    #[default]
    None,
    /// In JSON.
    Json,
    /// In JSON or in CSV.
    JsonOrCsv,
    /// As tensors, in JSON or in bytes.
    Tensors,
}

impl Risks {
    fn include(self, code: ErrorCode) -> bool {
        match code {
            // Of a path, the wrong method is told with each of those that it has.
            ErrorCode::InvalidEvent | ErrorCode::Internal | ErrorCode::MethodNotAllowed => true,
            // A service that is misconfigured has no document.
            ErrorCode::Misconfigured => false,
            // A name with a slash in it leads elsewhere.
            ErrorCode::UnknownRoute | ErrorCode::UnknownModel | ErrorCode::UnknownVersion => self.named,
            ErrorCode::ModelUnavailable => self.model,
            ErrorCode::NotSupported => self.refused || self.rows == Rows::Tensors,
            ErrorCode::InvalidCsv => self.rows == Rows::JsonOrCsv,
            _ => self.rows != Rows::None,
        }
    }
}

/// The answers to whatever can go wrong, by status.
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
        response = response.header("allow", methods.description(Some("The methods that are answered")).build());
    }
    if codes.contains(&ErrorCode::ModelUnavailable) {
        let seconds = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::Integer)));
        response = response.header("retry-after", seconds.description(Some("Seconds to wait")).build());
    }
    if envelope == Envelope::Aws {
        let name = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String)));
        response = response.header("x-amzn-errortype", name.description(Some("The error's name")).build());
    }
    response.build()
}

/// The header that every answer has, and what it says.
const REQUEST_ID: (&str, &str) = ("x-request-id", "Under this id the service's log has the request");

/// Adds the header that every answer has.
pub(crate) fn with_request_id(response: ResponseBuilder) -> ResponseBuilder {
    let text = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String)));
    response.header(REQUEST_ID.0, text.description(Some(REQUEST_ID.1)).build())
}

/// What a caller is really sent, for a mistake that has no better words than its title.
fn example(envelope: Envelope, code: ErrorCode) -> Value {
    let error = ApiError::new(code, code.title());
    serde_json::from_slice(&envelope.body(&error, "8476a536-e9f4-11e8-9739-2dfe598c3fcd")).unwrap_or_default()
}

fn schema_name(envelope: Envelope) -> &'static str {
    match envelope {
        Envelope::Problem => "Problem",
        Envelope::Mlflow => "MlflowError",
        Envelope::Error => "Error",
        Envelope::Aws => "AwsError",
    }
}

/// Adds the schema of each form.
pub(crate) fn define(components: ComponentsBuilder) -> ComponentsBuilder {
    let envelopes = [Envelope::Problem, Envelope::Mlflow, Envelope::Error, Envelope::Aws];
    envelopes.into_iter().fold(components, |components, envelope| {
        let schema: RefOr<Schema> = match envelope {
            Envelope::Problem => problem(),
            Envelope::Mlflow => {
                object([("error_code", text("A name of MLflow's")), ("message", text("What is wrong"))]).into()
            }
            Envelope::Error => object([("error", text("What is wrong"))]).into(),
            Envelope::Aws => object([("Message", text("What is wrong"))]).into(),
        };
        components.schema(schema_name(envelope), schema)
    })
}

fn problem() -> RefOr<Schema> {
    let codes = || RefOr::from(one_of(ErrorCode::ALL.iter().map(|code| code.as_str())));
    let complaint = object([("code", codes()), ("detail", text("What, where, what was expected and what came"))])
        .property("pointer", text("Where: a JSON pointer as a URI fragment (RFC 6901)"));
    object([
        ("type", text("The code as a URI: urn:ordinate:error#invalid-value")),
        ("title", text("The same for every occurrence of the code")),
        ("status", ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).into()),
        ("detail", text("This occurrence in words")),
        ("code", codes()),
        ("request_id", text(REQUEST_ID.1)),
    ])
    .property("errors", list(complaint))
    .description(Some("RFC 9457; of what is wrong with the rows, the first 20 faults are in `errors`"))
    .into()
}

/// All codes as a list in Markdown: a table would be wider than a telephone.
pub(crate) fn all() -> String {
    let mut list = String::new();
    for code in ErrorCode::ALL {
        let (name, status, title) = (code.as_str(), code.status().as_u16(), code.title());
        let _ = writeln!(list, "- [`{name}`](docs/errors#{}) {status}: {title}", code.anchor());
    }
    list
}
