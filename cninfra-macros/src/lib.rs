//! The macros of cninfra. They are documented in the crate `cninfra`, which re-exports them.
//!
//! Each macro has three stages: *parse* (tokens to arguments; every mistake goes to a `Ctxt`), *model* (what the item
//! declares), *expand* (tokens). Only this file and `source.rs` touch the compiler's own `proc_macro` types, so every
//! stage can be tested on any tokens. A mistake never stops the expansion: an item that cannot be expanded is made
//! inert, so that one mistake gives one error.

mod args;
mod broken;
mod ctxt;
mod deps;
mod doubt;
mod dynamic;
mod expected;
mod flavor;
#[cfg(test)]
mod fuzz;
mod guessed;
mod interface;
mod key;
mod krate;
mod lifetimes;
mod list;
mod mark;
mod names;
mod near;
mod plugin;
mod qualifier;
mod size;
mod source;
mod types;

use proc_macro::TokenStream;
use source::Source;

/// Makes a struct a plugin.
///
/// **Field injection.** `#[plugin]` takes the dependencies from the fields:
///
/// | field | holds |
/// | --- | --- |
/// | `Dep<P>`, `Dep<dyn I>` | a plugin, or what the flavor binds to an interface |
/// | `Option<Dep<..>>` | the same, `None` where the flavor has none |
/// | `Vec<Dep<dyn I>>` | every plugin bound to an `#[interface(many)]`, in declaration order |
/// | `#[dep] name: Alias` | an alias of one of these types (which are recognised by their last word) |
/// | `#[config] name: T` | the plugin's config section |
/// | `#[context] name: T` | a `Context` or a `Logger` |
/// | `#[default(expression)] name: T` | the value of the expression |
/// | anything else | its `Default` |
///
/// **Listed dependencies.** `#[plugin(deps = (A, dyn B, Option<C>, Vec<dyn D>))]`, or `deps = Named` with
/// `#[derive(Deps)]`: the plugin builds itself in `impl Create`.
///
/// | argument | means |
/// | --- | --- |
/// | `deps = (..)`, `deps = T` | see above |
/// | `config = T` | with `deps`: the type of the config section |
/// | `name = "etcd"` | the instance name, instead of the type's name in kebab-case |
/// | `alias = "etcdv3"` | a further name of its config file; may be repeated |
/// | `flags = FLAGS` | its command-line flags: a const `&[Flag]` |
/// | `no_lifecycle` | for a generic plugin without a lifecycle (other plugins need not say so) |
/// | `id = ".."` | another identity, for two plugins in one file with the same name |
/// | `crate = path` | where cninfra is, if it is renamed or re-exported |
///
/// A generic plugin's parameters are part of its identity: each must be a plugin, an interface, or a type with
/// `#[derive(Qualifier)]`.
#[proc_macro_attribute]
pub fn plugin_attribute(args: TokenStream, item: TokenStream) -> TokenStream {
    plugin::expand(source::arguments(args), item.into(), &Source::here()).into()
}

/// The derive to which `#[plugin]` leaves conditional fields: see `plugin/conditional.rs`. It is called `plugin`, since
/// rustc names it in the error about a `#[config]` in a struct without `#[plugin]`. The attribute gets that name where
/// the library exports it.
#[doc(hidden)]
#[proc_macro_derive(plugin, attributes(__cninfra_arguments, config, context, default, dep))]
pub fn conditional_plugin(item: TokenStream) -> TokenStream {
    plugin::expand_conditional(item.into(), &Source::here()).into()
}

/// Reports that `#[plugin]` is meant, for users who guess this derive.
#[doc(hidden)]
#[proc_macro_derive(Plugin, attributes(config, context, default, dep))]
pub fn guessed_plugin(item: TokenStream) -> TokenStream {
    guessed::expand(item.into(), &Source::here()).into()
}

/// Makes a trait an interface: plugins can depend on `Dep<dyn Trait>`, and a flavor says which plugin provides it, with
/// `#[provides(dyn Trait)]`.
///
/// `#[interface(many)]` lets several plugins of one flavor provide it; `Vec<Dep<dyn Trait>>` takes them all. `Send` and
/// `Sync` are added to the supertraits. Asynchronous methods return a boxed future: write that type, or put
/// `#[cninfra::async_trait]` on the trait, above or below this attribute.
///
/// `#[interface(id = "..")]` sets another identity, for two interfaces in one file with the same name.
/// `#[interface(crate = path)]` says where cninfra is, if it is renamed or re-exported.
#[proc_macro_attribute]
pub fn interface(args: TokenStream, item: TokenStream) -> TokenStream {
    interface::expand(source::arguments(args), item.into(), &Source::here()).into()
}

/// Makes a struct a flavor: a set of plugins that are wired to one another.
///
/// Each field is a plugin (`Dep<P>`), a plugin that may be switched off by its config (`Option<Dep<P>>`), or another
/// flavor; the order of the fields does not matter. `#[provides(dyn I, ..)]` on a plugin's field binds it to
/// interfaces.
///
/// A type is one thing, wherever it occurs. A flavor that occurs twice, in two flavors or as two fields of one, exists
/// once, and all its fields hold the same handles (two fields `Rpc` are one server). A plugin that is declared twice is
/// an error. Two instances are two types: those of a generic plugin or flavor, with different type arguments that have
/// `#[derive(Qualifier)]`. A type argument of a flavor is a plugin (if a field is `Dep<T>`, the parameter needs the
/// bound `T: Plugin`), an interface, or a type with `#[derive(Qualifier)]`; a flavor that is to be a type argument has
/// `#[derive(Flavor, Qualifier)]`.
///
/// `#[flavor(open)]` on the struct: the dependencies of its plugins come from the flavor around it, so it is not
/// checked by itself and cannot be started. `#[flavor(crate = path)]` says where cninfra is, if it is renamed or
/// re-exported.
#[proc_macro_derive(Flavor, attributes(flavor, provides))]
pub fn flavor(item: TokenStream) -> TokenStream {
    flavor::expand(item.into(), &Source::here()).into()
}

/// Makes a struct a set of dependencies, for `#[plugin(deps = ThisStruct)]`: each field is `Dep<..>`, `Option<Dep<..>>`
/// or `Vec<Dep<dyn ..>>`, or an alias of one of these.
///
/// `#[deps(crate = path)]` says where cninfra is, if it is renamed or re-exported.
#[proc_macro_derive(Deps, attributes(deps))]
pub fn deps(item: TokenStream) -> TokenStream {
    deps::expand(item.into()).into()
}

/// Makes a type a qualifier: as a type argument of a generic plugin it tells instances apart, as in `Etcd<Backup>`.
///
/// The instance name of `Etcd<Backup>` is `etcd-backup`. `#[qualifier(name = "..")]` appends another text, and `""`
/// appends nothing, for the qualifier that is the parameter's default. `#[qualifier(id = "..")]` sets another identity,
/// for two qualifiers in one file with the same name. `#[qualifier(crate = path)]` says where cninfra is, if it is
/// renamed or re-exported.
#[proc_macro_derive(Qualifier, attributes(qualifier))]
pub fn qualifier(item: TokenStream) -> TokenStream {
    qualifier::expand(item.into(), &Source::here()).into()
}
