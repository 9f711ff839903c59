//! [`Loggers`]: the loggers of one agent, and their levels.

use super::{
    Level, LogSettings, Logger, Origin, Source,
    ending::Ending,
    logger::Core,
    pattern::name_of,
    registry::Registry,
    rules::{Rule, Rules},
    settings::{DEFAULT, pattern},
};
use crate::{Error, Result, config::nearest};
use serde::Serialize;
use std::{
    fmt,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};
use tokio::{runtime::Handle, time::Instant};

/// The name of the logger of the agent itself.
const AGENT: &str = "agent";

/// The loggers of one agent, by name, and their levels, which also apply to loggers that appear later.
///
/// It belongs to the agent: see [`Agent::loggers`](crate::Agent::loggers) and
/// [`Context::loggers`](crate::Context::loggers). Two agents in one process share nothing. Without an agent, make it
/// with [`Loggers::new`].
///
/// A level is set for a name (`etcd`), for a pattern (`etcd*`, where `*` matches any characters), or for the name
/// `default`, which means all loggers without a level of their own. If several apply, the [`Source`] decides first: in
/// rising precedence program, config, environment, run time, and temporarily at run time. Within one source a name
/// overrides patterns, and a long pattern overrides a short one. A child logger (`etcd.watch`) without a level of its
/// own has the level of its parent.
///
/// Names are those of plugins (their instance names), of child loggers (`etcd.watch`), of the agent itself (`agent`),
/// and of libraries: what they log through `tracing` or `log` has the name of their module, such as `hyper::proto`, if
/// the log of the process is an [`Output`](super::Output) of these loggers.
///
/// ```
/// use cninfra::logging::{Level, Loggers, LogSettings};
///
/// let loggers = Loggers::new("phonebook", LogSettings::new());
/// let (etcd, watch) = (loggers.get("etcd"), loggers.get("etcd").child("watch"));
/// loggers.set("etcd", Level::Debug)?;
/// assert!(etcd.is_enabled(Level::Debug) && watch.is_enabled(Level::Debug));
/// loggers.reset("etcd")?;
/// assert_eq!(etcd.level(), Level::Info);
/// # Ok::<(), cninfra::Error>(())
/// ```
#[derive(Clone)]
pub struct Loggers(Arc<Registry>);

/// A logger and its level: see [`Loggers::list`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct LoggerLevel {
    /// The logger's name.
    pub name: String,
    /// The lowest level that it logs.
    pub level: Level,
    /// Why it has this level.
    #[serde(flatten)]
    pub origin: Origin,
}

/// A level that was set: see [`Loggers::rules`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct LevelRule {
    /// The name of a logger, a pattern, or `default`.
    pub name: String,
    /// The level.
    pub level: Level,
    /// Where it was set.
    pub source: Source,
    /// The exact place, if it is known, as in [`Origin`].
    pub place: Option<String>,
    /// How long it is still in force, if it was set for a limited time.
    pub ends_in: Option<Duration>,
}

impl Loggers {
    /// Loggers for a program without an agent. Records are marked with `agent`.
    #[must_use]
    pub fn new(agent: &str, settings: LogSettings) -> Self {
        let loggers = Loggers::unnamed(settings);
        loggers.set_agent(agent);
        loggers
    }

    /// The loggers of an agent whose service label is not known yet.
    pub(crate) fn unnamed(settings: LogSettings) -> Self {
        Loggers(Arc::new(Registry::new(settings.rules)))
    }

    /// Sets the service label of the agent. Later calls change nothing.
    pub(crate) fn set_agent(&self, agent: &str) {
        self.0.agent.get_or_init(|| agent.into());
    }

    /// The service label of the agent; empty before it is known.
    #[must_use]
    pub fn agent(&self) -> &str {
        self.0.agent.get().map_or("", |agent| agent)
    }

    /// Adds levels, which replace those that the same sources have set for the same names.
    pub(crate) fn add(&self, settings: &LogSettings) -> Result<()> {
        self.change(|rules| settings.rules.iter().try_for_each(|rule| rules.put(rule.clone())))
    }

    /// Replaces the levels of the config and the environment. If the new ones are refused, the old ones stay.
    pub(crate) fn set_config(&self, settings: &LogSettings) -> Result<()> {
        self.change(|rules| {
            let mut new = rules.clone();
            new.remove_all(&[Source::Config, Source::Environment]);
            settings.rules.iter().try_for_each(|rule| new.put(rule.clone()))?;
            *rules = new;
            Ok(())
        })
    }

    /// The logger of this name: the same one for the same name. It is created on first use. Characters that a name
    /// cannot have (allowed are letters, digits, `.`, `-`, `_` and `:`) become `_`.
    #[must_use]
    pub fn get(&self, name: &str) -> Logger {
        let name = name_of(name);
        let mut inner = self.0.lock();
        if let Some(core) = inner.loggers.get(&*name).and_then(Weak::upgrade) {
            return Logger::new(core);
        }
        if inner.loggers.len() >= inner.prune_at {
            inner.loggers.retain(|_, core| core.strong_count() > 0);
            inner.prune_at = 64.max(2 * inner.loggers.len());
        }
        let (level, _) = inner.rules.resolve(&name);
        let name: Arc<str> = name.into();
        let core = Arc::new(Core::new(name.clone(), level, self.clone()));
        inner.loggers.insert(name, Arc::downgrade(&core));
        Logger::new(core)
    }

    /// The logger of the agent itself.
    pub(crate) fn of_agent(&self) -> Logger {
        self.get(AGENT)
    }

    /// The existing loggers, by name, each with its level and the reason for it.
    #[must_use]
    pub fn list(&self) -> Vec<LoggerLevel> {
        let mut inner = self.0.lock();
        inner.loggers.retain(|_, core| core.strong_count() > 0);
        let level = |name: &Arc<str>| {
            let (level, origin) = inner.rules.resolve(name);
            LoggerLevel { name: name.to_string(), level, origin }
        };
        inner.loggers.keys().map(level).collect()
    }

    /// Whether there is a logger of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.lock().loggers.get(name).is_some_and(|core| core.strong_count() > 0)
    }

    /// The existing logger that was probably meant by a misspelled name. For the name of a child, its first part is
    /// compared. `None` for a pattern, and for the name of a library.
    #[must_use]
    pub fn meant(&self, name: &str) -> Option<String> {
        let first = name.split('.').next().unwrap_or(name);
        if first == DEFAULT || first.contains(['*', '?', ':']) {
            return None;
        }
        let names: Vec<String> = self.list().into_iter().map(|logger| logger.name).collect();
        let names = || names.iter().map(String::as_str);
        // There may be only children of it.
        if names().any(|known| known.split('.').next() == Some(first)) {
            return None;
        }
        nearest(first, names()).map(str::to_string)
    }

    /// The level that applies to a name, whether such a logger exists or not, and the reason.
    #[must_use]
    pub fn level(&self, name: &str) -> LoggerLevel {
        let inner = self.0.lock();
        if name == DEFAULT {
            let (level, origin) = inner.rules.default_level();
            return LoggerLevel { name: name.to_string(), level, origin };
        }
        let (level, origin) = inner.rules.resolve(name);
        LoggerLevel { name: name.to_string(), level, origin }
    }

    /// All levels that were set, in the order in which they were, including those for loggers that do not exist yet.
    #[must_use]
    pub fn rules(&self) -> Vec<LevelRule> {
        let inner = self.0.lock();
        let level_rule = |rule: &Rule| LevelRule {
            name: rule.pattern.as_ref().map_or(DEFAULT, |pattern| pattern.as_str()).to_string(),
            level: rule.level,
            source: rule.source,
            place: rule.place(),
            ends_in: rule.until.map(|until| until.saturating_duration_since(Instant::now())),
        };
        inner.rules.iter().filter(|rule| rule.holds()).map(level_rule).collect()
    }

    /// Sets the level of the logger of this name, or of those that a pattern matches, including loggers that appear
    /// later. It ends a level set for a limited time by [`Loggers::set_for`].
    ///
    /// # Errors
    /// It is neither a name nor a pattern, or far too many levels are set.
    pub fn set(&self, name_or_pattern: &str, level: Level) -> Result<()> {
        let pattern = pattern(name_or_pattern)?;
        self.change(|rules| {
            rules.remove(pattern.as_ref(), Source::Temporary);
            rules.put(Rule::new(pattern, level, Source::Runtime))
        })
    }

    /// Sets the level for a limited time. After `time` the level is what it would be without this call. The limit is
    /// enforced as long as the agent runs, or, without an agent, the tokio runtime where this was first called.
    ///
    /// # Errors
    /// As [`Loggers::set`]; also outside a tokio runtime if no agent runs, since nothing could end it.
    pub fn set_for(&self, name_or_pattern: &str, level: Level, time: Duration) -> Result<()> {
        let pattern = pattern(name_or_pattern)?;
        let Some(until) = Instant::now().checked_add(time) else { return self.set(name_or_pattern, level) };
        self.ensure_ending()?;
        self.change(|rules| rules.put(Rule { until: Some(until), ..Rule::new(pattern, level, Source::Temporary) }))?;
        self.0.limit_added.notify_one();
        Ok(())
    }

    /// Takes back what was set at run time for exactly this name or pattern, so that config and environment apply
    /// again. Returns whether there was anything to take back.
    ///
    /// # Errors
    /// It is neither a name nor a pattern.
    pub fn reset(&self, name_or_pattern: &str) -> Result<bool> {
        let pattern = pattern(name_or_pattern)?;
        let mut any = false;
        self.change(|rules| {
            any |= rules.remove(pattern.as_ref(), Source::Runtime);
            any |= rules.remove(pattern.as_ref(), Source::Temporary);
            Ok(())
        })?;
        Ok(any)
    }

    /// Takes back everything that was set at run time.
    pub fn reset_all(&self) {
        // A removal is never refused.
        let _ = self.change(|rules| {
            rules.remove_all(&[Source::Runtime, Source::Temporary]);
            Ok(())
        });
    }

    /// An agent begins to run, on this runtime.
    pub(crate) fn begin(&self, runtime: Handle) {
        self.0.lock().runtime = Some(runtime);
    }

    /// The agent has closed: levels that were set for a limited time end.
    pub(crate) fn end(&self) {
        let ending = {
            let mut inner = self.0.lock();
            inner.runtime = None;
            inner.ending.take()
        };
        if let Some(ending) = ending {
            ending.abort();
            self.0.end_all();
        }
    }

    /// The level for the records of a library, by their target.
    pub(super) fn of_library(&self, target: &str) -> Level {
        self.0.lock().rules.of_library(target)
    }

    /// The log of the process uses these levels for libraries: from now on, `tracing` is told when they change.
    pub(super) fn use_for_libraries(&self) {
        self.0.serves_libraries.store(true, Ordering::Relaxed);
    }

    /// The log of the process receives the records of the crate `log`, whose level is global and is checked before any
    /// other.
    pub(super) fn use_for_log_crate(&self) {
        self.0.serves_log_crate.store(true, Ordering::Relaxed);
        self.0.set_log_crate_level();
    }

    fn change(&self, change: impl FnOnce(&mut Rules) -> Result<()>) -> Result<()> {
        self.0.change(change)
    }

    /// Starts the task that ends temporary levels, if it does not run. It is started under the lock, so that there is
    /// only one.
    fn ensure_ending(&self) -> Result<()> {
        let mut inner = self.0.lock();
        if inner.ending.as_ref().is_some_and(Ending::is_running) {
            return Ok(());
        }
        let runtimes = inner.runtime.clone().into_iter().chain(Handle::try_current());
        let begin = |runtime: Handle| Ending::begin(&runtime, Arc::downgrade(&self.0), self.0.limit_added.clone());
        inner.ending = runtimes.into_iter().find_map(begin);
        match inner.ending {
            Some(_) => Ok(()),
            None => Err(Error::msg("a level cannot be set for a while outside of a tokio runtime")
                .with_help("call it in a task, or use `set` and `reset`")),
        }
    }
}

impl Default for Loggers {
    /// Loggers that belong to no agent, all at `info`.
    fn default() -> Self {
        Loggers::unnamed(LogSettings::new())
    }
}

impl fmt::Debug for Loggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.list().into_iter().map(|logger| (logger.name, logger.level))).finish()
    }
}
