//! [`EtcdOptions`]: the options of an etcd server.

use super::{Etcd, EtcdCluster};
use crate::{Certs, Port};
use std::{path::PathBuf, sync::Arc};

/// The options with which an [`Etcd`] or an [`EtcdCluster`] is started.
#[derive(Clone, Debug)]
pub struct EtcdOptions {
    pub(super) certs: Option<Arc<Certs>>,
    pub(super) mutual: bool,
    pub(super) token: String,
    pub(super) args: Vec<String>,
    /// The program, if it is not the usual one.
    pub(super) program: Option<PathBuf>,
}

impl Default for EtcdOptions {
    /// The usual program, without TLS.
    fn default() -> Self {
        EtcdOptions { certs: None, mutual: false, token: "testbed".to_string(), args: Vec::new(), program: None }
    }
}

impl EtcdOptions {
    /// Clients must use TLS, and trust the authority of these certificates.
    #[must_use]
    pub fn tls(self, certs: &Arc<Certs>) -> Self {
        EtcdOptions { certs: Some(certs.clone()), mutual: false, ..self }
    }

    /// The same, and clients must present a certificate of that authority.
    #[must_use]
    pub fn mutual_tls(self, certs: &Arc<Certs>) -> Self {
        EtcdOptions { mutual: true, ..self.tls(certs) }
    }

    /// The cluster token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        EtcdOptions { token: token.to_string(), ..self }
    }

    /// Adds an argument of the program: `--quota-backend-bytes=16777216`.
    #[must_use]
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_string());
        self
    }

    /// Starts a single server.
    ///
    /// # Panics
    /// It is not installed, or does not serve in time.
    #[must_use]
    pub fn start(self) -> Etcd {
        Etcd::single(&self)
    }

    /// Starts a cluster of three members. They do not use TLS among themselves.
    ///
    /// # Panics
    /// See [`start`](EtcdOptions::start).
    #[must_use]
    pub fn start_cluster(self) -> EtcdCluster {
        EtcdCluster::of(&self)
    }

    pub(super) fn url(&self, port: &Port) -> String {
        format!("{}://{}", if self.certs.is_some() { "https" } else { "http" }, port.addr())
    }

    pub(super) fn peer_url(&self, port: &Port) -> String {
        format!("http://{}", port.addr())
    }
}
