//! The metrics of an agent, in a registry of its own. Nothing is global.
//!
//! A metric is a value of `prometheus_client`, which is re-exported here: a [`Counter`], a [`Gauge`], a
//! [`Histogram`](prometheus_client::metrics::histogram::Histogram), or a [`Family`] with one of them for each set of
//! labels. The plugin keeps a clone of it, and counts. The registry has another clone, and exposes it.
//!
//! ```
//! use cninfra::{metrics::{Counter, Format, Metrics}, prelude::*};
//!
//! #[plugin]
//! struct Poller {
//!     polls: Counter,
//! }
//!
//! impl Lifecycle for Poller {
//!     async fn init(&self, cx: &Context) -> Result<()> {
//!         cx.metrics().register("poller_polls", "Polls of all devices", self.polls.clone())?;
//!         self.polls.inc();
//!         Ok(())
//!     }
//! }
//!
//! #[derive(Flavor)]
//! struct Devices {
//!     poller: Dep<Poller>,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! let agent = Agent::<Devices>::start().await?;
//! assert!(agent.metrics().expose(Format::Text).text.contains("\npoller_polls_total 1\n"));
//! agent.close().await?;
//! # Ok(())
//! # }
//! ```

mod agent;
mod durations;
mod expose;
mod format;
mod lines;
mod process;

pub use durations::{Durations, DurationsSnapshot};
pub use expose::Exposition;
pub use format::Format;
pub use prometheus_client;
pub use prometheus_client::{
    collector::Collector,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Metric, Unit},
};

use process::ProcessMetrics;

use crate::{Error, Result};
use prometheus_client::registry::Registry;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// A registry of metrics. Clones share the registry.
///
/// Each agent has one: see [`Context::metrics`](crate::Context::metrics) and [`Agent::metrics`](crate::Agent::metrics).
/// [`Metrics::new`] makes a second one, for metrics that are scraped separately.
///
/// A metric is owned by the plugin that registers it. If a name is registered twice, the error names the owners. What a
/// plugin registers in a later attempt of its `init` replaces what a failed attempt has registered.
#[derive(Clone)]
pub struct Metrics {
    owner: Arc<str>,
    entries: Arc<Mutex<Entries>>,
}

/// By the metric's name. Each has a registry of its own, so that it can be removed again.
type Entries = BTreeMap<String, Arc<Entry>>;

struct Entry {
    owner: Arc<str>,
    registry: Registry,
    /// Whether it belongs to a failed attempt to start.
    is_outdated: AtomicBool,
    /// Why it was left out the first time. This is reported each time: the label or the panic may be another one at
    /// each scrape, but what is left out is logged only once.
    refusal: OnceLock<String>,
}

impl Metrics {
    /// An empty registry, for metrics of this owner.
    #[must_use]
    pub fn new(owner: &str) -> Self {
        Metrics { owner: owner.into(), entries: Arc::default() }
    }

    /// The same registry, for metrics of another owner.
    #[must_use]
    pub fn of(&self, owner: &str) -> Self {
        Metrics { owner: owner.into(), entries: self.entries.clone() }
    }

    /// Adds a metric, by the name under which it is scraped. For a counter, leave out `_total`, which is added.
    ///
    /// `help` is one line without a full stop, which is added.
    ///
    /// # Errors
    /// A name that is not valid, or that is registered already; a help text with more than one line.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) -> Result<()> {
        let help = &one_line(name, help)?;
        self.add(name, |registry| registry.register(name, help, metric))
    }

    /// Adds a metric with a unit, which is appended to the name: `register_with_unit("poll", .., Unit::Seconds, ..)` is
    /// scraped as `poll_seconds`.
    ///
    /// # Errors
    /// A name that is not valid, or that is registered already; a help text with more than one line.
    pub fn register_with_unit(&self, name: &str, help: &str, unit: Unit, metric: impl Metric) -> Result<()> {
        let full = format!("{name}_{}", unit.as_str());
        let help = &one_line(&full, help)?;
        self.add(&full, |registry| registry.register_with_unit(name, help, unit, metric))
    }

    /// Adds a collector, which is asked for its metrics at each scrape. `name` identifies it here, and is not exposed.
    ///
    /// A collector must not wait: it is called while a scrape is answered. It is left out of the answer if it panics,
    /// exposes a metric that another one has, or writes what scrapers refuse: see [`Exposition::left_out`].
    ///
    /// # Errors
    /// A name that is not valid, or that is registered already.
    pub fn register_collector(&self, name: &str, collector: impl Collector) -> Result<()> {
        self.add(name, |registry| registry.register_collector(Box::new(collector)))
    }

    /// Removes what this owner has registered under this name. Returns whether there was anything.
    pub fn unregister(&self, name: &str) -> bool {
        let mut entries = self.entries();
        let is_own = entries.get(name).is_some_and(|entry| entry.owner == self.owner);
        // Dropped after the lock is released, since a metric's destructor is foreign code.
        let removed = if is_own { entries.remove(name) } else { None };
        drop(entries);
        removed.is_some()
    }

    /// Adds a collector under this name, which is known to be free.
    pub(crate) fn put(&self, name: &str, collector: impl Collector) {
        let entry = self.entry(|registry| registry.register_collector(Box::new(collector)));
        self.entries().insert(name.to_string(), entry);
    }

    fn entry(&self, add: impl FnOnce(&mut Registry)) -> Arc<Entry> {
        let mut registry = Registry::default();
        add(&mut registry);
        Arc::new(Entry {
            owner: self.owner.clone(),
            registry,
            is_outdated: AtomicBool::new(false),
            refusal: OnceLock::new(),
        })
    }

    fn add(&self, name: &str, add: impl FnOnce(&mut Registry)) -> Result<()> {
        check(name)?;
        let entry = self.entry(add);
        let mut entries = self.entries();
        let (text, help) = match entries.get(name) {
            Some(other) if other.owner != self.owner => (
                format!("metric `{name}` of `{}` is registered already, by `{}`", self.owner, other.owner),
                "begin a metric's name with that of its plugin",
            ),
            Some(mine) if !mine.is_outdated.load(Relaxed) => (
                format!("metric `{name}` is registered already, by `{}` itself", self.owner),
                "register it once, and keep a clone of it; or `unregister` it before",
            ),
            _ => {
                let before = entries.insert(name.to_string(), entry);
                // Dropped after the lock is released, since a metric's destructor is foreign code.
                drop(entries);
                drop(before);
                return Ok(());
            }
        };
        // The refused metric is dropped after the lock is released, too.
        drop(entries);
        Err(Error::msg(text).with_help(help))
    }

    /// What this owner has registered is replaced by what it registers next, since its attempt to start has failed.
    pub(crate) fn outdate(&self, owner: &str) {
        let entries = self.entries();
        entries
            .values()
            .filter(|entry| &*entry.owner == owner)
            .for_each(|entry| entry.is_outdated.store(true, Relaxed));
    }

    /// Takes out all metrics of all owners. The caller drops them where foreign code may run.
    pub(crate) fn take_all(&self) -> impl Sized + use<> {
        std::mem::take(&mut *self.entries())
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries().keys()).finish()
    }
}

/// The help text with its escapes, which the encoder does not add.
fn one_line(name: &str, help: &str) -> Result<String> {
    if help.contains(['\n', '\r']) {
        let text = format!("the help text of metric `{name}` has more than one line");
        return Err(Error::msg(text).with_help("write it in one line, without a full stop"));
    }
    Ok(help.replace('\\', r"\\"))
}

/// Checks a name: it has letters, digits and `_`. (Colons are for the rules of Prometheus.)
fn check(name: &str) -> Result<()> {
    let wrong = |help: &str| Err(Error::msg(format_args!("`{name}` cannot be a metric's name")).with_help(help));
    if !lines::is_name(name, false) {
        return wrong(&format!("write {}", lines::LETTERS));
    }
    match ["_total", "_info", "_bucket", "_created"].into_iter().find(|end| name.ends_with(end)) {
        Some(_) => wrong("leave out `_total`, `_info`, `_bucket` and `_created`: they are added when a metric is told"),
        None => Ok(()),
    }
}
