//! The settings of the plain server, from the environment. Those of the service are in [`ordinate::config`].
//! docs/API.md lists their names and defaults.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ordinate::config::{ConfigError, Environment};

/// The default port.
pub const PORT: u16 = 9000;

/// The default address: this machine only.
pub const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);

/// The default memory of bodies.
const BODY_MEMORY_BYTES: usize = 24 * 1024 * 1024;

/// The settings of the plain server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 for any free port.
    pub port: u16,
    /// From the first byte of a request, or the start of a connection, to the end of its headers.
    pub header_timeout: Duration,
    /// From the end of the headers to the end of the body.
    pub body_timeout: Duration,
    /// For the next request on a connection.
    pub idle_timeout: Duration,
    /// For the next bytes of a response, and before a minimum rate applies to it.
    pub response_timeout: Duration,
    /// For the requests in progress, after the signal to stop.
    pub drain: Duration,
    /// The maximum number of open connections.
    pub max_connections: usize,
    /// The maximum number of requests that are handled at once.
    pub max_concurrent_requests: usize,
    /// The memory for the bodies of all requests together, in bytes.
    pub body_memory_bytes: usize,
    /// The memory for all responses that clients have not read, in bytes.
    pub response_memory_bytes: usize,
    /// The maximum size of a response, in bytes.
    pub max_answer_bytes: usize,
}

impl ServerSettings {
    /// The settings of an environment. `address` is the one to listen on if it is not set.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid variable.
    pub fn new(
        environment: &Environment<impl Fn(&str) -> Option<String>>,
        address: SocketAddr,
    ) -> Result<Self, ConfigError> {
        let host = |value: &str| match value {
            "localhost" => Ok(IpAddr::from(Ipv4Addr::LOCALHOST)),
            value => value.parse().map_err(|_| "expected an IP address such as 0.0.0.0".to_owned()),
        };
        let port = |variable| {
            let port = |value: &str| value.parse().map_err(|_| "expected a port from 0 to 65535".to_owned());
            environment.parse::<u16>(variable, port)
        };
        let seconds = |variable, default| Ok(Duration::from_secs_f64(seconds(environment, variable, default)?));
        let port = match port("AIP_HTTP_PORT")? {
            Some(port) => port,
            None => port("PORT")?.unwrap_or(address.port()),
        };
        Ok(Self {
            host: environment.parse("HOST", host)?.unwrap_or(address.ip()),
            port,
            header_timeout: seconds("HEADER_TIMEOUT_SECONDS", 10.0)?,
            body_timeout: seconds("BODY_TIMEOUT_SECONDS", 60.0)?,
            idle_timeout: seconds("IDLE_TIMEOUT_SECONDS", 75.0)?,
            response_timeout: seconds("RESPONSE_TIMEOUT_SECONDS", 10.0)?,
            drain: seconds("DRAIN_SECONDS", 10.0)?,
            max_connections: environment.count("MAX_CONNECTIONS", 16_384)?,
            max_concurrent_requests: environment.count("MAX_CONCURRENT_REQUESTS", 1024)?,
            body_memory_bytes: body_memory_bytes(environment)?,
            response_memory_bytes: environment.count("RESPONSE_MEMORY_BYTES", 256 * 1024 * 1024)?,
            max_answer_bytes: environment.count("MAX_ANSWER_BYTES", 64 * 1024 * 1024)?,
        })
    }
}

/// The memory of bodies, in which the largest body has a place.
fn body_memory_bytes(environment: &Environment<impl Fn(&str) -> Option<String>>) -> Result<usize, ConfigError> {
    let largest = environment.max_body_bytes()?;
    let bytes = |value: &str| match value.parse::<usize>() {
        Ok(bytes) if bytes >= largest => Ok(bytes),
        _ => Err(format!("expected a whole number of at least {largest} (MAX_BODY_BYTES)")),
    };
    Ok(environment.parse("BODY_MEMORY_BYTES", bytes)?.unwrap_or(BODY_MEMORY_BYTES.max(largest)))
}

/// A positive number of seconds, at most a day.
fn seconds(
    environment: &Environment<impl Fn(&str) -> Option<String>>,
    variable: &'static str,
    default: f64,
) -> Result<f64, ConfigError> {
    let positive = |value: &str| match value.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(seconds),
        _ => Err("expected a number of seconds above 0, at most 86400".to_owned()),
    };
    Ok(environment.parse(variable, positive)?.unwrap_or(default))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<ServerSettings, ConfigError> {
        ServerSettings::new(
            &Environment(|name: &str| {
                variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
            }),
            ADDRESS,
        )
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let defaults = settings(&[]).unwrap();
        assert_eq!((defaults.host, defaults.port), (Ipv4Addr::LOCALHOST.into(), 9000));
        for (variable, value) in [
            ("HEADER_TIMEOUT_SECONDS", defaults.header_timeout.as_secs()),
            ("BODY_TIMEOUT_SECONDS", defaults.body_timeout.as_secs()),
            ("IDLE_TIMEOUT_SECONDS", defaults.idle_timeout.as_secs()),
            ("RESPONSE_TIMEOUT_SECONDS", defaults.response_timeout.as_secs()),
            ("DRAIN_SECONDS", defaults.drain.as_secs()),
            ("MAX_CONNECTIONS", defaults.max_connections as u64),
            ("MAX_CONCURRENT_REQUESTS", defaults.max_concurrent_requests as u64),
            ("BODY_MEMORY_BYTES", defaults.body_memory_bytes as u64),
            ("RESPONSE_MEMORY_BYTES", defaults.response_memory_bytes as u64),
            ("MAX_ANSWER_BYTES", defaults.max_answer_bytes as u64),
        ] {
            let row = format!("| `{variable}` | {value} |");
            assert!(include_str!("../../../docs/API.md").contains(&row), "docs/API.md: {row}");
        }
    }

    #[test]
    fn the_memory_of_bodies_has_a_place_for_the_largest() {
        assert_eq!(settings(&[("MAX_BODY_BYTES", "99999999")]).unwrap().body_memory_bytes, 99_999_999);
        let error = settings(&[("BODY_MEMORY_BYTES", "1000")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "BODY_MEMORY_BYTES: expected a whole number of at least 6291456 (MAX_BODY_BYTES), got \"1000\""
        );
    }

    #[test]
    fn vertex_ai_chooses_the_port() {
        assert_eq!(settings(&[("PORT", "8000")]).unwrap().port, 8000);
        assert_eq!(settings(&[("PORT", "8000"), ("AIP_HTTP_PORT", "8080")]).unwrap().port, 8080);
    }

    #[test]
    fn an_invalid_value_is_reported_with_its_variable_and_the_allowed_values() {
        for (variable, value, message) in [
            ("HOST", "example.com", "HOST: expected an IP address such as 0.0.0.0, got \"example.com\""),
            ("PORT", "70000", "PORT: expected a port from 0 to 65535, got \"70000\""),
            ("AIP_HTTP_PORT", "-1", "AIP_HTTP_PORT: expected a port from 0 to 65535, got \"-1\""),
            ("DRAIN_SECONDS", "0", "DRAIN_SECONDS: expected a number of seconds above 0, at most 86400, got \"0\""),
            (
                "IDLE_TIMEOUT_SECONDS",
                "NaN",
                "IDLE_TIMEOUT_SECONDS: expected a number of seconds above 0, at most 86400",
            ),
            ("MAX_CONNECTIONS", "0", "MAX_CONNECTIONS: expected a whole number of at least 1, got \"0\""),
        ] {
            let error = settings(&[(variable, value)]).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
