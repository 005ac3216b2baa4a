//! The API Gateway function: log, configuration, application, run.

use std::process::ExitCode;

use ordinate::config::Environment;
use ordinate::source::Causes;
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

    // One thread serves one request at a time at 0.6 of the CPU time of many threads; many are for many requests at once.
    let concurrent = config.as_ref().is_ok_and(|config| config.concurrency > 1);
    let mut builder = if concurrent { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no asynchronous runtime");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        let router = match config {
            Ok(config) => {
                // Begun now, awaited by whoever needs it: the load and the cold start overlap.
                let catalog = config.catalog.clone();
                tokio::spawn(async move {
                    if let Err(error) = catalog.default_model().await {
                        tracing::warn!(cause = %Causes(&error), "the default model is not loaded; the next request tries again");
                    }
                });
                http::router(config.catalog, config.http)
            }
            Err(_) => http::misconfigured(),
        };
        lambda_runtime::run_concurrent(http::server::lambda::handler(router)).await
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Lambda runtime ended");
            ExitCode::FAILURE
        }
    }
}
