//! [`endpoint`]: how a server is named, whoever names it.

use std::{fmt::Display, sync::Arc};

/// `host:port`. An IPv6 address has brackets, so that the same server has the same name in an answer with slots, in a
/// redirection and in the config.
pub(crate) fn endpoint(host: &str, port: impl Display) -> Arc<str> {
    match host.contains(':') && !host.starts_with('[') {
        true => Arc::from(format!("[{host}]:{port}")),
        false => Arc::from(format!("{host}:{port}")),
    }
}
