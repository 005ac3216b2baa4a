//! JSON logs in the form that Lambda's log filter needs: `level`, an RFC 3339 `timestamp` and all fields at the top
//! level.

use std::str::FromStr;

use once_cell::sync::OnceCell;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// Log level and format.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSettings {
    /// A level, or levels by target such as `info,aws_sdk_s3=debug`.
    pub filter: Targets,
    /// The format of a log line.
    pub format: LogFormat,
}

/// The format of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    #[default]
    Json,
    /// Human-readable text.
    Text,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { filter: Targets::new().with_default(Level::INFO), format: LogFormat::Json }
    }
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name.to_ascii_lowercase().as_str() {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(()),
        }
    }
}

/// Writes the events and panics of the process to standard output. Further calls have no effect.
pub fn install(settings: LogSettings) {
    static INSTALLED: OnceCell<()> = OnceCell::new();
    INSTALLED.get_or_init(|| {
        let lines = fmt::layer().with_target(false);
        let lines: Box<dyn Layer<Registry> + Send + Sync> = match settings.format {
            LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
            LogFormat::Text => lines.with_ansi(false).boxed(),
        };
        tracing_subscriber::registry().with(lines.with_filter(settings.filter)).init();
        std::panic::set_hook(Box::new(|panic| {
            let location = panic.location().map(ToString::to_string);
            let message = panic.payload_as_str().unwrap_or("(not text)");
            tracing::error!(location, cause = message, "panic");
        }));
    });
}
