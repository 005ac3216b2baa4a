//! `POST …/predict` in the document: rows, options, answers.

use serde_json::{Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ComponentsBuilder, Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};

use super::PREDICT;
use crate::http::docs::error::RowFormats;
use crate::http::docs::operation::{Body, CSV, Draft, JSON};
use crate::http::docs::schema::{
    ModelSchemas, any, closed, count, list, number, object, one_of, optional, probability, text,
};

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
    let draft = draft.about(PREDICT, format!("Predict with a version of {}", schemas.model.name()));
    operation(draft.parameter("version", "The version", [schemas.model.version()]), schemas)
}

fn operation(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let x = AnyOfBuilder::new().item(schemas.reference("rows")).item(schemas.reference("columns"));
    let mut body = object([("X", x.into())]);
    let mut draft = draft;
    for (name, option, kind) in options(schemas) {
        draft = draft.option(name, in_url(option.clone(), kind));
        body = body.property(name, option);
    }
    let level = schemas.model.available_intervals().map(|intervals| ("interval", json!(intervals.at_most(LEVEL))));
    let classes = schemas.model.classes().map(|_| ("probabilities", json!(true)));
    let options =
        [("X", json!([schemas.example_row()])), ("explain", json!(true))].into_iter().chain(level).chain(classes);
    let all_options = Value::Object(options.map(|(key, value)| (key.to_owned(), value)).collect());
    let json = Body {
        media_type: JSON,
        schema: closed(body).into(),
        examples: vec![
            ("rows_by_name", json!({"X": [schemas.example_row()]})),
            ("rows_by_position", json!({"X": [schemas.example_values()]})),
            ("columns", json!({"X": schemas.example_columns()})),
            ("how_sure_and_why", all_options),
        ],
    };
    let csv = schemas.example_csv().map(|example| Body {
        media_type: CSV,
        schema: text("A header with the names of the features, then one line per row"),
        examples: vec![("the_average_row", example.into())],
    });
    draft
        .description(
            "All rows must have the same form. Bodies can be compressed with gzip or deflate (`Content-Encoding`). Options \
             can be in the body or in the URL.",
        )
        .rows(RowFormats::JsonOrCsv, [json].into_iter().chain(csv))
        .answers("One prediction per row", JSON, schemas.reference("answer"))
}

/// The options, each with its type in a URL.
fn options(schemas: &ModelSchemas<'_>) -> impl Iterator<Item = (&'static str, Object, Type)> {
    let boolean = |description| optional(Type::Boolean).description(Some(description));
    let explain = boolean("Whether to return the contribution of each feature to the prediction, in `explanation`");
    let probabilities = boolean("Whether to return the probability of each class, in `probabilities`");
    let probabilities = match schemas.model.classes() {
        Some(_) => probabilities,
        // Regressors have no probabilities.
        None => probabilities.enum_values(Some([json!(false), Value::Null])),
    };
    let interval = level(schemas).map(|level| ("interval", level, Type::Number));
    let switches = [("explain", explain, Type::Boolean), ("probabilities", probabilities, Type::Boolean)];
    switches.into_iter().chain(interval).map(|(name, option, kind)| (name, option.build(), kind))
}

/// The options that the model supports, without `null`.
pub(crate) fn plain_options(schemas: &ModelSchemas<'_>) -> impl Iterator<Item = (&'static str, Object)> {
    let has_probabilities = schemas.model.classes().is_some();
    let supported = move |(name, ..): &(&str, Object, Type)| has_probabilities || *name != "probabilities";
    options(schemas).filter(supported).map(|(name, option, kind)| (name, in_url(option, kind)))
}

/// The same option in a URL, where `null` is not allowed.
fn in_url(mut option: Object, kind: Type) -> Object {
    option.schema_type = kind.into();
    if let Some(values) = &mut option.enum_values {
        values.retain(|value| !value.is_null());
    }
    option
}

/// The levels of this model's intervals, if it has intervals.
pub(crate) fn level(schemas: &ModelSchemas<'_>) -> Option<ObjectBuilder> {
    let certainty = schemas.model.available_intervals()?;
    let what = "The probability that the observed value is in `interval`, or the class in `prediction_sets`";
    let level = optional(Type::Number).description(Some(what)).exclusive_minimum(Some(0));
    Some(match certainty.max_level {
        None => level.exclusive_maximum(Some(1)),
        Some(most) => level.maximum(Some(most)),
    })
}

/// Adds the schemas of answers.
pub(crate) fn define(components: ComponentsBuilder, models: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let components = components.schema("Warning", warning());
    models.iter().fold(components, |components, schemas| {
        components.schema(schemas.schema_name("answer"), answer_component(schemas))
    })
}

fn answer_component(schemas: &ModelSchemas<'_>) -> Schema {
    answer(schemas, RefOr::Ref(schemas.reference("prediction")), RefOr::Ref(Ref::from_schema_name("Warning")))
}

/// An answer, with these schemas of the predictions and of a warning.
pub(crate) fn answer(schemas: &ModelSchemas<'_>, prediction: RefOr<Schema>, warning: RefOr<Schema>) -> Schema {
    let answer = object([("y", prediction)]);
    let method =
        one_of(["student-t", "student-t-ridge", "conformal", "wald"]).description(Some("The method of the intervals"));
    let answer = match schemas.model.classes() {
        None => {
            let bounds = || schemas.list(bounds());
            answer.property("interval", bounds()).property("mean_interval", bounds())
        }
        Some(classes) => {
            let labels = ArrayBuilder::new().items(RefOr::<Schema>::from(schemas.predicted()));
            let row = classes
                .iter()
                .map(ToString::to_string)
                .fold(ObjectBuilder::new(), |row, class| row.property(&class, probability()).required(class));
            answer
                .property("prediction_sets", schemas.list(labels))
                .property("probabilities", schemas.list(closed(row)))
        }
    };
    let answer = answer.property("interval_method", method).property("explanation", explanation(schemas));
    closed(with_warnings(answer, warning)).into()
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

/// An explanation: a number per feature, or one per class if there are more than two classes.
pub(crate) fn explanation(schemas: &ModelSchemas<'_>) -> ObjectBuilder {
    let classes = schemas.model.classes().unwrap_or_default();
    let score = || -> RefOr<Schema> {
        if classes.len() < 3 {
            return number().into();
        }
        let names = classes.iter().map(ToString::to_string);
        let by_class = names.fold(ObjectBuilder::new(), |object, name| object.property(&name, number()).required(name));
        closed(by_class).into()
    };
    let row = closed(object(schemas.names().into_iter().map(|name| (name, score()))));
    let unit = one_of(["target", "log-target", "log-odds", "score"]);
    let explanation = object([
        ("unit", unit.description(Some("Unit of the contributions")).into()),
        ("base", score()),
        ("contributions", schemas.list(row.description(Some("Contribution of each feature, added to base"))).into()),
    ]);
    if classes.len() == 2 {
        let class = schemas.predicted().description(Some("The class whose log-odds are explained"));
        return closed(explanation.property("class", class).required("class"));
    }
    closed(explanation)
}

/// A warning.
pub(crate) fn warning() -> Schema {
    let codes = ["outside_range", "unknown_category", "imputed", "leverage"];
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
