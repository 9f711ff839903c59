//! The TLS of connections, of the files of the config.

use crate::RedisTls;
use cninfra::keyval::{KvError, Reason};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use std::{error::Error as StdError, path::Path, sync::Arc};

/// None where TLS is not spoken.
///
/// # Errors
/// A file can not be read, or has not what it should have.
pub(crate) fn config(tls: &RedisTls) -> Result<Option<Arc<ClientConfig>>, KvError> {
    if !tls.enabled {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    match &tls.ca_file {
        Some(path) => {
            for certificate in certificates("ca-file", path)? {
                roots.add(certificate).map_err(|error| wrong("ca-file", path, error))?;
            }
        }
        None => {
            // those that can not be read are not trusted
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
    Ok(Some(Arc::new(config)))
}

fn certificates(key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, KvError> {
    let read = CertificateDer::pem_file_iter(path).and_then(|all| all.collect::<Result<Vec<_>, _>>());
    read.map_err(|error| wrong(key, path, error))
}

fn wrong(key: &str, path: &Path, error: impl StdError + Send + Sync + 'static) -> KvError {
    misconfigured(format!("`tls.{key}` in redis.conf names {}: look at that file", path.display()), error)
}

/// The config can not be used.
pub(crate) fn misconfigured(help: String, error: impl StdError + Send + Sync + 'static) -> KvError {
    KvError::new("connect", Reason::Invalid).not_applied().because(error).with_help(help)
}
