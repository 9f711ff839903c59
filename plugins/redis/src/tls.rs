//! The TLS config of connections, from the files named in the config.

use crate::RedisTls;
use cninfra::keyval::{KvError, Reason};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use std::{error::Error as StdError, path::Path, sync::Arc, time::Duration};
use tokio::{task::spawn_blocking, time::timeout};

/// Returns `None` if TLS is off. The files are read on a separate thread.
///
/// # Errors
/// A file cannot be read in time, or does not contain what it should.
pub(crate) async fn read(tls: &RedisTls, within: Duration) -> Result<Option<Arc<ClientConfig>>, KvError> {
    if !tls.enabled {
        return Ok(None);
    }
    let files = tls.clone();
    match timeout(within, spawn_blocking(move || config(&files))).await {
        Ok(Ok(config)) => config.map(Some),
        Ok(Err(gone)) => Err(KvError::new("connect", Reason::Closed).not_applied().because(gone)),
        Err(late) => {
            let paths = [&tls.ca_file, &tls.cert_file, &tls.key_file].map(|path| path.as_ref());
            let paths: Vec<String> = paths.into_iter().flatten().map(|path| path.display().to_string()).collect();
            let paths = paths.join(", ");
            let help =
                format!("`tls` in redis.conf names files that cannot be read within {within:?}: look at {paths}");
            Err(misconfigured(help, late))
        }
    }
}

fn config(tls: &RedisTls) -> Result<Arc<ClientConfig>, KvError> {
    let mut roots = RootCertStore::empty();
    match &tls.ca_file {
        Some(path) => {
            for certificate in certificates("ca-file", path)? {
                roots.add(certificate).map_err(|error| wrong("ca-file", path, error))?;
            }
        }
        None => {
            // Certificates that cannot be read are not trusted.
            for certificate in rustls_native_certs::load_native_certs().certs {
                let _ = roots.add(certificate);
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| misconfigured("look at `tls` in redis.conf".to_string(), error))?;
    let builder = builder.with_root_certificates(roots);
    let config = match (&tls.cert_file, &tls.key_file) {
        (Some(cert), Some(key)) => {
            let chain = certificates("cert-file", cert)?;
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong("key-file", key, error))?;
            builder.with_client_auth_cert(chain, secret).map_err(|error| wrong("cert-file", cert, error))?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn certificates(key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, KvError> {
    let read = CertificateDer::pem_file_iter(path).and_then(|all| all.collect::<Result<Vec<_>, _>>());
    let read = read.map_err(|error| wrong(key, path, error))?;
    if read.is_empty() {
        return Err(wrong(key, path, "it has no certificate"));
    }
    Ok(read)
}

fn wrong(key: &str, path: &Path, error: impl Into<Box<dyn StdError + Send + Sync>>) -> KvError {
    misconfigured(format!("`tls.{key}` in redis.conf names {}: look at that file", path.display()), error)
}

/// The error for an invalid config.
pub(crate) fn misconfigured(help: String, error: impl Into<Box<dyn StdError + Send + Sync>>) -> KvError {
    KvError::new("connect", Reason::Invalid).not_applied().because(error).with_help(help)
}
