//! Open Inference Protocol v2 in the document.

use serde_json::{Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ComponentsBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};

use crate::http::docs::error::Rows;
use crate::http::docs::operation::{Body, Draft, JSON, OCTETS, Tag};
use crate::http::docs::schema::{
    Described, any, closed, count, list, object, one_of, optional, probability, text, truth, unwanted, versions,
};
use crate::http::protocols::native::openapi::certainty;
use crate::http::protocols::native::openapi::predict::level;
use crate::http::protocols::output::Output;

/// The groups of this protocol.
pub(crate) const TAGS: [Tag; 2] = [INFER, V2];

const INFER: Tag = Tag { name: "Open Inference v2: infer", description: "Tensors in, tensors out" };
const V2: Tag =
    Tag { name: "Open Inference v2", description: "KServe v2 and Triton: metadata, readiness, repository, statistics" };

const DATATYPES: [&str; 13] =
    ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"];

/// The operations.
pub(crate) fn drafts(models: &[Described<'_>]) -> Vec<Draft> {
    let infer = models.iter().flat_map(|described| {
        let (name, version) = (described.model.name(), described.model.version());
        [format!("/v2/models/{name}/infer"), format!("/v2/models/{name}/versions/{version}/infer")]
            .map(|path| infer(Draft::post(path, INFER, format!("Predict with {name}")), described))
    });
    let get = |path: &str, summary: &str, schema: &str| {
        Draft::get(path, V2, summary).answers("So it is", JSON, Ref::from_schema_name(schema))
    };
    let mut drafts: Vec<_> = infer.collect();
    drafts.push(get("/v2", "The server, and which extensions it serves", "V2Server"));
    drafts.push(get("/v2/health/live", "The process runs", "V2Live"));
    drafts.push(get("/v2/health/ready", "The default model is loaded, or a 503", "V2Ready").needs_model());
    drafts.push(get("/v2/models/stats", "What all models were asked so far", "V2Statistics").needs_model());
    let names = || models.iter().map(|described| described.model.name());
    for (route, summary, schema) in [
        ("", "What a model takes and gives", "V2Model"),
        ("/ready", "The model is loaded, or a 503", "V2ModelReady"),
        ("/config", "The same as Triton configures it", "V2Config"),
        ("/stats", "What it was asked so far, by this process", "V2Statistics"),
    ] {
        let one = |path: &str| get(path, summary, schema).needs_model().parameter("model", "The model", names());
        drafts.push(one(&format!("/v2/models/{{model}}{route}")));
        let version = one(&format!("/v2/models/{{model}}/versions/{{version}}{route}"));
        drafts.push(version.parameter("version", "The version", versions(models)));
    }
    let index = Draft::post("/v2/repository/index", V2, "The models that are served").needs_model();
    drafts.push(index.answers("All of them", JSON, list(Ref::from_schema_name("V2Indexed"))));
    for verb in ["load", "unload"] {
        let path = format!("/v2/repository/models/{{model}}/{verb}");
        let draft = Draft::post(path, V2, format!("Never: callers do not {verb} models")).refused();
        drafts.push(draft.parameter("model", "The model", names()));
    }
    drafts
}

fn infer(draft: Draft, described: &Described<'_>) -> Draft {
    let json = Body { media_type: JSON, schema: request(described).into(), examples: examples(described) };
    let schema = any("The same, its tensors behind the JSON as little-endian bytes, strings each behind their length");
    let bytes = Body { media_type: OCTETS, schema: schema.into(), examples: Vec::new() };
    draft
        .description(
            "Either one tensor of all features, `[n, p]`, of any name, or one tensor a feature, `[n]` or `[n, 1]`, by name. \
             `parameters.interval` adds the interval of that level (of classes, `prediction_sets`) where no output has one. \
             gzip and deflate are understood (`Content-Encoding`).",
        )
        .rows(Rows::Tensors, [json, bytes])
        .answers("The outputs", JSON, answer(described))
        .or(OCTETS, any("The same, where an output was asked for as bytes"))
}

fn names(described: &Described<'_>) -> impl Iterator<Item = &'static str> {
    Output::all(described.model).into_iter().map(Output::name)
}

fn request(described: &Described<'_>) -> ObjectBuilder {
    let binary = || optional(Type::Boolean).description(Some("Whether as bytes"));
    let size =
        optional(Type::Integer).minimum(Some(0)).description(Some("Bytes behind the JSON that are this tensor's"));
    let datatype = one_of(DATATYPES);
    let data = ArrayBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::Array, Type::Null]))
        .items(RefOr::<Schema>::from(any("A value, or a list of them a row")));
    let input = object([
        ("name", text("That of a feature; any, where the tensor holds all features")),
        ("shape", list(ObjectBuilder::new().schema_type(Type::Integer))),
        ("datatype", datatype.into()),
    ])
    .property("parameters", optional(Type::Object).property("binary_data_size", size))
    .property("data", data);
    // Only intervals and prediction sets have a level, and not every model has them.
    let level = || level(described).unwrap_or_else(|| ObjectBuilder::new().schema_type(Type::Null));
    let output = |names: Vec<&'static str>, level: ObjectBuilder| {
        let parameters = optional(Type::Object).property("binary_data", binary()).property("level", level);
        object([("name", one_of(names).into())]).property("parameters", parameters)
    };
    let (sure, plain): (Vec<Output>, Vec<Output>) =
        Output::all(described.model).into_iter().partition(|output| output.level().is_some());
    let called = |outputs: Vec<Output>| outputs.into_iter().map(Output::name).collect::<Vec<_>>();
    let plain = output(called(plain), ObjectBuilder::new().schema_type(Type::Null));
    let output: RefOr<Schema> = if sure.is_empty() {
        plain.into()
    } else {
        AnyOfBuilder::new().item(plain).item(output(called(sure), level())).into()
    };
    let outputs = ArrayBuilder::new().schema_type(SchemaType::Array(vec![Type::Array, Type::Null])).items(output);
    let parameters = optional(Type::Object)
        .property("binary_data_output", binary())
        .property("interval", level())
        .property("explain", unwanted())
        .property("probabilities", unwanted());
    let inputs = ArrayBuilder::new().items(RefOr::<Schema>::from(closed(input))).min_items(Some(1));
    closed(
        object([("inputs", inputs.into())])
            .property("id", optional(Type::String).description(Some("Repeated in the answer")))
            .property("outputs", outputs.description(Some("Those that are wanted; of none, the prediction")))
            .property("parameters", parameters)
            .property("model_name", repeated(&[described.model.name(), ""]))
            .property("model_version", repeated(&[described.model.version(), ""])),
    )
}

/// What the path says already.
fn repeated(names: &[&str]) -> ObjectBuilder {
    let names = names.iter().map(|name| json!(name)).chain([Value::Null]);
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).enum_values(Some(names)).description(Some("As in the path"))
}

fn examples(described: &Described<'_>) -> Vec<(&'static str, Value)> {
    let values = described.example_values();
    let width = described.names().len();
    let tensor = |name: &str, datatype: &str, shape: [usize; 2], data: Value| json!({"name": name, "datatype": datatype, "shape": shape, "data": data});
    let each = described.tensors().map(|(name, datatype, value)| tensor(name, datatype, [1, 1], json!([value])));
    let inputs: Vec<Value> = each.collect();
    let mut examples = vec![("a_tensor_a_feature", json!({"id": "42", "inputs": inputs}))];
    if described.is_numeric() {
        examples.insert(0, ("one_tensor", json!({"inputs": [tensor("X", "FP64", [1, width], values)]})));
    }
    let outputs: Vec<_> = names(described).map(|name| json!({"name": name})).collect();
    examples.push(("all_outputs", json!({"inputs": inputs, "outputs": outputs})));
    examples
}

fn answer(described: &Described<'_>) -> ObjectBuilder {
    let values = ObjectBuilder::new().schema_type(SchemaType::Array(vec![Type::Number, Type::String, Type::Boolean]));
    let parameters = ObjectBuilder::new()
        .property("binary_data_size", count("Bytes behind the JSON"))
        .property("level", probability().description(Some("Of an interval or a prediction set")));
    let output = object([
        ("name", one_of(names(described)).into()),
        ("datatype", one_of(["FP64", "INT64", "BOOL", "BYTES"]).into()),
        ("shape", list(count("Rows, and values in each"))),
    ])
    .property("parameters", closed(parameters))
    .property("data", list(values));
    closed(
        object([
            ("model_name", one_of([described.model.name()]).into()),
            ("model_version", one_of([described.model.version()]).into()),
            ("outputs", list(closed(output))),
        ])
        .property("id", text("That of the request")),
    )
}

/// Adds the schemas that are the same for all models.
pub(crate) fn define(components: ComponentsBuilder) -> ComponentsBuilder {
    let words = || list(text("A name"));
    let dimensions =
        || list(ObjectBuilder::new().schema_type(Type::Integer).description(Some("-1 for any number of rows")));
    let tensor = || {
        let parameters =
            certainty(ObjectBuilder::new()).property("labels", list(any("A class, in the order of a row's values")));
        let tensor =
            object([("name", text("Its name")), ("datatype", one_of(DATATYPES).into()), ("shape", dimensions())]);
        list(closed(tensor.property("parameters", closed(parameters))))
    };
    let configured = || {
        list(closed(object([
            ("name", text("Its name")),
            ("data_type", text("TYPE_FP64 and the like")),
            ("dims", dimensions()),
        ])))
    };
    let named = |schema: ObjectBuilder| schema.property("name", text("The model")).required("name");
    let total = || closed(object([("count", count("How often")), ("ns", count("Nanoseconds in all"))]));
    let stages =
        ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"];
    let statistics = object([
        ("version", text("Its version")),
        ("last_inference", count("Milliseconds since 1970; 0 for never")),
        ("inference_count", count("Rows")),
        ("execution_count", count("Requests")),
        ("inference_stats", closed(object(stages.map(|stage| (stage, total().into())))).into()),
        ("batch_stats", list(any("Never any"))),
    ]);
    let server = object([("name", text("ordinate")), ("version", text("Its version")), ("extensions", words())]);
    let model = object([
        ("versions", words()),
        ("platform", text("ordinate_json")),
        ("inputs", tensor()),
        ("outputs", tensor()),
    ]);
    let config = object([
        ("platform", text("ordinate_json")),
        ("backend", text("ordinate")),
        ("max_batch_size", count("0: the shapes say where the rows are")),
        ("input", configured()),
        ("output", configured()),
    ]);
    let indexed =
        object([("version", text("Its version")), ("state", one_of(["READY"]).into()), ("reason", text("Empty"))]);
    let live = || ("live", truth("Always true"));
    let ready = || ("ready", truth("Always true"));
    [
        ("V2Server", server),
        ("V2Live", object([live()])),
        ("V2Ready", object([live(), ready()])),
        ("V2ModelReady", named(object([ready()]))),
        ("V2Model", named(model)),
        ("V2Config", named(config)),
        ("V2Indexed", named(indexed)),
        ("V2Statistics", object([("model_stats", list(closed(named(statistics))))])),
    ]
    .into_iter()
    .fold(components, |components, (name, schema)| components.schema(name, closed(schema)))
}
