//! Our own contract in the document: `/predict`, `/models`, `/health`.

use serde_json::json;
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ComponentsBuilder, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use super::operation::{Body, Draft, Tag};
use super::schema::{Described, count, list, object, one_of, text, truth};

/// The groups of this contract.
pub(super) const TAGS: [Tag; 3] = [PREDICT, MODELS, HEALTH];

const PREDICT: Tag = Tag { name: "Predict", description: "Send an X, get a y" };
const MODELS: Tag = Tag { name: "Models", description: "What is served, and what each model asks for" };
const HEALTH: Tag = Tag { name: "Health", description: "Is the process alive, and can it predict?" };

/// Adds the operations; the first model is the default.
pub(super) fn paths(paths: PathsBuilder, models: &[Described<'_>]) -> PathsBuilder {
    let mut paths = paths;
    if let Some(default) = models.first() {
        let summary = format!("Predict with the default model, {}", default.model.name());
        paths = predict(Draft::post("/predict", PREDICT, summary), default).add(paths);
    }
    for described in models {
        let (name, version) = (described.model.name(), described.model.version());
        let draft = Draft::post(format!("/models/{name}/predict"), PREDICT, format!("Predict with {name}"));
        paths = predict(draft, described).add(paths);
        let path = format!("/models/{name}/versions/{{version}}/predict");
        let draft = Draft::post(path, PREDICT, format!("Predict with a version of {name}"));
        paths = predict(draft.parameter("version", "The version", [version]), described).add(paths);
    }
    let names = || models.iter().map(|described| described.model.name());
    let list = Draft::get("/models", MODELS, "The models that are served");
    paths = list.needs_model().answers("All of them", JSON, Ref::from_schema_name("Models"), None).add(paths);
    let show = |path, summary| {
        let draft = Draft::get(path, MODELS, summary).needs_model().parameter("name", "The model", names());
        draft.answers("The model", JSON, Ref::from_schema_name("Model"), None)
    };
    paths = show("/models/{name}", "A model: signature, metrics, checksum, limits").add(paths);
    let versions = models.iter().map(|described| described.model.version()).collect::<std::collections::BTreeSet<_>>();
    let version = show("/models/{name}/versions/{version}", "A version of a model");
    paths = version.parameter("version", "The version", versions).add(paths);
    for (path, summary, key) in [
        ("/health/live", "The process runs", "live"),
        ("/health/ready", "The default model is loaded, or a 503", "ready"),
    ] {
        let draft = Draft::get(path, HEALTH, summary);
        let draft = if key == "ready" { draft.needs_model() } else { draft };
        paths =
            draft.answers("It is", JSON, object([(key, truth("Always true"))]), Some(json!({key: true}))).add(paths);
    }
    paths
}

const JSON: &str = "application/json";

fn predict(draft: Draft, described: &Described<'_>) -> Draft {
    let x: RefOr<Schema> =
        AnyOfBuilder::new().item(described.reference("rows")).item(described.reference("columns")).into();
    let sent = object([("X", x)]).additional_properties(Some(AdditionalProperties::FreeForm(false)));
    let json = Body {
        media_type: JSON,
        schema: sent.into(),
        examples: vec![
            ("rows_by_name", json!({"X": [described.example_row()]})),
            ("rows_by_position", json!({"X": [described.example_values()]})),
            ("columns", json!({"X": described.example_columns()})),
        ],
    };
    let csv = described.example_csv().map(|example| Body {
        media_type: "text/csv",
        schema: text("A header with the features' names, then one line a row"),
        examples: vec![("a_row_of_the_training_data", example.into())],
    });
    draft
        .description("All rows must be laid out alike. gzip is understood (`Content-Encoding`).")
        .rows([json].into_iter().chain(csv))
        .answers(
            "One prediction a row",
            JSON,
            object([("y", RefOr::Ref(described.reference("prediction")))]),
            Some(json!({"y": described.example_prediction()})),
        )
}

/// Adds the schemas that are the same for all models.
pub(super) fn define(components: ComponentsBuilder) -> ComponentsBuilder {
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
    let imputed = object([("impute", any("What stands in for a missing value"))]);
    let missing = AnyOfBuilder::new().item(one_of(["reject"])).item(imputed);
    let feature = object(column())
        .property("missing", missing)
        .required("missing")
        .property("range", list(ObjectBuilder::new().schema_type(Type::Number)))
        .property("levels", list(text("A category of the training data")))
        .property("unknown", one_of(["reject", "ignore"]));
    let signature = object([("features", list(feature)), ("target", object(column()).into())]);
    let limits = object([("max_rows", count("Rows a request")), ("max_body_bytes", count("Bytes of a body"))]);
    let model = object(identity())
        .property("classes", list(any("A class")))
        .property("signature", signature)
        .required("signature")
        .property("typical", ObjectBuilder::new().description(Some("The average training row, by feature")))
        .required("typical")
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

fn any(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(description)).into()
}
