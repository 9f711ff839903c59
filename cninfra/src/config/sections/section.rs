//! [`Section`]: the type of a config section. [`ConfigMeta`]: what the graph keeps of that type.

use super::{checked::Check, config::Config};
use crate::{
    Context, Result,
    config::{
        find::extract::{Depth, Outcome, extract},
        read::named::Named,
        said::entry::{Entries, Entry},
        written::{value, way::Step},
    },
    foreign,
};
use figment::value::Tag;
use serde::{Serialize, de::DeserializeOwned};
use std::any::TypeId;
use yaml_serde::Value;

/// The type of a plugin's config section: any type that is `Serialize`, `Deserialize` and `Default`, or
/// [`Live`](crate::config::Live) of one.
///
/// Give it `#[serde(default, deny_unknown_fields)]`: a key that is not set then keeps its default, and a misspelled one
/// is an error. Name fields as usual in Rust. Keys are compared without regard to case, `-` and `_`, and shown in
/// kebab-case: `read_timeout` is `read-timeout` in a file. (This does not hold inside `#[serde(flatten)]`, `untagged`
/// or `tag`, since serde does not tell which keys such values have.)
#[diagnostic::on_unimplemented(
    message = "CN026: `{Self}` cannot be a config section",
    label = "does not implement `Serialize`, `Deserialize` and `Default`",
    note = "add `#[derive(Serialize, Deserialize, Default)] #[serde(default, deny_unknown_fields)]`"
)]
pub trait Section: Sized {
    /// What the graph needs to know about this type.
    #[doc(hidden)]
    const META: ConfigMeta;
    /// The type of the section's value, without `Live`.
    #[doc(hidden)]
    type __Plain: DeserializeOwned + Default;
    /// Reads the section of the plugin that is being created.
    #[doc(hidden)]
    fn __read(config: &Config, section: &str) -> Result<Self>;
    /// The same, for generated code.
    #[doc(hidden)]
    fn __of(cx: &Context) -> Result<Self> {
        cx.config()
    }
}

#[diagnostic::do_not_recommend]
impl<C: Serialize + DeserializeOwned + Default + 'static> Section for C {
    const META: ConfigMeta = ConfigMeta::of::<C>(false);
    type __Plain = C;

    fn __read(config: &Config, section: &str) -> Result<Self> {
        config.section_from_kept(section)
    }
}

impl Context {
    /// The plugin's config section: its file, environment and command line over the defaults.
    ///
    /// # Errors
    /// A key is unknown or has the wrong type. A section that the plugin declares (with a `#[config]` field, or
    /// `config = ..` in its attribute) was already read before anything was created, so it is valid here. A section
    /// that is not declared has no keys: anything set there is reported as a mistake before anything is created.
    pub fn config<C: Section>(&self) -> Result<C> {
        C::__read(self.whole_config(), self.name())
    }
}

/// Reads a section from its entries; the last argument says whether the value is wanted, too.
pub(super) type ReadSection = fn(Named<'_>, &Entries<'_>, Depth, bool) -> (Box<Outcome>, Option<Value>);

/// How a plugin's config section is read, with its type erased.
#[derive(Clone, Copy)]
pub struct ConfigMeta {
    /// Reads the section from its entries, and returns its value if that is wanted.
    pub(super) read: ReadSection,
    /// The section's type. The address of `read` does not identify it, since each crate may have its own copy of the
    /// function.
    pub(super) id: TypeId,
    /// The section follows its file.
    pub(in crate::config) live: bool,
    /// The section's own check, called after the section was read.
    pub(super) check: Option<Check>,
}

impl ConfigMeta {
    pub(super) const fn of<C: Serialize + DeserializeOwned + Default + 'static>(live: bool) -> Self {
        ConfigMeta { read: read::<C>, id: TypeId::of::<C>(), live, check: None }
    }

    /// Adds a check, for generated code.
    #[doc(hidden)]
    #[must_use]
    pub const fn __checked(self, check: Check) -> Self {
        ConfigMeta { check: Some(check), ..self }
    }

    pub(crate) fn is_checked(&self) -> bool {
        self.check.is_some()
    }
}

impl std::fmt::Debug for ConfigMeta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfigMeta").field("live", &self.live).finish_non_exhaustive()
    }
}

/// By the section's type, is the key at the end of this way inside a secret? Then it must not be shown.
pub(super) fn is_in_secret(read: ReadSection, section: Named<'_>, way: &[Step]) -> bool {
    let value = value::nested(way, value::nothing(Tag::Default));
    let entry = Entry::of_default(section.name, value);
    read(section, &Entries::one(&entry), Depth::Top, false).0.layers.has_secret_around(way.len())
}

pub(super) fn read<C: Serialize + DeserializeOwned + Default>(
    section: Named<'_>,
    entries: &Entries<'_>,
    depth: Depth,
    with_value: bool,
) -> (Box<Outcome>, Option<Value>) {
    let (value, outcome) = extract::<C>(section, entries, depth);
    // A value that cannot be serialised is not shown.
    let written = |value| foreign::guard(|| yaml_serde::to_value(value)).ok().and_then(Result::ok);
    let shown = with_value.then(|| value.as_ref().and_then(written).unwrap_or_default());
    foreign::discard(value);
    (outcome, shown)
}
