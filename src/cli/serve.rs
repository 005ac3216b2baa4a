//! `ordinate serve`: the application of the function as a plain HTTP server, for a container or a desk.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::signal::stopped;
use super::tell;
use crate::config::{Config, Environment};
use crate::source::Causes;
use crate::{http, telemetry};

/// Answer HTTP requests on this machine, as the function does on AWS Lambda
///
/// Which models are served and how is told by the same environment variables as the function's (`MODEL_URI` and the rest).
/// Stops when interrupted or terminated, after the requests that are under way.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Listen here; 0.0.0.0 is everywhere
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port; 0 is any that is free
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

/// Serves until it is told to stop.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let environment = Environment::process();
    telemetry::install(environment.log()?);
    let config = environment.config()?;
    Runtime::new()?.block_on(serve(SocketAddr::new(arguments.host, arguments.port), config))?;
    Ok(String::new())
}

async fn serve(address: SocketAddr, config: Config) -> Result<(), Box<dyn Error>> {
    let stopped = stopped()?;
    let listener = TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    tell(&format!("Ordinate on http://{}; its routes are shown under /docs\n", listener.local_addr()?));
    // Begun now, so that the first request does not wait for it; a failure is tried again by that request.
    let catalog = config.catalog.clone();
    tokio::spawn(async move {
        if let Err(error) = catalog.default_model().await {
            tracing::warn!(cause = %Causes(&error), "the default model is not loaded; the next request tries again");
        }
    });
    axum::serve(listener, http::router(config.catalog, config.http))
        .with_graceful_shutdown(async {
            stopped.await;
        })
        .await?;
    Ok(())
}
