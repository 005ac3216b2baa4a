//! Operations of the document: requests, responses, errors. The answers of examples are computed by the service.

use axum::Router;
use axum::body::Body as RequestBody;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Content, ContentBuilder, PathItem, Ref, RefOr, Required, Response, ResponseBuilder};

use super::error::{self, Risks, RowFormats, add_header};
use super::schema::{ModelSchemas, count, one_of};
use super::shared::Shared;
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
    id: String,
    path: String,
    /// The path with example values in place of its parameters.
    example_path: String,
    method: HttpMethod,
    envelope: Envelope,
    pub(crate) tag: &'static str,
    operation: OperationBuilder,
    parameters: Vec<Parameter>,
    risks: Risks,
    request: Option<BodyContent>,
    answer: Option<AnswerContent>,
    /// The description of the answer 202.
    accepted: Option<String>,
}

/// The body of a request, under the name of its component.
struct BodyContent {
    name: String,
    bodies: Vec<Body>,
}

/// The successful answer, under the name of its component.
struct AnswerContent {
    name: String,
    description: String,
    /// The schema by media type.
    schemas: Vec<(&'static str, RefOr<Schema>)>,
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
            id: id(&method, path),
            path: path.to_owned(),
            example_path: path.to_owned(),
            method,
            envelope,
            tag: "",
            operation: OperationBuilder::new(),
            parameters: Vec::new(),
            risks: Risks::default(),
            request: None,
            answer: None,
            accepted: None,
        }
    }

    /// Sets its group and its summary.
    pub(crate) fn about(mut self, tag: Tag, summary: impl Into<String>) -> Self {
        self.tag = tag.name;
        self.operation = self.operation.tag(tag.name).summary(Some(summary));
        self
    }

    /// Replaces the parameter `{name}` of the path by the name of a model.
    pub(crate) fn of_model(mut self, model: &ModelSchemas<'_>) -> Self {
        self.id = id(&self.method, &self.path.replace("{name}", model.name()));
        self.path = self.path.replace("{name}", model.model.name());
        self.example_path.clone_from(&self.path);
        self
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
        self.accepted = Some(description.to_owned());
        self
    }

    /// Documents it as a part of the protocol that is not supported.
    pub(crate) fn not_supported(mut self) -> Self {
        self.risks.not_supported = true;
        self
    }

    /// Documents the parameters of the path: the names of these models, and any version.
    pub(crate) fn path_parameters(self, models: &[ModelSchemas<'_>]) -> Self {
        let names = || models.iter().map(|schemas| schemas.model.name());
        let model =
            |draft: Self, parameter| draft.path_parameter(parameter, "The model", names().next(), one_of(names()));
        let version = models.first().map(|schemas| schemas.model.version());
        let versions = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[1-9][0-9]{0,9}$"));
        let versions = versions.examples(version.map(|version| json!(version)));
        model(model(self, "name"), "model").path_parameter("version", "The version", version, versions)
    }

    /// Documents a parameter, if the path has it, with an example.
    fn path_parameter(mut self, name: &str, description: &str, example: Option<&str>, schema: ObjectBuilder) -> Self {
        let placeholder = format!("{{{name}}}");
        if !self.path.contains(&placeholder) {
            return self;
        }
        self.example_path = self.example_path.replace(&placeholder, example.unwrap_or_default());
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(description))
            .schema(Some(schema));
        self.parameters.push(parameter.build());
        self.risks.named = true;
        self
    }

    /// Documents that it returns a list in pages, with these parameters of the query.
    pub(crate) fn pages(mut self, parameters: impl IntoIterator<Item = (&'static str, Object)>) -> Self {
        self.risks.rows = RowFormats::Pages;
        parameters.into_iter().fold(self, |draft, (name, schema)| draft.option(name, schema))
    }

    /// Adds an optional parameter of the query.
    pub(crate) fn option(mut self, name: &str, schema: Object) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(schema.description.clone())
            .schema(Some(schema));
        self.parameters.push(parameter.build());
        self
    }

    /// Sets the body of the request, which contains rows, in each media type.
    pub(crate) fn rows(
        mut self,
        rows: RowFormats,
        name: impl Into<String>,
        bodies: impl IntoIterator<Item = Body>,
    ) -> Self {
        if rows == RowFormats::Tensors {
            let length = ParameterBuilder::new()
                .name("Inference-Header-Content-Length")
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some("Length of the JSON in bytes, if tensors follow it as bytes"))
                .schema(Some(count("Number of bytes")));
            self.parameters.push(length.build());
        }
        self.risks.rows = rows;
        self.request = Some(BodyContent { name: name.into(), bodies: bodies.into_iter().collect() });
        self.needs_model()
    }

    /// Sets the successful answer: JSON with the schema of this name.
    pub(crate) fn answers(self, name: impl Into<String>, description: &str) -> Self {
        let name = name.into();
        let schema = Ref::from_schema_name(&name);
        self.answers_as(name, description, JSON, schema)
    }

    /// Sets the successful answer, with a schema of its own.
    pub(crate) fn answers_as(
        mut self,
        name: impl Into<String>,
        description: &str,
        media_type: &'static str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        let schemas = vec![(media_type, schema.into())];
        self.answer = Some(AnswerContent { name: name.into(), description: description.to_owned(), schemas });
        self
    }

    /// Adds a media type of the answer.
    pub(crate) fn or(mut self, media_type: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        if let Some(answer) = &mut self.answer {
            answer.schemas.push((media_type, schema.into()));
        }
        self
    }

    /// Adds it to the document, with its errors. Examples are kept if the service answers them with 200.
    pub(crate) async fn add(self, paths: PathsBuilder, shared: &mut Shared, service: Router) -> PathsBuilder {
        let answers_of_examples = self.answer_examples(service).await;
        let mut operation = self.operation.operation_id(Some(self.id)).build();
        if !self.parameters.is_empty() {
            let parameters = self.parameters.into_iter().map(|parameter| shared.parameter(parameter));
            operation.parameters = Some(parameters.collect());
        }
        if let Some(BodyContent { name, bodies }) = self.request {
            let mut request = RequestBodyBuilder::new().required(Some(Required::True));
            for Body { media_type, schema, examples } in bodies {
                let examples = examples
                    .into_iter()
                    .filter(|(name, _)| answers_of_examples.iter().any(|answer| answer.name == *name));
                request = request.content(media_type, content(schema, examples));
            }
            operation.request_body = Some(shared.request_body(&name, request.build()));
        }
        let mut responses = error::responses(self.envelope, self.risks, shared);
        if let Some(AnswerContent { name, description, schemas }) = self.answer {
            let mut response = ResponseBuilder::new().description(description);
            for (media_type, schema) in schemas {
                let examples = answers_of_examples.iter().filter(|answer| essence(&answer.media_type) == media_type);
                let examples = examples.map(|answer| (answer.name, answer.value.clone()));
                response = response.content(media_type, content(schema, examples));
            }
            let mut response = response.build();
            add_headers(&mut response, shared, self.risks.rows);
            responses.push(("200".to_owned(), shared.response(&name, response)));
        }
        if let Some(description) = self.accepted {
            let mut response = ResponseBuilder::new().description(description).build();
            error::add_request_id(&mut response, shared);
            responses.push(("202".to_owned(), response.into()));
        }
        operation.responses.responses.extend(responses);
        // A second method of a path joins the first.
        paths.path(self.path, PathItem::new(self.method, operation))
    }

    /// Sends all examples to the service. An example that a model does not support is omitted.
    async fn answer_examples(&self, service: Router) -> Vec<ExampleAnswer> {
        let mut answers_of_examples = Vec::new();
        if self.request.is_none()
            && let Some((media_type, _)) = self.answer.as_ref().and_then(|answer| answer.schemas.first())
        {
            let request = Request::builder().header(header::ACCEPT, *media_type);
            answers_of_examples.extend(self.send(service.clone(), "answer", request, String::new()).await);
        }
        for Body { media_type, examples, .. } in self.request.iter().flat_map(|request| &request.bodies) {
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

/// The id of an operation: its method and the words of its path.
fn id(method: &HttpMethod, path: &str) -> String {
    let verb = if *method == HttpMethod::Get { "get" } else { "post" };
    let words = path.split(|character: char| !character.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).fold(verb.to_owned(), |id, word| id + "_" + word)
}

fn content(schema: RefOr<Schema>, examples: impl Iterator<Item = (&'static str, Value)>) -> Content {
    let named = |(name, value)| -> (&'static str, Example) { (name, ExampleBuilder::new().value(Some(value)).build()) };
    ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples.map(named)).build()
}

/// Adds the headers of a successful response.
fn add_headers(response: &mut Response, shared: &mut Shared, rows: RowFormats) {
    error::add_request_id(response, shared);
    let mut add = |name: &str, kind, description| add_header(response, shared, name, kind, description);
    if rows.are_read() {
        add("x-ordinate-model", Type::String, "Name and version of the model, such as line@1");
        add("server-timing", Type::String, "Duration of each stage in milliseconds (W3C Server Timing)");
        add(WARNINGS.as_str(), Type::Integer, "Number of warnings, if there are any");
    }
    if rows == RowFormats::Tensors {
        add(JSON_LENGTH.as_str(), Type::Integer, "Length of the JSON in bytes, if tensors follow it as bytes");
    }
}
