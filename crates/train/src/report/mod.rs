//! Reports on a model: an HTML page (`--report FILE.html`) and a model card in Markdown (`--card FILE.md`).
//!
//! Both are functions of a [`ReportInput`]. What they show of the rows comes from a [`ReportDataCollector`], to which
//! the labelled rows are added once:
//!
//! ```no_run
//! # use ordinate_model::Model;
//! # use ordinate_train::report::{ReportDataCollector, ReportInput, html};
//! # fn report(model: &Model, rows: Vec<(Vec<f64>, bool)>) -> Result<String, Box<dyn std::error::Error>> {
//! let mut collector = ReportDataCollector::new(model);
//! for (row, held_out) in &rows {
//!     collector.push(row, *held_out)?;
//! }
//! let data = collector.finish()?;
//! Ok(html(&ReportInput { report_data: Some(&data), ..ReportInput::new(model.document()) }))
//! # }
//! ```

mod card;
mod chart;
mod coefficients;
mod curves;
mod diagnostics;
mod effects;
mod figure;
mod influence;
mod input;
mod metrics;
mod page;
mod report_data;
mod table;
mod value_axis;

pub use card::card;
pub use coefficients::no_standard_errors;
pub use influence::InfluentialRow;
pub use input::{PathPoint, RegularizationPath, ReportInput};
pub use page::{head, html};
pub use report_data::{ColumnStatistics, ReportData, ReportDataCollector, SAMPLE_ROWS, SampledRow};
