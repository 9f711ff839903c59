//! Optional plugins: `Option<Dep<P>>` in the flavor, switched off by `enabled: false`.

use cninfra::{config::Config, prelude::*, status::State};
use fixture_base::{Journal, Local, Routes};
use fixture_connectors::{Etcd, KvStore};

#[plugin]
pub struct Extra {
    journal: Dep<Journal>,
}
impl Lifecycle for Extra {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.journal.note("init", cx);
        Ok(())
    }
}
impl Routes for Extra {
    fn routes(&self) -> Vec<String> {
        vec!["/extra".into()]
    }
}
#[plugin]
struct App {
    extra: Option<Dep<Extra>>,
    kv: Option<Dep<dyn KvStore>>,
    routes: Vec<Dep<dyn Routes>>,
    #[context]
    cx: Context,
}

#[derive(Flavor)]
struct All {
    app: Dep<App>,
    #[provides(dyn Routes)]
    extra: Option<Dep<Extra>>,
    #[provides(dyn KvStore)]
    etcd: Option<Dep<Etcd>>,
    local: Local,
}

#[tokio::test]
async fn is_there_unless_it_is_switched_off() {
    let agent = Agent::<All>::start().await.unwrap();
    assert!(agent.extra.is_some() && agent.app.extra.is_some() && agent.find::<Extra>().is_some());
    assert_eq!((agent.app.kv.as_ref().unwrap().name(), agent.app.routes.len()), ("primary", 1));
    assert_eq!(agent.local.journal.lines(), ["create etcd", "init extra", "init etcd"]);
    agent.close().await.unwrap();
}

#[tokio::test]
async fn switched_off_it_is_none_everywhere() {
    let off = Config::new().set("extra", "enabled", false).set("etcd", "enabled", false);
    let agent = Agent::<All>::builder().config(off).start().await.unwrap();
    assert!(agent.extra.is_none() && agent.app.extra.is_none() && agent.find::<Extra>().is_none());
    assert!(agent.etcd.is_none() && agent.app.kv.is_none() && agent.app.routes.is_empty());
    assert!(agent.find::<dyn KvStore>().is_none() && agent.local.journal.lines().is_empty());
    let status = agent.app.cx.status().agent();
    let states: Vec<_> = status.plugins.iter().map(|plugin| (plugin.name, plugin.state)).collect();
    for (name, state) in [("extra", State::Disabled), ("etcd", State::Disabled), ("app", State::Ok)] {
        assert!(states.contains(&(name, state)), "{states:?}");
    }
    assert!(status.is_ready());
    agent.close().await.unwrap();
}

#[test]
fn the_graph_says_so() {
    let optional: Vec<_> = All::GRAPH.nodes().iter().filter(|n| n.optional).map(|n| n.name()).collect();
    assert_eq!(optional, ["Extra", "Etcd<Primary>"]);
    assert!(All::GRAPH.before("Extra", "App") && All::GRAPH.dot().contains("[label=\"Extra\", style=dashed]"));
}

#[tokio::test]
async fn only_an_optional_plugin_is_switched_off() {
    let off = Config::new().set("app", "enabled", false).set("etcd", "enabled", "maybe");
    let error = Agent::<All>::builder().config(off).start().await.unwrap_err();
    assert!(error.is_config());
    let text = error.to_string();
    for part in [
        "section `app`: set by the program: key `app.enabled`: the plugin is not an optional one of its flavor",
        "a field `Option<Dep<..>>`",
        "section `etcd`: set by the program: key `etcd.enabled` takes `true` or `false`, not the text `maybe`",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
