//! The TLS of a connection, of the files of the config.

use crate::{EtcdConfig, wire::misconfigured};
use cninfra::keyval::KvError;
use etcd_client::{Certificate, Identity, TlsOptions};
use std::path::Path;

/// None where TLS is not spoken.
///
/// # Errors
/// A file can not be read.
pub(crate) fn options(config: &EtcdConfig) -> Result<Option<TlsOptions>, KvError> {
    if !config.is_tls() {
        return Ok(None);
    }
    let mut options = match &config.ca_file {
        Some(path) => TlsOptions::new().ca_certificate(Certificate::from_pem(read("ca-file", path)?)),
        None => TlsOptions::new().with_native_roots(),
    };
    if let (Some(cert), Some(key)) = (&config.cert_file, &config.key_file) {
        options = options.identity(Identity::from_pem(read("cert-file", cert)?, read("key-file", key)?));
    }
    if let Some(name) = &config.server_name {
        options = options.domain_name(name);
    }
    Ok(Some(options.timeout(*config.dial_timeout)))
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, KvError> {
    std::fs::read(path).map_err(|error| {
        misconfigured(format!("`{key}` in etcd.conf names {}: look at that file", path.display()), error)
    })
}
