//! Warnings about rows that are unlike the training data.

use std::fmt;

use serde::Serialize;

use super::leverage::Leverage;
use crate::cell::Cell;
use crate::frame::{Frame, MAX_LISTED_UNKNOWN_CATEGORIES};
use crate::model::Model;
use crate::signature::{Feature, UnknownPolicy};

/// The most warnings about one frame that are listed with [`WarningScope::First`]; further ones are only counted.
pub const MAX_LISTED_WARNINGS: usize = MAX_LISTED_UNKNOWN_CATEGORIES;

/// The most rows × columns² for which leverages are computed: 40 ms on one core, as measured. That is 6,710 rows of 100
/// columns, or 67 of 1,000; for further rows only ranges and categories are checked.
const LEVERAGE_BUDGET: usize = 1 << 26;

/// A leverage above this multiple of the mean leverage of the training rows is high.
const HIGH_LEVERAGE: f64 = 3.0;

/// The warnings about the rows of a frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Warnings<'m> {
    /// The first [`MAX_LISTED_WARNINGS`], by row, or [all](WarningScope::All).
    pub listed: Vec<Warning<'m>>,
    /// The number of all of them.
    pub total: usize,
    /// The number of rows, from the first on, whose leverage was computed: all unless the frame is so large that it
    /// would take too long; `None` for a model whose file has no `R`.
    pub rows_with_leverage: Option<usize>,
}

/// One warning; it serialises with a stable `code` and a `message`.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning<'m> {
    /// The row, from 0.
    pub row: usize,
    /// The reason of the warning.
    pub reason: WarningReason<'m>,
}

/// The reason of a warning.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum WarningReason<'m> {
    /// A number outside the range of the training data.
    OutsideRange {
        /// The name of the feature.
        feature: &'m str,
        /// The value in the row.
        value: f64,
        /// The smallest and largest value in the training data.
        range: [f64; 2],
    },
    /// A category that is not in the training data: all columns of the feature's levels are zero.
    UnknownCategory {
        /// The name of the feature.
        feature: &'m str,
        /// The beginning of the text in the request.
        value: String,
    },
    /// A high leverage: an unusual combination of values, each of which may be usual. Only for rows without another
    /// warning, because a value outside its range has a high leverage anyway.
    Leverage {
        /// The leverage of the row, `1/n + ‖R⁻ᵀz‖²`.
        leverage: f64,
        /// Three times the mean leverage of the training rows.
        limit: f64,
    },
}

impl fmt::Display for WarningReason<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideRange { .. } => out.write_str("outside the training range"),
            Self::UnknownCategory { .. } => out.write_str("a category that is not in the training data"),
            Self::Leverage { .. } => out
                .write_str("an unusual combination of values (high leverage): the training data has few similar rows"),
        }
    }
}

impl Serialize for Warning<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Content<'a> {
            row: usize,
            #[serde(flatten)]
            reason: &'a WarningReason<'a>,
            message: String,
        }
        Content { row: self.row, reason: &self.reason, message: self.reason.to_string() }.serialize(serializer)
    }
}

/// Which warnings are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WarningScope {
    /// No warnings.
    #[default]
    None,
    /// The first [`MAX_LISTED_WARNINGS`], with leverages for as many rows as take no noticeable time: for requests.
    First,
    /// All warnings, for tables. Unknown categories are listed completely only for frames that
    /// [list all of them](crate::frame::RowsBuilder::listing_all_unknown_categories).
    All,
}

impl WarningScope {
    /// The number of rows, from the first on, whose leverage is computed.
    pub(super) fn rows_with_leverage(self, model: &Model, frame: &Frame<'_>) -> usize {
        match self {
            Self::None => 0,
            Self::First => frame.rows().min(LEVERAGE_BUDGET / (model.design.width() * model.design.width()).max(1)),
            Self::All => frame.rows(),
        }
    }
}

impl<'m> Warnings<'m> {
    /// The warnings about the rows of a frame, whose first rows have these leverages. An imputed value has no warning
    /// of its own; it counts in the leverage of its row.
    pub(super) fn new(
        model: &'m Model,
        frame: &Frame<'_>,
        scope: WarningScope,
        leverage: Option<&Leverage<'m>>,
        leverages: &[f64],
    ) -> Self {
        let max_listed = match scope {
            WarningScope::None => return Self::default(),
            WarningScope::First => MAX_LISTED_WARNINGS,
            WarningScope::All => usize::MAX,
        };
        let features = || model.signature().features().iter().enumerate();
        let ranges: Vec<_> =
            features().filter_map(|(position, feature)| TrainingRange::new(position, feature)).collect();
        let lenient = features().filter(|(_, feature)| feature.unknown == UnknownPolicy::Ignore);
        let lenient: Vec<usize> = lenient.map(|(position, _)| position).collect();
        let mut unknown_categories: Vec<_> = frame.unknown_categories().listed.iter().collect();
        unknown_categories.sort_by_key(|category| category.row);
        let mut unknown_categories = unknown_categories.into_iter().peekable();

        let rows_with_leverage = leverage.map(|_| scope.rows_with_leverage(model, frame));
        let mut leverages = leverages.iter().copied().take(rows_with_leverage.unwrap_or(0));
        let limit = leverage.map_or(f64::INFINITY, |leverage| HIGH_LEVERAGE * leverage.mean);

        let mut warnings = Warnings { rows_with_leverage, ..Warnings::default() };
        for (row, values) in frame.iter().enumerate() {
            let total = warnings.total;
            for range in &ranges {
                if let Some(value) = values.get(range.position).copied().filter(|value| range.excludes(*value)) {
                    let (feature, range) = (range.feature, range.ends);
                    warnings.add(max_listed, row, || WarningReason::OutsideRange { feature, value, range });
                }
            }
            while let Some(category) = unknown_categories.next_if(|category| category.row == row) {
                if let Some(feature) = model.signature().features().get(category.position) {
                    let feature = &feature.name;
                    warnings.add(max_listed, row, || WarningReason::UnknownCategory {
                        feature,
                        value: category.text.clone(),
                    });
                }
            }
            let leverage = leverages.next();
            let known = || lenient.iter().all(|position| values.get(*position).is_some_and(|level| *level >= 0.0));
            if let Some(leverage) = leverage.filter(|leverage| *leverage > limit)
                && warnings.total == total
                && known()
            {
                warnings.add(max_listed, row, || WarningReason::Leverage { leverage: leverage.min(f64::MAX), limit });
            }
        }
        warnings.total += frame.unknown_categories().total - frame.unknown_categories().listed.len();
        warnings
    }

    fn add(&mut self, max_listed: usize, row: usize, reason: impl FnOnce() -> WarningReason<'m>) {
        self.total += 1;
        if self.listed.len() < max_listed {
            self.listed.push(Warning { row, reason: reason() });
        }
    }
}

/// The training range of a number.
struct TrainingRange<'m> {
    position: usize,
    feature: &'m str,
    ends: [f64; 2],
    /// The imputed value, which may be outside the range.
    imputed: Option<f64>,
}

impl<'m> TrainingRange<'m> {
    fn new(position: usize, feature: &'m Feature) -> Option<Self> {
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
