//! The faults, how a test causes them, and how it repairs them.

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
pub(crate) struct Injected(Arc<Mutex<Option<(Files, Times, Fault)>>>);

impl Injected {
    pub(crate) fn set(&self, files: Files, times: Times, fault: Fault) {
        *self.0.lock().unwrap() = Some((files, times, fault));
    }

    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap() = None;
    }

    /// The fault that a request meets.
    pub(crate) fn meet(&self, request: &Request) -> Fault {
        let mut injected = self.0.lock().unwrap();
        let is_model = request.target.contains("/price/") && !request.target.contains("/aliases/");
        let fault = match &*injected {
            Some((files, _, fault)) if is_model || *files == Files::All => fault.clone(),
            _ => return Fault::None,
        };
        if matches!(&*injected, Some((_, Times::Once, _))) {
            *injected = None;
        }
        fault
    }
}
