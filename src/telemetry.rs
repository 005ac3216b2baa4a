//! JSON logs in the form that Lambda's log filter needs: `level`, an RFC 3339 `timestamp` and all fields at the top
//! level; and the function and the invocation under the keys of Powertools for AWS Lambda.

use std::str::FromStr;

use indexmap::IndexMap;
use once_cell::sync::OnceCell;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::http::server::lambda::{INVOCATION, Invocation};

/// Log level and format.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSettings {
    /// A level, or levels by target such as `info,aws_sdk_s3=debug`.
    pub filter: Targets,
    /// The format of a log line.
    pub format: LogFormat,
    /// The function, as members of each JSON line.
    pub function: Vec<(&'static str, String)>,
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
        Self { filter: Targets::new().with_default(Level::INFO), format: LogFormat::Json, function: Vec::new() }
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

/// An event as a JSON object on one line.
struct JsonLine {
    function: Vec<(&'static str, String)>,
}

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> std::fmt::Result {
        let mut fields = Fields(IndexMap::new());
        fields.0.insert("timestamp", timestamp().into());
        fields.0.insert("level", event.metadata().level().as_str().into());
        event.record(&mut fields);
        for (key, value) in &self.function {
            fields.0.insert(key, value.as_str().into());
        }
        let _ = INVOCATION.try_with(|invocation| fields.add_invocation(invocation));
        let line = serde_json::to_string(&fields.0).map_err(|_| std::fmt::Error)?;
        writeln!(out, "{line}")
    }
}

/// The time now, in RFC 3339; empty where it cannot be formatted.
pub(crate) fn timestamp() -> String {
    let mut timestamp = String::new();
    match SystemTime.format_time(&mut Writer::new(&mut timestamp)) {
        Ok(()) => timestamp,
        Err(_) => String::new(),
    }
}

/// The root of a trace header, such as `1-5759e988-bd862e3fe1be46a994272793`.
fn trace_id(header: &str) -> &str {
    header.split(';').find_map(|part| part.trim().strip_prefix("Root=")).unwrap_or(header)
}

/// The fields of an event in their order.
struct Fields(IndexMap<&'static str, Value>);

impl Fields {
    fn add_invocation(&mut self, invocation: &Invocation) {
        let Invocation { request_id, trace, correlation_id, cold_start } = invocation;
        self.0.insert("function_request_id", request_id.as_str().into());
        self.0.insert("cold_start", (*cold_start).into());
        let ids = [("xray_trace_id", trace.as_deref().map(trace_id)), ("correlation_id", correlation_id.as_deref())];
        for (key, id) in ids {
            if let Some(id) = id {
                self.0.insert(key, id.into());
            }
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}").into());
    }
}

/// Writes the events and panics of the process to standard output. Further calls have no effect.
pub fn install(settings: LogSettings) {
    static INSTALLED: OnceCell<()> = OnceCell::new();
    INSTALLED.get_or_init(|| {
        let lines: Box<dyn Layer<Registry> + Send + Sync> = match settings.format {
            LogFormat::Json => fmt::layer().event_format(JsonLine { function: settings.function }).boxed(),
            LogFormat::Text => fmt::layer().with_target(false).with_ansi(false).boxed(),
        };
        // It would repeat the errors of invocations, which have a line with their status and ids.
        let filter = settings.filter.with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
        tracing_subscriber::registry().with(lines.with_filter(filter)).init();
        std::panic::set_hook(Box::new(|panic| {
            let location = panic.location().map(ToString::to_string);
            let message = panic.payload_as_str().unwrap_or("(not text)");
            tracing::error!(location, cause = message, "panic");
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(part)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn line(invocation: Invocation, log: impl FnOnce()) -> Value {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let function = vec![("service", "models".to_owned())];
        let lines = fmt::layer().event_format(JsonLine { function }).with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, || INVOCATION.sync_scope(invocation, log));
        let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_line_has_level_time_and_fields_at_the_top() {
        let cause = "two\nlines";
        let line =
            line(Invocation::default(), || tracing::warn!(rows = 3, milliseconds = 1.5, is = true, cause, "loaded"));
        assert_eq!((&line["level"], &line["message"], &line["rows"]), (&json!("WARN"), &json!("loaded"), &json!(3)));
        assert_eq!((&line["milliseconds"], &line["is"], &line["cause"]), (&json!(1.5), &json!(true), &json!(cause)));
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(timestamp.ends_with('Z') && timestamp.contains('T'), "{timestamp}");
        assert!(line.get("xray_trace_id").is_none(), "{line}");
        assert_eq!(line["service"], "models");
    }

    #[test]
    fn a_line_of_an_invocation_has_its_ids_under_the_keys_of_powertools() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let invocation = Invocation {
            request_id: "8476a536".into(),
            trace: Some(header.into()),
            correlation_id: Some("JKJaXmPLvHcESHA=".into()),
            cold_start: true,
        };
        let line = line(invocation, || tracing::info!("request"));
        assert_eq!(line["xray_trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!((&line["function_request_id"], &line["cold_start"]), (&json!("8476a536"), &json!(true)));
        assert_eq!(line["correlation_id"], "JKJaXmPLvHcESHA=");
    }
}
