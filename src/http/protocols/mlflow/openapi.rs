//! MLflow in the document.

use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};

use crate::http::docs::operation::{Body, CSV, Draft, JSON, JSON_LINES, NPY, Tag};
use crate::http::docs::schema::{ModelSchemas, any, closed, list, object, optional, text, unsupported};
use crate::http::protocols::native::openapi::HEALTH;

/// The group of `/invocations`.
pub(crate) const SHARED: Tag =
    Tag { name: "MLflow and SageMaker containers", description: "The body decides which protocol the answer follows" };

/// `GET /version`
pub(crate) fn version(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(HEALTH, "Version of the service");
    draft.answers("The version, as plain text", "text/plain", text("The version of the service"))
}

/// The bodies of `/invocations` and of `SageMaker`'s route.
pub(crate) fn bodies(schemas: &ModelSchemas<'_>) -> Vec<Body> {
    let values = schemas.example_values();
    let row = json!({"features": values});
    let split = json!({"columns": schemas.names(), "data": [values]});
    let mut examples = vec![
        ("dataframe_split", json!({"dataframe_split": split})),
        ("dataframe_records", json!({"dataframe_records": [schemas.example_row()]})),
        ("instances", json!({"instances": [values]})),
        ("inputs", json!({"inputs": schemas.example_columns()})),
        ("sagemaker", json!({"instances": [row]})),
        ("sagemaker_list", json!([values])),
        ("sagemaker_long_form", json!({"data": {"features": {"values": values}}})),
    ];
    if schemas.model.classes().is_some() {
        let parameters = json!({"predict_method": "predict_proba"});
        examples.push(("probabilities", json!({"dataframe_split": split, "params": parameters})));
    }
    let line = row.to_string() + "\n";
    let lines = Body {
        media_type: JSON_LINES,
        schema: text("One row per line: an object with \"features\", a list, or an object by name"),
        examples: vec![("lines", line.into())],
    };
    let csv = [("csv_with_a_header", schemas.example_csv()), ("csv_without", schemas.example_line())];
    let csv = Body {
        media_type: CSV,
        schema: text("One row per line; `header=present` or `header=absent` declares the first line"),
        examples: csv.into_iter().filter_map(|(name, text)| Some((name, Value::String(text?)))).collect(),
    };
    let array = Body { media_type: NPY, schema: any("An array as numpy.save writes it").into(), examples: Vec::new() };
    vec![Body { media_type: JSON, schema: json_body(schemas).into(), examples }, lines, csv, array]
}

/// A JSON body: one of five keys, and optionally `params`; or rows without a key.
fn json_body(schemas: &ModelSchemas<'_>) -> OneOfBuilder {
    let records = || schemas.list(schemas.reference("record"));
    let positional = || schemas.list(schemas.reference("values"));
    let wrapped = || schemas.list(closed(object([("features", RefOr::Ref(schemas.reference("values")))])));
    let long = || {
        let values = object([("values", RefOr::Ref(schemas.reference("values")))]).property("shape", any("Ignored"));
        closed(object([("features", closed(values).into())]))
    };
    let long_rows = || schemas.list(closed(object([("data", long().into())])));
    let lists = || {
        let layouts = AnyOfBuilder::new().item(records()).item(positional());
        schemas.single_values().into_iter().fold(layouts, AnyOfBuilder::item)
    };
    let split = object([
        ("columns", list(text("The name of a column"))),
        ("data", list(ArrayBuilder::new().items(RefOr::<Schema>::from(any("A value"))))),
    ])
    .property("index", any("Row labels; ignored"))
    .property("index_names", any("Names of the row labels; ignored"))
    .property("column_names", any("Names of the column labels; ignored"))
    .description(Some("A pandas data frame in split orientation"));
    let names: &[Option<&str>] = match schemas.model.classes() {
        Some(_) => &[Some("predict"), Some("predict_proba"), None],
        None => &[Some("predict"), None],
    };
    let parameters = || {
        let method = optional(Type::String).enum_values(Some(names.iter().map(|name| json!(name))));
        let parameters = optional(Type::Object).property("predict_method", method);
        let parameters = ["interval", "explain", "probabilities"]
            .into_iter()
            .fold(parameters, |parameters, name| parameters.property(name, unsupported()));
        parameters.description(Some("Unknown parameters are ignored"))
    };
    let tables: [(&str, RefOr<Schema>); 5] = [
        ("dataframe_split", closed(split).into()),
        ("dataframe_records", RefOr::T(records())),
        ("instances", lists().item(wrapped()).item(long_rows()).into()),
        ("inputs", lists().item(schemas.reference("table")).into()),
        ("data", long().into()),
    ];
    let bare = lists().item(wrapped()).item(long_rows()).item(schemas.reference("values"));
    tables.into_iter().fold(OneOfBuilder::new().item(bare), |bodies, (key, table)| {
        bodies.item(closed(object([(key, table)]).property("params", parameters())))
    })
}

/// An answer in the form of MLflow.
pub(crate) fn predictions(schemas: &ModelSchemas<'_>) -> ObjectBuilder {
    closed(object([("predictions", schemas.prediction_or_probabilities())]))
}
