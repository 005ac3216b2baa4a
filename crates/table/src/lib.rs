//! CSV and Parquet files, read as tables: files are read once, which tells types and levels, and leaves every value in a temporary
//! file; further passes read that. Nothing is held: what does not fit in memory can still be read.

// Rows are counted; a count that a double cannot hold exactly (2⁵³) would take longer to read than anyone has.
#![allow(clippy::cast_precision_loss)]

mod block;
mod chunks;
pub mod column;
mod csv;
pub mod delimiter;
mod error;
mod foreign;
pub mod missing;
pub mod parallel;
mod parquet;
mod paths;
pub mod selection;
mod source;
pub mod spool;
mod standard_input;
pub mod statistics;
pub mod stored;
pub mod survey;
pub mod tally;

pub use csv::lines_before_the_open_field;
pub use error::{DataError, Header, Location, NamedColumn, Purpose};
pub use foreign::foreign;
pub use missing::{Policy, Rule};
pub use paths::{each_once, expanded};
pub use selection::Selection;
pub use source::{Origin, Place, Record, Scan, Source, Watch, same_header};
pub use spool::SpoolError;

/// More categories than this are hardly a category: an identifier, a date, a free text.
pub const MAX_LEVELS: usize = 1_000;

/// More classes than this are hardly classes.
pub const MAX_CLASSES: usize = 100;

/// The most bytes one row of CSV may have. A quote that is never closed makes one row of all that follows: without a limit
/// it would be held in memory.
pub const MAX_ROW_BYTES: u64 = 16 << 20;

/// More columns than this make a triangle of over 100 MB.
pub const MAX_COLUMNS: usize = 5_000;
