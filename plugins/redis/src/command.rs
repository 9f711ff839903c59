//! [`Command`] and [`Reply`]: requests to the server and its answers.

use bytes::Bytes;

/// A request to the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Command<'c> {
    /// Reads a key.
    Get(&'c Bytes),
    /// Writes a value at a key.
    Set(&'c Bytes, &'c Bytes),
    /// The name of the command, and its arguments.
    Other(&'static str, Vec<Bytes>),
}

impl Command<'_> {
    pub(crate) fn new<A: Into<Bytes>>(name: &'static str, args: impl IntoIterator<Item = A>) -> Self {
        Command::Other(name, args.into_iter().map(Into::into).collect())
    }

    pub(crate) fn bare(name: &'static str) -> Self {
        Command::Other(name, Vec::new())
    }

    pub(crate) fn arg(self, arg: impl Into<Bytes>) -> Self {
        let (name, mut args) = self.words();
        args.push(arg.into());
        Command::Other(name, args)
    }

    pub(crate) fn number(self, number: impl ToString) -> Self {
        self.arg(number.to_string())
    }

    /// The name and all arguments.
    pub(crate) fn words(self) -> (&'static str, Vec<Bytes>) {
        match self {
            Command::Get(key) => ("GET", vec![key.clone()]),
            Command::Set(key, value) => ("SET", vec![key.clone(), value.clone()]),
            Command::Other(name, args) => (name, args),
        }
    }
}

/// An answer of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    Nil,
    Number(i64),
    Bytes(Bytes),
    List(Vec<Reply>),
}

impl Reply {
    #[inline(always)]
    pub(crate) fn bytes(self) -> Option<Bytes> {
        match self {
            Reply::Bytes(bytes) => Some(bytes),
            Reply::Number(number) => Some(number.to_string().into()),
            Reply::Nil | Reply::List(_) => None,
        }
    }

    pub(crate) fn text(self) -> Option<String> {
        String::from_utf8(self.bytes()?.into()).ok()
    }

    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Reply::Number(number) => Some(*number),
            Reply::Bytes(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
            Reply::Nil | Reply::List(_) => None,
        }
    }

    pub(crate) fn list(self) -> Vec<Reply> {
        match self {
            Reply::List(list) => list,
            _ => Vec::new(),
        }
    }
}
