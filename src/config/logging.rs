//! The log, and the metrics in it.

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::{ConfigError, Environment};
use crate::emf::MetricSettings;
use crate::telemetry::{LogFormat, LogSettings};

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    /// Log level and format.
    ///
    /// # Errors
    /// [`ConfigError`] for an unknown level or format.
    pub fn log(&self) -> Result<LogSettings, ConfigError> {
        // `Targets` would read an unknown level as the name of a target and log nothing else.
        let known = |part: &str| part.contains('=') || part.trim().parse::<Level>().is_ok() || part.trim() == "off";
        let targets = |value: &str| match value.parse::<Targets>() {
            Ok(targets) if value.split(',').all(known) => {
                let default = targets.default_level().unwrap_or(LevelFilter::ERROR);
                Ok(targets.with_default(default))
            }
            _ => Err("expected a level, or levels by target such as \"info,ordinate=debug\"".to_owned()),
        };
        let level = |value: &str| match value.to_ascii_lowercase().as_str() {
            // A level of Lambda that `tracing` does not have.
            "fatal" => Ok(Level::ERROR),
            level => level.parse().map_err(|_| "expected TRACE, DEBUG, INFO, WARN, ERROR or FATAL".to_owned()),
        };
        let format = |value: &str| value.parse::<LogFormat>().map_err(|()| "expected JSON or Text".to_owned());
        let level = self.parse("AWS_LAMBDA_LOG_LEVEL", level)?.unwrap_or(Level::INFO);
        let filter = self.parse("RUST_LOG", targets)?.unwrap_or_else(|| Targets::new().with_default(level));
        let format = self.parse("AWS_LAMBDA_LOG_FORMAT", format)?.unwrap_or_default();
        Ok(LogSettings { filter, format, function: self.function() })
    }

    /// The function, under the keys of Powertools for AWS Lambda. Outside of Lambda, at most the service.
    fn function(&self) -> Vec<(&'static str, String)> {
        let keys = [
            ("function_name", "AWS_LAMBDA_FUNCTION_NAME"),
            ("function_version", "AWS_LAMBDA_FUNCTION_VERSION"),
            ("function_memory_size", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        ];
        let service = self.service().map(|service| ("service", service));
        let known = keys.into_iter().filter_map(|(key, variable)| Some((key, self.text(variable)?)));
        service.into_iter().chain(known).collect()
    }

    fn service(&self) -> Option<String> {
        self.text("POWERTOOLS_SERVICE_NAME").or_else(|| self.text("AWS_LAMBDA_FUNCTION_NAME"))
    }

    /// How the function writes metrics; `None` if it does not.
    ///
    /// # Errors
    /// [`ConfigError`] if `METRICS` is neither `emf` nor `none`.
    pub fn metrics(&self) -> Result<Option<MetricSettings>, ConfigError> {
        let wanted = |value: &str| match value {
            "emf" => Ok(true),
            "none" => Ok(false),
            _ => Err("expected emf or none".to_owned()),
        };
        if !self.parse("METRICS", wanted)?.unwrap_or(true) {
            return Ok(None);
        }
        let defaults = MetricSettings::default();
        let initialization = self.text("AWS_LAMBDA_INITIALIZATION_TYPE");
        Ok(Some(MetricSettings {
            service: self.service().unwrap_or(defaults.service),
            stage: self.text("STAGE").unwrap_or(defaults.stage),
            level: self.level_of_lines(),
            provisioned: initialization.is_some_and(|kind| kind == "provisioned-concurrency"),
        }))
    }

    /// The level of lines next to the log, of metrics and captured requests: Lambda drops lines below that of its filter.
    pub(super) fn level_of_lines(&self) -> &'static str {
        match self.text("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default().to_ascii_uppercase().as_str() {
            "WARN" => "WARN",
            "ERROR" => "ERROR",
            "FATAL" => "FATAL",
            _ => "INFO",
        }
    }
}
