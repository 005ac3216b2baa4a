//! From a fit to a model file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::evaluate::Metrics;
use super::least_squares::LeastSquares;
use super::table::Scan;
use super::{Plan, SMARTCORE_VERSION};
use crate::model::artifact::{ArtifactError, Document, FORMAT, Golden, Task, Training};
use crate::model::estimator::{Coefficients, Plane};
use crate::model::identity::Version;
use crate::model::inference::Inference;
use crate::model::preprocess::{DesignColumn, Factor, Preprocess, TargetTransform};
use crate::model::scalar::Scalar;
use crate::model::signature::{Feature, FeatureType, Signature, Target};

/// What a model file holds beside the fit.
pub(super) struct Draft<'a> {
    pub(super) plan: &'a Plan,
    pub(super) scan: &'a Scan,
    /// The features, then the target.
    pub(super) names: &'a [String],
    /// Smallest and largest value of each of `names`.
    pub(super) ranges: &'a [[f64; 2]],
}

impl Draft<'_> {
    /// The finished file.
    ///
    /// # Errors
    /// [`ArtifactError`] when the parts do not make a model, for instance because a golden row overflows.
    pub(super) fn seal(
        &self,
        fit: &LeastSquares,
        golden: &[Vec<f64>],
        train: Option<&Metrics>,
        test: Option<&Metrics>,
    ) -> Result<Document, ArtifactError> {
        let (target, features) =
            self.names.split_last().map_or((String::new(), &[][..]), |(last, rest)| (last.clone(), rest));
        let document = Document {
            format: FORMAT.to_owned(),
            name: self.plan.name.clone(),
            version: Version::try_from("1".to_owned()).map_err(ArtifactError::Inconsistent)?,
            created: self.plan.created.clone(),
            task: Task::Regression,
            signature: Signature::new(
                features.iter().zip(self.ranges).map(feature).collect(),
                Target { name: target, kind: FeatureType::Double },
            )
            .map_err(ArtifactError::Inconsistent)?,
            preprocess: Preprocess {
                columns: features.iter().zip(&fit.means).map(column).collect(),
                target_transform: TargetTransform::Identity,
            },
            estimator: Coefficients::Linear(Plane {
                intercept: fit.intercept,
                coefficients: features.iter().cloned().zip(fit.coefficients.iter().copied()).collect(),
            }),
            inference: inference(fit),
            training: Training {
                rows: self.scan.rows,
                data_sha256: self.scan.sha256.clone(),
                parameters: BTreeMap::from([
                    ("estimator".to_owned(), Value::from(self.plan.estimator.name())),
                    ("test_fraction".to_owned(), Value::from(self.plan.test_fraction)),
                ]),
                seed: self.plan.seed,
                metrics: [("train", train), ("test", test)]
                    .into_iter()
                    .filter_map(|(rows, metrics)| Some((rows.to_owned(), metrics?.by_name())))
                    .collect(),
                tool: concat!("ordinate ", env!("CARGO_PKG_VERSION")).to_owned(),
                smartcore: SMARTCORE_VERSION.to_owned(),
            },
            golden: Golden::default(),
            sha256: None,
        };
        let scalars = |row: &Vec<f64>| row.iter().copied().map(Scalar::Number).collect();
        document.seal(golden.iter().map(scalars).collect())
    }
}

fn feature((name, range): (&String, &[f64; 2])) -> Feature {
    Feature { range: Some(*range), ..Feature::new(name, FeatureType::Double) }
}

fn column((name, mean): (&String, &f64)) -> DesignColumn {
    DesignColumn { name: name.clone(), product: vec![Factor::feature(name)], mean: *mean, scale: 1.0 }
}

/// Intervals need an estimate of the noise: there is none without a degree of freedom.
fn inference(fit: &LeastSquares) -> Option<Inference> {
    Some(Inference {
        degrees_of_freedom: u32::try_from(fit.degrees_of_freedom()).unwrap_or(u32::MAX),
        residual_variance: fit.residual_variance()?,
        r: fit.triangle.rows().to_vec(),
    })
}
