//! [`Hides`]: keys that stand for another key, layer by layer.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The type of a field that says that a key hides another one.
///
/// Where two keys say the same in two ways, as `url` and `port`, a type can say which of them goes over the other. But if one
/// is in a file and the other on the command line, the command line is to hold, whichever it is. As `hides:url:port`, the
/// name of a field of this type, it does: where the command line has `url`, a `port` of the environment, the files and the
/// program is as if it were not there; where the environment has it, one of the files and the program.
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
