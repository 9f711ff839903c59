//! Which host a request means (RFC 9112, section 3.2). If that is ambiguous, a proxy in front of the server may have
//! understood another host.

use crate::refusal::Refusal;
use axum::http::{HeaderName, HeaderValue, Version, header::HOST};
use std::{cell::RefCell, net::Ipv6Addr};

/// What the headers of a request say about its host.
#[derive(Default)]
pub(crate) struct Host<'a> {
    value: Option<&'a HeaderValue>,
    /// There is more than one `Host` header.
    is_repeated: bool,
}

impl<'a> Host<'a> {
    /// Takes in one of the headers.
    pub(crate) fn see(&mut self, name: &HeaderName, value: &'a HeaderValue) {
        if *name == HOST {
            self.is_repeated |= self.value.replace(value).is_some();
        }
    }

    /// Why the server refuses the request. Called when all headers were seen.
    pub(crate) fn refused(self, version: Version, known: &KnownHost) -> Option<Refusal> {
        match self.value {
            None => (version >= Version::HTTP_11).then_some(Refusal::NoHost),
            Some(_) if self.is_repeated => Some(Refusal::SeveralHosts),
            Some(host) => (!known.is_valid(host.as_bytes())).then_some(Refusal::BadHost),
        }
    }
}

/// The last valid host of a connection: nearly all requests of a connection name the same one.
#[derive(Default)]
pub(crate) struct KnownHost(RefCell<Vec<u8>>);

impl KnownHost {
    fn is_valid(&self, host: &[u8]) -> bool {
        if *self.0.borrow() == host {
            return true;
        }
        let is_valid = is_valid(host);
        if is_valid {
            let mut known = self.0.borrow_mut();
            known.clear();
            known.extend_from_slice(host);
        }
        is_valid
    }
}

/// Whether it is `host [":" port]`, or empty, if the target has no host.
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

/// For each byte value, whether it may occur in a name: a table, since it is needed for each request. A `%` begins an
/// escape, which is not decoded here.
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

/// Whether it is empty, or a colon with an optional number.
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

    #[test]
    fn what_is_known_of_one_host_is_not_said_of_another() {
        let known = KnownHost::default();
        for (host, is_valid) in [("", true), ("a b", false), ("a", true), ("a", true), ("a b", false), ("b", true)] {
            assert_eq!(known.is_valid(host.as_bytes()), is_valid, "{host}");
        }
    }
}
