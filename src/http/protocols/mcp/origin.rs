//! The origin of a request from a browser. The Model Context Protocol requires the check: any page could otherwise call
//! a server on the user's machine, by a host name that it points there (DNS rebinding).

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue};
use url::{Host, Url};

use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::settings::AllowedOrigins;
use ordinate_model::wording::shorten;

/// Accepts requests without an origin, from the service's own host, and from origins that CORS allows.
///
/// # Errors
/// 403 for any other origin.
pub(super) fn check(headers: &HeaderMap, allowed: &AllowedOrigins) -> Result<(), ApiError> {
    let refused = |origin: &&HeaderValue| !is_listed(origin, allowed) && !is_own(origin, headers.get(HOST));
    match headers.get_all(ORIGIN).iter().find(refused) {
        None => Ok(()),
        Some(origin) => {
            let origin = String::from_utf8_lossy(origin.as_bytes());
            let detail =
                format!("the origin {:?} is not allowed; CORS_ALLOW_ORIGINS lists allowed origins", shorten(&origin));
            Err(ApiError::new(ErrorCode::ForbiddenOrigin, detail))
        }
    }
}

fn is_listed(origin: &HeaderValue, allowed: &AllowedOrigins) -> bool {
    match allowed {
        AllowedOrigins::Off => false,
        AllowedOrigins::Any => true,
        AllowedOrigins::List(origins) => origins.contains(origin),
    }
}

/// Whether an origin is the host of the request, by a name that no other page can point to it: an address, `localhost`,
/// or a name with a certificate.
fn is_own(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let parse = |value: &HeaderValue, prefix: &str| Url::parse(&format!("{prefix}{}", value.to_str().ok()?)).ok();
    let Some((origin, host)) = parse(origin, "").zip(host) else { return false };
    let Some(host) = parse(host, &format!("{}://", origin.scheme())) else { return false };
    let is_fixed = match origin.host() {
        Some(Host::Domain(name)) => origin.scheme() == "https" || name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => !IpAddr::from(address).is_unspecified(),
        Some(Host::Ipv6(address)) => !IpAddr::from(address).is_unspecified(),
        None => false,
    };
    is_fixed && origin.origin() == host.origin()
}
