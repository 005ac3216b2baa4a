//! Warnings about rows that are unlike the training data.

use std::fmt;
use std::iter::Peekable;
use std::vec;

use serde::Serialize;

use super::leverage::Leverage;
use crate::frame::{Category, Frame, ImputedCells, MAX_LISTED_UNKNOWN_CATEGORIES};
use crate::model::Model;
use crate::scalar::Scalar;
use crate::signature::{Feature, FeatureType, UnknownPolicy};

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
    /// The numbers of all of them by kind.
    pub counts: WarningCounts,
    /// The number of rows, from the first on, whose leverage was computed: all unless the frame is so large that it
    /// would take too long; `None` for a model whose file has no `R`.
    pub rows_with_leverage: Option<usize>,
}

/// Numbers of warnings by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WarningCounts {
    /// Values outside the range of the training data.
    pub outside_range: usize,
    /// Missing values that were replaced.
    pub imputed: usize,
    /// Categories that are not in the training data.
    pub unknown_category: usize,
    /// Rows of high leverage.
    pub leverage: usize,
    /// Rows without a confidence interval of the mean.
    pub no_mean_interval: usize,
}

impl WarningCounts {
    /// The number of warnings of any kind.
    pub fn total(&self) -> usize {
        self.by_code().into_iter().map(|(_, count)| count).sum()
    }

    /// The number for each `code`.
    pub fn by_code(&self) -> [(&'static str, usize); 5] {
        [
            ("outside_range", self.outside_range),
            ("imputed", self.imputed),
            ("unknown_category", self.unknown_category),
            ("leverage", self.leverage),
            ("no_mean_interval", self.no_mean_interval),
        ]
    }
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
    /// A number or a date outside the range of the training data.
    OutsideRange {
        /// The name of the feature.
        feature: &'m str,
        /// The value in the row: a number, or a date in ISO 8601.
        value: Scalar,
        /// The smallest and largest value in the training data.
        range: [Scalar; 2],
    },
    /// A missing value.
    Imputed {
        /// The name of the feature.
        feature: &'m str,
        /// The value that replaces it.
        value: Scalar,
    },
    /// A category that is not in the training data: all columns of the feature's levels are zero, or it is grouped with
    /// the rare categories of the training data.
    UnknownCategory {
        /// The name of the feature.
        feature: &'m str,
        /// The beginning of the text in the request.
        value: String,
    },
    /// A high leverage: an unusual combination of values, each of which may be usual. Only for rows without an unusual
    /// value, because a value outside its range has a high leverage anyway.
    Leverage {
        /// The leverage of the row, `1/n + ‖R⁻ᵀz‖²`.
        leverage: f64,
        /// Three times the mean leverage of the training rows.
        limit: f64,
    },
    /// A requested confidence interval of the mean that the training data do not determine.
    NoMeanInterval,
}

impl fmt::Display for WarningReason<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideRange { .. } => out.write_str("outside the training range"),
            Self::Imputed { value, .. } => write!(out, "missing, replaced by {value}"),
            Self::UnknownCategory { .. } => out.write_str("a category that is not in the training data"),
            Self::Leverage { .. } => out
                .write_str("an unusual combination of values (high leverage): the training data has few similar rows"),
            Self::NoMeanInterval => out.write_str(
                "no confidence interval of the mean: the training data do not determine the mean of such rows",
            ),
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

/// How far the training data determine the means of rows.
pub(super) struct Determination<'a> {
    /// The leverages of the first rows.
    pub(super) leverages: &'a [f64],
    /// Whether the fit does not determine the mean of a row, so that its leverage means nothing; empty if it does for
    /// all.
    pub(super) undetermined: &'a [bool],
    /// The requested confidence intervals of the mean.
    pub(super) mean_intervals: &'a [Option<[f64; 2]>],
}

impl<'m> Warnings<'m> {
    /// The warnings about the rows of a frame. An imputed value has no warning about its range or category; it counts
    /// in the leverage of its row.
    pub(super) fn new(
        model: &'m Model,
        frame: &Frame<'_>,
        scope: WarningScope,
        leverage: Option<&Leverage<'m>>,
        determination: &Determination<'_>,
    ) -> Self {
        let max_listed = match scope {
            WarningScope::None => return Self::default(),
            WarningScope::First => MAX_LISTED_WARNINGS,
            WarningScope::All => usize::MAX,
        };
        let rows_with_leverage = leverage.map(|_| scope.rows_with_leverage(model, frame));
        let Determination { leverages, undetermined, mean_intervals } = determination;
        let mut leverages = leverages.iter().copied().take(rows_with_leverage.unwrap_or(0));
        let limit = leverage.map_or(f64::INFINITY, |leverage| HIGH_LEVERAGE * leverage.mean);
        let mut search = Search::new(model.signature().features(), frame, max_listed);
        for (row, values) in frame.iter().enumerate() {
            search.add_imputed_values(row);
            let is_usual = !search.add_unusual_values(row, values);
            let is_determined = undetermined.get(row) != Some(&true);
            let leverage = leverages.next().filter(|_| is_determined);
            if let Some(leverage) = leverage.filter(|leverage| *leverage > limit && is_usual) {
                search.found.counts.leverage += 1;
                search.found.add(row, || WarningReason::Leverage { leverage: leverage.min(f64::MAX), limit });
            }
            if mean_intervals.get(row) == Some(&None) {
                search.found.counts.no_mean_interval += 1;
                search.found.add(row, || WarningReason::NoMeanInterval);
            }
        }
        let unlisted = frame.unknown_categories().total - frame.unknown_categories().listed.len();
        let Found { listed, mut counts, .. } = search.found;
        counts.unknown_category += unlisted;
        Warnings { listed, counts, rows_with_leverage }
    }
}

/// The search for warnings, row by row.
struct Search<'m, 'f> {
    features: &'m [Feature],
    /// The positions and training ranges of numbers and dates.
    ranges: Vec<(usize, [f64; 2])>,
    /// The positions of features that replace missing values, and these values.
    replaced: Vec<(usize, Scalar)>,
    imputed: &'f ImputedCells,
    /// The positions of features that ignore unknown categories.
    lenient: Vec<usize>,
    /// The listed unknown categories that are not added yet, by row.
    unknown_categories: Peekable<vec::IntoIter<&'f Category>>,
    found: Found<'m>,
}

/// The first warnings, and the numbers of all.
struct Found<'m> {
    max_listed: usize,
    listed: Vec<Warning<'m>>,
    counts: WarningCounts,
}

impl<'m> Found<'m> {
    /// Lists a warning that is counted, unless enough are listed.
    fn add(&mut self, row: usize, reason: impl FnOnce() -> WarningReason<'m>) {
        if self.listed.len() < self.max_listed {
            self.listed.push(Warning { row, reason: reason() });
        }
    }
}

impl<'m, 'f> Search<'m, 'f> {
    fn new(features: &'m [Feature], frame: &'f Frame<'_>, max_listed: usize) -> Self {
        let positions = || features.iter().enumerate();
        let is_lenient = |feature: &Feature| feature.unknown == UnknownPolicy::Ignore;
        let mut unknown_categories: Vec<_> = frame.unknown_categories().listed.iter().collect();
        unknown_categories.sort_by_key(|category| category.row);
        Self {
            features,
            ranges: positions().filter_map(|(position, feature)| Some((position, feature.range?))).collect(),
            replaced: positions().filter_map(|(position, feature)| Some((position, feature.imputed()?))).collect(),
            imputed: frame.imputed(),
            lenient: positions().filter(|(_, feature)| is_lenient(feature)).map(|(position, _)| position).collect(),
            unknown_categories: unknown_categories.into_iter().peekable(),
            found: Found { max_listed, listed: Vec::new(), counts: WarningCounts::default() },
        }
    }
    fn add_imputed_values(&mut self, row: usize) {
        if self.imputed.is_empty() {
            return;
        }
        let first = row * self.features.len();
        for (position, value) in self.replaced.iter().filter(|(position, _)| self.imputed.contains(first + position)) {
            if let Some(Feature { name, .. }) = self.features.get(*position) {
                self.found.counts.imputed += 1;
                self.found.add(row, || WarningReason::Imputed { feature: name, value: value.clone() });
            }
        }
    }

    /// Adds values outside their range and unknown categories, and returns whether the row has any. An imputed value is
    /// neither, even if it is not in the training data.
    fn add_unusual_values(&mut self, row: usize, values: &[f64]) -> bool {
        let (before, first) = (self.found.counts.total(), row * self.features.len());
        let value = |position: usize| values.get(position).copied().unwrap_or(f64::NAN);
        for (position, [low, high]) in &self.ranges {
            let value = value(*position);
            if !(*low..=*high).contains(&value)
                && !self.imputed.contains(first + position)
                && let Some(feature) = self.features.get(*position)
            {
                self.found.counts.outside_range += 1;
                self.found.add(row, || WarningReason::outside_range(feature, value));
            }
        }
        while let Some(category) = self.unknown_categories.next_if(|category| category.row == row) {
            if let Some(Feature { name, .. }) = self.features.get(category.position) {
                let unknown = || WarningReason::UnknownCategory { feature: name, value: category.text.clone() };
                self.found.counts.unknown_category += 1;
                self.found.add(row, unknown);
            }
        }
        // Not all unknown categories are listed.
        self.found.counts.total() > before || self.lenient.iter().any(|position| value(*position) < 0.0)
    }
}

impl<'m> WarningReason<'m> {
    fn outside_range(feature: &'m Feature, value: f64) -> Self {
        let value = match feature.kind {
            FeatureType::Date => feature.to_scalar(value),
            _ => Scalar::Number(value),
        };
        Self::OutsideRange {
            feature: &feature.name,
            value,
            range: feature.range_ends().unwrap_or([const { Scalar::Missing }; 2]),
        }
    }
}

#[cfg(test)]
mod tests;
