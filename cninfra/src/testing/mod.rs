//! For tests of plugins, flavors and agents. Needs the feature `testing`, which belongs in `[dev-dependencies]`:
//!
//! ```toml
//! [dev-dependencies]
//! cninfra = { git = "<where cninfra is>", features = ["testing"] } # or by `path`: as in `[dependencies]`
//! ```
//!
//! - [`paused`] runs a test on a clock that advances only when nothing else is to be done: a limit of an hour takes no
//!   time, and durations are exact.
//! - [`Steps`] are an agent's events as text, to be compared.
#![cfg_attr(
    feature = "http",
    doc = "- [`http_addr`] is where the agent's server listens, on a free port: see [`loopback`]."
)]
//! - [`Conformance`] checks what every plugin has to comply with; with [`Outside`], also for a plugin that talks to a
//!   server.
#![cfg_attr(feature = "keyval", doc = "- [`StoreConformance`] checks what every store has to keep to.")]
//! - [`Link`] is a connection to a server that a test can cut, pause and slow down.
//!
//! ```
//! use cninfra::{prelude::*, testing::{Steps, paused}};
//! use std::time::Duration;
//!
//! #[plugin]
//! struct Slow;
//!
//! impl Lifecycle for Slow {
//!     async fn init(&self, _: &Context) -> Result<()> {
//!         tokio::time::sleep(Duration::from_secs(10)).await;
//!         Ok(())
//!     }
//! }
//!
//! #[derive(Flavor)]
//! struct App {
//!     slow: Dep<Slow>,
//! }
//!
//! paused(async {
//!     let agent = Agent::<App>::builder().record_events(true).start().await.unwrap();
//!     assert_eq!(agent.events()[1].took, Duration::from_secs(10));
//!     let steps = Steps::new(App::GRAPH, &agent.close().await.unwrap());
//!     assert_eq!(steps.of("init"), ["init Slow"]);
//!     steps.in_order(&["init Slow", "close Slow"]);
//! });
//! ```

mod conformance;
mod link;
pub(crate) mod log;
mod steps;
#[cfg(feature = "keyval")]
mod stores;

pub use conformance::{Conformance, Outside, Violation};
pub use link::Link;
pub use steps::Steps;
#[cfg(feature = "keyval")]
pub use stores::{StoreConformance, Subject};

use std::future::Future;

/// Runs a test on one thread, on a clock that advances only when there is nothing else to do.
///
/// It is for a plain `#[test]`, since it makes a runtime of its own: within `#[tokio::test]` it panics.
///
/// Code that blocks its thread takes no time on this clock, so limits do not notice it. Sockets work, but while the
/// test waits for one, time advances. While it waits for the embedded store, which has threads, time does not advance;
/// leases there end by the machine's clock. Other threads can say that they work for a task by
/// [`ThreadWork`](crate::client::ThreadWork).
///
/// # Panics
/// The test panics, or no runtime can be made.
pub fn paused<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    // Called whenever no task can run, just before the clock advances.
    builder.on_thread_park(crate::client::settle);
    let runtime = builder.enable_all().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(test),
        Err(error) => panic!("no runtime: {error}"),
    }
}

/// A config whose HTTP server, `http`, listens on a free port of the loopback interface: see [`http_addr`].
#[cfg(feature = "http")]
#[must_use]
pub fn loopback() -> crate::config::Config {
    crate::config::Config::new().set("http", "endpoint", "127.0.0.1:0")
}

/// Where the HTTP server of an agent listens.
///
/// # Panics
/// The flavor binds nothing to [`dyn Http`](crate::http::Http), or it does not listen.
#[cfg(feature = "http")]
#[must_use]
pub fn http_addr<F>(agent: &crate::Agent<F>) -> std::net::SocketAddr
where
    crate::inject::flavor::ByItself<F>: crate::inject::find::Finds<F, dyn crate::http::Http>,
{
    match agent.find::<dyn crate::http::Http>().map(|http| http.local_addr()) {
        Some(Some(addr)) => addr,
        Some(None) => panic!("the HTTP server does not listen"),
        None => panic!("the flavor has no HTTP server"),
    }
}
