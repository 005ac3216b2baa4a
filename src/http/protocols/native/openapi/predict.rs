//! `POST …/predict` in the document: rows, options, answers.

use serde_json::{Value, json};
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, ComponentsBuilder, Object, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use super::PREDICT;
use crate::http::docs::error::RowFormats;
use crate::http::docs::operation::{Body, CSV, Draft, JSON};
use crate::http::docs::schema::{
    Member, ModelSchemas, any, closed, count, list, number, object, one_of, optional, probability, record, text,
};

use ordinate_model::scalar::Scalar;

/// The units of contributions.
pub(crate) const UNITS: [&str; 4] = ["target", "log-target", "log-odds", "score"];

/// The level of intervals in examples.
const LEVEL: f64 = 0.9;

/// `POST /predict`
pub(crate) fn default_model(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    operation(draft.about(PREDICT, format!("Predict with the default model, {}", schemas.model.name())), schemas)
}

/// `POST /models/{name}/predict`
pub(crate) fn model(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    operation(draft.about(PREDICT, format!("Predict with {}", schemas.model.name())), schemas)
}

/// `POST /models/{name}/versions/{version}/predict`
pub(crate) fn version(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    operation(draft.about(PREDICT, format!("Predict with a version of {}", schemas.model.name())), schemas)
}

fn operation(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let draft = plain_options(schemas).fold(draft, |draft, (name, option)| draft.option(name, option));
    let level = schemas.model.available_intervals().map(|intervals| ("interval", json!(intervals.at_most(LEVEL))));
    let classes = schemas.model.classes().map(|_| ("probabilities", json!(true)));
    let options =
        [("X", json!([schemas.example_row()])), ("explain", json!(true))].into_iter().chain(level).chain(classes);
    let all_options = Value::Object(options.map(|(key, value)| (key.to_owned(), value)).collect());
    let json = Body {
        media_type: JSON,
        schema: schemas.reference("request").into(),
        examples: vec![
            ("by_name", json!({"X": [schemas.example_row()]})),
            ("by_position", json!({"X": [schemas.example_values()]})),
            ("columns", json!({"X": schemas.example_columns()})),
            ("how_sure_and_why", all_options),
        ],
    };
    let csv = schemas.example_csv().map(|example| Body {
        media_type: CSV,
        schema: text("A header with the names of the features, then one line per row"),
        examples: vec![("csv", example.into())],
    });
    draft
        .rows(RowFormats::JsonOrCsv, schemas.schema_name("request"), [json].into_iter().chain(csv))
        .answers(schemas.schema_name("answer"), "One prediction per row")
}

/// The options that the model supports, each with its type in a URL.
fn options(schemas: &ModelSchemas<'_>) -> impl Iterator<Item = (&'static str, Object, Type)> {
    let boolean = |description| optional(Type::Boolean).description(Some(description)).build();
    let explain = boolean("Whether to return the contribution of each feature to the prediction, in `explanation`");
    let probabilities = boolean("Whether to return the probability of each class, in `probabilities`");
    let probabilities = schemas.model.classes().map(|_| ("probabilities", probabilities, Type::Boolean));
    let interval = level(schemas).map(|level| ("interval", level.build(), Type::Number));
    [("explain", explain, Type::Boolean)].into_iter().chain(probabilities).chain(interval)
}

/// The same, without `null`.
pub(crate) fn plain_options(schemas: &ModelSchemas<'_>) -> impl Iterator<Item = (&'static str, Object)> {
    options(schemas).map(|(name, option, kind)| (name, in_url(option, kind)))
}

/// The same option in a URL, where `null` is not allowed.
fn in_url(mut option: Object, kind: Type) -> Object {
    option.schema_type = kind.into();
    option
}

/// The levels of this model's intervals, if it has intervals.
fn level(schemas: &ModelSchemas<'_>) -> Option<ObjectBuilder> {
    let intervals = schemas.model.available_intervals()?;
    Some(match intervals.max_level {
        None => any_level(),
        Some(most) => any_level().exclusive_maximum(None::<f64>).maximum(Some(most)),
    })
}

/// A level of intervals, or null.
pub(crate) fn any_level() -> ObjectBuilder {
    let what = "The probability that the observed value is in `interval`, or the class in `prediction_sets`";
    optional(Type::Number).description(Some(what)).exclusive_minimum(Some(0)).exclusive_maximum(Some(1))
}

/// Adds the schemas of requests and answers.
pub(crate) fn define(components: ComponentsBuilder, models: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let components = components.schema("Warning", warning());
    models.iter().fold(components, |components, schemas| {
        let warning = RefOr::Ref(Ref::from_schema_name("Warning"));
        let components = components.schema(schemas.schema_name("request"), request(schemas));
        let (components, scores) = if classes_with_scores(schemas).is_some() {
            (components.schema(schemas.schema_name("scores"), scores(schemas)), schemas.reference("scores").into())
        } else {
            (components, scores(schemas).into())
        };
        components.schema(schemas.schema_name("answer"), answer(schemas, warning, &scores))
    })
}

fn request(schemas: &ModelSchemas<'_>) -> Schema {
    let x = object([("X", schemas.x().into())]);
    closed(options(schemas).fold(x, |body, (name, option, _)| body.property(name, option))).into()
}

/// An answer, with these schemas of a warning and of the scores of a row.
pub(crate) fn answer(schemas: &ModelSchemas<'_>, warning: RefOr<Schema>, scores: &RefOr<Schema>) -> Schema {
    let answer = object([("y", schemas.prediction().into())]);
    let method = one_of(["student-t", "student-t-ridge", "conformal", "wald"]);
    let answer = match schemas.model.classes() {
        None => answer
            .property("interval", schemas.list(bounds()))
            .property("mean_interval", schemas.list(bounds_or_null())),
        Some(classes) => {
            let labels = ArrayBuilder::new().items(RefOr::<Schema>::from(schemas.predicted()));
            let row = by_class(classes, probability);
            answer.property("prediction_sets", schemas.list(labels)).property("probabilities", schemas.list(row))
        }
    };
    let answer = answer.property("interval_method", method).property("explanation", explanation(schemas, scores));
    closed(with_warnings(answer, warning)).into()
}

/// The scores of a row, which its features contribute to: a number, or one for each of more than two classes.
pub(crate) fn scores(schemas: &ModelSchemas<'_>) -> ObjectBuilder {
    classes_with_scores(schemas).map_or_else(number, |classes| by_class(classes, number))
}

/// The classes, if each has a score of its own.
fn classes_with_scores<'m>(schemas: &ModelSchemas<'m>) -> Option<&'m [Scalar]> {
    schemas.model.classes().filter(|classes| classes.len() > 2)
}

fn by_class(classes: &[Scalar], each: fn() -> ObjectBuilder) -> ObjectBuilder {
    let names: Vec<_> = classes.iter().map(ToString::to_string).collect();
    record::of(names.iter().map(|class| Member::required(class, each())))
}

/// Adds warnings of this schema to an answer.
pub(crate) fn with_warnings(answer: ObjectBuilder, warning: RefOr<Schema>) -> ObjectBuilder {
    answer
        .property("warnings", list(warning))
        .property("warnings_total", count("Number of warnings, if the list has only the first"))
        .property(
            "rows_searched_for_leverage",
            count("Number of rows, from the first, whose leverage was computed, if not all rows"),
        )
}

/// Lower and upper bound.
fn bounds() -> ArrayBuilder {
    ArrayBuilder::new().items(RefOr::<Schema>::from(number())).min_items(Some(2)).max_items(Some(2))
}

/// The bounds of the mean; null for a row whose mean the training data do not determine.
fn bounds_or_null() -> ArrayBuilder {
    let kind = SchemaType::from_iter([Type::Array, Type::Null]);
    bounds().schema_type(kind).description(Some("Null if the training data do not determine the mean of the row"))
}

/// The explanation of each row.
fn explanation(schemas: &ModelSchemas<'_>, scores: &RefOr<Schema>) -> ObjectBuilder {
    let row = record::of(schemas.names().into_iter().map(|name| Member::required(name, scores.clone())));
    let explanation = object([
        ("unit", one_of(UNITS).into()),
        ("base", scores.clone()),
        ("contributions", schemas.list(row.description(Some("Contribution of each feature, added to base"))).into()),
    ]);
    if schemas.model.classes().is_some_and(|classes| classes.len() == 2) {
        let class = schemas.predicted().description(Some("The class whose log-odds are explained"));
        return closed(explanation.property("class", class).required("class"));
    }
    closed(explanation)
}

/// A warning.
pub(crate) fn warning() -> Schema {
    let codes = ["outside_range", "unknown_category", "imputed", "leverage", "no_mean_interval"];
    let end = AnyOfBuilder::new().item(number()).item(text("A date in ISO 8601"));
    let range = ArrayBuilder::new().items(RefOr::<Schema>::from(end)).min_items(Some(2)).max_items(Some(2));
    object([
        ("row", count("Index of the row, from 0")),
        ("code", one_of(codes).into()),
        ("message", text("Description of the warning")),
    ])
    .property("feature", text("The feature, if the warning is about one"))
    .property("value", any("The value of the feature, or the value that replaces a missing one"))
    .property("range", range.description(Some("Minimum and maximum in the training data")))
    .property("leverage", number())
    .property("limit", number().description(Some("Three times the mean leverage of the training data")))
    .into()
}
