//! The macros of cninfra. Their pages are in the documentation of the crate `cninfra`, which re-exports them.
//!
//! Each macro goes one way: *parse* (tokens to arguments, every mistake noted in a `Ctxt`), *model* (what the item
//! declares), *expand* (tokens). Nothing but this file and `source.rs` touches the compiler's own `proc_macro` types, so every stage
//! can be tested on any tokens. A mistake never stops the expansion: what can not be made is made inert, so that one mistake
//! gives one error.

mod args;
mod broken;
mod ctxt;
mod deps;
mod doubt;
mod dynamic;
mod flavor;
#[cfg(test)]
mod fuzz;
mod guessed;
mod interface;
mod key;
mod krate;
mod lifetimes;
mod list;
mod made;
mod names;
mod plugin;
mod qualifier;
mod size;
mod source;
mod types;

use proc_macro::TokenStream;
use source::Source;

/// Makes a struct a plugin.
///
/// **Field injection.** `#[plugin]` reads the dependencies off the fields:
///
/// | field | holds |
/// | --- | --- |
/// | `Dep<P>`, `Dep<dyn I>` | a plugin, or what the flavor binds to an interface |
/// | `Option<Dep<..>>` | the same, `None` where the flavor has none |
/// | `Vec<Dep<dyn I>>` | every plugin bound to an `#[interface(many)]`, in declaration order |
/// | `#[dep] name: Alias` | an alias of one of these (they are known by their last word) |
/// | `#[config] name: T` | the plugin's config section |
/// | `#[context] name: T` | a `Context` or a `Logger` |
/// | `#[default(expression)] name: T` | that |
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
/// | `no_lifecycle` | for a generic plugin that has none (the others need not say so) |
/// | `id = ".."` | another identity, where two plugins in one file have one name |
/// | `crate = path` | where cninfra is, if it is renamed or re-exported |
///
/// A generic plugin's parameters are part of its identity: they are plugins, interfaces, or types with
/// `#[derive(Qualifier)]`.
#[proc_macro_attribute]
pub fn plugin_attribute(args: TokenStream, item: TokenStream) -> TokenStream {
    plugin::expand(source::arguments(args), item.into(), &Source::here()).into()
}

/// What `#[plugin]` leaves to a derive: see `plugin/conditional.rs`. (Of `#[config]` in a struct that has no `#[plugin]`, rustc says whose attribute it
/// is: this derive's. So it has the name that is to be read there, and the attribute gets it where the library exports it.)
#[doc(hidden)]
#[proc_macro_derive(plugin, attributes(__cninfra_arguments, config, context, default, dep))]
pub fn conditional_plugin(item: TokenStream) -> TokenStream {
    plugin::expand_conditional(item.into(), &Source::here()).into()
}

/// What is guessed for `#[plugin]`: it says so.
#[doc(hidden)]
#[proc_macro_derive(Plugin, attributes(config, context, default, dep))]
pub fn guessed_plugin(item: TokenStream) -> TokenStream {
    guessed::expand(item.into(), &Source::here()).into()
}

/// Makes a trait an interface: `Dep<dyn Trait>` can be depended on, and a flavor says who provides it, by
/// `#[provides(dyn Trait)]`.
///
/// `#[interface(many)]` lets several plugins of one flavor provide it; `Vec<Dep<dyn Trait>>` takes them all. `Send` and
/// `Sync` are added to the supertraits. Asynchronous methods return a boxed future: write it, or put
/// `#[cninfra::async_trait]` on the trait, above or below this attribute.
///
/// `#[interface(id = "..")]`: another identity, where two interfaces in one file have one name. `#[interface(crate = path)]`: where cninfra is, if it is renamed or re-exported.
#[proc_macro_attribute]
pub fn interface(args: TokenStream, item: TokenStream) -> TokenStream {
    interface::expand(source::arguments(args), item.into(), &Source::here()).into()
}

/// Makes a struct a flavor: a set of plugins that are wired to one another.
///
/// Each field is a plugin (`Dep<P>`), a plugin that may be switched off by its config (`Option<Dep<P>>`), or another
/// flavor; the order of the fields does not matter. `#[provides(dyn I, ..)]` on a plugin's field binds it to interfaces.
///
/// A type is one thing, wherever it stands: a flavor that is there twice, in two flavors or as two fields of one, is there once, and all its fields hold the same
/// handles (two fields `Rpc` are one server); a plugin that is declared twice is an error. Two instances are two types: those of a generic plugin, or flavor, that
/// are told apart by types with `#[derive(Qualifier)]`. What stands for a parameter of a flavor is a plugin (where a field is `Dep<T>`, it has the bound `T: Plugin`), an interface, or such a type; a flavor that is to be one has
/// `#[derive(Flavor, Qualifier)]`.
///
/// `#[flavor(open)]` on the struct: its plugins' dependencies come from the flavor around it, so it is not checked by
/// itself and can not be started. `#[flavor(crate = path)]`: where cninfra is, if it is renamed or re-exported.
#[proc_macro_derive(Flavor, attributes(flavor, provides))]
pub fn flavor(item: TokenStream) -> TokenStream {
    flavor::expand(item.into(), &Source::here()).into()
}

/// Makes a struct a set of dependencies, for `#[plugin(deps = ThisStruct)]`: each field is `Dep<..>`,
/// `Option<Dep<..>>` or `Vec<Dep<dyn ..>>`, aliases of them too.
///
/// `#[deps(crate = path)]`: where cninfra is, if it is renamed or re-exported.
#[proc_macro_derive(Deps, attributes(deps))]
pub fn deps(item: TokenStream) -> TokenStream {
    deps::expand(item.into()).into()
}

/// Makes a type a qualifier: as a type parameter of a plugin it tells its instances apart, `Etcd<Backup>`.
///
/// The instance name of `Etcd<Backup>` is `etcd-backup`. `#[qualifier(name = "..")]` gives another text, and `""` adds
/// nothing: for the one that is meant where none is written. `#[qualifier(id = "..")]`: another identity, where two in one file have one name.
/// `#[qualifier(crate = path)]`: where cninfra is, if it is renamed or re-exported.
#[proc_macro_derive(Qualifier, attributes(qualifier))]
pub fn qualifier(item: TokenStream) -> TokenStream {
    qualifier::expand(item.into(), &Source::here()).into()
}
