//! [`Error`]: the error that a plugin's lifecycle methods return.

use crate::foreign;
use std::{error::Error as StdError, fmt};

/// The result of a plugin's lifecycle methods.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a plugin: its cause, what was being done, and what can be done about it.
///
/// `?` converts any [`std::error::Error`] into it. A client library should return an enum of its own. This type is for
/// the lifecycle, where no code matches on the error, but a person reads it.
///
/// ```
/// use cninfra::{Error, ErrorContext, Result};
///
/// fn port(text: &str) -> Result<u16> {
///     text.parse().context(format_args!("http.port `{text}`")).help("write a number from 0 to 65535")
/// }
///
/// let error = port("eighty").unwrap_err();
/// assert_eq!(error.to_string(), "http.port `eighty`: invalid digit found in string");
/// assert_eq!(error.help(), Some("write a number from 0 to 65535"));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    cause: Foreign,
    /// The innermost context first.
    context: Vec<String>,
    help: Option<String>,
}

impl Error {
    /// An error that is only a message. By convention the message starts in lower case and has no full stop at the end.
    pub fn msg(message: impl fmt::Display) -> Self {
        Self::boxed(Box::new(Message(message.to_string())))
    }

    fn boxed(cause: Box<dyn StdError + Send + Sync>) -> Self {
        Error(Box::new(Inner { cause: Foreign(Some(cause)), context: Vec::new(), help: None }))
    }

    /// Adds what was being done. It is printed before the cause.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.0.context.push(doing.to_string());
        self
    }

    /// Adds what can be done about it. It is printed on a line of its own.
    #[must_use]
    pub fn with_help(mut self, help: impl fmt::Display) -> Self {
        self.0.help = Some(help.to_string());
        self
    }

    /// What can be done about it, if that was given.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref().or_else(|| help_of(self.cause()))
    }

    /// The error below the context. Its own `source` chain continues from there.
    pub fn cause(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.0.cause.get()
    }
}

impl Error {
    /// Whether it comes from a store that cannot be reached or does not answer in time, so that a retry may succeed.
    #[cfg(feature = "http")]
    pub(crate) fn may_pass(&self) -> bool {
        #[cfg(feature = "keyval")]
        let may_pass = |error: &(dyn StdError + 'static)| {
            error.downcast_ref::<crate::keyval::KvError>().map(|error| error.reason().may_pass())
        };
        #[cfg(not(feature = "keyval"))]
        let may_pass = |_: &(dyn StdError + 'static)| None;
        // The outermost error knows best what the errors below it mean.
        foreign::causes(self.cause()).find_map(may_pass).unwrap_or(false)
    }

    /// The parts that are printed: the context, outermost first, then the cause and its sources.
    ///
    /// A source is left out if the text of the error that it caused already contains it, as many libraries do. If a
    /// text cannot be written because its `Display` fails or panics, the entry says so.
    #[must_use]
    pub fn chain(&self) -> Vec<String> {
        let mut chain: Vec<String> = self.0.context.iter().rev().cloned().collect();
        chain.append(&mut foreign::texts(self.cause()));
        chain
    }
}

/// The help of an error of cninfra's own interfaces, which may be a cause of this one.
fn help_of<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a str> {
    #[cfg(feature = "keyval")]
    let help = |error: &'a (dyn StdError + 'static)| error.downcast_ref::<crate::keyval::KvError>()?.help();
    #[cfg(not(feature = "keyval"))]
    let help = |_: &'a (dyn StdError + 'static)| None;
    foreign::causes(cause).find_map(help)
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(cause: E) -> Self {
        Self::boxed(Box::new(cause))
    }
}

impl fmt::Display for Error {
    /// The context, outermost first, then the cause and its sources, separated by `: `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain().join(": "))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        if let Some(help) = self.help() {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// An error from foreign code. Its destructor may panic, which must not prevent the error from being reported.
struct Foreign(Option<Box<dyn StdError + Send + Sync>>);

impl Foreign {
    fn get(&self) -> &(dyn StdError + Send + Sync + 'static) {
        // The error is there until this is dropped.
        self.0.as_deref().unwrap_or(&fmt::Error)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        foreign::discard(self.0.take());
    }
}

#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Message {}

/// Adds context and help to the error of a [`std::result::Result`], or turns `None` into an error.
pub trait ErrorContext<T> {
    /// Adds what was being done. See [`Error::context`].
    ///
    /// # Errors
    /// The error of `self`, with the context.
    fn context(self, doing: impl fmt::Display) -> Result<T>;

    /// Adds what can be done about it. See [`Error::with_help`].
    ///
    /// # Errors
    /// The error of `self`, with the help.
    fn help(self, help: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<Error>> ErrorContext<T> for std::result::Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|error| error.into().context(doing))
    }

    fn help(self, help: impl fmt::Display) -> Result<T> {
        self.map_err(|error| error.into().with_help(help))
    }
}

impl<T> ErrorContext<T> for Option<T> {
    fn context(self, doing: impl fmt::Display) -> Result<T> {
        self.ok_or_else(|| Error::msg(doing))
    }

    fn help(self, help: impl fmt::Display) -> Result<T> {
        self.ok_or_else(|| Error::msg("nothing was found").with_help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer<E>(E);
    impl<E> fmt::Display for Outer<E> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bad port")
        }
    }
    impl<E: StdError + 'static> StdError for Outer<E> {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    fn parse() -> std::result::Result<u8, Outer<std::num::ParseIntError>> {
        "x".parse().map_err(Outer)
    }

    #[test]
    fn prints_context_then_cause_then_sources() {
        let error = parse().context("inner").context("outer").unwrap_err();
        assert_eq!(error.to_string(), "outer: inner: bad port: invalid digit found in string");
        assert!(error.cause().source().is_some());
    }

    #[test]
    fn help_is_kept_apart_from_the_message() {
        let error = parse().help("use a digit").unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.help()),
            ("bad port: invalid digit found in string", Some("use a digit"))
        );
        assert_eq!(format!("{error:?}"), "bad port: invalid digit found in string\n  help: use a digit");
        assert_eq!(None::<u8>.context("no such thing").unwrap_err().to_string(), "no such thing");
    }

    #[cfg(feature = "keyval")]
    #[test]
    fn what_helps_is_found_in_the_causes_too() {
        use crate::keyval::{KvError, Reason};
        let error = |help| Outer(KvError::new("get", Reason::Denied).with_help(help));
        assert_eq!(Error::from(error("log in")).help(), Some("log in"));
        assert_eq!(Error::from(error("log in")).with_help("ask").help(), Some("ask"));
        // The search ends even if an error is its own cause.
        assert_eq!(parse().context("no help").unwrap_err().help(), None);
    }
}
