//! [`RedisConfig`]: where Redis is, and how long it may take.

use cninfra::{
    client::{is_host_and_port, unless_empty},
    config::{Duration, Invalid, Secret},
};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use std::{path::PathBuf, sync::Arc, time::Duration as Time};

/// The time-outs if the keys are zero, as in the predecessor's driver.
const DIAL: Time = Time::from_secs(5);
const READ: Time = Time::from_secs(3);

/// The config section `redis`, in the file `redis.conf`; also for [`RedisStore::connect`](crate::RedisStore::connect).
///
/// The predecessor's keys have the same meaning, and select the kind of Redis in the same way: with `master-name`,
/// `endpoints` are sentinels; with `endpoint`, it is a single server; otherwise `endpoints` are some nodes of a
/// cluster. Times are written as `5s` or `1m30s`; a number without a unit is in nanoseconds, as in the predecessor.
///
/// ```
/// use cninfra_redis::RedisConfig;
///
/// let config = RedisConfig::at("10.0.0.1:6379");
/// assert!(config.is_set());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RedisConfig {
    /// The server, `host:port`. Default: none.
    #[serde(deserialize_with = "unless_empty")]
    pub endpoint: Option<String>,
    /// Sentinels, or some nodes of a cluster, each as `host:port`. Default: none, and the plugin is off, unless there
    /// is an `endpoint`.
    pub endpoints: Vec<String>,
    /// The name of the master, as the sentinels know it.
    #[serde(deserialize_with = "unless_empty")]
    pub master_name: Option<String>,
    /// The number of the database. Not for a cluster. Default: 0.
    pub db: u8,
    /// The user. Default: that of Redis, `default`.
    #[serde(deserialize_with = "unless_empty")]
    pub username: Option<String>,
    /// The password of that user.
    pub password: Secret,
    /// The password of the sentinels, if they require one.
    pub sentinel_password: Secret,
    /// TLS, for all connections.
    pub tls: RedisTls,
    /// How long it may take to connect. Default: 5 s.
    pub dial_timeout: Duration,
    /// How long a call that reads may take, with all its attempts. A delete or a read of a whole prefix that is not
    /// done page by page has this time for each of its steps. Default: 3 s.
    pub read_timeout: Duration,
    /// How long a call that writes may take, with all its attempts. Default: the same as `read-timeout`.
    pub write_timeout: Duration,
    /// How many redirections a call follows to a key elsewhere in a cluster. Default: 16.
    #[serde(alias = "max-redirects")]
    pub max_rediects: u32,
    /// How long keys written [with the client](cninfra::keyval::Expiry::WithClient) remain after the client has died.
    /// Default: 10 s.
    pub session_ttl: Duration,
    /// How often watches read all their keys, whatever the server has reported, since it does not report all changes
    /// (`FLUSHDB`, `SWAPDB`). Default: 5 m.
    pub rescan_interval: Duration,
    /// Whether to switch on the notifications that watches need (`notify-keyspace-events`), if the server does not send
    /// them. Default: no; watches are then refused.
    pub enable_notifications: bool,
    /// A key of the predecessor, without effect: one connection serves all calls at once, so there is no pool.
    pub pool: Pool,
    /// A key of the predecessor, which enabled reading from replicas. It is refused if it is set, since replicas may
    /// have outdated values.
    pub enable_query_on_slave: bool,
    /// A key of the predecessor, refused like `enable-query-on-slave`.
    pub route_by_latency: bool,
}

/// The key `tls` of [`RedisConfig`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RedisTls {
    /// Whether to use TLS. Default: no.
    pub enabled: bool,
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
    /// A key of the predecessor. It is refused if it is set, since a server whose identity is not verified could be
    /// anybody.
    pub skip_verify: bool,
}

/// The key `pool` of [`RedisConfig`]. Any content is accepted, for files of the predecessor, and has no effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pool;

impl<'de> Deserialize<'de> for Pool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Pool)
    }
}

impl Default for RedisConfig {
    fn default() -> Self {
        RedisConfig {
            endpoint: None,
            endpoints: Vec::new(),
            master_name: None,
            db: 0,
            username: None,
            password: Secret::default(),
            sentinel_password: Secret::default(),
            tls: RedisTls::default(),
            dial_timeout: Duration(DIAL),
            read_timeout: Duration(READ),
            write_timeout: Duration::default(),
            max_rediects: 16,
            session_ttl: Duration::from_secs(10),
            rescan_interval: Duration::from_secs(300),
            enable_notifications: false,
            pool: Pool,
            enable_query_on_slave: false,
            route_by_latency: false,
        }
    }
}

/// The kind of Redis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Single(Arc<str>),
    Sentinel { master: String, sentinels: Vec<Arc<str>> },
    Cluster(Vec<Arc<str>>),
}

impl RedisConfig {
    /// A config for a single server, with defaults for everything else.
    #[must_use]
    pub fn at(endpoint: impl Into<String>) -> Self {
        RedisConfig { endpoint: Some(endpoint.into()), ..RedisConfig::default() }
    }

    /// A config for a master that these sentinels know by this name.
    #[must_use]
    pub fn sentinels<E: Into<String>>(master: impl Into<String>, endpoints: impl IntoIterator<Item = E>) -> Self {
        let endpoints = endpoints.into_iter().map(Into::into).collect();
        RedisConfig { master_name: Some(master.into()), endpoints, ..RedisConfig::default() }
    }

    /// A config for a cluster that has these nodes.
    #[must_use]
    pub fn cluster<E: Into<String>>(endpoints: impl IntoIterator<Item = E>) -> Self {
        RedisConfig { endpoints: endpoints.into_iter().map(Into::into).collect(), ..RedisConfig::default() }
    }

    /// Whether it says where Redis is.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.endpoint.is_some() || !self.endpoints.is_empty()
    }

    pub(crate) fn kind(&self) -> Kind {
        let shared = |endpoints: &[String]| endpoints.iter().map(|endpoint| bare(endpoint)).collect::<Vec<_>>();
        match (&self.master_name, &self.endpoint) {
            (Some(master), _) => Kind::Sentinel { master: master.clone(), sentinels: shared(&self.endpoints) },
            (None, Some(endpoint)) => Kind::Single(bare(endpoint)),
            (None, None) => Kind::Cluster(shared(&self.endpoints)),
        }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        // This is asked for each call, so it does not use `kind`, which allocates the endpoints.
        self.master_name.is_none() && self.endpoint.is_none()
    }

    /// The user, for messages.
    pub(crate) fn user(&self) -> &str {
        self.username.as_deref().unwrap_or("default")
    }

    /// Where Redis is, for messages.
    pub(crate) fn endpoints_shown(&self) -> String {
        match self.kind() {
            Kind::Single(endpoint) => endpoint.to_string(),
            Kind::Sentinel { master, sentinels } => format!("{master} of {}", sentinels.join(",")),
            Kind::Cluster(nodes) => nodes.join(","),
        }
    }

    pub(crate) fn dial_within(&self) -> Time {
        or_default(*self.dial_timeout, DIAL)
    }

    pub(crate) fn read_within(&self) -> Time {
        or_default(*self.read_timeout, READ)
    }

    pub(crate) fn write_within(&self) -> Time {
        or_default(*self.write_timeout, self.read_within())
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let mut all = Vec::new();
        let mut wrong = |is_wrong: bool, key: &str, what: &str, help: &str| {
            all.extend(is_wrong.then(|| Invalid::key(key, what).help(help)));
        };
        let times = [
            ("dial-timeout", self.dial_timeout),
            ("read-timeout", self.read_timeout),
            ("write-timeout", self.write_timeout),
        ];
        for (key, time) in times {
            let is_short = !time.is_zero() && *time < Time::from_millis(1);
            wrong(is_short, key, "is too short for any answer", "take some seconds");
        }
        let (ttl, rescan) = (*self.session_ttl, *self.rescan_interval);
        let what = "is below a second, which a slow moment of the network takes";
        wrong(ttl < Time::from_secs(1), "session-ttl", what, "take some seconds");
        let what = "is so short that it would keep reading all keys";
        wrong(rescan < Time::from_millis(100), "rescan-interval", what, "take some seconds");
        let is_half = self.tls.cert_file.is_some() != self.tls.key_file.is_some();
        wrong(is_half, "tls", "has one half of a certificate", "set `cert-file` and `key-file`");
        let what = "has `skip-verify`, by which anybody could be the server";
        wrong(self.tls.skip_verify, "tls", what, "set `ca-file` to who has signed its certificate");
        let of_replicas =
            [("enable-query-on-slave", self.enable_query_on_slave), ("route-by-latency", self.route_by_latency)];
        for (key, is_set) in of_replicas {
            wrong(is_set, key, "is not supported: replicas may have old values, so they are not asked", "remove it");
        }
        let is_alone = self.master_name.is_some() && self.endpoints.is_empty();
        wrong(is_alone, "master-name", "is of use with the sentinels that know it", "set `endpoints`");
        let is_both = self.endpoint.is_some() && !self.endpoints.is_empty();
        let help = "a single server is `endpoint`, sentinels and clusters are `endpoints`: keep one of them";
        wrong(is_both, "endpoint", "is set beside `endpoints`", help);
        let has_databases = self.db == 0 || !self.is_set() || !self.is_cluster();
        wrong(!has_databases, "db", "is for single servers", "leave it out: a cluster has one database, 0");
        let of_one = self.endpoint.iter().map(|endpoint| ("endpoint", "is", endpoint));
        for (key, verb, endpoint) in of_one.chain(self.endpoints.iter().map(|endpoint| ("endpoints", "has", endpoint)))
        {
            let has_user = endpoint.contains('@');
            // The message must not show a password in the endpoint.
            wrong(has_user, key, "has a user in it", "set `username` and `password`");
            let what = format!("{verb} `{endpoint}`, which is not `host:port`");
            wrong(!has_user && !is_host_and_port(&bare(endpoint)), key, &what, "such as `10.0.0.1:6379`");
            // Nobody should believe that the password is sent encrypted if it is not.
            let is_plain = endpoint.starts_with(WITH_TLS) && !self.tls.enabled;
            wrong(!has_user && is_plain, key, &format!("{verb} `{endpoint}`, but TLS is off"), "set `tls.enabled`");
        }
        Invalid::all(all)
    }
}

/// The prefix of an address with TLS.
const WITH_TLS: &str = "rediss://";

fn or_default(time: Time, default: Time) -> Time {
    if time.is_zero() { default } else { time }
}

fn bare(endpoint: &str) -> Arc<str> {
    let bare = endpoint.strip_prefix("redis://").or_else(|| endpoint.strip_prefix(WITH_TLS)).unwrap_or(endpoint);
    bare.trim_end_matches('/').into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RedisStore;

    #[test]
    fn the_keys_say_what_kind_it_is() {
        assert_eq!(RedisConfig::at("redis://a:1/").kind(), Kind::Single("a:1".into()));
        let sentinel = RedisConfig::sentinels("m", ["a:1", "b:2"]);
        let sentinels = vec!["a:1".into(), "b:2".into()];
        assert_eq!(sentinel.kind(), Kind::Sentinel { master: "m".into(), sentinels: sentinels.clone() });
        assert_eq!(RedisConfig::cluster(["a:1", "b:2"]).kind(), Kind::Cluster(sentinels));
        assert!(!RedisConfig::default().is_set());
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        let bad = |change: fn(&mut RedisConfig)| {
            let mut config = RedisConfig::at("a:1");
            change(&mut config);
            config.check().is_err()
        };
        assert!(bad(|config| config.read_timeout = Duration(Time::from_nanos(5))));
        assert!(bad(|config| config.tls.cert_file = Some("c.pem".into())));
        assert!(bad(|config| config.endpoint = Some("u:p@b:1".into())));
        assert!(bad(|config| (config.endpoint, config.endpoints) = (None, vec!["b".to_string()])));
        assert!(bad(|config| config.endpoint = Some("b".into())));
        assert!(bad(|config| config.endpoints.push("b:1".into())));
        assert!(bad(|config| config.master_name = Some("m".into())));
        assert!(bad(|config| (config.endpoint, config.endpoints, config.db) = (None, vec!["a:1".to_string()], 1)));
        assert!(bad(|config| config.route_by_latency = true) && bad(|config| config.tls.skip_verify = true));
        assert!(!bad(|config| config.read_timeout = Duration::default()));
    }

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        let told = |endpoint: &str| RedisConfig::at(endpoint).check().err().map(|invalid| invalid.to_string());
        for wrong in [":6379", "a:0", "::1:6379", "a b:1", "http://a:1", "redis://a:1/3"] {
            assert_eq!(told(wrong), Some(format!("key `endpoint` is `{wrong}`, which is not `host:port`")));
        }
        for right in ["a:1", "redis://a.b:6379/", "[::1]:6379"] {
            assert_eq!(told(right), None, "{right}");
        }
    }

    #[test]
    fn tls_that_is_asked_for_and_off_is_refused() {
        for config in [RedisConfig::at("rediss://a:1"), RedisConfig::cluster(["b:1", "rediss://a:1"])] {
            let told = format!("{:#}", config.check().unwrap_err());
            assert!(told.contains("`rediss://a:1`, but TLS is off: set `tls.enabled`"), "{told}");
            let tls = RedisTls { enabled: true, ..RedisTls::default() };
            assert!(RedisConfig { tls, ..config }.check().is_ok());
        }
    }

    #[test]
    fn all_that_can_not_be_meant_is_told_at_once() {
        let config =
            RedisConfig { read_timeout: Duration(Time::from_nanos(5)), route_by_latency: true, ..RedisConfig::at("b") };
        let told = config.check().unwrap_err().to_string();
        assert!(
            ["read-timeout", "route-by-latency", "`b`, which is not `host:port`"]
                .iter()
                .all(|part| told.contains(part)),
            "{told}"
        );
    }

    #[tokio::test]
    async fn a_library_user_is_told_the_mends() {
        let error = RedisStore::open(RedisConfig::at("b")).await.unwrap_err();
        let mend = format!("{:#}", RedisConfig::at("b").check().unwrap_err());
        assert!(mend.contains("which is not `host:port`: ") && format!("{error:#}").contains(&mend), "{error:#}");
    }
}
