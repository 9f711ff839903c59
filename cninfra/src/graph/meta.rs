//! The declarations of plugins and flavors: const data, written by the macros.

use crate::{Flag, config::ConfigMeta};

/// The identity of a plugin, an interface, a qualifier or a flavor.
///
/// Only the macros make one. They write it as a literal, since a call in each const would cost the compiler more.
/// Fields may be added in later versions.
#[derive(Clone, Copy, Debug)]
pub struct KeyMeta {
    /// The type's name, as in the graph and in compile errors: `Etcd<Backup>`, `dyn KeyVal`.
    pub name: &'static str,
    /// The module that declares it.
    pub module: &'static str,
    /// A hash of package, version, file and name, and of the type parameters' ids.
    #[doc(hidden)]
    pub id: u64,
    /// The instance name, such as `etcd-backup`: the name of the config section, file, logger and status.
    pub instance: &'static str,
    /// [`hash`](super::text::hash) of `instance`, so that the check for clashes need not compare every pair.
    #[doc(hidden)]
    pub instance_id: u64,
}

impl KeyMeta {
    pub(super) const NONE: &'static KeyMeta =
        &KeyMeta { name: "", module: "", id: 0, instance: "", instance_id: super::text::HASH_START };
}

/// How a plugin declares a dependency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Need {
    /// `Dep<K>`: the flavor must have it.
    One,
    /// `Option<Dep<K>>`: `None` if the flavor does not have it.
    Optional,
    /// `Vec<Dep<K>>`: every plugin bound to the interface.
    All,
}

/// One dependency of a plugin.
#[derive(Clone, Copy, Debug)]
pub struct DepMeta {
    /// The plugin or interface it depends on.
    pub key: &'static KeyMeta,
    /// How it is declared.
    pub need: Need,
}

/// What a plugin declares.
///
/// Only the macros make one, as a literal: see [`KeyMeta`]. Fields may be added in later versions.
#[derive(Clone, Copy, Debug)]
pub struct PluginMeta {
    /// Its identity.
    pub key: &'static KeyMeta,
    /// What it is built from, in the order of its fields or of its `deps` list.
    pub deps: &'static [DepMeta],
    /// Further names of its config section: those of its predecessors.
    pub aliases: &'static [&'static str],
    /// How its config section is read, if it has one.
    pub config: Option<ConfigMeta>,
    /// Its command-line flags.
    pub flags: &'static [Flag],
    /// Whether the instance name was given explicitly, rather than made from the type's name.
    #[doc(hidden)]
    pub is_named: bool,
}

impl PluginMeta {
    /// A plugin without dependencies, config, flags and aliases.
    #[doc(hidden)]
    #[must_use]
    pub const fn bare(key: &'static KeyMeta) -> Self {
        PluginMeta { key, deps: &[], aliases: &[], config: None, flags: &[], is_named: false }
    }

    pub(super) const NONE: &'static PluginMeta = &PluginMeta::bare(KeyMeta::NONE);
}

/// A binding: the interface, and whether several plugins may be bound to it.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The interface.
    pub key: &'static KeyMeta,
    /// Whether it is declared with `#[interface(many)]`.
    pub many: bool,
}

/// Where the errors in a flavor are reported.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// At the flavor itself, which is closed and has no parameters.
    Itself,
    /// At a flavor that contains it, or at its user.
    Around,
    /// By the macro, which has refused the flavor: its content is not known.
    Already,
}

/// What a flavor declares.
#[derive(Debug)]
pub struct Tree {
    /// Its identity.
    pub key: &'static KeyMeta,
    /// The package that declares it.
    pub package: &'static str,
    /// The version of that package.
    pub version: &'static str,
    /// Its fields, as declared.
    pub fields: &'static [Field],
    #[doc(hidden)]
    pub told: Told,
}

/// One field of a flavor.
#[derive(Debug)]
pub struct Field {
    /// The field's name.
    pub name: &'static str,
    /// What it holds.
    pub item: Item,
    /// Its `#[provides(..)]`.
    pub provides: &'static [Binding],
}

impl Field {
    pub(super) const NONE: &'static Field = &Field { name: "", item: Item::Plugin(PluginMeta::NONE), provides: &[] };
}

/// What a field of a flavor holds.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Item {
    /// `Dep<P>`
    Plugin(&'static PluginMeta),
    /// `Option<Dep<P>>`: can be switched off in its config section.
    Optional(&'static PluginMeta),
    /// Another flavor.
    Flavor(&'static Tree),
}
