//! Steps that are made of steps: `Pipeline`, `ColumnTransformer`, `FeatureUnion`; and `FunctionTransformer`.

use ordinate_model::preprocess::FactorFunction;
use ordinate_model::scalar::Scalar;

use super::Walk;
use super::step::Step;
use crate::error::ImportError;
use crate::expression::{Atom, Expression};
use crate::value::Value;

/// The most comparisons of names, which take seconds.
const MAX_LOOKUPS: usize = 1 << 30;

impl Walk<'_> {
    pub(super) fn pipeline(
        &mut self,
        step: &Step<'_>,
        inputs: Vec<Expression>,
    ) -> Result<Vec<Expression>, ImportError> {
        named_steps(step, "steps")?.iter().try_fold(inputs, |inputs, (_, part)| self.transform(part, inputs))
    }

    /// The last step of a pipeline, and its input.
    pub(super) fn all_but_last<'v>(
        &mut self,
        step: &Step<'v>,
        inputs: Vec<Expression>,
    ) -> Result<(Step<'v>, Vec<Expression>), ImportError> {
        let mut steps = named_steps(step, "steps")?;
        let (_, last) = steps.pop().ok_or_else(|| step.unreadable("steps"))?;
        let inputs = steps.iter().try_fold(inputs, |inputs, (_, part)| self.transform(part, inputs))?;
        Ok((last, inputs))
    }

    pub(super) fn column_transformer(
        &mut self,
        step: &Step<'_>,
        inputs: &[Expression],
    ) -> Result<Vec<Expression>, ImportError> {
        let Value::List(parts) = step.fitted("transformers_")? else { return Err(step.unreadable("transformers_")) };
        check_lookups(step, parts.len())?;
        let mut outputs = Vec::new();
        for part in parts {
            let Value::List(part) = part else { return Err(step.unreadable("transformers_")) };
            let [name, transformer, columns] = part.as_slice() else {
                return Err(step.unreadable("transformers_"));
            };
            let name = name.text().ok_or_else(|| step.unreadable("transformers_"))?;
            let part = step.part(name, transformer);
            if part.text() == Some("drop") {
                continue;
            }
            let positions = self.positions(step, name, columns, inputs.len())?;
            self.count(step, positions.iter().filter_map(|position| inputs.get(*position)))?;
            let selected = positions.iter().map(|position| inputs.get(*position).cloned()).collect::<Option<Vec<_>>>();
            let selected = selected.ok_or_else(|| step.unreadable("transformers_"))?;
            if !selected.is_empty() {
                let made = self.transform(&part, selected)?;
                outputs.extend(weighted(step, name, made)?);
            }
        }
        Ok(outputs)
    }

    /// The positions of the columns of a part of a `ColumnTransformer`.
    fn positions(&self, step: &Step<'_>, name: &str, columns: &Value, width: usize) -> Result<Vec<usize>, ImportError> {
        if let Some(Value::Dict(indices)) = step.get("_transformer_to_input_indices")
            && let Some((_, indices)) = indices.iter().find(|(key, _)| key.text() == Some(name))
        {
            return indices.positions().ok_or_else(|| step.unreadable("_transformer_to_input_indices"));
        }
        let position = |column: &Value| match column {
            Value::Int(position) if *position < 0 => width.checked_sub(usize::try_from(position.unsigned_abs()).ok()?),
            Value::Int(position) => usize::try_from(*position).ok(),
            Value::Str(name) => self.features.position(name),
            _ => None,
        };
        let elements = match columns {
            Value::Int(_) | Value::Str(_) => vec![columns.clone()],
            columns => columns.elements().ok_or_else(|| step.unreadable("transformers_"))?,
        };
        elements.iter().map(position).collect::<Option<_>>().ok_or_else(|| step.unreadable("transformers_"))
    }

    pub(super) fn feature_union(
        &mut self,
        step: &Step<'_>,
        inputs: &[Expression],
    ) -> Result<Vec<Expression>, ImportError> {
        let parts = named_steps(step, "transformer_list")?;
        check_lookups(step, parts.len())?;
        let mut outputs = Vec::new();
        for (name, part) in parts {
            if part.text() == Some("drop") {
                continue;
            }
            self.count(step, inputs)?;
            let transformed = self.transform(&part, inputs.to_vec())?;
            outputs.extend(weighted(step, name, transformed)?);
        }
        Ok(outputs)
    }
}

/// An error if the parts and what is stored by their names are too many to find each other.
fn check_lookups(step: &Step<'_>, parts: usize) -> Result<(), ImportError> {
    let entries = ["_transformer_to_input_indices", "transformer_weights"].map(|attribute| match step.get(attribute) {
        Some(Value::Dict(entries)) => entries.len(),
        _ => 0,
    });
    let most = entries.into_iter().max().unwrap_or(0);
    if parts.saturating_mul(most) > MAX_LOOKUPS { Err(step.too_many_columns()) } else { Ok(()) }
}

/// The named parts of a composition, in order.
fn named_steps<'v>(step: &Step<'v>, attribute: &str) -> Result<Vec<(&'v str, Step<'v>)>, ImportError> {
    let Value::List(parts) = step.fitted(attribute)? else { return Err(step.unreadable(attribute)) };
    let named = |part: &'v Value| match part {
        Value::List(part) => match part.as_slice() {
            [Value::Str(name), value] => Some((name.as_str(), step.part(name, value))),
            _ => None,
        },
        _ => None,
    };
    parts.iter().map(named).collect::<Option<_>>().ok_or_else(|| step.unreadable(attribute))
}

/// The outputs of a part times its weight.
fn weighted(step: &Step<'_>, name: &str, outputs: Vec<Expression>) -> Result<Vec<Expression>, ImportError> {
    let Some(Value::Dict(weights)) = step.get("transformer_weights") else { return Ok(outputs) };
    let Some((_, weight)) = weights.iter().find(|(key, _)| key.text() == Some(name)) else { return Ok(outputs) };
    let weight = weight.number().filter(|weight| weight.is_finite() && *weight != 0.0);
    let weight = weight.ok_or_else(|| step.unreadable("transformer_weights"))?;
    Ok(outputs.into_iter().map(|output| output.scaled(0.0, 1.0 / weight)).collect())
}

impl Walk<'_> {
    /// `FunctionTransformer` of nothing, or of a function that the model file has.
    pub(super) fn function(
        &mut self,
        step: &Step<'_>,
        inputs: Vec<Expression>,
    ) -> Result<Vec<Expression>, ImportError> {
        let Some(function) = step.get("func") else { return Ok(inputs) };
        self.steps.push("FunctionTransformer".to_owned());
        let function = known_function(function).ok_or_else(|| {
            let name = match function {
                Value::Global { module, name } => format!("{module}.{name}"),
                _ => "a function of its own".to_owned(),
            };
            step.error(
                format!("it applies {name}"),
                "apply numpy.log, numpy.log1p or numpy.sqrt, or compute the column before the pipeline and fit to that",
            )
        })?;
        if matches!(step.get("kw_args"), Some(Value::Dict(arguments)) if !arguments.is_empty()) {
            return Err(step.error("it has kw_args", "leave them out"));
        }
        let applied = |input: Expression| {
            let atom = input.plain_feature().ok_or_else(|| {
                let reason = format!("it applies {} to a column that another step has changed", function.name());
                step.error(reason, "apply the function to the features themselves, before other steps")
            })?;
            if let Some(Scalar::Number(value)) = &atom.imputed
                && !function.is_defined(*value)
            {
                let reason = format!("{} is not defined for the imputed value {value}", function.name());
                return Err(step.error(reason, "impute another value"));
            }
            Ok(Expression::atom(Atom { function: Some(function), ..atom.clone() }))
        };
        inputs.into_iter().map(applied).collect()
    }
}

/// The function of a reference to a function of numpy.
pub(super) fn known_function(value: &Value) -> Option<FactorFunction> {
    let Value::Global { module, name } = value else { return None };
    match (module.split('.').next(), name.as_str()) {
        (Some("numpy"), "log") => Some(FactorFunction::Log),
        (Some("numpy"), "log1p") => Some(FactorFunction::Log1p),
        (Some("numpy"), "sqrt") => Some(FactorFunction::Sqrt),
        _ => None,
    }
}
