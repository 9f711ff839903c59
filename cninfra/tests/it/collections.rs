//! `Vec<Dep<dyn I>>`: every plugin bound to an `#[interface(many)]`.

use cninfra::prelude::*;
use fixture_base::{Http, Journal, Local, Routes, Rpc};

macro_rules! routes {
    ($($name:ident)*) => {
        $(
            #[plugin]
            pub struct $name { journal: Dep<Journal> }
            impl Routes for $name {
                fn routes(&self) -> Vec<String> { vec![stringify!($name).into()] }
            }
        )*
    };
}
routes!(One Two Three);

#[plugin]
pub struct Four {
    http: Option<Dep<Http>>,
}

#[derive(Flavor)]
pub struct Shared {
    pub local: Local,
    #[provides(dyn Routes)]
    pub three: Dep<Three>,
}

#[derive(Flavor)]
#[flavor(open)]
pub struct Left {
    pub shared: Shared,
    #[provides(dyn Routes)]
    pub two: Dep<Two>,
}

#[derive(Flavor)]
struct All {
    four: Dep<Four>,
    rpc: Rpc,
    left: Left,
    #[provides(dyn Routes)]
    one: Dep<One>,
    shared: Shared,
}

#[tokio::test]
async fn every_provider_once_in_declaration_order() {
    let agent = Agent::<All>::start().await.unwrap();
    let names: Vec<_> = agent.rpc.http.routes.iter().flat_map(|r| r.routes()).collect();
    assert_eq!(names, ["Three", "Two", "One"]);
    assert_eq!(agent.rpc.http.served(), 3);
    for name in ["One", "Two", "Three"] {
        assert!(All::GRAPH.edges().contains(&("Http", name)) && All::GRAPH.before(name, "Http"));
    }
    assert!(Dep::ptr_eq(&agent.left.shared.three, &agent.shared.three) && agent.four.http.is_some());
    assert!(Dep::ptr_eq(&agent.one.journal, &agent.left.two.journal));
    agent.close().await.unwrap();
}

/// Depends on one provider of an `#[interface(many)]`.
#[plugin]
pub struct Picky {
    route: Dep<dyn Routes>,
    maybe: Option<Dep<dyn Routes>>,
}

#[derive(Flavor)]
struct Single {
    picky: Dep<Picky>,
    shared: Shared,
}

#[tokio::test]
async fn a_single_provider_may_be_taken_as_one() {
    let agent = Agent::<Single>::start().await.unwrap();
    assert_eq!((agent.picky.route.routes(), agent.picky.maybe.is_some()), (vec!["Three".to_string()], true));
    agent.close().await.unwrap();
}

/// One plugin provides several interfaces, and is also used as itself.
mod several {
    use super::*;

    #[interface]
    pub trait Named {
        fn name(&self) -> &'static str;
    }
    impl Named for One {
        fn name(&self) -> &'static str {
            "one"
        }
    }
    #[plugin]
    pub struct User {
        one: Dep<One>,
        named: Dep<dyn Named>,
        routes: Vec<Dep<dyn Routes>>,
    }
    #[derive(Flavor)]
    struct Both {
        user: Dep<User>,
        #[provides(dyn Routes, dyn Named)]
        one: Dep<One>,
        local: Local,
    }

    #[tokio::test]
    async fn one_plugin_provides_several_interfaces() {
        let agent = Agent::<Both>::start().await.unwrap();
        assert_eq!((agent.user.named.name(), agent.user.routes.len()), ("one", 1));
        assert!(Dep::ptr_eq(&agent.user.one, &agent.one));
        agent.close().await.unwrap();
    }
}

/// Asynchronous interfaces, with `async_trait` above or below the attribute, or with a boxed future.
mod asynchronous {
    use super::*;

    #[interface]
    #[async_trait]
    pub trait Above {
        async fn get(&self) -> u8;
    }
    #[async_trait]
    #[interface]
    pub trait Below {
        async fn get(&self) -> u8;
    }
    #[interface]
    pub trait Boxed {
        fn get(&self) -> cninfra::BoxFuture<'_, u8>;
    }
    #[plugin]
    pub struct Source;
    #[async_trait]
    impl Above for Source {
        async fn get(&self) -> u8 {
            1
        }
    }
    #[async_trait]
    impl Below for Source {
        async fn get(&self) -> u8 {
            2
        }
    }
    impl Boxed for Source {
        fn get(&self) -> cninfra::BoxFuture<'_, u8> {
            Box::pin(async { 3 })
        }
    }
    #[plugin]
    pub struct User {
        above: Dep<dyn Above>,
        below: Dep<dyn Below>,
        boxed: Dep<dyn Boxed>,
    }
    #[derive(Flavor)]
    struct All {
        #[provides(dyn Above, dyn Below)]
        #[provides(dyn Boxed)]
        source: Dep<Source>,
        user: Dep<User>,
    }

    #[tokio::test]
    async fn interfaces_may_be_asynchronous() {
        let agent = Agent::<All>::start().await.unwrap();
        let user = &agent.user;
        assert_eq!((user.above.get().await, user.below.get().await, user.boxed.get().await), (1, 2, 3));
        agent.close().await.unwrap();
    }
}
