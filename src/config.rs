//! All environment variables of the function. They are read once, when the process starts.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `MODEL_URI` | the bundled models | a path, `file:///…/model.json` or `s3://bucket/model.json`; a catalog ends with `/` |
//! | `MODEL_SHA256` | – | the `sha256` that the model of `MODEL_URI` must have |
//! | `DEFAULT_MODEL` | `line`, or the only model | the model of `/predict` |
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

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use thiserror::Error;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::emf::MetricSettings;
use crate::http::{
    Alias, AllowedOrigins, Cors, Limits, LogRequests, SHADOW_BUDGET, Settings, VERTEX_HEALTH, VERTEX_PREDICT,
    route_below,
};
use crate::source::catalog::{Catalog, CatalogError, CatalogSettings};
use crate::source::file::{FileSource, LocalFolder};
use crate::source::s3::{Credentials, S3Folder, S3Settings, S3Source};
use crate::source::{ModelUri, ObjectLocation, SourceError};
use crate::telemetry::{LogFormat, LogSettings};
use ordinate_model::identity::{Checksum, ModelName};

/// The longest time of a request for its comparison, so that the caller is answered before other time limits.
const MAX_SHADOW_BUDGET_MS: u16 = 1_000;

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
        // Lambda drops lines below this level.
        let level = match self.text("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default().to_ascii_uppercase().as_str() {
            "WARN" => "WARN",
            "ERROR" => "ERROR",
            "FATAL" => "FATAL",
            _ => defaults.level,
        };
        let initialization = self.text("AWS_LAMBDA_INITIALIZATION_TYPE");
        Ok(Some(MetricSettings {
            service: self.service().unwrap_or(defaults.service),
            stage: self.text("STAGE").unwrap_or(defaults.stage),
            level,
            provisioned: initialization.is_some_and(|kind| kind == "provisioned-concurrency"),
        }))
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
        let catalog = models.with_names(names, default.as_deref()).map_err(|error| unknown_default(error, default))?;
        self.with_catalog(http, catalog)
    }

    fn with_catalog(&self, http: Settings, catalog: Catalog) -> Result<Config, ConfigError> {
        let concurrency = self.count("AWS_LAMBDA_MAX_CONCURRENCY", 1)?;
        Ok(Config { catalog: Arc::new(catalog), http, concurrency, metrics: self.metrics()? })
    }

    fn http(&self) -> Result<Settings, ConfigError> {
        let limits = Limits {
            max_rows: self.count("MAX_ROWS", Limits::DEFAULT.max_rows)?,
            max_body_bytes: self.max_body_bytes()?,
            ..Limits::DEFAULT
        };
        let base_paths = self.parse("BASE_PATH", base_paths)?.unwrap_or_default();
        let cors = self.cors()?;
        let log_requests = |value: &str| match value {
            "all" => Ok(LogRequests::All),
            "errors" => Ok(LogRequests::Errors),
            "none" => Ok(LogRequests::None),
            _ => Err("expected all, errors or none".to_owned()),
        };
        let log_requests = self.parse("LOG_REQUESTS", log_requests)?.unwrap_or_default();
        let milliseconds = |value: &str| match value.parse::<u16>() {
            Ok(number) if number <= MAX_SHADOW_BUDGET_MS => Ok(number),
            _ => Err(format!(
                "expected a whole number of milliseconds up to {MAX_SHADOW_BUDGET_MS}, or 0 for no comparison"
            )),
        };
        let shadow_budget = self.parse("SHADOW_BUDGET_MS", milliseconds)?;
        let shadow_budget =
            shadow_budget.map_or(SHADOW_BUDGET, |milliseconds| Duration::from_millis(milliseconds.into()));
        let aliases = self.vertex()?;
        Ok(Settings { base_paths, cors, aliases, log_requests, shadow_budget, ..Settings::new(limits) })
    }

    fn cors(&self) -> Result<Cors, ConfigError> {
        let defaults = Cors::default();
        let origins = self.parse("CORS_ALLOW_ORIGINS", origins)?.unwrap_or_default();
        let headers = self.parse("CORS_ALLOW_HEADERS", allowed_headers)?.unwrap_or(defaults.headers);
        let seconds = |value: &str| {
            value.parse::<u32>().map_err(|_| "expected a whole number of seconds of at least 0".to_owned())
        };
        let max_age = self.parse("CORS_MAX_AGE_SECONDS", seconds)?;
        let credentials = |value: &str| match value {
            "true" if origins == AllowedOrigins::Any => {
                // A browser rejects such a response (Fetch standard §3.2.5).
                Err("credentials need a list of origins in CORS_ALLOW_ORIGINS, which is *".to_owned())
            }
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("expected true or false".to_owned()),
        };
        let credentials = self.parse("CORS_ALLOW_CREDENTIALS", credentials)?.unwrap_or_default();
        let max_age = max_age.map_or(defaults.max_age, |seconds| Duration::from_secs(seconds.into()));
        Ok(Cors { origins, headers, credentials, max_age })
    }

    /// The paths that Vertex AI chose for its routes.
    fn vertex(&self) -> Result<Vec<Alias>, ConfigError> {
        let routes = [("AIP_PREDICT_ROUTE", VERTEX_PREDICT), ("AIP_HEALTH_ROUTE", VERTEX_HEALTH)];
        let alias = |(variable, route)| {
            let path = self.parse(variable, alias)?;
            Ok(path.map(|path| Alias { path, route }))
        };
        routes.into_iter().filter_map(|route| alias(route).transpose()).collect()
    }

    /// Where the model of `MODEL_URI` is.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not a location of a model.
    pub fn model_uri(&self) -> Result<ModelUri, ConfigError> {
        let uri = |value: &str| value.parse::<ModelUri>().map_err(|error| error.problem());
        Ok(self.parse("MODEL_URI", uri)?.unwrap_or(ModelUri::Bundled))
    }

    fn catalog(&self) -> Result<Catalog, ConfigError> {
        let uri = self.model_uri()?;
        let name = |value: &str| {
            let problem = "expected a model name: 1 to 64 letters, digits, dots, hyphens and underscores, \
                           starting with a letter or digit";
            ModelName::try_from(value.to_owned()).map_err(|_| problem.to_owned())
        };
        let name = self.parse("DEFAULT_MODEL", name)?;
        let checksum =
            |value: &str| Checksum::try_from(value.to_owned()).map_err(|_| "expected 64 hexadecimal digits".to_owned());
        let checksum = self.parse("MODEL_SHA256", checksum)?;
        let catalog = match uri {
            ModelUri::Bundled => match checksum {
                Some(checksum) => Err(ConfigError {
                    variable: "MODEL_SHA256",
                    value: checksum.to_string(),
                    problem: "applies to the model of MODEL_URI only, which is not set".into(),
                }),
                None => Catalog::bundled(name.as_ref().map(ModelName::as_str))
                    .map_err(|error| unknown_default(error, name.map(String::from))),
            },
            ModelUri::File(path) => Ok(Catalog::single(Box::new(FileSource::new(path)), checksum, name)),
            ModelUri::S3(location) => {
                let source = S3Source::new(location.clone(), self.s3()).map_err(|error| no_s3(&location, error))?;
                Ok(Catalog::single(Box::new(source), checksum, name))
            }
            ModelUri::Folder(_) | ModelUri::S3Folder(_) if checksum.is_some() => Err(ConfigError {
                variable: "MODEL_SHA256",
                value: checksum.map(String::from).unwrap_or_default(),
                problem: "applies to a single model, and MODEL_URI is a catalog".into(),
            }),
            ModelUri::Folder(path) => Ok(Catalog::folder(Arc::new(LocalFolder::new(path)), name)),
            ModelUri::S3Folder(location) => {
                let folder = S3Folder::new(location.clone(), self.s3()).map_err(|error| no_s3(&location, error))?;
                Ok(Catalog::folder(Arc::new(folder), name))
            }
        }?;
        Ok(catalog.with_settings(self.catalog_settings()?))
    }

    /// When models are loaded, and how many are kept.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid variable.
    pub fn catalog_settings(&self) -> Result<CatalogSettings, ConfigError> {
        let defaults = CatalogSettings::default();
        let seconds = |value: &str| {
            value.parse::<u32>().map_err(|_| "expected a whole number of seconds, or 0 for never".to_owned())
        };
        let refresh = self.parse("MODEL_REFRESH_SECONDS", seconds)?.filter(|seconds| *seconds > 0);
        let bytes = |value: &str| value.parse().map_err(|_| "expected a whole number of bytes".to_owned());
        Ok(CatalogSettings {
            refresh: refresh.map(|seconds| Duration::from_secs(seconds.into())),
            cache_bytes: self.parse("MODEL_CACHE_BYTES", bytes)?.unwrap_or(defaults.cache_bytes),
            ..defaults
        })
    }

    /// Region, endpoint and credentials for S3.
    #[must_use]
    pub fn s3(&self) -> S3Settings {
        let credentials = self.text("AWS_ACCESS_KEY_ID").zip(self.text("AWS_SECRET_ACCESS_KEY"));
        let credentials = credentials
            .map(|(key, secret)| Credentials::new(key, secret, self.text("AWS_SESSION_TOKEN"), None, "environment"));
        S3Settings {
            region: self.text("AWS_REGION").or_else(|| self.text("AWS_DEFAULT_REGION")),
            endpoint_url: self.text("AWS_ENDPOINT_URL_S3").or_else(|| self.text("AWS_ENDPOINT_URL")),
            credentials,
            ..S3Settings::default()
        }
    }
}

/// A `MODEL_URI` in S3 without what is necessary to connect.
fn no_s3(location: &ObjectLocation, error: SourceError) -> ConfigError {
    let problem = match error {
        SourceError::Misconfigured { reason, .. } => reason,
        other => other.to_string(),
    };
    ConfigError { variable: "MODEL_URI", value: location.to_string(), problem }
}

/// A `DEFAULT_MODEL` that is not one of the models.
fn unknown_default(error: CatalogError, value: Option<String>) -> ConfigError {
    let problem = match error {
        CatalogError::UnknownModel { known, .. } => match &*known {
            [only] => format!("expected {only}"),
            several => format!("expected one of {}", several.join(", ")),
        },
        other => other.to_string(),
    };
    ConfigError { variable: "DEFAULT_MODEL", value: value.unwrap_or_default(), problem }
}

fn base_paths(value: &str) -> Result<Vec<String>, String> {
    value.split(',').map(|path| base_path(path.trim())).collect()
}

fn base_path(value: &str) -> Result<String, String> {
    let path = plain_path(value).ok_or("expected a path such as /ml")?;
    match route_below(&path) {
        None => Ok(path),
        // Removing the prefix would change that route.
        Some(route) => Err(format!("expected a path such as /ml that the route {route} does not start with")),
    }
}

/// A path with a leading slash and without a trailing one.
fn plain_path(value: &str) -> Option<String> {
    let path = value.trim_end_matches('/');
    let segments_have_names = path.split('/').skip(1).all(|segment| !matches!(segment, "" | "." | ".."));
    let well_formed = path.starts_with('/')
        && segments_have_names
        && !path.contains(['?', '#'])
        && PathAndQuery::try_from(path).is_ok();
    well_formed.then(|| path.to_owned())
}

/// A path that a platform chose for one of the routes.
fn alias(value: &str) -> Result<String, String> {
    if value == "/" {
        Ok(value.to_owned())
    } else {
        plain_path(value).ok_or_else(|| "expected a path such as /ml/predict".into())
    }
}

/// Names of headers, or `None` for `*`.
fn allowed_headers(value: &str) -> Result<Option<Vec<HeaderName>>, String> {
    if value.trim() == "*" {
        return Ok(None);
    }
    let name = |name: &str| {
        let expected =
            || format!("expected names of headers such as x-api-key, or *; {name:?} is not a name of a header");
        HeaderName::try_from(name.trim()).map_err(|_| expected())
    };
    value.split(',').map(name).collect::<Result<_, _>>().map(Some)
}

fn origins(value: &str) -> Result<AllowedOrigins, String> {
    if value.trim() == "*" {
        return Ok(AllowedOrigins::Any);
    }
    let origin = |text: &str| {
        // Exactly as serialized (RFC 6454 §6.2), since the value is compared with the header as text.
        let exact = |url: &url::Url| url.origin().ascii_serialization() == text.trim() && !text.contains('*');
        let url = url::Url::parse(text.trim()).ok().filter(exact);
        url.and_then(|_| HeaderValue::try_from(text.trim()).ok()).ok_or_else(|| {
            format!("expected origins such as https://example.com, or *; {:?} is not an origin", text.trim())
        })
    };
    value.split(',').map(origin).collect::<Result<_, _>>().map(AllowedOrigins::List)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn environment(variables: &'static [(&'static str, &'static str)]) -> Environment<impl Fn(&str) -> Option<String>> {
        Environment(|name: &str| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_empty_environment_serves_the_bundled_models_with_the_documented_limits() {
        for empty in [&[][..], &[("MODEL_URI", ""), ("MODEL_SHA256", ""), ("BASE_PATH", "")]] {
            let config = environment(empty).config().unwrap();
            assert_eq!(config.http.limits, Limits { max_rows: 100_000, max_body_bytes: 6_291_456, ..Limits::DEFAULT });
            assert_eq!((config.http.base_paths, config.http.cors), (Vec::new(), Cors::default()));
            assert_eq!(config.concurrency, 1);
        }
    }

    #[rstest]
    #[case(&[("MAX_ROWS", "many")], "MAX_ROWS: expected a whole number of at least 1, got \"many\"")]
    #[case(&[("LOG_REQUESTS", "some")], "LOG_REQUESTS: expected all, errors or none, got \"some\"")]
    #[case(&[("MAX_BODY_BYTES", "0")], "MAX_BODY_BYTES: expected a whole number of at least 1, got \"0\"")]
    #[case(&[("BASE_PATH", "ml")], "BASE_PATH: expected a path such as /ml, got \"ml\"")]
    #[case(&[("BASE_PATH", "/")], "BASE_PATH: expected a path such as /ml, got \"/\"")]
    #[case(&[("BASE_PATH", "/ml,/v1")], "that the route /v1/models does not start with, got \"/ml,/v1\"")]
    #[case(&[("CORS_ALLOW_HEADERS", "x-a,b c")], "\"b c\" is not a name of a header")]
    #[case(&[("CORS_ALLOW_CREDENTIALS", "yes")], "CORS_ALLOW_CREDENTIALS: expected true or false, got \"yes\"")]
    #[case(&[("CORS_MAX_AGE_SECONDS", "-1")], "CORS_MAX_AGE_SECONDS: expected a whole number of seconds of at least 0")]
    #[case(&[("BASE_PATH", "/v1/")], "BASE_PATH: expected a path such as /ml that the route /v1/models does not start with, got \"/v1/\"")]
    #[case(&[("BASE_PATH", "/v2")], "that the route /v2 does not start with")]
    #[case(&[("BASE_PATH", "/vertex")], "that the route /vertex/predict does not start with")]
    #[case(&[("BASE_PATH", "/endpoints")], "that the route /endpoints/{name}/invocations does not start with")]
    #[case(&[("BASE_PATH", "/models/line")], "that the route /models/{name} does not start with")]
    #[case(&[("AIP_PREDICT_ROUTE", "predict")], "AIP_PREDICT_ROUTE: expected a path such as /ml/predict, got \"predict\"")]
    #[case(&[("CORS_ALLOW_ORIGINS", "example.com")], "expected origins such as https://example.com, or *; \"example.com\" is not an origin")]
    #[case(&[("CORS_ALLOW_ORIGINS", "https://a.com,https://b.com/")], "\"https://b.com/\" is not an origin, got ")]
    #[case(&[("CORS_ALLOW_ORIGINS", "https://*.example.com")], "is not an origin")]
    #[case(&[("BASE_PATH", "//ml")], "BASE_PATH: expected a path such as /ml, got \"//ml\"")]
    #[case(&[("BASE_PATH", "/../ml")], "BASE_PATH: expected a path such as /ml, got \"/../ml\"")]
    #[case(&[("DEFAULT_MODEL", "lime")], "DEFAULT_MODEL: expected one of line, diabetes, iris, breast-cancer, got \"lime\"")]
    #[case(&[("DEFAULT_MODEL", "../x")], "DEFAULT_MODEL: expected a model name: 1 to 64 letters")]
    #[case(&[("MODEL_URI", "ftp://x/y.json")], "MODEL_URI: unknown scheme; expected a path, file:///absolute/path.json or s3://bucket/key.json, or one that ends with / for the models of a catalog, got \"ftp://x/y.json\"")]
    #[case(&[("MODEL_URI", "s3://bucket/models/")], "MODEL_URI: no S3 credentials")]
    #[case(&[("LOG_REQUESTS", "some")], "LOG_REQUESTS: expected all, errors or none, got \"some\"")]
    #[case(&[("METRICS", "statsd")], "METRICS: expected emf or none, got \"statsd\"")]
    #[case(&[("SHADOW_BUDGET_MS", "1001")], "SHADOW_BUDGET_MS: expected a whole number of milliseconds up to 1000, or 0 for no comparison, got \"1001\"")]
    #[case(&[("MODEL_REFRESH_SECONDS", "-1")], "MODEL_REFRESH_SECONDS: expected a whole number of seconds, or 0 for never, got \"-1\"")]
    #[case(&[("MODEL_CACHE_BYTES", "1 GB")], "MODEL_CACHE_BYTES: expected a whole number of bytes, got \"1 GB\"")]
    #[case(&[("MODEL_SHA256", "abc")], "MODEL_SHA256: expected 64 hexadecimal digits, got \"abc\"")]
    fn an_invalid_value_is_reported_in_one_line_with_its_variable_and_the_allowed_values(
        #[case] variables: &'static [(&'static str, &'static str)],
        #[case] message: &str,
    ) {
        let error = environment(variables).config().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        assert!(error.starts_with(variables[0].0) && error.contains(variables[0].1), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn a_checksum_without_a_model_uri_is_an_error() {
        let digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let error =
            environment(&[("MODEL_SHA256", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")])
                .config()
                .unwrap_err();
        let message = format!("MODEL_SHA256: applies to the model of MODEL_URI only, which is not set, got {digits:?}");
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn a_base_path_may_start_like_a_route_and_a_platform_may_choose_the_root() {
        let paths =
            [("BASE_PATH", "/v1/ml"), ("AIP_HEALTH_ROUTE", "/"), ("AIP_PREDICT_ROUTE", "/v1/models/line:predict")];
        let variables: &'static [_] = Box::leak(Box::new(paths));
        let http = environment(variables).config().unwrap().http;
        assert_eq!(http.base_paths, ["/v1/ml"]);
        let aliases: Vec<_> = http.aliases.iter().map(|alias| (alias.path.as_str(), alias.route)).collect();
        assert_eq!(aliases, [("/v1/models/line:predict", VERTEX_PREDICT), ("/", VERTEX_HEALTH)]);
    }

    #[test]
    fn credentials_of_browsers_need_a_list_of_origins() {
        let any = [("CORS_ALLOW_CREDENTIALS", "true"), ("CORS_ALLOW_ORIGINS", "*")];
        let error = environment(Box::leak(Box::new(any))).config().unwrap_err().to_string();
        assert!(error.starts_with("CORS_ALLOW_CREDENTIALS: credentials need a list of origins"), "{error}");
        let list = [("CORS_ALLOW_CREDENTIALS", "true"), ("CORS_ALLOW_ORIGINS", "https://a.com")];
        assert!(environment(Box::leak(Box::new(list))).config().unwrap().http.cors.credentials);
    }

    #[test]
    fn errors_contain_no_credentials() {
        let error = environment(&[
            ("MODEL_URI", "s3://bucket/model.json"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
            ("AWS_ENDPOINT_URL_S3", "not a url"),
        ])
        .config()
        .unwrap_err();
        assert!(!error.to_string().contains("wJalrXUtnFEMI"), "{error}");
    }

    #[test]
    fn metrics_have_the_names_of_the_stack_and_a_level_that_lambda_does_not_drop() {
        let defaults = environment(&[]).metrics().unwrap();
        assert_eq!(defaults, Some(MetricSettings::default()));
        assert_eq!(environment(&[("METRICS", "none")]).metrics().unwrap(), None);
        let stack = environment(&[
            ("AWS_LAMBDA_FUNCTION_NAME", "models-Function-1"),
            ("POWERTOOLS_SERVICE_NAME", "models"),
            ("STAGE", "production"),
            ("AWS_LAMBDA_LOG_LEVEL", "warn"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency"),
        ]);
        let (service, stage) = ("models".into(), "production".into());
        let settings = MetricSettings { service, stage, level: "WARN", provisioned: true };
        assert_eq!(stack.metrics().unwrap(), Some(settings));
        let keys = [("service", "models".to_owned()), ("function_name", "models-Function-1".to_owned())];
        assert_eq!(stack.log().unwrap().function, keys);
    }

    #[test]
    fn log_levels_are_those_of_lambda_or_of_rust() {
        let level = |variables| environment(variables).log().unwrap().filter.default_level();
        assert_eq!(level(&[]), Some(Level::INFO.into()));
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")]), Some(Level::ERROR.into()));
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "WARN"), ("RUST_LOG", "debug")]), Some(Level::DEBUG.into()));
        assert_eq!(level(&[("RUST_LOG", "ordinate=debug")]), Some(LevelFilter::ERROR));
        assert_eq!(level(&[("RUST_LOG", "warn,ordinate=debug")]), Some(Level::WARN.into()));
        assert!(environment(&[("RUST_LOG", "warning")]).log().is_err());
        assert!(environment(&[("AWS_LAMBDA_LOG_LEVEL", "LOUD")]).log().is_err());
        assert!(environment(&[("AWS_LAMBDA_LOG_FORMAT", "XML")]).log().is_err());
        let text = environment(&[("AWS_LAMBDA_LOG_FORMAT", "Text")]).log().unwrap();
        assert_eq!(text.format, LogFormat::Text);
    }
}
