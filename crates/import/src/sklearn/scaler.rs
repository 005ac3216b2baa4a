//! Scalers: `(x − mean) / scale`.

use super::step::Step;
use crate::error::ImportError;
use crate::expression::Expression;

/// The largest column, in ranges, of which scikit-learn's `MinMaxScaler` keeps enough digits.
const MAX_SHIFT: f64 = 1000.0;

pub(super) fn scale(step: &Step<'_>, inputs: Vec<Expression>) -> Result<Vec<Expression>, ImportError> {
    let (means, scales) = means_and_scales(step, inputs.len())?;
    let all = inputs.into_iter().zip(means.into_iter().zip(scales));
    Ok(all.map(|(input, (mean, scale))| input.scaled(mean, scale)).collect())
}

/// The mean and the divisor of each column.
pub(super) fn means_and_scales(step: &Step<'_>, width: usize) -> Result<(Vec<f64>, Vec<f64>), ImportError> {
    // A scaler obeys its parameters also after the fit: one that does not centre may still have means.
    let switched = |parameter: &str, attribute: &str, otherwise: f64| {
        step.check_fitted(attribute)?;
        let is_on = step.flag(parameter, step.get(attribute).is_some())?;
        if is_on { step.vector(attribute, width) } else { Ok(vec![otherwise; width]) }
    };
    let (means, scales) = match step.class()? {
        "StandardScaler" => (switched("with_mean", "mean_", 0.0)?, switched("with_std", "scale_", 1.0)?),
        "RobustScaler" => (switched("with_centering", "center_", 0.0)?, switched("with_scaling", "scale_", 1.0)?),
        "MaxAbsScaler" | "MinMaxScaler" if step.flag("clip", false)? => return Err(clips(step)),
        "MaxAbsScaler" => (vec![0.0; width], step.vector("scale_", width)?),
        // x · scale_ + min_.
        "MinMaxScaler" => {
            let (scales, shifts) = (step.vector("scale_", width)?, step.vector("min_", width)?);
            let means = scales.iter().zip(&shifts).map(|(scale, shift)| -shift / scale).collect();
            (means, scales.iter().map(|scale| 1.0 / scale).collect())
        }
        _ => return Err(step.error("it is not a scaler", "use StandardScaler")),
    };
    let usable =
        means.iter().all(|mean| mean.is_finite()) && scales.iter().all(|scale| scale.is_finite() && *scale > 0.0);
    if usable { Ok((means, scales)) } else { Err(step.unreadable("scale_")) }
}

/// A line about a `MinMaxScaler` of columns that are far larger than their range: scikit-learn's `x · scale_ + min_` is a
/// difference of large numbers, whose last digits are lost.
pub(super) fn lost_digits(step: &Step<'_>) -> Option<String> {
    let shifts = step.get("min_").filter(|_| matches!(step.class(), Ok("MinMaxScaler")))?.floats()?;
    let largest = shifts.iter().map(|shift| shift.abs()).fold(0.0, f64::max);
    (largest > MAX_SHIFT && largest.is_finite()).then(|| {
        format!(
            "{}: a column is {largest:.0} times as large as its range, so that x · scale_ + min_ loses its last digits: \
             predictions can differ from scikit-learn's from the 12th digit on; StandardScaler keeps the digits",
            step.name()
        )
    })
}

fn clips(step: &Step<'_>) -> ImportError {
    step.error("it clips values", "fit it with clip=False")
}
