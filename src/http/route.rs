//! A route, declared once: path, method, handler, error envelope and `OpenAPI` entry. Each protocol exports a list of
//! routes; `routes.rs` derives everything else from these lists.

use std::sync::Arc;

use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::schema::ComponentsBuilder;

use super::application::Application;
use super::docs::operation::{Draft, Tag};
use super::docs::schema::ModelSchemas;
use super::server::envelope::Envelope;

/// A group of routes that belong together: a protocol, or the pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Protocol {
    pub(crate) routes: fn() -> Vec<Route>,
    /// The groups of its operations, in the order of the document.
    pub(crate) tags: &'static [Tag],
    /// Adds the schemas that its operations refer to.
    pub(crate) schemas: fn(ComponentsBuilder, &[ModelSchemas<'_>]) -> ComponentsBuilder,
}

/// A method on a path.
///
/// The path is axum's, except that its last parameter can be followed by a verb, as in `/v1/models/{model}:predict`.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) method: HttpMethod,
    pub(crate) handler: MethodRouter<Arc<Application>>,
    /// The form of its errors.
    pub(crate) envelope: Envelope,
    /// Whether a 404 may suggest it.
    pub(crate) suggested: bool,
    /// Whether the plain server answers it also at its limits, because it reports the state of the server.
    pub(crate) always_answered: bool,
    pub(crate) operations: Operations,
}

/// The operations of a route in the `OpenAPI` document.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operations {
    /// The route is not in the document.
    None,
    /// One.
    One(fn(Draft, &[ModelSchemas<'_>]) -> Draft),
    /// One, with examples of the default model.
    DefaultModel(fn(Draft, &ModelSchemas<'_>) -> Draft),
    /// One per model, whose name replaces the path's parameter `{name}`.
    EachModel(fn(Draft, &ModelSchemas<'_>) -> Draft),
}

impl Route {
    /// A route for GET and HEAD. Errors are problem documents, and the `OpenAPI` document does not contain it.
    pub(crate) fn get<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<Application>>) -> Self {
        Self::new(path, HttpMethod::Get, get(handler))
    }

    /// The same for POST.
    pub(crate) fn post<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<Application>>) -> Self {
        Self::new(path, HttpMethod::Post, post(handler))
    }

    fn new(path: &'static str, method: HttpMethod, handler: MethodRouter<Arc<Application>>) -> Self {
        Self {
            path,
            method,
            handler,
            envelope: Envelope::Problem,
            suggested: true,
            always_answered: false,
            operations: Operations::None,
        }
    }

    /// Sets the form of its errors.
    pub(crate) fn errors(self, envelope: Envelope) -> Self {
        Self { envelope, ..self }
    }

    /// Sets the handler of the methods that it does not support, which answers with a 405.
    pub(crate) fn other_methods<T: 'static>(self, handler: impl Handler<T, Arc<Application>>) -> Self {
        Self { handler: self.handler.fallback(handler), ..self }
    }

    /// Keeps it out of the suggestions of 404s.
    pub(crate) fn not_suggested(self) -> Self {
        Self { suggested: false, ..self }
    }

    /// Answers it also at the limits of the plain server.
    pub(crate) fn always_answered(self) -> Self {
        Self { always_answered: true, ..self }
    }

    /// Documents it as one operation.
    pub(crate) fn operation(self, describe: fn(Draft, &[ModelSchemas<'_>]) -> Draft) -> Self {
        Self { operations: Operations::One(describe), ..self }
    }

    /// Documents it as one operation, with examples of the default model.
    pub(crate) fn operation_of_default_model(self, describe: fn(Draft, &ModelSchemas<'_>) -> Draft) -> Self {
        Self { operations: Operations::DefaultModel(describe), ..self }
    }

    /// Documents it as one operation per model.
    pub(crate) fn operation_per_model(self, describe: fn(Draft, &ModelSchemas<'_>) -> Draft) -> Self {
        Self { operations: Operations::EachModel(describe), ..self }
    }

    /// The path without its verb, and the verb.
    pub(crate) fn split_verb(&self) -> (&'static str, Option<&'static str>) {
        self.path.rsplit_once(':').map_or((self.path, None), |(path, verb)| (path, Some(verb)))
    }

    /// The operations for these models, each with the index of its model: 0 is the default model.
    pub(crate) fn drafts(&self, models: &[ModelSchemas<'_>]) -> Vec<(usize, Draft)> {
        let draft = || Draft::new(self.path, self.method.clone(), self.envelope);
        match self.operations {
            Operations::None => Vec::new(),
            Operations::One(describe) => vec![(0, describe(draft().path_parameters(models), models))],
            Operations::DefaultModel(describe) => {
                let draft = |model| (0, describe(draft().path_parameters(models), model));
                models.first().map(draft).into_iter().collect()
            }
            Operations::EachModel(describe) => {
                let draft = |model: &ModelSchemas<'_>| {
                    describe(draft().of_model(model).path_parameters(std::slice::from_ref(model)), model)
                };
                models.iter().map(draft).enumerate().collect()
            }
        }
    }
}
