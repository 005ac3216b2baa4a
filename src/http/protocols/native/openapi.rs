//! Our own contract in the document: `/predict`, `/models`, `/health`.

pub(crate) mod predict;

use utoipa::openapi::Ref;
use utoipa::openapi::schema::{AnyOfBuilder, ComponentsBuilder, ObjectBuilder, Type};

use crate::http::docs::operation::{Draft, JSON, Tag};
use crate::http::docs::schema::{Described, any, count, list, object, one_of, probability, text, truth, versions};

/// The groups of this contract.
pub(crate) const TAGS: [Tag; 3] = [PREDICT, MODELS, HEALTH];

const PREDICT: Tag = Tag { name: "Predict", description: "Send an X, get a y" };
const MODELS: Tag = Tag { name: "Models", description: "What is served, and what each model asks for" };
const HEALTH: Tag = Tag { name: "Health", description: "Is the process alive, and can it predict?" };

/// The operations; the first model is the default.
pub(crate) fn drafts(models: &[Described<'_>]) -> Vec<Draft> {
    let mut drafts = Vec::new();
    if let Some(default) = models.first() {
        let summary = format!("Predict with the default model, {}", default.model.name());
        drafts.push(predict::draft(Draft::post("/predict", PREDICT, summary), default));
    }
    for described in models {
        let (name, version) = (described.model.name(), described.model.version());
        let draft = Draft::post(format!("/models/{name}/predict"), PREDICT, format!("Predict with {name}"));
        drafts.push(predict::draft(draft, described));
        let path = format!("/models/{name}/versions/{{version}}/predict");
        let draft = Draft::post(path, PREDICT, format!("Predict with a version of {name}"));
        drafts.push(predict::draft(draft.parameter("version", "The version", [version]), described));
    }
    let names = || models.iter().map(|described| described.model.name());
    let list = Draft::get("/models", MODELS, "The models that are served").needs_model();
    drafts.push(list.answers("All of them", JSON, Ref::from_schema_name("Models")));
    let show = |path, summary| {
        let draft = Draft::get(path, MODELS, summary).needs_model().parameter("name", "The model", names());
        draft.answers("The model", JSON, Ref::from_schema_name("Model"))
    };
    drafts.push(show("/models/{name}", "A model: signature, metrics, checksum, limits"));
    let version = show("/models/{name}/versions/{version}", "A version of a model");
    drafts.push(version.parameter("version", "The version", versions(models)));
    let live = Draft::get("/health/live", HEALTH, "The process runs");
    drafts.push(live.answers("It does", JSON, object([("live", truth("Always true"))])));
    for path in ["/health/ready", "/health", "/ping"] {
        let ready = Draft::get(path, HEALTH, "The default model is loaded, or a 503").needs_model();
        drafts.push(ready.answers("It is", JSON, object([("ready", truth("Always true"))])));
    }
    let page = Draft::get("/", HEALTH, "A page to try the models on; asked for JSON, whether the process runs");
    let page = page.answers("It does", JSON, object([("status", one_of(["alive"]).into())]));
    drafts.push(page.or("text/html", text("The page")));
    let version = Draft::get("/version", HEALTH, "The version of this program");
    drafts.push(version.answers("As MLflow's server tells its own", "text/plain", text("The version")));
    drafts
}

/// How intervals are made.
pub(crate) fn certainty(object: ObjectBuilder) -> ObjectBuilder {
    object
        .property("method", one_of(["student-t", "student-t-ridge", "conformal"]))
        .property("held_out_rows", count("The rows whose errors they are made from"))
        .property("max_level", probability().description(Some("The greatest level that so many rows can tell of")))
}

/// Adds the schemas that are the same for all models.
pub(crate) fn define(components: ComponentsBuilder) -> ComponentsBuilder {
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
    components.schema("Models", object([("models", list(object(identity())))])).schema("Model", model)
}
