//! Plugins: what the attribute generates, and what their authors write.

use super::{
    key::Key,
    part::{Creation, creating},
    running::Running,
    slot::Slot,
};
use crate::{Context, Dep, Result, graph::PluginMeta};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
};

/// A plugin: a struct with `#[plugin]`.
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "a plugin is a struct with `#[plugin]`, which `{Self}` does not have",
    note = "there are two common causes: `#[plugin]` is missing on your own struct; or it should not be a plugin: hold a flavor without `Dep`, and any other value in a field of the plugin that needs it (behind an alias, the type arguments may be wrong instead; a type parameter of a flavor needs the bound `Plugin`)"
)]
pub trait Plugin: Key + Sized {
    /// Its dependencies: a tuple, or a struct with `#[derive(Deps)]`.
    // No bound: a wrong dependency is reported once, where it is written.
    type Deps;
    /// `Self`. Another type does not have it, so nothing more is reported about it.
    #[doc(hidden)]
    type Itself;
    /// The plugin in the graph.
    #[doc(hidden)]
    const PLUGIN: &'static PluginMeta;
    /// Builds the plugin and puts it into its slot.
    #[doc(hidden)]
    fn create<'a>(slot: &'a Slot<Self>, deps: Self::Deps, cx: &Context) -> Creation<'a>;
    /// Its lifecycle, if it has one.
    #[doc(hidden)]
    fn running(this: &Dep<Self>) -> Option<Arc<dyn Running>>;
}

/// [`Plugin`], as a flavor requires it of `dyn Trait`. It has a message of its own.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "a flavor holds plugins: add `#[provides({Self})]` to the field of one that implements it"
)]
pub trait DynPlugin {
    const PLUGIN: &'static PluginMeta;
}
#[diagnostic::do_not_recommend]
impl<P: Plugin> DynPlugin for P {
    const PLUGIN: &'static PluginMeta = P::PLUGIN;
}

/// The dependencies of a plugin that lists them. Separate from [`Plugin`] and its bounds on parameters, so that an impl
/// of [`Create`] needs none of these. Implemented for [`Attribute`] rather than for the plugin, since rustc would also
/// show where a struct is defined.
#[diagnostic::on_unimplemented(
    message = "CN006: `{P}` is not a plugin that lists its dependencies",
    label = "add `#[plugin(deps = (..))]` to the struct `{P}`"
)]
pub trait DepsOf<P> {
    /// A tuple, or a struct with `#[derive(Deps)]`.
    type Deps;
}
/// `#[plugin(deps = ..)]`
#[derive(Debug)]
pub struct Attribute;

/// Provides `Self::Deps` in an impl of [`Create`]. Every type has it, but it cannot be named for a type that is not
/// such a plugin. So rustc reports that where the name is written, and not also for the type, for each part of the
/// method, and for the method's declaration here.
// On one line, since rustc shows the lines from the name to the bound.
#[rustfmt::skip]
pub trait Lists: Sized {
    /// The dependencies in [`DepsOf`].
    type Deps where Attribute: DepsOf<Self>;
}
impl<P> Lists for P {
    type Deps
        = <Attribute as DepsOf<P>>::Deps
    where
        Attribute: DepsOf<P>;
}

/// How a plugin that lists its dependencies, with `#[plugin(deps = ..)]`, is built from them.
///
/// ```
/// use cninfra::prelude::*;
///
/// #[plugin]
/// struct Store;
///
/// #[plugin(deps = (Store, Option<Cache>))]
/// struct Api {
///     store: Dep<Store>,
///     cached: bool,
/// }
///
/// impl Create for Api {
///     async fn create((store, cache): Self::Deps, _cx: &Context) -> Result<Self> {
///         Ok(Api { store, cached: cache.is_some() })
///     }
/// }
///
/// #[plugin]
/// struct Cache;
/// ```
#[diagnostic::on_unimplemented(
    message = "CN009: plugin `{Self}` lists its dependencies but does not say how it is built",
    label = "`Create` is not implemented",
    note = "write `impl Create for {Self} {{ async fn create(deps: Self::Deps, cx: &Context) -> Result<Self> {{ .. }} }}`"
)]
pub trait Create: Lists + Sized {
    /// Builds the plugin. It should do no I/O; that belongs in [`Lifecycle::init`], to which limits and start policies
    /// apply.
    ///
    /// # Errors
    /// Any error fails the start of the agent.
    fn create(deps: Self::Deps, cx: &Context) -> impl Future<Output = Result<Self>> + Send
    where
        Attribute: DepsOf<Self>;
}

/// What a plugin does in the life of an agent. Every method has a default. A plugin that needs none of them needs no
/// impl at all.
///
/// The phases of an agent go level by level. When a plugin's `init` runs, all that it depends on has been initialised,
/// except for plugins whose [start policy](crate::agent::StartPolicy) lets the agent start without them. Closing goes
/// in reverse order.
///
/// No method may block its thread. A method that takes longer than its [limit](crate::agent::Limits) has failed,
/// whatever it did meanwhile. The conformance kit in the module `testing` (a feature) checks these rules.
///
/// # Cancel safety
/// When the start fails, plugins that are still in `init` or `after_init` are dropped at the await point where they
/// are. Then `close` runs once for each plugin whose `init` had begun, whether it ended or not. (While a plugin [blocks
/// its thread for ever](crate::agent::Limits), the plugins beside it cannot be dropped; `close` runs all the same.)
#[diagnostic::on_unimplemented(
    message = "CN008: generic plugin `{Self}` has no lifecycle",
    label = "`Lifecycle` is not implemented for all its parameters",
    note = "write `impl<..> Lifecycle for {Self} {{}}` with the bounds of the struct, or add `#[plugin(no_lifecycle)]` to it"
)]
pub trait Lifecycle {
    /// Makes the plugin ready for those that depend on it: opens connections, registers routes.
    ///
    /// With the start policy [`Retry`](crate::agent::StartPolicy::Retry) it is called again after an error, or after it
    /// was dropped at an await point. Before that, the agent ends the tasks and the probe that the attempt had begun.
    /// The plugin is not closed in between.
    ///
    /// # Errors
    /// An error fails the start of the agent, unless the plugin has another start policy. Then its tasks and its probe
    /// end, and it is degraded until an attempt succeeds, whatever it reports.
    fn init(&self, cx: &Context) -> impl Future<Output = Result<()>> + Send {
        let _ = cx;
        Nothing
    }

    /// Runs when every plugin of the agent has been initialised. Here a server starts to serve.
    ///
    /// # Errors
    /// An error fails the start of the agent.
    fn after_init(&self, cx: &Context) -> impl Future<Output = Result<()>> + Send {
        let _ = cx;
        Nothing
    }

    /// Stops accepting new work and finishes what is in flight. It runs for all plugins at once whose `after_init` was
    /// called, before any of them closes. So the plugin of a handler is still intact while the server in front of it
    /// drains.
    ///
    /// # Errors
    /// An error is reported. The stop continues.
    fn drain(&self, cx: &Context) -> impl Future<Output = Result<()>> + Send {
        let _ = cx;
        Nothing
    }

    /// Releases what the plugin holds, and ends its tasks, except those of
    /// [`spawn_until_close`](Context::spawn_until_close), which the agent has already ended. All that the plugin
    /// depends on is still open. It is called whatever the outcome of `init` was, and has to tolerate being called
    /// twice.
    ///
    /// # Errors
    /// An error is reported. The stop continues.
    fn close(&self, cx: &Context) -> impl Future<Output = Result<()>> + Send {
        let _ = cx;
        Nothing
    }
}

/// The future of a method that is left at its default. It is zero-sized, so boxing it allocates nothing. No other
/// zero-sized future has its alignment, so the agent knows without a call that there is nothing to do or to measure.
#[repr(align(256))]
pub(super) struct Nothing;
impl Future for Nothing {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// [`Create`], as generated code requires it: rustc then does not list other types' impls.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN009: plugin `{Self}` lists its dependencies but does not say how it is built",
    label = "`Create` is not implemented",
    note = "write `impl Create for {Self} {{ async fn create(deps: Self::Deps, cx: &Context) -> Result<Self> {{ .. }} }}`"
)]
pub trait Creates: Plugin {
    fn __creating<'a>(slot: &'a Slot<Self>, deps: <Self as Plugin>::Deps, cx: &Context) -> Creation<'a>;
}
#[diagnostic::do_not_recommend]
impl<P: Create + Plugin<Deps = <P as Lists>::Deps> + Send + Sync> Creates for P
where
    Attribute: DepsOf<P>,
    <P as Lists>::Deps: Send,
{
    fn __creating<'a>(slot: &'a Slot<P>, deps: <P as Plugin>::Deps, cx: &Context) -> Creation<'a> {
        let cx = cx.clone();
        creating(slot, async move { <P as Create>::create(deps, &cx).await })
    }
}

/// [`Lifecycle`] of a generic plugin, as generated code requires it. It is required of [`Attribute`] rather than of the
/// plugin, for which rustc would also show where it is defined, and how to write the bound. `N` is the type of a
/// number, and still to be inferred: otherwise rustc would suggest a `where` clause with this trait.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN008: generic plugin `{P}` has no lifecycle",
    label = "`Lifecycle` is not implemented for all its parameters",
    note = "write `impl<..> Lifecycle for {P} {{}}` with the bounds of the struct, or add `#[plugin(no_lifecycle)]` to it"
)]
pub trait HasLifecycle<P, N> {
    fn __running(this: &Dep<P>, _: N) -> Option<Arc<dyn Running>>;
}
#[diagnostic::do_not_recommend]
impl<P: Lifecycle + Send + Sync + 'static, N> HasLifecycle<P, N> for Attribute {
    fn __running(this: &Dep<P>, _: N) -> Option<Arc<dyn Running>> {
        Some(this.0.clone())
    }
}

/// The value of a field that the compiler refuses. Never runs.
#[doc(hidden)]
pub fn refused<T>() -> T {
    unreachable!("cninfra: a plugin with such a field does not compile")
}

/// A field that is neither a dependency, nor config, nor taken from the context.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN013: a plugin field of type `{Self}` is not a dependency and has no default",
    label = "what should this field hold?",
    note = "write `Dep<..>` for a plugin; for anything else, implement `Default` or write `#[default(..)]`; mark an alias of `Dep<..>` with `#[dep]`, a `Context` or `Logger` with `#[context]`; or build the plugin in `impl Create` (`#[plugin(deps = (..))]`)"
)]
pub trait Blank {
    fn blank() -> Self;
}
#[diagnostic::do_not_recommend]
impl<T: Default> Blank for T {
    fn blank() -> T {
        T::default()
    }
}

/// The same for a type that depends on a parameter. Not implemented for the type itself, since rustc would suggest a
/// bound with this trait. It suggests none if a part such as `As` is still to be inferred.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN013: a plugin field of type `{T}` is not a dependency and may have no default",
    label = "what should this field hold?",
    note = "if you want the default of a type parameter, add the bound `Default` to it; write `Dep<..>` for a plugin; or write `#[default(..)]`, or build the plugin in `impl Create` (`#[plugin(deps = (..))]`)"
)]
pub trait BlankOf<T, As> {
    fn blank() -> T;
}
#[diagnostic::do_not_recommend]
impl<T: Default> BlankOf<T, ()> for Attribute {
    fn blank() -> T {
        T::default()
    }
}
// Applies to no type: if there were only one impl, `As` would not be left to be inferred.
#[diagnostic::do_not_recommend]
impl<T: NoType> BlankOf<T, Attribute> for Attribute {
    fn blank() -> T {
        refused()
    }
}
trait NoType {}
