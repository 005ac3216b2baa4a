//! `SageMaker` in the document, and `/invocations`, which it shares with MLflow.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema};

use crate::http::docs::error::RowFormats;
use crate::http::docs::operation::{CSV, Draft, JSON, JSON_LINES, NPY, Tag};
use crate::http::docs::schema::{ModelSchemas, any, closed, number, object, probability, text};
use crate::http::protocols::mlflow::openapi::{SHARED, bodies, predictions};

pub(crate) const TAG: Tag = Tag { name: "SageMaker", description: "The route of the SageMaker runtime, for its SDKs" };

const IGNORED_NAMES: &str = "Names that are not features are ignored, as MLflow does.";

/// `POST /invocations`
pub(crate) fn default_model(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let forms = "JSON with rows `{\"features\": […]}`, rows without a key, JSON Lines, arrays of numpy, and CSV whose first \
                 line contains no feature name are answered in the form of SageMaker's Linear Learner, all other bodies \
                 in the form of MLflow.";
    let answered = OneOfBuilder::new().item(predictions(schemas)).item(scores(schemas));
    let draft = draft.about(SHARED, "Predict with the default model").description(format!("{forms} {IGNORED_NAMES}"));
    operation(draft, schemas, answered)
}

/// `POST /endpoints/{name}/invocations`
pub(crate) fn endpoint(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let form = "Answers in the form of SageMaker's Linear Learner, in the media type of the header `Accept`.";
    let draft = draft.about(TAG, format!("Predict with {}", schemas.model.name()));
    operation(draft.description(format!("{form} {IGNORED_NAMES}")), schemas, scores(schemas))
}

fn operation(draft: Draft, schemas: &ModelSchemas<'_>, answer: impl Into<Schema>) -> Draft {
    draft
        .rows(RowFormats::JsonOrCsv, bodies(schemas))
        .answers("One element per row", JSON, RefOr::T(answer.into()))
        .or(JSON_LINES, text("One object per line"))
        .or(CSV, text("The same values, one row per line"))
        .or(NPY, any("An array of the predictions or labels, as numpy.save writes it"))
}

/// An answer in the form of `SageMaker`'s Linear Learner.
fn scores(schemas: &ModelSchemas<'_>) -> ObjectBuilder {
    let row = match schemas.model.classes() {
        None => object([("score", number().into())]),
        Some(classes) => {
            let score: RefOr<Schema> =
                if classes.len() == 2 { probability().into() } else { schemas.probability_row().into() };
            object([("score", score), ("predicted_label", schemas.predicted().into())])
        }
    };
    closed(object([("predictions", RefOr::T(schemas.list(closed(row))))]))
}
