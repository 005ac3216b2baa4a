//! Releases of models: publishing a version to a catalog, and changing which version an alias points to.
//!
//! The layout of a catalog is that of [`ordinate::source::catalog::layout`]. A version is written once and never
//! overwritten; the file of an alias has its history and is replaced only if nobody else has changed it. So two
//! publishers at the same time get different versions, and no release is lost.

mod alias_files;
mod aliases;
mod catalog;
mod check;
mod compatibility;
mod contention;
mod copy;
mod error;
mod folder;
mod rollback;

pub use aliases::{Change, Listed, Who};
pub use catalog::{Published, ReleaseCatalog};
pub use check::Approval;
pub use compatibility::{Breaking, breaking_changes};
pub use copy::{Copied, CopyVersion};
pub use error::ReleaseError;
pub use folder::{Condition, Made, PutError, Refusal, WritableFolder};
