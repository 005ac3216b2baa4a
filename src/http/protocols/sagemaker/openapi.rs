//! `SageMaker` in the document, and `/invocations`, which it shares with MLflow.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema};

use crate::http::docs::error::Rows;
use crate::http::docs::operation::{CSV, Draft, JSON, JSON_LINES, Tag};
use crate::http::docs::schema::{ModelSchemas, closed, number, object, probability, text};
use crate::http::protocols::mlflow::openapi::{SHARED, bodies, predictions};

pub(crate) const TAG: Tag = Tag { name: "SageMaker", description: "What its runtime answers to its SDKs" };

const NAMES: &str = "Names that are no features are passed over, as MLflow does.";

/// `POST /invocations`
pub(crate) fn default_model(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let told = "JSON whose rows are `{\"features\": […]}`, JSON Lines, and CSV whose first line names no feature are \
                answered as SageMaker's Linear Learner does, everything else as MLflow does.";
    let answered = OneOfBuilder::new().item(predictions(schemas)).item(scores(schemas));
    let draft = draft.about(SHARED, "Predict with the default model").description(format!("{told} {NAMES}"));
    operation(draft, schemas, answered)
}

/// `POST /endpoints/{name}/invocations`
pub(crate) fn endpoint(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let told = "Answered as SageMaker's Linear Learner does, in the media type that `Accept` names.";
    let draft = draft.about(TAG, format!("Predict with {}", schemas.model.name()));
    operation(draft.description(format!("{told} {NAMES}")), schemas, scores(schemas))
}

fn operation(draft: Draft, schemas: &ModelSchemas<'_>, answer: impl Into<Schema>) -> Draft {
    draft
        .rows(Rows::JsonOrCsv, bodies(schemas))
        .answers("One element a row", JSON, RefOr::T(answer.into()))
        .or(JSON_LINES, text("One object a line"))
        .or(CSV, text("The same values, one row a line"))
}

/// The answer of `SageMaker`'s Linear Learner.
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
