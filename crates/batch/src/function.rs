//! The batch function: events in, scored objects out.

mod drift;
mod event;
mod failed;
mod finish;
mod handler;
mod manifest;
mod plan;
mod settings;

pub use drift::MetricLines;
pub use event::{Event, EventError};
pub use finish::ItemsFailed;
pub use handler::{Function, FunctionError};
pub use settings::BatchSettings;
