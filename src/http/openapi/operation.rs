//! Operations, put together: what is asked, what is answered, what can go wrong.

use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, PathItem, RefOr, Required, ResponseBuilder};

use super::error::{self, Risks, Rows};
use super::schema::one_of;
use crate::http::envelope::Envelope;

/// A group of operations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag {
    /// Its name.
    pub(super) name: &'static str,
    /// What it is for.
    pub(super) description: &'static str,
}

/// One operation in the making.
pub(super) struct Draft {
    path: String,
    method: HttpMethod,
    operation: OperationBuilder,
    risks: Risks,
}

/// A body of a request: its media type, its schema, and examples by name.
pub(super) struct Body {
    pub(super) media_type: &'static str,
    pub(super) schema: RefOr<Schema>,
    pub(super) examples: Vec<(&'static str, Value)>,
}

impl Draft {
    /// A GET.
    pub(super) fn get(path: impl Into<String>, tag: Tag, summary: impl Into<String>) -> Self {
        Self::new(HttpMethod::Get, path.into(), tag, summary.into())
    }

    /// A POST.
    pub(super) fn post(path: impl Into<String>, tag: Tag, summary: impl Into<String>) -> Self {
        Self::new(HttpMethod::Post, path.into(), tag, summary.into())
    }

    fn new(method: HttpMethod, path: String, tag: Tag, summary: String) -> Self {
        let verb = if method == HttpMethod::Get { "get" } else { "post" };
        // The path is unique, and so is what is left of it.
        let words = path.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let id = words.fold(verb.to_owned(), |id, word| id + "_" + word);
        let operation = OperationBuilder::new().tag(tag.name).summary(Some(summary)).operation_id(Some(id));
        Self { path, method, operation, risks: Risks::default() }
    }

    /// What else there is to say.
    pub(super) fn description(mut self, description: impl Into<String>) -> Self {
        self.operation = self.operation.description(Some(description));
        self
    }

    /// It needs a model.
    pub(super) fn needs_model(mut self) -> Self {
        self.risks.model = true;
        self
    }

    /// A part of the path that is one of these names.
    pub(super) fn parameter<'a>(
        mut self,
        name: &str,
        description: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
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

    /// What is sent: rows, in one of these forms.
    pub(super) fn rows(mut self, forms: impl IntoIterator<Item = Body>) -> Self {
        let mut body = RequestBodyBuilder::new().required(Some(Required::True));
        self.risks.rows = Rows::Json;
        for form in forms {
            if form.media_type == "text/csv" {
                self.risks.rows = Rows::JsonOrCsv;
            }
            let examples = form
                .examples
                .into_iter()
                .map(|(name, value)| (name, ExampleBuilder::new().summary(name.replace('_', " ")).value(Some(value))));
            let content = ContentBuilder::new().schema(Some(form.schema)).examples_from_iter(examples);
            body = body.content(form.media_type, content.build());
        }
        self.operation = self.operation.request_body(Some(body.build()));
        self.needs_model()
    }

    /// What is answered when all is well.
    pub(super) fn answers(
        mut self,
        description: &str,
        media_type: &str,
        schema: impl Into<RefOr<Schema>>,
        example: Option<Value>,
    ) -> Self {
        let content = ContentBuilder::new().schema(Some(schema)).example(example).build();
        let mut response = ResponseBuilder::new().description(description).content(media_type, content);
        if self.risks.rows != Rows::None {
            for (name, description) in [
                ("x-ordinate-model", "Name and version of the model that answered, as in line@1"),
                ("server-timing", "Milliseconds of each stage (W3C Server Timing)"),
            ] {
                let header = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String)));
                response = response.header(name, header.description(Some(description)).build());
            }
        }
        self.operation = self.operation.response("200", response);
        self
    }

    /// Puts it into its place, with all that can go wrong.
    pub(super) fn add(self, paths: PathsBuilder) -> PathsBuilder {
        let mut operation = self.operation;
        for (status, response) in error::responses(Envelope::of(&self.path), self.risks) {
            operation = operation.response(status, response);
        }
        // A second method of a path joins the first.
        paths.path(self.path, PathItem::new(self.method, operation))
    }
}
