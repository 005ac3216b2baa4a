//! JSON logs as Lambda's log filter reads them: `level` and an RFC 3339 `timestamp` at the top, fields beside them.

use std::str::FromStr;

use once_cell::sync::OnceCell;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSettings {
    /// What is logged: a level, or levels by target as in `info,aws_sdk_s3=debug`.
    pub filter: Targets,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// Text for a person.
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

/// Sends the process's events and panics to standard output. A second call changes nothing.
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
