//! [`EtcdConfig`]: where etcd is, and how long it may take.

use cninfra::{
    client::{is_host_and_port, unless_empty},
    config::{ByteSize, Duration, Invalid, Secret},
    keyval::Capabilities,
};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{fmt, path::PathBuf, time::Duration as Time};

/// The predecessor's default endpoint.
const DEFAULT_ENDPOINT: &str = "127.0.0.1:2379";

/// The config section `etcd`, in the file `etcd.conf`; also for [`EtcdStore::connect`](crate::EtcdStore::connect).
///
/// The predecessor's keys have the same meaning. Times are written as `5s` or `1m30s`; a number without a unit is in
/// nanoseconds, as in the predecessor.
///
/// ```
/// use cninfra_etcd::EtcdConfig;
///
/// let config = EtcdConfig::at(["10.0.0.1:2379", "10.0.0.2:2379"]);
/// assert_eq!(config.operation_timeout.as_secs(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct EtcdConfig {
    /// The members of the cluster, each as `host:port`. One is used until it fails, then the next one. Default: none,
    /// and the plugin is off; but `127.0.0.1:2379` if another key is set, or if there is a file `etcd.conf`, even an
    /// empty one.
    pub endpoints: Endpoints,
    /// How long it may take to connect. Default: 1 s.
    pub dial_timeout: Duration,
    /// How long a call may take, with all its attempts. Default: 3 s.
    pub operation_timeout: Duration,
    /// Do not use TLS, even if files are given. Default: no.
    pub insecure_transport: bool,
    /// The certificate of this client, in PEM. Needs `key-file`.
    #[serde(deserialize_with = "unless_empty")]
    pub cert_file: Option<PathBuf>,
    /// The key of that certificate, in PEM.
    #[serde(deserialize_with = "unless_empty")]
    pub key_file: Option<PathBuf>,
    /// The certificate authorities that have signed the servers' certificates, in PEM. Default: those that the system
    /// trusts.
    #[serde(deserialize_with = "unless_empty")]
    pub ca_file: Option<PathBuf>,
    /// The name in the servers' certificates, if it is not that of their endpoints.
    #[serde(deserialize_with = "unless_empty")]
    pub server_name: Option<String>,
    /// The user. Default: none.
    #[serde(deserialize_with = "unless_empty")]
    pub username: Option<String>,
    /// The password of that user.
    pub password: Secret,
    /// The largest size of a value together with its key. etcd accepts requests of up to 1.5 MiB, unless its
    /// `--max-request-bytes` says otherwise. Default: 1520 KiB.
    pub max_value: ByteSize,
    /// How long keys written [with the client](cninfra::keyval::Expiry::WithClient) remain after the client has died.
    /// Whole seconds. Default: 5 s.
    pub session_ttl: Duration,
    /// How often to compact the history, down to the newest revision; 0 for never. One agent of a cluster is enough for
    /// that. Default: 0.
    pub auto_compact: Duration,
    /// Whether the agent starts even if etcd does not answer. It is not ready before etcd answers, unless `non-fatal`
    /// in the config of the probes names etcd. Default: no.
    pub allow_delayed_start: bool,
    /// How often it tries to reconnect while etcd is away. Default: 1 s.
    pub reconnect_interval: Duration,
    /// A key of the predecessor, without effect: watches always return to the true state by themselves.
    pub resync_after_reconnect: bool,
    /// A key of the predecessor. It is refused if it is set, since a server whose identity is not verified could be
    /// anybody.
    pub insecure_skip_tls_verify: bool,
    /// A key of the predecessor, which expanded variables in all values that it read. It is refused if it is set.
    pub expand_env_variables: bool,
}

impl Default for EtcdConfig {
    fn default() -> Self {
        EtcdConfig {
            endpoints: Endpoints::default(),
            dial_timeout: Duration::from_secs(1),
            operation_timeout: Duration::from_secs(3),
            insecure_transport: false,
            cert_file: None,
            key_file: None,
            ca_file: None,
            server_name: None,
            username: None,
            password: Secret::default(),
            max_value: ByteSize(1520 << 10),
            session_ttl: Duration::from_secs(5),
            auto_compact: Duration::default(),
            allow_delayed_start: false,
            reconnect_interval: Duration::from_secs(1),
            resync_after_reconnect: false,
            insecure_skip_tls_verify: false,
            expand_env_variables: false,
        }
    }
}

impl EtcdConfig {
    /// A config for these endpoints, with defaults for everything else.
    #[must_use]
    pub fn at<E: Into<String>>(endpoints: impl IntoIterator<Item = E>) -> Self {
        let endpoints = Endpoints(endpoints.into_iter().map(Into::into).collect());
        EtcdConfig { endpoints, ..EtcdConfig::default() }
    }

    /// Whether anything differs from the defaults.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self != EtcdConfig::default()
    }

    /// Whether it uses TLS: if one of its files or an endpoint says so.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        let has_file = self.cert_file.is_some() || self.key_file.is_some() || self.ca_file.is_some();
        !self.insecure_transport && (has_file || self.endpoints.0.iter().any(|endpoint| endpoint.starts_with(HTTPS)))
    }

    /// What etcd can do with its default settings, except for the size of values, which follows this config.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::all();
        capabilities.max_value = usize::try_from(self.max_value.0).unwrap_or(usize::MAX);
        capabilities
    }

    /// The endpoints as addresses with their scheme; at least one.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let scheme = if self.is_tls() { HTTPS } else { HTTP };
        let address = |endpoint: &str| format!("{scheme}{}", bare(endpoint).trim_end_matches('/'));
        match &*self.endpoints.0 {
            [] => vec![address(DEFAULT_ENDPOINT)],
            endpoints => endpoints.iter().map(|endpoint| address(endpoint)).collect(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let mut all = Vec::new();
        let mut wrong = |is_wrong: bool, key: &str, what: &str, help: &str| {
            all.extend(is_wrong.then(|| Invalid::key(key, what).help(help)));
        };
        for (key, time) in [("dial-timeout", self.dial_timeout), ("operation-timeout", self.operation_timeout)] {
            wrong(*time < Time::from_millis(1), key, "is too short for any answer", "take some seconds");
        }
        let is_short = *self.session_ttl < Time::from_secs(1);
        wrong(is_short, "session-ttl", "is below a second, and etcd counts whole ones", "leave it at 5s");
        let is_short = *self.reconnect_interval < Time::from_millis(10);
        wrong(is_short, "reconnect-interval", "is so short that it would keep asking", "leave it at 1s");
        let is_short = !self.auto_compact.is_zero() && *self.auto_compact < Time::from_secs(1);
        wrong(is_short, "auto-compact", "is so short that it would keep compacting", "such as `24h`, or `0` for never");
        wrong(self.max_value.0 == 0, "max-value", "lets no value be written", "leave it at 1520KiB");
        let key = if self.cert_file.is_some() { "cert-file" } else { "key-file" };
        let is_half = self.cert_file.is_some() != self.key_file.is_some();
        wrong(is_half, key, "is of use with its other half only", "set `cert-file` and `key-file`");
        let (is, help) = ("would let anybody be the server", "set `ca-file` to who has signed its certificate");
        wrong(self.insecure_skip_tls_verify, "insecure-skip-tls-verify", is, help);
        let (is, help) = ("is not supported: values are read as they are", "remove it");
        wrong(self.expand_env_variables, "expand-env-variables", is, help);
        for endpoint in &self.endpoints.0 {
            let bare = bare(endpoint).trim_end_matches('/');
            let has_user = bare.contains('@');
            wrong(has_user, "endpoints", "has a user in it", "set `username` and `password`");
            let what = format!("has `{endpoint}`, which is not `host:port`");
            wrong(!has_user && !is_host_and_port(bare), "endpoints", &what, "such as `10.0.0.1:2379`");
        }
        Invalid::all(all)
    }
}

fn bare(endpoint: &str) -> &str {
    endpoint.strip_prefix(HTTP).or_else(|| endpoint.strip_prefix(HTTPS)).unwrap_or(endpoint)
}

pub(crate) const HTTP: &str = "http://";
pub(crate) const HTTPS: &str = "https://";

/// The members of a cluster: a list, or a text with commas, as in `ETCD_ENDPOINTS`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Endpoints(pub Vec<String>);

impl<'de> Deserialize<'de> for Endpoints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Endpoints;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of endpoints, such as 127.0.0.1:2379")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Endpoints, E> {
                // A variable may hold a list in YAML or JSON, or the comma-separated list of the predecessor.
                let text = text.trim();
                // The brackets of a list, not those of an IPv6 address, which a port follows.
                let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
                let parts = text.split(',').map(|part| part.trim().trim_matches(['"', '\'']));
                Ok(Endpoints(parts.filter(|part| !part.is_empty()).map(str::to_string).collect()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Endpoints, A::Error> {
                let mut endpoints = Vec::new();
                while let Some(endpoint) = seq.next_element()? {
                    endpoints.push(endpoint);
                }
                Ok(Endpoints(endpoints))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_the_scheme_that_holds() {
        let mut config = EtcdConfig::at(["a:1", "http://b:2/"]);
        assert_eq!(config.addresses(), ["http://a:1", "http://b:2"]);
        config.ca_file = Some("ca.pem".into());
        assert_eq!(config.addresses(), ["https://a:1", "https://b:2"]);
        config.insecure_transport = true;
        assert_eq!(config.addresses(), ["http://a:1", "http://b:2"]);
        assert_eq!(EtcdConfig::default().addresses(), ["http://127.0.0.1:2379"]);
        assert_eq!(EtcdConfig::at(["https://c"]).addresses(), ["https://c"]);
    }

    #[test]
    fn a_text_is_a_list_of_endpoints_in_any_form() {
        for (text, expected) in [
            ("a:1", &["a:1"][..]),
            ("a:1, b:2,", &["a:1", "b:2"]),
            (r#"["a:1", 'b:2']"#, &["a:1", "b:2"]),
            ("[::1]:2379", &["[::1]:2379"]),
            ("[::1]:1,[::2]:2", &["[::1]:1", "[::2]:2"]),
            ("[[::1]:1, a:1]", &["[::1]:1", "a:1"]),
        ] {
            let read = Endpoints::deserialize(de::value::StrDeserializer::<de::value::Error>::new(text)).unwrap();
            assert_eq!(read.0, expected, "{text}");
        }
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        let bad = |change: fn(&mut EtcdConfig)| {
            let mut config = EtcdConfig::at(["a:1"]);
            change(&mut config);
            config.check().is_err()
        };
        assert!(bad(|config| config.operation_timeout = Duration(Time::from_nanos(5))));
        assert!(bad(|config| config.max_value = ByteSize(0)));
        assert!(bad(|config| config.cert_file = Some("c.pem".into())));
        assert!(bad(|config| config.endpoints.0.push("u:p@b:1".into())));
        assert!(bad(|config| config.session_ttl = Duration::from_millis(1)));
        assert!(!bad(|config| config.username = Some("u".into())));
    }

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        let told = |endpoint: &str| EtcdConfig::at([endpoint]).check().err().map(|invalid| invalid.to_string());
        for wrong in ["127.0.0.1", "http://a", "a:0", "a:x", ":1", "http://a:1/foo", "::1:2379", "[::1]", "a b:1"] {
            let what = format!("key `endpoints` has `{wrong}`, which is not `host:port`");
            assert_eq!(told(wrong), Some(what));
        }
        for right in ["a:1", "https://a.b:2379/", "[::1]:2379", "http://[fe80::1]:1"] {
            assert_eq!(told(right), None, "{right}");
        }
        // The message does not show the secret.
        assert_eq!(told("http://u:hunter2@b"), Some("key `endpoints` has a user in it".to_string()));
        let mut config = EtcdConfig::at(["a"]);
        config.session_ttl = Duration::default();
        let all = config.check().unwrap_err().to_string();
        assert!(all.contains("session-ttl") && all.contains("endpoints"), "all at once: {all}");
    }
}
