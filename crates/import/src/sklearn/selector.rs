//! Feature selectors: some of the columns.

use super::step::Step;
use crate::error::ImportError;
use crate::expression::Expression;
use crate::value::Value;

/// The attribute in which Python passes what `get_support()` returns.
const SUPPORT: &str = "_support_mask";

pub(super) fn is_selector(class: &str) -> bool {
    matches!(
        class,
        "SelectKBest"
            | "SelectPercentile"
            | "SelectFpr"
            | "SelectFdr"
            | "SelectFwe"
            | "GenericUnivariateSelect"
            | "SelectFromModel"
            | "VarianceThreshold"
            | "RFE"
            | "RFECV"
            | "SequentialFeatureSelector"
    )
}

pub(super) fn select(step: &Step<'_>, inputs: Vec<Expression>) -> Result<Vec<Expression>, ImportError> {
    let mask = mask(step, inputs.len())?;
    Ok(inputs.into_iter().zip(mask).filter(|(_, keep)| *keep).map(|(input, _)| input).collect())
}

fn mask(step: &Step<'_>, width: usize) -> Result<Vec<bool>, ImportError> {
    if let Some(stored) = step.get(SUPPORT).or_else(|| step.get("support_")) {
        let bools = stored.elements().unwrap_or_default().into_iter().map(|value| match value {
            Value::Bool(keep) => Some(keep),
            _ => None,
        });
        let bools: Option<Vec<bool>> = bools.collect();
        return bools.filter(|mask| mask.len() == width).ok_or_else(|| step.unreadable("support_"));
    }
    match step.class()? {
        "VarianceThreshold" => {
            let threshold = step.get("threshold").and_then(Value::number).unwrap_or(0.0);
            Ok(step.vector("variances_", width)?.iter().map(|variance| *variance > threshold).collect())
        }
        "SelectKBest" => best(step, width),
        _ => Err(step.error(
            "the file does not contain which columns it selects",
            "export the model from Python with ordinate.from_sklearn",
        )),
    }
}

/// The columns with the highest scores; of equal scores the later one, as in scikit-learn.
fn best(step: &Step<'_>, width: usize) -> Result<Vec<bool>, ImportError> {
    let count = match step.get("k") {
        Some(Value::Int(count)) => usize::try_from(*count).map_err(|_| step.unreadable("k"))?,
        _ => width,
    };
    let scores = step.vector("scores_", width)?;
    let mut order: Vec<usize> = (0..width).collect();
    // NaN counts as the lowest score.
    let score = |position: &usize| scores.get(*position).copied().filter(|score| !score.is_nan()).unwrap_or(f64::MIN);
    order.sort_by(|one, other| score(one).total_cmp(&score(other)));
    let chosen = order.split_off(width.saturating_sub(count));
    Ok((0..width).map(|position| chosen.contains(&position)).collect())
}
