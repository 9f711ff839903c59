//! A plain HTTP/1 client, with one connection for each request.

use crate::DEADLINE;
use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

/// The response of a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers in their order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, with chunks joined.
    pub body: String,
}

impl Answer {
    /// The first header with this name, which must be in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn parse(answer: &[u8]) -> Option<Answer> {
        let (head, body) = split(answer, b"\r\n\r\n")?;
        let mut lines = str::from_utf8(head).ok()?.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_string()));
        let headers: Vec<_> = lines.map(header).collect::<Option<_>>()?;
        let chunked = ("transfer-encoding".to_string(), "chunked".to_string());
        let body = if headers.contains(&chunked) { unchunked(body)? } else { body.to_vec() };
        Some(Answer { status, headers, body: String::from_utf8(body).ok()? })
    }
}

/// Joins the chunks of a body, as bytes: a character may be split between two of them. `None` if the chunks are
/// incomplete.
fn unchunked(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let (length, rest) = split(chunks, b"\r\n")?;
        let length = usize::from_str_radix(str::from_utf8(length).ok()?, 16).ok()?;
        if length == 0 {
            return rest.ends_with(b"\r\n").then_some(body);
        }
        let (chunk, rest) = rest.split_at_checked(length)?;
        body.extend_from_slice(chunk);
        chunks = rest.strip_prefix(b"\r\n")?;
    }
}

/// The parts before and after the first occurrence of `at`.
fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = bytes.windows(at.len()).position(|window| window == at)?;
    Some((&bytes[..found], &bytes[found + at.len()..]))
}

/// Sends a request without a body: `request(addr, "GET", "/liveness")`.
///
/// # Panics
/// There is no response.
#[must_use]
pub fn request(addr: SocketAddr, method: &str, path: &str) -> Answer {
    match send(addr, method, path) {
        Ok(answer) => answer,
        Err(error) => panic!("{method} http://{addr}{path}: {error}"),
    }
}

/// Like [`request`], but it may fail.
///
/// # Errors
/// There is no connection, or no response.
pub fn send(addr: SocketAddr, method: &str, path: &str) -> io::Result<Answer> {
    send_body(addr, method, path, "")
}

/// Like [`request`], with a JSON body.
///
/// # Panics
/// There is no response.
#[must_use]
pub fn request_json(addr: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    match send_body(addr, method, path, body) {
        Ok(answer) => answer,
        Err(error) => panic!("{method} http://{addr}{path}: {error}"),
    }
}

/// Like [`request`], with one more header: `"Accept: text/plain"`.
///
/// # Panics
/// There is no response.
#[must_use]
pub fn request_with(addr: SocketAddr, method: &str, path: &str, header: &str) -> Answer {
    match send_all(addr, method, path, &format!("{header}\r\n"), "") {
        Ok(answer) => answer,
        Err(error) => panic!("{method} http://{addr}{path}: {error}"),
    }
}

fn send_body(addr: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<Answer> {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    send_all(addr, method, path, kind, body)
}

/// `headers` are complete lines.
fn send_all(addr: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&addr, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Answer::parse(&answer)
        .ok_or_else(|| io::Error::other(format!("no answer of HTTP: {:?}", String::from_utf8_lossy(&answer))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together() {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n".as_bytes();
        // A word is split between two chunks, and so is a character.
        let chunks = b"4\r\ngr\xc3\xbc\r\n1\r\n\xc3\r\nb\r\n\x9fe\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n";
        let parse = |chunks: &[u8]| Answer::parse(&[head, chunks].concat());
        let answer = parse(chunks).unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "gr\u{fc}\u{df}e\r\n\r\n0\r\n\r\n"));
        // An incomplete response is none.
        for end in 0..chunks.len() {
            assert_eq!(parse(&chunks[..end]), None, "{end}");
        }
        let whole = Answer::parse(b"HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\n1\r\n").unwrap();
        assert_eq!((whole.status, whole.body.as_str()), (404, "1\r\n"));
    }
}
