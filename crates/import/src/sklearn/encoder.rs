//! `OneHotEncoder`: an indicator of each category, apart from dropped ones; infrequent categories share one indicator.

use std::collections::HashSet;

use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{MissingPolicy, OTHER_LEVEL, UnknownPolicy};

use super::step::Step;
use crate::error::ImportError;
use crate::expression::{Atom, Expression, TooManyTerms};
use crate::features::{Categories, Features};
use crate::value::Value;

/// The most categories of all columns: more than a model file can have.
const MAX_CATEGORIES: usize = 1 << 17;

/// The category of a column in its encoder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Category<'c> {
    Text(&'c str),
    Boolean(bool),
    Missing,
}

pub(super) fn encode(
    step: &Step<'_>,
    inputs: &[Expression],
    features: &mut Features<'_>,
) -> Result<Vec<Expression>, ImportError> {
    let categories = step.elements("categories_", inputs.len())?;
    if categories.iter().filter_map(Value::length).sum::<usize>() > MAX_CATEGORIES {
        return Err(step.too_many_columns());
    }
    let mut outputs = Vec::new();
    for (column, (input, categories)) in inputs.iter().zip(&categories).enumerate() {
        let atom = input.plain_feature().ok_or_else(|| {
            step.error("it encodes a column that another step has changed", "encode the features themselves")
        })?;
        let categories = categories.elements().ok_or_else(|| step.unreadable("categories_"))?;
        let encoder = Encoder { step, column, atom, unknown: unknown(step)? };
        outputs.extend(encoder.encode(&categories, features)?);
    }
    Ok(outputs)
}

/// The treatment of unknown categories by an encoder that has infrequent ones.
fn unknown(step: &Step<'_>) -> Result<UnknownPolicy, ImportError> {
    Ok(match step.parameter("handle_unknown")? {
        Some("infrequent_if_exist" | "warn") => UnknownPolicy::Other,
        Some("ignore") => UnknownPolicy::Ignore,
        _ => UnknownPolicy::Reject,
    })
}

/// A name for missing values among the levels of a feature: a missing-value marker, so that a text of this name in a row is
/// a missing value, too, and not one of the categories.
fn marker(categories: &[Category<'_>]) -> String {
    let mut marker = "nan".to_owned();
    while categories.contains(&Category::Text(&marker)) {
        marker.insert(0, ' ');
    }
    marker
}

/// One column of an encoder.
struct Encoder<'s, 'v> {
    step: &'s Step<'v>,
    column: usize,
    atom: &'s Atom,
    unknown: UnknownPolicy,
}

impl Encoder<'_, '_> {
    fn encode(&self, categories: &[Value], features: &mut Features<'_>) -> Result<Vec<Expression>, ImportError> {
        let name = features.name(self.atom.feature).to_owned();
        let categories =
            categories.iter().map(|category| self.category(category, &name)).collect::<Result<Vec<_>, _>>()?;
        if categories.iter().filter(|category| **category == Category::Missing).count() > 1 {
            let reason = format!("{name:?} has the categories None and NaN, which are one in a model file");
            let help =
                format!("fit it again with one of them: X[{name:?}] = X[{name:?}].where(X[{name:?}].notna(), None)");
            return Err(self.step.error(reason, help));
        }
        let infrequent = self.infrequent()?;
        self.check_mapping(categories.len(), &infrequent)?;
        if categories.iter().any(|category| matches!(category, Category::Boolean(_))) {
            features.mark_boolean(self.atom.feature);
            return self.booleans(&categories, &name, &infrequent);
        }
        let dropped = self.dropped()?;
        // The groups of categories in the order of the encoder's columns: the infrequent ones together come last.
        let is_infrequent: HashSet<&usize> = infrequent.iter().collect();
        let frequent = (0..categories.len()).filter(|position| !is_infrequent.contains(position));
        let mut groups: Vec<Vec<usize>> = frequent.map(|one| vec![one]).collect();
        if !infrequent.is_empty() {
            groups.push(infrequent.clone());
        }
        let last_is_kept = !infrequent.is_empty() && dropped != Some(groups.len() - 1);
        let levels = Levels::new(&categories, &groups, self.unknown, last_is_kept);
        if !features.encode(self.atom.feature, &levels.categories()) {
            let reason = format!("another encoder has other categories of {name:?}");
            return Err(self.step.error(reason, "encode each feature once"));
        }
        let kept = (0..groups.len()).filter(|position| Some(*position) != dropped);
        let outputs = kept.map(|position| {
            let sum = levels.column(position, |level| self.indicator(level));
            sum.map_err(|_| self.step.too_many_columns())
        });
        outputs.collect()
    }

    fn indicator(&self, level: &str) -> Expression {
        Expression::atom(Atom { level: Some(level.to_owned()), ..self.atom.clone() })
    }

    fn category<'c>(&self, category: &'c Value, name: &str) -> Result<Category<'c>, ImportError> {
        match category {
            Value::Str(text) => Ok(Category::Text(text)),
            Value::Bool(value) => Ok(Category::Boolean(*value)),
            Value::None => Ok(Category::Missing),
            Value::Float(value) if value.is_nan() => Ok(Category::Missing),
            _ => Err(self.step.error(
                format!("the categories of {name:?} are numbers"),
                format!("make it text before the fit: X[{name:?}] = X[{name:?}].astype(str)"),
            )),
        }
    }

    /// The positions of the infrequent categories.
    fn infrequent(&self) -> Result<Vec<usize>, ImportError> {
        let is_enabled = self.step.flag("_infrequent_enabled", false)?;
        let Some(Value::List(all)) = self.step.get("_infrequent_indices").filter(|_| is_enabled) else {
            return Ok(Vec::new());
        };
        match all.get(self.column) {
            None | Some(Value::None) => Ok(Vec::new()),
            Some(indices) => indices.positions().ok_or_else(|| self.step.unreadable("_infrequent_indices")),
        }
    }

    /// Checks that the encoder itself groups the categories as `_infrequent_indices` does: it obeys another attribute.
    fn check_mapping(&self, count: usize, infrequent: &[usize]) -> Result<(), ImportError> {
        const MAPPINGS: &str = "_default_to_infrequent_mappings";
        let is_enabled = self.step.flag("_infrequent_enabled", false)?;
        let Some(stored) = self.step.get(MAPPINGS).filter(|_| is_enabled) else { return Ok(()) };
        let is_infrequent: HashSet<&usize> = infrequent.iter().collect();
        let last = count.saturating_sub(is_infrequent.len());
        let mut ranks = 0..last;
        let expected: Vec<usize> = (0..count)
            .map(|position| if is_infrequent.contains(&position) { last } else { ranks.next().unwrap_or(last) })
            .collect();
        let Value::List(all) = stored else { return Err(self.step.unreadable(MAPPINGS)) };
        let is_equal = match all.get(self.column) {
            Some(Value::None) => infrequent.is_empty(),
            Some(mapping) => !infrequent.is_empty() && mapping.positions() == Some(expected),
            None => false,
        };
        if is_equal { Ok(()) } else { Err(self.step.unreadable(MAPPINGS)) }
    }

    /// The position of the dropped group, after infrequent categories were grouped.
    fn dropped(&self) -> Result<Option<usize>, ImportError> {
        // Before 1.3, `drop_idx_` was the position after grouping.
        const AFTER_GROUPING: &str = "_drop_idx_after_grouping";
        let is_none = |attribute: &str| self.step.get(attribute).is_none();
        if self.step.has(AFTER_GROUPING) && is_none(AFTER_GROUPING) != is_none("drop_idx_") {
            return Err(self.step.unreadable(AFTER_GROUPING));
        }
        let after_grouping = self.step.get(AFTER_GROUPING).or_else(|| self.step.get("drop_idx_"));
        let Some(indices) = after_grouping else { return Ok(None) };
        let unreadable = || self.step.unreadable("drop_idx_");
        match indices.elements().ok_or_else(unreadable)?.get(self.column) {
            Some(Value::None) => Ok(None),
            Some(Value::Int(position)) => usize::try_from(*position).map(Some).map_err(|_| unreadable()),
            _ => Err(unreadable()),
        }
    }

    /// The columns of `False`, `True` and missing values: 1 − x − m, x and m.
    fn booleans(
        &self,
        categories: &[Category<'_>],
        name: &str,
        infrequent: &[usize],
    ) -> Result<Vec<Expression>, ImportError> {
        let text = || format!("make it text before the fit: X[{name:?}] = X[{name:?}].astype(str)");
        let ignores = self.unknown != UnknownPolicy::Reject;
        let has = |category: Category<'_>| categories.contains(&category);
        let has_both = has(Category::Boolean(false)) && has(Category::Boolean(true));
        if !has_both && !ignores {
            let reason = format!("the categories of {name:?} are not both False and True");
            return Err(self.step.error(reason, text()));
        }
        if !infrequent.is_empty() {
            return Err(self.step.error("it groups False and True as infrequent", text()));
        }
        let dropped = self.dropped()?;
        let accepts_missing = self.atom.imputed.is_none() && (has(Category::Missing) || ignores);
        // A missing value is 0 in x.
        let imputed = if accepts_missing { Some(Scalar::Number(0.0)) } else { self.atom.imputed.clone() };
        let atom = Atom { imputed, ..self.atom.clone() };
        let missing = Expression::atom(Atom { missing: true, ..atom.clone() });
        let truth = Expression::atom(atom);
        let column = |category: &Category<'_>| match category {
            Category::Boolean(true) => Ok(truth.clone()),
            Category::Missing => Ok(missing.clone()),
            _ => {
                let falsehood = truth.clone().scaled(1.0, 1.0);
                let of_missing = if accepts_missing { -1.0 } else { 0.0 };
                let parts =
                    [(-1.0, &falsehood), (of_missing, &missing)].into_iter().filter(|(weight, _)| *weight != 0.0);
                Expression::weighted_sum(parts).map_err(|_| self.step.too_many_columns())
            }
        };
        let kept = categories.iter().enumerate().filter(|(position, _)| Some(*position) != dropped);
        kept.map(|(_, category)| column(category)).collect()
    }
}

/// The levels of a feature with the categories of an encoder, in the groups of its columns.
struct Levels {
    groups: Vec<Vec<String>>,
    unknown: UnknownPolicy,
    missing: MissingPolicy,
    /// Whether the last column is 1 where no other one is: the feature has no level for unknown categories.
    last_is_rest: bool,
}

impl Levels {
    fn new(categories: &[Category<'_>], groups: &[Vec<usize>], unknown: UnknownPolicy, last_is_kept: bool) -> Self {
        let marker = marker(categories);
        let level = |category: &Category<'_>| match category {
            Category::Text(text) => Some((*text).to_owned()),
            Category::Missing => Some(marker.clone()),
            Category::Boolean(_) => None,
        };
        let group = |group: &Vec<usize>| group.iter().filter_map(|at| categories.get(*at)).filter_map(level).collect();
        let mut groups: Vec<Vec<String>> = groups.iter().map(group).collect();
        let is_other = |group: &Vec<String>| group.iter().any(|level| level == OTHER_LEVEL);
        let (mut unknown, mut last_is_rest) = (unknown, false);
        if unknown == UnknownPolicy::Other {
            // Unknown categories belong to the infrequent ones, which are the last group.
            match groups.split_last_mut() {
                Some((_, frequent)) if last_is_kept && frequent.iter().any(is_other) => {
                    (unknown, last_is_rest) = (UnknownPolicy::Ignore, true);
                }
                Some((last, _)) if last_is_kept => {
                    if !is_other(last) {
                        last.push(OTHER_LEVEL.to_owned());
                    }
                }
                _ => unknown = UnknownPolicy::Ignore,
            }
        }
        let missing = match unknown {
            _ if categories.contains(&Category::Missing) => MissingPolicy::Category(marker),
            UnknownPolicy::Reject => MissingPolicy::Reject,
            // A missing value is an unknown category.
            UnknownPolicy::Ignore | UnknownPolicy::Other => MissingPolicy::Impute(Scalar::Text(marker)),
        };
        Self { groups, unknown, missing, last_is_rest }
    }

    /// The levels and policies of the feature.
    fn categories(&self) -> Categories {
        let mut levels: Vec<String> = self.groups.concat();
        levels.sort_unstable();
        Categories { levels, unknown: self.unknown, missing: self.missing.clone() }
    }

    /// The column of a group, with the indicator of each level.
    fn column(&self, group: usize, indicator: impl Fn(&str) -> Expression) -> Result<Expression, TooManyTerms> {
        let is_rest = self.last_is_rest && group + 1 == self.groups.len();
        let (start, weight) = if is_rest { (1.0, -1.0) } else { (0.0, 1.0) };
        let groups = self.groups.iter().enumerate().filter(|(position, _)| (*position == group) != is_rest);
        let levels: Vec<Expression> = groups.flat_map(|(_, levels)| levels).map(|level| indicator(level)).collect();
        let constant = Expression::constant(start);
        let parts = levels.iter().map(|level| (weight, level));
        Expression::weighted_sum(std::iter::once((1.0, &constant)).chain(parts))
    }
}
