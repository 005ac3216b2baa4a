//! The service as a plain HTTP server, for a container or a desk.

pub mod signal;

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use ordinate::config::Config;
use ordinate::http;
use ordinate::source::Causes;
use ordinate_model::Model;
use tokio::net::TcpListener;

/// Listens on an address; on any free port if its port is 0.
///
/// # Errors
/// The address, and why it cannot be listened on.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let cannot = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(cannot)
}

/// Serves until `stopped` resolves and the requests in progress are answered. `ready` gets the default model once it is loaded.
///
/// # Errors
/// When accepting connections fails.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    ready: impl FnOnce(&Model) + Send + 'static,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // Begun now, so that the first request does not wait for it; a failure is tried again by that request.
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
