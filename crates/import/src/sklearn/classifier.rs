//! Linear classifiers with probabilities: the sigmoid of one score, or the softmax of one score a class.

use std::collections::HashSet;

use ordinate_model::scalar::Scalar;

use super::step::Step;
use super::{Scores, Walk, linear_scores};
use crate::draft::Output;
use crate::error::ImportError;
use crate::expression::Expression;
use crate::value::Value;

/// The most classes: more than a model file can have.
const MAX_CLASSES: usize = 1 << 16;

/// The reason and the advice for one model a class.
pub(super) const ONE_AGAINST_REST: &str =
    "its probabilities are those of one model a class against the rest, divided by their sum";
pub(super) const SOFTMAX: &str = "fit LogisticRegression(), whose probabilities are the softmax of one score a class";

/// Whether a classifier has probabilities of linear scores.
pub(super) fn is_linear(class: &str) -> bool {
    matches!(class, "LogisticRegression" | "LogisticRegressionCV" | "LinearDiscriminantAnalysis" | "SGDClassifier")
}

/// Whether a classifier has linear scores that can be calibrated.
fn has_linear_decision(class: &str) -> bool {
    is_linear(class)
        || matches!(
            class,
            "LinearSVC" | "RidgeClassifier" | "RidgeClassifierCV" | "Perceptron" | "PassiveAggressiveClassifier"
        )
}

pub(super) fn scores(step: &Step<'_>, inputs: &[Expression]) -> Result<Scores, ImportError> {
    let mut expressions = linear_scores(step, inputs)?;
    let classes = classes(step, "classes_")?;
    let is_binary = classes.len() == 2;
    if expressions.len() != if is_binary { 1 } else { classes.len() } {
        return Err(step.unreadable("coef_"));
    }
    match step.class()? {
        "SGDClassifier" => {
            if !matches!(step.parameter("loss")?, Some("log_loss" | "log")) {
                return Err(step.error("it has no probabilities with this loss", "fit it with loss=\"log_loss\""));
            }
            if !is_binary {
                return Err(step.error(ONE_AGAINST_REST, SOFTMAX));
            }
        }
        "LogisticRegression" | "LogisticRegressionCV" => {
            let multi_class = step.parameter("multi_class")?.unwrap_or("auto");
            let is_liblinear = step.parameter("solver")? == Some("liblinear");
            if !is_binary && (multi_class == "ovr" || (multi_class != "multinomial" && is_liblinear)) {
                return Err(step.error(ONE_AGAINST_REST, SOFTMAX));
            }
            // The softmax of −score and score.
            if is_binary && multi_class == "multinomial" {
                for expression in &mut expressions {
                    *expression = std::mem::take(expression).scaled(0.0, 0.5);
                }
            }
        }
        _ => {}
    }
    Ok(Scores { expressions, output: Output::Classes(classes) })
}

impl Walk<'_> {
    /// `CalibratedClassifierCV` with one sigmoid: `1 / (1 + exp(a · score + b))`.
    pub(super) fn calibrated(&mut self, step: &Step<'_>, inputs: Vec<Expression>) -> Result<Scores, ImportError> {
        let Value::List(calibrated) = step.fitted("calibrated_classifiers_")? else {
            return Err(step.unreadable("calibrated_classifiers_"));
        };
        let [only] = calibrated.as_slice() else {
            let reason = format!("its probabilities are the mean of {} sigmoids", calibrated.len());
            return Err(step.error(reason, "fit it with ensemble=False"));
        };
        let classes = classes(step, "classes_")?;
        let only = step.part("calibrated", only);
        let calibrators = match only.fitted("calibrators")? {
            Value::List(calibrators) => calibrators.as_slice(),
            _ => &[],
        };
        let ([calibrator], [_, _]) = (calibrators, classes.as_slice()) else {
            return Err(step.error("it has more than two classes", "fit LogisticRegression without calibration"));
        };
        let calibrator = step.part("calibrator", calibrator);
        let is_sigmoid = matches!(only.parameter("method")?, None | Some("sigmoid"));
        if !is_sigmoid || calibrator.class()? != "_SigmoidCalibration" {
            return Err(step.error("it is not calibrated by a sigmoid", "fit it with method=\"sigmoid\""));
        }
        let [slope, shift] = ["a_", "b_"].map(|attribute| {
            let value = calibrator.fitted(attribute)?.number().ok_or_else(|| calibrator.unreadable(attribute))?;
            if value.is_finite() { Ok(value) } else { Err(calibrator.not_finite(attribute)) }
        });
        let (slope, shift) = (slope?, shift?);
        let attribute = if only.get("estimator").is_some() { "estimator" } else { "base_estimator" };
        let (score, of_estimator) = self.decision(&only.child(attribute, "estimator")?, inputs)?;
        let of_part = only.has("classes").then(|| self::classes(&only, "classes")).transpose()?;
        // The score is that of the second class in ascending order.
        let is_ascending = classes.is_sorted_by(is_before);
        if of_estimator != classes || of_part.is_some_and(|part| part != classes) || !is_ascending {
            return Err(step.error("its parts have other classes than the whole, or another order", "fit it again"));
        }
        let mut expression = Expression::weighted_sum([(-slope, &score)]).map_err(|_| step.too_many_columns())?;
        expression.constant -= shift;
        Ok(Scores { expressions: vec![expression], output: Output::Classes(classes) })
    }

    /// The decision function of a linear classifier of two classes, and the classes.
    fn decision(&mut self, step: &Step<'_>, inputs: Vec<Expression>) -> Result<(Expression, Vec<Scalar>), ImportError> {
        step.check_width(inputs.len())?;
        let class = step.class()?;
        match class {
            "Pipeline" => {
                let (last, inputs) = self.all_but_last(step, inputs)?;
                self.decision(&last, inputs)
            }
            "FrozenEstimator" => self.decision(&step.same_place("estimator")?, inputs),
            "GridSearchCV" | "RandomizedSearchCV" => self.decision(&step.same_place("best_estimator_")?, inputs),
            class if has_linear_decision(class) => {
                self.steps.push(class.to_owned());
                let scores = linear_scores(step, &inputs)?;
                let score = <[Expression; 1]>::try_from(scores).map(|[score]| score);
                Ok((score.map_err(|_| step.unreadable("coef_"))?, classes(step, "classes_")?))
            }
            class => Err(super::unsupported_estimator(step, class)),
        }
    }
}

/// Whether a class comes before another one of the same type.
fn is_before(one: &Scalar, other: &Scalar) -> bool {
    match (one, other) {
        (Scalar::Boolean(one), Scalar::Boolean(other)) => one < other,
        (Scalar::Integer(one), Scalar::Integer(other)) => one < other,
        (Scalar::Number(one), Scalar::Number(other)) => one < other,
        (Scalar::Text(one), Scalar::Text(other)) => one < other,
        _ => false,
    }
}

fn classes(step: &Step<'_>, attribute: &str) -> Result<Vec<Scalar>, ImportError> {
    let class = |value: Value| match value {
        Value::Str(text) => Some(Scalar::Text(text)),
        Value::Int(value) => Some(Scalar::Integer(value)),
        Value::Bool(value) => Some(Scalar::Boolean(value)),
        Value::Float(value) if value.is_finite() => Some(Scalar::Number(value)),
        _ => None,
    };
    let length = step.fitted(attribute)?.length().filter(|length| (2..=MAX_CLASSES).contains(length));
    let values = step.elements(attribute, length.ok_or_else(|| step.unreadable(attribute))?)?;
    let classes: Option<Vec<Scalar>> = values.into_iter().map(class).collect();
    let classes = classes.ok_or_else(|| step.unreadable(attribute))?;
    let first = classes.first().map(std::mem::discriminant);
    if classes.iter().any(|class| Some(std::mem::discriminant(class)) != first) {
        let reason = format!("{attribute} has values of several types");
        return Err(step.error(reason, "fit it again, to a target of one type: y.astype(str)"));
    }
    let mut different = HashSet::new();
    if let Some(twice) = classes.iter().map(Scalar::to_string).find(|class| !different.insert(class.clone())) {
        let class: String = twice.chars().take(80).flat_map(char::escape_debug).collect();
        return Err(step.error(format!("{attribute} has the class {class} twice"), "fit it again"));
    }
    Ok(classes)
}
