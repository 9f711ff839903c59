//! [`Live`]: a config section that follows its file while the agent runs.

use super::{
    config::Config,
    followers::Follow,
    section::{ConfigMeta, Section},
};
use crate::{Result, foreign};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, sync::Arc};
use tokio::sync::watch;

/// A config section that follows its file while the agent runs. Declare a `#[config]` field of this type to use it.
///
/// The files are checked every two seconds (`agent.config-poll-interval`), and at once on SIGHUP if the agent is a
/// process of its own. Their content is compared, not their dates, so that the swap of a symbolic link is noticed, as
/// Kubernetes does it with a ConfigMap. A file from which a secret is read is followed too. New content takes effect
/// after it has stayed the same for a tenth of a second, and only as a whole. If anything is wrong with any section of
/// any file, or if a file has disappeared whose sections are in no new file, nothing changes: the mistakes are logged,
/// and the plugins with live sections are reported as degraded until the files are fixed. (Secrets of sections that
/// follow no file are read only when such a section changes, and are not waited for.) Variables and flags still
/// override the files. The agent's own section `logs` follows its file in the same way.
///
/// ```
/// use cninfra::{config::Live, prelude::*};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct GreeterConfig {
///     greeting: String,
/// }
///
/// #[plugin]
/// struct Greeter {
///     #[config]
///     config: Live<GreeterConfig>,
/// }
///
/// impl Lifecycle for Greeter {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         let (log, mut changes) = (cx.log(), self.config.changes());
///         cx.spawn("follow the config", async move {
///             while let Some(config) = changes.next().await {
///                 log.info(format_args!("it is `{}` from now on", config.greeting));
///             }
///         });
///         Ok(())
///     }
/// }
///
/// impl Greeter {
///     fn greet(&self) -> String {
///         self.config.get().greeting.clone()
///     }
/// }
/// ```
pub struct Live<C> {
    value: watch::Sender<Arc<C>>,
    /// Becomes true when the agent stops.
    ended: watch::Sender<bool>,
}

impl<C> Live<C> {
    /// A value that no file changes, for tests and for use without an agent.
    #[must_use]
    pub fn new(value: C) -> Self {
        Live { value: watch::Sender::new(Arc::new(value)), ended: watch::Sender::new(false) }
    }

    /// The section as it is now. This costs an uncontended lock and a reference count. Read it where it is needed, and
    /// keep it for as long as its values must be consistent with each other.
    #[must_use]
    pub fn get(&self) -> Arc<C> {
        self.value.borrow().clone()
    }

    /// The changes from now on.
    #[must_use]
    pub fn changes(&self) -> Changes<C> {
        Changes { value: self.value.subscribe(), ended: self.ended.subscribe() }
    }

    /// Replaces the value as if the file had changed, for tests.
    pub fn set(&self, value: C) {
        self.value.send_replace(Arc::new(value));
    }
}

impl<C> Clone for Live<C> {
    /// A clone is the same section: both see the same changes.
    fn clone(&self) -> Self {
        Live { value: self.value.clone(), ended: self.ended.clone() }
    }
}

impl<C: Default> Default for Live<C> {
    fn default() -> Self {
        Live::new(C::default())
    }
}

impl<C: fmt::Debug> fmt::Debug for Live<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// The changes of a [`Live`] section.
pub struct Changes<C> {
    value: watch::Receiver<Arc<C>>,
    ended: watch::Receiver<bool>,
}

impl<C> Changes<C> {
    /// Waits until the section differs from what it was at the previous call, or when this was made. Of several changes
    /// in between, only the last one is returned. `None` when the agent stops, so that a task that follows the changes
    /// ends by itself.
    ///
    /// # Cancel safety
    /// It may be dropped and called again: no change is lost.
    pub async fn next(&mut self) -> Option<Arc<C>> {
        tokio::select! {
            // An error means that the agent is gone.
            _ = self.ended.wait_for(|ended| *ended) => None,
            changed = self.value.changed() => {
                changed.ok()?;
                Some(self.value.borrow_and_update().clone())
            }
        }
    }
}

impl<C> fmt::Debug for Changes<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changes")
    }
}

#[diagnostic::do_not_recommend]
impl<C: Serialize + DeserializeOwned + Default + Send + Sync + 'static> Section for Live<C> {
    const META: ConfigMeta = ConfigMeta::of::<C>(true);
    type __Plain = C;

    fn __read(config: &Config, section: &str) -> Result<Self> {
        let followers = &config.followers;
        loop {
            let (existing, now) = followers.find::<Self>(section);
            if let Some(live) = existing {
                return Ok(live);
            }
            // The type's own code runs here, so no lock is held.
            let value = now.as_deref().unwrap_or(config).section::<C>(section)?;
            let live = Live { value: watch::Sender::new(Arc::new(value)), ended: followers.ended.clone() };
            if followers.add(section, &live, now.as_ref()) {
                return Ok(live);
            }
        }
    }
}

impl<C: DeserializeOwned + Default + Send + Sync + 'static> Follow<Config> for Live<C> {
    fn follow(&self, config: &Config, section: &str) -> bool {
        // The config was found valid, and its secrets have been read.
        let Ok(value) = config.section::<C>(section) else { return false };
        // Dropping the previous value may panic.
        foreign::discard(self.value.send_replace(Arc::new(value)));
        true
    }
}
