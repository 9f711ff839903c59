//! [`from_text`]: parses a value that is written as a text.

use crate::Error;
use serde::{
    Deserializer,
    de::{self, Visitor},
};
use std::fmt;

/// Parses a value from a text, for the `Deserialize` of a key's type that has [`FromStr`](std::str::FromStr) or
/// something similar.
///
/// `what` says what is expected, in the message for a value that is not a text. The help of the error becomes part of
/// the message.
///
/// ```
/// use cninfra::{Error, config::from_text};
/// use serde::{Deserialize, Deserializer};
///
/// struct Even(u32);
///
/// impl<'de> Deserialize<'de> for Even {
///     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
///         from_text(deserializer, "an even number in quotes", |text| match text.parse()? {
///             even if even % 2 == 0 => Ok(Even(even)),
///             odd => Err(Error::msg(format_args!("{odd} is odd")).with_help("write an even number")),
///         })
///     }
/// }
///
/// assert_eq!(serde_json::from_str::<Even>("\"4\"").map(|even| even.0)?, 4);
/// let odd = serde_json::from_str::<Even>("\"5\"").err().map(|error| error.to_string());
/// assert!(odd.is_some_and(|error| error.starts_with("5 is odd: write an even number")));
/// # Ok::<(), cninfra::Error>(())
/// ```
///
/// # Errors
/// The value is not a text, or `read` refuses it.
pub fn from_text<'de, D, T, E>(
    deserializer: D,
    what: &'static str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: Into<Error>,
{
    deserializer.deserialize_str(Text { what, read })
}

struct Text<F> {
    /// What the type expects, for serde's error message.
    what: &'static str,
    read: F,
}

impl<T, E: Into<Error>, F: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<D: de::Error>(self, text: &str) -> Result<T, D> {
        (self.read)(text).map_err(|error| {
            let error: Error = error.into();
            match error.help() {
                Some(help) => D::custom(format_args!("{error}: {help}")),
                None => D::custom(error),
            }
        })
    }
}
