//! The faults, how a test causes them, and how it repairs them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ordinate_test_support::proxy::{Fault, Request};

use crate::tls::Handshake;

/// A fault between the server and its models.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// No fault.
    None,
    /// The proxy answers requests for these files in this way.
    Proxy(Files, Times, Fault),
    /// Connections are refused.
    Closed,
    /// A connection is closed within a body, and from then on connections are refused.
    ClosedMidway,
    /// The name of the host does not exist.
    UnknownHost,
    /// TLS fails.
    Tls(Handshake),
    /// A file of the catalog is damaged.
    Damaged(Damage),
    /// The object is deleted, or replaced with another model of the same version, while it is read.
    MidRead(Damage),
    /// The folder of the catalog is renamed.
    Renamed,
}

/// The requests that meet a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    All,
    Models,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Once,
    /// Twice for each file, so that every request succeeds at its last attempt.
    TwiceEach,
    Always,
}

/// A file of the catalog that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// There is no model of the version that the alias points to.
    NoModel,
    /// The model is cut in half.
    HalfModel,
    /// There is another model of the same version.
    OtherModel,
    /// The alias is cut in half.
    HalfAlias,
}

/// The fault of the proxy at the moment.
#[derive(Clone, Default)]
pub(crate) struct Injected(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    fault: Option<(Files, Times, Fault)>,
    /// How often each target has met it.
    met: HashMap<String, usize>,
}

impl Injected {
    pub(crate) fn set(&self, files: Files, times: Times, fault: Fault) {
        *self.0.lock().unwrap() = State { fault: Some((files, times, fault)), met: HashMap::new() };
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().fault = None;
    }

    /// The fault that a request meets.
    pub(crate) fn meet(&self, request: &Request) -> Fault {
        let mut state = self.0.lock().unwrap();
        let is_model = request.target.contains("/price/") && !request.target.contains("/aliases/");
        let (times, fault) = match &state.fault {
            Some((files, times, fault)) if is_model || *files == Files::All => (*times, fault.clone()),
            _ => return Fault::None,
        };
        let met = state.met.entry(request.target.clone()).or_default();
        *met += 1;
        match times {
            Times::TwiceEach if *met > 2 => return Fault::None,
            Times::Once => state.fault = None,
            Times::TwiceEach | Times::Always => {}
        }
        fault
    }
}
