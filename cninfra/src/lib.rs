//! cninfra is a platform for cloud-native agents and microservices.
//!
//! An application is a set of *plugins*. A *flavor* is a reusable set of plugins, and an *agent* runs a flavor. The
//! compiler checks the wiring: what each plugin needs, who provides it, and in which order the plugins start.
//! Everything is linked statically, and nothing is looked up by reflection at run time.
//!
//! ```
//! use cninfra::prelude::*;
//!
//! #[interface]
//! trait Store {
//!     fn get(&self, key: &str) -> Option<String>;
//! }
//!
//! #[plugin]
//! struct Memory;
//!
//! impl Store for Memory {
//!     fn get(&self, key: &str) -> Option<String> {
//!         (key == "alice").then(|| "555-0100".to_string())
//!     }
//! }
//!
//! #[plugin]
//! struct Phonebook {
//!     store: Dep<dyn Store>, // an interface: the flavor says who provides it
//! }
//!
//! impl Lifecycle for Phonebook {
//!     async fn init(&self, cx: &Context) -> Result<()> {
//!         cx.log().info(format_args!("alice is {:?}", self.store.get("alice")));
//!         Ok(())
//!     }
//! }
//!
//! #[derive(Flavor)]
//! struct App {
//!     phonebook: Dep<Phonebook>,
//!     #[provides(dyn Store)]
//!     store: Dep<Memory>,
//! }
//!
//! const _: () = assert!(App::GRAPH.before("Memory", "Phonebook"));
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! let agent = Agent::<App>::start().await?;
//! assert!(agent.phonebook.store.get("bob").is_none());
//! agent.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! What the macros generate is described at [`plugin`], [`interface`], [`Flavor`](derive@Flavor), [`Deps`](derive@Deps)
//! and [`Qualifier`]. Each compile error has a page in [`diagnostics`].

// Generated code names this crate `::cninfra`, also in its own tests and examples.
#[allow(unused_extern_crates, reason = "used by generated code only")]
extern crate self as cninfra;

pub mod agent;
mod build_info;
pub mod client;
pub mod config;
mod context;
mod dep;
pub mod diagnostics;
mod error;
mod flag;
mod foreign;
pub mod graph;
#[cfg(feature = "http")]
pub mod http;
pub mod idxmap;
mod inject;
#[cfg(feature = "keyval")]
pub mod keyval;
mod label;
pub mod logging;
mod marks;
pub mod metrics;
mod order;
pub mod prelude;
#[doc(hidden)]
pub mod private;
pub mod status;
mod stop;
mod tasks;
// The documentation contains this module even without the feature, so that readers learn which one to enable.
#[cfg(any(feature = "testing", doc))]
pub mod testing;

pub use agent::{Agent, Phase};
pub use async_trait::async_trait;
pub use build_info::BuildInfo;
pub use cninfra_macros::{Deps, Flavor, Qualifier, interface, plugin_attribute as plugin};
// A derive macro with the name of the trait, which tells its users what to write instead.
#[doc(hidden)]
pub use cninfra_macros::Plugin;
pub use context::{Context, FromContext};
pub use dep::Dep;
pub use error::{Error, ErrorContext, Result};
pub use flag::Flag;
pub use inject::{
    Create, DepItem, DepSet, Flavor, Instance, Interface, Key, Lifecycle, ManyInterface, Part, Plugin, Replacement,
};
pub use label::ServiceLabel;
pub use logging::Logger;
pub use tasks::Task;
/// The error of a [`Task`] that has panicked or was aborted. It is the type of tokio 1, which runs all tasks.
#[doc(no_inline)]
pub use tokio::task::JoinError;

use std::{future::Future, pin::Pin};

/// A boxed future of any type, as the methods of an asynchronous interface return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes a future directly on the heap. Use it for large futures that are made often: the argument of [`Box::pin`] is
/// made on the stack and then moved, which for a future of some kilobytes costs more than the allocation.
///
/// ```
/// use cninfra::{BoxFuture, boxed};
///
/// fn sum(numbers: &[u64]) -> BoxFuture<'_, u64> {
///     boxed(move || async move { numbers.iter().sum() })
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(sum(&[1, 2]).await, 3);
/// # });
/// ```
#[inline]
pub fn boxed<'a, T, F>(make: impl FnOnce() -> F) -> BoxFuture<'a, T>
where
    F: Future<Output = T> + Send + 'a,
{
    // The memory is allocated before the future is created. So nothing can fail in between, and the future is never on
    // the stack.
    let room = Box::<F>::new_uninit();
    let future = Box::write(room, make());
    Box::into_pin(future)
}

/// Checks one instance of a generic flavor during `cargo check`. Without it, the instance is checked where an agent is
/// built from it, by `cargo build` and `cargo test`.
///
/// ```
/// use cninfra::prelude::*;
/// use std::marker::PhantomData;
///
/// #[derive(Qualifier)]
/// struct Backup;
///
/// #[plugin(no_lifecycle)]
/// struct Store<R> {
///     role: PhantomData<R>,
/// }
///
/// #[derive(Flavor)]
/// struct Stores<R> {
///     store: Dep<Store<R>>,
/// }
///
/// cninfra::check_flavor!(Stores<Backup>);
/// ```
#[macro_export]
macro_rules! check_flavor {
    ($flavor:ty) => {
        const _: () = <$flavor as $crate::Flavor>::GRAPH.check();
    };
}
