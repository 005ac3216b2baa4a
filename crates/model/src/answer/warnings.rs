//! Rows whose answer is to be taken with care: they are not like the rows that the model was trained on.

use std::fmt;

use serde::Serialize;

use super::leverage::Leverage;
use crate::cell::Cell;
use crate::frame::{Frame, MAX_LISTED_UNKNOWN_CATEGORIES};
use crate::model::Model;
use crate::signature::{Feature, UnknownPolicy};

/// The most warnings about one frame that are listed with [`WarningScope::First`]; further ones are only counted.
pub const MAX_LISTED_WARNINGS: usize = MAX_LISTED_UNKNOWN_CATEGORIES;

/// The most rows × columns² that leverages are computed for: measured, 40 ms on one core. That is 6,710 rows of 100 columns,
/// 67 of 1,000; the ranges of further rows are looked at, but not the combination of their values.
const LEVERAGE_BUDGET: usize = 1 << 26;

/// A row is unusual when its leverage is more than so many times the mean leverage of the training rows.
const UNUSUAL: f64 = 3.0;

/// What should be known of a frame's answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Warnings<'m> {
    /// The first [`MAX_LISTED_WARNINGS`], by row, or [all](WarningScope::All).
    pub listed: Vec<Warning<'m>>,
    /// All of them, counted.
    pub total: usize,
    /// Rows that were searched for unusual combinations of values, from the first on: all of them, unless the frame is so
    /// large that it would take too long; `None` of a file that does not hold what it takes.
    pub rows_with_leverage: Option<usize>,
}

/// One of them; it serialises with a stable `code` and a `message` in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning<'m> {
    /// The row, from 0.
    pub row: usize,
    /// What is unusual.
    pub reason: WarningReason<'m>,
}

/// What is unusual about a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum WarningReason<'m> {
    /// A number less or greater than any in the training data.
    OutsideRange {
        /// The feature.
        feature: &'m str,
        /// Its value.
        value: f64,
        /// The least and the greatest value in the training data.
        range: [f64; 2],
    },
    /// A category that no row of the training data had: all columns made from it are zero.
    UnknownCategory {
        /// The feature.
        feature: &'m str,
        /// What was written, cut to a readable length.
        value: String,
    },
    /// Values that are usual each and unusual together. Only told of rows without another warning: a value outside its
    /// range has a large leverage anyway.
    Leverage {
        /// The row's: `1/n + ‖R⁻ᵀz‖²`.
        leverage: f64,
        /// Three times the mean of the training rows.
        limit: f64,
    },
}

impl fmt::Display for WarningReason<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideRange { .. } => out.write_str("outside the training range"),
            Self::UnknownCategory { .. } => out.write_str("a category that the training data did not have"),
            Self::Leverage { .. } => out.write_str(
                "an unusual combination of values, though each may be within its range: the model has seen little like it",
            ),
        }
    }
}

impl Serialize for Warning<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told<'a> {
            row: usize,
            #[serde(flatten)]
            reason: &'a WarningReason<'a>,
            message: String,
        }
        Told { row: self.row, reason: &self.reason, message: self.reason.to_string() }.serialize(serializer)
    }
}

/// How far unusual rows are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WarningScope {
    /// Not at all.
    #[default]
    None,
    /// The first [`MAX_LISTED_WARNINGS`] are listed, and leverages computed as long as they take no noticeable time: for requests.
    First,
    /// All, for tables. UnknownPolicy categories are listed completely only of frames that
    /// [note them all](crate::frame::RowsBuilder::listing_all_unknown_categories).
    All,
}

impl WarningScope {
    /// The rows of a frame, from the first on, of which leverages are computed.
    pub(super) fn rows_with_leverage(self, model: &Model, frame: &Frame<'_>) -> usize {
        match self {
            Self::None => 0,
            Self::First => frame.rows().min(LEVERAGE_BUDGET / (model.design.width() * model.design.width()).max(1)),
            Self::All => frame.rows(),
        }
    }
}

impl<'m> Warnings<'m> {
    /// What is unusual about the rows of a frame of this model, of which these are the leverages of the first. A missing value
    /// that was imputed is not unusual by itself; it counts in the combination that its row is predicted with.
    pub(super) fn new(
        model: &'m Model,
        frame: &Frame<'_>,
        scope: WarningScope,
        leverage: Option<&Leverage<'m>>,
        leverages: &[f64],
    ) -> Self {
        let most = match scope {
            WarningScope::None => return Self::default(),
            WarningScope::First => MAX_LISTED_WARNINGS,
            WarningScope::All => usize::MAX,
        };
        let features = || model.signature().features().iter().enumerate();
        let ranges: Vec<_> = features().filter_map(|(position, feature)| Range::of(position, feature)).collect();
        let open = features().filter(|(_, feature)| feature.unknown == UnknownPolicy::Ignore);
        let open: Vec<usize> = open.map(|(position, _)| position).collect();
        let mut unknown_categories: Vec<_> = frame.unknown_categories().listed.iter().collect();
        unknown_categories.sort_by_key(|category| category.row);
        let mut unknown_categories = unknown_categories.into_iter().peekable();

        let rows_with_leverage = leverage.map(|_| scope.rows_with_leverage(model, frame));
        let mut leverages = leverages.iter().copied().take(rows_with_leverage.unwrap_or(0));
        let limit = leverage.map_or(f64::INFINITY, |leverage| UNUSUAL * leverage.mean);

        let mut warnings = Warnings { rows_with_leverage, ..Warnings::default() };
        for (row, values) in frame.iter().enumerate() {
            let total = warnings.total;
            for range in &ranges {
                if let Some(value) = values.get(range.position).copied().filter(|value| range.excludes(*value)) {
                    let (feature, range) = (range.feature, range.ends);
                    warnings.add(most, row, || WarningReason::OutsideRange { feature, value, range });
                }
            }
            while let Some(category) = unknown_categories.next_if(|category| category.row == row) {
                if let Some(feature) = model.signature().features().get(category.position) {
                    let feature = &feature.name;
                    warnings
                        .add(most, row, || WarningReason::UnknownCategory { feature, value: category.text.clone() });
                }
            }
            let leverage = leverages.next();
            let known = || open.iter().all(|position| values.get(*position).is_some_and(|level| *level >= 0.0));
            if let Some(leverage) = leverage.filter(|leverage| *leverage > limit)
                && warnings.total == total
                && known()
            {
                warnings.add(most, row, || WarningReason::Leverage { leverage: leverage.min(f64::MAX), limit });
            }
        }
        warnings.total += frame.unknown_categories().total - frame.unknown_categories().listed.len();
        warnings
    }

    fn add(&mut self, most: usize, row: usize, reason: impl FnOnce() -> WarningReason<'m>) {
        self.total += 1;
        if self.listed.len() < most {
            self.listed.push(Warning { row, reason: reason() });
        }
    }
}

/// The values of a number that give no warning.
struct Range<'m> {
    position: usize,
    feature: &'m str,
    ends: [f64; 2],
    /// What stands in for a missing value: it need not be within the range.
    imputed: Option<f64>,
}

impl<'m> Range<'m> {
    fn of(position: usize, feature: &'m Feature) -> Option<Self> {
        let imputed = feature.accept(Cell::Missing).ok();
        Some(Self { position, feature: &feature.name, ends: feature.range?, imputed })
    }

    fn excludes(&self, value: f64) -> bool {
        let [low, high] = self.ends;
        !(low..=high).contains(&value) && self.imputed != Some(value)
    }
}

#[cfg(test)]
mod tests;
