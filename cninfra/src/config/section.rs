//! [`Section`]: the type of a config section, and what the graph keeps of it.

use super::Config;
use crate::{Context, Error, Result};
use figment::value::Value;
use serde::{Serialize, de::DeserializeOwned};

/// The type of a plugin's config section: any type that is `Serialize`, `Deserialize` and `Default`.
///
/// Give it `#[serde(default, deny_unknown_fields)]`: a key that is not written keeps its default, and one that is
/// misspelled is an error.
#[diagnostic::on_unimplemented(
    message = "CN026: `{Self}` can not be a config section",
    label = "not `Serialize`, `Deserialize` and `Default`",
    note = "`#[derive(Serialize, Deserialize, Default)] #[serde(default, deny_unknown_fields)]`"
)]
pub trait Section: Sized {
    /// For the graph.
    #[doc(hidden)]
    const META: ConfigMeta;
    /// The section of the plugin that is being built.
    #[doc(hidden)]
    fn __read(config: &Config, section: &str) -> Result<Self>;
    /// The same, for generated code.
    #[doc(hidden)]
    fn __of(cx: &Context) -> Result<Self> {
        cx.config()
    }
}

#[diagnostic::do_not_recommend]
impl<C: Serialize + DeserializeOwned + Default> Section for C {
    const META: ConfigMeta = ConfigMeta {
        check: |config, section| config.section::<C>(section).map(drop),
        defaults: || Value::serialize(C::default()).map_err(|error| Error::from(Box::new(error))),
    };

    fn __read(config: &Config, section: &str) -> Result<Self> {
        config.section(section)
    }
}

/// How a plugin's config section is read: its type, forgotten.
#[derive(Clone, Copy, Debug)]
pub struct ConfigMeta {
    /// Reads the section, for its errors.
    pub(crate) check: fn(&Config, &str) -> Result<()>,
    /// The section as its type's `Default` has it.
    #[expect(dead_code, reason = "for `--print-config`, and so that the type must be `Serialize`")]
    pub(crate) defaults: fn() -> Result<Value>,
}
