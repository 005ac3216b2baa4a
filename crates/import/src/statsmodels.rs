//! Results of statsmodels with a formula: the names of their parameters are the terms of the model.
//!
//! A name is a product of factors: `Intercept`, `age`, `np.log(age)`, `I(age ** 2)`, `city[T.Ulm]`,
//! `C(city, Treatment('Bonn'))[T.Ulm]`, `smokes[T.True]`, joined by `:`.

use ordinate_model::estimator::Coefficients;
use ordinate_model::preprocess::FactorFunction;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{FeatureType, MissingPolicy, UnknownPolicy};

use crate::draft::{Draft, Facts, Output, Regressor, Scores};
use crate::error::ImportError;
use crate::expression::{Atom, Expression};
use crate::features::{Categories, Features};
use crate::value::Value;

/// The model file of results, without golden rows. The object has the names `names` and values `params` of the parameters,
/// the `family` and `link` of a generalised linear model (`Gaussian` and `Identity` for least squares, `Binomial` and
/// `Logit` for logistic regression), and the `categories` of each categorical feature.
///
/// # Errors
/// [`ImportError`]; a term that a model file cannot express is named.
pub fn draft(results: &Value, facts: &Facts) -> Result<Draft, ImportError> {
    let malformed = || ImportError::Malformed("expected the parameters of results with a formula".into());
    let object = results.object().ok_or_else(malformed)?;
    let names = object.get("names").and_then(Value::elements).ok_or_else(malformed)?;
    let values = object.get("params").and_then(Value::floats).filter(|values| values.len() == names.len());
    let values = values.ok_or_else(malformed)?;
    let text = |attribute: &str| object.get(attribute).and_then(Value::text).unwrap_or_default();
    let output = output(text("family"), text("link"))?;
    let mut features = Features::new(&facts.columns);
    let Some(Value::Dict(categories)) = object.get("categories") else { return Err(malformed()) };
    let mut terms = Vec::with_capacity(names.len());
    for name in &names {
        let name = name.text().ok_or_else(malformed)?;
        let factors = split(name).into_iter().map(|factor| factor_of(factor, name, categories, &mut features));
        let factors = factors.collect::<Result<Vec<_>, _>>()?;
        terms.push(Expression::product(&factors).map_err(|_| term(name, "it has too many factors", "leave it out"))?);
    }
    let sum = Expression::weighted_sum(values.into_iter().zip(&terms));
    let sum = sum.map_err(|_| term(&object.name, "the model has too many columns", "use fewer terms"))?;
    let scores = Scores { expressions: vec![sum], output };
    Draft::new(&scores, &features, facts, std::slice::from_ref(&object.name))
}

fn term(name: &str, reason: &str, help: &str) -> ImportError {
    ImportError::Step { step: format!("term {name:?}"), reason: reason.to_owned(), help: help.to_owned() }
}

fn output(family: &str, link: &str) -> Result<Output, ImportError> {
    let value = |family: Regressor, log| Ok(Output::Value { family, log });
    match (family, link) {
        ("Gaussian", "Identity") => value(Coefficients::Linear, false),
        ("Poisson", "Log") => value(Coefficients::Poisson, true),
        ("Gamma", "Log") => value(Coefficients::Gamma, true),
        (_, "Log") => value(Coefficients::Linear, true),
        ("Binomial", "Logit") => Ok(Output::Classes([0, 1].map(Scalar::Integer).to_vec())),
        _ => Err(ImportError::Step {
            step: format!("family {family}"),
            reason: format!("the link {link} is not supported"),
            help: "use the log link, or the logit link of the binomial family".into(),
        }),
    }
}

/// The factors of a name, separated by colons outside of brackets.
fn split(name: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    name.split(|mark: char| {
        match mark {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        mark == ':' && depth == 0
    })
    .collect()
}

fn factor_of(
    factor: &str,
    name: &str,
    categories: &[(Value, Value)],
    features: &mut Features<'_>,
) -> Result<Expression, ImportError> {
    let unknown = || {
        let help = "use features, np.log, np.log1p, np.sqrt, I(x ** 2), and categories with treatment coding";
        term(name, "it is not a product of powers, functions and levels of features", help)
    };
    if factor == "Intercept" {
        return Ok(Expression::constant(1.0));
    }
    let position = |name: &str| features.position(name.trim());
    if let Some(position) = position(factor) {
        return Ok(Expression::atom(Atom::feature(position)));
    }
    if let Some((coded, level)) = factor.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        let column = coded.strip_prefix("C(").and_then(|rest| rest.split([',', ')']).next()).unwrap_or(coded);
        let level = level.strip_prefix("T.").unwrap_or(level);
        return position(column).map_or_else(|| Err(unknown()), |at| indicator(at, level, name, categories, features));
    }
    let (function, argument) = factor.strip_suffix(')').and_then(|rest| rest.split_once('(')).ok_or_else(unknown)?;
    if function == "I" {
        let (column, power) = argument.split_once("**").ok_or_else(unknown)?;
        let power = power.trim().parse::<usize>().ok().filter(|power| (1..=32).contains(power)).ok_or_else(unknown)?;
        let base = Expression::atom(Atom::feature(position(column).ok_or_else(unknown)?));
        return Expression::product(std::iter::repeat_n(&base, power)).map_err(|_| unknown());
    }
    let function = match function.rsplit('.').next() {
        Some("log") => FactorFunction::Log,
        Some("log1p") => FactorFunction::Log1p,
        Some("sqrt") => FactorFunction::Sqrt,
        _ => return Err(unknown()),
    };
    let feature = Atom::feature(position(argument).ok_or_else(unknown)?);
    Ok(Expression::atom(Atom { function: Some(function), ..feature }))
}

/// The indicator of a level.
fn indicator(
    position: usize,
    level: &str,
    name: &str,
    categories: &[(Value, Value)],
    features: &mut Features<'_>,
) -> Result<Expression, ImportError> {
    let feature = Atom::feature(position);
    if features.kind(position) == Some(FeatureType::Boolean) {
        let truth = Expression::atom(feature);
        let falsehood = Expression::weighted_sum([(-1.0, &truth.clone().scaled(1.0, 1.0))]);
        let falsehood = falsehood.map_err(|_| term(name, "it has too many factors", "leave it out"))?;
        return Ok(if level == "True" { truth } else { falsehood });
    }
    let of_feature = categories.iter().find(|(column, _)| column.text() == Some(features.name(position)));
    let levels = of_feature.and_then(|(_, levels)| levels.elements()).unwrap_or_default();
    let levels: Option<Vec<String>> = levels.iter().map(|level| level.text().map(str::to_owned)).collect();
    let mut levels = levels.filter(|levels| levels.iter().any(|known| known == level)).ok_or_else(|| {
        term(name, "its categories are not texts with treatment coding", "make them text, and leave the coding out")
    })?;
    levels.sort_unstable();
    let known = Categories { levels, unknown: UnknownPolicy::Reject, missing: MissingPolicy::Reject };
    features.encode(position, &known);
    Ok(Expression::atom(Atom { level: Some(level.to_owned()), ..feature }))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn names_are_split_at_colons_outside_of_brackets() {
        assert_eq!(
            split("a:C(b, Treatment('x:y'))[T.u:v]:I(c ** 2)"),
            ["a", "C(b, Treatment('x:y'))[T.u:v]", "I(c ** 2)"]
        );
        assert_eq!(split("Intercept"), ["Intercept"]);
    }
}
