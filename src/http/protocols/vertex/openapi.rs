//! Vertex AI in the document.

use crate::http::docs::operation::{Draft, JSON, Tag};
use crate::http::docs::schema::{ModelSchemas, boolean, object};
use crate::http::protocols::kserve_v1::openapi::{self, Keys};

pub(crate) const TAG: Tag = Tag { name: "Vertex AI", description: "The routes of a custom container" };

pub(crate) fn predict(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let draft = draft.about(TAG, "Predict with the default model");
    openapi::prediction(draft.description("Also under the path of `AIP_PREDICT_ROUTE`."), schemas, Keys::Vertex)
}

pub(crate) fn health(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(TAG, "The default model is loaded, or a 503").needs_model();
    let draft = draft.description("Also under the path of `AIP_HEALTH_ROUTE`.");
    draft.answers("It is", JSON, object([("ready", boolean("Always true"))]))
}
