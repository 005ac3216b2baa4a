//! The tools: one for each model, with the schemas of its rows and answers.

use std::sync::Arc;

use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Schema};

use crate::http::docs::schema::{ModelSchemas, closed, object};
use crate::http::protocols::native::openapi::predict;
use crate::http::protocols::output::Output;
use crate::http::server::query::PARAMETERS;
use ordinate_model::Model;
use ordinate_model::identity::{ModelName, SHORT_DIGEST, short_digest};
use ordinate_model::wording::{NAMED, counted, listed};

/// The option with a default.
const INTERVAL: &str = PARAMETERS[0];

/// The start of the names of all tools.
const PREFIX: &str = "predict_";

/// A dot of the name of a model in that of its tool; it can be read back.
const DOT: &str = "_-";

/// The most bytes of a tool's name that all clients accept.
const MAX_NAME: usize = 64;

/// The most values of a call, rows × features: 32 MiB. Absent values take no space in a body, so its size is no limit.
const MAX_VALUES: usize = 1 << 22;

/// The tools of these models, as in the result of `tools/list`.
pub(super) fn list(models: &[Arc<Model>], max_rows: usize) -> Vec<Value> {
    let tool = |model: &Arc<Model>| {
        let schemas = ModelSchemas::new(model, self::max_rows(model, max_rows));
        let target = &model.signature().target().name;
        json!({
            "name": name(model.name()),
            "title": format!("Predict {target}"),
            "description": description(model),
            "inputSchema": input(&schemas),
            "outputSchema": predict::answer(&schemas, predict::warning().into(), &predict::scores(&schemas).into()),
            "annotations": {"readOnlyHint": true, "idempotentHint": true, "openWorldHint": false},
        })
    };
    models.iter().map(tool).collect()
}

/// The name of a model's tool in the characters that all clients accept: [`PREFIX`] and the name of the model, with
/// [`DOT`] for each dot. If that is too long, or not unique, the name is cut off, begins with another underscore, and
/// ends with the start of the model name's SHA-256.
pub(super) fn name(model: &str) -> String {
    let name = format!("{PREFIX}{}", model.replace('.', DOT));
    if name.len() <= MAX_NAME && !model.contains(DOT) {
        return name;
    }
    let start = format!("{PREFIX}_{}", model.replace('.', "_"));
    let start: String = start.chars().take(MAX_NAME - SHORT_DIGEST - 1).collect();
    format!("{start}_{}", short_digest(model))
}

/// The model that a tool of this name belongs to, if it exists; `None` if the name does not contain that of the model.
pub(super) fn model(tool: &str) -> Option<ModelName> {
    let model = ModelName::try_from(tool.strip_prefix(PREFIX)?.replace(DOT, ".")).ok()?;
    (name(model.as_str()) == tool).then_some(model)
}

/// The maximum number of rows of a call.
pub(super) fn max_rows(model: &Model, max_rows: usize) -> usize {
    max_rows.min((MAX_VALUES / model.signature().width().max(1)).max(1))
}

fn description(model: &Model) -> String {
    let target = &model.signature().target().name;
    let what = match model.classes() {
        None => format!("Predicts the number {target}"),
        Some(classes) => format!("Predicts the class {target}: one of {}", listed(classes, NAMED)),
    };
    let document = model.document();
    let trained = document.training.rows.map(|rows| format!(", which was trained on {}", counted(rows, "row", "rows")));
    let certainty = match (model.available_intervals(), model.classes()) {
        (None, None) => "",
        (None, Some(_)) => " with its probability",
        (Some(_), None) => " with an interval that contains the observed value with the probability `interval`",
        (Some(_), Some(_)) => {
            " with its probability, and a set of classes that contains the true class with the probability `interval`"
        }
    };
    format!(
        "{what}, by the model {} ({}){}. Returns one prediction for each row{certainty}. \
         Rows that are unlike the training data have warnings: values outside the training range, unknown categories, \
         imputed values, unusual combinations of values.",
        model.name(),
        document.task,
        trained.unwrap_or_default()
    )
}

fn input(schemas: &ModelSchemas<'_>) -> Schema {
    let rows = schemas.list(schemas.tool_row());
    let input = object([("rows", rows.into())]);
    let level = Output::default_level(schemas.model);
    let options = predict::plain_options(schemas).map(|(name, mut option)| {
        if name == INTERVAL {
            option.default = level.map(|level| json!(level));
        }
        (name, option)
    });
    closed(options.fold(input, |input: ObjectBuilder, (name, option)| input.property(name, option))).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_name_of_a_model_is_read_back_from_that_of_its_tool() {
        for (of_model, of_tool) in [
            ("Z9", "predict_Z9"),
            ("breast_cancer-2", "predict_breast_cancer-2"),
            ("a.b_c-d", "predict_a_-b_c-d"),
            ("1.2.3", "predict_1_-2_-3"),
        ] {
            assert_eq!(name(of_model), of_tool);
            assert_eq!(model(of_tool).unwrap().as_str(), of_model);
        }
        for other in ["predict", "", "line", "predict_a.b"] {
            assert_eq!(model(other), None, "{other}");
        }
    }

    #[test]
    fn names_are_short_and_unique_and_have_the_characters_that_all_clients_accept() {
        let long = ["a".repeat(63) + "1", "a".repeat(63) + "2", "a".repeat(64), "a.".repeat(25), "a".repeat(57)];
        let similar = ["x.y", "x_y", "x_-y", "x-y", "x._y", "x_.y", "x__y"].map(str::to_owned);
        let names: Vec<_> = long.iter().chain(&similar).map(|model| name(model)).collect();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        for name in &names {
            assert!(name.len() <= MAX_NAME && name.bytes().all(is_allowed), "{name}");
        }
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        // These are looked for in the list of models.
        for irregular in [&long[0], &long[3], &similar[2]] {
            assert_eq!(model(&name(irregular)), None, "{irregular}");
        }
    }
}
