//! All environment variables of the function. They are read once, when the process starts.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `MODEL_URI` | the bundled models | a path, `file:///…/model.json` or `s3://bucket/model.json`; a catalog ends with `/` |
//! | `MODEL_SHA256` | – | the `sha256` that the model of `MODEL_URI` must have |
//! | `DEFAULT_MODEL` | `line`, or the only released model | the model of `/predict` |
//! | `MODEL_REFRESH_SECONDS` | 0 | how old a loaded model and alias may be before they are fetched again; 0 for never |
//! | `MODEL_CACHE_BYTES` | 268435456 | bytes of loaded model files above which the least recently used models are dropped |
//! | `SHADOW_BUDGET_MS` | 20 | milliseconds of a request for comparing its prediction with the alias `shadow`; 0 for never |
//! | `MAX_ROWS` | 100000 | rows per request |
//! | `MAX_BODY_BYTES` | 6291456 | bytes of a body after base64 and gzip decoding |
//! | `BASE_PATH` | – | prefixes to remove from paths, comma-separated, such as `/ml`; not those of routes, such as `/v1` |
//! | `CORS_ALLOW_ORIGINS` | – | allowed origins, comma-separated, or `*` |
//! | `CORS_ALLOW_HEADERS` | those of the clients and of AWS | allowed headers, comma-separated, or `*` |
//! | `CORS_ALLOW_CREDENTIALS` | false | whether browsers may send cookies; needs a list of origins |
//! | `CORS_MAX_AGE_SECONDS` | 600 | how long browsers keep the answer to a preflight request |
//! | `LOG_REQUESTS` | `all` | the requests with a line in the log: `all`, `errors` or `none` |
//! | `METRICS` | `emf` | the metrics of the function in its log: `emf` for those of `CloudWatch`, or `none` |
//! | `CAPTURE_FRACTION` | 0 | the fraction of the predictions whose inputs and outputs are captured, one line each |
//! | `CAPTURE_REDACT` | – | names of features that are not captured, comma-separated |
//! | `POWERTOOLS_SERVICE_NAME` | the name of the function | `service` in the log and in metrics |
//! | `STAGE` | `default` | `stage` in metrics, such as `production` |
//! | `AIP_PREDICT_ROUTE`, `AIP_HEALTH_ROUTE` | – | other paths of `/vertex/predict` and `/vertex/health`; Vertex AI sets them |
//! | `RUST_LOG`, `AWS_LAMBDA_LOG_LEVEL` | `INFO` | log level; `RUST_LOG` takes precedence and may name targets |
//! | `AWS_LAMBDA_LOG_FORMAT` | `JSON` | `JSON` or `Text` |
//! | `AWS_REGION`, `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` | – | where S3 is, as in every AWS SDK |
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | – | credentials for S3; Lambda sets them |
//! | `AWS_LAMBDA_MAX_CONCURRENCY` | 1 | concurrent requests per process; Lambda Managed Instances set it |
//!
//! A variable with an empty value counts as not set.

mod http;
mod logging;
mod models;

use std::sync::Arc;

use ordinate_model::identity::ModelName;
use thiserror::Error;

use crate::emf::MetricSettings;
use crate::http::{Limits, Settings};
use crate::source::catalog::Catalog;

/// The configuration of the function, except for logging.
#[derive(Debug)]
pub struct Config {
    /// The models to serve.
    pub catalog: Arc<Catalog>,
    /// Limits, paths and CORS.
    pub http: Settings,
    /// Concurrent requests per process.
    pub concurrency: usize,
    /// The metrics of the function; `None` for no metrics.
    pub metrics: Option<MetricSettings>,
}

/// A variable with an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{variable}: {problem}, got {value:?}")]
pub struct ConfigError {
    /// The name of the variable.
    pub variable: &'static str,
    /// Its value.
    pub value: String,
    /// The reason, with the allowed values.
    pub problem: String,
}

/// The environment as a function from name to value, so that tests can supply their own.
#[derive(Debug, Clone, Copy)]
pub struct Environment<F>(pub F);

impl Environment<fn(&str) -> Option<String>> {
    /// The environment of the process.
    #[must_use]
    pub fn process() -> Self {
        // A value that is not UTF-8 is still set: with replacement characters it fails to parse.
        Self(|variable| std::env::var_os(variable).map(|value| value.to_string_lossy().into_owned()))
    }
}

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    fn text(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.is_empty())
    }

    /// The parsed value of a variable; `None` if it is not set. The error of `parse` is [`ConfigError::problem`].
    ///
    /// # Errors
    /// [`ConfigError`] if `parse` fails.
    pub fn parse<T>(
        &self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.text(variable) else { return Ok(None) };
        parse(&value).map(Some).map_err(|problem| ConfigError { variable, value, problem })
    }

    /// A whole number of at least 1.
    ///
    /// # Errors
    /// [`ConfigError`] for any other value.
    pub fn count(&self, variable: &'static str, default: usize) -> Result<usize, ConfigError> {
        let positive = |value: &str| match value.parse::<usize>() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err("expected a whole number of at least 1".to_owned()),
        };
        Ok(self.parse(variable, positive)?.unwrap_or(default))
    }

    /// The maximum size of a body, in bytes.
    ///
    /// # Errors
    /// [`ConfigError`] for anything but a whole number of at least 1.
    pub fn max_body_bytes(&self) -> Result<usize, ConfigError> {
        self.count("MAX_BODY_BYTES", Limits::DEFAULT.max_body_bytes)
    }

    /// Everything except for logging.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid variable.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let http = self.http()?;
        self.with_catalog(http, self.catalog()?)
    }

    /// Like [`Environment::config`], with the models of these files instead of those of `MODEL_URI`. `names` are their
    /// names. The first is the default model, unless `DEFAULT_MODEL` names another.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid variable.
    pub fn config_with_models(&self, models: Catalog, names: Vec<ModelName>) -> Result<Config, ConfigError> {
        let http = self.http()?;
        if let Some(value) = self.text("MODEL_SHA256") {
            let problem = "applies to the model of MODEL_URI only, and the models are arguments".into();
            return Err(ConfigError { variable: "MODEL_SHA256", value, problem });
        }
        let default = self.text("DEFAULT_MODEL");
        let catalog =
            models.with_names(names, default.as_deref()).map_err(|error| models::unknown_default(error, default))?;
        self.with_catalog(http, catalog)
    }

    fn with_catalog(&self, http: Settings, catalog: Catalog) -> Result<Config, ConfigError> {
        let concurrency = self.count("AWS_LAMBDA_MAX_CONCURRENCY", 1)?;
        Ok(Config { catalog: Arc::new(catalog), http, concurrency, metrics: self.metrics()? })
    }
}

#[cfg(test)]
mod tests;
