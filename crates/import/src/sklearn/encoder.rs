//! `OneHotEncoder`: an indicator of each category, apart from dropped ones; infrequent categories share one indicator.

use std::collections::HashSet;

use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{MISSING_LEVEL, MissingPolicy, OTHER_LEVEL, UnknownPolicy};

use super::step::Step;
use crate::error::ImportError;
use crate::expression::{Atom, Expression};
use crate::features::{Categories, Features};
use crate::value::Value;

/// The most categories of all columns: more than a model file can have.
const MAX_CATEGORIES: usize = 1 << 17;

/// The category of a column in its encoder.
enum Category {
    Text(String),
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
        let encoder = Encoder { step, column, atom };
        outputs.extend(encoder.encode(&categories, features)?);
    }
    Ok(outputs)
}

/// One column of an encoder.
struct Encoder<'s, 'v> {
    step: &'s Step<'v>,
    column: usize,
    atom: &'s Atom,
}

impl Encoder<'_, '_> {
    fn encode(&self, categories: &[Value], features: &mut Features<'_>) -> Result<Vec<Expression>, ImportError> {
        let name = features.name(self.atom.feature).to_owned();
        let categories =
            categories.iter().map(|category| self.category(category, &name)).collect::<Result<Vec<_>, _>>()?;
        let infrequent = self.infrequent()?;
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
        let infrequent_is_kept = !infrequent.is_empty() && dropped != Some(groups.len() - 1);
        let known = self.categories(&categories, infrequent_is_kept)?;
        let has_other = known.unknown == UnknownPolicy::Other;
        if !features.encode(self.atom.feature, &known) {
            let reason = format!("another encoder has other categories of {name:?}");
            return Err(self.step.error(reason, "encode each feature once"));
        }
        let kept = groups.iter().enumerate().filter(|(position, _)| Some(*position) != dropped);
        let outputs = kept.map(|(_, group)| {
            let is_infrequent = *group == infrequent;
            let levels = group.iter().filter_map(|position| categories.get(*position)).filter_map(Category::level);
            let other = (is_infrequent && has_other).then(|| OTHER_LEVEL.to_owned());
            let atoms: Vec<_> = levels.chain(other).map(|level| self.indicator(level)).collect();
            let sum = Expression::weighted_sum(atoms.iter().map(|atom| (1.0, atom)));
            sum.map_err(|_| self.step.too_many_columns())
        });
        outputs.collect()
    }

    fn indicator(&self, level: String) -> Expression {
        Expression::atom(Atom { level: Some(level), ..self.atom.clone() })
    }

    fn category(&self, category: &Value, name: &str) -> Result<Category, ImportError> {
        match category {
            // An imputed value of this name is a missing value in the model file, too.
            Value::Str(text)
                if [MISSING_LEVEL, OTHER_LEVEL].contains(&text.as_str())
                    && self.atom.imputed != Some(Scalar::Text(text.clone())) =>
            {
                Err(self.step.error(
                    format!("{name:?} has the category {text:?}, which is reserved"),
                    format!("rename it before the fit: X[{name:?}] = X[{name:?}].replace({text:?}, \"other text\")"),
                ))
            }
            Value::Str(text) => Ok(Category::Text(text.clone())),
            Value::Bool(value) => Ok(Category::Boolean(*value)),
            Value::None => Ok(Category::Missing),
            Value::Float(value) if value.is_nan() => Ok(Category::Missing),
            _ => Err(self.step.error(
                format!("the categories of {name:?} are numbers"),
                format!("make it text before the fit: X[{name:?}] = X[{name:?}].astype(str)"),
            )),
        }
    }

    /// The levels and policies of the feature.
    fn categories(&self, categories: &[Category], infrequent_is_kept: bool) -> Result<Categories, ImportError> {
        let step = self.step;
        let unknown = match step.parameter("handle_unknown")? {
            Some("infrequent_if_exist" | "warn") if infrequent_is_kept => UnknownPolicy::Other,
            Some("ignore" | "infrequent_if_exist" | "warn") => UnknownPolicy::Ignore,
            _ => UnknownPolicy::Reject,
        };
        let mut levels: Vec<String> = categories.iter().filter_map(Category::level).collect();
        levels.extend((unknown == UnknownPolicy::Other).then(|| OTHER_LEVEL.to_owned()));
        levels.sort_unstable();
        let has_missing = categories.iter().any(|category| matches!(category, Category::Missing));
        let missing = match unknown {
            _ if has_missing => MissingPolicy::Category(MISSING_LEVEL.to_owned()),
            UnknownPolicy::Reject => MissingPolicy::Reject,
            // A missing value is an unknown category.
            UnknownPolicy::Ignore | UnknownPolicy::Other => {
                MissingPolicy::Impute(Scalar::Text(MISSING_LEVEL.to_owned()))
            }
        };
        if levels.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
            return Err(step.error("two categories have the same name", "replace None by NaN in X before the fit"));
        }
        Ok(Categories { levels, unknown, missing })
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

    /// The position of the dropped group, after infrequent categories were grouped.
    fn dropped(&self) -> Result<Option<usize>, ImportError> {
        // Before 1.3, `drop_idx_` was the position after grouping.
        let after_grouping = self.step.get("_drop_idx_after_grouping").or_else(|| self.step.get("drop_idx_"));
        let Some(indices) = after_grouping else { return Ok(None) };
        let unreadable = || self.step.unreadable("drop_idx_");
        match indices.elements().ok_or_else(unreadable)?.get(self.column) {
            Some(Value::None) => Ok(None),
            Some(Value::Int(position)) => usize::try_from(*position).map(Some).map_err(|_| unreadable()),
            _ => Err(unreadable()),
        }
    }

    /// The columns of `False` and `True`: 1 − x and x.
    fn booleans(
        &self,
        categories: &[Category],
        name: &str,
        infrequent: &[usize],
    ) -> Result<Vec<Expression>, ImportError> {
        let [Category::Boolean(false), Category::Boolean(true)] = categories else {
            let reason = format!("the categories of {name:?} are not exactly False and True");
            return Err(self.step.error(reason, "make it text before the fit"));
        };
        if !infrequent.is_empty() {
            return Err(self.step.error("it groups False and True as infrequent", "make it text before the fit"));
        }
        let dropped = self.dropped()?;
        let truth = Expression::atom(self.atom.clone());
        let falsehood = truth.clone().scaled(1.0, 1.0);
        let falsehood = Expression::weighted_sum([(-1.0, &falsehood)]).map_err(|_| self.step.too_many_columns())?;
        let both = [falsehood, truth].into_iter().enumerate();
        Ok(both.filter(|(position, _)| Some(*position) != dropped).map(|(_, column)| column).collect())
    }
}

impl Category {
    fn level(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Missing => Some(MISSING_LEVEL.to_owned()),
            Self::Boolean(_) => None,
        }
    }
}
