//! The environment, read once: every variable the function knows is here, with what it may be.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `MODEL_URI` | the bundled models | where the model is: a path, `file:///…/model.json` or `s3://bucket/key.json` |
//! | `MODEL_SHA256` | – | the checksum the model must have; with `MODEL_URI` only |
//! | `DEFAULT_MODEL` | `line`, or the only model | the model of `/predict` |
//! | `MAX_ROWS` | 100000 | rows a request |
//! | `MAX_BODY_BYTES` | 6291456 | bytes of a body, after base64 and gzip decoding |
//! | `BASE_PATH` | – | a prefix to strip from paths, such as `/ml`; not the beginning of a route, such as `/v1` |
//! | `AIP_PREDICT_ROUTE`, `AIP_HEALTH_ROUTE` | – | paths that mean `/vertex/predict` and `/vertex/health`; Vertex AI sets them |
//! | `CORS_ALLOW_ORIGINS` | – | comma-separated origins, or `*` |
//! | `RUST_LOG`, `AWS_LAMBDA_LOG_LEVEL` | `INFO` | what is logged; the first wins, and may name targets |
//! | `AWS_LAMBDA_LOG_FORMAT` | `JSON` | `JSON` or `Text` |
//! | `AWS_REGION`, `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` | – | S3, as in every AWS SDK |
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | – | credentials; Lambda sets them |
//! | `AWS_LAMBDA_MAX_CONCURRENCY` | 1 | requests at once in one process; Lambda Managed Instances set it |
//!
//! A variable that is set to nothing is a variable that is not set.

use std::sync::Arc;

use http::HeaderValue;
use http::uri::PathAndQuery;
use thiserror::Error;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::http::{Alias, AllowedOrigins, Limits, Settings, VERTEX_HEALTH, VERTEX_PREDICT, route_below};
use crate::source::ModelUri;
use crate::source::catalog::Catalog;
use crate::source::file::FileSource;
use crate::source::s3::{Credentials, S3Settings, S3Source};
use crate::telemetry::{LogFormat, LogSettings};
use ordinate_model::identity::{Checksum, ModelName};

/// Everything the function is told from outside, but for the log.
#[derive(Debug)]
pub struct Config {
    /// The models that are served.
    pub catalog: Arc<Catalog>,
    /// How callers are served.
    pub http: Settings,
    /// Requests at once in this process.
    pub concurrency: usize,
}

/// A variable with a value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{variable}={value:?} cannot be used: {allowed}")]
pub struct ConfigError {
    /// The variable's name.
    pub variable: &'static str,
    /// What it is set to.
    pub value: String,
    /// What it may be.
    pub allowed: String,
}

/// The environment as a function, so that tests have their own.
#[derive(Debug, Clone, Copy)]
pub struct Environment<F>(pub F);

impl Environment<fn(&str) -> Option<String>> {
    /// The process's own.
    #[must_use]
    pub fn process() -> Self {
        // What is not UTF-8 is not "not set": it goes on as it can be read, and is refused by whoever parses it.
        Self(|variable| std::env::var_os(variable).map(|value| value.to_string_lossy().into_owned()))
    }
}

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    fn text(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.is_empty())
    }

    /// A variable's value, converted; the conversion's error says what is allowed.
    fn parse<T>(
        &self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.text(variable) else { return Ok(None) };
        parse(&value).map(Some).map_err(|allowed| ConfigError { variable, value, allowed })
    }

    fn count(&self, variable: &'static str, default: usize) -> Result<usize, ConfigError> {
        let positive = |value: &str| match value.parse::<usize>() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err("a whole number from 1".to_owned()),
        };
        Ok(self.parse(variable, positive)?.unwrap_or(default))
    }

    /// How to log.
    ///
    /// # Errors
    /// [`ConfigError`] for a level or a format that is none.
    pub fn log(&self) -> Result<LogSettings, ConfigError> {
        // A word that is no level would be taken for a target, and nothing else be logged.
        let known = |part: &str| part.contains('=') || part.trim().parse::<Level>().is_ok() || part.trim() == "off";
        let targets = |value: &str| match value.parse::<Targets>() {
            Ok(targets) if value.split(',').all(known) => {
                let default = targets.default_level().unwrap_or(LevelFilter::ERROR);
                Ok(targets.with_default(default))
            }
            _ => Err("a level, or levels by target as in \"info,ordinate=debug\"".to_owned()),
        };
        let level = |value: &str| match value.to_ascii_lowercase().as_str() {
            // Lambda knows one level above ours.
            "fatal" => Ok(Level::ERROR),
            level => level.parse().map_err(|_| "one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL".to_owned()),
        };
        let format = |value: &str| value.parse::<LogFormat>().map_err(|()| "JSON or Text".to_owned());
        let level = self.parse("AWS_LAMBDA_LOG_LEVEL", level)?.unwrap_or(Level::INFO);
        let filter = self.parse("RUST_LOG", targets)?.unwrap_or_else(|| Targets::new().with_default(level));
        let format = self.parse("AWS_LAMBDA_LOG_FORMAT", format)?.unwrap_or_default();
        Ok(LogSettings { filter, format })
    }

    /// Everything else.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that cannot be used.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let http = self.http()?;
        self.with_catalog(http, self.catalog()?)
    }

    /// The same with these models, loaded already, in place of the one of `MODEL_URI`. The first is the default model,
    /// unless `DEFAULT_MODEL` names another.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that cannot be used.
    pub fn config_of(&self, models: Vec<Catalog>) -> Result<Config, ConfigError> {
        let http = self.http()?;
        if let Some(value) = self.text("MODEL_SHA256") {
            let allowed = "it applies to the model of MODEL_URI, and models are given as arguments".into();
            return Err(ConfigError { variable: "MODEL_SHA256", value, allowed });
        }
        let default = self.text("DEFAULT_MODEL");
        let catalog = Catalog::combined(models, default.as_deref()).map_err(|error| ConfigError {
            variable: "DEFAULT_MODEL",
            value: default.unwrap_or_default(),
            allowed: error.to_string(),
        })?;
        self.with_catalog(http, catalog)
    }

    fn with_catalog(&self, http: Settings, catalog: Catalog) -> Result<Config, ConfigError> {
        let concurrency = self.count("AWS_LAMBDA_MAX_CONCURRENCY", 1)?;
        Ok(Config { catalog: Arc::new(catalog), http, concurrency })
    }

    fn http(&self) -> Result<Settings, ConfigError> {
        let limits = Limits {
            max_rows: self.count("MAX_ROWS", 100_000)?,
            max_body_bytes: self.count("MAX_BODY_BYTES", 6 * 1024 * 1024)?,
        };
        let base_path = self.parse("BASE_PATH", base_path)?;
        let cors = self.parse("CORS_ALLOW_ORIGINS", origins)?.unwrap_or_default();
        Ok(Settings { limits, base_path, cors, aliases: self.vertex()? })
    }

    /// The paths under which Vertex AI looks for its routes.
    fn vertex(&self) -> Result<Vec<Alias>, ConfigError> {
        let routes = [("AIP_PREDICT_ROUTE", VERTEX_PREDICT), ("AIP_HEALTH_ROUTE", VERTEX_HEALTH)];
        let alias = |(variable, route)| {
            let path = self.parse(variable, alias)?;
            Ok(path.map(|path| Alias { path, route }))
        };
        routes.into_iter().filter_map(|route| alias(route).transpose()).collect()
    }

    fn catalog(&self) -> Result<Catalog, ConfigError> {
        let uri = |value: &str| value.parse::<ModelUri>().map_err(|error| error.to_string());
        let uri = self.parse("MODEL_URI", uri)?.unwrap_or(ModelUri::Bundled);
        let name = self.parse("DEFAULT_MODEL", |name| ModelName::try_from(name.to_owned()))?;
        let checksum = self.parse("MODEL_SHA256", |digits| Checksum::try_from(digits.to_owned()))?;
        match uri {
            ModelUri::Bundled => match checksum {
                Some(checksum) => Err(ConfigError {
                    variable: "MODEL_SHA256",
                    value: checksum.to_string(),
                    allowed: "it pins the model of MODEL_URI, and MODEL_URI is not set".into(),
                }),
                None => Catalog::bundled(name.as_ref().map(ModelName::as_str)).map_err(|error| ConfigError {
                    variable: "DEFAULT_MODEL",
                    value: name.map(String::from).unwrap_or_default(),
                    allowed: error.to_string(),
                }),
            },
            ModelUri::File(path) => Ok(Catalog::single(Box::new(FileSource::new(path)), checksum, name)),
            ModelUri::S3(location) => {
                let value = location.to_string();
                let source = S3Source::new(location, self.s3()).map_err(|error| ConfigError {
                    variable: "MODEL_URI",
                    value,
                    allowed: error.to_string(),
                })?;
                Ok(Catalog::single(Box::new(source), checksum, name))
            }
        }
    }

    /// How to reach S3.
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

fn base_path(value: &str) -> Result<String, String> {
    let allowed = "a path such as /ml";
    let path = plain_path(value).ok_or(allowed)?;
    match route_below(&path) {
        None => Ok(path),
        // With its beginning stripped it would be another.
        Some(route) => Err(format!("{allowed}, and not what the route {route} begins with")),
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
        plain_path(value).ok_or_else(|| "a path such as /ml/predict".into())
    }
}

fn origins(value: &str) -> Result<AllowedOrigins, String> {
    if value.trim() == "*" {
        return Ok(AllowedOrigins::Any);
    }
    let origin = |text: &str| {
        // The serialised form of an origin (RFC 6454 §6.2): what browsers send is compared letter by letter.
        let exact = |url: &url::Url| url.origin().ascii_serialization() == text.trim() && !text.contains('*');
        let url = url::Url::parse(text.trim()).ok().filter(exact);
        url.and_then(|_| HeaderValue::try_from(text.trim()).ok())
            .ok_or_else(|| format!("{:?} is not an origin such as https://example.com; or * for all", text.trim()))
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
    fn an_empty_environment_serves_the_bundled_models_by_the_documented_limits() {
        for empty in [&[][..], &[("MODEL_URI", ""), ("MODEL_SHA256", ""), ("BASE_PATH", "")]] {
            let config = environment(empty).config().unwrap();
            assert_eq!(config.http.limits, Limits { max_rows: 100_000, max_body_bytes: 6_291_456 });
            assert_eq!((config.http.base_path, config.http.cors), (None, AllowedOrigins::Off));
            assert_eq!(config.concurrency, 1);
        }
    }

    #[rstest]
    #[case(&[("MAX_ROWS", "many")], "MAX_ROWS=\"many\" cannot be used: a whole number from 1")]
    #[case(&[("MAX_BODY_BYTES", "0")], "MAX_BODY_BYTES=\"0\" cannot be used: a whole number from 1")]
    #[case(&[("BASE_PATH", "ml")], "BASE_PATH=\"ml\" cannot be used: a path such as /ml")]
    #[case(&[("BASE_PATH", "/")], "BASE_PATH=\"/\" cannot be used: a path such as /ml")]
    #[case(&[("BASE_PATH", "/v1/")], "BASE_PATH=\"/v1/\" cannot be used: a path such as /ml, and not what the route /v1/models begins")]
    #[case(&[("BASE_PATH", "/v2")], "not what the route /v2 begins with")]
    #[case(&[("BASE_PATH", "/vertex")], "not what the route /vertex/predict begins with")]
    #[case(&[("BASE_PATH", "/endpoints")], "not what the route /endpoints/{name}/invocations begins with")]
    #[case(&[("BASE_PATH", "/models/line")], "not what the route /models/{name} begins with")]
    #[case(&[("AIP_PREDICT_ROUTE", "predict")], "AIP_PREDICT_ROUTE=\"predict\" cannot be used: a path such as /ml/predict")]
    #[case(&[("CORS_ALLOW_ORIGINS", "example.com")], "is not an origin such as https://example.com; or * for all")]
    #[case(&[("CORS_ALLOW_ORIGINS", "https://a.com,https://b.com/")], "\"https://b.com/\" is not an origin")]
    #[case(&[("CORS_ALLOW_ORIGINS", "https://*.example.com")], "is not an origin")]
    #[case(&[("BASE_PATH", "//ml")], "BASE_PATH=\"//ml\" cannot be used: a path such as /ml")]
    #[case(&[("BASE_PATH", "/../ml")], "BASE_PATH=\"/../ml\" cannot be used: a path such as /ml")]
    #[case(&[("DEFAULT_MODEL", "lime")], "DEFAULT_MODEL=\"lime\" cannot be used: there is no model \"lime\"")]
    #[case(&[("DEFAULT_MODEL", "../x")], "is not a model name")]
    #[case(&[("MODEL_URI", "ftp://x/y.json")], "MODEL_URI=\"ftp://x/y.json\" cannot be used")]
    #[case(&[("MODEL_URI", "s3://bucket/models/")], "MODEL_URI=\"s3://bucket/models/\" cannot be used")]
    #[case(&[("MODEL_SHA256", "abc")], "MODEL_SHA256=\"abc\" cannot be used: \"abc\" is not a SHA-256")]
    fn a_bad_value_is_told_with_its_variable_and_what_is_allowed(
        #[case] variables: &'static [(&'static str, &'static str)],
        #[case] told: &str,
    ) {
        let error = environment(variables).config().unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        assert!(error.starts_with(variables[0].0) && !error.contains('\n'), "{error}");
    }

    #[test]
    fn a_base_path_may_begin_as_a_route_does_and_a_platform_may_choose_the_root() {
        let paths =
            [("BASE_PATH", "/v1/ml"), ("AIP_HEALTH_ROUTE", "/"), ("AIP_PREDICT_ROUTE", "/v1/models/line:predict")];
        let variables: &'static [_] = Box::leak(Box::new(paths));
        let http = environment(variables).config().unwrap().http;
        assert_eq!(http.base_path.as_deref(), Some("/v1/ml"));
        let aliases: Vec<_> = http.aliases.iter().map(|alias| (alias.path.as_str(), alias.route)).collect();
        assert_eq!(aliases, [("/v1/models/line:predict", VERTEX_PREDICT), ("/", VERTEX_HEALTH)]);
    }

    #[test]
    fn credentials_are_never_told() {
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
    fn levels_are_lambdas_or_rusts() {
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
