//! Generic plugins and flavors, also through a re-export, and nested type parameters.

use cninfra::prelude::*;
use fixture_base::{Journal, Local, Rpc};
use fixture_connectors::{Backup, Etcd, Role};

pub trait Store: Plugin {
    const NAME: &'static str;
}
impl<R: Role + Key> Store for Etcd<R> {
    const NAME: &'static str = R::NAME;
}

mod inner {
    use super::*;

    #[plugin(no_lifecycle)]
    pub struct Cache<K: Store> {
        pub store: Dep<K>,
    }

    #[derive(Flavor)]
    pub struct Cached<K: Store> {
        pub cache: Dep<Cache<K>>,
        #[provides(dyn Named)]
        pub store: Dep<K>,
        pub local: Local,
    }

    #[interface]
    pub trait Named {
        fn named(&self) -> &'static str;
    }
    impl<K: Store> Named for K {
        fn named(&self) -> &'static str {
            K::NAME
        }
    }
}
mod reexport {
    pub use super::inner::{Cache as Kache, Cached};
}
cninfra::check_flavor!(reexport::Cached<Etcd>);

#[tokio::test]
async fn a_generic_flavor_through_a_reexport() {
    let names = ["Journal", "Etcd<Primary>", "Health", "Cache<Etcd<Primary>>"];
    assert_eq!(reexport::Cached::<Etcd>::GRAPH.names(), names);
    assert_eq!(reexport::Cached::<Etcd<Backup>>::GRAPH.names()[3], "Cache<Etcd<Backup>>");
    assert_eq!(reexport::Cached::<Etcd<Backup>>::GRAPH.nodes()[3].instance(), "cache-etcd-backup");
    let agent = Agent::<reexport::Cached<Etcd>>::start().await.unwrap();
    let cache: &Dep<reexport::Kache<Etcd>> = &agent.cache;
    assert!(Dep::ptr_eq(&cache.store, &agent.store));
    assert_eq!(agent.find::<dyn inner::Named>().unwrap().named(), "primary");
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_generic_flavor_inside_of_a_concrete_one() {
    #[derive(Flavor)]
    struct Whole {
        cached: reexport::Cached<Etcd<Backup>>,
        rpc: Rpc,
    }
    let agent = Agent::<Whole>::start().await.unwrap();
    assert!(Dep::ptr_eq(&agent.cached.local.journal, &agent.rpc.local.journal));
    agent.close().await.unwrap();
}

#[plugin(no_lifecycle)]
pub struct W<K: Plugin> {
    kind: std::marker::PhantomData<K>,
}
type W2<T> = W<W<T>>;

#[plugin]
pub struct Needs {
    w: Dep<W2<W2<W<Journal>>>>,
}

#[derive(Flavor)]
pub struct Deep {
    needs: Dep<Needs>,
    w: Dep<W2<W2<W<Journal>>>>,
}

#[tokio::test]
async fn six_nested_types_under_the_default_recursion_limit() {
    let agent = Agent::<Deep>::start().await.unwrap();
    assert!(Dep::ptr_eq(&agent.needs.w, &agent.w));
    agent.close().await.unwrap();
}

/// Two items with the same name in one file, distinguished by their `id`.
mod one_name {
    use super::*;

    pub mod here {
        #[derive(cninfra::Qualifier)]
        pub struct Role;
        #[cninfra::interface]
        pub trait Named {
            fn role(&self) -> &'static str;
        }
    }
    pub mod there {
        #[derive(cninfra::Qualifier)]
        #[qualifier(id = "there", name = "there")]
        pub struct Role;
        #[cninfra::interface(id = "there")]
        pub trait Named {
            fn role(&self) -> &'static str;
        }
    }

    #[plugin(no_lifecycle)]
    pub struct Slotted<R> {
        role: std::marker::PhantomData<R>,
    }
    impl<R: Key + Send + Sync> here::Named for Slotted<R> {
        fn role(&self) -> &'static str {
            R::META.instance
        }
    }
    impl<R: Key + Send + Sync> there::Named for Slotted<R> {
        fn role(&self) -> &'static str {
            R::META.instance
        }
    }

    #[derive(Flavor)]
    pub struct Both {
        #[provides(dyn here::Named)]
        here: Dep<Slotted<here::Role>>,
        #[provides(dyn there::Named)]
        there: Dep<Slotted<there::Role>>,
    }
}

#[tokio::test]
async fn an_id_tells_qualifiers_and_interfaces_of_one_name_apart() {
    let agent = Agent::<one_name::Both>::start().await.unwrap();
    assert_eq!(agent.find::<dyn one_name::here::Named>().unwrap().role(), "role");
    assert_eq!(agent.find::<dyn one_name::there::Named>().unwrap().role(), "there");
    agent.close().await.unwrap();
}

/// `Key` is the only bound that code for a generic plugin needs on its parameters, since it includes `Send` and `Sync`.
mod bounded_by_key {
    use super::*;
    use cninfra::Interface;
    use std::marker::PhantomData;

    #[derive(Qualifier)]
    pub struct Main;
    #[interface]
    pub trait Named {
        fn role(&self) -> &'static str;
    }

    #[plugin]
    pub struct Pool<Of: ?Sized> {
        of: PhantomData<Of>,
        #[context]
        log: Logger,
    }
    impl<Of: Key + ?Sized> Lifecycle for Pool<Of> {
        async fn init(&self, _: &Context) -> Result<()> {
            self.log.info(self.role());
            Ok(())
        }

        async fn close(&self, _: &Context) -> Result<()> {
            self.log.info(self.role());
            Ok(())
        }
    }
    impl<Of: Key + ?Sized> Named for Pool<Of> {
        fn role(&self) -> &'static str {
            Of::META.instance
        }
    }

    #[derive(Flavor)]
    pub struct App {
        #[provides(dyn Named)]
        pub main: Dep<Pool<Main>>,
        pub of_an_interface: Dep<Pool<dyn Named>>,
        pub of_a_plugin: Dep<Pool<Pool<Main>>>,
    }

    pub fn found<K: Key + ?Sized>() -> &'static str {
        K::META.name
    }
    pub fn provided<I: Interface + ?Sized>() -> &'static str {
        I::META.name
    }
}

#[tokio::test]
async fn key_is_all_that_is_asked_of_a_parameter() {
    use bounded_by_key::{App, Main, Named, Pool, found, provided};
    let agent = Agent::<App>::start().await.unwrap();
    assert_eq!(agent.find::<dyn Named>().unwrap().role(), "main");
    assert_eq!(agent.of_a_plugin.role(), "pool-main");
    assert_eq!(
        [found::<Pool<Main>>(), found::<dyn Named>(), provided::<dyn Named>()],
        ["Pool<Main>", "dyn Named", "dyn Named"]
    );
    agent.close().await.unwrap();
}

/// Generic plugins and interfaces as dependencies of every kind, in plugins that have constants of their own, and by
/// plugins that are their parameters.
mod asked_for {
    use super::*;
    use cninfra::config::Invalid;
    use std::marker::PhantomData;

    pub trait Codec {
        const NAME: &'static str;
    }
    #[derive(Qualifier)]
    pub struct Json;
    impl Codec for Json {
        const NAME: &'static str = "json";
    }

    #[interface]
    pub trait Encodes<C: Codec> {
        fn name(&self) -> &'static str;
    }
    #[interface(many)]
    pub trait Listens<C> {
        fn heard(&self) -> usize;
    }

    #[plugin(no_lifecycle)]
    pub struct Topic<C: Codec> {
        codec: PhantomData<C>,
    }
    impl<C: Codec + Key + Send + Sync> Encodes<C> for Topic<C> {
        fn name(&self) -> &'static str {
            C::NAME
        }
    }
    impl<C: Codec + Key + Send + Sync> Listens<C> for Topic<C> {
        fn heard(&self) -> usize {
            1
        }
    }

    #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
    #[serde(default)]
    pub struct Settings {
        size: usize,
    }
    type Plain = Settings;

    #[plugin]
    struct Fields {
        topic: Dep<Topic<Json>>,
        maybe: Option<Dep<Topic<Json>>>,
        encodes: Dep<dyn Encodes<Json>>,
        listens: Vec<Dep<dyn Listens<Json>>>,
        own: Dep<W<Fields>>,
        line: [u8; Fields::SIZE],
        #[config(check = |settings| if settings.size > 9 { Err(Invalid::key("size", "too large")) } else { Ok(()) })]
        settings: Plain,
        #[context]
        log: Logger,
    }
    impl Fields {
        const SIZE: usize = 3;
    }
    impl Lifecycle for Fields {
        async fn init(&self, _: &Context) -> Result<()> {
            self.log.info(format_args!("{} {}", self.encodes.name(), self.line.len() + self.settings.size));
            Ok(())
        }
    }

    #[plugin(no_lifecycle)]
    struct Unnamed(Dep<Topic<Json>>, Option<Dep<dyn Encodes<Json>>>, Dep<W<Unnamed>>);

    #[derive(Deps)]
    struct Set {
        topic: Dep<Topic<Json>>,
        encodes: Option<Dep<dyn Encodes<Json>>>,
    }
    #[derive(Deps)]
    struct Pair(Dep<Topic<Json>>, Dep<Fields>);

    #[plugin(deps = Set)]
    struct Named(Set);
    impl Create for Named {
        async fn create(set: Self::Deps, _: &Context) -> Result<Self> {
            Ok(Named(set))
        }
    }
    #[plugin(deps = Pair)]
    struct Paired(Dep<Topic<Json>>);
    impl Create for Paired {
        async fn create(Pair(topic, _): Pair, _: &Context) -> Result<Self> {
            Ok(Paired(topic))
        }
    }

    #[derive(Flavor)]
    struct All {
        #[provides(dyn Encodes<Json>, dyn Listens<Json>)]
        topic: Dep<Topic<Json>>,
        fields: Dep<Fields>,
        unnamed: Option<Dep<Unnamed>>,
        named: Dep<Named>,
        paired: Dep<Paired>,
        of_fields: Dep<W<Fields>>,
        of_unnamed: Dep<W<Unnamed>>,
    }

    #[tokio::test]
    async fn in_every_way() {
        let agent = Agent::<All>::start().await.unwrap();
        let All { topic, fields, unnamed, named, paired, of_fields, of_unnamed } = &*agent;
        let Named(set) = &**named;
        let Unnamed(first, second, third) = &**unnamed.as_ref().unwrap();
        for other in [&fields.topic, fields.maybe.as_ref().unwrap(), first, &set.topic, &paired.0] {
            assert!(Dep::ptr_eq(topic, other));
        }
        assert!(Dep::ptr_eq(&fields.own, of_fields) && Dep::ptr_eq(third, of_unnamed));
        assert_eq!(fields.listens.iter().map(|listens| listens.heard()).sum::<usize>(), 1);
        for encodes in [second, &set.encodes] {
            assert_eq!(encodes.as_ref().unwrap().name(), "json");
        }
        agent.close().await.unwrap();
    }
}
