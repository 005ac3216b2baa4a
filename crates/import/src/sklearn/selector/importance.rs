//! `SelectFromModel`: the columns with the largest coefficients, as in `sklearn/feature_selection/_from_model.py`.

use super::super::step::Step;
use super::not_in_file;
use super::univariate::{as_float, quantile};
use crate::error::ImportError;
use crate::value::Value;

pub(super) fn mask(step: &Step<'_>, width: usize) -> Result<Vec<bool>, ImportError> {
    if step.get("estimator_").is_none() && !step.flag("prefit", false)? {
        step.check_fitted("estimator_")?;
    }
    let attribute = if step.get("estimator_").is_some() { "estimator_" } else { "estimator" };
    let estimator = step.child(attribute, "estimator")?;
    // The importance of a tree or a forest is not in its attributes.
    if estimator.get("coef_").is_none() || step.get("importance_getter").and_then(Value::text) != Some("auto") {
        return Err(not_in_file(step));
    }
    let importances = importances(step, &estimator, width)?;
    let threshold = threshold(step, &estimator, &importances)?;
    let mut mask = vec![true; width];
    if step.get("max_features").is_some() {
        let most = step.get("max_features_").or_else(|| step.get("max_features")).and_then(Value::number);
        let most = most.ok_or_else(|| step.unreadable("max_features_"))?;
        let mut order: Vec<usize> = (0..width).collect();
        let importance = |position: &usize| importances.get(*position).copied().unwrap_or(0.0);
        order.sort_by(|one, other| importance(other).total_cmp(&importance(one)));
        for (rank, position) in order.iter().enumerate() {
            if let Some(keep) = mask.get_mut(*position) {
                *keep = as_float(rank) < most;
            }
        }
    }
    Ok(mask.iter().zip(&importances).map(|(keep, importance)| *keep && *importance >= threshold).collect())
}

/// The absolute coefficients, or their norm over the classes.
fn importances(step: &Step<'_>, estimator: &Step<'_>, width: usize) -> Result<Vec<f64>, ImportError> {
    let coefficients = estimator.matrix("coef_", width)?;
    let order = step.number("norm_order")?.unwrap_or(1.0);
    let mut norms = vec![0.0_f64; width];
    for row in coefficients.chunks(width.max(1)) {
        for (norm, coefficient) in norms.iter_mut().zip(row) {
            *norm = match order {
                1.0 => *norm + coefficient.abs(),
                f64::INFINITY => norm.max(coefficient.abs()),
                _ => return Err(not_in_file(step)),
            };
        }
    }
    Ok(norms)
}

fn threshold(step: &Step<'_>, estimator: &Step<'_>, importances: &[f64]) -> Result<f64, ImportError> {
    let reference = |name: &str| match name {
        "mean" => Ok(sum(importances) / as_float(importances.len())),
        "median" => quantile(importances, 0.5).ok_or_else(|| step.unreadable("threshold")),
        _ => Err(step.unreadable("threshold")),
    };
    match step.get("threshold") {
        Some(Value::Str(text)) => match text.split_once('*') {
            Some((scale, name)) => {
                let scale: f64 = scale.trim().parse().map_err(|_| step.unreadable("threshold"))?;
                Ok(scale * reference(name.trim())?)
            }
            None => reference(text),
        },
        Some(value) => value.number().ok_or_else(|| step.unreadable("threshold")),
        None => default_threshold(step, estimator)?.map_or_else(|| reference("mean"), Ok),
    }
}

/// The threshold of estimators that make coefficients zero; `None` for the mean.
fn default_threshold(step: &Step<'_>, estimator: &Step<'_>) -> Result<Option<f64>, ImportError> {
    let class = estimator.class()?;
    let is_one = |name: &str| {
        let ratios = estimator.get(name).and_then(|value| value.floats().or(value.number().map(|ratio| vec![ratio])));
        // The tolerance of numpy.isclose.
        ratios.is_some_and(|ratios| ratios.iter().all(|ratio| (ratio - 1.0).abs() <= 1e-8 + 1e-5))
    };
    if estimator.parameter("penalty")? == Some("l1") || class.contains("Lasso") {
        return Ok(Some(1e-5));
    }
    match class {
        "ElasticNet" => Ok(is_one("l1_ratio").then_some(1e-5)),
        "ElasticNetCV" => Ok(is_one("l1_ratio_").then_some(1e-5)),
        // It depends on the version of scikit-learn.
        "LogisticRegression" | "LogisticRegressionCV" if is_one("l1_ratio") || is_one("l1_ratio_") => {
            Err(not_in_file(step))
        }
        _ => Ok(None),
    }
}

/// The sum in the order of numpy, whose mean can be one of equal values.
fn sum(values: &[f64]) -> f64 {
    match values.len() {
        0..8 => values.iter().sum(),
        8..=128 => {
            let (eights, rest) = values.as_chunks::<8>();
            let mut sums = [0.0; 8];
            for eight in eights {
                for (sum, value) in sums.iter_mut().zip(eight) {
                    *sum += value;
                }
            }
            let pairs = sums.as_chunks::<2>().0.iter().map(|[one, other]| one + other).collect::<Vec<_>>();
            let fours = pairs.as_chunks::<2>().0.iter().map(|[one, other]| one + other);
            rest.iter().fold(fours.sum(), |sum, value| sum + value)
        }
        length => {
            let half = length / 2 - length / 2 % 8;
            let (low, high) = values.split_at(half);
            sum(low) + sum(high)
        }
    }
}
