//! `KServe` v1, TensorFlow Serving and Vertex AI in the document.

use serde_json::{Value, json};
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ComponentsBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use crate::http::docs::error::Rows;
use crate::http::docs::operation::{Body, Draft, JSON, Tag};
use crate::http::docs::schema::{Described, list, object, one_of, optional, text, truth};
use crate::http::protocols::native::openapi::predict::{explanation, with_warnings};

/// The groups of these protocols.
pub(crate) const TAGS: [Tag; 2] = [V1, VERTEX];

const V1: Tag = Tag { name: "KServe v1 and TensorFlow Serving", description: "`instances` in, `predictions` out" };
const VERTEX: Tag = Tag { name: "Vertex AI", description: "What a custom container answers there" };

/// The operations; the first model is the default.
pub(crate) fn drafts(models: &[Described<'_>]) -> Vec<Draft> {
    let list = Draft::get("/v1/models", V1, "The names of the models that are served").needs_model();
    let mut drafts = vec![list.answers("All of them", JSON, Ref::from_schema_name("V1Models"))];
    for described in models {
        let name = described.model.name();
        let versioned = format!("/v1/models/{name}/versions/{}", described.model.version());
        for path in [format!("/v1/models/{name}"), versioned] {
            let status = Draft::get(&path, V1, format!("Whether {name} is ready")).needs_model();
            drafts.push(status.answers("It is", JSON, Ref::from_schema_name("V1Status")));
            let ask = Draft::post(format!("{path}:predict"), V1, format!("Predict with {name}"));
            drafts.push(predict(ask, described, Keys::Serving));
            let ask = Draft::post(format!("{path}:explain"), V1, format!("Explain what {name} predicts"));
            drafts.push(explain(ask, described));
        }
    }
    if let Some(default) = models.first() {
        let ask = Draft::post("/vertex/predict", VERTEX, "Predict with the default model");
        drafts.push(predict(ask.description("Also under the path of `AIP_PREDICT_ROUTE`."), default, Keys::Vertex));
    }
    let health = Draft::get("/vertex/health", VERTEX, "The default model is loaded, or a 503").needs_model();
    let health = health.description("Also under the path of `AIP_HEALTH_ROUTE`.");
    drafts.push(health.answers("It is", JSON, object([("ready", truth("Always true"))])));
    drafts
}

/// Which keys a body may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Those of TensorFlow Serving, and `parameters`.
    Serving,
    /// Those of Vertex AI.
    Vertex,
}

fn explain(draft: Draft, described: &Described<'_>) -> Draft {
    let examples = vec![("instances", json!({"instances": [described.example_values()]}))];
    let body = Body { media_type: JSON, schema: asked(described, Keys::Serving), examples };
    let answered = with_warnings(object([("explanations", explanation(described).into())]));
    draft.rows(Rows::Json, [body]).answers("What each feature adds to each row", JSON, answered)
}

/// Rows or columns, and which output is wanted: by one name or by the other, or by both alike.
fn asked(described: &Described<'_>, keys: Keys) -> RefOr<Schema> {
    let closed = |object: ObjectBuilder| object.additional_properties(Some(AdditionalProperties::FreeForm(false)));
    // null is no choice, as if it were not there.
    let choice = |names: &[&str]| {
        let names = names.iter().map(|name| json!(name)).chain([Value::Null]);
        ObjectBuilder::new().schema_type(SchemaType::AnyValue).enum_values(Some(names))
    };
    let rows = || RefOr::Ref(described.reference("rows"));
    let mut tables: Vec<(&str, RefOr<Schema>)> = vec![("instances", rows())];
    if keys == Keys::Serving {
        tables.push(("inputs", AnyOfBuilder::new().item(rows()).item(described.reference("columns")).into()));
    }
    let outputs: &[&str] =
        if described.model.classes().is_some() { &["predict", "predict_proba"] } else { &["predict"] };
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

fn predict(draft: Draft, described: &Described<'_>, keys: Keys) -> Draft {
    let mut examples = vec![("instances", json!({"instances": [described.example_values()]}))];
    let predictions = || object([("predictions", output(described))]);
    let mut answered: RefOr<Schema> = predictions().into();
    if keys == Keys::Serving {
        examples.push(("inputs", json!({"inputs": described.example_columns()})));
        answered = OneOfBuilder::new().item(predictions()).item(object([("outputs", output(described))])).into();
    }
    if described.model.classes().is_some() {
        let parameters = json!({"predict_method": "predict_proba"});
        let body = json!({"instances": [described.example_values()], "parameters": parameters});
        examples.push(("probabilities", body));
    }
    let body = Body { media_type: JSON, schema: asked(described, keys), examples };
    draft.rows(Rows::Json, [body]).answers("One element a row", JSON, answered)
}

/// Predictions, or what `predict_proba` gives.
pub(crate) fn output(described: &Described<'_>) -> RefOr<Schema> {
    let prediction = RefOr::Ref(described.reference("prediction"));
    if described.model.classes().is_none() {
        return prediction;
    }
    AnyOfBuilder::new().item(prediction).item(described.reference("probabilities")).into()
}

/// Adds the schemas that are the same for all models.
pub(crate) fn define(components: ComponentsBuilder) -> ComponentsBuilder {
    let error = object([("error_code", text("OK")), ("error_message", text("Empty"))]);
    let version =
        object([("version", text("Its version")), ("state", one_of(["AVAILABLE"]).into()), ("status", error.into())]);
    let status =
        object([("name", text("Its name")), ("ready", truth("Always true")), ("model_version_status", list(version))]);
    components.schema("V1Models", object([("models", list(text("A name")))])).schema("V1Status", status)
}
