//! Checks of a feature, which may be from an untrusted file.

use super::{Feature, FeatureType, MissingPolicy, OTHER_LEVEL, UnknownPolicy};
use crate::date;
use crate::scalar::Scalar;

impl Feature {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.name.is_empty() {
            return Err("signature.features: a name is empty".into());
        }
        let named = |reason: String| format!("feature {:?}: {reason}", self.name);
        self.check_levels().map_err(named)?;
        self.check_range().map_err(named)?;
        self.reading.check().map_err(named)?;
        if let MissingPolicy::Impute(value) = &self.missing
            && (*value == Scalar::Missing || self.accept(value.cell()).is_err())
        {
            return Err(named(format!("expected an imputed value that the feature accepts, got {value}")));
        }
        Ok(())
    }

    fn check_levels(&self) -> Result<(), String> {
        let is_string = self.kind == FeatureType::String;
        if is_string && !self.levels.is_sorted_by(|one, next| one < next) {
            return Err("expected unique levels in ascending order".into());
        }
        if is_string == self.levels.is_empty() {
            return Err("expected levels for a string, and for no other type".into());
        }
        if let MissingPolicy::Category(level) = &self.missing
            && !self.levels.contains(level)
        {
            return Err(format!("expected the level of missing values among the levels, got {level:?}"));
        }
        if self.unknown == UnknownPolicy::Other && !self.levels.iter().any(|level| level == OTHER_LEVEL) {
            return Err(format!("expected {OTHER_LEVEL:?} among the levels, because unknown categories become it"));
        }
        Ok(())
    }

    fn check_range(&self) -> Result<(), String> {
        if self.whole && self.kind != FeatureType::Double {
            return Err("expected \"whole\" for a double, and for no other type".into());
        }
        if self.positive && !matches!(self.kind, FeatureType::Double | FeatureType::Long) {
            return Err("expected \"positive\" for a number, and for no other type".into());
        }
        if self.minimum.is_some_and(|minimum| !minimum.is_finite())
            || (self.minimum.is_some() && !matches!(self.kind, FeatureType::Double | FeatureType::Long))
        {
            return Err("expected a finite \"minimum\" for a number, and for no other type".into());
        }
        if let Some([low, _]) = self.range.filter(|[low, _]| self.positive && *low <= 0.0) {
            return Err(format!("expected a range above zero for a positive number, got one from {low}"));
        }
        let is_date = self.kind == FeatureType::Date;
        match self.range {
            None if is_date => Err("expected the range of a date".into()),
            Some([low, high]) if !(low.is_finite() && high.is_finite() && low <= high) => {
                Err(format!("expected an ascending range, got {low} to {high}"))
            }
            Some(range) if is_date && !range.into_iter().all(date::is_date) => {
                Err("expected a range of dates from the year 0 to 9999".into())
            }
            _ => Ok(()),
        }
    }
}
