//! [`RedisOptions`]: the options of a Redis server.

use super::Redis;
use crate::Certs;
use std::sync::Arc;

/// The options with which a [`Redis`] is started.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    pub(super) notify: String,
    pub(super) password: Option<String>,
    pub(super) certs: Option<Arc<Certs>>,
    pub(super) mutual: bool,
    pub(super) lines: Vec<String>,
}

impl Default for RedisOptions {
    /// Acknowledged writes are on disk, and all changes are published (`notify-keyspace-events KEA`). No TLS, no
    /// password.
    fn default() -> Self {
        RedisOptions { notify: "KEA".to_string(), password: None, certs: None, mutual: false, lines: Vec::new() }
    }
}

impl RedisOptions {
    /// The value of `notify-keyspace-events`. An empty text switches the events off, which is Redis's default.
    #[must_use]
    pub fn notify(self, events: &str) -> Self {
        RedisOptions { notify: events.to_string(), ..self }
    }

    /// The password of the user `default`, which clients without a user name are.
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        RedisOptions { password: Some(password.to_string()), ..self }
    }

    /// Adds a user with rules of Redis's ACL: `user("reader", "on >secret ~* &* +@read")`.
    #[must_use]
    pub fn user(self, name: &str, rules: &str) -> Self {
        self.line(&format!("user {name} {rules}"))
    }

    /// The maximum memory for data. Writes beyond it are refused.
    #[must_use]
    pub fn max_memory(self, bytes: u64) -> Self {
        self.line(&format!("maxmemory {bytes}")).line("maxmemory-policy noeviction")
    }

    /// Clients must use TLS, and trust the authority of these certificates.
    #[must_use]
    pub fn tls(self, certs: &Arc<Certs>) -> Self {
        RedisOptions { certs: Some(certs.clone()), mutual: false, ..self }
    }

    /// The same, and clients must present a certificate of that authority.
    #[must_use]
    pub fn mutual_tls(self, certs: &Arc<Certs>) -> Self {
        RedisOptions { mutual: true, ..self.tls(certs) }
    }

    /// Adds a line to its config file.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_string());
        self
    }

    /// It also accepts TLS, on another port.
    pub(super) fn tls_too(self, port: u16, certs: &Certs) -> Self {
        self.line(tls(port, certs, false).trim_end())
    }

    /// Starts a server.
    ///
    /// # Panics
    /// It is not installed, or does not serve in time.
    #[must_use]
    pub fn start(self) -> Redis {
        Redis::single(&self)
    }

    /// The config file of a server that listens on this port, with its data in this folder.
    pub(super) fn file(&self, port: u16, folder: &str) -> String {
        let mut file = format!("bind 127.0.0.1\ndir {folder}\nappendonly yes\nappendfsync always\nsave \"\"\n");
        file += &format!("notify-keyspace-events \"{}\"\n", self.notify);
        if let Some(password) = &self.password {
            file += &format!("requirepass {password}\nmasterauth {password}\n");
        }
        match &self.certs {
            None => file += &format!("port {port}\n"),
            Some(certs) => {
                file += "port 0\n";
                file += &tls(port, certs, self.mutual);
            }
        }
        self.lines.iter().for_each(|line| file += &format!("{line}\n"));
        file
    }
}

/// The config lines with which Redis and sentinels use TLS.
pub(super) fn tls(port: u16, certs: &Certs, mutual: bool) -> String {
    let (cert, key, ca) = (certs.server(), certs.server_key(), certs.ca());
    let (cert, key, ca) = (cert.display(), key.display(), ca.display());
    let ask = if mutual { "yes" } else { "no" };
    format!(
        "tls-port {port}\ntls-cert-file {cert}\ntls-key-file {key}\ntls-ca-cert-file {ca}\ntls-auth-clients {ask}\n"
    )
}
