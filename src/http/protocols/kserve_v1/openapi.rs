//! `KServe` v1 and TensorFlow Serving in the document.

use serde_json::{Value, json};
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ComponentsBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use crate::http::docs::error::RowFormats;
use crate::http::docs::operation::{Body, Draft, JSON, Tag};
use crate::http::docs::schema::{ModelSchemas, boolean, list, object, one_of, optional, text};
use crate::http::protocols::native::openapi::predict::{explanation, with_warnings};

pub(crate) const TAG: Tag =
    Tag { name: "KServe v1 and TensorFlow Serving", description: "Send `instances`, receive `predictions`" };

/// `GET /v1/models`
pub(crate) fn models(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(TAG, "List the names of the served models").needs_model();
    draft.answers("The names", JSON, Ref::from_schema_name("V1Models"))
}

/// `GET /v1/models/{model}[/versions/{version}]`
pub(crate) fn status(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let draft = draft.replace("version", schemas.model.version());
    let draft = draft.about(TAG, format!("Whether {} is ready", schemas.model.name())).needs_model();
    draft.answers("The model is ready", JSON, Ref::from_schema_name("V1Status"))
}

/// `POST /v1/models/{model}[/versions/{version}]:predict`
pub(crate) fn predict(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let draft = draft.replace("version", schemas.model.version());
    prediction(draft.about(TAG, format!("Predict with {}", schemas.model.name())), schemas, Keys::Serving)
}

/// `POST /v1/models/{model}[/versions/{version}]:explain`
pub(crate) fn explain(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let draft = draft.replace("version", schemas.model.version());
    let draft = draft.about(TAG, format!("Explain predictions of {}", schemas.model.name()));
    let examples = vec![("instances", json!({"instances": [schemas.example_values()]}))];
    let body = Body { media_type: JSON, schema: request(schemas, Keys::Serving), examples };
    let answer =
        with_warnings(object([("explanations", explanation(schemas).into())]), Ref::from_schema_name("Warning").into());
    draft.rows(RowFormats::Json, [body]).answers("The contribution of each feature, one element per row", JSON, answer)
}

/// The keys of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// The keys of TensorFlow Serving, and `parameters`.
    Serving,
    /// The keys of Vertex AI.
    Vertex,
}

/// A body: rows or columns, and the name of an output under one key or two.
fn request(schemas: &ModelSchemas<'_>, keys: Keys) -> RefOr<Schema> {
    let closed = |object: ObjectBuilder| object.additional_properties(Some(AdditionalProperties::FreeForm(false)));
    // null is the same as a missing key.
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

/// An operation that predicts, with a body of these keys.
pub(crate) fn prediction(draft: Draft, schemas: &ModelSchemas<'_>, keys: Keys) -> Draft {
    let mut examples = vec![("instances", json!({"instances": [schemas.example_values()]}))];
    let predictions = || object([("predictions", schemas.prediction_or_probabilities())]);
    let mut answer: RefOr<Schema> = predictions().into();
    if keys == Keys::Serving {
        examples.push(("inputs", json!({"inputs": schemas.example_columns()})));
        answer = OneOfBuilder::new()
            .item(predictions())
            .item(object([("outputs", schemas.prediction_or_probabilities())]))
            .into();
    }
    if schemas.model.classes().is_some() {
        let parameters = json!({"predict_method": "predict_proba"});
        let body = json!({"instances": [schemas.example_values()], "parameters": parameters});
        examples.push(("probabilities", body));
    }
    let body = Body { media_type: JSON, schema: request(schemas, keys), examples };
    draft.rows(RowFormats::Json, [body]).answers("One element per row", JSON, answer)
}

/// Adds the schemas that are the same for all models.
pub(crate) fn define(components: ComponentsBuilder, _: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let error = object([("error_code", text("Always OK")), ("error_message", text("Always empty"))]);
    let version = object([
        ("version", text("The version of the model")),
        ("state", one_of(["AVAILABLE"]).into()),
        ("status", error.into()),
    ]);
    let status = object([
        ("name", text("The name of the model")),
        ("ready", boolean("Always true")),
        ("model_version_status", list(version)),
    ]);
    components.schema("V1Models", object([("models", list(text("The name of a model")))])).schema("V1Status", status)
}
