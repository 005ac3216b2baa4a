//! Signals that stop the process.

use std::future::Future;
use std::io;

/// Resolves when the process is interrupted or, as by a container's host, terminated. Needs a runtime, and catches the
/// signals from then on. A second signal ends the process at once.
///
/// # Errors
/// When the signals cannot be caught.
#[cfg(unix)]
pub fn stopped() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // The exit codes of shells: 128 plus the number of the signal.
    let mut next = async move || {
        tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        }
    };
    Ok(async move {
        next().await;
        tokio::spawn(async move { std::process::exit(next().await) });
    })
}

/// Resolves when the process is interrupted. A second interrupt ends the process at once.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn stopped() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
        tokio::spawn(async {
            let _ = tokio::signal::ctrl_c().await;
            std::process::exit(130);
        });
    })
}
