//! Feature selectors: some of the columns. Python passes which ones; of a file they are computed as scikit-learn does.

mod importance;
mod univariate;

pub(super) use univariate::as_float;

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
    if let Some(attribute) = [SUPPORT, "support_"].into_iter().find(|attribute| step.get(attribute).is_some()) {
        let bools = step.elements(attribute, width)?.into_iter().map(|value| match value {
            Value::Bool(keep) => Some(keep),
            _ => None,
        });
        let bools: Option<Vec<bool>> = bools.collect();
        return bools.ok_or_else(|| step.unreadable("support_"));
    }
    match step.class()? {
        "VarianceThreshold" => {
            let threshold = step.number("threshold")?.unwrap_or(0.0);
            Ok(step.statistics("variances_", width)?.iter().map(|variance| *variance > threshold).collect())
        }
        "SelectFromModel" => importance::mask(step, width),
        "SelectKBest" | "SelectPercentile" | "SelectFpr" | "SelectFdr" | "SelectFwe" | "GenericUnivariateSelect" => {
            univariate::mask(step, width)
        }
        _ => Err(not_in_file(step)),
    }
}

fn not_in_file(step: &Step<'_>) -> ImportError {
    step.error(
        "the file does not contain which columns it selects",
        "export the model from Python with ordinate.from_sklearn",
    )
}
