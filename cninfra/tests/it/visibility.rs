//! Private plugins in private flavors, `pub` plugins in a private module, fields of any visibility.

use cninfra::prelude::*;

mod private {
    use super::*;

    #[plugin]
    struct Secret;

    #[plugin]
    struct Keeper {
        secret: Dep<Secret>,
    }

    #[derive(Flavor)]
    struct Set {
        secret: Dep<Secret>,
        keeper: Dep<Keeper>,
    }

    #[tokio::test]
    async fn a_private_flavor_holds_private_plugins() {
        let agent = Agent::<Set>::start().await.unwrap();
        assert!(Dep::ptr_eq(&agent.keeper.secret, &agent.secret));
        agent.close().await.unwrap();
    }

    macro_rules! wide {
        ($($name:ident: $plugin:ident),*) => {
            $(#[plugin]
            struct $plugin;)*

            /// More fields than a tuple of parts has.
            #[derive(Flavor)]
            struct Wide { $($name: Dep<$plugin>),* }
        };
    }
    wide!(a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I, j: J, k: K, l: L, m: M, n: N);
    const _: () = assert!(Wide::GRAPH.len() == 14);
}

mod hidden {
    use super::*;

    /// `pub`, but cannot be named outside this module.
    #[plugin]
    pub struct Engine;

    impl Engine {
        pub fn works(&self) -> bool {
            true
        }
    }

    #[derive(Flavor)]
    pub struct Car {
        engine: Dep<Engine>,
    }

    impl Car {
        pub fn drives(&self) -> bool {
            self.engine.works()
        }
    }
}
pub use hidden::Car;

#[derive(Flavor)]
pub(crate) struct Garage {
    pub(crate) car: Car,
}

#[tokio::test]
async fn a_public_flavor_hides_plugins_in_a_private_module() {
    let agent = Agent::<Garage>::start().await.unwrap();
    assert!(agent.car.drives());
    agent.close().await.unwrap();
}

/// The types of a plugin's own fields can use the plugin's constants.
mod constants {
    use cninfra::prelude::*;
    use std::sync::{Mutex, mpsc::SyncSender};

    const LINE: usize = Cache::SIZE;

    struct Message([u8; Cache::SIZE]);
    struct Buffer([u8; Cache::SIZE]);

    impl Default for Buffer {
        fn default() -> Self {
            Buffer([1; Cache::SIZE])
        }
    }

    #[plugin(no_lifecycle)]
    struct Cache {
        buffer: Buffer,
        #[default([2; LINE])]
        line: [u8; LINE],
        locked: Mutex<Option<Buffer>>,
        sender: Mutex<Option<SyncSender<Message>>>,
        #[default([0; size_of::<Message>()])]
        spare: [u8; size_of::<Message>()],
        /// Its lifetime has the same name as one that generated code might choose.
        parse: Option<for<'a> fn(&'a str) -> &'a str>,
    }

    impl Cache {
        const SIZE: usize = 7;
    }

    #[derive(Flavor)]
    struct Caches {
        cache: Dep<Cache>,
    }

    #[tokio::test]
    async fn lead_from_the_types_of_its_fields_to_the_plugin() {
        let agent = Agent::<Caches>::builder().start().await.unwrap();
        let Cache { buffer, line, locked, sender, spare, parse } = &*agent.cache;
        assert_eq!((buffer.0, *line, spare.len()), ([1; 7], [2; 7], Message([0; 7]).0.len()));
        assert!(locked.lock().unwrap().is_none() && sender.lock().unwrap().is_none() && parse.is_none());
        agent.close().await.unwrap();
    }
}
