//! The API Gateway function: sets up the log, reads the configuration, and serves the router.

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
            Ok(config) => {
                // Starts the load during the cold start; the first request that needs the model waits for it.
                let catalog = config.catalog.clone();
                tokio::spawn(async move {
                    if let Err(error) = catalog.default_model().await {
                        let cause = Causes(&error);
                        tracing::warn!(%cause, "cannot load the default model; the next request tries again");
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
            tracing::error!(%error, "the Lambda runtime stopped");
            ExitCode::FAILURE
        }
    }
}
