//! Scores as sums of terms: the columns of the design, centred and scaled, times their coefficients.
//!
//! The columns of a category or a boolean are one term, which has one value for each level: it is computed here, as the
//! model computes it. All other columns stay `(x − mean) / scale * w`: means and scales are never folded into
//! coefficients.

use std::collections::BTreeMap;

use ordinate_model::Model;
use ordinate_model::date::DatePart;
use ordinate_model::preprocess::{DesignColumn, Factor};
use ordinate_model::signature::FeatureType;

use crate::arithmetic::{self, Arithmetic};
use crate::dialect::Dialect;
use crate::error::ExportError;
use crate::inputs::{Input, State};

/// The operands on one level: SQLite allows expressions of a depth of 1,000, and parsers recurse.
const MOST_OPERANDS: usize = 64;

/// A result that no step of the computation may exceed, far enough below the largest double.
const LARGEST: f64 = 1e300;

/// The scores of a model in a dialect.
pub(crate) struct Scores<'m> {
    model: &'m Model,
    dialect: Dialect,
    inputs: Vec<Input<'m>>,
    /// The columns without a coefficient of zero, by their place in the sum.
    terms: Vec<Term<'m>>,
}

enum Term<'m> {
    /// The columns of a category or boolean, with their values in each of its states.
    States { position: usize, columns: Vec<&'m DesignColumn>, states: Vec<Vec<f64>> },
    /// One other column.
    Column(&'m DesignColumn),
}

/// The weights of a score as a combination of the scores of the model: `Σ factor · score`.
pub(crate) type Combination<'c> = &'c [(usize, f64)];

impl<'m> Scores<'m> {
    /// # Errors
    /// [`ExportError`] for a name or level that the dialect cannot write.
    pub(crate) fn new(model: &'m Model, dialect: Dialect) -> Result<Self, ExportError> {
        let mut scores = Self { model, dialect, inputs: Input::all(model.signature(), dialect)?, terms: Vec::new() };
        let limits = scores.limits();
        scores.inputs.iter_mut().zip(limits).for_each(|(input, limit)| input.limit = limit);
        scores.terms = scores.collect_terms();
        Ok(scores)
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The condition without which the prediction is NULL; `None` if every row is predicted.
    pub(crate) fn guard(&self) -> Option<String> {
        let guards: Vec<String> = self.inputs.iter().filter_map(Input::guard).collect();
        (!guards.is_empty()).then(|| joined(&guards, "\n    AND "))
    }

    /// The number of terms of a score; each value of a category counts.
    pub(crate) fn count_terms(&self) -> usize {
        let count = |term: &Term<'_>| match term {
            Term::States { states, .. } => states.len(),
            Term::Column(_) => 1,
        };
        self.terms.iter().map(count).sum()
    }

    fn columns(&self) -> &'m [DesignColumn] {
        &self.model.document().preprocess.columns
    }

    fn position(&self, factor: &Factor) -> usize {
        self.model.signature().position(&factor.feature).unwrap_or(usize::MAX)
    }

    fn input(&self, position: usize) -> Option<&Input<'m>> {
        self.inputs.get(position)
    }

    /// The coefficients of a column.
    fn weights(&self, column: &DesignColumn) -> &'m [f64] {
        self.model.document().estimator.get(&column.name).unwrap_or(&[])
    }

    /// The only feature of a column, if that is a category or boolean.
    fn only_discrete(&self, column: &DesignColumn) -> Option<usize> {
        let position = self.position(column.product.first()?);
        let is_only = column.product.iter().all(|factor| self.position(factor) == position);
        (is_only && self.input(position)?.is_discrete()).then_some(position)
    }

    fn collect_terms(&self) -> Vec<Term<'m>> {
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, column) in self.columns().iter().enumerate() {
            if let Some(position) = self.only_discrete(column) {
                groups.entry(position).or_default().push(place);
            }
        }
        let mut terms = Vec::new();
        for column in self.columns() {
            match self.only_discrete(column) {
                // At the place of the first column.
                Some(position) => terms.extend(groups.remove(&position).map(|places| self.group(position, &places))),
                None => terms.push(Term::Column(column)),
            }
        }
        terms
    }

    fn group(&self, position: usize, places: &[usize]) -> Term<'m> {
        let columns = places.iter().filter_map(|place| self.columns().get(*place)).collect();
        let states = self.input(position).map(Input::states).unwrap_or_default();
        let states = states.iter().map(|state| self.design_of(position, state, places)).collect();
        Term::States { position, columns, states }
    }

    /// The columns at these places in a state of a feature.
    fn design_of(&self, position: usize, state: &State, places: &[usize]) -> Vec<f64> {
        let signature = self.model.signature();
        let mut row = vec![0.0; signature.frame_width()];
        if let Some(value) = row.get_mut(position) {
            *value = state.value;
        }
        let slot = signature.indicator(position).filter(|_| state.is_missing);
        if let Some(indicator) = slot.and_then(|slot| row.get_mut(slot)) {
            *indicator = 1.0;
        }
        let mut design = Vec::with_capacity(self.columns().len());
        self.model.design().extend_row(&row, &mut design);
        places.iter().map(|place| design.get(*place).copied().unwrap_or(f64::NAN)).collect()
    }

    /// For each feature, the largest magnitude of a number with which no column and no term exceeds [`LARGEST`].
    fn limits(&self) -> Vec<f64> {
        let columns = self.columns();
        let mut limits = vec![LARGEST; self.inputs.len()];
        for column in columns {
            let degree: u32 = column.product.iter().map(|factor| self.degree(factor)).sum();
            if degree == 0 {
                continue;
            }
            let own_scales = column.product.iter().map(|factor| {
                let power = i32::try_from(factor.power.unwrap_or(1)).unwrap_or(1);
                factor.scale.map_or(1.0, |scale| scale.powi(-power).max(1.0))
            });
            let weight: f64 = self.weights(column).iter().map(|weight| weight.abs()).sum();
            let largest = own_scales.product::<f64>() * (weight.max(1.0) / column.scale.min(1.0));
            #[allow(clippy::cast_precision_loss)]
            let terms = columns.len() as f64;
            let limit = (LARGEST / largest / terms).powf(1.0 / f64::from(degree));
            for factor in &column.product {
                if let Some(least) = limits.get_mut(self.position(factor)) {
                    *least = limit.min(*least);
                }
            }
        }
        limits.into_iter().map(power_of_ten).collect()
    }

    /// The number of values that a factor multiplies.
    fn degree(&self, factor: &Factor) -> u32 {
        let is_number = self
            .input(self.position(factor))
            .is_some_and(|input| matches!(input.feature.kind, FeatureType::Double | FeatureType::Long));
        if is_number && !factor.missing && factor.function.is_none() { factor.power.unwrap_or(1) } else { 0 }
    }

    /// A combination of scores as an expression, with its intercept and the offset.
    pub(crate) fn sum(&self, of: Combination<'_>) -> String {
        let combined = |values: &[f64]| -> f64 {
            of.iter().map(|(score, factor)| factor * values.get(*score).copied().unwrap_or(f64::NAN)).sum()
        };
        let mut terms: Vec<String> = Vec::new();
        for term in &self.terms {
            match term {
                Term::Column(column) => {
                    let weight = combined(self.weights(column));
                    terms.extend((weight != 0.0).then(|| self.column_term(column, weight)));
                }
                Term::States { position, columns, states } => {
                    let weights: Vec<f64> = columns.iter().map(|column| combined(self.weights(column))).collect();
                    terms.extend(self.states_term(*position, &weights, states));
                }
            }
        }
        let intercept = combined(self.model.document().estimator.intercepts());
        if intercept != 0.0 || terms.is_empty() {
            terms.push(self.dialect.number(intercept));
        }
        terms.extend(self.offset_term());
        joined(&terms, "\n    + ")
    }

    /// One value for each state of a feature; `None` if all are zero.
    fn states_term(&self, position: usize, weights: &[f64], states: &[Vec<f64>]) -> Option<String> {
        if weights.iter().all(|weight| *weight == 0.0) {
            return None;
        }
        let value = |design: &Vec<f64>| design.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>();
        let values: Vec<String> = states.iter().map(|design| self.dialect.number(value(design))).collect();
        Some(self.input(position)?.choose(&values))
    }

    fn offset_term(&self) -> Option<String> {
        let offset = self.model.document().preprocess.offset.as_ref()?;
        let value = self.input(self.model.signature().position(&offset.feature)?)?.number();
        let value = if offset.log { format!("LN({value})") } else { value };
        Some(format!("({})", Arithmetic::new(self.dialect).minus(&value, offset.mean)))
    }

    /// `(x − mean) / scale * w` of a column that is not of one category or boolean only.
    fn column_term(&self, column: &DesignColumn, weight: f64) -> String {
        let arithmetic = Arithmetic::new(self.dialect);
        let (mut conditions, mut values, mut powers) = (Vec::new(), Vec::new(), Some(Vec::new()));
        for factor in &column.product {
            let Some(input) = self.input(self.position(factor)) else { continue };
            if let Some(condition) = indicator(factor, input).filter(|_| factor.is_plain()) {
                conditions.push(condition);
                continue;
            }
            values.push(self.factor_value(factor, input, &arithmetic));
            let plain = (factor.is_plain() && factor.part.is_none())
                .then(|| arithmetic::Power::new(input, factor.power.unwrap_or(1)));
            powers = powers.zip(plain).map(|(mut powers, plain)| {
                powers.push(plain);
                powers
            });
        }
        let centred = match powers.filter(|powers| !powers.is_empty()) {
            Some(powers) => Some(arithmetic.centred_powers(&powers, column.mean)),
            // Of conditions only, the product is 1 or 0.
            None if values.is_empty() => None,
            None => Some(arithmetic.centred_product(&values, column.mean)),
        };
        let constant = |product: f64| self.dialect.number((product - column.mean) / column.scale * weight);
        let term = centred.map_or_else(
            || constant(1.0),
            |centred| arithmetic.times(&arithmetic.over(&centred, column.scale), weight),
        );
        if conditions.is_empty() {
            return term;
        }
        format!("CASE WHEN {} THEN {term} ELSE {} END", conditions.join(" AND "), constant(0.0))
    }

    fn factor_value(&self, factor: &Factor, input: &Input<'_>, arithmetic: &Arithmetic) -> String {
        if let Some(part) = factor.part {
            return self.date_value(part, input, arithmetic);
        }
        let (mean, scale, power) = (factor.mean.unwrap_or(0.0), factor.scale.unwrap_or(1.0), factor.power.unwrap_or(1));
        if let Some(condition) = indicator(factor, input) {
            let of = |value: f64| {
                let power = i32::try_from(power).unwrap_or(1);
                self.dialect.number(((value - mean) / scale).powi(power))
            };
            return format!("CASE WHEN {condition} THEN {} ELSE {} END", of(1.0), of(0.0));
        }
        let value = match factor.function {
            Some(function) => arithmetic.function(function, &input.number()),
            None => input.number(),
        };
        arithmetic.power(&arithmetic.over(&arithmetic.minus(&value, mean), scale), power)
    }

    fn date_value(&self, part: DatePart, input: &Input<'_>, arithmetic: &Arithmetic) -> String {
        let value = self.dialect.date_part(&input.moment(), part);
        match (part, input.feature.range) {
            (DatePart::Days, Some([first, _])) => arithmetic.minus(&value, first),
            _ => value,
        }
    }
}

/// The condition of a factor whose value, before a mean and scale of its own, is 1 or 0.
fn indicator(factor: &Factor, input: &Input<'_>) -> Option<String> {
    if factor.missing {
        return Some(input.is_imputed());
    }
    if let Some(level) = &factor.level {
        let position = input.feature.levels.binary_search(level).ok()?;
        // A position among levels that fit into memory is exact.
        #[allow(clippy::cast_precision_loss)]
        return Some(input.is(position as f64));
    }
    (input.feature.kind == FeatureType::Boolean).then(|| input.is(1.0))
}

/// The largest power of ten that a number is not below: a short number in the text.
pub(crate) fn power_of_ten(number: f64) -> f64 {
    format!("1e{}", number.log10().floor()).parse().unwrap_or(number)
}

/// Operands with an operator between them, on several levels if there are many.
fn joined(operands: &[String], operator: &str) -> String {
    if operands.len() <= MOST_OPERANDS {
        return operands.join(operator);
    }
    let groups: Vec<String> =
        operands.chunks(MOST_OPERANDS).map(|operands| format!("({})", operands.join(operator))).collect();
    joined(&groups, operator)
}
