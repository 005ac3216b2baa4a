//! When the process is told to stop.

use std::future::Future;
use std::io;

/// Resolves to the exit code of a process that ends for it, once the process is interrupted or, as containers are,
/// terminated. Called within a runtime; from then on the signals are caught.
///
/// # Errors
/// When the system does not let them be caught.
#[cfg(unix)]
pub fn stopped() -> io::Result<impl Future<Output = u8> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // What a shell makes of these signals: 128 and their number.
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        }
    })
}

/// Resolves to the exit code of a process that ends for it, once the process is interrupted.
#[cfg(not(unix))]
pub fn stopped() -> io::Result<impl Future<Output = u8> + Send + 'static> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
        130
    })
}
