//! `ordinate serve`: the application of the function as a plain HTTP server, for a container or a desk.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;
use tokio::runtime::Runtime;

use super::tell;
use ordinate::config::Environment;
use ordinate::telemetry;
use ordinate_server::signal::stopped;

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
    let address = SocketAddr::new(arguments.host, arguments.port);
    let ready = |address| tell(&format!("Ordinate on http://{address}; its routes are shown under /docs\n"));
    Runtime::new()?.block_on(async {
        let stopped = stopped()?;
        ordinate_server::serve(address, config, ready, async {
            stopped.await;
        })
        .await
    })?;
    Ok(String::new())
}
