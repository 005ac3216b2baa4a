//! CSV and Parquet files, read as tables.
//!
//! [`TableReader`] reads files once, row by row, in bounded memory: for `predict` and `evaluate`. [`Source`] and
//! [`survey`](survey::survey) read them for training: one pass infers types and levels and encodes every value into a
//! temporary file, which later passes read. Both open files, detect formats and word errors in the same way.

// Rows are counted; a count that a double cannot represent exactly (2⁵³) is not reached.
#![allow(clippy::cast_precision_loss)]

mod block;
mod chunks;
pub mod column;
mod compression;
pub mod contents;
mod csv;
mod data_file;
mod decision;
pub mod delimiter;
mod encoding;
mod error;
mod file_options;
mod foreign;
pub mod frame_values;
pub mod infer;
mod layout;
mod line_filter;
pub mod missing;
mod origin;
pub mod parallel;
mod parquet;
mod partitions;
mod parts;
mod paths;
mod progress;
mod ragged;
pub mod resolve;
mod row;
mod row_blocks;
mod sample_rows;
pub mod selection;
mod source;
pub mod spool;
mod standard_input;
pub mod statistics;
pub mod survey;
mod table_reader;
pub mod tally;
mod temporary_file;
mod text_file;

pub use compression::Compression;
pub use decision::Decision;
pub use encoding::Encoding;
pub use error::{DataError, Header, Location, NamedColumn, Purpose, shell_word};
pub use file_options::{FileOptions, HeaderOption};
pub use missing::{Policy, Rule};
pub use origin::Origin;
pub use parts::{Cut, Cutter};
pub use paths::{each_once, expanded, is_hidden};
pub use progress::{Step, Watch, Watched};
pub use row::{Row, RowNumber};
pub use row_blocks::{BlockTable, RowBlock, RowBlocks};
pub use selection::{OffsetColumn, Selection};
pub use source::{Record, RowId, Scan, Source};
pub use spool::SpoolError;
pub use table_reader::TableReader;
pub use temporary_file::{TemporaryFile, remove_leftovers};

/// The most classes of a target.
pub const MAX_CLASSES: usize = 100;

/// The most bytes of a row of CSV. A quote that is never closed makes one row of the rest of the file, which would
/// otherwise fill memory.
pub const MAX_ROW_BYTES: u64 = 16 << 20;

/// The most columns of a design. The triangular matrix of more would need over 100 MB.
pub const MAX_COLUMNS: usize = 5_000;
