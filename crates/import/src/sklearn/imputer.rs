//! `SimpleImputer`, also with indicators of missing values.

use ordinate_model::scalar::Scalar;
use ordinate_model::signature::FeatureType;

use super::step::Step;
use crate::error::ImportError;
use crate::expression::{Atom, Expression, TooManyTerms};
use crate::features::Features;
use crate::value::Value;

pub(super) fn impute(
    step: &Step<'_>,
    inputs: &[Expression],
    features: &Features<'_>,
) -> Result<Vec<Expression>, ImportError> {
    match step.get("missing_values") {
        None | Some(Value::Global { .. }) => {}
        Some(Value::Float(value)) if value.is_nan() => {}
        Some(_) => {
            return Err(step.error(
                "its missing_values are other values than NaN and None",
                "replace them by NaN in X before the fit",
            ));
        }
    }
    let statistics = step.elements("statistics_", inputs.len())?;
    let keeps_empty = step.flag("keep_empty_features", false)?;
    let mut outputs = Vec::with_capacity(inputs.len());
    let mut imputed = Vec::with_capacity(inputs.len());
    for (input, statistic) in inputs.iter().zip(&statistics) {
        let is_empty = matches!(statistic, Value::Float(value) if value.is_nan());
        // A column without any value is dropped.
        let atom = match statistic {
            _ if is_empty && !keeps_empty => None,
            _ if is_empty => return Err(step.error("a column has no value at all", "drop the column")),
            statistic => Some(with_value(step, input, statistic, features)?),
        };
        outputs.extend(atom.as_ref().map(|(expression, _)| expression.clone()));
        imputed.push(atom.map(|(_, atom)| atom));
    }
    if let Some(indicator) = step.get("indicator_") {
        let indicator = step.part("indicator", indicator);
        let stored = indicator.fitted("features_")?;
        let fits = stored.length().is_some_and(|length| length <= inputs.len());
        let positions = fits.then(|| stored.positions()).flatten();
        for position in positions.ok_or_else(|| indicator.unreadable("features_"))? {
            let atom =
                imputed.get(position).cloned().flatten().ok_or_else(|| {
                    step.error("it has an indicator of a column without any value", "drop the column")
                })?;
            let plain = Atom { function: None, mean: 0.0, scale: 1.0, missing: true, level: None, ..atom };
            outputs.push(Expression::atom(plain));
        }
    }
    Ok(outputs)
}

/// The input whose feature has an imputed value; and its atom.
fn with_value(
    step: &Step<'_>,
    input: &Expression,
    statistic: &Value,
    features: &Features<'_>,
) -> Result<(Expression, Atom), ImportError> {
    let misplaced = || {
        step.error(
            "it imputes columns that other steps have made",
            "impute the features themselves, before other steps",
        )
    };
    let (atom, mean, scale) = input.scaled_atom().ok_or_else(misplaced)?;
    if !atom.is_plain() {
        return Err(misplaced());
    }
    if atom.imputed.is_some() {
        return Ok((input.clone(), atom.clone()));
    }
    let is_scaled = input.plain_feature().is_none();
    let value = match statistic {
        Value::Str(_) if is_scaled => return Err(misplaced()),
        Value::Str(text) => Scalar::Text(text.clone()),
        statistic => {
            let number = statistic.number().ok_or_else(|| step.unreadable("statistics_"))?;
            if !number.is_finite() {
                return Err(step.not_finite("statistics_"));
            }
            if features.kind(atom.feature) == Some(FeatureType::String) {
                let name = features.name(atom.feature);
                return Err(step.error(format!("it imputes the text {name:?} by a number"), "impute a text"));
            }
            Scalar::Number(if is_scaled { scale.mul_add(number, mean) } else { number })
        }
    };
    if features.kind(atom.feature) == Some(FeatureType::Boolean)
        && let Scalar::Number(number) = value
        && ![0.0, 1.0].contains(&number)
    {
        return between(atom, (mean, scale), number).map_err(|_| step.too_many_columns());
    }
    let atom = Atom { imputed: Some(value), ..atom.clone() };
    Ok((Expression::atom(atom.clone()).scaled(mean, scale), atom))
}

/// A column of true and false whose missing values become another number: 0 in the column, and the number times the
/// indicator of missing values.
fn between(atom: &Atom, (mean, scale): (f64, f64), number: f64) -> Result<(Expression, Atom), TooManyTerms> {
    let atom = Atom { imputed: Some(Scalar::Number(0.0)), ..atom.clone() };
    let missing = Expression::atom(Atom { missing: true, ..atom.clone() });
    let known = Expression::atom(atom.clone()).scaled(mean, scale);
    Ok((Expression::weighted_sum([(1.0, &known), (number / scale, &missing)])?, atom))
}
