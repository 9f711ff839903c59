//! Checks the types of a plugin's fields: they must be shared between threads, and none may be a config section without
//! its attribute.

use super::{
    key::{Interface, Key},
    part::Part,
    plugin::{Lifecycle, Plugin},
};
use crate::{config::Section, graph::text};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A type with an identity in a graph: a plugin, an interface, a qualifier.
///
/// `#[plugin]`, `#[interface]` and `#[derive(Qualifier)]` implement it. It is the only bound that an impl for a generic
/// plugin needs on its parameters, since it includes `Send` and `Sync`.
///
/// ```
/// use cninfra::prelude::*;
/// use std::marker::PhantomData;
///
/// #[plugin]
/// struct Pool<Of> {
///     of: PhantomData<Of>,
/// }
///
/// impl<Of: Key> Lifecycle for Pool<Of> {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         cx.log().info("ready");
///         Ok(())
///     }
/// }
/// ```
// Separate from what the macros implement, as with `SharedPlugin`.
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "neither a plugin nor an interface",
    note = "add `#[plugin]` to the struct, or `#[interface]` to the trait; their type arguments must be one of these, too, or have `#[derive(Qualifier)]`, and be `Send` and `Sync`"
)]
pub trait SharedKey: Key + Send + Sync {}
#[diagnostic::do_not_recommend]
impl<K: Key + Send + Sync + ?Sized> SharedKey for K {}

/// A plugin: a struct with `#[plugin]`, shared between threads. As a bound, it accepts any of them.
///
/// ```
/// use cninfra::prelude::*;
///
/// /// What generic code asks of the plugins that it is for.
/// trait Counter: Plugin {
///     fn count(&self) -> u64;
/// }
///
/// fn report<C: Counter>(counter: Dep<C>) -> std::thread::JoinHandle<u64> {
///     std::thread::spawn(move || counter.count())
/// }
/// ```
// Separate from what the attribute implements, and not as its supertraits: these would be checked again wherever a
// plugin is named.
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "not a plugin",
    note = "add `#[plugin]` to the struct `{Self}`; the type parameters of a generic plugin need the bound `Key`: a plugin, an interface, or a type with `#[derive(Qualifier)]`"
)]
pub trait SharedPlugin: Plugin + Send + Sync {}
#[diagnostic::do_not_recommend]
impl<P: Plugin + Send + Sync> SharedPlugin for P {}

/// What a field of a flavor can be: `Dep<Plugin>`, `Option<Dep<Plugin>>`, or another flavor. As a bound, it accepts any
/// of them.
// Separate from what follows from the derive, as with `SharedPlugin`: if a flavor contains a plugin that is not shared,
// only the plugin is reported.
#[diagnostic::on_unimplemented(
    message = "CN007: `{Self}` cannot be a field of a flavor",
    label = "neither `Dep<Plugin>` nor a flavor",
    note = "the field of a plugin is `Dep<{Self}>`, of an optional plugin `Option<Dep<..>>`; a nested flavor needs `#[derive(Flavor)]`, and each of its type arguments must be a plugin or an interface, or have `#[derive(Qualifier)]`"
)]
pub trait SharedPart: Part + Send + Sync {}
#[diagnostic::do_not_recommend]
impl<T: Part + Send + Sync> SharedPart for T {}

/// Answers in generated code whether the concrete type `T` is shared between threads, by name lookup:
/// `Is::<T>::__SHARED` is the inherent constant if it applies, otherwise [`IsNot`]'s. As bounds, `Send` and `Sync`
/// would be two errors, repeated wherever the plugin is named and for all that depend on it.
#[derive(Debug)]
pub struct Is<T: ?Sized>(PhantomData<T>);
impl<T: Send + Sync + ?Sized> Is<T> {
    pub const __SHARED: bool = true;
}
impl<T> Is<T> {
    /// Whether it is sized.
    pub const __SIZED: bool = true;
}
impl<T: Plugin> Is<T> {
    /// Whether it is a plugin.
    pub const __PLUGIN: bool = true;
}
impl<T: Plugin + Default> Is<T> {
    /// Whether it is a plugin with a default value.
    pub const __TWIN: bool = true;
}
impl<T: Interface + ?Sized> Is<T> {
    pub const __INTERFACE: bool = true;
}
impl<T: Lifecycle> Is<T> {
    /// Whether it has a lifecycle.
    pub const __RUNS: bool = true;
}
impl<T: DeserializeOwned> Is<T> {
    /// Whether it can be deserialized.
    pub const __READ: bool = true;
}
impl<T: Section> Is<T> {
    /// Whether it can be a config section.
    pub const __SECTION: bool = true;
}
#[allow(non_upper_case_globals, reason = "some have the name of a word: see `word`")]
pub trait IsNot {
    const __SHARED: bool = false;
    const __SIZED: bool = false;
    const __PLUGIN: bool = false;
    const __TWIN: bool = false;
    const __INTERFACE: bool = false;
    const __READ: bool = false;
    const __SECTION: bool = false;
    const __RUNS: bool = false;
    const __PLUGIN_IN_Option: bool = false;
    const __PLUGIN_IN_Option_Arc: bool = false;
    const __INTERFACE_IN_Option_Arc: bool = false;
    const __PLUGIN_IN_Option_Box: bool = false;
    const __INTERFACE_IN_Option_Box: bool = false;
    const __PLUGIN_IN_Option_Rc: bool = false;
    const __INTERFACE_IN_Option_Rc: bool = false;
    const __PLUGIN_IN_Vec: bool = false;
    const __PLUGIN_IN_Vec_Arc: bool = false;
    const __INTERFACE_IN_Vec_Arc: bool = false;
    const __PLUGIN_IN_Vec_Box: bool = false;
    const __INTERFACE_IN_Vec_Box: bool = false;
    const __PLUGIN_IN_Vec_Rc: bool = false;
    const __INTERFACE_IN_Vec_Rc: bool = false;
    const __TWIN_IN_Arc: bool = false;
    const __TWIN_IN_Box: bool = false;
    const __TWIN_IN_Rc: bool = false;
    const __OF_STD_Arc: bool = false;
    const __OF_STD_BTreeMap: bool = false;
    const __OF_STD_BTreeSet: bool = false;
    const __OF_STD_Box: bool = false;
    const __OF_STD_Cell: bool = false;
    const __OF_STD_HashMap: bool = false;
    const __OF_STD_HashSet: bool = false;
    const __OF_STD_LazyCell: bool = false;
    const __OF_STD_LazyLock: bool = false;
    const __OF_STD_Mutex: bool = false;
    const __OF_STD_OnceCell: bool = false;
    const __OF_STD_OnceLock: bool = false;
    const __OF_STD_Option: bool = false;
    const __OF_STD_PhantomData: bool = false;
    const __OF_STD_Rc: bool = false;
    const __OF_STD_RefCell: bool = false;
    const __OF_STD_Result: bool = false;
    const __OF_STD_RwLock: bool = false;
    const __OF_STD_UnsafeCell: bool = false;
    const __OF_STD_Vec: bool = false;
    const __OF_STD_VecDeque: bool = false;
    const __OF_STD_Weak: bool = false;
}
impl<T: ?Sized> IsNot for Is<T> {}

/// Fails with our message if the field of a plugin is not shared.
#[track_caller]
pub const fn shared(is: bool, plugin: &str, field: &str) -> usize {
    if is {
        return 0;
    }
    text::fail(&[
        "CN029: plugins are shared between threads, but `",
        plugin,
        "::",
        field,
        "` is not `Send` and `Sync`\n= help: use `Arc` instead of `Rc`, an atomic or `Mutex` instead of `Cell` and `RefCell`, \
         `Box<dyn Trait + Send + Sync>` instead of `Box<dyn Trait>`",
    ])
}

/// Fails if a field holds a plugin or an interface without `Dep`, and would be filled with its default.
#[track_caller]
pub const fn alone(is: bool, plugin: &str, field: &str) -> usize {
    without_dep(is, plugin, field, "; if you want the default, write `#[default(Default::default())]`")
}

/// Fails if a field holds the plugin itself, which no default can provide.
#[track_caller]
pub const fn itself(is: bool, plugin: &str, field: &str) -> usize {
    without_dep(is, plugin, field, "")
}

#[track_caller]
const fn without_dep(is: bool, plugin: &str, field: &str, or: &str) -> usize {
    if is {
        text::fail(&[
            "CN033: `",
            plugin,
            "::",
            field,
            "` holds a plugin without `Dep`: it would be a default value, not the flavor's plugin\n= help: a dependency is `Dep<Plugin>`, \
             `Dep<dyn Interface>`, `Option<Dep<..>>` or `Vec<Dep<dyn Interface>>`",
            or,
        ])
    }
    0
}

/// Fails if a field holds handles in a container that is empty by default.
#[track_caller]
pub const fn held(is: bool) -> usize {
    if is {
        text::fail(&[
            "CN033: this is not a dependency: the field would hold its default, which is empty\n= help: a dependency is `Dep<Plugin>`, \
             `Dep<dyn Interface>`, `Option<Dep<..>>` or `Vec<Dep<dyn Interface>>`; if you want the default, write `#[default(Default::default())]`",
        ])
    }
    0
}

/// Fails if a field that is named like a config section can be read as one, and would always hold its default.
#[track_caller]
pub const fn unmarked(is: bool, plugin: &str, field: &str) {
    if is {
        text::fail(&[
            "CN031: `",
            plugin,
            "::",
            field,
            "` looks like a config section, but would always hold its default\n= help: mark it with `#[config]`; \
             if you want the default, write `#[default(Default::default())]`",
        ])
    }
}
