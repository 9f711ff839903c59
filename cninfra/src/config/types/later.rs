//! [`Later`]: declares keys that are known but not supported yet.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The type of a field that stands for keys which are not supported yet.
///
/// A key that the predecessor of a plugin supported, and that the plugin does not, must not be ignored silently. As an
/// unknown key it would be reported as a spelling mistake. As a name of such a field, prefixed with `later:`, it is
/// reported as not supported.
///
/// ```
/// use cninfra::config::Later;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct ServerConfig {
///     endpoint: String,
///     #[serde(skip_serializing, rename = "later:cert-file", alias = "later:key-file")]
///     later: Later,
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Later;

impl Serialize for Later {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Later {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("it is not supported yet"))
    }
}
