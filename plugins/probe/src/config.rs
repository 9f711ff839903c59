//! [`ProbeConfig`]: the config section `probe`.

use cninfra::{
    Flag,
    config::{Hides, PluginName},
};
use cninfra_rest::Endpoint;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const HELP: &str =
    "the port of the probes and of the metrics; without it they are on the HTTP server's. 0 takes a free one";

pub(crate) const FLAGS: &[Flag] = &[
    Flag::new("probe-port", "port").env("PROBE_PORT").help(HELP),
    Flag::new("http-probe-port", "port").env("HTTP_PROBE_PORT").help("the same, by the predecessor's name"),
];

/// The config section `probe`, in the file `probe.conf`.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProbeConfig {
    /// Where to serve the probes and the metrics separately from the other routes. Default: on the agent's HTTP server;
    /// so also if it is the same endpoint as that.
    pub endpoint: Option<Endpoint>,
    /// The port, which overrides that of `endpoint`. Without an `endpoint`, the host is that of the agent's HTTP
    /// server.
    pub port: Option<u16>,
    /// Plugins, by their instance names, that never make the agent unready or dead, whatever their state is.
    #[serde(alias = "non-fatal-plugins")]
    pub non_fatal: Vec<PluginName>,
    #[doc(hidden)]
    #[serde(skip_serializing, rename = "hides:endpoint:port")]
    pub hides: Hides,
}

impl ProbeConfig {
    /// The endpoint to serve at, beside an HTTP server that listens at `http`; `None` if it is that of the server.
    #[must_use]
    pub fn apart_from(&self, http: Option<SocketAddr>) -> Option<Endpoint> {
        let endpoint = match (&self.endpoint, self.port) {
            (None, None) => return None,
            (Some(endpoint), None) => endpoint.clone(),
            (Some(endpoint), Some(port)) => endpoint.clone().with_port(port),
            (None, Some(port)) => {
                let host = http.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |http| http.ip());
                // An address with a port is always a valid endpoint.
                SocketAddr::new(host, port).to_string().parse().ok()?
            }
        };
        let is_same = http.is_some_and(|http| http.port() == endpoint.port() && is_at(endpoint.host(), http.ip()));
        Some(endpoint).filter(|_| !is_same)
    }
}

/// Whether a listener at this address prevents another one at the host.
fn is_at(host: &str, ip: IpAddr) -> bool {
    match host.parse::<IpAddr>() {
        _ if ip.is_unspecified() || host.is_empty() => true,
        Ok(host) => host == ip || host.is_unspecified(),
        Err(_) => host == "localhost" && ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_endpoint_is_the_same_server() {
        let apart = |endpoint: Option<&str>, port, http: Option<&str>| {
            let endpoint = endpoint.map(|endpoint| endpoint.parse().unwrap());
            let config = ProbeConfig { endpoint, port, ..ProbeConfig::default() };
            config.apart_from(http.map(|http| http.parse().unwrap())).map(|endpoint| endpoint.to_string())
        };
        let http = Some("127.0.0.1:9191");
        assert_eq!(apart(None, None, http), None);
        assert_eq!(apart(None, Some(9191), http), None);
        assert_eq!(apart(None, Some(9192), http).as_deref(), Some("127.0.0.1:9192"));
        assert_eq!(apart(None, Some(0), http).as_deref(), Some("127.0.0.1:0"));
        assert_eq!(apart(None, Some(9192), None).as_deref(), Some("0.0.0.0:9192"));
        for same in ["127.0.0.1:9191", "localhost:9191", "0.0.0.0:9191", ":9191"] {
            assert_eq!(apart(Some(same), None, http), None, "{same}");
        }
        for other in ["127.0.0.2:9191", "127.0.0.1:9192", "[::1]:9191"] {
            assert_eq!(apart(Some(other), None, http).as_deref(), Some(other));
        }
        assert_eq!(apart(Some("127.0.0.2:9191"), None, Some("0.0.0.0:9191")), None);
        assert_eq!(apart(Some("127.0.0.1:1"), Some(9191), http), None);
    }
}
