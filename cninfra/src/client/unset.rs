//! [`unless_empty`]: a key that may be left empty.

use serde::{Deserialize, Deserializer};
use std::ffi::OsStr;

/// Reads a text or a path of a config, of which an empty one is none: in the files of the predecessor what is empty is not set, and whoever makes files of a template has such lines.
///
/// ```
/// use cninfra::client::unless_empty;
/// use serde::Deserialize;
///
/// #[derive(Default, Deserialize)]
/// #[serde(default)]
/// struct ServerConfig {
///     #[serde(deserialize_with = "unless_empty")]
///     user: Option<String>,
/// }
///
/// let read = |text| serde_json::from_str::<ServerConfig>(text).map(|config| config.user);
/// assert_eq!(read(r#"{ "user": "" }"#)?, None);
/// assert_eq!(read(r#"{ "user": "alice" }"#)?.as_deref(), Some("alice"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// It is none of these.
pub fn unless_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + AsRef<OsStr>,
{
    Ok(Option::<T>::deserialize(deserializer)?.filter(|text| !text.as_ref().is_empty()))
}
