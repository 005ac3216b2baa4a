//! `KServe` v1 and TensorFlow Serving in the document.

use serde_json::json;
use utoipa::openapi::schema::{AnyOfBuilder, ComponentsBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};

use crate::http::docs::error::RowFormats;
use crate::http::docs::operation::{Body, Draft, JSON, Tag};
use crate::http::docs::schema::{
    ModelSchemas, any, boolean, closed, list, number, object, one_of, optional, optional_one_of, text,
};
use crate::http::protocols::native::openapi::predict::{UNITS, with_warnings};
use crate::http::protocols::output::Output;

pub(crate) const TAG: Tag =
    Tag { name: "KServe v1 and TensorFlow Serving", description: "Send `instances`, receive `predictions`" };

/// `GET /v1/models`
pub(crate) fn models(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    draft.about(TAG, "List the names of the served models").needs_model().answers("V1Models", "The names")
}

/// `GET /v1/models/{model}[/versions/{version}]`
pub(crate) fn status(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    draft.about(TAG, "Whether a model is ready").needs_model().answers("V1Status", "The model is ready")
}

/// `POST /v1/models/{model}[/versions/{version}]:predict`
pub(crate) fn predict(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let draft = draft.about(TAG, "Predict with a model").rows(RowFormats::Json, "V1Request", [request(schemas)]);
    draft.answers("V1Answer", "One element per row")
}

/// `POST /v1/models/{model}[/versions/{version}]:explain`
pub(crate) fn explain(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let draft = draft.about(TAG, "Explain predictions").rows(RowFormats::Json, "V1Request", [request(schemas)]);
    draft.answers("V1Explanations", "The contribution of each feature, one element per row")
}

fn request(schemas: &ModelSchemas<'_>) -> Body {
    let mut examples = vec![
        ("instances", json!({"instances": [schemas.example_values()]})),
        ("inputs", json!({"inputs": schemas.example_columns()})),
    ];
    if schemas.model.classes().is_some() {
        let parameters = json!({"predict_method": "predict_proba"});
        let body = json!({"instances": [schemas.example_values()], "parameters": parameters});
        examples.push(("probabilities", body));
    }
    Body { media_type: JSON, schema: Ref::from_schema_name("V1Request").into(), examples }
}

/// The name of a predicted output of one of these models, or null.
pub(crate) fn output(models: &[ModelSchemas<'_>]) -> ObjectBuilder {
    optional_one_of(outputs(models))
}

/// The names of the predicted outputs of these models; without a classifier, there are no probabilities.
fn outputs(models: &[ModelSchemas<'_>]) -> Vec<&'static str> {
    let outputs = |model| Output::predictions(model).iter().copied();
    Output::names(models.iter().map(|schemas| schemas.model), outputs)
}

/// Adds the schemas of this protocol.
pub(crate) fn define(components: ComponentsBuilder, models: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let rows = || Ref::from_schema_name("Rows");
    let inputs = AnyOfBuilder::new().item(rows()).item(Ref::from_schema_name("Columns"));
    let body = |name: &str, table: RefOr<Schema>| {
        let signature = optional_one_of(["serving_default", ""].into_iter().chain(outputs(models)));
        let body = object([(name, table)]).property("signature_name", signature);
        closed(body.property("parameters", Ref::from_schema_name("V1Parameters")))
    };
    let request = OneOfBuilder::new().item(body("instances", rows().into())).item(body("inputs", inputs.into()));
    let outputs = closed(object([("outputs", list(any("As an element of `predictions`")))]));
    let answer = OneOfBuilder::new().item(Ref::from_schema_name("PredictionList")).item(outputs);
    let by_class = || ObjectBuilder::new().additional_properties(Some(Schema::from(number())));
    let score = || AnyOfBuilder::new().item(number()).item(by_class());
    let row = ObjectBuilder::new().additional_properties(Some(Schema::from(score())));
    let explanation = object([
        ("unit", one_of(UNITS).into()),
        ("base", score().into()),
        ("contributions", list(row.description(Some("Contribution of each feature, added to base")))),
    ]);
    let explanation = explanation.property("class", any("The class whose log-odds are explained"));
    let warning = Ref::from_schema_name("Warning").into();
    let explanations = with_warnings(object([("explanations", closed(explanation).into())]), warning);
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
    components
        .schema("V1Models", object([("models", list(text("The name of a model")))]))
        .schema("V1Status", status)
        .schema("V1Parameters", closed(optional(Type::Object).property("predict_method", output(models))))
        .schema("V1Request", request)
        .schema("V1Answer", answer)
        .schema("V1Explanations", explanations)
}
