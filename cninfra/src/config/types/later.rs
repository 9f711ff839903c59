//! [`Later`]: keys that are known, and refused.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The type of a field that stands for keys which are not served yet.
///
/// A key that a predecessor of the plugin knew, and that the plugin does not serve, must not be passed over as if it were
/// set. As an unknown key it would be told as a slip of the pen; as a name of such a field, with `later:` before it, it is
/// told as what it is.
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
