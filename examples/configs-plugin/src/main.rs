//! A plugin with a config section: defaults, its file, variables, flags, and changes while it runs.
//!
//! ```sh
//! cargo run -p configs-plugin                                   # all defaults
//! cargo run -p configs-plugin -- --config-dir examples/configs-plugin
//! cargo run -p configs-plugin -- --set example.sleep=1m30s
//! cargo run -p configs-plugin -- --example-stop-after=3s          # stops by itself
//! EXAMPLE_FIELD1='from the environment' cargo run -p configs-plugin -- --print-config
//! ```
//!
//! Change `example.conf` while it runs; also try it with a mistake. Ctrl-C stops it.

use cninfra::{
    config::{ByteSize, Duration, Live, Secret},
    prelude::*,
};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

/// The section `example`. In files its keys are `field1`, `sleep`, `max-size`, `password`, `stop-after`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ExampleConfig {
    field1: String,
    sleep: Duration,
    max_size: ByteSize,
    password: Option<Secret>,
    /// After this time the example stops by itself; 0: it runs until it is stopped.
    stop_after: Duration,
}

impl Default for ExampleConfig {
    fn default() -> Self {
        let field1 = "some default value".to_string();
        let (sleep, stop_after) = (Duration::from_secs(0), Duration::from_secs(0));
        ExampleConfig { field1, sleep, max_size: ByteSize(64 << 10), password: None, stop_after }
    }
}

/// A plugin's own flags: each sets a key of its section.
const FLAGS: &[Flag] = &[
    Flag::new("example-field1", "field1").env("EXAMPLE_FIELD1").help("what is said at the start"),
    Flag::new("example-stop-after", "stop-after").help("how long the example lasts, such as 3s"),
];

#[plugin(flags = FLAGS)]
struct Example {
    #[config]
    config: Live<ExampleConfig>,
}

impl Lifecycle for Example {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.log().info(format_args!("loaded config: {:?}", self.config.get()));
        let (log, mut changes) = (cx.log(), self.config.changes());
        cx.spawn("follow the config", async move {
            while let Some(config) = changes.next().await {
                log.info(format_args!("new config: {config:?}"));
            }
        });
        Ok(())
    }

    async fn after_init(&self, cx: &Context) -> Result<()> {
        let lasts = self.config.get().stop_after;
        if !lasts.is_zero() {
            // A main task: when it ends, the agent stops.
            cx.spawn_main("example", async move {
                tokio::time::sleep(*lasts).await;
                Ok(())
            });
        }
        Ok(())
    }
}

/// An optional plugin: `enabled: false` in its section, here in `extra.conf`, switches it off.
#[plugin]
struct Extra;

#[derive(Flavor)]
struct Configs {
    example: Dep<Example>,
    extra: Option<Dep<Extra>>,
}

fn main() -> ExitCode {
    Agent::<Configs>::main()
}
