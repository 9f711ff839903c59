//! [`RestConfig`]: the config section `http`.

use crate::Endpoint;
use cninfra::Flag;
use serde::{Deserialize, Serialize};

pub(crate) const FLAGS: &[Flag] = &[Flag {
    name: "http-port",
    env: "HTTP_PORT",
    key: "port",
    help: "the port of the HTTP server, over that of `endpoint`; 0 takes a free one",
}];

/// The config section `http`, in the file `http.conf`.
///
/// ```
/// use cninfra_rest::RestConfig;
///
/// let config = RestConfig { endpoint: Some("127.0.0.1:8080".parse()?), ..RestConfig::default() };
/// assert_eq!(config.listen().to_string(), "127.0.0.1:8080");
/// # Ok::<(), cninfra_rest::EndpointError>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestConfig {
    /// Where the server listens. Default: `0.0.0.0:9191`, with a warning.
    #[serde(alias = "Endpoint")]
    pub endpoint: Option<Endpoint>,
    /// The port, over that of `endpoint`: what `--http-port` and `HTTP_PORT` set.
    pub port: Option<u16>,
}

impl RestConfig {
    /// Where the server listens, of both keys.
    #[must_use]
    pub fn listen(&self) -> Endpoint {
        let endpoint = self.endpoint.clone().unwrap_or_default();
        match self.port {
            Some(port) => endpoint.with_port(port),
            None => endpoint,
        }
    }

    /// Has nobody said where?
    pub(crate) fn is_default(&self) -> bool {
        self.endpoint.is_none() && self.port.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_that_of_the_predecessor() {
        let config = RestConfig::default();
        assert_eq!(config.listen().to_string(), "0.0.0.0:9191");
        assert!(config.is_default());
    }

    #[test]
    fn the_port_goes_over_that_of_the_endpoint() {
        let endpoint: Endpoint = "[::1]:1".parse().unwrap();
        let config = RestConfig { endpoint: Some(endpoint), port: Some(2) };
        assert_eq!(config.listen().to_string(), "[::1]:2");
        let config = RestConfig { port: Some(0), ..RestConfig::default() };
        assert_eq!(config.listen().to_string(), "0.0.0.0:0");
        assert!(!config.is_default());
    }
}
