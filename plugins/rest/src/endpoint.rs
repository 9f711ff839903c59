//! [`Endpoint`]: where a server listens.

use cninfra::config::from_text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Cow, error::Error, fmt, net::Ipv6Addr, str::FromStr};

/// Where a server listens: a host and a port.
///
/// As text it is `127.0.0.1:9191`, `localhost:9191`, `[::1]:9191`, or `:9191` for all interfaces, including IPv6 if the
/// machine has it. Port 0 means any free port.
///
/// ```
/// use cninfra_rest::Endpoint;
///
/// let endpoint: Endpoint = "[::1]:9191".parse()?;
/// assert_eq!((endpoint.host(), endpoint.port()), ("::1", 9191));
/// assert_eq!(endpoint.with_port(80).to_string(), "[::1]:80");
/// # Ok::<(), cninfra_rest::EndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Without brackets; empty for all interfaces.
    host: String,
    port: u16,
}

impl Endpoint {
    /// The host, without brackets; empty for all interfaces.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same host with another port.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The hosts to try before `host`; the first that can be bound is used.
    pub(crate) fn hosts(&self) -> &[&str] {
        // A socket bound to `::` accepts IPv4 as well.
        if self.host.is_empty() { &["::", "0.0.0.0"] } else { &[] }
    }
}

impl Default for Endpoint {
    /// `0.0.0.0:9191` (all interfaces), as in the predecessor.
    fn default() -> Self {
        Endpoint { host: "0.0.0.0".to_string(), port: 9191 }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let error = |wrong| EndpointError { text: text.to_string(), wrong };
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(error("its `[` is not closed"))?;
                host.parse::<Ipv6Addr>().map_err(|_| error("what is in `[..]` is not an IPv6 address"))?;
                (host, port.strip_prefix(':').ok_or(error("it has no port"))?)
            }
            None => {
                let (host, port) = text.rsplit_once(':').ok_or(error("it has no port"))?;
                if host.contains(':') {
                    let wrong = if text.contains("//") { "it is a URL" } else { "an IPv6 address stands in `[..]`" };
                    return Err(error(wrong));
                }
                (host, port)
            }
        };
        if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:%".contains(&byte)) {
            return Err(error("its host is none"));
        }
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits).ok_or(error("its port is not a number from 0 to 65535"))?;
        Ok(Endpoint { host: host.to_string(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Without quotes, `[::]:9191` is a list in YAML.
        from_text(deserializer, r#"an endpoint such as "0.0.0.0:9191", ":9191" or "[::]:9191", in quotes"#, str::parse)
    }
}

/// The text is not a valid [`Endpoint`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndpointError {
    text: String,
    wrong: &'static str,
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No example is guessed for `1234:` and the like.
        let example: Cow<'_, str> = match self.text.parse::<Ipv6Addr>() {
            Ok(host) => format!("[{host}]:9191").into(),
            // A number alone is meant as the port.
            Err(_) if self.text.chars().all(|c| c.is_ascii_digit()) => match self.text.parse::<u16>() {
                Ok(port) => format!("0.0.0.0:{port}").into(),
                Err(_) => "0.0.0.0:9191".into(),
            },
            Err(_) if self.wrong == "it has no port" => format!("{}:9191", self.text).into(),
            Err(_) => "0.0.0.0:9191".into(),
        };
        write!(f, "invalid endpoint `{}`: {}: write `host:port`, such as `{example}`", self.text, self.wrong)
    }
}

impl Error for EndpointError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_and_written_alike() {
        for (text, host, port) in [
            ("0.0.0.0:9191", "0.0.0.0", 9191),
            (":9191", "", 9191),
            ("[::]:9191", "::", 9191),
            ("[::1]:0", "::1", 0),
            ("localhost:65535", "localhost", 65535),
            ("my-host.example:80", "my-host.example", 80),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.host(), endpoint.port(), endpoint.to_string().as_str()), (host, port, text));
        }
    }

    #[test]
    fn what_is_none_is_told_with_the_mend() {
        for (text, part) in [
            ("", "has no port: write `host:port`, such as `0.0.0.0:9191`"),
            ("localhost", "has no port: write `host:port`, such as `localhost:9191`"),
            ("8080", "has no port: write `host:port`, such as `0.0.0.0:8080`"),
            ("65536", "has no port: write `host:port`, such as `0.0.0.0:9191`"),
            ("localhost:", "its port is not a number"),
            ("localhost:http", "its port is not a number"),
            ("localhost:+80", "its port is not a number"),
            ("localhost:65536", "its port is not a number from 0 to 65535"),
            ("::1", "stands in `[..]`: write `host:port`, such as `[::1]:9191`"),
            ("[::1]", "has no port: write `host:port`, such as `[::1]:9191`"),
            ("[::1:80", "is not closed"),
            ("[localhost]:80", "is not an IPv6 address"),
            ("http://localhost:80", "it is a URL"),
            ("a b:80", "its host is none"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(text), "{text}: {error}");
        }
    }
}
