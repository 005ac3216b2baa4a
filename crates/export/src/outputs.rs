//! From scores to predictions, probabilities and labels.

use std::collections::HashSet;

use ordinate_model::Model;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::scalar::Scalar;

use crate::dialect::Dialect;
use crate::error::ExportError;
use crate::terms::Scores;

/// A column that the expressions make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The name: `prediction`, or `probability_CLASS`, as in the output of `ordinate predict`.
    pub name: String,
    /// The expression; NULL for a row that the model rejects.
    pub expression: String,
}

/// The smallest and largest number whose exponential is a normal double.
const EXPONENTS: [f64; 2] = [-708.396_418_532_264, 709.782_712_893_384];

/// A difference of scores beyond which a probability is 0 or 1 with all its digits: exponentials, and their sum, are
/// finite and normal.
const CERTAIN: f64 = 700.0;

/// The most terms of all columns of a classifier, about 20 MB of text.
const MOST_TERMS: usize = 1 << 18;

/// The columns of a model.
///
/// # Errors
/// [`ExportError`] for names, levels and classes that the dialect cannot write.
pub(crate) fn outputs(model: &Model, dialect: Dialect) -> Result<Vec<Output>, ExportError> {
    let scores = Scores::new(model, dialect)?;
    let guard = scores.guard();
    let guarded = |name: String, body: &str| {
        let expression = match &guard {
            None => body.to_owned(),
            Some(guard) => format!("CASE WHEN {guard}\n  THEN {body}\n  END"),
        };
        Output { name, expression }
    };
    let name = "prediction".to_owned();
    let classes = model.classes();
    check_size(&scores, classes.map_or(0, <[Scalar]>::len))?;
    let Some(classes) = classes else {
        return Ok(vec![guarded(name, &value(&scores, model))]);
    };
    let classifier = Classifier { scores: &scores, model, classes };
    let mut outputs = vec![guarded(name, &classifier.label()?)];
    for (class, name) in probability_names(classes, dialect).into_iter().enumerate() {
        outputs.push(guarded(name, &classifier.probability(class)));
    }
    Ok(outputs)
}

/// `probability_CLASS`; with a number behind it where the dialect does not distinguish it from one before.
fn probability_names(classes: &[Scalar], dialect: Dialect) -> Vec<String> {
    let mut names: Vec<String> = classes.iter().map(|class| format!("probability_{class}")).collect();
    let mut taken: HashSet<String> = HashSet::new();
    let all: HashSet<String> = names.iter().map(|name| dialect.folded(name)).collect();
    for name in &mut names {
        if !taken.insert(dialect.folded(name)) {
            let mut numbered = (2_u64..).map(|number| format!("{name}_{number}"));
            let mut is_free =
                |other: &String| !all.contains(&dialect.folded(other)) && taken.insert(dialect.folded(other));
            *name = numbered.find(|other| is_free(other)).unwrap_or_default();
        }
    }
    names
}

/// Checks the number of terms: of a classifier, those of the label and as many of the probabilities.
fn check_size(scores: &Scores<'_>, classes: usize) -> Result<(), ExportError> {
    let differences = classes.saturating_mul(classes.saturating_sub(1)).saturating_mul(2);
    match differences.max(1).saturating_mul(scores.count_terms()) {
        terms if terms > MOST_TERMS => Err(ExportError::TooLarge { terms, limit: MOST_TERMS }),
        _ => Ok(()),
    }
}

/// The value in the unit of the target.
fn value(scores: &Scores<'_>, model: &Model) -> String {
    let (score, dialect) = (scores.sum(&[(0, 1.0)]), scores.dialect());
    match model.document().scale() {
        TargetTransform::Identity => score,
        TargetTransform::Log => {
            let [least, most] = EXPONENTS.map(|exponent| dialect.number(exponent));
            // A mean that is too small for a double is 0, as in answers; a logged target has no value there.
            let too_small =
                if model.document().estimator.glm_family().is_some() { dialect.number(0.0) } else { "NULL".to_owned() };
            format!(
                "CASE WHEN {score}\n    < {least} THEN {too_small} WHEN {score}\n    <= {most} THEN EXP({score}) END"
            )
        }
    }
}

struct Classifier<'s, 'm> {
    scores: &'s Scores<'m>,
    model: &'m Model,
    classes: &'m [Scalar],
}

impl Classifier<'_, '_> {
    fn number(&self, value: f64) -> String {
        self.scores.dialect().number(value)
    }

    /// The score of one class minus that of another. Two classes have one score: the log-odds of the second.
    fn difference(&self, of: usize, from: usize) -> String {
        match (self.classes.len(), of) {
            (2, 1) => self.scores.sum(&[(0, 1.0)]),
            (2, _) => self.scores.sum(&[(0, -1.0)]),
            _ => self.scores.sum(&[(of, 1.0), (from, -1.0)]),
        }
    }

    fn others(&self, class: usize) -> impl Iterator<Item = usize> {
        (0..self.classes.len()).filter(move |other| *other != class)
    }

    /// `1 / (1 + Σ exp(sⱼ − s))` over the other classes: the softmax, in which nothing overflows.
    fn probability(&self, class: usize) -> String {
        let (dialect, temperature) = (self.scores.dialect(), self.temperature());
        let one = self.number(1.0);
        let exponential = |other| {
            let mut difference = self.difference(other, class);
            if let Some(temperature) = temperature {
                difference = format!("({difference}) / {}", self.number(temperature));
            }
            format!("EXP({})", dialect.clamp(&difference, [-CERTAIN, CERTAIN]))
        };
        let sum: Vec<String> = self.others(class).map(exponential).collect();
        format!("{one} / ({one}\n    + {})", sum.join("\n    + "))
    }

    fn temperature(&self) -> Option<f64> {
        self.model.document().inference.as_ref()?.temperature.filter(|temperature| temperature.total_cmp(&1.0).is_ne())
    }

    /// The class with the largest score, the first of several; of two classes, the second from its threshold on.
    fn label(&self) -> Result<String, ExportError> {
        let labels = self.labels()?;
        let zero = self.number(0.0);
        if let [first, second] = labels.as_slice() {
            let is_second = match self.model.threshold() {
                Some(threshold) => format!("{} >= {}", self.probability(1), self.number(threshold)),
                None => format!("{} > {zero}", self.difference(1, 0)),
            };
            return Ok(format!("CASE WHEN {is_second} THEN {second} ELSE {first} END"));
        }
        let Some((last, labels)) = labels.split_last() else { return Ok("NULL".to_owned()) };
        let case = |(class, label)| {
            let others = self.others(class).map(|other| format!("{}\n    <= {zero}", self.difference(other, class)));
            format!("WHEN {} THEN {label}", others.collect::<Vec<_>>().join(" AND "))
        };
        let cases: Vec<String> = labels.iter().enumerate().map(case).collect();
        Ok(format!("CASE {} ELSE {last} END", cases.join(" ")))
    }

    /// The classes as they are in the training data; as texts if they have several types.
    fn labels(&self) -> Result<Vec<String>, ExportError> {
        let dialect = self.scores.dialect();
        let kind = self.classes.first().map(std::mem::discriminant);
        let are_alike = self.classes.iter().all(|class| Some(std::mem::discriminant(class)) == kind);
        let label = |class: &Scalar| match class {
            Scalar::Integer(value) if are_alike => Ok(value.to_string()),
            Scalar::Number(value) if are_alike => Ok(dialect.number(*value)),
            Scalar::Boolean(value) if are_alike => Ok(dialect.boolean(*value).to_owned()),
            other => {
                let text = other.to_string();
                if text.contains('\0') {
                    let help = "replace the character in the training data";
                    return Err(ExportError::Text { place: format!("class {text:?}"), dialect, character: '\0', help });
                }
                Ok(dialect.string(&text))
            }
        };
        self.classes.iter().map(label).collect()
    }
}
