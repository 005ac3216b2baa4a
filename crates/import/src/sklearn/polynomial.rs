//! `PolynomialFeatures`: products of powers, in scikit-learn's order.

use super::MAX_WORK;
use super::selector::as_float;
use super::step::Step;
use crate::error::ImportError;
use crate::expression::Expression;

/// The most columns that are made.
const MAX_COLUMNS: usize = 20_000;

/// The highest degree: more than a model can use.
const MAX_DEGREE: f64 = 32.0;

pub(super) fn expand(step: &Step<'_>, inputs: &[Expression]) -> Result<Vec<Expression>, ImportError> {
    let (lowest, highest) = (degree(step, "_min_degree")?, degree(step, "_max_degree")?);
    let expected = step.fitted("n_output_features_")?.number();
    let interaction_only = step.flag("interaction_only", false)?;
    let mut outputs = Vec::new();
    // The terms of all products, before equal ones are added.
    let mut work = 0_usize;
    if step.flag("include_bias", true)? {
        outputs.push(Expression::constant(1.0));
    }
    for degree in lowest.max(1)..=highest {
        let mut chosen = Vec::with_capacity(degree);
        combine(inputs.len(), degree, 0, interaction_only, &mut chosen, &mut |positions| {
            if outputs.len() >= MAX_COLUMNS {
                return Err(step.too_many_columns());
            }
            let factors = || positions.iter().filter_map(|position| inputs.get(*position));
            let terms = factors().map(|factor| factor.terms.len() + 1).fold(1, usize::saturating_mul);
            work = work.saturating_add(terms);
            if work > MAX_WORK {
                return Err(step.too_many_columns());
            }
            let product = Expression::product(factors());
            outputs.push(product.map_err(|_| step.too_many_columns())?);
            Ok(())
        })?;
    }
    if expected == Some(as_float(outputs.len())) {
        Ok(outputs)
    } else {
        Err(step.error("its parameters are not those of the fit", "fit it again with these parameters"))
    }
}

/// A degree of the fit: `degree` may have been changed since.
fn degree(step: &Step<'_>, attribute: &str) -> Result<usize, ImportError> {
    let degree = step.fitted(attribute)?.number().filter(|degree| (0.0..=MAX_DEGREE).contains(degree));
    // A whole number of this range.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    degree.map(|degree| degree as usize).ok_or_else(|| step.unreadable(attribute))
}

/// Calls `each` with all combinations of so many columns, with or without repetition, in lexicographic order.
fn combine(
    width: usize,
    degree: usize,
    from: usize,
    interaction_only: bool,
    chosen: &mut Vec<usize>,
    each: &mut impl FnMut(&[usize]) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    if chosen.len() == degree {
        return each(chosen);
    }
    // Without repetition, the columns after the last one must suffice.
    let needed = if interaction_only { degree - chosen.len() - 1 } else { 0 };
    for position in from..width.saturating_sub(needed) {
        chosen.push(position);
        combine(width, degree, position + usize::from(interaction_only), interaction_only, chosen, each)?;
        chosen.pop();
    }
    Ok(())
}
