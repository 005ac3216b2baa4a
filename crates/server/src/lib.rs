//! The service as a plain HTTP server, for containers and local use.

pub mod signal;

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use ordinate::config::Config;
use ordinate::http;
use ordinate::source::Causes;
use ordinate_model::Model;
use tokio::net::TcpListener;

/// Listens on an address; port 0 means any free port.
///
/// # Errors
/// A message with the address.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let cannot = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(cannot)
}

/// Serves until `stopped` resolves and the requests in progress are answered. `ready` is called with the default model when
/// it is loaded.
///
/// # Errors
/// When connections cannot be accepted.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    ready: impl FnOnce(&Model) + Send + 'static,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // Loaded now, so that the first request does not wait; after a failure, that request tries again.
    let catalog = config.catalog.clone();
    tokio::spawn(async move {
        match catalog.default_model().await {
            Ok(model) => ready(&model),
            Err(error) => {
                tracing::warn!(cause = %Causes(&error), "the default model is not loaded; the next request tries again");
            }
        }
    });
    axum::serve(listener, http::router(config.catalog, config.http)).with_graceful_shutdown(stopped).await
}
