//! Which host a request means: RFC 9112, section 3.2. A proxy before the server may have understood another one, where that is not plain.

use crate::refusal::Refusal;
use axum::http::{HeaderMap, Version, header::HOST};
use std::net::Ipv6Addr;

/// Why the server does not answer a request with these headers.
pub(crate) fn refused(version: Version, headers: &HeaderMap) -> Option<Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => (version >= Version::HTTP_11).then_some(Refusal::NoHost),
        (Some(_), Some(_)) => Some(Refusal::Hosts),
        (Some(host), None) => (!is_valid(host.as_bytes())).then_some(Refusal::BadHost),
    }
}

/// `host [":" port]`. It is empty where the target has no host.
fn is_valid(host: &[u8]) -> bool {
    let (name, port) = match host.strip_prefix(b"[") {
        Some(address) => {
            let Some(end) = address.iter().position(|byte| *byte == b']') else { return false };
            let (address, port) = address.split_at(end);
            let is_address = str::from_utf8(address).is_ok_and(|address| address.parse::<Ipv6Addr>().is_ok());
            if !is_address {
                return false;
            }
            (&b""[..], &port[1..])
        }
        None => host.split_at(host.iter().position(|byte| *byte == b':').unwrap_or(host.len())),
    };
    name.iter().all(|byte| OF_NAME[usize::from(*byte)]) && is_port(port)
}

/// The bytes of a name, by their values: each request has some. A `%` is one of an escape, which nobody reads here.
const OF_NAME: [bool; 256] = {
    let (mut of_name, others) = ([false; 256], b"-._~%!$&'()*+,;=");
    let mut byte = 0;
    while byte < of_name.len() {
        of_name[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        of_name[others[at] as usize] = true;
        at += 1;
    }
    of_name
};

/// None, or a colon with a number that may be missing.
fn is_port(port: &[u8]) -> bool {
    match port.split_first() {
        None => true,
        Some((b':', digits)) => {
            digits.is_empty() || str::from_utf8(digits).is_ok_and(|d| !d.starts_with('+') && d.parse::<u16>().is_ok())
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_addresses_with_or_without_a_port() {
        for host in ["", "x", "example.org", "example.org:80", "a_b:", "127.0.0.1:9191", "[::1]", "[::1]:9191", "%41"] {
            assert!(is_valid(host.as_bytes()), "{host}");
        }
        for host in [
            "a b", "a/b", "a@b", "a:b", "a:80:80", "a:65536", "a:+1", "[::1", "::1", "[x]", "[::1]x", "a?b", "a#b",
            "a\\b", "é", "a,b c", "http://a", "\u{1}",
        ] {
            assert!(!is_valid(host.as_bytes()), "{host}");
        }
    }
}
