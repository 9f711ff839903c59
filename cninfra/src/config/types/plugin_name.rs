//! [`PluginName`]: a plugin of the same agent, named in a config section.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, ops::Deref};

/// The name of the newtype by which the reader recognises a plugin's name.
pub(in crate::config) const NAME: &str = "$cninfra::PluginName";

/// A plugin of the same agent, named in a config section by its instance name.
///
/// If there is no plugin of that name, this is a mistake in the config. It is reported with file, line and the most
/// similar name, before anything is created.
///
/// ```
/// use cninfra::{config::PluginName, prelude::*};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct GuardConfig {
///     watches: Vec<PluginName>,
/// }
///
/// #[plugin(no_lifecycle)]
/// struct Guard {
///     #[config]
///     config: GuardConfig,
/// }
///
/// impl Guard {
///     fn watches(&self, plugin: &str) -> bool {
///         self.config.watches.iter().any(|name| **name == *plugin)
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginName(String);

impl PluginName {
    /// A name that is not checked here. Whether there is such a plugin is checked when a config is read.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        PluginName(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for PluginName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for PluginName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PluginName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PluginName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "$cninfra::PluginName")]
        struct Named(String);
        Named::deserialize(deserializer).map(|Named(name)| PluginName(name))
    }
}
