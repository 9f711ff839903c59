//! The plugin keeps the contract of plugins, and reports what it cannot open.

use cninfra::{
    config::Config,
    keyval::{Connector, Coordination, KeyVal, Kv, Leases, Reason, Revisions},
    prelude::*,
    testing::Conformance,
};
use cninfra_embedded::{EmbeddedConfig, EmbeddedKv};
use std::path::Path;

#[plugin]
struct Phonebook {
    store: Dep<dyn KeyVal>,
    history: Dep<dyn Revisions>,
    leases: Dep<dyn Leases>,
    others: Dep<dyn Coordination>,
}

impl Lifecycle for Phonebook {
    async fn init(&self, cx: &Context) -> Result<()> {
        let contacts = Kv::of_agent(&self.store, cx.service_label()).scoped("contacts/");
        contacts.put("alice", "555-0100").await?;
        self.history.revision().await?;
        self.leases.revoke(self.others.grant(std::time::Duration::from_secs(60)).await?.0).await?;
        Ok(())
    }
}

#[derive(Flavor)]
struct App {
    #[provides(dyn KeyVal, dyn Revisions, dyn Leases, dyn Coordination)]
    store: Dep<EmbeddedKv>,
    phonebook: Dep<Phonebook>,
}

fn at(path: &Path) -> Config {
    Config::new().set("embedded", "path", path.display().to_string())
}

#[test]
fn it_keeps_the_contract_of_plugins() {
    let path = crate::folder("kit").join("data.redb");
    let taken = crate::folder("kit-taken");
    Conformance::of("embedded", move || Agent::<App>::builder().config(at(&path)))
        .fails("its path is a folder", move || Agent::<App>::builder().config(at(&taken)))
        .check();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_has_a_store_without_a_server() {
    let path = crate::folder("agent").join("data.redb");
    for _ in 0..2 {
        let agent = Agent::<App>::builder().config(at(&path)).label("one").start().await.unwrap();
        let store = agent.store.store().unwrap();
        let found = Kv::new(store).get("/vnf-agent/one/contacts/alice").await.unwrap();
        assert_eq!(found.unwrap().value, "555-0100");
        let plugin = agent.store.clone();
        agent.close().await.unwrap();
        assert_eq!(*plugin.revision().await.unwrap_err().reason(), Reason::Closed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_where_it_is() {
    let path = crate::folder("where").join("data.redb");
    let agent = Agent::<App>::builder().config(at(&path)).start().await.unwrap();
    assert_eq!(agent.store.describe(), format!("embedded at {}", path.display()));
    let plugin = agent.store.clone();
    agent.close().await.unwrap();
    assert_eq!(plugin.describe(), format!("embedded at {}", path.display()));
    let config = Config::new().set("embedded", "in-memory", true).set("embedded", "path", "not-this");
    let agent = Agent::<App>::builder().config(config).start().await.unwrap();
    assert_eq!(agent.store.describe(), "embedded in memory");
    agent.close().await.unwrap();
}

#[test]
fn an_empty_path_is_none() {
    let file = crate::folder("no-path").join("embedded.conf");
    std::fs::write(&file, "path: ''\n").unwrap();
    let read: EmbeddedConfig = cninfra::config::from_file("embedded", &file).unwrap();
    assert_eq!(read.path, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_on_one_file_are_told_so() {
    let path = crate::folder("two").join("data.redb");
    let agent = Agent::<App>::builder().config(at(&path)).start().await.unwrap();
    let refused = Agent::<App>::builder().config(at(&path)).start().await.err().unwrap();
    let report = format!("{refused:?} {refused}");
    assert!(report.contains("another process") && report.contains("data.redb"), "{report}");
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_larger_than_the_file_takes_is_a_mistake_of_the_config() {
    let config = at(&crate::folder("large").join("data.redb")).set("embedded", "max-value", "2GiB");
    let refused = Agent::<App>::builder().config(config).start().await.err().unwrap();
    let report = format!("{refused:?} {refused}");
    assert!(report.contains("max-value") && report.contains("1GiB at most"), "{report}");
}
