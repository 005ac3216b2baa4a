//! `ordinate serve`: the service as a plain HTTP server.

use std::collections::HashMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;
use tokio::runtime::Runtime;

use super::curl::{PORT, curl};
use super::model::{find, load_from};
use super::print_error;
use ordinate::config::{Config, Environment};
use ordinate::source::catalog::Catalog;
use ordinate::telemetry;
use ordinate_model::Model;
use ordinate_server::signal::stopped;

/// Serve models over HTTP on this machine
///
/// Answers as the function does on AWS Lambda. Without MODEL, the models of `MODEL_URI` are served, or the bundled
/// models if it is not set; the other environment variables of the function count as well (docs/API.md lists them).
/// Stops when interrupted or terminated, after the requests in progress.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate serve
  ordinate serve price.json
  ordinate serve price.json s3://models/churn.json iris --port 8000")]
pub(super) struct Arguments {
    /// Models to serve, each under the name in its file; the first is the default model
    ///
    /// Each is a file that `ordinate train` wrote, its address (`file:///path.json` or `s3://bucket/key.json`), or the
    /// name of a bundled model (line, or bundled:line).
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
    /// Address to listen on; 0.0.0.0 for all interfaces
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 for any free port
    #[arg(long, default_value_t = PORT)]
    port: u16,
}

/// Serves until the process is interrupted or terminated.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let environment = Environment::process();
    telemetry::install(environment.log()?);
    Runtime::new()?.block_on(async {
        let config = match arguments.models.as_slice() {
            [] => environment.config()?,
            places => environment.config_with_models(load(places).await?)?,
        };
        serve(SocketAddr::new(arguments.host, arguments.port), config).await
    })?;
    Ok(String::new())
}

/// Loads the models, so that an invalid file or a name that is used twice ends the command before it serves.
async fn load(places: &[String]) -> Result<Vec<Catalog>, String> {
    let mut catalogs = Vec::with_capacity(places.len());
    let mut names = HashMap::new();
    for place in places {
        let catalog = find(place)?;
        let name = load_from(&catalog).await?.name().to_owned();
        if let Some(other) = names.get(&name) {
            return Err(format!(
                "{place}: the model has the same name as the model of {other}: {name:?}\n\
                 help: serve one of them, or train one again with another --name"
            ));
        }
        names.insert(name, place);
        catalogs.push(catalog);
    }
    Ok(catalogs)
}

async fn serve(address: SocketAddr, config: Config) -> Result<(), Box<dyn Error>> {
    let stopped = stopped()?;
    let listener = ordinate_server::listen(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    print_error(&format!("Ordinate on {url}; API documentation: {url}/docs\n"));
    let ready =
        move |model: &Model| print_error(&format!("Ready. Try:\n\n  {}\n\n", curl(&format!("{url}/predict"), model)));
    ordinate_server::serve(listener, config, ready, async {
        stopped.await;
    })
    .await?;
    Ok(())
}
