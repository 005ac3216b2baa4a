//! `ordinate serve`: the service as a plain HTTP server.

mod capture_writer;

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::pin;

use clap::Args;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::curl::curl;
use super::model::{find, load_from, message};
use super::print_error;
use ordinate::config::{Config, Environment};
use ordinate::source::ModelUri;
use ordinate::source::catalog::{Catalog, CatalogSettings};
use ordinate::telemetry;
use ordinate_model::Model;
use ordinate_model::identity::ModelName;
use ordinate_server::settings::{ADDRESS, ServerSettings};
use ordinate_server::signal::stopped;

type ProcessEnvironment = Environment<fn(&str) -> Option<String>>;

/// The folder of the model in a container of `SageMaker`, which calls it with the argument `serve`.
const SAGEMAKER: &str = "/opt/ml/model";

/// The address that `SageMaker` calls.
const SAGEMAKER_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);

/// Serve models over HTTP on this machine
///
/// Answers as the function does on AWS Lambda. Without MODEL, the models of `MODEL_URI` are served, or the bundled
/// models if it is not set; in a container of `SageMaker`, the models in /opt/ml/model. Timeouts, limits and the other
/// settings are environment variables, which docs/API.md lists.
///
/// Stops when interrupted or terminated, after the requests in progress; at once when it happens again. `GET /metrics`
/// returns metrics for Prometheus.
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
    /// Address to listen on; 0.0.0.0 for all interfaces [default: `$HOST`, or 127.0.0.1]
    #[arg(long)]
    host: Option<IpAddr>,
    /// Port to listen on; 0 for any free port [default: `$AIP_HTTP_PORT`, `$PORT`, or 9000]
    #[arg(long)]
    port: Option<u16>,
}

/// Serves until the process is interrupted or terminated.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let environment = Environment::process();
    telemetry::install(environment.log()?);
    let is_sagemaker = arguments.models.is_empty() && is_sagemaker(environment);
    let places = if is_sagemaker { models_of_sagemaker()? } else { arguments.models.clone() };
    let settings = ServerSettings::new(&environment, default_address(is_sagemaker))?;
    let host = arguments.host.unwrap_or(settings.host);
    let port = arguments.port.unwrap_or(settings.port);
    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(async {
        // As process 1 of a container, the process ignores signals until they are caught.
        let mut stopped = pin!(stopped()?);
        // Before the models are loaded, which may take long.
        let listener = listen(SocketAddr::new(host, port)).await?;
        let config = tokio::select! {
            config = configure(environment, &places) => config?,
            () = stopped.as_mut() => return Ok(()),
        };
        let mut config = config;
        let writer =
            capture_writer::folder(&environment)?.zip(config.http.capture.as_mut()).map(|(folder, capture)| {
                let (sink, writer) = capture_writer::start(folder);
                capture.sink = sink;
                writer
            });
        let outcome = serve(listener, config, &settings, stopped).await;
        if let Some(writer) = writer {
            writer.finish(settings.drain).await;
        }
        outcome
    });
    // A request with a large body has a thread of its own, which cannot be stopped.
    runtime.shutdown_background();
    outcome.map(|()| String::new())
}

/// The configuration, with the loaded models if they are files or arguments.
async fn configure(environment: ProcessEnvironment, places: &[String]) -> Result<Config, Box<dyn Error>> {
    if !places.is_empty() {
        let (catalog, names) = load(places, environment.catalog_settings()?).await?;
        return Ok(environment.config_with_models(catalog, names)?);
    }
    let config = environment.config()?;
    let of_variable = |error| format!("MODEL_URI: {error}");
    match environment.model_uri()? {
        ModelUri::File(_) => drop(load_from(&config.catalog).await.map_err(of_variable)?),
        ModelUri::Folder(_) => {
            config.catalog.names(None, 1).await.map_err(|error| of_variable(message(&error)))?;
        }
        ModelUri::Bundled | ModelUri::S3(_) | ModelUri::S3Folder(_) => {}
    }
    Ok(config)
}

/// Whether this is a container of `SageMaker` whose models are in its folder.
pub(super) fn is_sagemaker(environment: ProcessEnvironment) -> bool {
    matches!(environment.model_uri(), Ok(ModelUri::Bundled)) && Path::new(SAGEMAKER).is_dir()
}

/// The address to listen on if the environment has no other.
pub(super) fn default_address(is_sagemaker: bool) -> SocketAddr {
    if is_sagemaker { SAGEMAKER_ADDRESS } else { ADDRESS }
}

/// The model files in `SageMaker`'s folder, by name.
fn models_of_sagemaker() -> Result<Vec<String>, String> {
    let cannot = |error: std::io::Error| format!("{SAGEMAKER}: {error}");
    let mut places = Vec::new();
    for entry in fs::read_dir(SAGEMAKER).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            places.push(path.display().to_string());
        }
    }
    places.sort();
    if places.is_empty() {
        return Err(format!(
            "{SAGEMAKER} has no model file (*.json)\nhelp: put the model at the top of model.tar.gz, or set MODEL_URI"
        ));
    }
    Ok(places)
}

/// Listens on the address. If its port is in use, the error names a port that is free.
async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    let error = match ordinate_server::listen(address).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    let is_free = |port: &u16| std::net::TcpListener::bind((address.ip(), *port)).is_ok();
    let free = (address.port()..=u16::MAX).skip(1).find(is_free);
    match free.filter(|_| error.kind() == ErrorKind::AddrInUse) {
        Some(port) => Err(format!("{error}\nhelp: stop the other server, or use another port: --port {port}")),
        None => Err(error.to_string()),
    }
}

/// The host and port of a URL for this machine: `localhost` for the loopback address and for all interfaces.
fn authority(address: SocketAddr) -> String {
    let ip = address.ip();
    if ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

/// Loads the models, so that an invalid file or a name that is used twice ends the command before it serves.
async fn load(places: &[String], settings: CatalogSettings) -> Result<(Catalog, Vec<ModelName>), String> {
    let sources = places.iter().map(|place| find(place)).collect::<Result<_, _>>()?;
    let catalog = Catalog::files(sources).with_settings(settings);
    let names = catalog.file_names().await.map_err(|error| message(&error))?;
    let mut places_by_name = HashMap::new();
    for (name, place) in names.iter().zip(places) {
        if let Some(other) = places_by_name.insert(name, place) {
            return Err(format!(
                "{place}: the model has the same name as the model of {other}: {:?}\n\
                 help: serve one of them, or train one again with another --name",
                name.as_str()
            ));
        }
    }
    Ok((catalog, names))
}

async fn serve(
    listener: TcpListener,
    config: Config,
    settings: &ServerSettings,
    stopped: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error>> {
    let authority = authority(listener.local_addr()?);
    print_error(&format!("Ordinate on http://{authority}; API documentation: http://{authority}/docs\n"));
    let ready = move |model: &Model| print_error(&format!("Ready. Try:\n\n  {}\n\n", curl(&authority, model)));
    Ok(ordinate_server::serve(listener, config, settings, ready, stopped).await?)
}
