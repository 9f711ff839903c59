//! An agent with Redis: the platform's plugin connects, and a plugin of the example lists the existing keys.
//!
//! ```sh
//! cargo run -p redis-plugin -- --redis-config examples/redis-plugin/redis.conf
//! cargo run -p redis-plugin -- --set redis.endpoint=localhost:6379 --list-prefix /vnf-agent/
//! ```
//!
//! It ends by itself.

use cninfra::{
    keyval::{KeyVal, Kv},
    prelude::*,
};
use cninfra_flavors::Local;
use cninfra_redis::Redis;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

const FLAGS: &[Flag] = &[Flag::new("list-prefix", "prefix").help("what the keys begin with that are listed")];

/// The section `lister`.
#[derive(Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
struct ListerConfig {
    /// The prefix of the keys to list. Default: any.
    prefix: String,
    /// How many keys are listed at most. Default: 100.
    most: usize,
}

impl Default for ListerConfig {
    fn default() -> Self {
        ListerConfig { prefix: String::new(), most: 100 }
    }
}

#[plugin(flags = FLAGS)]
struct Lister {
    store: Dep<dyn KeyVal>,
    #[config]
    config: ListerConfig,
}

impl Lifecycle for Lister {
    /// When this is called, all plugins are initialised: the store is connected.
    async fn after_init(&self, cx: &Context) -> Result<()> {
        // All keys, not only those of this agent.
        let mut keys = Kv::of_all(&self.store).list_keys(&self.config.prefix);
        let mut count = 0;
        while let Some(entry) = keys.next().await? {
            if count == self.config.most {
                cx.log().info("there are more");
                break;
            }
            count += 1;
            info!(cx.log(), key = %String::from_utf8_lossy(&entry.key), "found a key");
        }
        info!(cx.log(), count, "all are listed");
        // A main task that ends at once: the agent stops when it has started.
        cx.spawn_main("end", async { Ok(()) });
        Ok(())
    }
}

#[derive(Flavor)]
struct RedisAgent {
    local: Local,
    #[provides(dyn KeyVal)]
    redis: Dep<Redis>,
    lister: Dep<Lister>,
}

fn main() -> ExitCode {
    Agent::<RedisAgent>::main()
}
