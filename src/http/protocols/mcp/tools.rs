//! The tools: one for each model, with the schemas of its rows and answers.

use std::sync::Arc;

use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Schema};

use crate::http::docs::schema::{ModelSchemas, closed, object};
use crate::http::protocols::native::openapi::predict;
use crate::http::protocols::output::Output;
use crate::http::server::query::PARAMETERS;
use ordinate_model::Model;
use ordinate_model::wording::{NAMED, counted, listed};

/// The option with a default.
const INTERVAL: &str = PARAMETERS[0];

/// The most bytes of a tool's name that all clients accept.
const MAX_NAME: usize = 64;

/// The most values of a call, rows × features: 32 MiB. Absent values take no space in a body, so its size is no limit.
const MAX_VALUES: usize = 1 << 22;

/// The tools, as in the result of `tools/list`.
pub(super) fn list<'m>(tools: impl IntoIterator<Item = (&'m str, &'m Arc<Model>)>, max_rows: usize) -> Vec<Value> {
    let tool = |(name, model): (&str, &Arc<Model>)| {
        let schemas = ModelSchemas::new(model, self::max_rows(model, max_rows));
        let target = &model.signature().target().name;
        json!({
            "name": name,
            "title": format!("Predict {target}"),
            "description": description(model),
            "inputSchema": input(&schemas),
            "outputSchema": predict::answer(&schemas, predict::warning().into(), &predict::scores(&schemas).into()),
            "annotations": {"readOnlyHint": true, "idempotentHint": true, "openWorldHint": false},
        })
    };
    tools.into_iter().map(tool).collect()
}

/// The name of a model's tool: `predict_` and the name of the model, in the characters that all clients accept.
pub(super) fn name(model: &str) -> String {
    let allowed = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    "predict_".chars().chain(model.chars().map(allowed)).take(MAX_NAME).collect()
}

/// The names of the tools of these models, all different.
pub(super) fn names(models: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(models.len());
    for model in models {
        let first = name(model);
        let mut unique = first.clone();
        // Different names of models can become the same.
        for number in 2.. {
            if !names.contains(&unique) {
                break;
            }
            let suffix = format!("_{number}");
            unique = first.chars().take(MAX_NAME - suffix.len()).chain(suffix.chars()).collect();
        }
        names.push(unique);
    }
    names
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
    use super::*;

    fn names_of(models: &[&str]) -> Vec<String> {
        names(&models.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn names_have_the_characters_that_all_clients_accept() {
        assert_eq!(names_of(&["a.b_c-d", "Z9"]), ["predict_a_b_c-d", "predict_Z9"]);
    }

    #[test]
    fn names_are_short_and_unique() {
        let long = ["a".repeat(63) + "1", "a".repeat(63) + "2", "a".repeat(64)];
        let names = names_of(&[&long[0], &long[1], &long[2], "x.y", "x_y", "x_y_2"]);
        assert_eq!(names[0], format!("predict_{}", "a".repeat(56)));
        assert_eq!(names[1], format!("predict_{}_2", "a".repeat(54)));
        assert_eq!(names[3..], ["predict_x_y", "predict_x_y_2", "predict_x_y_2_2"]);
        assert!(names.iter().all(|name| name.len() <= 64));
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
    }
}
