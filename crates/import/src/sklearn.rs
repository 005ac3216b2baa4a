//! Fitted pipelines of scikit-learn: a walk through its steps that turns each column into an expression of the features.
//! A step that is not linear in products of features is an error that names it; nothing is approximated.

mod classifier;
mod composition;
mod encoder;
mod imputer;
mod polynomial;
mod projection;
mod regressor;
mod scaler;
mod selector;
mod sparse;
mod step;

use crate::draft::{Draft, Facts, Output, Regressor, Scores};
use crate::error::ImportError;
use crate::expression::Expression;
use crate::features::Features;
use crate::value::Value;
use step::Step;

/// The steps that are supported, for advice.
const STEPS: &str = "StandardScaler, MinMaxScaler, RobustScaler, MaxAbsScaler, PolynomialFeatures, OneHotEncoder, \
                     SimpleImputer, FunctionTransformer of numpy's log, log1p and sqrt, feature selectors, PCA, \
                     TruncatedSVD, ColumnTransformer, FeatureUnion, Pipeline";

/// The most terms of all expressions of a walk together: more than a model file can have. The work for a hostile file is
/// bounded.
const MAX_WORK: usize = 4 << 20;

/// The model file of a fitted estimator, without golden rows.
///
/// # Errors
/// [`ImportError`]; a step that a model file cannot express is named as in `set_params`.
pub fn draft(estimator: &Value, facts: &Facts) -> Result<Draft, ImportError> {
    let step = Step::root(estimator)?;
    let mut walk = Walk { features: Features::new(&facts.columns), steps: Vec::new(), notes: Vec::new(), work: 0 };
    let inputs = walk.features.expressions();
    let scores = walk.predict(&step, inputs)?;
    if scores.expressions.iter().all(|score| score.terms.is_empty()) {
        let help = "a model file has at least one feature: fit it to columns that the predictions depend on";
        return Err(step.error("its predictions depend on no feature", help));
    }
    Ok(Draft::new(&scores, &walk.features, facts, &walk.steps)?.with_notes(walk.notes))
}

/// The state of a walk through the steps of a pipeline.
struct Walk<'c> {
    features: Features<'c>,
    /// The classes of the steps, in order.
    steps: Vec<String>,
    /// Notes for a model whose predictions are not compared with those of scikit-learn.
    notes: Vec<String>,
    /// The terms of all expressions so far.
    work: usize,
}

impl Walk<'_> {
    /// Counts the terms of the input of a step.
    fn count<'e>(
        &mut self,
        step: &Step<'_>,
        inputs: impl IntoIterator<Item = &'e Expression>,
    ) -> Result<(), ImportError> {
        self.work = self.work.saturating_add(terms(inputs));
        if self.work > MAX_WORK { Err(step.too_many_columns()) } else { Ok(()) }
    }

    /// The columns that a transformer makes of its input columns.
    fn transform(&mut self, step: &Step<'_>, inputs: Vec<Expression>) -> Result<Vec<Expression>, ImportError> {
        self.count(step, &inputs)?;
        step.check_width(inputs.len())?;
        if step.text() == Some("passthrough") || step.is_none() {
            return Ok(inputs);
        }
        let class = step.class()?;
        if !matches!(
            class,
            "Pipeline" | "ColumnTransformer" | "FeatureUnion" | "FunctionTransformer" | "FrozenEstimator"
        ) {
            self.steps.push(class.to_owned());
        }
        match class {
            "Pipeline" => self.pipeline(step, inputs),
            "ColumnTransformer" => self.column_transformer(step, &inputs),
            "FeatureUnion" => self.feature_union(step, &inputs),
            "FunctionTransformer" => self.function(step, inputs),
            "FrozenEstimator" => self.transform(&step.same_place("estimator")?, inputs),
            "StandardScaler" | "MinMaxScaler" | "RobustScaler" | "MaxAbsScaler" => {
                self.notes.extend(scaler::lost_digits(step));
                scaler::scale(step, inputs)
            }
            "SimpleImputer" => imputer::impute(step, &inputs, &self.features),
            "OneHotEncoder" => encoder::encode(step, &inputs, &mut self.features),
            "PolynomialFeatures" => polynomial::expand(step, &inputs),
            "PCA" | "TruncatedSVD" => projection::project(step, inputs),
            class if selector::is_selector(class) => selector::select(step, inputs),
            class => Err(unsupported(step, class)),
        }
    }

    /// The scores of an estimator.
    fn predict(&mut self, step: &Step<'_>, inputs: Vec<Expression>) -> Result<Scores, ImportError> {
        self.count(step, &inputs)?;
        step.check_width(inputs.len())?;
        let class = step.class()?;
        match class {
            "Pipeline" => {
                let (last, inputs) = self.all_but_last(step, inputs)?;
                self.predict(&last, inputs)
            }
            "GridSearchCV" | "RandomizedSearchCV" | "HalvingGridSearchCV" | "HalvingRandomSearchCV" => {
                self.predict(&step.same_place("best_estimator_")?, inputs)
            }
            "FrozenEstimator" => self.predict(&step.same_place("estimator")?, inputs),
            "RANSACRegressor" => {
                self.steps.push(class.to_owned());
                self.predict(&step.child("estimator_", "estimator")?, inputs)
            }
            "TransformedTargetRegressor" => {
                let scores = self.predict(&step.child("regressor_", "regressor")?, inputs)?;
                regressor::transform_target(step, scores)
            }
            "CalibratedClassifierCV" => {
                self.steps.push(class.to_owned());
                self.calibrated(step, inputs)
            }
            class => {
                self.steps.push(class.to_owned());
                match (regressor::family(class), classifier::is_linear(class)) {
                    (Some(family), _) => regressor::scores(step, family, &inputs),
                    (None, true) => classifier::scores(step, &inputs),
                    (None, false) => Err(unsupported_estimator(step, class)),
                }
            }
        }
    }
}

/// The terms of expressions together, with their constants.
fn terms<'e>(expressions: impl IntoIterator<Item = &'e Expression>) -> usize {
    expressions.into_iter().map(|expression| expression.terms.len() + 1).sum()
}

/// An error if so many sums of the inputs have too many terms.
fn check_sums(step: &Step<'_>, count: usize, inputs: &[Expression]) -> Result<(), ImportError> {
    if count.saturating_mul(terms(inputs)) > MAX_WORK { Err(step.too_many_columns()) } else { Ok(()) }
}

/// The weighted sums of the columns that a linear estimator computes: one a row of `coef_`.
fn linear_scores(step: &Step<'_>, inputs: &[Expression]) -> Result<Vec<Expression>, ImportError> {
    let coefficients = step.matrix("coef_", inputs.len())?;
    check_sums(step, coefficients.len() / inputs.len().max(1), inputs)?;
    let rows = coefficients.chunks(inputs.len().max(1));
    let intercepts = intercepts(step, rows.len())?;
    let scores = rows.zip(intercepts).map(|(weights, intercept)| {
        let sum = Expression::weighted_sum(weights.iter().copied().zip(inputs));
        let mut sum = sum.map_err(|_| step.too_many_columns())?;
        sum.constant += intercept;
        Ok(sum)
    });
    scores.collect()
}

/// The constants of so many scores: a number for all of them, or one for each.
fn intercepts(step: &Step<'_>, scores: usize) -> Result<Vec<f64>, ImportError> {
    step.check_fitted("intercept_")?;
    let is_matrix = |value: &&Value| matches!(value, Value::Array(array) if array.shape.len() > 1);
    let value = step.get("intercept_").filter(|value| !is_matrix(value));
    let numbers = value.and_then(|value| value.floats().or(value.number().map(|number| vec![number])));
    let numbers = step.finite("intercept_", numbers.ok_or_else(|| step.unreadable("intercept_"))?)?;
    match numbers.as_slice() {
        [only] => Ok(vec![*only; scores]),
        several if several.len() == scores => Ok(numbers),
        _ => Err(step.unreadable("intercept_")),
    }
}

fn unsupported(step: &Step<'_>, class: &str) -> ImportError {
    let help = match class {
        "OrdinalEncoder" => "encode the categories with OneHotEncoder".to_owned(),
        "KNNImputer" | "IterativeImputer" => "impute with SimpleImputer".to_owned(),
        "TfidfVectorizer" | "CountVectorizer" | "HashingVectorizer" => "leave the text out of the model".to_owned(),
        _ => format!("remove the step or replace it by one of: {STEPS}"),
    };
    step.error("it cannot be written as products of powers of the features", help)
}

fn unsupported_estimator(step: &Step<'_>, class: &str) -> ImportError {
    let (reason, help) = match class {
        "RidgeClassifier" | "RidgeClassifierCV" | "LinearSVC" | "Perceptron" | "PassiveAggressiveClassifier" => (
            "it has no probabilities",
            "fit LogisticRegression, or wrap it: CalibratedClassifierCV(estimator, ensemble=False)",
        ),
        "OneVsRestClassifier" => (classifier::ONE_AGAINST_REST, classifier::SOFTMAX),
        "SVR" | "NuSVR" => ("its predictions are sums over the support vectors", "fit LinearSVR"),
        "PLSRegression" | "PLSCanonical" | "CCA" => (
            "its predictions have another formula in each version of scikit-learn",
            "fit Ridge, or PCA and LinearRegression: make_pipeline(StandardScaler(), PCA(2), LinearRegression())",
        ),
        class if class.contains("Classifier") || class.contains("SVC") || class.ends_with("NB") => {
            ("it is not a linear model with probabilities", "fit LogisticRegression")
        }
        _ => (
            "it is not a linear model",
            "fit a linear model, such as LinearRegression, Ridge, Lasso or LogisticRegression",
        ),
    };
    step.error(reason, help)
}

impl Scores {
    fn regression(expressions: Vec<Expression>, family: Regressor, log: bool) -> Self {
        Self { expressions, output: Output::Value { family, log } }
    }
}
