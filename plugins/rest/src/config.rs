//! [`RestConfig`]: the config section `http`.

use crate::connection::LEAST_BUFFER;
use crate::{Endpoint, Limits};
use cninfra::{
    Flag,
    config::{ByteSize, Duration, Hides, Invalid, Later},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, Unexpected},
};
use std::num::NonZeroU32;

pub(crate) const FLAGS: &[Flag] = &[Flag::new("http-port", "port")
    .env("HTTP_PORT")
    .help("the port of the HTTP server, over that of `endpoint`; 0 takes a free one. Without both it is 9191, on all interfaces")];

/// The config section `http`, in the file `http.conf`.
///
/// The predecessor's keys have the same meaning, whether written `ReadTimeout` or `read-timeout`; 0 means no limit.
/// Times are written as `5s` or `1m30s`; a number without a unit is in nanoseconds, as in the predecessor.
///
/// ```
/// use cninfra_rest::RestConfig;
///
/// let config = RestConfig { endpoint: Some("127.0.0.1:8080".parse()?), ..RestConfig::default() };
/// assert_eq!(config.listen().to_string(), "127.0.0.1:8080");
/// # Ok::<(), cninfra_rest::EndpointError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RestConfig {
    /// Where the server listens. Default: `0.0.0.0:9191`, with a warning.
    #[serde(serialize_with = "endpoint_that_holds")]
    pub endpoint: Option<Endpoint>,
    /// The port, which overrides that of `endpoint`. Also `--http-port` and `HTTP_PORT`. An `endpoint` in a higher
    /// layer hides it: `--set http.endpoint=..` overrides a `port` in a file.
    pub port: Option<u16>,
    /// The time for a whole request with its body. Default: 30 s.
    pub read_timeout: Duration,
    /// The time for a request's head. Never more than `read-timeout`, and the same as that if it is 0. Default: 10 s.
    pub read_header_timeout: Duration,
    /// The time from the end of a request's head to the end of its response. It also limits the handler. Default: 0 (no
    /// limit), since a response may be a stream.
    pub write_timeout: Duration,
    /// How long a connection is kept without a request. 0: as long as `read-timeout`. Default: 75 s.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of its response. Default: 30 s.
    pub stall_timeout: Duration,
    /// The time for a handler, until its response begins. Default: 60 s.
    pub handler_timeout: Duration,
    /// The time for requests in flight when the agent stops. 0: all the time that the agent has for draining, which is
    /// the maximum in any case. Default: 0.
    pub drain_timeout: Duration,
    /// The largest size of a request's head. 0: 1 MiB, as in Go. Default: 64 KiB.
    pub max_header_bytes: ByteSize,
    /// The largest size of a request's body. Default: 2 MiB.
    pub body_limit: ByteSize,
    /// The largest size of the bodies of all requests together, as far as handlers hold them. Default: 256 MiB.
    pub total_body_limit: ByteSize,
    /// The largest number of connections at a time, at least 1; further ones wait. Never more than three quarters of
    /// the files that the process may open (but at least 64). Default: 4096.
    #[serde(deserialize_with = "one_or_more")]
    pub max_connections: NonZeroU32,
    /// Whether to log each request, with the status of its response and the plugin that answered. Default: no.
    pub access_log: bool,
    /// Whether to count requests in the agent's metrics. Default: yes.
    pub metrics: bool,
    /// Whether `GET /` lists the routes, if no plugin has a route `/`. Default: yes.
    pub index: bool,
    /// Keys of the predecessor that this server does not support yet. They are refused, so that nobody relies on them.
    #[doc(hidden)]
    #[serde(
        skip_serializing,
        rename = "later:server-cert-file",
        alias = "later:server-key-file",
        alias = "later:client-cert-files",
        alias = "later:client-basic-auth",
        alias = "later:enable-token-auth",
        alias = "later:token-expiration",
        alias = "later:token-signature",
        alias = "later:sign-key",
        alias = "later:users",
        alias = "later:password-hash-cost",
        alias = "later:rate-limiter",
        alias = "later:disable",
        alias = "later:disabled"
    )]
    pub later: Later,
    #[doc(hidden)]
    #[serde(skip_serializing, rename = "hides:endpoint:port")]
    pub hides: Hides,
}

/// Go's default, which the predecessor used for 0.
const GO_HEADER_BYTES: u64 = 1 << 20;

impl Default for RestConfig {
    fn default() -> Self {
        let limits = Limits::default();
        let time = |limit: Option<std::time::Duration>| Duration(limit.unwrap_or_default());
        let connections = u32::try_from(limits.connections).ok().and_then(NonZeroU32::new);
        RestConfig {
            endpoint: None,
            port: None,
            read_timeout: time(limits.read),
            read_header_timeout: time(limits.head),
            write_timeout: time(limits.write),
            idle_timeout: time(limits.idle),
            stall_timeout: time(limits.stall),
            handler_timeout: time(limits.handler),
            drain_timeout: Duration::default(),
            max_header_bytes: ByteSize(limits.head_bytes as u64),
            body_limit: ByteSize(limits.body.unwrap_or_default()),
            total_body_limit: ByteSize(limits.bodies.unwrap_or_default()),
            max_connections: connections.unwrap_or(NonZeroU32::MAX),
            access_log: false,
            metrics: true,
            index: true,
            later: Later,
            hides: Hides,
        }
    }
}

/// A number of at least 1; 0 is reported as a mistake.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    let zero = || D::Error::invalid_value(Unexpected::Unsigned(0), &"a whole number from 1 to 4294967295");
    NonZeroU32::new(number).ok_or_else(zero)
}

/// Serializes the endpoint in force, also if none is set.
#[expect(clippy::ref_option, reason = "serde gives it so")]
fn endpoint_that_holds<S: Serializer>(endpoint: &Option<Endpoint>, serializer: S) -> Result<S::Ok, S::Error> {
    endpoint.clone().unwrap_or_default().serialize(serializer)
}

impl RestConfig {
    /// Where the server listens, from both keys.
    #[must_use]
    pub fn listen(&self) -> Endpoint {
        let endpoint = self.endpoint.clone().unwrap_or_default();
        match self.port {
            Some(port) => endpoint.with_port(port),
            None => endpoint,
        }
    }

    /// The limits that the keys set.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let limit = |time: Duration| Some(*time).filter(|time| !time.is_zero());
        let (read, write) = (limit(self.read_timeout), limit(self.write_timeout));
        let head_bytes = match *self.max_header_bytes {
            0 => GO_HEADER_BYTES,
            bytes => bytes,
        };
        Limits {
            head: least(limit(self.read_header_timeout), read),
            read,
            write,
            stall: limit(self.stall_timeout),
            idle: limit(self.idle_timeout).or(read),
            handler: least(limit(self.handler_timeout), write),
            head_bytes: usize::try_from(head_bytes).unwrap_or(usize::MAX),
            body: Some(*self.body_limit).filter(|bytes| *bytes > 0),
            bodies: Some(*self.total_body_limit).filter(|bytes| *bytes > 0),
            connections: usize::try_from(self.max_connections.get()).unwrap_or(usize::MAX),
        }
    }

    /// A time-out that no request can meet, or a size that every head exceeds, is a mistake in the unit; so is a limit
    /// of all bodies that is lower than that of a single one.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let short = |(key, time): (&str, Duration)| {
            let is_short = !time.is_zero() && *time < std::time::Duration::from_millis(1);
            is_short.then(|| {
                Invalid::key(key, format!("is {time}, which no request can keep"))
                    .help("such as `30s`; `0` is no limit")
            })
        };
        let times = [
            ("read-timeout", self.read_timeout),
            ("read-header-timeout", self.read_header_timeout),
            ("write-timeout", self.write_timeout),
            ("idle-timeout", self.idle_timeout),
            ("stall-timeout", self.stall_timeout),
            ("handler-timeout", self.handler_timeout),
        ];
        let (body, all) = (self.body_limit, self.total_body_limit);
        // Each part costs some bytes more, and one body alone has to fit in any case.
        let less = (*all > 0 && body.saturating_mul(2) > *all).then(|| {
            Invalid::key("total-body-limit", format!("is {all}, which is less than twice the {body} of `body-limit`"))
                .help("it is for the bodies of all requests together; `0` is no limit")
        });
        let head = self.max_header_bytes;
        let small = (*head > 0 && *head < LEAST_BUFFER as u64).then(|| {
            Invalid::key("max-header-bytes", format!("is {head}, which is less than the 8KiB that any head may have"))
                .help("such as `64KiB`; `0` is 1MiB, as in Go")
        });
        Invalid::all(times.into_iter().filter_map(short).chain(less).chain(small))
    }

    /// Whether no key says where to listen.
    pub(crate) fn is_default(&self) -> bool {
        self.endpoint.is_none() && self.port.is_none()
    }
}

/// The shorter one. `None` means no limit.
fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_those_of_the_library_by_default() {
        assert_eq!(RestConfig::default().limits(), Limits::default());
    }

    #[test]
    fn a_head_that_nobody_has_is_refused() {
        let check = |bytes| RestConfig { max_header_bytes: ByteSize(bytes), ..RestConfig::default() }.check();
        assert_eq!((check(0), check(8192)), (Ok(()), Ok(())));
        for bytes in [3, 8191] {
            let told = check(bytes).unwrap_err().to_string();
            assert!(told.starts_with("key `max-header-bytes` is ") && told.contains("less than the 8KiB"), "{told}");
        }
    }

    #[test]
    fn zero_is_what_it_is_in_go() {
        let zero = Duration::default();
        let (head, idle) = (Duration::from_secs(1), Duration::from_secs(2));
        let config = |read, head, idle| {
            let limits = RestConfig {
                read_timeout: read,
                read_header_timeout: head,
                idle_timeout: idle,
                ..RestConfig::default()
            }
            .limits();
            (limits.read, limits.head, limits.idle)
        };
        let secs = |secs| Some(std::time::Duration::from_secs(secs));
        assert_eq!(config(zero, zero, zero), (None, None, None));
        assert_eq!(config(Duration::from_secs(5), zero, zero), (secs(5), secs(5), secs(5)));
        assert_eq!(config(zero, head, idle), (None, secs(1), secs(2)));
        assert_eq!(config(Duration::from_millis(1000), Duration::from_secs(9), idle), (secs(1), secs(1), secs(2)));
        let config = RestConfig {
            max_header_bytes: ByteSize(0),
            body_limit: ByteSize(0),
            write_timeout: head,
            ..RestConfig::default()
        };
        let limits = config.limits();
        assert_eq!((limits.head_bytes, limits.body, limits.write, limits.handler), (1 << 20, None, secs(1), secs(1)));
    }

    #[test]
    fn a_timeout_that_no_request_can_keep_is_a_mistake() {
        assert_eq!(RestConfig::default().check(), Ok(()));
        let zero = Duration::default();
        let config =
            RestConfig { read_timeout: zero, handler_timeout: Duration::from_millis(1), ..RestConfig::default() };
        assert_eq!(config.check(), Ok(()));
        let short = Duration(std::time::Duration::from_nanos(30));
        let config = RestConfig { write_timeout: short, stall_timeout: short, ..RestConfig::default() };
        let words = "key `write-timeout` is 30ns, which no request can keep; key `stall-timeout` is 30ns, which no request can keep";
        assert_eq!(config.check().unwrap_err().to_string(), words);
    }

    #[test]
    fn all_bodies_together_are_no_less_than_two() {
        let config = |body, all| RestConfig {
            body_limit: ByteSize(body),
            total_body_limit: ByteSize(all),
            ..RestConfig::default()
        };
        let wrong = config(2048, 1024).check().unwrap_err().to_string();
        assert_eq!(wrong, "key `total-body-limit` is 1KiB, which is less than twice the 2KiB of `body-limit`");
        for (body, all) in [(0, 1024), (1024, 0), (1024, 2048)] {
            assert_eq!(config(body, all).check(), Ok(()));
        }
    }

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
