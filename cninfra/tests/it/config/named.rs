//! Names of plugins as values in config sections.

use cninfra::{
    config::{Config, Live, PluginName},
    prelude::*,
};
use cninfra_testbed::Folder;
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct GuardConfig {
    watches: Vec<PluginName>,
    first: Option<PluginName>,
}

#[plugin(no_lifecycle)]
struct Guard {
    #[config]
    config: Live<GuardConfig>,
}

#[plugin]
struct Store;
impl Lifecycle for Store {
    async fn init(&self, _: &Context) -> Result<()> {
        panic!("it is created")
    }
}

#[derive(Flavor)]
struct Guarded {
    store: Option<Dep<Store>>,
    guard: Dep<Guard>,
}

#[tokio::test]
async fn a_plugin_that_is_not_there_is_a_mistake_with_the_nearest_name() {
    let folder = Folder::new();
    folder.write("guard.conf", "watches:\n- store\n- stroe\nfirst: agent");
    let error = Agent::<Guarded>::builder().config_dir(folder.path()).start().await.unwrap_err();
    assert!(error.is_config(), "{error}");
    let error = error.to_string();
    for told in [
        "guard.conf:3:3: key `guard.watches[1]` names `stroe`, but this agent has no such plugin\n    help: did you mean `store`? its \
         plugins are `store`, `guard`",
        // `agent` is a section, but not a plugin.
        "guard.conf:4:8: key `guard.first` names `agent`, but this agent has no such plugin\n    help: its plugins are `store`, `guard`",
    ] {
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_plugin_that_is_switched_off_is_there() {
    let config = Config::new().set("guard", "watches", ["store"]).set("store", "enabled", false);
    let agent = Agent::<Guarded>::builder().config(config).start().await.unwrap();
    assert_eq!(agent.guard.config.get().watches, [PluginName::new("store")]);
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_plugin_that_is_not_there_is_told_below_what_holds_too() {
    let folder = Folder::new();
    folder.write("guard.conf", "first: store\nwatches: [store]");
    let config = Config::new().set("guard", "first", "stroe").set("guard", "watches", ["store", "nobody"]);
    let error = Agent::<Guarded>::builder().config(config).config_dir(folder.path()).start().await.unwrap_err();
    assert!(error.is_config(), "{error}");
    let error = error.to_string();
    for told in ["key `guard.first` names `stroe`, but", "key `guard.watches[1]` names `nobody`, but"] {
        assert_eq!(error.matches(told).count(), 1, "{error}");
    }
    // A value that is in force is reported once, though it is also read as part of its layer.
    folder.write("guard.conf", "first: stroe");
    let config = Config::new().set("guard", "watches", ["store"]);
    let error = Agent::<Guarded>::builder().config(config).config_dir(folder.path()).start().await.unwrap_err();
    assert_eq!(error.to_string().matches("names `stroe`").count(), 1, "{error}");
}
