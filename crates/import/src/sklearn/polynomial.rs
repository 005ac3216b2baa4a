//! `PolynomialFeatures`: products of powers, in scikit-learn's order.

use super::MAX_WORK;
use super::step::Step;
use crate::error::ImportError;
use crate::expression::Expression;
use crate::value::Value;

/// The most columns that are made.
const MAX_COLUMNS: usize = 20_000;

pub(super) fn expand(step: &Step<'_>, inputs: &[Expression]) -> Result<Vec<Expression>, ImportError> {
    let (lowest, highest) = degrees(step)?;
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
    Ok(outputs)
}

fn degrees(step: &Step<'_>) -> Result<(usize, usize), ImportError> {
    let degree = |value: &Value| match value {
        Value::Int(degree) => usize::try_from(*degree).ok().filter(|degree| *degree <= 32),
        _ => None,
    };
    let value = step.fitted("degree")?;
    let pair = match value {
        Value::List(pair) => match pair.as_slice() {
            [lowest, highest] => degree(lowest).zip(degree(highest)),
            _ => None,
        },
        value => degree(value).map(|highest| (0, highest)),
    };
    pair.ok_or_else(|| step.unreadable("degree"))
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
