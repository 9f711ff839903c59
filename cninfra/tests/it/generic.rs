//! Generic plugins and flavors, through a re-export; nested type parameters.

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

/// Two of one name in one file, told apart by their `id`.
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
