//! Our own contract in the document: `/predict`, `/models`, `/health`.

pub(crate) mod predict;

use utoipa::openapi::Ref;
use utoipa::openapi::schema::{AnyOfBuilder, ComponentsBuilder, ObjectBuilder, Type};

use crate::http::docs::operation::{Draft, JSON, Tag};
use crate::http::docs::schema::{ModelSchemas, any, count, list, object, one_of, probability, text, truth, versions};

/// The groups of this contract.
pub(crate) const TAGS: [Tag; 3] = [PREDICT, MODELS, HEALTH];

pub(super) const PREDICT: Tag = Tag { name: "Predict", description: "Send an X, get a y" };
const MODELS: Tag = Tag { name: "Models", description: "What is served, and what each model asks for" };
pub(crate) const HEALTH: Tag = Tag { name: "Health", description: "Is the process alive, and can it predict?" };

/// `GET /models`
pub(crate) fn models(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(MODELS, "The models that are served").needs_model();
    draft.answers("All of them", JSON, Ref::from_schema_name("Models"))
}

/// `GET /models/{name}`
pub(crate) fn model(draft: Draft, models: &[ModelSchemas<'_>]) -> Draft {
    described(draft.about(MODELS, "A model: signature, metrics, checksum, limits"), models)
}

/// `GET /models/{name}/versions/{version}`
pub(crate) fn version(draft: Draft, models: &[ModelSchemas<'_>]) -> Draft {
    let draft = described(draft.about(MODELS, "A version of a model"), models);
    draft.parameter("version", "The version", versions(models))
}

fn described(draft: Draft, models: &[ModelSchemas<'_>]) -> Draft {
    let names = models.iter().map(|model| model.model.name());
    let draft = draft.needs_model().parameter("name", "The model", names);
    draft.answers("The model", JSON, Ref::from_schema_name("Model"))
}

/// `GET /health/live`
pub(crate) fn live(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    draft.about(HEALTH, "The process runs").answers("It does", JSON, object([("live", truth("Always true"))]))
}

/// `GET /health/ready`, and the same under other protocols' paths.
pub(crate) fn ready(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(HEALTH, "The default model is loaded, or a 503").needs_model();
    draft.answers("It is", JSON, object([("ready", truth("Always true"))]))
}

/// How intervals are made.
pub(crate) fn certainty(object: ObjectBuilder) -> ObjectBuilder {
    object
        .property("method", one_of(["student-t", "student-t-ridge", "conformal"]))
        .property("held_out_rows", count("The rows whose errors they are made from"))
        .property("max_level", probability().description(Some("The greatest level that so many rows can tell of")))
}

/// Adds the schemas that are the same for all models.
pub(crate) fn define(components: ComponentsBuilder, models: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let identity = || {
        [
            ("name", text("Its name")),
            ("version", text("Its version")),
            ("default", truth("Whether requests that name no model get this one")),
            ("task", one_of(["regression", "classification"]).into()),
        ]
    };
    let column =
        || [("name", text("The exact name")), ("type", one_of(["double", "long", "boolean", "string"]).into())];
    let imputed = object([("impute", any("What stands in for a missing value").into())]);
    let missing = AnyOfBuilder::new().item(one_of(["reject"])).item(imputed);
    let feature = object(column())
        .property("missing", missing)
        .required("missing")
        .property("range", list(ObjectBuilder::new().schema_type(Type::Number)))
        .property("levels", list(text("A category of the training data")))
        .property("unknown", one_of(["reject", "ignore"]));
    let signature = object([("features", list(feature)), ("target", object(column()).into())]);
    let limits = object([("max_rows", count("Rows a request")), ("max_body_bytes", count("Bytes of a body"))]);
    let example = "A row like those of the training data, by feature, drawn from its means and covariances: nobody's";
    let example = ObjectBuilder::new().description(Some(example));
    let intervals = AnyOfBuilder::new()
        .description(Some("How intervals, or prediction sets, are made; null where there are none"))
        .item(certainty(ObjectBuilder::new()).required("method"))
        .item(ObjectBuilder::new().schema_type(Type::Null));
    let model = object(identity())
        .property("classes", list(any("A class")))
        .property("signature", signature)
        .required("signature")
        .property("typical", ObjectBuilder::new().description(Some("The average training row, by feature")))
        .required("typical")
        .property("examples", list(example))
        .required("examples")
        .property("intervals", intervals)
        .required("intervals")
        .property("training", ObjectBuilder::new().description(Some("How it was made, and how well it predicts")))
        .required("training")
        .property("created", text("When it was trained (RFC 3339)"))
        .required("created")
        .property("sha256", text("The checksum of its file's content"))
        .required("sha256")
        .property("limits", limits)
        .required("limits");
    let components = components.schema("Models", object([("models", list(object(identity())))])).schema("Model", model);
    predict::define(components, models)
}
