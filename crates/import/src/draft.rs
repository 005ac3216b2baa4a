//! From expressions of the features to the model file.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use ordinate_model::artifact::{ArtifactError, Document, FORMAT, Golden, Training};
use ordinate_model::estimator::{Coefficients, LinearCoefficients, LogisticCoefficients};
use ordinate_model::identity::{ModelName, Version};
use ordinate_model::preprocess::{DesignColumn, Factor, Preprocess, TargetTransform};
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{FeatureType, Signature, Target};
use ordinate_model::task::Task;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::ImportError;
use crate::example_rows::example_rows;
use crate::expression::{Atom, Expression, Term};
use crate::features::Features;

/// The facts about a model that are not in its objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Facts {
    /// The name of the model.
    pub name: ModelName,
    /// The name of the target.
    pub target: String,
    /// The time of the import: RFC 3339, UTC.
    pub created: String,
    /// The program that imports, with its version.
    pub tool: String,
    /// The library of the model, with its version: `scikit-learn 1.9.1`.
    pub library: String,
    /// The columns of the table that the model was fitted to, in order.
    pub columns: Vec<Column>,
}

/// A column of the table that the model was fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, if a sample of the table is known.
    #[serde(default)]
    pub kind: Option<FeatureType>,
    /// The smallest and largest number in the sample.
    #[serde(default)]
    pub range: Option<[f64; 2]>,
    /// Whether all numbers of the sample are whole.
    #[serde(default)]
    pub whole: bool,
}

impl Column {
    /// A column of which only the name is known.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), kind: None, range: None, whole: false }
    }
}

/// The coefficients of a regressor in the model file, with their family: `Coefficients::Ridge`, for example.
pub(crate) type Regressor = fn(LinearCoefficients) -> Coefficients;

/// The meaning of the scores of a model.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// The value, or its logarithm if `log` is set.
    Value { family: Regressor, log: bool },
    /// The log-odds of the second of two classes, or one score a class.
    Classes(Vec<Scalar>),
}

/// The scores of a model as expressions of the features.
#[derive(Debug, Clone)]
pub(crate) struct Scores {
    pub(crate) expressions: Vec<Expression>,
    pub(crate) output: Output,
}

/// A model file without golden rows.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The document.
    pub document: Document,
    /// The positions in the table of the features of the document, in its order.
    pub positions: Vec<usize>,
    /// Notes for a model whose predictions are not compared with those of the library.
    notes: Vec<String>,
}

impl Draft {
    /// Completes the draft with rows of the table, all of its columns, and the library's predictions for them.
    ///
    /// # Errors
    /// [`ImportError::Model`] when the parts do not make a model, or it predicts otherwise.
    pub fn seal(self, mut golden: Golden) -> Result<Document, ImportError> {
        golden.x = golden.x.iter().map(|row| self.selected(row)).collect();
        Ok(self.document.seal_with(golden)?)
    }

    /// Completes the draft with rows of the table, all of its columns, and the predictions of this build for them.
    ///
    /// # Errors
    /// [`ImportError::Model`] when the parts do not make a model, or it cannot predict the rows.
    pub fn seal_with_rows(self, rows: &[Vec<Scalar>]) -> Result<Document, ImportError> {
        let rows = rows.iter().map(|row| self.selected(row)).collect();
        self.seal_alone(rows)
    }

    /// Completes the draft with made-up rows around the means in its scalers, and the predictions of this build for them.
    ///
    /// # Errors
    /// [`ImportError::Model`] when the parts do not make a model, or it cannot predict the rows.
    pub fn seal_without_data(self) -> Result<Document, ImportError> {
        let rows = example_rows(&self.document);
        self.seal_alone(rows)
    }

    /// Completes the draft with rows of its features that the library has not predicted.
    fn seal_alone(mut self, rows: Vec<Vec<Scalar>>) -> Result<Document, ImportError> {
        self.document.training.notes.append(&mut self.notes);
        Ok(self.document.seal(rows)?)
    }

    /// The same with lines for models whose predictions are not compared with the library's.
    pub(crate) fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }

    /// The features of a row of the table.
    fn selected(&self, row: &[Scalar]) -> Vec<Scalar> {
        self.positions.iter().map(|position| row.get(*position).cloned().unwrap_or(Scalar::Missing)).collect()
    }

    pub(crate) fn new(
        scores: &Scores,
        features: &Features<'_>,
        facts: &Facts,
        steps: &[String],
    ) -> Result<Self, ImportError> {
        let inconsistent = |reason: String| ImportError::Model(ArtifactError::Inconsistent(reason));
        let used = features.used(&scores.expressions)?;
        let (positions, used): (Vec<_>, Vec<_>) = used.into_iter().unzip();
        let ignored = facts.columns.iter().map(|column| column.name.clone());
        let target = Target::new(&facts.target, scores.output.target_type());
        let signature = Signature::new(used, target).map_err(inconsistent)?.ignoring(ignored);
        let design = Design::new(&scores.expressions, features);
        if !design.is_finite() {
            return Err(ImportError::NotFinite);
        }
        let Design { columns, intercepts, weights } = design;
        let estimator = scores.output.estimator(&columns, &intercepts, &weights);
        let log = matches!(scores.output, Output::Value { log: true, .. }) && estimator.glm_family().is_none();
        let parameters = [
            ("estimator", json!(estimator.family())),
            ("imported_from", json!(facts.library)),
            ("steps", json!(steps)),
        ];
        let document = Document {
            format: FORMAT.to_owned(),
            name: facts.name.clone(),
            version: Version::first(),
            created: facts.created.clone(),
            task: if estimator.classes().is_some() { Task::Classification } else { Task::Regression },
            signature,
            preprocess: Preprocess {
                columns,
                target_transform: if log { TargetTransform::Log } else { TargetTransform::Identity },
                through_origin: false,
                offset: None,
            },
            estimator,
            inference: None,
            training: Training {
                rows: None,
                data_sha256: None,
                parameters: BTreeMap::from(parameters.map(|(name, value)| (name.to_owned(), value))),
                seed: None,
                metrics: IndexMap::new(),
                baseline: Vec::new(),
                notes: Vec::new(),
                tool: facts.tool.clone(),
                smartcore: None,
            },
            distribution: None,
            golden: Golden::default(),
            sha256: None,
        };
        Ok(Self { document, positions, notes: Vec::new() })
    }
}

impl Output {
    fn target_type(&self) -> FeatureType {
        match self {
            Self::Value { .. } => FeatureType::Double,
            Self::Classes(classes) => match classes.first() {
                Some(Scalar::Boolean(_)) => FeatureType::Boolean,
                Some(Scalar::Integer(_)) => FeatureType::Long,
                Some(Scalar::Number(_)) => FeatureType::Double,
                _ => FeatureType::String,
            },
        }
    }

    /// The coefficients in the model file; `weights` has one row a column, with one number a score.
    fn estimator(&self, columns: &[DesignColumn], intercepts: &[f64], weights: &[Vec<f64>]) -> Coefficients {
        let named = || columns.iter().map(|column| column.name.clone()).zip(weights);
        let first = |values: &[f64]| values.first().copied().unwrap_or(f64::NAN);
        match self {
            Self::Classes(classes) => Coefficients::Logistic(LogisticCoefficients {
                classes: classes.clone(),
                intercepts: intercepts.to_vec(),
                coefficients: named().map(|(name, weights)| (name, weights.clone())).collect(),
            }),
            Self::Value { family, .. } => family(LinearCoefficients {
                intercept: first(intercepts),
                coefficients: named().map(|(name, weights)| (name, first(weights))).collect(),
            }),
        }
    }
}

/// The columns of all scores together, and their weights.
struct Design {
    columns: Vec<DesignColumn>,
    intercepts: Vec<f64>,
    weights: Vec<Vec<f64>>,
}

impl Design {
    fn new(scores: &[Expression], features: &Features<'_>) -> Self {
        let mut intercepts: Vec<f64> = scores.iter().map(|score| score.constant).collect();
        // The mean and scale of a column are those of the first term with its product.
        let mut columns: IndexMap<String, (Term, Vec<f64>)> = IndexMap::new();
        for (position, (score, intercept)) in scores.iter().zip(&mut intercepts).enumerate() {
            for term in &score.terms {
                let term = term.clone().normalized();
                let (column, weights) = columns
                    .entry(term.key())
                    .or_insert_with(|| (Term { coefficient: 0.0, ..term.clone() }, vec![0.0; scores.len()]));
                if let Some(weight) = weights.get_mut(position) {
                    column.coefficient = *weight;
                    column.merge(&term, intercept);
                    *weight = column.coefficient;
                }
            }
        }
        let mut names = HashMap::new();
        let (columns, weights) = columns
            .into_values()
            .map(|(term, weights)| {
                let name = unique(&name(&term, features), &mut names);
                let product = term.product.iter().map(|(atom, power)| factor(atom, *power, features)).collect();
                (DesignColumn { name, product, mean: term.mean, scale: term.scale }, weights)
            })
            .unzip();
        Self { columns, intercepts, weights }
    }

    /// Whether all numbers are finite, and no scale is zero.
    fn is_finite(&self) -> bool {
        let is_scale = |scale: f64| scale.is_finite() && scale != 0.0;
        let of_factor = |factor: &Factor| factor.mean.is_none_or(f64::is_finite) && factor.scale.is_none_or(is_scale);
        let of_column = |column: &DesignColumn| {
            column.mean.is_finite() && is_scale(column.scale) && column.product.iter().all(of_factor)
        };
        self.columns.iter().all(of_column)
            && self.intercepts.iter().chain(self.weights.iter().flatten()).all(|number| number.is_finite())
    }
}

fn factor(atom: &Atom, power: u32, features: &Features<'_>) -> Factor {
    Factor {
        power: (power > 1).then_some(power),
        level: atom.level.clone(),
        missing: atom.missing,
        function: atom.function,
        mean: (atom.mean != 0.0).then_some(atom.mean),
        #[allow(clippy::float_cmp)]
        scale: (atom.scale != 1.0).then_some(atom.scale),
        ..Factor::feature(features.name(atom.feature))
    }
}

/// `age^2:colour=red`, `log(price)`.
fn name(term: &Term, features: &Features<'_>) -> String {
    let factor = |(atom, power): &(Atom, u32)| {
        let feature = features.name(atom.feature);
        let name = match (&atom.level, atom.function) {
            (Some(level), _) => format!("{feature}={level}"),
            (None, _) if atom.missing => format!("{feature}.missing"),
            (None, Some(function)) => format!("{}({feature})", function.name()),
            (None, None) => feature.to_owned(),
        };
        if *power > 1 { format!("{name}^{power}") } else { name }
    };
    term.product.iter().map(factor).collect::<Vec<_>>().join(":")
}

/// The name, with a number if it was given before; `names` has the last number of each name.
fn unique(name: &str, names: &mut HashMap<String, u32>) -> String {
    let mut number = names.get(name).copied().unwrap_or(0);
    loop {
        number += 1;
        let candidate = if number == 1 { name.to_owned() } else { format!("{name} ({number})") };
        if number == 1 || !names.contains_key(&candidate) {
            names.insert(candidate.clone(), 1);
            names.insert(name.to_owned(), number);
            return candidate;
        }
    }
}
