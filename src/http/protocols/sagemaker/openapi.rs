//! `/invocations`, which MLflow and `SageMaker` share, and `SageMaker`'s own route before it.

use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};

use crate::http::docs::error::Rows;
use crate::http::docs::operation::{Body, CSV, Draft, JSON, JSON_LINES, Tag};
use crate::http::docs::schema::{Described, any, closed, list, number, object, optional, probability, text, unwanted};
use crate::http::protocols::kserve_v1::openapi::output;

/// The groups of these protocols.
pub(crate) const TAGS: [Tag; 2] = [SHARED, SAGEMAKER];

const SHARED: Tag = Tag { name: "MLflow and SageMaker containers", description: "The body says whose answer it gets" };
const SAGEMAKER: Tag = Tag { name: "SageMaker", description: "What its runtime answers to its SDKs" };

const NAMES: &str = "Names that are no features are passed over, as MLflow does.";

/// The operations; the first model is the default.
pub(crate) fn drafts(models: &[Described<'_>]) -> Vec<Draft> {
    let shared = models.first().map(|default| {
        let draft = Draft::post("/invocations", SHARED, "Predict with the default model");
        let told = "JSON whose rows are `{\"features\": […]}`, JSON Lines, and CSV whose first line names no feature are \
                    answered as SageMaker's Linear Learner does, everything else as MLflow does.";
        let answered = OneOfBuilder::new().item(predictions(default)).item(scores(default));
        let draft = draft.description(format!("{told} {NAMES}")).rows(Rows::JsonOrCsv, bodies(default));
        draft.answers("One element a row", JSON, RefOr::T(answered.into()))
    });
    let endpoints = models.iter().map(|described| {
        let name = described.model.name();
        let draft = Draft::post(format!("/endpoints/{name}/invocations"), SAGEMAKER, format!("Predict with {name}"));
        let told = "Answered as SageMaker's Linear Learner does, in the media type that `Accept` names.";
        let draft = draft.description(format!("{told} {NAMES}")).rows(Rows::JsonOrCsv, bodies(described));
        draft.answers("One element a row", JSON, RefOr::T(scores(described).into()))
    });
    let written =
        |draft: Draft| draft.or(JSON_LINES, text("One object a line")).or(CSV, text("The same values, one row a line"));
    shared.into_iter().chain(endpoints).map(written).collect()
}

/// What may be sent, to either route.
fn bodies(described: &Described<'_>) -> Vec<Body> {
    let values = described.example_values();
    let row = json!({"features": values});
    let split = json!({"columns": described.names(), "data": [values]});
    let mut examples = vec![
        ("dataframe_split", json!({"dataframe_split": split})),
        ("dataframe_records", json!({"dataframe_records": [described.example_row()]})),
        ("instances", json!({"instances": [values]})),
        ("inputs", json!({"inputs": described.example_columns()})),
        ("sagemaker", json!({"instances": [row]})),
    ];
    if described.model.classes().is_some() {
        let parameters = json!({"predict_method": "predict_proba"});
        examples.push(("probabilities", json!({"dataframe_split": split, "params": parameters})));
    }
    let line = row.to_string() + "\n";
    let lines = Body {
        media_type: JSON_LINES,
        schema: text("One row a line: an object with \"features\", a list, or an object by name"),
        examples: vec![("lines", line.into())],
    };
    let csv = [("csv_with_a_header", described.example_csv()), ("csv_without", described.example_line())];
    let csv = Body {
        media_type: CSV,
        schema: text("One row a line; `header=present` and `header=absent` say what the first line is"),
        examples: csv.into_iter().filter_map(|(name, text)| Some((name, Value::String(text?)))).collect(),
    };
    vec![Body { media_type: JSON, schema: sent(described).into(), examples }, lines, csv]
}

/// One of the four keys, and perhaps `params`.
fn sent(described: &Described<'_>) -> OneOfBuilder {
    let records = || described.list(described.reference("record"));
    let positional = || described.list(described.reference("values"));
    let wrapped = object([("features", RefOr::Ref(described.reference("values")))]);
    let lists = || {
        let layouts = AnyOfBuilder::new().item(records()).item(positional());
        described.single_values().into_iter().fold(layouts, AnyOfBuilder::item)
    };
    let split = object([
        ("columns", list(text("A name"))),
        ("data", list(ArrayBuilder::new().items(RefOr::<Schema>::from(any("A value"))))),
    ])
    .property("index", any("The rows' labels, which play no part"))
    .property("index_names", any("What the labels are called, likewise"))
    .property("column_names", any("What the columns are called, likewise"))
    .description(Some("A frame as pandas splits it"));
    let names: &[Option<&str>] = match described.model.classes() {
        Some(_) => &[Some("predict"), Some("predict_proba"), None],
        None => &[Some("predict"), None],
    };
    let parameters = || {
        let method = optional(Type::String).enum_values(Some(names.iter().map(|name| json!(name))));
        let parameters = optional(Type::Object).property("predict_method", method);
        let parameters = ["interval", "explain", "probabilities"]
            .into_iter()
            .fold(parameters, |parameters, name| parameters.property(name, unwanted()));
        parameters.description(Some("Parameters of other names are passed over"))
    };
    let tables: [(&str, RefOr<Schema>); 4] = [
        ("dataframe_split", closed(split).into()),
        ("dataframe_records", RefOr::T(records())),
        ("instances", lists().item(described.list(closed(wrapped))).into()),
        ("inputs", lists().item(described.reference("table")).into()),
    ];
    tables.into_iter().fold(OneOfBuilder::new(), |bodies, (key, table)| {
        bodies.item(closed(object([(key, table)]).property("params", parameters())))
    })
}

/// MLflow's answer.
fn predictions(described: &Described<'_>) -> ObjectBuilder {
    closed(object([("predictions", output(described))]))
}

/// The answer of `SageMaker`'s Linear Learner.
fn scores(described: &Described<'_>) -> ObjectBuilder {
    let row = match described.model.classes() {
        None => object([("score", number().into())]),
        Some(classes) => {
            let score: RefOr<Schema> =
                if classes.len() == 2 { probability().into() } else { described.probability_row().into() };
            object([("score", score), ("predicted_label", described.predicted().into())])
        }
    };
    closed(object([("predictions", RefOr::T(described.list(closed(row))))]))
}
