//! `POST …/predict`: rows, what is wanted beside the predictions, and the answer to each.

use serde_json::{Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ComponentsBuilder, Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};

use super::PREDICT;
use crate::http::docs::error::Rows;
use crate::http::docs::operation::{Body, CSV, Draft, JSON};
use crate::http::docs::schema::{
    ModelSchemas, any, closed, count, list, number, object, one_of, optional, probability, text,
};

/// One of the levels that examples ask for.
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
    let mut sent = object([("X", x.into())]);
    let mut draft = draft;
    for (name, option, kind) in options(schemas) {
        draft = draft.option(name, in_url(option.clone(), kind));
        sent = sent.property(name, option);
    }
    let asked = schemas.model.available_intervals().map(|intervals| ("interval", json!(intervals.at_most(LEVEL))));
    let classes = schemas.model.classes().map(|_| ("probabilities", json!(true)));
    let asked =
        [("X", json!([schemas.example_row()])), ("explain", json!(true))].into_iter().chain(asked).chain(classes);
    let asked = Value::Object(asked.map(|(key, value)| (key.to_owned(), value)).collect());
    let json = Body {
        media_type: JSON,
        schema: closed(sent).into(),
        examples: vec![
            ("rows_by_name", json!({"X": [schemas.example_row()]})),
            ("rows_by_position", json!({"X": [schemas.example_values()]})),
            ("columns", json!({"X": schemas.example_columns()})),
            ("how_sure_and_why", asked),
        ],
    };
    let csv = schemas.example_csv().map(|example| Body {
        media_type: CSV,
        schema: text("A header with the features' names, then one line a row"),
        examples: vec![("the_average_row", example.into())],
    });
    draft
        .description(
            "All rows must be laid out alike. gzip and deflate are understood (`Content-Encoding`). What is wanted beside the \
             predictions stands in the body or in the URL.",
        )
        .rows(Rows::JsonOrCsv, [json].into_iter().chain(csv))
        .answers("One prediction a row", JSON, schemas.reference("answer"))
}

/// What can be wanted beside the predictions, each with its type when it is not left out.
fn options(schemas: &ModelSchemas<'_>) -> impl Iterator<Item = (&'static str, Object, Type)> {
    let truth = |description| optional(Type::Boolean).description(Some(description));
    let explain = truth("Whether to tell what each feature adds to the prediction, in `explanation`");
    let probabilities = truth("Whether to give the probability of each class, in `probabilities`");
    let probabilities = match schemas.model.classes() {
        Some(_) => probabilities,
        // A model that predicts numbers has none.
        None => probabilities.enum_values(Some([json!(false), Value::Null])),
    };
    let interval = level(schemas).map(|level| ("interval", level, Type::Number));
    let switches = [("explain", explain, Type::Boolean), ("probabilities", probabilities, Type::Boolean)];
    switches.into_iter().chain(interval).map(|(name, option, kind)| (name, option.build(), kind))
}

/// The same in a URL, where `null` is not as good as left out.
fn in_url(mut option: Object, kind: Type) -> Object {
    option.schema_type = kind.into();
    if let Some(values) = &mut option.enum_values {
        values.retain(|value| !value.is_null());
    }
    option
}

/// The levels that intervals of this model can have, if it has any.
pub(crate) fn level(schemas: &ModelSchemas<'_>) -> Option<ObjectBuilder> {
    let certainty = schemas.model.available_intervals()?;
    let what = "The probability with which the answer lies in `interval`, of classes in `prediction_sets`";
    let level = optional(Type::Number).description(Some(what)).exclusive_minimum(Some(0));
    Some(match certainty.max_level {
        None => level.exclusive_maximum(Some(1)),
        // So many rows were held out, and none was ever as wrong.
        Some(most) => level.maximum(Some(most)),
    })
}

/// Adds the schemas of the answers.
pub(crate) fn define(components: ComponentsBuilder, models: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let components = components.schema("Warning", warning());
    models
        .iter()
        .fold(components, |components, schemas| components.schema(schemas.schema_name("answer"), answer(schemas)))
}

fn answer(schemas: &ModelSchemas<'_>) -> Schema {
    let answer = object([("y", RefOr::Ref(schemas.reference("prediction")))]);
    let method = one_of(["student-t", "student-t-ridge", "conformal"])
        .description(Some("How intervals were made, and so what they suppose"));
    let answer = match schemas.model.classes() {
        None => {
            let ends = || schemas.list(ends());
            answer.property("interval", ends()).property("mean_interval", ends())
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
    closed(with_warnings(answer.property("interval_method", method).property("explanation", explanation(schemas))))
        .into()
}

/// An answer that tells its warnings.
pub(crate) fn with_warnings(answer: ObjectBuilder) -> ObjectBuilder {
    answer
        .property("warnings", list(Ref::from_schema_name("Warning")))
        .property("warnings_total", count("All of them, where only the first are told"))
        .property(
            "rows_searched_for_leverage",
            count("So many rows, from the first on, were searched for unusual combinations of values, where all would take too long"),
        )
}

/// The lower and the upper end.
fn ends() -> ArrayBuilder {
    ArrayBuilder::new().items(RefOr::<Schema>::from(number())).min_items(Some(2)).max_items(Some(2))
}

/// A number, or of more than two classes one for each.
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
        ("unit", unit.description(Some("What the numbers are measured in")).into()),
        ("base", score()),
        ("contributions", schemas.list(row.description(Some("What each feature adds to base"))).into()),
    ]);
    if classes.len() == 2 {
        let class = schemas.predicted().description(Some("The class whose log-odds they are"));
        return closed(explanation.property("class", class).required("class"));
    }
    closed(explanation)
}

fn warning() -> Schema {
    let codes = ["outside_range", "unknown_category", "leverage"];
    object([("row", count("The row, from 0")), ("code", one_of(codes).into()), ("message", text("In words"))])
        .property("feature", text("The feature that is unusual"))
        .property("value", any("Its value"))
        .property("range", ends().description(Some("The least and the greatest value in the training data")))
        .property("leverage", number())
        .property("limit", number().description(Some("Three times the mean leverage of the training data")))
        .into()
}
