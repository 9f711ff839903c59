//! [`BindError`]: a server cannot listen at its endpoint.

use crate::Endpoint;
use std::{error::Error, fmt, io};

/// A server cannot listen at its endpoint.
#[derive(Debug)]
pub struct BindError {
    endpoint: Endpoint,
    source: io::Error,
}

impl BindError {
    pub(crate) fn new(endpoint: Endpoint, source: io::Error) -> Self {
        BindError { endpoint, source }
    }

    /// The endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = &self.endpoint;
        match self.source.kind() {
            io::ErrorKind::AddrInUse => write!(f, "another process listens on {endpoint}"),
            io::ErrorKind::AddrNotAvailable => {
                write!(f, "this machine has no address `{}` to listen on", endpoint.host())
            }
            io::ErrorKind::PermissionDenied => write!(f, "no permission to listen on {endpoint}"),
            _ => write!(f, "cannot listen on {endpoint}"),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
