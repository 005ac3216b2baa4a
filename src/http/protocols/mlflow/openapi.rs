//! MLflow in the document.

use serde_json::{Value, json};
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, ComponentsBuilder, ObjectBuilder, OneOfBuilder, Schema, Type,
};
use utoipa::openapi::{Ref, RefOr};

use crate::http::docs::operation::{Body, CSV, Draft, JSON, JSON_LINES, NPY, Tag};
use crate::http::docs::schema::{ModelSchemas, any, bytes, closed, list, object, optional, text};
use crate::http::protocols::kserve_v1::openapi::output;
use crate::http::protocols::native::openapi::HEALTH;

/// The group of `/invocations`.
pub(crate) const SHARED: Tag =
    Tag { name: "MLflow and SageMaker containers", description: "The body decides which protocol the answer follows" };

/// `GET /version`
pub(crate) fn version(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(HEALTH, "Version of the service");
    draft.answers_as("Version", "The version, as plain text", "text/plain", text("The version of the service"))
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
    let schema = Ref::from_schema_name("InvocationsRequest").into();
    let array = Body { media_type: NPY, schema: bytes("An array as numpy.save writes it"), examples: Vec::new() };
    vec![Body { media_type: JSON, schema, examples }, lines, csv, array]
}

/// Adds the schema of bodies: one of five keys, and optionally `params`; or rows without a key.
pub(crate) fn define(components: ComponentsBuilder, models: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let split = object([
        ("columns", list(text("The name of a column"))),
        ("data", list(ArrayBuilder::new().items(RefOr::<Schema>::from(any("A value"))))),
    ])
    .property("index", any("Row labels; ignored"))
    .property("index_names", any("Names of the row labels; ignored"))
    .property("column_names", any("Names of the column labels; ignored"))
    .description(Some("A pandas data frame in split orientation"));
    let parameters = optional(Type::Object)
        .property("predict_method", output(models))
        .description(Some("Unknown parameters are ignored; options of this service's own routes are errors"));
    let named = Ref::from_schema_name;
    let record = ObjectBuilder::new().description(Some("One row by name; names that are not features are ignored"));
    let wrapped = closed(object([("features", any("One row by position or by name").into())]));
    let long = closed(object([("features", object([("values", list(any("A value")))]).into())]));
    let tables: [(&str, RefOr<Schema>); 5] = [
        ("dataframe_split", named("DataFrameSplit").into()),
        ("dataframe_records", list(named("Record"))),
        ("instances", list(AnyOfBuilder::new().item(named("AnyRow")).item(named("FeaturesRow")))),
        ("inputs", AnyOfBuilder::new().item(named("Rows")).item(named("Columns")).into()),
        ("data", named("LongRow").into()),
    ];
    let bare = ArrayBuilder::new().items(RefOr::<Schema>::from(any("A row, or a value of the only row")));
    let bare = OneOfBuilder::new().item(bare.min_items(Some(1)));
    let body = tables.into_iter().fold(bare, |bodies, (key, table)| {
        bodies.item(closed(object([(key, table)]).property("params", named("InvocationsParameters"))))
    });
    components
        .schema("DataFrameSplit", closed(split))
        .schema("Record", record)
        .schema("FeaturesRow", wrapped)
        .schema("LongRow", long)
        .schema("InvocationsParameters", parameters)
        .schema("InvocationsRequest", body)
}
