//! Vertex AI in the document.

use serde_json::json;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::ComponentsBuilder;

use crate::http::docs::error::RowFormats;
use crate::http::docs::operation::{Body, Draft, JSON, Tag};
use crate::http::docs::schema::{ModelSchemas, closed, object};

pub(crate) const TAG: Tag = Tag { name: "Vertex AI", description: "The routes of a custom container" };

/// `POST /vertex/predict`
pub(crate) fn predict(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let examples = vec![("instances", json!({"instances": [schemas.example_values()]}))];
    let body = Body { media_type: JSON, schema: Ref::from_schema_name("VertexRequest").into(), examples };
    draft
        .about(TAG, "Predict with the default model")
        .description("Also under the path of `AIP_PREDICT_ROUTE`.")
        .rows(RowFormats::Json, "VertexRequest", [body])
        .answers("PredictionList", "One element per row")
}

/// `GET /vertex/health`
pub(crate) fn health(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(TAG, "The default model is loaded, or a 503").needs_model();
    let draft = draft.description("Also under the path of `AIP_HEALTH_ROUTE`.");
    draft.answers("Ready", "The default model is loaded")
}

/// Adds the schemas of this protocol.
pub(crate) fn define(components: ComponentsBuilder, _: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let request = object([("instances", Ref::from_schema_name("Rows").into())]);
    let request = request.property("parameters", Ref::from_schema_name("V1Parameters"));
    components.schema("VertexRequest", closed(request))
}
