//! [`Hides`]: declares that one key hides another in the layers below it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The type of a field which says that one key hides another.
///
/// If two keys set the same in two ways, as `url` and `port`, the type can say which of them has precedence. But if one
/// is in a file and the other on the command line, the command line should win, whichever key it is. A field of this
/// type named `hides:url:port` does that: if the command line has `url`, then a `port` from the environment, the files
/// or the program is ignored; if the environment has `url`, a `port` from the files or the program is ignored.
///
/// ```
/// use cninfra::config::Hides;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct ClientConfig {
///     url: String,
///     port: Option<u16>, // over that of the `url`
///     #[serde(skip_serializing, rename = "hides:url:port")]
///     hides: Hides,
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hides;

impl Serialize for Hides {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Hides {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("it is no key"))
    }
}
