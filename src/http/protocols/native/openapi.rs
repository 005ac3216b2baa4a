//! `/predict`, `/models` and `/health` in the document.

pub(crate) mod predict;

use utoipa::openapi::schema::{AnyOfBuilder, ComponentsBuilder, ObjectBuilder, Type};

use crate::http::docs::operation::{Draft, Tag};
use crate::http::docs::schema::{ModelSchemas, any, boolean, count, list, number, object, one_of, probability, text};
use crate::http::server::query::LIST_PARAMETERS;
use crate::source::catalog::MAX_NAMES;

pub(crate) const TAGS: [Tag; 3] = [PREDICT, MODELS, HEALTH];

pub(super) const PREDICT: Tag = Tag {
    name: "Predict",
    description: "Send an X, get a y. All rows of a request have the same form. Options can be in the body or in the URL. \
                  Bodies can be compressed with gzip or deflate (`Content-Encoding`). In a path, the name of a model can be \
                  followed by `@` and an alias or a version: `/models/risk@canary/predict`.",
};
const MODELS: Tag = Tag { name: "Models", description: "The served models and their signatures" };
pub(crate) const HEALTH: Tag = Tag { name: "Health", description: "Liveness and readiness" };

/// `GET /models`
pub(crate) fn models(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(MODELS, "List the names of the models, in pages").needs_model();
    let after =
        ObjectBuilder::new().schema_type(Type::String).description(Some("The member `next` of the page before"));
    let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_NAMES));
    let limit = limit.description(Some("Maximum number of names; 100 by default"));
    let [after_name, limit_name] = LIST_PARAMETERS;
    let draft = draft.pages([(after_name, after.build()), (limit_name, limit.build())]);
    draft.answers("ModelList", "The models")
}

/// `GET /models/{name}/versions`
pub(crate) fn versions(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(MODELS, "List the versions and aliases of a model").needs_model();
    draft.answers("VersionList", "The versions")
}

/// `GET /models/{name}`
pub(crate) fn model(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    described(draft.about(MODELS, "Describe a model: signature, metrics, checksum, limits"))
}

/// `GET /models/{name}/versions/{version}`
pub(crate) fn version(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    described(draft.about(MODELS, "Describe a version of a model"))
}

fn described(draft: Draft) -> Draft {
    draft.needs_model().answers("Model", "The model")
}

/// `GET /health/live`
pub(crate) fn live(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    draft.about(HEALTH, "Liveness: the process runs").answers("Live", "The process runs")
}

/// `GET /health/ready`, and the same under other protocols' paths.
pub(crate) fn ready(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(HEALTH, "Readiness: the default model is loaded; 503 otherwise").needs_model();
    draft.answers("Ready", "The default model is loaded")
}

/// Adds the method of intervals.
pub(crate) fn certainty(object: ObjectBuilder) -> ObjectBuilder {
    object
        .property("method", one_of(["student-t", "student-t-ridge", "conformal", "wald"]))
        .property("held_out_rows", count("Number of held-out rows that conformal intervals are computed from"))
        .property(
            "max_level",
            probability().description(Some("The highest level that this number of held-out rows supports")),
        )
}

/// Adds the schemas of this protocol.
pub(crate) fn define(components: ComponentsBuilder, models: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let name = || ("name", text("The name of the model"));
    let default = || ("default", boolean("Whether this is the model of requests that do not name one"));
    let next = text("The parameter `after` of the next page, if there is one");
    let page = object([("models", list(object([name(), default()])))]).property("next", next);
    let aliases = ObjectBuilder::new().additional_properties(Some(text("A version")));
    let aliases = aliases.description(Some("The version that each alias points to"));
    let versions = object([name(), ("versions", list(text("A version"))), ("aliases", aliases.into())]);
    let versions = versions.property("damaged", list(text("An alias whose file is damaged")));
    let signature = signature();
    let limits = object([
        ("max_rows", count("Maximum number of rows per request")),
        ("max_body_bytes", count("Maximum size of a body in bytes")),
    ]);
    let example = "A synthetic row drawn from the training distribution, by feature";
    let example = ObjectBuilder::new().description(Some(example));
    let notes = "How the model was trained, its metrics with standard errors and baselines, and notes on decisions about \
                 the data";
    let intervals = AnyOfBuilder::new()
        .description(Some("The method of intervals or prediction sets; null if the model has none"))
        .item(certainty(ObjectBuilder::new()).required("method"))
        .item(ObjectBuilder::new().schema_type(Type::Null));
    let task = one_of(["regression", "classification"]).into();
    let model = object([name(), ("version", text("The served version")), default(), ("task", task)])
        .property("classes", list(any("A class")))
        .property(
            "threshold",
            probability().description(Some(
                "The second of two classes is predicted where its probability is at least this; without it, the more \
                 probable class",
            )),
        )
        .property("signature", signature)
        .required("signature")
        .property("typical", ObjectBuilder::new().description(Some("The average training row, by feature")))
        .required("typical")
        .property("examples", list(example))
        .required("examples")
        .property("intervals", intervals)
        .required("intervals")
        .property("training", ObjectBuilder::new().description(Some(notes)))
        .required("training")
        .property("created", text("Time of training (RFC 3339)"))
        .required("created")
        .property("sha256", text("Checksum of the content of the model file"))
        .required("sha256")
        .property("limits", limits)
        .required("limits");
    let components = components
        .schema("ModelList", page)
        .schema("VersionList", versions)
        .schema("Model", model)
        .schema("Live", object([("live", boolean("Always true"))]))
        .schema("Ready", object([("ready", boolean("Always true"))]));
    predict::define(components, models)
}

/// The features and the target of a model.
fn signature() -> ObjectBuilder {
    let column = || {
        object([
            ("name", text("The name, which requests must match exactly")),
            ("type", one_of(["double", "long", "boolean", "string", "date"]).into()),
        ])
        .property("reading", reading())
    };
    let end = AnyOfBuilder::new().item(number()).item(text("A date in ISO 8601"));
    let imputed = object([("impute", any("The value that replaces missing values").into())]);
    let category = object([("category", text("The category that missing values are"))]);
    let missing = AnyOfBuilder::new().item(one_of(["reject"])).item(imputed).item(category);
    let feature = column()
        .property("missing", missing)
        .required("missing")
        .property("range", list(end))
        .property("whole", boolean("Whether all values of a double in the training data are whole numbers"))
        .property("positive", boolean("Whether only numbers above zero are accepted"))
        .property("minimum", number().description(Some("The smallest number that is accepted")))
        .property("levels", list(text("A category of the training data")))
        .property("unknown", one_of(["reject", "ignore", "other"]));
    object([("features", list(feature)), ("target", column().into())])
        .property("ignored", list(text("A column that requests may contain and that is not used")))
}

/// The conventions of CSV.
fn reading() -> ObjectBuilder {
    let words = ObjectBuilder::new().description(Some("The conventions of a column in CSV requests"));
    let dates = list(text("A format of dates, as for strptime; ISO 8601 is always read"));
    words
        .property("decimal", text("The decimal mark, if it is not a point"))
        .property("thousands", text("The separator of thousands"))
        .property("currency", text("A currency sign or code that numbers may have"))
        .property("percent", boolean("Whether numbers may have a percent sign"))
        .property("missing", list(text("A further missing-value marker")))
        .property("boolean", list(text("The words for false and true")))
        .property("dates", dates)
}
