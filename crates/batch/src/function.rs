//! The batch function: events in, scored objects out.

mod event;
mod finish;
mod handler;
mod manifest;
mod plan;
mod settings;

pub use event::{Event, EventError};
pub use handler::{Function, FunctionError};
pub use settings::BatchSettings;
