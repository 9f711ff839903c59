//! What the server answers to what is no request. hyper answers that by itself, with a head alone, and tells nobody: so its answer is known by what it writes
//! when no other answer is due, and gets a body.

use axum::http::StatusCode;

/// What hyper answers by itself.
const STATUSES: [StatusCode; 3] =
    [StatusCode::BAD_REQUEST, StatusCode::URI_TOO_LONG, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE];
const START: usize = "HTTP/1.1 ".len();
const EMPTY: &str = "content-length: 0\r\n";

/// An answer to what is no request.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) status: StatusCode,
    bytes: Vec<u8>,
    sent: usize,
}

impl Malformed {
    /// If these bytes, which are written when no answer is due, are such an answer without a body.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let head = str::from_utf8(bytes).ok()?;
        let status = StatusCode::from_bytes(head.as_bytes().get(START..START + 3)?).ok()?;
        let (before, after) = head.split_once(EMPTY)?;
        if !STATUSES.contains(&status) || !head.starts_with("HTTP/1.") || !head.ends_with("\r\n\r\n") {
            return None;
        }
        let body = format!("{{\"error\":\"{}\"}}", text(status));
        let length = body.len();
        let head = format!("{before}content-type: application/json\r\ncontent-length: {length}\r\n{after}");
        Some(Malformed { status, bytes: (head + &body).into_bytes(), sent: 0 })
    }

    /// What is still to be sent.
    pub(crate) fn left(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// So much of it is sent. Is that all?
    pub(crate) fn has_sent(&mut self, bytes: usize) -> bool {
        self.sent += bytes;
        self.left().is_empty()
    }
}

fn text(status: StatusCode) -> &'static str {
    match status {
        StatusCode::URI_TOO_LONG => "the target of the request is longer than the server takes",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "the headers are larger or more than the server takes",
        _ => "this is no valid request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_body_gets_one() {
        let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        let mut answer = Malformed::of(head.as_bytes()).unwrap();
        let text = String::from_utf8(answer.left().to_vec()).unwrap();
        let expected = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 36\r\ndate: now\r\n\r\n\
                        {\"error\":\"this is no valid request\"}";
        assert_eq!((answer.status, &*text), (StatusCode::BAD_REQUEST, expected));
        assert!(!answer.has_sent(1) && answer.left().starts_with(b"TTP/1.1") && answer.has_sent(expected.len() - 1));
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
            assert!(Malformed::of(other.as_bytes()).is_none(), "{other}");
        }
    }
}
