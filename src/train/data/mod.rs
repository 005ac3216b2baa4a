//! Where rows come from: files are read once, which tells types, levels and what stands in for missing values, and leaves every
//! value in a temporary file; further passes read that. Nothing is held: what does not fit in memory can still be read.

mod block;
mod chunks;
mod column;
mod columns;
mod csv;
pub mod delimiter;
mod error;
mod foreign;
mod missing;
mod parquet;
mod paths;
mod selection;
mod source;
mod spool;
mod standard_input;
mod statistics;
mod survey;
mod surveyed;
mod table;
mod tally;
mod unseen;

pub(crate) use csv::lines_before_the_open_field;
pub use error::{DataError, Header, Location, NamedColumn, Purpose};
pub(crate) use foreign::foreign;
pub use missing::{Policy, Rule};
pub use paths::{each_once, expanded};
pub use selection::Selection;
pub(crate) use source::same_header;
pub use source::{Origin, Scan, Source, Watch};
pub use surveyed::Surveyed;
pub(crate) use table::Encodings;
pub use table::{Encoded, Table, View};
pub use unseen::Unseen;

use crate::model::preprocess::TargetTransform;
use crate::model::signature::{FeatureType, Unknown};

/// More categories than this are hardly a category: an identifier, a date, a free text.
pub const MAX_LEVELS: usize = 1_000;

/// More classes than this are hardly classes.
pub const MAX_CLASSES: usize = 100;

/// The most bytes one row of CSV may have. A quote that is never closed makes one row of all that follows: without a limit
/// it would be held in memory.
pub const MAX_ROW_BYTES: u64 = 16 << 20;

/// More columns than this make a triangle of over 100 MB.
pub const MAX_COLUMNS: usize = 5_000;

/// What to make of the columns.
#[derive(Debug, Clone, Default)]
pub struct Preparation {
    /// Types by the name of their column, where they are not to be inferred.
    pub types: Vec<(String, FeatureType)>,
    /// Columns that are categories, whatever they look like.
    pub categorical: Vec<String>,
    /// What to do about missing values; the last rule that names a column counts, then the last that names none.
    pub missing: Vec<Rule>,
    /// What a category that was not seen will mean.
    pub unknown: Unknown,
    /// Powers of numbers up to this one; 0 and 1 add none.
    pub degree: u32,
    /// Whether to add the products of every two features.
    pub interactions: bool,
    /// What to do to the target.
    pub target_transform: TargetTransform,
    /// Whether to fit without an intercept.
    pub through_origin: bool,
}

#[cfg(test)]
mod tests;
