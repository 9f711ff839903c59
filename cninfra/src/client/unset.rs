//! [`unless_empty`]: a config key that may be left empty.

use serde::{Deserialize, Deserializer};
use std::ffi::OsStr;

/// Reads a text or a path from a config; an empty one is `None`. In the predecessor's files an empty value means that
/// the key is not set, and files made from templates often have such lines.
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
/// The value is not of this type.
pub fn unless_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + AsRef<OsStr>,
{
    Ok(Option::<T>::deserialize(deserializer)?.filter(|text| !text.as_ref().is_empty()))
}
