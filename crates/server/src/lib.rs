//! The service as a plain HTTP server, for containers and local use: timeouts, limits, metrics and an orderly end.

mod activity;
mod body;
mod connection;
mod connections;
mod metrics;
mod requests;
mod response;
pub mod settings;
pub mod signal;
mod socket;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;

use ordinate::config::Config;
use ordinate::http;
use ordinate_model::Model;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use activity::Timeouts;
use body::{BodyLimits, BodyMemory};
use connections::{Acceptor, Connections, MAX_REFUSING};
use metrics::{Gauges, Metrics};
use requests::Requests;
use response::ResponseMemory;
use settings::ServerSettings;

/// File descriptors for anything but connections: models, logs, connections to S3.
const OTHER_DESCRIPTORS: usize = 64;

/// Listens on an address; port 0 means any free port.
///
/// # Errors
/// A message with the address.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let cannot = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(cannot)
}

/// Serves until `stopped` resolves and the requests in progress are answered, or their time is over. `ready` is called
/// with the default model when it is loaded.
///
/// # Errors
/// When connections cannot be accepted.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    settings: &ServerSettings,
    ready: impl FnOnce(&Model) + Send + 'static,
    stopped: impl Future<Output = ()>,
) -> io::Result<()> {
    let catalog = config.catalog.clone();
    // So that the first request does not wait.
    tokio::spawn(async move { catalog.preload(ready).await });
    let connections = Connections::new(max_connections(settings.max_connections));
    let requests = requests(config, settings, &connections);
    Acceptor::new(connections, requests).run(listener, stopped, settings.drain).await
}

fn requests(config: Config, settings: &ServerSettings, connections: &Arc<Connections>) -> Arc<Requests> {
    let mut http = config.http;
    http.limits.max_answer_bytes = settings.max_answer_bytes;
    let body_limits = BodyLimits { bytes: http.limits.max_body_bytes, time: settings.body_timeout };
    let body_memory = BodyMemory::new(settings.body_memory_bytes);
    let response_memory = ResponseMemory::new(settings.response_memory_bytes);
    let max_concurrent_requests = settings.max_concurrent_requests.min(Semaphore::MAX_PERMITS);
    let permits = Arc::new(Semaphore::new(max_concurrent_requests));
    let metrics = Metrics::new(Gauges {
        catalog: config.catalog.clone(),
        connections: connections.clone(),
        body_memory: body_memory.clone(),
        response_memory: response_memory.clone(),
        max_concurrent_requests,
        permits: permits.clone(),
    });
    http.observer = Some(Arc::new(metrics));
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let log_requests = http.log_requests;
    Arc::new(Requests {
        router: http::router(config.catalog, http),
        body_limits,
        body_memory,
        response_memory,
        timeouts: Timeouts::new(settings.header_timeout, settings.idle_timeout, settings.response_timeout),
        limit: max_concurrent_requests,
        permits,
        log: log_requests,
        processors: Arc::new(Semaphore::new(processors)),
    })
}

/// Raises the limit of file descriptors, and returns the number of connections that it allows.
fn max_connections(wanted: usize) -> usize {
    let Ok(descriptors) = rlimit::increase_nofile_limit(u64::MAX) else { return wanted };
    let possible = usize::try_from(descriptors).unwrap_or(usize::MAX);
    let possible = possible.saturating_sub(OTHER_DESCRIPTORS + MAX_REFUSING).max(1);
    if possible < wanted {
        tracing::warn!(
            limit = possible,
            "fewer connections than MAX_CONNECTIONS: the system allows {descriptors} open files"
        );
    }
    wanted.min(possible)
}
