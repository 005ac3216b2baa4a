//! The service as a plain HTTP server, for a container or a desk.

pub mod signal;

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use ordinate::config::Config;
use ordinate::http;
use ordinate::source::Causes;
use tokio::net::TcpListener;

/// Serves at an address until `stopped` resolves and the requests that are under way are answered. `ready` gets the address that
/// it listens on, which has a port of its own when the one asked for is 0.
///
/// # Errors
/// When the address cannot be listened on, in words; or when accepting connections fails.
pub async fn serve(
    address: SocketAddr,
    config: Config,
    ready: impl FnOnce(SocketAddr),
    stopped: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
    ready(listener.local_addr()?);
    // Begun now, so that the first request does not wait for it; a failure is tried again by that request.
    let catalog = config.catalog.clone();
    tokio::spawn(async move {
        if let Err(error) = catalog.default_model().await {
            tracing::warn!(cause = %Causes(&error), "the default model is not loaded; the next request tries again");
        }
    });
    axum::serve(listener, http::router(config.catalog, config.http)).with_graceful_shutdown(stopped).await
}
