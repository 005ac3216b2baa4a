//! The rows of a frame for the signature of another version of the model.

use std::ops::Range;

use super::{Faults, Frame, RowsBuilder};
use crate::cell::Cell;
use crate::signature::{Feature, FeatureType, MissingPolicy, Signature};

/// A category that no level can be: text of a request that the first version does not know is not kept.
const UNKNOWN: &str = "\u{0}";

/// Translates frames of one signature to another.
#[derive(Debug)]
pub struct Translation<'t> {
    to: &'t Signature,
    /// For each feature of `to`, the position of the same feature in the rows that are translated.
    positions: Vec<usize>,
}

impl<'t> Translation<'t> {
    /// Translates rows of the signature `from`; `None` if they lack a feature of `to`, or have it with another type.
    #[must_use]
    pub fn new(from: &Signature, to: &'t Signature) -> Option<Self> {
        let position = |feature: &Feature| {
            let position = from.position(&feature.name)?;
            let kind = from.features().get(position)?.kind;
            let fits = kind == feature.kind || (kind, feature.kind) == (FeatureType::Long, FeatureType::Double);
            fits.then_some(position)
        };
        Some(Self { to, positions: to.features().iter().map(position).collect::<Option<_>>()? })
    }

    /// These rows of a frame, imputed as the other version does it. Categories that the first version does not know are
    /// unknown to the other one, too.
    ///
    /// # Errors
    /// [`Faults`] if the other version rejects one of the rows.
    pub fn translate(&self, frame: &Frame<'_>, rows: Range<usize>) -> Result<Frame<'t>, Faults> {
        let (from, width) = (frame.signature(), frame.signature().width());
        let mut builder = RowsBuilder::new(self.to, rows.len());
        for (row, values) in frame.iter().enumerate().take(rows.end).skip(rows.start) {
            // There are as many rows as the builder accepts.
            if builder.start_row().is_err() {
                break;
            }
            for position in &self.positions {
                let cell = match (from.features().get(*position), values.get(*position)) {
                    (Some(feature), Some(value)) if !frame.imputed().contains(row * width + position) => {
                        cell(feature, *value)
                    }
                    _ => Cell::Missing,
                };
                builder.push(cell);
            }
        }
        builder.finish()
    }
}

/// The cell whose value in a frame this is.
fn cell(feature: &Feature, value: f64) -> Cell<'_> {
    match feature.kind {
        FeatureType::Double | FeatureType::Long => Cell::Double(value),
        FeatureType::Boolean => Cell::Boolean(value != 0.0),
        FeatureType::Date => Cell::Date(value),
        FeatureType::String => match feature.level_at(value) {
            None => Cell::Text(UNKNOWN),
            Some(level) if matches!(&feature.missing, MissingPolicy::Category(missing) if missing == level) => {
                Cell::Missing
            }
            Some(level) => Cell::Text(level),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Scalar;
    use crate::signature::{Target, UnknownPolicy};

    fn text(name: &str, levels: &[&str], unknown: UnknownPolicy) -> Feature {
        let levels = levels.iter().map(|level| (*level).to_owned()).collect();
        Feature { levels, unknown, ..Feature::new(name, FeatureType::String) }
    }

    fn number(name: &str, kind: FeatureType, imputed: f64) -> Feature {
        Feature { missing: MissingPolicy::Impute(Scalar::Number(imputed)), ..Feature::new(name, kind) }
    }

    fn signature(features: Vec<Feature>) -> Signature {
        Signature::new(features, Target::new("y", FeatureType::Double)).unwrap()
    }

    #[test]
    fn rows_are_read_as_the_other_version_reads_them() {
        let from = signature(vec![
            text("city", &["Basel", "Bern"], UnknownPolicy::Ignore),
            number("age", FeatureType::Long, 40.0),
            Feature::new("gone", FeatureType::Boolean),
        ]);
        // Another order, another type, another imputed value, and another position of Bern.
        let to = signature(vec![
            number("age", FeatureType::Double, 41.5),
            text("city", &["Aarau", "Basel", "Bern"], UnknownPolicy::Ignore),
        ]);
        let mut rows = RowsBuilder::new(&from, 10);
        for [city, age] in
            [[Cell::Text("Bern"), Cell::Integer(30)], [Cell::Text("Chur"), Cell::Missing], [Cell::Text("Basel"); 2]]
        {
            rows.start_row().unwrap();
            rows.push(city);
            rows.push(if age == Cell::Text("Basel") { Cell::Double(7.0) } else { age });
            rows.push(Cell::Boolean(true));
        }
        let frame = rows.finish().unwrap();
        let translation = Translation::new(&from, &to).unwrap();
        let translated = translation.translate(&frame, 0..2).unwrap();
        assert_eq!(translated.iter().collect::<Vec<_>>(), [[30.0, 2.0], [41.5, crate::signature::UNKNOWN_LEVEL]]);
        assert_eq!(translation.translate(&frame, 2..3).unwrap().iter().collect::<Vec<_>>(), [[7.0, 1.0]]);
    }

    #[test]
    fn a_row_that_the_other_version_rejects_is_a_fault() {
        let from = signature(vec![text("city", &["Basel", "Bern"], UnknownPolicy::Reject)]);
        let to = signature(vec![text("city", &["Basel"], UnknownPolicy::Reject)]);
        let mut rows = RowsBuilder::new(&from, 10);
        for city in ["Basel", "Bern"] {
            rows.start_row().unwrap();
            rows.push(Cell::Text(city));
        }
        let frame = rows.finish().unwrap();
        let translation = Translation::new(&from, &to).unwrap();
        assert!(translation.translate(&frame, 0..1).is_ok());
        assert_eq!(translation.translate(&frame, 0..2).unwrap_err().total, 1);
    }

    #[test]
    fn versions_with_other_features_cannot_be_compared() {
        let from = signature(vec![Feature::new("a", FeatureType::Double)]);
        for other in [Feature::new("b", FeatureType::Double), Feature::new("a", FeatureType::Long)] {
            assert!(Translation::new(&from, &signature(vec![other])).is_none());
        }
    }
}
