//! The responses to invalid requests. hyper sends those itself, without a body, and reports them to nobody. So such a
//! response is recognised by the bytes that hyper writes while no other response is due, and gets a body.

use crate::{connection::LEAST_BUFFER, refusal::Refusal};
use axum::http::StatusCode;
use memchr::memchr_iter;

/// The statuses with which hyper answers by itself.
const STATUSES: [StatusCode; 3] =
    [StatusCode::BAD_REQUEST, StatusCode::URI_TOO_LONG, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE];
const START: usize = "HTTP/1.1 ".len();
const EMPTY: &str = "content-length: 0\r\n";

/// The largest number of headers that hyper accepts; a head has two further lines.
const HEADERS: usize = 100;
/// hyper also refuses a header whose name is as long as this, whatever the size limit of a head.
const NAME: usize = 1 << 16;

/// What has arrived of a request while at most its head was read, and what has arrived together with that.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Seen {
    bytes: usize,
    lines: usize,
    /// It is a `HEAD` request, so the response must have no body.
    of_head: bool,
}

impl Seen {
    /// Adds bytes that have arrived.
    pub(crate) fn and(self, bytes: &[u8]) -> Self {
        let of_head = self.of_head || self.bytes == 0 && bytes.starts_with(b"HEAD ");
        let lines = memchr_iter(b'\n', bytes).count();
        Seen { bytes: self.bytes + bytes.len(), lines: self.lines + lines, of_head }
    }

    /// Whether a head in it cannot be too large, nor have too many headers, if a head may have this many bytes.
    pub(crate) fn is_small(self, head_bytes: usize) -> bool {
        self.bytes < head_bytes.clamp(LEAST_BUFFER, NAME) && self.lines <= HEADERS + 2
    }
}

/// A response to an invalid request.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) status: StatusCode,
    bytes: Vec<u8>,
    sent: usize,
}

impl Malformed {
    /// `Some` if these bytes, which hyper writes while no response is due, are such a response without a body. If the
    /// head is known to be small, "too large" is about the announced length of the body: it is one of the two largest
    /// numbers, which hyper reserves for itself.
    pub(crate) fn of(bytes: &[u8], seen: Option<Seen>, head_bytes: usize) -> Option<Self> {
        let head = str::from_utf8(bytes).ok()?;
        let mut status = StatusCode::from_bytes(head.as_bytes().get(START..START + 3)?).ok()?;
        let (before, after) = head.split_once(EMPTY)?;
        let (_, before) = before.split_once("\r\n")?;
        if !STATUSES.contains(&status) || !head.starts_with("HTTP/1.") || !head.ends_with("\r\n\r\n") {
            return None;
        }
        let is_small = seen.is_some_and(|seen| seen.is_small(head_bytes));
        if is_small && status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
            status = StatusCode::PAYLOAD_TOO_LARGE;
        }
        let body = format!("{{\"error\":\"{}\"}}", text(status));
        let (version, length) = (&head[..START], body.len());
        let mut answer = format!(
            "{version}{status}\r\n{before}content-type: application/json\r\ncontent-length: {length}\r\n{after}"
        );
        if !seen.is_some_and(|seen| seen.of_head) {
            answer.push_str(&body);
        }
        Some(Malformed { status, bytes: answer.into_bytes(), sent: 0 })
    }

    /// The bytes that are still to be sent.
    pub(crate) fn left(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Notes that this many bytes were sent. Returns whether that was all.
    pub(crate) fn advance(&mut self, bytes: usize) -> bool {
        self.sent += bytes;
        self.left().is_empty()
    }
}

fn text(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge.text(),
        StatusCode::URI_TOO_LONG => "the target of the request is longer than the server takes",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "the headers are larger or more than the server takes",
        _ => "this is not a valid request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_body_gets_one() {
        let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        let mut answer = Malformed::of(head.as_bytes(), None, LEAST_BUFFER).unwrap();
        let text = String::from_utf8(answer.left().to_vec()).unwrap();
        let expected = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 39\r\ndate: now\r\n\r\n\
                        {\"error\":\"this is not a valid request\"}";
        assert_eq!((answer.status, &*text), (StatusCode::BAD_REQUEST, expected));
        assert!(!answer.advance(1) && answer.left().starts_with(b"TTP/1.1") && answer.advance(expected.len() - 1));
    }

    #[test]
    fn of_a_small_head_the_body_is_too_large() {
        let head = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        for (seen, status) in [
            (Some(Seen::default()), StatusCode::PAYLOAD_TOO_LARGE),
            (None, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        ] {
            let answer = Malformed::of(head.as_bytes(), seen, LEAST_BUFFER).unwrap();
            let begin = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\n");
            assert!(answer.status == status && answer.left().starts_with(begin.as_bytes()), "{status}: {answer:?}");
        }
        let seen = |headers: usize, bytes: usize| {
            let head = format!("GET / HTTP/1.1\r\n{}A:{}\r\n\r\n", "A:\r\n".repeat(headers - 1), "x".repeat(bytes));
            Seen::default().and(&head.as_bytes()[..20]).and(&head.as_bytes()[20..])
        };
        assert!(seen(HEADERS, 7000).is_small(1 << 20) && !seen(HEADERS + 1, 0).is_small(1 << 20));
        assert!(seen(1, 8000).is_small(100) && !seen(1, 8192).is_small(100));
        assert!(seen(1, 60_000).is_small(1 << 20) && !seen(1, NAME).is_small(1 << 20));
    }

    #[test]
    fn nothing_else_is_one() {
        for other in [
            "",
            "HTTP/1.1 ",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\nHTTP",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 1\r\n\r\n",
        ] {
            assert!(Malformed::of(other.as_bytes(), None, LEAST_BUFFER).is_none(), "{other}");
        }
    }
}
