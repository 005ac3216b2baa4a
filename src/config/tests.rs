//! Values of the variables, and their errors.

use rstest::rstest;

use tracing::Level;
use tracing::level_filters::LevelFilter;

use super::*;
use crate::http::{Cors, VERTEX_HEALTH, VERTEX_PREDICT};
use crate::telemetry::LogFormat;

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
#[case(&[("DEFAULT_MODEL", "a..b")], "beginning with a letter or digit, without two dots in a row")]
#[case(&[("MODEL_URI", "ftp://x/y.json")], "MODEL_URI: unknown scheme; expected a path, file:///absolute/path.json or s3://bucket/key.json, or one that ends with / for the models of a catalog, got \"ftp://x/y.json\"")]
#[case(&[("MODEL_URI", "s3://bucket/models/"), ("AWS_ENDPOINT_URL_S3", "s3")], "MODEL_URI: AWS_ENDPOINT_URL_S3 must be http")]
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
    let error = environment(&[("MODEL_SHA256", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")])
        .config()
        .unwrap_err();
    let message = format!("MODEL_SHA256: applies to the model of MODEL_URI only, which is not set, got {digits:?}");
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_base_path_may_start_like_a_route_and_a_platform_may_choose_the_root() {
    let paths = [("BASE_PATH", "/v1/ml"), ("AIP_HEALTH_ROUTE", "/"), ("AIP_PREDICT_ROUTE", "/v1/models/line:predict")];
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
