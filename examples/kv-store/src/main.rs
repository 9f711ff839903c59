//! A plugin that keeps its data in a key-value store, and watches it.
//!
//! ```sh
//! cargo run -p kv-store                            # stores in `data/vpp1.redb`, for the next run too
//! cargo run -p kv-store -- --embedded-path=/tmp/greetings.redb
//! cargo run -p kv-store -- --set embedded.in-memory=true
//! ```
//!
//! It ends by itself. To run it on etcd, change one line: `store: Dep<Etcd>` from `cninfra-etcd`, and set
//! `ETCD_ENDPOINTS=127.0.0.1:2379`.

use cninfra::{
    keyval::{KeyVal, Kv, SerdeJson, TypedUpdate, WatchOptions},
    prelude::*,
};
use cninfra_embedded::EmbeddedKv;
use cninfra_flavors::Local;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

/// The stored value: in JSON, at `/vnf-agent/<label>/greetings/<name>`.
#[derive(Debug, Serialize, Deserialize)]
struct Greeting {
    text: String,
    /// How often it was said, over all runs.
    said: u32,
}

#[plugin]
struct Greeter {
    store: Dep<dyn KeyVal>,
}

impl Lifecycle for Greeter {
    async fn after_init(&self, cx: &Context) -> Result<()> {
        let greetings = Kv::of_agent(&self.store, cx.service_label()).scoped("greetings/").typed(SerdeJson);
        let mut watch = greetings.watch(["world"], WatchOptions::default()).await?;
        let (log, stop) = (cx.log(), cx.stop_handle());
        cx.spawn_until_close("greet", async move {
            let greet = |greeting: Option<Greeting>| {
                let said = greeting.map_or(0, |greeting| greeting.said) + 1;
                Some(Greeting { text: "Hello, world!".to_string(), said })
            };
            let mut is_done = false;
            while let Some(update) = watch.next().await {
                match update {
                    TypedUpdate::Put((entry, Ok(Greeting { text, said }))) => {
                        log.info(format_args!("{:?} is {text:?}, said {said} times", entry.key));
                        if is_done {
                            return stop.stop();
                        }
                    }
                    // All existing entries have been reported; what follows is new.
                    TypedUpdate::Synced(_) => {
                        is_done = true;
                        if let Err(error) = greetings.update("world", greet).await {
                            log.error(format_args!("the greeting is not written: {error}"));
                            return stop.stop();
                        }
                    }
                    TypedUpdate::Put((_, Err(error))) => log.warn(format_args!("{error:#}")),
                    other => log.info(format_args!("{other:?}")),
                }
            }
        });
        Ok(())
    }
}

#[derive(Flavor)]
struct Greetings {
    local: Local,
    /// The one line that says where the data is.
    #[provides(dyn KeyVal)]
    store: Dep<EmbeddedKv>,
    greeter: Dep<Greeter>,
}

fn main() -> ExitCode {
    Agent::<Greetings>::main()
}
