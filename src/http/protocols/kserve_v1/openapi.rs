//! `KServe` v1 and TensorFlow Serving in the document.

use serde_json::{Value, json};
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ComponentsBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use crate::http::docs::error::Rows;
use crate::http::docs::operation::{Body, Draft, JSON, Tag};
use crate::http::docs::schema::{ModelSchemas, list, object, one_of, optional, text, truth};
use crate::http::protocols::native::openapi::predict::{explanation, with_warnings};

pub(crate) const TAG: Tag =
    Tag { name: "KServe v1 and TensorFlow Serving", description: "`instances` in, `predictions` out" };

/// `GET /v1/models`
pub(crate) fn models(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(TAG, "The names of the models that are served").needs_model();
    draft.answers("All of them", JSON, Ref::from_schema_name("V1Models"))
}

/// `GET /v1/models/{model}[/versions/{version}]`
pub(crate) fn status(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let draft = draft.replace("version", schemas.model.version());
    let draft = draft.about(TAG, format!("Whether {} is ready", schemas.model.name())).needs_model();
    draft.answers("It is", JSON, Ref::from_schema_name("V1Status"))
}

/// `POST /v1/models/{model}[/versions/{version}]:predict`
pub(crate) fn predict(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let draft = draft.replace("version", schemas.model.version());
    prediction(draft.about(TAG, format!("Predict with {}", schemas.model.name())), schemas, Keys::Serving)
}

/// `POST /v1/models/{model}[/versions/{version}]:explain`
pub(crate) fn explain(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let draft = draft.replace("version", schemas.model.version());
    let draft = draft.about(TAG, format!("Explain what {} predicts", schemas.model.name()));
    let examples = vec![("instances", json!({"instances": [schemas.example_values()]}))];
    let body = Body { media_type: JSON, schema: asked(schemas, Keys::Serving), examples };
    let answered = with_warnings(object([("explanations", explanation(schemas).into())]));
    draft.rows(Rows::Json, [body]).answers("What each feature adds to each row", JSON, answered)
}

/// Which keys a body may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Those of TensorFlow Serving, and `parameters`.
    Serving,
    /// Those of Vertex AI.
    Vertex,
}

/// Rows or columns, and which output is wanted: by one name or by the other, or by both alike.
fn asked(schemas: &ModelSchemas<'_>, keys: Keys) -> RefOr<Schema> {
    let closed = |object: ObjectBuilder| object.additional_properties(Some(AdditionalProperties::FreeForm(false)));
    // null is no choice, as if it were not there.
    let choice = |names: &[&str]| {
        let names = names.iter().map(|name| json!(name)).chain([Value::Null]);
        ObjectBuilder::new().schema_type(SchemaType::AnyValue).enum_values(Some(names))
    };
    let rows = || RefOr::Ref(schemas.reference("rows"));
    let mut tables: Vec<(&str, RefOr<Schema>)> = vec![("instances", rows())];
    if keys == Keys::Serving {
        tables.push(("inputs", AnyOfBuilder::new().item(rows()).item(schemas.reference("columns")).into()));
    }
    let outputs: &[&str] = if schemas.model.classes().is_some() { &["predict", "predict_proba"] } else { &["predict"] };
    let bodies = tables.iter().flat_map(|table| outputs.iter().map(move |output| (table, *output)));
    let body = |((name, table), output): (&(&str, RefOr<Schema>), &str)| {
        let parameters = optional(Type::Object).property("predict_method", choice(&[output]));
        let body = closed(object([(*name, table.clone())])).property("parameters", closed(parameters));
        if keys == Keys::Vertex {
            body
        } else {
            body.property("signature_name", choice(&["serving_default", "", output]))
        }
    };
    let bodies: Vec<RefOr<Schema>> = bodies.map(body).map(RefOr::from).collect();
    match bodies.as_slice() {
        [only] => only.clone(),
        several => several.iter().cloned().fold(AnyOfBuilder::new(), AnyOfBuilder::item).into(),
    }
}

/// A prediction, from rows or columns under these keys.
pub(crate) fn prediction(draft: Draft, schemas: &ModelSchemas<'_>, keys: Keys) -> Draft {
    let mut examples = vec![("instances", json!({"instances": [schemas.example_values()]}))];
    let predictions = || object([("predictions", schemas.prediction_or_probabilities())]);
    let mut answered: RefOr<Schema> = predictions().into();
    if keys == Keys::Serving {
        examples.push(("inputs", json!({"inputs": schemas.example_columns()})));
        answered = OneOfBuilder::new()
            .item(predictions())
            .item(object([("outputs", schemas.prediction_or_probabilities())]))
            .into();
    }
    if schemas.model.classes().is_some() {
        let parameters = json!({"predict_method": "predict_proba"});
        let body = json!({"instances": [schemas.example_values()], "parameters": parameters});
        examples.push(("probabilities", body));
    }
    let body = Body { media_type: JSON, schema: asked(schemas, keys), examples };
    draft.rows(Rows::Json, [body]).answers("One element a row", JSON, answered)
}

/// Adds the schemas that are the same for all models.
pub(crate) fn define(components: ComponentsBuilder, _: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let error = object([("error_code", text("OK")), ("error_message", text("Empty"))]);
    let version =
        object([("version", text("Its version")), ("state", one_of(["AVAILABLE"]).into()), ("status", error.into())]);
    let status =
        object([("name", text("Its name")), ("ready", truth("Always true")), ("model_version_status", list(version))]);
    components.schema("V1Models", object([("models", list(text("A name")))])).schema("V1Status", status)
}
