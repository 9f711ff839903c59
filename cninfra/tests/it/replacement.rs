//! Replacement in tests: ready instances, new ones, and interfaces that are bound to something else.

use crate::{plug, support::*};
use cninfra::prelude::*;
use fixture_base::Journal;
use fixture_connectors::{Connectors, Etcd, KvStore, Primary};
use std::sync::Arc;

plug!(App { kv: Dep<dyn KvStore>, journal: Dep<Journal> });

#[derive(Flavor)]
struct All {
    app: Dep<App>,
    connectors: Connectors,
}

struct Memory;
impl KvStore for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }
}

fn fake() -> Etcd {
    Etcd::<Primary>::fake(Journal::default().into())
}

#[tokio::test]
async fn with_takes_a_ready_plugin_and_runs_nothing_of_it() {
    let fake: Dep<Etcd> = fake().into();
    let agent = Agent::<All>::builder().record_events(true).with(fake.clone()).start().await.unwrap();
    assert!(Dep::ptr_eq(&agent.connectors.etcd, &fake) && agent.app.kv.name() == "primary");
    assert!(!Dep::ptr_eq(&fake.journal, &agent.app.journal));
    let events = lines(All::GRAPH, &agent.close().await.unwrap());
    assert!(!events.iter().any(|line| line.contains("Etcd")), "{events:?}");
    assert!(fake.journal.lines().is_empty());
}

#[tokio::test]
async fn with_new_runs_its_lifecycle_but_does_not_create_it() {
    let fake: Dep<Etcd> = fake().into();
    let agent = Agent::<All>::builder().with_new(fake.clone()).start().await.unwrap();
    assert!(Dep::ptr_eq(&agent.connectors.etcd, &fake));
    agent.close().await.unwrap();
    assert_eq!(fake.journal.lines(), ["init etcd", "close etcd"]);
}

#[tokio::test]
async fn bind_replaces_an_interface_and_its_provider_is_not_run() {
    let agent = Agent::<All>::builder().bind::<dyn KvStore>(Arc::new(Memory)).start().await.unwrap();
    assert_eq!((agent.app.kv.name(), agent.connectors.etcd.name()), ("memory", "primary"));
    let journal = agent.app.journal.clone();
    agent.close().await.unwrap();
    assert_eq!(journal.lines(), ["create etcd"]);
}

#[tokio::test]
async fn a_bound_provider_runs_if_somebody_takes_it_by_its_type() {
    plug!(Direct { etcd: Dep<Etcd> });
    #[derive(Flavor)]
    struct More {
        all: All,
        direct: Dep<Direct>,
    }
    let agent = Agent::<More>::builder().bind::<dyn KvStore>(Arc::new(Memory)).start().await.unwrap();
    assert_eq!(agent.all.app.kv.name(), "memory");
    let journal = agent.all.app.journal.clone();
    agent.close().await.unwrap();
    assert_eq!(journal.lines(), ["create etcd", "init etcd", "close etcd"]);
}

#[tokio::test]
async fn a_replacement_below_a_diamond_reaches_everyone() {
    let journal: Dep<Journal> = Journal::default().into();
    let agent = Agent::<All>::builder().with(journal.clone()).start().await.unwrap();
    assert!(Dep::ptr_eq(&agent.app.journal, &journal) && Dep::ptr_eq(&agent.connectors.etcd.journal, &journal));
    agent.close().await.unwrap();
}

#[tokio::test]
async fn of_two_replacements_the_first_stays_and_is_the_one_that_runs() {
    let (first, second): (Dep<Etcd>, Dep<Etcd>) = (fake().into(), fake().into());
    let agent = Agent::<All>::builder().with_new(first.clone()).with_new(second.clone()).start().await.unwrap();
    agent.close().await.unwrap();
    assert_eq!((first.journal.lines().len(), second.journal.lines().len()), (2, 0));
}
