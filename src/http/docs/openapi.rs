//! `GET /openapi.json`: an `OpenAPI` 3.1 document, generated from the served models, the table of errors and the routes
//! at the first request, so that it costs no cold start anything.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::schema::ComponentsBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, ServerBuilder};

use super::operation::{Draft, Tag};
use super::schema::ModelSchemas;
use super::shared::Shared;
use super::{error, schema};
use crate::http::application::{App, Application, MAX_DESCRIBED};
use crate::http::route::Protocol;
use crate::http::server::error::ApiError;
use crate::http::settings::Settings;
use ordinate_model::Model;

/// The path of the document.
pub(crate) const PATH: &str = "/openapi.json";

const DESCRIPTION: &str = "Send an X, get a y: linear models, trained with `ordinate train`, over HTTPS.

Numbers are never changed silently: a string is not a number, `true` is not 1, and an integer that a double cannot \
represent is an error. A date is a string in ISO 8601. `null`, `NaN`, `Infinity` and empty CSV fields are missing \
values, which are an error unless the training data had missing values; the answer then has a warning with the value \
that replaces them. Columns of the training data that the model does not use are accepted and ignored.

The service's own routes return errors as problem documents (RFC 9457). The status and the title of a `code` never \
change; the page `docs/errors` of the service has the cause and the remedy of each. The routes of other protocols \
return errors in the form of the protocol, with status 400 in place of 422.";

/// Creates a router, which computes the answers of examples.
pub(crate) type Service = fn(Arc<Application>) -> Router;

/// The URL of the server, relative to the document, and its description.
const SERVER: (&str, &str) = (".", "The server of this document");

/// `GET /openapi.json`
pub(crate) async fn document(
    State(application): App,
    protocols: &[Protocol],
    service: Service,
) -> Result<Response, ApiError> {
    let document = make(&application, protocols, service).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], document).into_response())
}

/// The document of the models that are served now.
async fn make(application: &Application, protocols: &[Protocol], service: Service) -> Result<Bytes, ApiError> {
    let models = application.catalog.models(MAX_DESCRIBED).await?;
    let checksums: Vec<_> = models.iter().map(|model| model.checksum().to_owned()).collect();
    let mut latest = application.openapi.lock().await;
    if let Some((described, document)) = &*latest
        && *described == checksums
    {
        return Ok(document.clone());
    }
    let document = describe(application, &models, protocols, service).await;
    let document = serde_json::to_vec(&document).map(Bytes::from);
    let document = document.map_err(|error| ApiError::internal(error.to_string()))?;
    *latest = Some((checksums, document.clone()));
    Ok(document)
}

async fn describe(
    application: &Application,
    models: &[Arc<Model>],
    protocols: &[Protocol],
    service: Service,
) -> OpenApi {
    let limits = application.limits;
    let common = |models: &[ModelSchemas<'_>]| {
        let components = schema::define_common(ComponentsBuilder::new(), limits.max_rows);
        let define = |components, protocol: &Protocol| (protocol.schemas)(components, models);
        error::define(protocols.iter().fold(components, define))
    };
    let models = ModelSchemas::of_models(models, &common(&[]).build(), limits.max_rows);
    let components = models.iter().fold(common(&models), |components, model| model.define(components));
    let mut shared = Shared::new(components.build());
    let mut paths = PathsBuilder::new();
    for draft in drafts(protocols, &models) {
        // A service of its own for each, so that examples do not count in the statistics.
        let service = service(Application::new(application.catalog.clone(), &Settings::new(limits)));
        paths = draft.add(paths, &mut shared, service).await;
    }
    let licence = LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0"));
    let info = InfoBuilder::new()
        .title("Ordinate")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(licence.build()));
    let tags = tags(protocols).map(|tag| TagBuilder::new().name(tag.name).description(Some(tag.description)).build());
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url(SERVER.0).description(Some(SERVER.1)).build()]))
        .paths(paths)
        .components(Some(shared.components()))
        // Authorization happens in front of the service.
        .security(Some([]))
        .tags(Some(tags))
        .build()
}

fn tags(protocols: &[Protocol]) -> impl Iterator<Item = Tag> {
    protocols.iter().flat_map(|protocol| protocol.tags).copied()
}

/// The operations: by tag, then by model, then in the order of the routes.
fn drafts(protocols: &[Protocol], models: &[ModelSchemas<'_>]) -> Vec<Draft> {
    let routes = protocols.iter().flat_map(|protocol| (protocol.routes)());
    let mut drafts: Vec<_> = routes.flat_map(|route| route.drafts(models)).collect();
    drafts.sort_by_key(|(model, draft)| (tags(protocols).position(|tag| tag.name == draft.tag), *model));
    drafts.into_iter().map(|(_, draft)| draft).collect()
}

#[cfg(test)]
mod tests;
