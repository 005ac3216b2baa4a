//! Linear regressors, generalised linear models, and transformations of the target.

use ordinate_model::estimator::Coefficients;

use super::step::Step;
use super::{Scores, linear_scores, scaler};
use crate::draft::{Output, Regressor};
use crate::error::ImportError;
use crate::expression::Expression;
use crate::value::Value;

/// The family of a supported regressor.
pub(super) fn family(class: &str) -> Option<Regressor> {
    Some(match class {
        "LinearRegression" | "HuberRegressor" | "TheilSenRegressor" | "SGDRegressor" | "PassiveAggressiveRegressor"
        | "LinearSVR" | "QuantileRegressor" | "Lars" | "LarsCV" | "OrthogonalMatchingPursuit"
        // The family of a Tweedie distribution follows from its parameters.
        | "OrthogonalMatchingPursuitCV" | "TweedieRegressor" => Coefficients::Linear,
        "Ridge" | "RidgeCV" | "BayesianRidge" | "ARDRegression" => Coefficients::Ridge,
        "Lasso" | "LassoCV" | "LassoLars" | "LassoLarsCV" | "LassoLarsIC" | "MultiTaskLasso" | "MultiTaskLassoCV" => {
            Coefficients::Lasso
        }
        "ElasticNet" | "ElasticNetCV" | "MultiTaskElasticNet" | "MultiTaskElasticNetCV" => Coefficients::ElasticNet,
        "PoissonRegressor" => Coefficients::Poisson,
        "GammaRegressor" => Coefficients::Gamma,
        _ => return None,
    })
}

pub(super) fn scores(step: &Step<'_>, family: Regressor, inputs: &[Expression]) -> Result<Scores, ImportError> {
    let expressions = linear_scores(step, inputs)?;
    if expressions.len() != 1 {
        return Err(step.error(format!("it predicts {} targets", expressions.len()), "fit one model for each target"));
    }
    let (family, log) = match step.class()? {
        "PoissonRegressor" | "GammaRegressor" => (family, true),
        "TweedieRegressor" => tweedie(step)?,
        _ => (family, false),
    };
    Ok(Scores::regression(expressions, family, log))
}

/// The family of a Tweedie distribution with its link. The model file has no other distributions than Poisson and
/// gamma with a log link: the predictions of the others are those of a linear model of the logarithm.
#[allow(clippy::float_cmp)]
fn tweedie(step: &Step<'_>) -> Result<(Regressor, bool), ImportError> {
    let power = step.number("power")?.unwrap_or(0.0);
    let (family, log): (Regressor, bool) = match (step.parameter("link")?.unwrap_or("auto"), power) {
        ("identity", _) => (Coefficients::Linear, false),
        ("auto", power) if power <= 0.0 => (Coefficients::Linear, false),
        ("auto" | "log", 1.0) => (Coefficients::Poisson, true),
        ("auto" | "log", 2.0) => (Coefficients::Gamma, true),
        ("auto" | "log", _) => (Coefficients::Linear, true),
        _ => return Err(step.unreadable("link")),
    };
    // Predictions obey the loss of the fit.
    let of_fit = match step.get("_base_loss").and_then(Value::object).map(|loss| loss.name.as_str()) {
        Some("HalfTweedieLoss") => true,
        Some("HalfTweedieLossIdentity") => false,
        Some(_) => return Err(step.unreadable("_base_loss")),
        None => log,
    };
    if of_fit == log {
        Ok((family, log))
    } else {
        Err(step.error("its link or power is not that of the fit", "fit it again with these parameters"))
    }
}

/// The scores of `TransformedTargetRegressor`: back from the logarithm, or from a scaled target.
pub(super) fn transform_target(step: &Step<'_>, scores: Scores) -> Result<Scores, ImportError> {
    let Output::Value { family, log } = scores.output else {
        return Err(step.error("its regressor is a classifier", "use the classifier itself"));
    };
    let transformer = step.child("transformer_", "transformer")?;
    if transformer.class()? != "FunctionTransformer" {
        let (means, scales) = scaler::means_and_scales(&transformer, 1)?;
        if log {
            return Err(step.error("it scales predictions of a log link", "leave the transformer out"));
        }
        let back = |score: Expression| match (means.as_slice(), scales.as_slice()) {
            // The inverse of (y − mean) / scale.
            ([mean], [scale]) => {
                let mut value = Expression::weighted_sum([(*scale, &score)]).map_err(|_| step.too_many_columns())?;
                value.constant += mean;
                Ok(value)
            }
            _ => Err(transformer.unreadable("scale_")),
        };
        let expressions = scores.expressions.into_iter().map(back).collect::<Result<_, _>>()?;
        return Ok(Scores::regression(expressions, family, log));
    }
    match transformer.get("inverse_func") {
        None if transformer.get("func").is_none() => Ok(Scores::regression(scores.expressions, family, log)),
        Some(Value::Global { module, name }) if module.starts_with("numpy") && name == "exp" && !log => {
            Ok(Scores::regression(scores.expressions, family, true))
        }
        _ => Err(step.error(
            "its inverse_func is not numpy.exp",
            "use TransformedTargetRegressor(func=numpy.log, inverse_func=numpy.exp)",
        )),
    }
}
