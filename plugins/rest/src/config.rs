//! [`RestConfig`]: the config section `http`.

use crate::Endpoint;
use cninfra::{
    Flag,
    config::{Hides, Later},
};
use serde::{Deserialize, Serialize, Serializer};

pub(crate) const FLAGS: &[Flag] = &[Flag::new("http-port", "port")
    .env("HTTP_PORT")
    .help("the port of the HTTP server, over that of `endpoint`; 0 takes a free one. Without both it is 9191, on all interfaces")];

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
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RestConfig {
    /// Where the server listens. Default: `0.0.0.0:9191`, with a warning.
    #[serde(serialize_with = "endpoint_that_holds")]
    pub endpoint: Option<Endpoint>,
    /// The port, over that of `endpoint`: what `--http-port` and `HTTP_PORT` set. An `endpoint` of a higher layer hides it:
    /// `--set http.endpoint=..` goes over a `port` in a file.
    pub port: Option<u16>,
    /// What the predecessor knew and this server does not serve yet: refused, so that nobody believes it to be in force.
    #[doc(hidden)]
    #[serde(
        skip_serializing,
        rename = "later:read-timeout",
        alias = "later:read-header-timeout",
        alias = "later:write-timeout",
        alias = "later:idle-timeout",
        alias = "later:max-header-bytes",
        alias = "later:disable",
        alias = "later:disabled",
        alias = "later:server-cert-file",
        alias = "later:server-key-file",
        alias = "later:client-cert-files",
        alias = "later:client-basic-auth",
        alias = "later:enable-token-auth",
        alias = "later:token-expiration",
        alias = "later:token-signature",
        alias = "later:sign-key",
        alias = "later:users",
        alias = "later:password-hash-cost",
        alias = "later:rate-limiter"
    )]
    pub later: Later,
    #[doc(hidden)]
    #[serde(skip_serializing, rename = "hides:endpoint:port")]
    pub hides: Hides,
}

/// As it is printed: where nothing is said, what holds.
#[expect(clippy::ref_option, reason = "serde gives it so")]
fn endpoint_that_holds<S: Serializer>(endpoint: &Option<Endpoint>, serializer: S) -> Result<S::Ok, S::Error> {
    endpoint.clone().unwrap_or_default().serialize(serializer)
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
        let config = RestConfig { endpoint: Some(endpoint), port: Some(2), ..RestConfig::default() };
        assert_eq!(config.listen().to_string(), "[::1]:2");
        let config = RestConfig { port: Some(0), ..RestConfig::default() };
        assert_eq!(config.listen().to_string(), "0.0.0.0:0");
        assert!(!config.is_default());
    }
}
