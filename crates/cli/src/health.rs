//! `ordinate health`: whether a server is ready, for the health check of a container.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use ureq::Agent;

use super::serve::{default_address, is_sagemaker};
use ordinate::config::Environment;
use ordinate_server::settings::ServerSettings;

/// Check that a server is ready
///
/// Requests /health/ready, which loads the default model if it is not loaded. The exit code is 0 if the answer is 200
/// and 1 otherwise, with the reason. Only http:// is supported, because a container checks itself.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate health
  ordinate health http://localhost:8080")]
pub(super) struct Arguments {
    /// URL of the server, with its `BASE_PATH` [default: the address of `ordinate serve` in this environment]
    url: Option<String>,
    /// Time limit in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, value_parser = seconds)]
    timeout: f64,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("expected a number of seconds above 0, at most 3600".to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let base = if let Some(url) = &arguments.url {
        url.clone()
    } else {
        let environment = Environment::process();
        let settings = ServerSettings::new(&environment, default_address(is_sagemaker(environment)))?;
        let host = if settings.host.is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { settings.host };
        format!("http://{}", SocketAddr::new(host, settings.port))
    };
    let is_http = base.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
    if !is_http || base.contains(['?', '#']) {
        return Err(format!("expected a URL that starts with http://, without a query, got {base:?}").into());
    }
    let url = format!("{}/health/ready", base.trim_end_matches('/'));
    let limit = Duration::from_secs_f64(arguments.timeout);
    let settings = Agent::config_builder().timeout_global(Some(limit)).http_status_as_error(false).proxy(None);
    let mut answer =
        Agent::new_with_config(settings.build()).get(&url).call().map_err(|error| format!("{url}: {error}"))?;
    if answer.status().as_u16() == 200 {
        return Ok("ready\n".to_owned());
    }
    let body = answer.body_mut().with_config().limit(1024).read_to_string().unwrap_or_default();
    Err(format!("{url}: {}: {body}", answer.status()).into())
}
