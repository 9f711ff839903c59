//! The TLS options of a connection, from the files named in the config.

use crate::{EtcdConfig, wire::misconfigured};
use cninfra::keyval::KvError;
use etcd_client::{Certificate, Identity, TlsOptions};
use rustls::{
    RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    sign::CertifiedKey,
};
use std::{error::Error as StdError, path::Path};

/// Returns `None` if TLS is off. The client would parse the files when it connects, and report only that connecting
/// failed. So they are checked here, where errors can name the file.
///
/// # Errors
/// A file cannot be read, or does not contain what it should.
pub(crate) fn options(config: &EtcdConfig) -> Result<Option<TlsOptions>, KvError> {
    if !config.is_tls() {
        return Ok(None);
    }
    let mut options = match &config.ca_file {
        Some(path) => TlsOptions::new().ca_certificate(Certificate::from_pem(authorities(path)?)),
        None => TlsOptions::new().with_native_roots(),
    };
    if let (Some(cert), Some(key)) = (&config.cert_file, &config.key_file) {
        options = options.identity(identity(cert, key)?);
    }
    if let Some(name) = &config.server_name {
        ServerName::try_from(name.as_str()).map_err(|error| {
            let help = format!("`server-name` in etcd.conf is `{name}`: such as `etcd.example.com`, or an address");
            misconfigured(help, error)
        })?;
        options = options.domain_name(name);
    }
    Ok(Some(options.timeout(*config.dial_timeout)))
}

/// The files that are read, for messages.
pub(crate) fn files(config: &EtcdConfig) -> String {
    let paths = [&config.ca_file, &config.cert_file, &config.key_file].into_iter().flatten();
    paths.map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn authorities(path: &Path) -> Result<Vec<u8>, KvError> {
    let pem = read("ca-file", path)?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca-file", path, &pem)? {
        roots.add(certificate).map_err(|error| wrong("ca-file", path, error))?;
    }
    Ok(pem)
}

fn identity(cert: &Path, key: &Path) -> Result<Identity, KvError> {
    let (chain, secret) = (read("cert-file", cert)?, read("key-file", key)?);
    let certificates = certificates("cert-file", cert, &chain)?;
    let parsed = PrivateKeyDer::from_pem_slice(&secret).map_err(|error| {
        let is_locked = secret.windows(9).any(|word| word == b"ENCRYPTED");
        match is_locked {
            true => wrong("key-file", key, "the key has a password, and there is nobody to be asked for it"),
            false => wrong("key-file", key, error),
        }
    })?;
    match CertifiedKey::from_der(certificates, parsed, &ring::default_provider()) {
        Ok(_) => Ok(Identity::from_pem(chain, secret)),
        Err(error @ rustls::Error::InconsistentKeys(_)) => {
            let help = format!(
                "`cert-file` in etcd.conf names {}, which is not of the key in `key-file`, {}: look at both",
                cert.display(),
                key.display()
            );
            Err(misconfigured(help, error))
        }
        Err(error @ rustls::Error::InvalidCertificate(_)) => Err(wrong("cert-file", cert, error)),
        Err(error) => Err(wrong("key-file", key, error)),
    }
}

/// All certificates of a file, at least one.
fn certificates(key: &str, path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, KvError> {
    let all = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let all = all.map_err(|error| wrong(key, path, error))?;
    if all.is_empty() {
        return Err(wrong(key, path, "it has no certificate"));
    }
    Ok(all)
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, KvError> {
    std::fs::read(path).map_err(|error| wrong(key, path, error))
}

fn wrong(key: &str, path: &Path, error: impl Into<Box<dyn StdError + Send + Sync>>) -> KvError {
    misconfigured(format!("`{key}` in etcd.conf names {}: look at that file", path.display()), error)
}
