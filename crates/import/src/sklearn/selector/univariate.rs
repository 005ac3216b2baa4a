//! Selectors by the score or the p-value of each column: `sklearn/feature_selection/_univariate_selection.py`.

use super::super::step::Step;
use super::not_in_file;
use crate::error::ImportError;
use crate::value::Value;

pub(super) fn mask(step: &Step<'_>, width: usize) -> Result<Vec<bool>, ImportError> {
    let number = |name: &str| step.get(name).and_then(Value::number).ok_or_else(|| step.unreadable(name));
    match step.class()? {
        "SelectKBest" => best(step, width, "k"),
        "SelectPercentile" => percentile(step, width, number("percentile")?),
        "SelectFpr" => below(step, width, number("alpha")?),
        "SelectFdr" => false_discovery_rate(step, width, number("alpha")?),
        "SelectFwe" => below(step, width, number("alpha")? / as_float(width)),
        _ => match step.parameter("mode")? {
            Some("k_best") => best(step, width, "param"),
            Some("percentile") => percentile(step, width, number("param")?),
            Some("fpr") => below(step, width, number("param")?),
            Some("fdr") => false_discovery_rate(step, width, number("param")?),
            Some("fwe") => below(step, width, number("param")? / as_float(width)),
            _ => Err(not_in_file(step)),
        },
    }
}

/// The columns with the highest scores; of equal scores the later one.
fn best(step: &Step<'_>, width: usize, parameter: &str) -> Result<Vec<bool>, ImportError> {
    let count = match step.get(parameter) {
        Some(Value::Int(count)) => usize::try_from(*count).map_err(|_| step.unreadable(parameter))?,
        Some(Value::Str(text)) if text == "all" => width,
        _ => return Err(step.unreadable(parameter)),
    };
    let scores = scores(step, width)?;
    let mut order: Vec<usize> = (0..width).collect();
    let score = |position: &usize| scores.get(*position).copied().unwrap_or(f64::MIN);
    order.sort_by(|one, other| score(one).total_cmp(&score(other)));
    let mut mask = vec![false; width];
    for position in order.split_off(width.saturating_sub(count)) {
        if let Some(keep) = mask.get_mut(position) {
            *keep = true;
        }
    }
    Ok(mask)
}

/// The columns above a percentile of the scores, and of those at it the first ones.
#[allow(clippy::float_cmp)]
fn percentile(step: &Step<'_>, width: usize, percent: f64) -> Result<Vec<bool>, ImportError> {
    if percent == 100.0 || percent == 0.0 {
        return Ok(vec![percent == 100.0; width]);
    }
    let scores = scores(step, width)?;
    let threshold = quantile(&scores, (100.0 - percent) / 100.0).ok_or_else(|| step.unreadable("percentile"))?;
    let mut mask: Vec<bool> = scores.iter().map(|score| *score > threshold).collect();
    // A count of columns: truncated as by Python's int().
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let most = (as_float(width) * percent / 100.0) as usize;
    let more = most.saturating_sub(mask.iter().filter(|keep| **keep).count());
    let ties = mask.iter_mut().zip(&scores).filter(|(_, score)| **score == threshold);
    for (keep, _) in ties.take(more) {
        *keep = true;
    }
    Ok(mask)
}

fn below(step: &Step<'_>, width: usize, limit: f64) -> Result<Vec<bool>, ImportError> {
    Ok(step.statistics("pvalues_", width)?.iter().map(|value| *value < limit).collect())
}

/// The procedure of Benjamini and Hochberg.
fn false_discovery_rate(step: &Step<'_>, width: usize, alpha: f64) -> Result<Vec<bool>, ImportError> {
    let values = step.statistics("pvalues_", width)?;
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let allowed = (1..=width).map(|rank| alpha / as_float(width) * as_float(rank));
    let largest =
        sorted.iter().zip(allowed).filter(|(value, allowed)| *value <= allowed).map(|(value, _)| *value).last();
    Ok(values.iter().map(|value| largest.is_some_and(|largest| *value <= largest)).collect())
}

/// The scores; NaN counts as the lowest one.
fn scores(step: &Step<'_>, width: usize) -> Result<Vec<f64>, ImportError> {
    let scores = step.statistics("scores_", width)?;
    Ok(scores.into_iter().map(|score| if score.is_nan() { f64::MIN } else { score }).collect())
}

/// A quantile between two values as numpy interpolates it.
pub(super) fn quantile(values: &[f64], fraction: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = as_float(sorted.len().checked_sub(1)?) * fraction;
    if !(position >= 0.0 && position <= as_float(sorted.len() - 1)) {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let (low, weight) = (position.floor() as usize, position - position.floor());
    let one = *sorted.get(low)?;
    let other = *sorted.get(low + 1).unwrap_or(&one);
    let difference = other - one;
    // The order of operations of numpy.
    #[allow(clippy::suboptimal_flops)]
    Some(if weight >= 0.5 { other - difference * (1.0 - weight) } else { one + difference * weight })
}

/// A number of columns.
#[allow(clippy::cast_precision_loss)]
pub(in super::super) fn as_float(count: usize) -> f64 {
    count as f64
}
