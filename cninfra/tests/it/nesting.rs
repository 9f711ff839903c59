//! Nested flavors: distinguished by type, shared if they are reached twice, declared in function bodies, and wide ones.

use crate::plug;
use cninfra::prelude::*;
use fixture_base::{Health, Http, Journal, Rpc};
use fixture_connectors::{Backup, Connectors, Etcd, KvStore, Primary};

#[tokio::test]
async fn a_diamond_is_one_instance_and_a_flavor_may_stand_in_a_fn_body() {
    plug!(App { journal: Dep<Journal>, http: Dep<Http>, kv: Dep<dyn KvStore>, backup: Option<Dep<Etcd<Backup>>> });
    #[derive(Flavor)]
    struct All {
        app: Dep<App>,
        rpc: Rpc,
        connectors: Connectors,
    }
    assert_eq!(All::GRAPH.len(), 5);
    let agent = Agent::<All>::start().await.unwrap();
    let all: &All = &agent;
    let journal = &all.rpc.local.journal;
    assert!(Dep::ptr_eq(journal, &all.connectors.local.journal) && Dep::ptr_eq(journal, &all.connectors.etcd.journal));
    assert!(Dep::ptr_eq(journal, &all.app.journal) && Dep::ptr_eq(&all.app.http, &all.rpc.http));
    assert!(all.app.backup.is_none() && all.app.kv.name() == "primary" && all.rpc.http.routes.is_empty());
    let journal = journal.clone();
    agent.close().await.unwrap();
    // Created, initialised and closed once.
    assert_eq!(journal.lines(), ["create etcd", "init etcd", "init http", "close http", "close etcd"]);
}

#[tokio::test]
async fn anything_is_found_by_its_type() {
    let agent = Agent::<Connectors>::start().await.unwrap();
    assert_eq!(agent.find::<dyn KvStore>().unwrap().name(), "primary");
    assert!(agent.find::<Etcd<Backup>>().is_none() && agent.find::<Health>().is_some());
    agent.close().await.unwrap();
}

type Spare = Etcd<Backup>;

#[tokio::test]
async fn qualifiers_tell_instances_apart_and_aliases_are_the_same_type() {
    plug!(App { main: Dep<Etcd>, spare: Option<Dep<Spare>> });
    #[derive(Flavor)]
    struct Two {
        app: Dep<App>,
        main: Dep<Etcd<Primary>>,
        #[provides(dyn KvStore)]
        spare: Dep<Spare>,
        local: fixture_base::Local,
    }
    assert_eq!(Two::GRAPH.names(), ["Journal", "Etcd<Primary>", "Etcd<Backup>", "Health", "App"]);
    let instances: Vec<_> = Two::GRAPH.nodes().iter().map(|node| node.instance()).collect();
    assert_eq!(instances, ["journal", "etcd", "etcd-backup", "health", "app"]);
    let agent = Agent::<Two>::start().await.unwrap();
    assert!(Dep::ptr_eq(agent.app.spare.as_ref().unwrap(), &agent.spare));
    assert_eq!(agent.find::<dyn KvStore>().unwrap().name(), "backup");
    agent.close().await.unwrap();
}

mod open {
    use super::*;
    plug!(Web { journal: Dep<Journal> });

    /// The dependencies of its plugins come from the flavor around it.
    #[derive(Flavor)]
    #[flavor(open)]
    pub struct WebPart {
        pub web: Dep<Web>,
    }

    #[derive(Flavor)]
    pub struct Whole {
        part: WebPart,
        journal: Dep<Journal>,
    }

    #[tokio::test]
    async fn an_open_flavor_takes_from_the_one_around_it() {
        assert_eq!(Whole::GRAPH.names(), ["Journal", "Web"]);
        let agent = Agent::<Whole>::start().await.unwrap();
        assert!(Dep::ptr_eq(&agent.part.web.journal, &agent.journal));
        agent.close().await.unwrap();
    }
}

mod wide {
    use super::*;
    macro_rules! many {
        ($($name:ident)*) => {
            $(
                #[allow(non_camel_case_types)]
                #[plugin]
                pub struct $name { pub journal: Dep<Journal> }
            )*
            #[derive(Flavor)]
            pub struct Wide {
                $(pub $name: Dep<$name>,)*
                pub local: fixture_base::Local,
                #[provides(dyn KvStore)]
                pub etcd: Dep<Etcd>,
            }
        };
    }
    many!(p0 p1 p2 p3 p4 p5 p6 p7 p8 p9 pa pb pc pd pe pf pg ph pi pj pk pl pm pn po pp pq pr ps pt pu pv pw px py pz);

    #[tokio::test]
    async fn more_fields_than_a_row_holds() {
        let agent = Agent::<Wide>::start().await.unwrap();
        assert!(Wide::GRAPH.len() == 39 && Dep::ptr_eq(&agent.pz.journal, &agent.p0.journal));
        assert!(Dep::ptr_eq(&agent.pz.journal, &agent.local.journal));
        assert_eq!(agent.find::<dyn KvStore>().unwrap().name(), "primary");
        agent.close().await.unwrap();
    }
}

/// Plugins with names that generated code might use as well.
mod ordinary_names {
    use super::*;

    #[interface]
    pub trait Named {}
    type Alias = dyn Named;

    macro_rules! many {
        ($($field:ident: $name:ident),*) => {
            $(
                #[allow(non_camel_case_types)]
                #[plugin(no_lifecycle)]
                pub struct $name {}
                impl Named for $name {}
            )*
            #[derive(Flavor)]
            pub struct Wide {
                #[provides(Alias)]
                pub first: Dep<Provided>,
                $(pub $field: Dep<$name>,)*
            }
        };
    }
    #[plugin(no_lifecycle)]
    pub struct Provided {}
    impl Named for Provided {}
    many!(a: Row0, b: Row1, c: Row2, d: __Id, e: Row3, f: Provided0_0, g: Provided0_1, h: Fields, i: Tree, j: __Checks, k: __Argument, l: Graph, m: Counts);

    #[tokio::test]
    async fn are_those_of_the_plugins() {
        let agent = Agent::<Wide>::start().await.unwrap();
        assert_eq!(Wide::GRAPH.len(), 14);
        let _: &Dep<Row0> = &agent.a;
        agent.close().await.unwrap();
    }
}

#[tokio::test]
async fn an_empty_flavor_runs() {
    #[derive(Flavor)]
    struct Empty {}
    assert!(Empty::GRAPH.is_empty() && Empty::GRAPH.depth() == 0 && Empty::GRAPH.levels().len() == 0);
    Agent::<Empty>::start().await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn two_agents_in_one_process_share_nothing() {
    let a = Agent::<Connectors>::builder().label("a").start().await.unwrap();
    let b = Agent::<Connectors>::builder().label("b").start().await.unwrap();
    assert!(!Dep::ptr_eq(&a.etcd, &b.etcd) && !Dep::ptr_eq(&a.local.journal, &b.local.journal));
    assert_eq!((a.label(), b.label()), ("a", "b"));
    a.stop_handle().stop();
    assert!(!b.stop_handle().is_stopping());
    a.run().await.unwrap();
    assert_eq!(b.local.journal.lines(), ["create etcd", "init etcd"]);
    b.close().await.unwrap();
}
