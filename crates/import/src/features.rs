//! The input table of a pipeline: its columns, and the features that the expressions of a model use.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use ordinate_model::preprocess::FactorFunction;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, UnknownPolicy};

use crate::draft::Column;
use crate::error::ImportError;
use crate::expression::{Atom, Expression};

/// How an encoder treats the categories of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Categories {
    /// In ascending byte order.
    pub(crate) levels: Vec<String>,
    pub(crate) unknown: UnknownPolicy,
    /// The treatment of missing values that were not imputed before.
    pub(crate) missing: MissingPolicy,
}

impl Categories {
    fn has(&self, value: &Scalar) -> bool {
        matches!(value, Scalar::Text(text) if self.levels.contains(text))
    }
}

/// The columns of the input table, and the categories of those that are encoded.
#[derive(Debug)]
pub(crate) struct Features<'c> {
    columns: &'c [Column],
    /// The position of the first column of each name.
    positions: HashMap<&'c str, usize>,
    categories: IndexMap<usize, Categories>,
    /// The columns of which an encoder knows that they are true or false.
    booleans: HashSet<usize>,
}

/// How the expressions of a model use a column.
#[derive(Debug, Default)]
struct Use {
    is_number: bool,
    has_indicator: bool,
    functions: Vec<FactorFunction>,
    /// The different imputed values, and `None` where a missing value is not imputed.
    imputed: Vec<Option<Scalar>>,
}

impl<'c> Features<'c> {
    pub(crate) fn new(columns: &'c [Column]) -> Self {
        let names = columns.iter().enumerate().rev();
        let positions = names.map(|(position, column)| (column.name.as_str(), position)).collect();
        Self { columns, positions, categories: IndexMap::new(), booleans: HashSet::new() }
    }

    /// The columns as expressions.
    pub(crate) fn expressions(&self) -> Vec<Expression> {
        (0..self.columns.len()).map(|position| Expression::atom(Atom::feature(position))).collect()
    }

    /// The position of a column; the name may have spaces around it that the table has not.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).or_else(|| self.positions.get(name.trim())).copied()
    }

    pub(crate) fn name(&self, position: usize) -> &str {
        self.columns.get(position).map_or("", |column| &column.name)
    }

    pub(crate) fn kind(&self, position: usize) -> Option<FeatureType> {
        self.columns.get(position)?.kind
    }

    /// Keeps the categories of a column; `false` if another encoder has others.
    pub(crate) fn encode(&mut self, position: usize, categories: &Categories) -> bool {
        let known = self.categories.entry(position).or_insert_with(|| categories.clone());
        *known == *categories
    }

    /// Keeps that a column is true or false.
    pub(crate) fn mark_boolean(&mut self, position: usize) {
        self.booleans.insert(position);
    }

    /// The features that expressions use, in the order of the columns, each with its position.
    pub(crate) fn used(&self, expressions: &[Expression]) -> Result<Vec<(usize, Feature)>, ImportError> {
        let mut uses: IndexMap<usize, Use> = IndexMap::new();
        let terms = expressions.iter().flat_map(|expression| &expression.terms);
        for (atom, _) in terms.flat_map(|term| &term.product) {
            let of_column = uses.entry(atom.feature).or_default();
            of_column.is_number |= atom.level.is_none() && !atom.missing;
            of_column.has_indicator |= atom.missing;
            of_column.functions.extend(atom.function);
            if !of_column.imputed.contains(&atom.imputed) {
                of_column.imputed.push(atom.imputed.clone());
            }
        }
        uses.sort_unstable_keys();
        uses.iter().map(|(position, of_column)| Ok((*position, self.feature(*position, of_column)?))).collect()
    }

    fn feature(&self, position: usize, of_column: &Use) -> Result<Feature, ImportError> {
        let imputed = self.imputed(position, of_column)?;
        let mut feature = Feature::new(self.name(position), FeatureType::Double);
        feature.indicator = of_column.has_indicator;
        match self.categories.get(&position) {
            Some(categories) if !of_column.is_number => {
                set_categories(&mut feature, categories, imputed);
                Ok(feature)
            }
            Some(_) => Err(self.error(
                position,
                "it is encoded as categories and used as a number",
                "use a copy of the column for one",
            )),
            None => self.number(position, feature, imputed, &of_column.functions),
        }
    }

    /// The value that replaces missing values of a feature in all expressions.
    fn imputed(&self, position: usize, of_column: &Use) -> Result<Option<Scalar>, ImportError> {
        // Where a missing value is an error without the imputer, the model refuses it.
        let is_error = self.categories.get(&position).is_none_or(|known| known.missing == MissingPolicy::Reject);
        let reason = match of_column.imputed.as_slice() {
            [only] => return Ok(only.clone()),
            several if several.contains(&None) && is_error => return Ok(None),
            several if several.contains(&None) => {
                "one step replaces its missing values, another encodes them as they are"
            }
            _ => "two steps replace its missing values by different values",
        };
        Err(self.error(position, reason, "impute the feature once, in one step before the others"))
    }

    /// A feature that expressions use as a number.
    fn number(
        &self,
        position: usize,
        mut feature: Feature,
        imputed: Option<Scalar>,
        functions: &[FactorFunction],
    ) -> Result<Feature, ImportError> {
        let column = self.columns.get(position);
        match column.and_then(|column| column.kind) {
            Some(FeatureType::Boolean) => feature.kind = FeatureType::Boolean,
            None if self.booleans.contains(&position) => feature.kind = FeatureType::Boolean,
            None | Some(FeatureType::Double | FeatureType::Long) => {}
            Some(other) => {
                let name = self.name(position);
                let reason = format!("it is used as a number, and X has a {other} there");
                let help = format!("convert it to numbers: X[{name:?}] = X[{name:?}].astype(float)");
                return Err(self.error(position, &reason, &help));
            }
        }
        if let Some(value) = imputed {
            feature.missing = MissingPolicy::Impute(match (feature.kind, &value) {
                (FeatureType::Boolean, Scalar::Number(0.0 | 1.0)) => Scalar::Boolean(value == Scalar::Number(1.0)),
                (FeatureType::Boolean, _) => {
                    let reason = format!("it is encoded as True and False, and its missing values become {value}");
                    let help = "impute them by SimpleImputer(strategy=\"most_frequent\")";
                    return Err(self.error(position, &reason, help));
                }
                _ => value,
            });
        }
        if feature.kind == FeatureType::Double {
            feature.range = column.and_then(|column| column.range);
            feature.whole = column.is_some_and(|column| column.whole);
        }
        for function in functions {
            match function {
                FactorFunction::Log => feature.positive = true,
                FactorFunction::Log1p => feature.minimum = feature.minimum.or(Some((-1.0_f64).next_up())),
                FactorFunction::Sqrt => feature.minimum = Some(0.0),
            }
        }
        feature.range = feature.range.filter(|[low, _]| !feature.positive || *low > 0.0);
        Ok(feature)
    }

    fn error(&self, position: usize, reason: &str, help: &str) -> ImportError {
        ImportError::Feature {
            feature: self.name(position).to_owned(),
            reason: reason.to_owned(),
            help: help.to_owned(),
        }
    }
}

fn set_categories(feature: &mut Feature, categories: &Categories, imputed: Option<Scalar>) {
    feature.kind = FeatureType::String;
    feature.levels.clone_from(&categories.levels);
    feature.unknown = categories.unknown;
    feature.missing = match imputed {
        None => categories.missing.clone(),
        // The encoder refuses the value that the imputer inserts.
        Some(value) if categories.unknown == UnknownPolicy::Reject && !categories.has(&value) => MissingPolicy::Reject,
        Some(value) => MissingPolicy::Impute(value),
    };
}
