//! [`Redis`]: the store as a plugin.

use crate::{RedisConfig, RedisStore, report};
use cninfra::{
    keyval::{Capabilities, Delegate, KvError, OpenStore, Reason, StoreMetrics},
    prelude::*,
    status::State,
};
use std::sync::Arc;

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
    store: OpenStore<RedisStore>,
    metrics: StoreMetrics,
}

impl Redis {
    /// The store, to use it without the agent; `None` before its first `init`, if the plugin is disabled, and after it
    /// was closed.
    #[must_use]
    pub fn store(&self) -> Option<RedisStore> {
        self.store.get().map(|store| (*store).clone())
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
        let store = match self.store.get() {
            // The store of an attempt that failed is kept, since others may already be using it.
            Some(store) => store,
            None => {
                let store = Arc::new(RedisStore::open(self.config.clone()).await?);
                self.store.open(store.clone());
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
        if let Some(store) = self.store.get()
            && let Err(error) = store.close().await
        {
            let ttl = self.config.session_ttl;
            cx.log().warn(format_args!("what ends with this agent ends by itself, {ttl} after it: {error:#}"));
        }
        self.store.close();
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
        self.store.for_call(op).map_err(|not_open| match self.config.is_set() {
            true => not_open.at(self.config.endpoints_shown()),
            false => {
                let error = KvError::new(op, Reason::NOT_CONFIGURED).not_applied().at("redis");
                error.because("nothing is set for it").with_help(NOT_SET)
            }
        })
    }
}
