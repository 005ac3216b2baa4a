//! The batch function: sets up the log, reads the configuration, and handles events.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use ordinate::config::Environment;
use ordinate::telemetry;
use ordinate_batch::function::{BatchSettings, Function, FunctionError};
use serde_json::Value;
use tokio::runtime::{Builder, Handle};

fn main() -> ExitCode {
    let environment = Environment::process();
    let log = environment.log();
    telemetry::install(log.clone().unwrap_or_default());
    // Two threads: one sends and receives while another predicts.
    let runtime = match Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start the asynchronous runtime");
            return ExitCode::FAILURE;
        }
    };
    let function = log.map_err(FunctionError::from).and_then(|_| function(runtime.handle().clone()));
    if let Err(error) = &function {
        tracing::error!(%error, "misconfigured");
    }
    let function = Arc::new(function.map_err(|error| diagnostic(&error)));
    let outcome = runtime.block_on(lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move {
            let time = event.context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
            let handled = tokio::task::spawn_blocking(move || match &*function {
                Ok(function) => function.handle(&event.payload, time).map_err(|error| diagnostic(&error)),
                Err(misconfigured) => Err(misconfigured.clone()),
            });
            handled.await.unwrap_or_else(|panic| {
                Err(Diagnostic { error_type: "Ordinate.Panic".to_owned(), error_message: panic.to_string() })
            })
        }
    })));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Lambda runtime stopped");
            ExitCode::FAILURE
        }
    }
}

fn function(handle: Handle) -> Result<Function, FunctionError> {
    let environment = Environment::process();
    let settings = BatchSettings::read(&environment)?;
    Function::new(settings, environment.config()?.catalog, environment.s3(), handle)
}

fn diagnostic(error: &FunctionError) -> Diagnostic {
    Diagnostic { error_type: error.kind().to_owned(), error_message: error.to_string() }
}
