//! [`Reply`]: Redis's protocol (RESP), as far as tests need it.

use std::{
    io::{self, BufRead, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// A response of Redis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// A status: `OK`.
    Status(String),
    /// An error: `NOAUTH Authentication required.`
    Error(String),
    /// A number.
    Number(i64),
    /// A value; `None` for nil. Invalid UTF-8 is replaced.
    Value(Option<String>),
    /// A list; `None` for nil.
    List(Option<Vec<Reply>>),
}

impl Reply {
    /// The text of a status, an error or a value.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Reply::Status(text) | Reply::Error(text) => Some(text),
            Reply::Value(text) => text.as_deref(),
            Reply::Number(_) | Reply::List(_) => None,
        }
    }

    /// The number.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        if let Reply::Number(number) = self { Some(*number) } else { None }
    }

    /// The items of a list; empty if it is not a list.
    #[must_use]
    pub fn list(&self) -> &[Reply] {
        if let Reply::List(Some(list)) = self { list } else { &[] }
    }

    /// Whether it is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Reply::Error(_))
    }
}

/// Runs the commands one after the other on a new connection, and returns the response to the last one. Each wait ends
/// after `limit`.
pub(super) fn call(addr: SocketAddr, commands: &[Vec<&str>], limit: Duration) -> io::Result<Reply> {
    let mut stream = TcpStream::connect_timeout(&addr, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut last = Err(io::Error::other("no command"));
    for command in commands {
        let mut request = format!("*{}\r\n", command.len());
        command.iter().for_each(|part| request.push_str(&format!("${}\r\n{part}\r\n", part.len())));
        stream.write_all(request.as_bytes())?;
        last = Ok(read(&mut answers)?);
    }
    last
}

fn read(from: &mut BufReader<TcpStream>) -> io::Result<Reply> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let wrong = || io::Error::other(format!("no answer of Redis: {line:?}"));
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or_else(wrong)?;
    let number = || rest.parse::<i64>().map_err(|_| wrong());
    Ok(match kind {
        "+" => Reply::Status(rest.to_string()),
        "-" => Reply::Error(rest.to_string()),
        ":" => Reply::Number(number()?),
        "$" => Reply::Value(match usize::try_from(number()?) {
            Err(_) => None,
            Ok(len) => {
                let mut value = vec![0; len + 2];
                from.read_exact(&mut value)?;
                Some(String::from_utf8_lossy(&value[..len]).into_owned())
            }
        }),
        "*" => Reply::List(match usize::try_from(number()?) {
            Err(_) => None,
            Ok(len) => Some((0..len).map(|_| read(from)).collect::<io::Result<_>>()?),
        }),
        _ => return Err(wrong()),
    })
}
