//! The API Gateway function: sets up the log, reads the configuration, and serves the router.

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use ordinate::config::{Config, Environment};
use ordinate::emf::{MetricLines, MetricSettings};
use ordinate::http::Settings;
use ordinate::http::server::observer::Observer;
use ordinate::source::catalog::Catalog;
use ordinate::{http, telemetry};
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let environment = Environment::process();
    let log = environment.log();
    telemetry::install(log.clone().unwrap_or_default());
    let config = log.and_then(|_| environment.config());
    if let Err(error) = &config {
        tracing::error!(%error, "misconfigured");
    }

    // For one request at a time, a runtime of one thread uses 0.6 times the CPU time of a multi-threaded runtime.
    let concurrent = config.as_ref().is_ok_and(|config| config.concurrency > 1);
    let mut builder = if concurrent { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start the asynchronous runtime");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        let router = match config {
            Ok(config) => application(config),
            Err(_) => http::misconfigured(observer(
                environment.metrics().unwrap_or_else(|_| Some(MetricSettings::default())),
                None,
            )),
        };
        lambda_runtime::run_concurrent(http::server::lambda::handler(router)).await
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Lambda runtime stopped");
            ExitCode::FAILURE
        }
    }
}

/// The application, whose default model is being loaded: during the cold start, so that the first request that needs it
/// waits less.
fn application(config: Config) -> Router {
    let Config { catalog, http, metrics, .. } = config;
    let loading = catalog.clone();
    tokio::spawn(async move { loading.preload(|_| ()).await });
    let observer = observer(metrics, Some(catalog.clone()));
    http::router(catalog, Settings { observer, ..http })
}

fn observer(metrics: Option<MetricSettings>, catalog: Option<Arc<Catalog>>) -> Option<Arc<dyn Observer>> {
    metrics.map(|settings| Arc::new(MetricLines::new(&settings, catalog)) as Arc<dyn Observer>)
}
