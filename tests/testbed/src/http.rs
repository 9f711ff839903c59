//! A plain HTTP/1 client: one request for each connection.

use crate::DEADLINE;
use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

/// What a server answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header lines as they came, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The first header of this name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn parse(text: &str) -> Option<Answer> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_string()));
        Some(Answer { status, headers: lines.map(header).collect::<Option<_>>()?, body: body.to_string() })
    }
}

/// Sends a request without a body: `request(addr, "GET", "/liveness")`.
///
/// # Panics
/// There is no answer.
#[must_use]
pub fn request(addr: SocketAddr, method: &str, path: &str) -> Answer {
    match send(addr, method, path) {
        Ok(answer) => answer,
        Err(error) => panic!("{method} http://{addr}{path}: {error}"),
    }
}

/// As [`request`], where it may fail.
///
/// # Errors
/// There is no connection, or no answer.
pub fn send(addr: SocketAddr, method: &str, path: &str) -> io::Result<Answer> {
    send_body(addr, method, path, "")
}

/// As [`request`], with a body of JSON.
///
/// # Panics
/// There is no answer.
#[must_use]
pub fn request_json(addr: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    match send_body(addr, method, path, body) {
        Ok(answer) => answer,
        Err(error) => panic!("{method} http://{addr}{path}: {error}"),
    }
}

/// As [`request`], with one more header: `"Accept: text/plain"`.
///
/// # Panics
/// There is no answer.
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

/// `headers` are whole lines.
fn send_all(addr: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&addr, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Answer::parse(&text).ok_or_else(|| io::Error::other(format!("no answer of HTTP: {text:?}")))
}
