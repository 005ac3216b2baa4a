//! The report as metrics of `CloudWatch`, in lines of its embedded metric format.

use serde_json::{Value, json};

use crate::report::{DriftReport, SubjectReport};

/// The namespace of all metrics of this program.
const NAMESPACE: &str = "Ordinate";

/// The most features and outputs with metrics of their own: those with drift first, then by their index.
pub const MAX_SUBJECTS: usize = 30;

/// The parts of the lines that are not in the report.
#[derive(Debug, Clone)]
pub struct MetricContext {
    /// The dimension `service`: the name of the function.
    pub service: String,
    /// The severity of the lines, so that a filter of the log keeps them.
    pub level: String,
    /// Milliseconds since 1970.
    pub timestamp: u64,
}

impl DriftReport {
    /// One line with `Drift` (0 or 1) and `DriftRows` of the model, and one with `Drift` and `PopulationStabilityIndex`
    /// of each feature and output, for at most [`MAX_SUBJECTS`] of them.
    #[must_use]
    pub fn metric_lines(&self, context: &MetricContext) -> Vec<Value> {
        let of_model = json!({
            "_aws": directive(context, &[&["service"], &["model", "service", "version"]],
                &[("Drift", "None"), ("DriftRows", "Count")]),
            "Drift": u8::from(self.drift),
            "DriftRows": self.rows,
        });
        let index = |subject: &SubjectReport| subject.distribution.as_ref().map(|compared| compared.psi);
        let mut subjects: Vec<&SubjectReport> = self.features.iter().chain(&self.predictions).collect();
        // A stable order: of equal ones, the first of the report.
        subjects.sort_by(|one, other| {
            let key = |subject: &SubjectReport| (subject.drift, index(subject).unwrap_or(-1.0));
            let (one, other) = (key(one), key(other));
            other.0.cmp(&one.0).then(other.1.total_cmp(&one.1))
        });
        let of_subject = |subject: &&SubjectReport| {
            let dimensions: &[&[&str]] = &[&["feature", "model", "service", "version"]];
            let mut line = json!({"feature": subject.name, "Drift": u8::from(subject.drift)});
            let index = index(subject);
            let metrics: &[(&str, &str)] = match index {
                Some(_) => &[("Drift", "None"), ("PopulationStabilityIndex", "None")],
                None => &[("Drift", "None")],
            };
            add(&mut line, "_aws", directive(context, dimensions, metrics));
            if let Some(index) = index {
                add(&mut line, "PopulationStabilityIndex", index.into());
            }
            line
        };
        let lines = std::iter::once(of_model).chain(subjects.iter().take(MAX_SUBJECTS).map(of_subject));
        lines
            .map(|mut line| {
                let names = [("model", &self.model), ("version", &self.version), ("service", &context.service)];
                for (name, value) in names.into_iter().chain([("level", &context.level)]) {
                    add(&mut line, name, value.as_str().into());
                }
                line
            })
            .collect()
    }
}

fn add(line: &mut Value, name: &str, value: Value) {
    if let Some(members) = line.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

fn directive(context: &MetricContext, dimensions: &[&[&str]], metrics: &[(&str, &str)]) -> Value {
    let metrics: Vec<Value> = metrics.iter().map(|(name, unit)| json!({"Name": name, "Unit": unit})).collect();
    json!({
        "Timestamp": context.timestamp,
        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics}],
    })
}
