//! Open Inference Protocol v2 in the document.

use serde_json::{Value, json};
use utoipa::openapi::schema::{Array, ArrayBuilder, ComponentsBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};

use crate::http::docs::error::RowFormats;
use crate::http::docs::operation::{Body, Draft, JSON, OCTETS, Tag};
use crate::http::docs::schema::{
    ModelSchemas, any, boolean, bytes, closed, count, list, object, one_of, optional, optional_one_of, probability,
    text,
};
use crate::http::protocols::native::openapi::certainty;
use crate::http::protocols::native::openapi::predict::any_level;
use crate::http::protocols::output::Output;

/// The groups of this protocol.
pub(crate) const TAGS: [Tag; 2] = [INFER, V2];

const INFER: Tag = Tag {
    name: "Open Inference v2: infer",
    description: "Predictions from tensors: one tensor of all features with shape `[n, p]` and any name, or one tensor per \
                  feature with shape `[n]` or `[n, 1]` and the name of the feature. `parameters.interval` adds the \
                  interval at that level (for classifiers `prediction_sets`) if no requested output has a level. Bodies \
                  can be compressed with gzip or deflate (`Content-Encoding`).",
};
const V2: Tag =
    Tag { name: "Open Inference v2", description: "KServe v2 and Triton: metadata, readiness, repository, statistics" };

const DATATYPES: [&str; 13] =
    ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"];

/// `POST /v2/models/{model}[/versions/{version}]/infer`
pub(crate) fn infer(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let schema = Ref::from_schema_name("V2InferRequest").into();
    let json = Body { media_type: JSON, schema, examples: examples(schemas) };
    let schema =
        bytes("The same JSON, followed by tensors as little-endian bytes, in which each string follows its length");
    let binary = Body { media_type: OCTETS, schema, examples: Vec::new() };
    draft
        .about(INFER, "Predict with a model")
        .rows(RowFormats::Tensors, "V2InferRequest", [json, binary])
        .answers("V2InferAnswer", "The outputs")
        .or(OCTETS, bytes("The same, if an output was requested as bytes"))
}

/// `GET /v2`
pub(crate) fn server(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    about(draft, "The server and its extensions", "V2Server")
}

/// `GET /v2/health/live`
pub(crate) fn live(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    about(draft, "Liveness: the process runs", "V2Live")
}

/// `GET /v2/health/ready`
pub(crate) fn ready(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    about(draft, "Readiness: the default model is loaded; 503 otherwise", "V2Ready").needs_model()
}

/// `GET /v2/models/stats`
pub(crate) fn all_statistics(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    about(draft, "Statistics of all models in this process", "V2Statistics").needs_model()
}

/// `GET /v2/models/{model}[/versions/{version}]`
pub(crate) fn model(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    about(draft, "Inputs and outputs of a model", "V2Model").needs_model()
}

/// `GET /v2/models/{model}[/versions/{version}]/ready`
pub(crate) fn model_ready(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    about(draft, "Readiness of a model: it is loaded; 503 otherwise", "V2ModelReady").needs_model()
}

/// `GET /v2/models/{model}[/versions/{version}]/config`
pub(crate) fn config(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    about(draft, "Inputs and outputs in the form of Triton's configuration", "V2Config").needs_model()
}

/// `GET /v2/models/{model}[/versions/{version}]/stats`
pub(crate) fn statistics(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    about(draft, "Statistics of a model in this process", "V2Statistics").needs_model()
}

/// `POST /v2/repository/index`
pub(crate) fn index(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    about(draft, "List the served models", "V2Index").needs_model()
}

/// `POST /v2/repository/models/{model}/load`
pub(crate) fn load(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    draft.about(V2, "Not supported: clients cannot load models").not_supported()
}

/// `POST /v2/repository/models/{model}/unload`
pub(crate) fn unload(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    draft.about(V2, "Not supported: clients cannot unload models").not_supported()
}

fn about(draft: Draft, summary: &str, answer: &str) -> Draft {
    draft.about(V2, summary).answers(answer, "Success")
}

/// The names of all outputs of these models; metadata lists those of a model.
fn outputs(models: &[ModelSchemas<'_>]) -> ObjectBuilder {
    one_of(Output::names(models.iter().map(|schemas| schemas.model), Output::all))
}

fn request(models: &[ModelSchemas<'_>]) -> ObjectBuilder {
    let binary = || optional(Type::Boolean).description(Some("Whether to return the output as bytes"));
    let size =
        optional(Type::Integer).minimum(Some(0)).description(Some("Number of bytes of this tensor after the JSON"));
    let or_null = |each: RefOr<Schema>| {
        ArrayBuilder::new().schema_type(SchemaType::Array(vec![Type::Array, Type::Null])).items(each)
    };
    let input = object([
        ("name", text("The name of a feature; any name if the tensor has all features")),
        ("shape", list(ObjectBuilder::new().schema_type(Type::Integer))),
        ("datatype", one_of(DATATYPES).into()),
    ])
    .property("parameters", optional(Type::Object).property("binary_data_size", size))
    .property("data", or_null(any("A value, or a list of values per row").into()));
    let level = any_level().description(Some("Level of an interval or a prediction set"));
    let classes = optional(Type::Integer).minimum(Some(0));
    let classes = classes.description(Some("The number of the most probable classes to return; predict_proba only"));
    let parameters = optional(Type::Object).property("binary_data", binary()).property("level", level);
    let parameters = parameters.property("classification", classes);
    let output = object([("name", outputs(models).into())]).property("parameters", parameters);
    let outputs = or_null(output.into()).description(Some("The requested outputs; by default the prediction"));
    let parameters = optional(Type::Object).property("binary_data_output", binary()).property("interval", any_level());
    let inputs = ArrayBuilder::new().items(RefOr::<Schema>::from(closed(input))).min_items(Some(1));
    let same = "The same as in the path";
    let name = optional_one_of(models.iter().map(|schemas| schemas.model.name())).description(Some(same));
    let version = optional(Type::String).description(Some(same));
    closed(
        object([("inputs", inputs.into())])
            .property("id", optional(Type::String).description(Some("Returned in the answer")))
            .property("outputs", outputs)
            .property("parameters", parameters)
            .property("model_name", name)
            .property("model_version", version),
    )
}

fn examples(schemas: &ModelSchemas<'_>) -> Vec<(&'static str, Value)> {
    let values = schemas.example_values();
    let width = schemas.names().len();
    let tensor = |name: &str, datatype: &str, shape: [usize; 2], data: Value| json!({"name": name, "datatype": datatype, "shape": shape, "data": data});
    let each = schemas.tensors().map(|(name, datatype, value)| tensor(name, datatype, [1, 1], json!([value])));
    let inputs: Vec<Value> = each.collect();
    let mut examples = vec![("a_tensor_a_feature", json!({"id": "42", "inputs": inputs}))];
    if schemas.is_numeric() {
        examples.insert(0, ("one_tensor", json!({"inputs": [tensor("X", "FP64", [1, width], values)]})));
    }
    let outputs = Output::all(schemas.model).into_iter().map(|output| json!({"name": output.name()}));
    let outputs: Vec<Value> = outputs.collect();
    examples.push(("all_outputs", json!({"inputs": inputs, "outputs": outputs})));
    examples
}

fn answer(models: &[ModelSchemas<'_>]) -> ObjectBuilder {
    let values = ObjectBuilder::new().schema_type(SchemaType::Array(vec![Type::Number, Type::String, Type::Boolean]));
    let parameters = ObjectBuilder::new()
        .property("binary_data_size", count("Number of bytes after the JSON"))
        .property("level", probability().description(Some("Level of an interval or a prediction set")));
    let output = object([
        ("name", outputs(models).into()),
        ("datatype", one_of(["FP64", "INT64", "BOOL", "BYTES"]).into()),
        ("shape", list(count("Number of rows, then the shape of a row"))),
    ])
    .property("parameters", closed(parameters))
    .property("data", list(values));
    closed(
        object([
            ("model_name", text("The name of the model")),
            ("model_version", text("The version")),
            ("outputs", list(closed(output))),
        ])
        .property("id", text("The id of the request")),
    )
}

/// Adds the schemas of this protocol.
pub(crate) fn define(components: ComponentsBuilder, models: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let names = || list(text("A name"));
    let dimensions =
        || list(ObjectBuilder::new().schema_type(Type::Integer).description(Some("-1 for any number of rows")));
    let parameters = certainty(ObjectBuilder::new())
        .property("labels", list(any("A class; the classes have the order of the values of a row")));
    let tensor = object([
        ("name", text("The name of the tensor")),
        ("datatype", one_of(DATATYPES).into()),
        ("shape", dimensions()),
    ]);
    let tensor = tensor.property("parameters", closed(parameters));
    let configured = object([
        ("name", text("The name of the tensor")),
        ("data_type", text("The datatype, such as TYPE_FP64")),
        ("dims", dimensions()),
    ]);
    let tensors = || list(Ref::from_schema_name("V2Tensor"));
    let configured_tensors = || list(Ref::from_schema_name("V2ConfigTensor"));
    let with_name = |schema: ObjectBuilder| schema.property("name", text("The name of the model")).required("name");
    let total = object([("count", count("Number of requests")), ("ns", count("Total duration in nanoseconds"))]);
    let stage = |name| (name, Ref::from_schema_name("V2Duration").into());
    let stages =
        ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"];
    let statistics = object([
        ("version", text("The version")),
        ("last_inference", count("Time of the last request in milliseconds since 1970; 0 if there was none")),
        ("inference_count", count("Number of predicted rows")),
        ("execution_count", count("Number of requests")),
        ("inference_stats", closed(object(stages.map(stage))).into()),
        ("batch_stats", list(any("Always empty"))),
    ]);
    let server = object([("name", text("Always ordinate")), ("version", text("The version")), ("extensions", names())]);
    let model = object([
        ("versions", names()),
        ("platform", text("Always ordinate_json")),
        ("inputs", tensors()),
        ("outputs", tensors()),
    ]);
    let config = object([
        ("platform", text("Always ordinate_json")),
        ("backend", text("Always ordinate")),
        ("max_batch_size", count("Always 0: the shapes include the dimension of the rows")),
        ("input", configured_tensors()),
        ("output", configured_tensors()),
    ]);
    let indexed = object([
        ("version", text("The version")),
        ("state", one_of(["READY"]).into()),
        ("reason", text("Always empty")),
    ]);
    let live = || ("live", boolean("Always true"));
    let ready = || ("ready", boolean("Always true"));
    [
        ("V2Server", server),
        ("V2Live", object([live()])),
        ("V2Ready", object([live(), ready()])),
        ("V2ModelReady", with_name(object([ready()]))),
        ("V2Model", with_name(model)),
        ("V2Config", with_name(config)),
        ("V2Tensor", tensor),
        ("V2ConfigTensor", configured),
        ("V2InferRequest", request(models)),
        ("V2InferAnswer", answer(models)),
        ("V2Duration", total),
        ("V2Statistics", object([("model_stats", list(closed(with_name(statistics))))])),
    ]
    .into_iter()
    .fold(components, |components, (name, schema)| components.schema(name, closed(schema)))
    .schema("V2Index", Array::new(closed(with_name(indexed))))
}
