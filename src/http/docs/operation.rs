//! Operations, put together: what is asked, what is answered, what can go wrong. Answers to examples are the service's own.

use axum::Router;
use axum::body::Body as Sent;
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

use super::error::{self, Risks, Rows};
use super::schema::{count, one_of};
use crate::http::server::body::essence;
use crate::http::server::envelope::Envelope;
use crate::http::server::headers::JSON_LENGTH;
use crate::http::server::headers::WARNINGS;

pub(crate) const JSON: &str = "application/json";
pub(crate) const JSON_LINES: &str = "application/jsonlines";
pub(crate) const CSV: &str = "text/csv";
pub(crate) const OCTETS: &str = "application/octet-stream";

/// A group of operations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) description: &'static str,
}

/// One operation in the making.
pub(crate) struct Draft {
    path: String,
    /// The path with names in the places of its parameters.
    example_path: String,
    method: HttpMethod,
    envelope: Envelope,
    pub(crate) tag: &'static str,
    operation: OperationBuilder,
    risks: Risks,
    bodies: Vec<Body>,
    answer: Option<String>,
    /// By media type.
    answers: Vec<(&'static str, RefOr<Schema>)>,
}

/// A body of a request: its media type, its schema, and examples by name.
pub(crate) struct Body {
    pub(crate) media_type: &'static str,
    pub(crate) schema: RefOr<Schema>,
    pub(crate) examples: Vec<(&'static str, Value)>,
}

/// What the service answered to an example.
struct Answered {
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

    /// What else there is to say.
    pub(crate) fn description(mut self, description: impl Into<String>) -> Self {
        self.operation = self.operation.description(Some(description));
        self
    }

    /// It needs a model.
    pub(crate) fn needs_model(mut self) -> Self {
        self.risks.model = true;
        self
    }

    /// It is part of a protocol, and never served.
    pub(crate) fn refused(mut self) -> Self {
        self.risks.refused = true;
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

    /// A parameter of the query, which may be left out.
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

    /// What is sent: rows, in one of these forms.
    pub(crate) fn rows(mut self, rows: Rows, bodies: impl IntoIterator<Item = Body>) -> Self {
        if rows == Rows::Tensors {
            let length = ParameterBuilder::new()
                .name("Inference-Header-Content-Length")
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some("Bytes of the JSON, where tensors follow it as bytes"))
                .schema(Some(count("Bytes")));
            self.operation = self.operation.parameter(length);
        }
        self.risks.rows = rows;
        self.bodies = bodies.into_iter().collect();
        self.needs_model()
    }

    /// What is answered when all is well.
    pub(crate) fn answers(
        mut self,
        description: &str,
        media_type: &'static str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        self.answer = Some(description.to_owned());
        self.or(media_type, schema)
    }

    /// The same in another media type.
    pub(crate) fn or(mut self, media_type: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.answers.push((media_type, schema.into()));
        self
    }

    /// Puts it into its place, with all that can go wrong. Examples are what the service takes and answers.
    pub(crate) async fn add(self, paths: PathsBuilder, service: Router) -> PathsBuilder {
        let (answered, id) = (self.try_out(service).await, self.id());
        let mut operation = self.operation.operation_id(Some(id));
        if !self.bodies.is_empty() {
            let mut request = RequestBodyBuilder::new().required(Some(Required::True));
            for Body { media_type, schema, examples } in self.bodies {
                let taken = examples.into_iter().filter(|(name, _)| answered.iter().any(|answer| answer.name == *name));
                request = request.content(media_type, content(schema, taken));
            }
            operation = operation.request_body(Some(request.build()));
        }
        if let Some(description) = self.answer {
            let mut response = ResponseBuilder::new().description(description);
            for (media_type, schema) in self.answers {
                let examples = answered.iter().filter(|answer| essence(&answer.media_type) == media_type);
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

    /// Sends all examples. A model that cannot do what one of them asks for has no such example.
    async fn try_out(&self, service: Router) -> Vec<Answered> {
        let first = self.answers.first().map_or(JSON, |(media_type, _)| *media_type);
        let mut answered = Vec::new();
        if self.bodies.is_empty() && self.answer.is_some() {
            let request = Request::builder().header(header::ACCEPT, first);
            answered.extend(self.ask(service.clone(), "answer", request, String::new()).await);
        }
        for Body { media_type, examples, .. } in &self.bodies {
            for (name, value) in examples {
                let request = Request::builder().header(header::CONTENT_TYPE, *media_type);
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                answered.extend(self.ask(service.clone(), name, request, text).await);
            }
        }
        answered
    }

    async fn ask(
        &self,
        service: Router,
        name: &'static str,
        request: http::request::Builder,
        body: String,
    ) -> Option<Answered> {
        let method = if self.method == HttpMethod::Get { "GET" } else { "POST" };
        let request = request.method(method).uri(&self.example_path).body(Sent::from(body)).ok()?;
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
        Some(Answered { name, media_type, value })
    }
}

fn content(schema: RefOr<Schema>, examples: impl Iterator<Item = (&'static str, Value)>) -> Content {
    let named = |(name, value): (&'static str, Value)| -> (&'static str, Example) {
        (name, ExampleBuilder::new().summary(name.replace('_', " ")).value(Some(value)).build())
    };
    ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples.map(named)).build()
}

/// What the headers of a prediction say.
fn headers(response: ResponseBuilder, rows: Rows) -> ResponseBuilder {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let add = |response: ResponseBuilder, name: &str, schema: ObjectBuilder, description: &str| {
        response.header(name, HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build())
    };
    let mut response = error::with_request_id(response);
    if rows != Rows::None {
        let model = "Name and version of the model that answered, as in line@1";
        response = add(response, "x-ordinate-model", text(), model);
        let stages = "Milliseconds of each stage (W3C Server Timing)";
        response = add(response, "server-timing", text(), stages);
        let integer = ObjectBuilder::new().schema_type(Type::Integer);
        response = add(response, WARNINGS.as_str(), integer, "How many warnings there are, where there are any");
    }
    if rows == Rows::Tensors {
        let integer = ObjectBuilder::new().schema_type(Type::Integer);
        response = add(response, JSON_LENGTH.as_str(), integer, "Bytes of the JSON, where tensors follow it as bytes");
    }
    response
}
