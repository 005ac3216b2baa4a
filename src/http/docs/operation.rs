//! Operations of the document: requests, responses, errors. The answers of examples are computed by the service.

use axum::Router;
use axum::body::Body as RequestBody;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Content, ContentBuilder, PathItem, RefOr, Required, ResponseBuilder};

use super::error::{self, Risks, RowFormats};
use super::schema::{count, one_of};
use crate::http::server::body::essence;
use crate::http::server::envelope::Envelope;
use crate::http::server::headers::JSON_LENGTH;
use crate::http::server::headers::WARNINGS;

pub(crate) const JSON: &str = "application/json";
pub(crate) const JSON_LINES: &str = "application/jsonlines";
pub(crate) const CSV: &str = "text/csv";
pub(crate) const NPY: &str = "application/x-npy";
pub(crate) const OCTETS: &str = "application/octet-stream";

/// A group of operations in the document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
}

/// An operation under construction.
pub(crate) struct Draft {
    path: String,
    /// The path with example values in place of its parameters.
    example_path: String,
    method: HttpMethod,
    envelope: Envelope,
    pub(crate) tag: &'static str,
    operation: OperationBuilder,
    risks: Risks,
    bodies: Vec<Body>,
    answer: Option<String>,
    /// The schema of the answer by media type.
    answers: Vec<(&'static str, RefOr<Schema>)>,
}

/// A body of a request, with examples by name.
pub(crate) struct Body {
    pub(crate) media_type: &'static str,
    pub(crate) schema: RefOr<Schema>,
    pub(crate) examples: Vec<(&'static str, Value)>,
}

/// The service's answer to an example.
struct ExampleAnswer {
    name: &'static str,
    media_type: String,
    value: Value,
}

impl Draft {
    /// An operation on a path, with errors of this form.
    pub(crate) fn new(path: &str, method: HttpMethod, envelope: Envelope) -> Self {
        Self {
            path: path.to_owned(),
            example_path: path.to_owned(),
            method,
            envelope,
            tag: "",
            operation: OperationBuilder::new(),
            risks: Risks::default(),
            bodies: Vec::new(),
            answer: None,
            answers: Vec::new(),
        }
    }

    /// Sets its group and its summary.
    pub(crate) fn about(mut self, tag: Tag, summary: impl Into<String>) -> Self {
        self.tag = tag.name;
        self.operation = self.operation.tag(tag.name).summary(Some(summary));
        self
    }

    /// Replaces a parameter of the path by a value.
    pub(crate) fn replace(mut self, parameter: &str, value: &str) -> Self {
        self.path = self.path.replace(&format!("{{{parameter}}}"), value);
        self.example_path.clone_from(&self.path);
        self
    }

    /// Unique, as the path is.
    fn id(&self) -> String {
        let verb = if self.method == HttpMethod::Get { "get" } else { "post" };
        let words = self.path.split(|character: char| !character.is_ascii_alphanumeric());
        words.filter(|word| !word.is_empty()).fold(verb.to_owned(), |id, word| id + "_" + word)
    }

    pub(crate) fn description(mut self, description: impl Into<String>) -> Self {
        self.operation = self.operation.description(Some(description));
        self
    }

    /// Adds the errors of loading a model.
    pub(crate) fn needs_model(mut self) -> Self {
        self.risks.model = true;
        self
    }

    /// Adds the answer 202 without a body.
    pub(crate) fn accepts(mut self, description: &str) -> Self {
        let response = error::with_request_id(ResponseBuilder::new().description(description));
        self.operation = self.operation.response("202", response);
        self
    }

    /// Documents it as a part of the protocol that is not supported.
    pub(crate) fn not_supported(mut self) -> Self {
        self.risks.not_supported = true;
        self
    }

    /// Documents a parameter of the path, if the path has it: one of these names.
    pub(crate) fn parameter<'a>(
        mut self,
        name: &str,
        description: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let placeholder = format!("{{{name}}}");
        if !self.path.contains(&placeholder) {
            return self;
        }
        let names: Vec<_> = names.into_iter().collect();
        let example = names.first().copied().unwrap_or_default();
        self.example_path = self.example_path.replace(&placeholder, example);
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(description))
            .schema(Some(one_of(names)));
        self.operation = self.operation.parameter(parameter);
        self.risks.named = true;
        self
    }

    /// Adds an optional parameter of the query.
    pub(crate) fn option(mut self, name: &str, schema: Object) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(schema.description.clone())
            .schema(Some(schema));
        self.operation = self.operation.parameter(parameter);
        self
    }

    /// Sets the bodies of the request, which contain rows.
    pub(crate) fn rows(mut self, rows: RowFormats, bodies: impl IntoIterator<Item = Body>) -> Self {
        if rows == RowFormats::Tensors {
            let length = ParameterBuilder::new()
                .name("Inference-Header-Content-Length")
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some("Length of the JSON in bytes, if tensors follow it as bytes"))
                .schema(Some(count("Number of bytes")));
            self.operation = self.operation.parameter(length);
        }
        self.risks.rows = rows;
        self.bodies = bodies.into_iter().collect();
        self.needs_model()
    }

    /// Sets the successful answer.
    pub(crate) fn answers(
        mut self,
        description: &str,
        media_type: &'static str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        self.answer = Some(description.to_owned());
        self.or(media_type, schema)
    }

    /// Adds a media type of the answer.
    pub(crate) fn or(mut self, media_type: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.answers.push((media_type, schema.into()));
        self
    }

    /// Adds it to the document, with its errors. Examples are kept if the service answers them with 200.
    pub(crate) async fn add(self, paths: PathsBuilder, service: Router) -> PathsBuilder {
        let (answers_of_examples, id) = (self.answer_examples(service).await, self.id());
        let mut operation = self.operation.operation_id(Some(id));
        if !self.bodies.is_empty() {
            let mut request = RequestBodyBuilder::new().required(Some(Required::True));
            for Body { media_type, schema, examples } in self.bodies {
                let examples = examples
                    .into_iter()
                    .filter(|(name, _)| answers_of_examples.iter().any(|answer| answer.name == *name));
                request = request.content(media_type, content(schema, examples));
            }
            operation = operation.request_body(Some(request.build()));
        }
        if let Some(description) = self.answer {
            let mut response = ResponseBuilder::new().description(description);
            for (media_type, schema) in self.answers {
                let examples = answers_of_examples.iter().filter(|answer| essence(&answer.media_type) == media_type);
                let examples = examples.map(|answer| (answer.name, answer.value.clone()));
                response = response.content(media_type, content(schema, examples));
            }
            operation = operation.response("200", headers(response, self.risks.rows));
        }
        for (status, response) in error::responses(self.envelope, self.risks) {
            operation = operation.response(status, response);
        }
        // A second method of a path joins the first.
        paths.path(self.path, PathItem::new(self.method, operation))
    }

    /// Sends all examples to the service. An example that a model does not support is omitted.
    async fn answer_examples(&self, service: Router) -> Vec<ExampleAnswer> {
        let first = self.answers.first().map_or(JSON, |(media_type, _)| *media_type);
        let mut answers_of_examples = Vec::new();
        if self.bodies.is_empty() && self.answer.is_some() {
            let request = Request::builder().header(header::ACCEPT, first);
            answers_of_examples.extend(self.send(service.clone(), "answer", request, String::new()).await);
        }
        for Body { media_type, examples, .. } in &self.bodies {
            for (name, value) in examples {
                let request = Request::builder().header(header::CONTENT_TYPE, *media_type);
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                answers_of_examples.extend(self.send(service.clone(), name, request, text).await);
            }
        }
        answers_of_examples
    }

    async fn send(
        &self,
        service: Router,
        name: &'static str,
        request: http::request::Builder,
        body: String,
    ) -> Option<ExampleAnswer> {
        let method = if self.method == HttpMethod::Get { "GET" } else { "POST" };
        let request = request.method(method).uri(&self.example_path).body(RequestBody::from(body)).ok()?;
        let response = service.oneshot(request).await.ok()?;
        if response.status() != StatusCode::OK {
            return None;
        }
        let media_type = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?.to_owned();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        let value = if media_type == JSON {
            serde_json::from_slice(&body).ok()?
        } else {
            Value::String(String::from_utf8(body.to_vec()).ok()?)
        };
        Some(ExampleAnswer { name, media_type, value })
    }
}

fn content(schema: RefOr<Schema>, examples: impl Iterator<Item = (&'static str, Value)>) -> Content {
    let named = |(name, value): (&'static str, Value)| -> (&'static str, Example) {
        (name, ExampleBuilder::new().summary(name.replace('_', " ")).value(Some(value)).build())
    };
    ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples.map(named)).build()
}

/// Adds the headers of a successful response.
fn headers(response: ResponseBuilder, rows: RowFormats) -> ResponseBuilder {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let add = |response: ResponseBuilder, name: &str, schema: ObjectBuilder, description: &str| {
        response.header(name, HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build())
    };
    let mut response = error::with_request_id(response);
    if rows != RowFormats::None {
        let model = "Name and version of the model, such as line@1";
        response = add(response, "x-ordinate-model", text(), model);
        let stages = "Duration of each stage in milliseconds (W3C Server Timing)";
        response = add(response, "server-timing", text(), stages);
        let integer = ObjectBuilder::new().schema_type(Type::Integer);
        response = add(response, WARNINGS.as_str(), integer, "Number of warnings, if there are any");
    }
    if rows == RowFormats::Tensors {
        let integer = ObjectBuilder::new().schema_type(Type::Integer);
        response =
            add(response, JSON_LENGTH.as_str(), integer, "Length of the JSON in bytes, if tensors follow it as bytes");
    }
    response
}
