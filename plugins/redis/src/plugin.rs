//! [`Redis`]: the store as a plugin.

use crate::{RedisConfig, RedisStore, report};
use cninfra::{
    keyval::{Capabilities, Delegate, KvError, Reason, StoreMetrics},
    prelude::*,
    status::State,
};
use std::sync::{Arc, PoisonError, RwLock};

/// Redis as a store of an agent: it provides [`KeyVal`](cninfra::keyval::KeyVal).
///
/// ```
/// use cninfra::{keyval::{KeyVal, Kv}, prelude::*};
/// use cninfra_redis::Redis;
///
/// #[plugin]
/// struct Phonebook {
///     store: Dep<dyn KeyVal>,
/// }
///
/// impl Lifecycle for Phonebook {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         let contacts = Kv::of_agent(&self.store, cx.service_label()).scoped("contacts/");
///         contacts.put("alice", "555-0100").await?;
///         Ok(())
///     }
/// }
///
/// #[derive(Flavor)]
/// struct App {
///     #[provides(dyn KeyVal)]
///     store: Dep<Redis>,
///     phonebook: Dep<Phonebook>,
/// }
/// ```
///
/// Its config section is `redis`, in the file `redis.conf` (or the one given by `--redis-config`): see [`RedisConfig`].
/// If that does not say where Redis is, the plugin is disabled, and its calls fail.
///
/// It connects in its `init`, which fails if Redis does not answer; `start-policy` says what happens then. An agent
/// that starts without it can use the store all the same: calls wait for Redis within their limits, and watches begin
/// when it is there. From the first answer on, even if the failure of its start was ignored, its status is ok while all
/// servers answer; degraded while they answer calls, but do not report changes to watches; and error, with the
/// endpoint, while a server does not answer.
#[plugin(name = "redis")]
pub struct Redis {
    #[config(check = RedisConfig::check)]
    config: RedisConfig,
    current: RwLock<Current>,
    metrics: StoreMetrics,
}

#[derive(Clone, Default)]
enum Current {
    #[default]
    None,
    Open(Arc<RedisStore>),
    Closed,
}

impl Redis {
    /// The store, to use it without the agent; `None` before its first `init`, if the plugin is disabled, and after it
    /// was closed.
    #[must_use]
    pub fn store(&self) -> Option<RedisStore> {
        self.opened().map(|store| (*store).clone())
    }

    fn opened(&self) -> Option<Arc<RedisStore>> {
        match self.current() {
            Current::Open(store) => Some(store),
            Current::None | Current::Closed => None,
        }
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, current: Current) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }
}

const NOT_SET: &str =
    "no endpoint is configured: set `endpoint`, or `endpoints` for sentinels and clusters, in redis.conf";

impl Lifecycle for Redis {
    async fn init(&self, cx: &Context) -> Result<()> {
        if !self.config.is_set() {
            cx.status().report_because(State::Disabled, NOT_SET);
            return Ok(());
        }
        self.metrics.register(cx);
        let store = match self.opened() {
            // The store of an attempt that failed is kept, since others may already be using it.
            Some(store) => store,
            None => {
                let store = Arc::new(RedisStore::open(self.config.clone()).await?);
                self.put(Current::Open(store.clone()));
                report::begin(&store, cx.clone(), self.metrics.clone());
                store
            }
        };
        store.probe().await?;
        cx.log().debug(format_args!("is connected to {}", store.endpoints()));
        // Only a warning: the agent may not use watches.
        match store.mute().await {
            Ok(Some(why)) => cx.log().warn(format_args!("watches will be refused: {why}")),
            Ok(None) => {}
            Err(error) => cx.log().warn(format_args!("whether watches will be refused is not known: {error:#}")),
        }
        Ok(())
    }

    async fn close(&self, cx: &Context) -> Result<()> {
        if let Some(store) = self.opened()
            && let Err(error) = store.close().await
        {
            let ttl = self.config.session_ttl;
            cx.log().warn(format_args!("what ends with this agent ends by itself, {ttl} after it: {error:#}"));
        }
        // Not earlier: other plugins may still be giving back what they hold in this store.
        self.put(Current::Closed);
        Ok(())
    }
}

impl Delegate for Redis {
    type Store = RedisStore;

    fn capabilities(&self) -> Capabilities {
        crate::store::capabilities(self.config.is_cluster())
    }

    fn is_configured(&self) -> bool {
        self.config.is_set()
    }

    fn describe(&self) -> String {
        format!("redis at {}", self.config.endpoints_shown())
    }

    fn metrics(&self) -> Option<&StoreMetrics> {
        Some(&self.metrics)
    }

    fn store(&self, op: &'static str) -> Result<Arc<RedisStore>, KvError> {
        let at = || self.config.endpoints_shown();
        let (reason, endpoints, cause, help) = match self.current() {
            Current::Open(store) => return Ok(store),
            _ if !self.config.is_set() => {
                (Reason::NOT_CONFIGURED, "redis".to_string(), "nothing is set for it", NOT_SET)
            }
            Current::None => (Reason::Unavailable, at(), "the plugin has not begun", crate::failure::REACH),
            // Not `Unavailable`, which callers would wait for.
            Current::Closed => (
                Reason::Closed,
                at(),
                "the plugin was closed",
                "depend on the plugin: it is closed after those that do",
            ),
        };
        Err(KvError::new(op, reason).not_applied().at(endpoints).because(cause).with_help(help))
    }
}
