//! The faults of a server that loads its models, with what its callers must see.

use std::time::Duration;

use ordinate_test_support::proxy::Fault;

use crate::tls::Handshake;
use crate::trouble::Damage::{self, HalfAlias, HalfModel, NoModel, OtherModel};
use crate::trouble::Files::{All, Models};
use crate::trouble::Times::{Always, Once, TwiceEach};
use crate::trouble::Trouble::{self, Closed, ClosedMidway, Damaged, MidRead, Proxy, Renamed, Tls, UnknownHost};

/// A fault, and what callers must see.
pub(crate) struct Case {
    /// The fault, for the table.
    pub(crate) fault: &'static str,
    pub(crate) trouble: Trouble,
    /// The answer to ten callers whose model is not loaded: the status, and the code of an error.
    pub(crate) first: &'static str,
    /// The most GETs of the model for all of them.
    pub(crate) gets: usize,
    /// The version that callers see whose model is loaded while another one is released.
    pub(crate) later: Later,
}

/// A version of the model. Every request is answered with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Later {
    /// The loaded one, until the fault is repaired.
    Old,
    /// The new one, although the fault is not repaired.
    New,
}
use Later::{New, Old};

const OK: &str = "200";
/// It may succeed later by itself.
const UNAVAILABLE: &str = "503 model_unavailable, Retry-After";
/// Somebody has to repair it.
const BROKEN: &str = "503 model_unavailable";

const fn case(fault: &'static str, trouble: Trouble, first: &'static str, gets: usize, later: Later) -> Case {
    Case { fault, trouble, first, gets, later }
}

/// All of them, in the order of the table.
pub(crate) fn cases() -> Vec<Case> {
    let kilobyte_per_second = Fault::DripBody(Duration::from_millis(1));
    vec![
        case("no fault", Trouble::None, OK, 1, New),
        case("connections refused", Closed, UNAVAILABLE, 0, Old),
        case("S3 is gone in the middle of a body", ClosedMidway, UNAVAILABLE, 1, Old),
        case("connection reset", Proxy(All, Always, Fault::Reset), UNAVAILABLE, 0, Old),
        case("connection reset, once", Proxy(All, Once, Fault::Reset), OK, 1, New),
        case("unknown host", UnknownHost, UNAVAILABLE, 0, Old),
        case("TLS: unknown authority", Tls(Handshake::Untrusted), UNAVAILABLE, 0, Old),
        case("TLS: expired certificate", Tls(Handshake::Expired), UNAVAILABLE, 0, Old),
        case("TLS: certificate of another host", Tls(Handshake::OtherHost), UNAVAILABLE, 0, Old),
        case("TLS: an answer in plain text", Tls(Handshake::PlainText), UNAVAILABLE, 0, Old),
        case("TLS: no answer", Tls(Handshake::Stalled), UNAVAILABLE, 0, Old),
        respond("500", Always, 500, "InternalError"),
        respond("500, once", Once, 500, "InternalError"),
        respond("503", Always, 503, "ServiceUnavailable"),
        respond("503, once", Once, 503, "ServiceUnavailable"),
        respond("503 SlowDown", Always, 503, "SlowDown"),
        respond("403 AccessDenied", Always, 403, "AccessDenied"),
        respond("404 NoSuchBucket", Always, 404, "NoSuchBucket"),
        respond("400 ExpiredToken", Always, 400, "ExpiredToken"),
        respond("403 RequestTimeTooSkewed (wrong clock)", Always, 403, "RequestTimeTooSkewed"),
        case("no head", Proxy(All, Always, Fault::Stall), UNAVAILABLE, 0, Old),
        case("no head, twice for each file", Proxy(All, TwiceEach, Fault::Stall), UNAVAILABLE, 3, New),
        body("no head of the model", Always, Fault::Stall, 3),
        body("no head of the model, once", Once, Fault::Stall, 2),
        body("the body stops", Always, Fault::StallBody(1_000), 3),
        body("the body stops, once", Once, Fault::StallBody(1_000), 2),
        body("1 kB/s", Always, kilobyte_per_second, 1),
        body("the body is cut off", Always, Fault::CutBody(1_000), 3),
        body("the body is cut off, once", Once, Fault::CutBody(1_000), 2),
        body("a bit is flipped", Always, Fault::CorruptBody(20_000), 3),
        body("a bit is flipped, once", Once, Fault::CorruptBody(20_000), 2),
        case(
            "a bit is flipped, no checksum header",
            Proxy(Models, Always, Fault::CorruptUnverifiedBody(20_000)),
            BROKEN,
            1,
            Old,
        ),
        body("the length is too large", Always, Fault::Announce(10), 3),
        body("the length is too small", Always, Fault::Announce(-10), 3),
        damaged("the alias points to a missing version", NoModel),
        damaged("half of an alias file", HalfAlias),
        damaged("half of a model file", HalfModel),
        case("the object is deleted while it is read", MidRead(NoModel), OK, 1, New),
        case("the object is replaced while it is read", MidRead(OtherModel), OK, 1, New),
        case("the folder of the catalog is renamed", Renamed, BROKEN, 0, Old),
    ]
}

/// A response of S3 to all requests.
const fn respond(fault: &'static str, times: crate::trouble::Times, status: u16, code: &'static str) -> Case {
    let (first, gets, later) = match times {
        Always if status >= 500 => (UNAVAILABLE, 0, Old),
        Always => (BROKEN, 0, Old),
        Once | TwiceEach => (OK, 1, New),
    };
    case(fault, Proxy(All, times, Fault::Respond(status, code)), first, gets, later)
}

/// A fault in the response to the GET of the model.
const fn body(fault: &'static str, times: crate::trouble::Times, injected: Fault, gets: usize) -> Case {
    let (first, later) = match times {
        Always => (UNAVAILABLE, Old),
        Once | TwiceEach => (OK, New),
    };
    case(fault, Proxy(Models, times, injected), first, gets, later)
}

/// A damaged file of the catalog.
const fn damaged(fault: &'static str, damage: Damage) -> Case {
    case(fault, Damaged(damage), BROKEN, 1, Old)
}
