//! A column of a transformed table as an expression of the features: a constant and a sum of products. All supported
//! transformations are linear in products of features, so that a whole pipeline becomes one such expression, exactly.

use std::fmt::Write as _;

use indexmap::IndexMap;
use ordinate_model::preprocess::FactorFunction;
use ordinate_model::scalar::Scalar;

/// The most products of one expression: a model of more columns is not useful.
const MAX_TERMS: usize = 20_000;

/// One factor of a product: `(function(feature) − mean) / scale`, or the same of an indicator.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Atom {
    /// The position of the column in the input table.
    pub(crate) feature: usize,
    /// The level whose indicator it is.
    pub(crate) level: Option<String>,
    /// Whether it is the indicator of missing values.
    pub(crate) missing: bool,
    pub(crate) function: Option<FactorFunction>,
    pub(crate) mean: f64,
    pub(crate) scale: f64,
    /// The value that replaces a missing one before the function.
    pub(crate) imputed: Option<Scalar>,
}

/// `coefficient · (Π atom^power − mean) / scale`; the product has at least one factor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) product: Vec<(Atom, u32)>,
    pub(crate) mean: f64,
    pub(crate) scale: f64,
    pub(crate) coefficient: f64,
}

/// `constant + Σ terms`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Expression {
    pub(crate) constant: f64,
    pub(crate) terms: Vec<Term>,
}

/// An expression has more products than a model may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooManyTerms;

impl Atom {
    pub(crate) fn feature(feature: usize) -> Self {
        Self { feature, level: None, missing: false, function: None, mean: 0.0, scale: 1.0, imputed: None }
    }

    /// Whether it is a feature as it is, apart from its imputed value.
    pub(crate) fn is_plain(&self) -> bool {
        let Self { level, missing, function, .. } = self;
        level.is_none() && !missing && function.is_none() && self.is_unscaled()
    }

    #[allow(clippy::float_cmp)]
    fn is_unscaled(&self) -> bool {
        self.mean == 0.0 && self.scale == 1.0
    }

    /// Whether it is 0 or 1, so that its powers are itself.
    fn is_indicator(&self) -> bool {
        (self.level.is_some() || self.missing) && self.is_unscaled()
    }

    /// Identifies atoms with the same value, without mean and scale if `scaled` is false.
    fn key(&self, scaled: bool) -> String {
        let Self { feature, level, missing, function, mean, scale, imputed } = self;
        let function = function.map_or("", FactorFunction::name);
        let mut key = format!("{feature}\u{1}{level:?}\u{1}{missing}\u{1}{function}\u{1}{imputed:?}");
        if scaled {
            // Writing to a text cannot fail.
            let _ = write!(key, "\u{1}{:x}\u{1}{:x}", mean.to_bits(), scale.to_bits());
        }
        key
    }
}

impl Term {
    /// Identifies terms with the same product. A single factor has its mean and scale in the term.
    pub(crate) fn key(&self) -> String {
        let is_single = self.single().is_some();
        let factor = |(atom, power): &(Atom, u32)| format!("{}\u{2}{power}", atom.key(!is_single));
        self.product.iter().map(factor).collect::<Vec<_>>().join("\u{3}")
    }

    /// The atom of a product of one factor to the power of 1.
    pub(crate) fn single(&self) -> Option<&Atom> {
        match self.product.as_slice() {
            [(atom, 1)] => Some(atom),
            _ => None,
        }
    }

    /// The same with the mean and scale of a single atom moved to the term.
    pub(crate) fn normalized(mut self) -> Self {
        if let [(atom, 1)] = self.product.as_mut_slice() {
            self.mean = atom.scale.mul_add(self.mean, atom.mean);
            self.scale *= atom.scale;
            (atom.mean, atom.scale) = (0.0, 1.0);
        }
        self
    }

    /// Adds another term of the same product.
    pub(crate) fn merge(&mut self, other: &Self, constant: &mut f64) {
        self.coefficient += other.coefficient * (self.scale / other.scale);
        *constant += other.coefficient * ((self.mean - other.mean) / other.scale);
    }
}

impl Expression {
    pub(crate) fn constant(constant: f64) -> Self {
        Self { constant, terms: Vec::new() }
    }

    pub(crate) fn atom(atom: Atom) -> Self {
        Self { constant: 0.0, terms: vec![Term { product: vec![(atom, 1)], mean: 0.0, scale: 1.0, coefficient: 1.0 }] }
    }

    /// The only term of an expression without a constant and with a coefficient of 1.
    #[allow(clippy::float_cmp)]
    fn only_term(&self) -> Option<&Term> {
        match self.terms.as_slice() {
            [term] if self.constant == 0.0 && term.coefficient == 1.0 => Some(term),
            _ => None,
        }
    }

    /// The atom of an expression that is only a feature, perhaps scaled: `(atom − mean) / scale`.
    pub(crate) fn scaled_atom(&self) -> Option<(&Atom, f64, f64)> {
        let term = self.only_term()?;
        term.single().map(|atom| (atom, term.mean, term.scale))
    }

    /// The atom of an expression that is a feature as it is.
    #[allow(clippy::float_cmp)]
    pub(crate) fn plain_feature(&self) -> Option<&Atom> {
        let (atom, mean, scale) = self.scaled_atom()?;
        (atom.is_plain() && mean == 0.0 && scale == 1.0).then_some(atom)
    }

    /// `(self − mean) / scale`.
    pub(crate) fn scaled(mut self, mean: f64, scale: f64) -> Self {
        if scale > 0.0 && self.only_term().is_some() {
            for term in &mut self.terms {
                term.mean = term.scale.mul_add(mean, term.mean);
                term.scale *= scale;
            }
            return self;
        }
        self.constant = (self.constant - mean) / scale;
        for term in &mut self.terms {
            term.coefficient /= scale;
        }
        self
    }

    /// `Σ weight · expression`.
    pub(crate) fn weighted_sum<'e>(parts: impl IntoIterator<Item = (f64, &'e Self)>) -> Result<Self, TooManyTerms> {
        let mut constant = 0.0;
        let mut terms: IndexMap<String, Term> = IndexMap::new();
        for (weight, expression) in parts {
            constant += weight * expression.constant;
            for term in &expression.terms {
                let term = Term { coefficient: term.coefficient * weight, ..term.clone() }.normalized();
                match terms.get_mut(&term.key()) {
                    Some(sum) => sum.merge(&term, &mut constant),
                    None => {
                        terms.insert(term.key(), term);
                    }
                }
            }
            if terms.len() > MAX_TERMS {
                return Err(TooManyTerms);
            }
        }
        Ok(Self { constant, terms: terms.into_values().collect() })
    }

    /// The product of expressions, multiplied out.
    pub(crate) fn product<'e>(factors: impl IntoIterator<Item = &'e Self>) -> Result<Self, TooManyTerms> {
        let mut product = Self::constant(1.0);
        for factor in factors {
            product = product.times(&factor.in_factors())?;
        }
        Ok(product)
    }

    /// The same with terms that are coefficients times products, without mean and scale.
    fn in_factors(&self) -> Self {
        let mut expanded = Self::constant(self.constant);
        for term in &self.terms {
            let Term { mut product, mean, scale, coefficient } = term.clone();
            if let [(atom, 1)] = product.as_mut_slice() {
                // The centred form keeps the digits that multiplying out would lose.
                atom.mean = atom.scale.mul_add(mean, atom.mean);
                atom.scale *= scale;
                expanded.terms.push(Term { product, mean: 0.0, scale: 1.0, coefficient });
            } else {
                expanded.constant -= coefficient * mean / scale;
                expanded.terms.push(Term { product, mean: 0.0, scale: 1.0, coefficient: coefficient / scale });
            }
        }
        expanded
    }

    /// The product of two expressions whose terms have no mean and scale.
    fn times(&self, other: &Self) -> Result<Self, TooManyTerms> {
        let one = |constant: f64| Term { product: Vec::new(), mean: 0.0, scale: 1.0, coefficient: constant };
        let terms = |expression: &Self| {
            let constant = (expression.constant != 0.0).then(|| one(expression.constant));
            constant.into_iter().chain(expression.terms.iter().cloned()).collect::<Vec<_>>()
        };
        let (left, right) = (terms(self), terms(other));
        if left.len().saturating_mul(right.len()) > MAX_TERMS {
            return Err(TooManyTerms);
        }
        let mut sums: IndexMap<String, Term> = IndexMap::new();
        for (one, other) in left.iter().flat_map(|one| right.iter().map(move |other| (one, other))) {
            let Some(product) = multiply(&one.product, &other.product) else { continue };
            let coefficient = one.coefficient * other.coefficient;
            let term = Term { product, mean: 0.0, scale: 1.0, coefficient };
            let factors = term.product.iter().map(|(atom, power)| format!("{}\u{2}{power}", atom.key(true)));
            let key = factors.collect::<Vec<_>>().join("\u{3}");
            sums.entry(key).and_modify(|sum| sum.coefficient += coefficient).or_insert(term);
        }
        let constant = sums.shift_remove("").map_or(0.0, |term| term.coefficient);
        Ok(Self { constant, terms: sums.into_values().collect() })
    }
}

/// The factors of the product of two products; `None` if it is always 0, because a feature has only one level.
fn multiply(one: &[(Atom, u32)], other: &[(Atom, u32)]) -> Option<Vec<(Atom, u32)>> {
    let mut product = one.to_vec();
    for (atom, power) in other {
        let key = atom.key(true);
        if let Some((own, own_power)) = product.iter_mut().find(|(own, _)| own.key(true) == key) {
            if !own.is_indicator() {
                *own_power += power;
            }
            continue;
        }
        let excludes = |own: &Atom| {
            own.feature == atom.feature && own.is_indicator() && atom.is_indicator() && own.level.is_some()
        };
        if atom.level.is_some() && product.iter().any(|(own, _)| excludes(own)) {
            return None;
        }
        product.push((atom.clone(), *power));
    }
    product.sort_by_cached_key(|(atom, _)| (atom.feature, atom.key(true)));
    Some(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(expression: &Expression, row: &[f64]) -> f64 {
        let factor = |(atom, power): &(Atom, u32)| {
            let value = atom.function.map_or(row[atom.feature], |function| function.apply(row[atom.feature]));
            ((value - atom.mean) / atom.scale).powi(i32::try_from(*power).unwrap())
        };
        let term = |term: &Term| {
            term.coefficient * (term.product.iter().map(factor).product::<f64>() - term.mean) / term.scale
        };
        expression.constant + expression.terms.iter().map(term).sum::<f64>()
    }

    #[test]
    fn scaled_sums_and_products_have_the_values_of_their_parts() {
        let [x, y] = [0, 1].map(|feature| Expression::atom(Atom::feature(feature)));
        let z = x.clone().scaled(3.0, 2.0);
        let sum = Expression::weighted_sum([(2.0, &z), (-1.0, &x), (0.5, &y)]).unwrap().scaled(1.0, 4.0);
        let product = Expression::product([&sum, &z, &sum]).unwrap();
        let nested = Expression::product([&product.clone().scaled(0.25, 3.0), &y]).unwrap();
        for row in [[1.0, 2.0], [-3.5, 0.25], [10.0, -7.0]] {
            let z = (row[0] - 3.0) / 2.0;
            let sum_value = (2.0 * z - row[0] + 0.5 * row[1] - 1.0) / 4.0;
            let near = |got: f64, expected: f64| {
                assert!((got - expected).abs() < 1e-12 * expected.abs().max(1.0), "{got} {expected}");
            };
            near(evaluate(&sum, &row), sum_value);
            near(evaluate(&product, &row), sum_value * z * sum_value);
            near(evaluate(&nested, &row), (sum_value * z * sum_value - 0.25) / 3.0 * row[1]);
        }
    }

    #[test]
    fn levels_of_one_feature_exclude_each_other() {
        let level = |level: &str| Expression::atom(Atom { level: Some(level.into()), ..Atom::feature(0) });
        let (red, blue) = (level("red"), level("blue"));
        assert_eq!(Expression::product([&red, &blue]).unwrap(), Expression::constant(0.0));
        assert_eq!(Expression::product([&red, &red]).unwrap(), red);
    }

    #[test]
    fn expressions_are_limited() {
        let sum = |from: usize| {
            let parts: Vec<_> = (from..from + 200).map(|i| Expression::atom(Atom::feature(i))).collect();
            Expression::weighted_sum(parts.iter().map(|part| (1.0, part))).unwrap()
        };
        assert!(Expression::product([&sum(0), &sum(200)]).is_err());
    }
}
