//! [`is_host_and_port`]: a check of the endpoints in a config.

use std::net::Ipv6Addr;

/// Whether the text is `host:port`, as clients need it. The host is a name, an IPv4 address, or an IPv6 address in
/// brackets. Port 0 is not valid. It does not check whether the host exists.
///
/// ```
/// use cninfra::client::is_host_and_port;
///
/// assert!(is_host_and_port("10.0.0.1:6379") && is_host_and_port("[::1]:6379"));
/// assert!(!is_host_and_port("10.0.0.1") && !is_host_and_port("::1:6379"));
/// ```
#[must_use]
pub fn is_host_and_port(endpoint: &str) -> bool {
    let Some((host, port)) = endpoint.rsplit_once(':') else { return false };
    let is_host = match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']').is_some_and(|host| host.parse::<Ipv6Addr>().is_ok()),
        None => !host.is_empty() && !host.contains([':', '/', '?', '#', ' ', ']']),
    };
    is_host && port.parse::<u16>().is_ok_and(|port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_host_and_a_port() {
        for wrong in ["", ":1", "a", "a:", "a:0", "a:x", "a:65536", "::1:2379", "[::1]", "[a]:1", "a b:1", "a/b:1"] {
            assert!(!is_host_and_port(wrong), "{wrong}");
        }
        for right in ["a:1", "a.b:65535", "127.0.0.1:1", "[::1]:2379"] {
            assert!(is_host_and_port(right), "{right}");
        }
    }
}
