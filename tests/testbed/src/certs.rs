//! [`Certs`]: certificates for a server and its clients.

use crate::Folder;
use std::path::PathBuf;

/// Certificates in a temporary folder: of an authority, of a server at 127.0.0.1, ::1 and `localhost`, and of a client.
/// `Certs::new` creates them, with the feature `tls`.
#[derive(Debug)]
pub struct Certs {
    folder: Folder,
}

/// The common name in the client's certificate, which etcd takes as the user name.
pub const CLIENT: &str = "client";

impl Certs {
    /// Creates them, with a new authority.
    ///
    /// # Panics
    /// They cannot be created.
    #[cfg(feature = "tls")]
    #[expect(clippy::new_without_default, reason = "it touches the disk")]
    #[must_use]
    pub fn new() -> Certs {
        let folder = Folder::new();
        if let Err(error) = make(&folder) {
            panic!("certificates: {error}");
        }
        Certs { folder }
    }

    /// The certificate of the authority.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The server's certificate.
    #[must_use]
    pub fn server(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// The server's key.
    #[must_use]
    pub fn server_key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }

    /// The client's certificate, for the name [`CLIENT`].
    #[must_use]
    pub fn client(&self) -> PathBuf {
        self.folder.path().join("client.pem")
    }

    /// The client's key.
    #[must_use]
    pub fn client_key(&self) -> PathBuf {
        self.folder.path().join("client.key")
    }
}

#[cfg(feature = "tls")]
fn make(folder: &Folder) -> Result<(), rcgen::Error> {
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
        KeyUsagePurpose,
    };
    let named = |names: &[&str], name: &str| {
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        params.distinguished_name.push(DnType::CommonName, name);
        Ok::<_, rcgen::Error>(params)
    };
    let mut authority = named(&[], "authority of a test")?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    folder.write("ca.pem", &authority.pem());

    let (serves, asks) = (ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth);
    // etcd's gateway is a client of its own server, and uses the server's certificate.
    let ends = [
        ("server", &["127.0.0.1", "::1", "localhost"][..], "server", vec![serves, asks.clone()]),
        ("client", &[][..], CLIENT, vec![asks]),
    ];
    for (file, names, name, usages) in ends {
        let mut params = named(names, name)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages;
        let key = KeyPair::generate()?;
        folder.write(&format!("{file}.pem"), &params.signed_by(&key, &authority)?.pem());
        folder.write(&format!("{file}.key"), &key.serialize_pem());
    }
    Ok(())
}
