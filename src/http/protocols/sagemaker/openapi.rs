//! `SageMaker` in the document, and `/invocations`, which it shares with MLflow.

use utoipa::openapi::Ref;
use utoipa::openapi::schema::{AnyOfBuilder, Array, ComponentsBuilder, OneOfBuilder};

use crate::http::docs::error::RowFormats;
use crate::http::docs::operation::{CSV, Draft, JSON_LINES, NPY, Tag};
use crate::http::docs::schema::{ModelSchemas, any, bytes, closed, list, number, object, probability, text};
use crate::http::protocols::mlflow::openapi::{SHARED, bodies};

pub(crate) const TAG: Tag = Tag { name: "SageMaker", description: "The route of the SageMaker runtime, for its SDKs" };

const IGNORED_NAMES: &str = "Names that are not features are ignored, as MLflow does.";

/// `POST /invocations`
pub(crate) fn default_model(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let forms = "JSON with rows `{\"features\": […]}`, rows without a key, JSON Lines, arrays of numpy, and CSV whose first \
                 line contains no feature name are answered in the form of SageMaker's Linear Learner, all other bodies \
                 in the form of MLflow.";
    let draft = draft.about(SHARED, "Predict with the default model").description(format!("{forms} {IGNORED_NAMES}"));
    operation(draft, schemas, "InvocationsAnswer")
}

/// `POST /endpoints/{name}/invocations`
pub(crate) fn endpoint(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let form = "Answers in the form of SageMaker's Linear Learner, in the media type of the header `Accept`.";
    let draft = draft.about(TAG, "Predict with a model").description(format!("{form} {IGNORED_NAMES}"));
    operation(draft, schemas, "Scores")
}

fn operation(draft: Draft, schemas: &ModelSchemas<'_>, answer: &str) -> Draft {
    draft
        .rows(RowFormats::JsonOrCsv, "InvocationsRequest", bodies(schemas))
        .answers(answer, "One element per row")
        .or(JSON_LINES, text("One object per line"))
        .or(CSV, text("The same values, one row per line"))
        .or(NPY, bytes("An array of the predictions or labels, as numpy.save writes it"))
}

/// Adds the schemas of answers.
pub(crate) fn define(components: ComponentsBuilder, _: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let scores = AnyOfBuilder::new()
        .description(Some("The predicted number, the probability of the second of two classes, or all probabilities"))
        .item(number())
        .item(Array::new(probability()));
    let row = object([("score", scores.into())]).property("predicted_label", any("The predicted class"));
    let scores = closed(object([("predictions", list(closed(row)))]));
    let scores = scores.description(Some("An answer in the form of SageMaker's Linear Learner"));
    let answered =
        OneOfBuilder::new().item(Ref::from_schema_name("PredictionList")).item(Ref::from_schema_name("Scores"));
    components.schema("Scores", scores).schema("InvocationsAnswer", answered)
}
