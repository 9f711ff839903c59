//! Field injection and listed dependencies in one flavor; config, context and default fields; aliases; plugins without
//! a lifecycle.

use cninfra::{agent::Cause, config::Config, prelude::*};
use fixture_base::{Health, Journal, Local};
use fixture_connectors::{Etcd, KvStore};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

#[derive(Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    size: usize,
    name: String,
}

type Alias = Dep<Health>;

#[plugin]
pub struct Fields {
    journal: Dep<Journal>,
    kv: Option<Dep<dyn KvStore>>,
    #[config]
    settings: Settings,
    #[context]
    cx: Context,
    #[context]
    log: Logger,
    hits: AtomicUsize,
    #[default(7)]
    start: usize,
    #[dep]
    health: Alias,
}

#[plugin(deps = (Fields, Journal, Option<Etcd>), config = Settings, name = "built-by-hand")]
pub struct Built {
    fields: Dep<Fields>,
    sum: usize,
}

impl Create for Built {
    async fn create((fields, _, etcd): Self::Deps, cx: &Context) -> Result<Self> {
        tokio::task::yield_now().await;
        assert!(etcd.is_none());
        let own: Settings = cx.config()?;
        Ok(Built { sum: fields.settings.size + fields.start + own.size, fields })
    }
}

#[derive(Deps)]
pub struct Named {
    journal: Dep<Journal>,
    built: Dep<Built>,
    health: Option<Alias>,
}

#[plugin(deps = Named)]
pub struct ByName(Named);

impl Create for ByName {
    async fn create(deps: Named, _: &Context) -> Result<Self> {
        Ok(ByName(deps))
    }
}

#[plugin]
pub struct Unit;

/// More dependencies than the widest tuple has.
#[plugin]
pub struct Wide {
    a: Dep<Journal>,
    b: Dep<Journal>,
    c: Dep<Journal>,
    d: Dep<Journal>,
    e: Dep<Journal>,
    f: Dep<Journal>,
    g: Dep<Journal>,
    h: Dep<Journal>,
    i: Dep<Journal>,
    j: Dep<Journal>,
    k: Dep<Journal>,
    l: Dep<Journal>,
    m: Dep<Unit>,
    n: Option<Dep<Etcd>>,
    o: usize,
}

#[derive(Flavor)]
struct All {
    by_name: Dep<ByName>,
    built: Dep<Built>,
    fields: Dep<Fields>,
    local: Local,
    unit: Dep<Unit>,
    wide: Dep<Wide>,
}

fn config() -> Config {
    Config::new().set("fields", "size", 5).set("fields", "name", "x").set("built-by-hand", "size", 30)
}

#[tokio::test]
async fn both_styles_in_one_flavor() {
    let agent = Agent::<All>::builder().config(config()).start().await.unwrap();
    let fields = &agent.fields;
    assert_eq!((agent.built.sum, fields.settings.name.as_str(), fields.hits.load(SeqCst)), (42, "x", 0));
    assert_eq!((fields.cx.name(), fields.log.name(), fields.cx.label()), ("fields", "fields", "vpp1"));
    assert!(fields.kv.is_none() && Dep::ptr_eq(&fields.health, &agent.local.health));
    let named = &agent.by_name.0;
    assert!(Dep::ptr_eq(&named.built.fields, fields) && Dep::ptr_eq(&named.journal, &fields.journal));
    assert!(Dep::ptr_eq(named.health.as_ref().unwrap(), &agent.local.health));
    agent.close().await.unwrap();
}

#[tokio::test]
async fn more_dependencies_than_a_tuple_holds() {
    let agent = Agent::<All>::start().await.unwrap();
    let w = &agent.wide;
    for dep in [&w.a, &w.b, &w.c, &w.d, &w.e, &w.f, &w.g, &w.h, &w.i, &w.j, &w.k, &w.l] {
        assert!(Dep::ptr_eq(dep, &agent.local.journal));
    }
    assert!(Dep::ptr_eq(&w.m, &agent.unit) && w.n.is_none() && w.o == 0);
    let graph = All::GRAPH;
    assert_eq!(graph.deps_of(graph.position("Wide")).len(), 13);
    let edges: Vec<_> = graph.edges().iter().filter(|edge| edge.0 == "Wide").collect();
    assert_eq!(edges, [("Wide", "Journal"), ("Wide", "Unit")]);
    agent.close().await.unwrap();
}

#[tokio::test]
async fn all_config_is_read_before_anything_is_created() {
    let wrong = Config::new().set("fields", "sizes", 5).set("built-by-hand", "size", "big");
    let error = Agent::<All>::builder().config(wrong).record_events(true).start().await.unwrap_err();
    assert!(error.is_config() && error.events.is_empty());
    let found: Vec<_> = error.errors.iter().map(|e| (e.instance, matches!(e.cause, Cause::Config(_)))).collect();
    assert_eq!(found, [("fields", true), ("built-by-hand", true)]);
    let text = error.to_string();
    for part in [
        "`fields`: set by the program: key `fields.sizes` is unknown",
        "help: did you mean `size`? known keys: size, name",
        "set by the program: key `built-by-hand.size` takes a whole number, 0 or more, not the text `big`",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

/// The macros use no unqualified type names, since a module may have types with these names.
mod hostile {
    #![allow(dead_code, non_camel_case_types, non_upper_case_globals)]
    #![deny(deprecated, non_snake_case)]
    struct Sized;
    struct bool;
    struct j; // The name that generated code gives to a dependency.
    const q: u8 = 0; // The name that generated code gives to a flavor's field.
    static slot: u8 = 0;
    static this: u8 = 0;
    static deps: u8 = 0;
    static fields: u8 = 0;
    static cx: u8 = 0;
    fn o() -> u8 {
        1
    }
    struct Option;
    struct Result;
    struct Vec;
    struct Box;
    struct Send;
    struct Default;
    fn drop() {}

    #[cninfra::plugin]
    #[allow(non_snake_case)]
    pub struct P {
        j: cninfra::Dep<fixture_base::Journal>,
        o: ::core::option::Option<cninfra::Dep<fixture_base::Health>>,
        n: u8,
        #[default(o())]
        from_a_function: u8,
        #[allow(deprecated)]
        camelCase: cninfra::Dep<Old>,
    }
    #[deprecated]
    #[cninfra::plugin]
    pub struct Old {
        #[deprecated]
        n: u8,
    }
    #[cninfra::interface]
    trait Any {}
    #[cninfra::plugin(deps = (fixture_base::Journal), name = "q")]
    pub struct Q;
    impl cninfra::Create for Q {
        async fn create(_: Self::Deps, _: &cninfra::Context) -> cninfra::Result<Self> {
            Ok(Q)
        }
    }
    #[derive(cninfra::Flavor)]
    #[allow(non_snake_case)]
    pub struct F {
        pub p: cninfra::Dep<P>,
        q: cninfra::Dep<Q>,
        j: cninfra::Dep<fixture_base::Journal>,
        #[allow(deprecated)]
        oldOne: cninfra::Dep<Old>,
    }
}

#[test]
fn names_of_the_users_module_do_not_matter() {
    assert_eq!(hostile::F::GRAPH.names(), ["Journal", "Old", "P", "Q"]);
}
