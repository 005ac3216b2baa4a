//! Ctrl-C during a call: Python's handler of a signal runs only when the interpreter does.

use std::cell::RefCell;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// How often a call that waits looks for signals.
const INTERVAL: Duration = Duration::from_millis(50);

/// The exception of a signal handler, such as `KeyboardInterrupt`, that ended a computation.
#[derive(Debug, Default)]
pub(crate) struct Interrupt(RefCell<Option<PyErr>>);

impl Interrupt {
    /// Runs the handlers of signals that arrived; whether one of them raised an exception.
    pub(crate) fn arrived(&self) -> bool {
        // A path to the method would have one lifetime only.
        #[allow(clippy::redundant_closure_for_method_calls)]
        match Python::attach(|py| py.check_signals()) {
            Ok(()) => false,
            Err(exception) => {
                self.0.replace(Some(exception));
                true
            }
        }
    }

    /// The exception.
    pub(crate) fn into_error(self) -> PyErr {
        self.0.into_inner().unwrap_or_else(|| PyRuntimeError::new_err("interrupted"))
    }
}

/// The result of work that may wait for files and networks. A signal ends the call; the work goes on by itself until it
/// finds out.
pub(crate) fn wait<T: Send + 'static>(py: Python<'_>, work: impl FnOnce() -> T + Send + 'static) -> PyResult<T> {
    let (sender, mut receiver) = sync_channel(1);
    // The receiver is gone after a signal.
    let worker = thread::Builder::new().spawn(move || drop(sender.send(work())))?;
    loop {
        let outcome;
        (receiver, outcome) = py.detach(move || {
            let outcome = receiver.recv_timeout(INTERVAL);
            (receiver, outcome)
        });
        match outcome {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                drop(worker.join());
                return Err(PyRuntimeError::new_err("the work ended without a result"));
            }
        }
    }
}
